"""Dates and times in text: which form a column has, decided over all its values, and the SQL that reads it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from svcanalytics.errors import MappingError
from svcanalytics.store.engine import literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["decide", "duration_sql", "local_sql", "time_of_day_sql"]

_PARTS = "^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.][0-9]"
_OFFSET = r"(Z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2})$"
_TIME = re.compile(
    r"(?P<gap>[ T]+|)(?P<h>9{1,2}):99(?P<s>:99(?P<f>[.,]9+)?)?(?P<pm> ?PM)?(?P<z> ?(?:Z|[+-]99(?::?99)?))?$"
)
_DATES = (
    (re.compile(r"9999([-/.])9{1,2}\1 ?9{1,2}"), "%Y{0}%m{0}%d"),
    (re.compile(r"9{1,2}([-/.])9{1,2}\1(9999)"), "{order}{0}%Y"),
    (re.compile(r"9{1,2}([-/.])9{1,2}\1(99)(?!9)"), "{order}{0}%y"),
    (re.compile(r"9999年9{1,2}月9{1,2}日"), "%Y年%m月%d日"),
    (re.compile(r"9{1,2}([-/ ])Mon\1(9999)"), "%d{0}%b{0}%Y"),
    (re.compile(r"9{1,2}([-/ ])Mon\1(99)(?!9)"), "%d{0}%b{0}%y"),
    (re.compile(r"Mon 9{1,2}, 9999"), "%b %d, %Y"),
    (re.compile(r"99999999(?!9)"), "%Y%m%d"),
)


def decide(
    con: duckdb.DuckDBPyConnection, text: str, rows: str, *, order: str = "auto", where: str = ""
) -> tuple[str, ...]:
    """Find the date formats of a column by looking at every value.

    Parameters
    ----------
    con : DuckDBPyConnection
        Holds the rows.
    text, rows : str
        SQL of the column and what to select it from.
    order : str
        ``auto``, or ``day_first`` or ``month_first`` when the source says so.
    where : str
        File and key, for messages.

    Returns
    -------
    tuple of str
        strptime formats, or the words ``iso``, ``excel`` (day number), ``epoch``, ``epoch_ms``.

    Raises
    ------
    MappingError
        When day and month can't be told apart, or no form is known.
    """
    sampled = f"(select {text} as t from {rows} where {text} is not null limit 5000)"
    formats, mixed = _formats(_shapes(con, "t", sampled))
    if formats and not mixed:
        # One look at every value, much cheaper than its shape: does the sample's form fit it?
        parsed = local_sql(text, formats, "UTC")
        # Counted, not filtered: a filter would be pushed below the cleaning of the text and repeat it.
        others = f"select count_if({text} is not null and {parsed} is null) from {rows}"
        if not con.execute(others).fetchall()[0][0]:
            return formats
    shapes = _shapes(con, text, f"(select {text} from {rows} where {text} is not null)")
    if not shapes:
        return ("iso",)
    formats, mixed = _formats(shapes)
    if not formats:
        raise MappingError(
            f"{sum(shapes.values())} values, none of a known date form",
            where=where,
            fix='give its form as formats = ["%d.%m.%Y %H:%M"]',
        )
    if not mixed:
        return formats
    first, second = (f"try_cast(regexp_extract({text}, {literal(_PARTS)}, {i}) as integer)" for i in (1, 2))
    found = con.execute(
        f"select max({first}), max({second}), count_if({first} <> {second}) from {rows} where {text} is not null"
    ).fetchall()[0]
    parts = _order(found, order, where)
    return tuple(form.replace("{order}", parts.replace("/", mixed.get(form, ""))) for form in formats)


def _shapes(con: duckdb.DuckDBPyConnection, text: str, rows: str) -> Counter[str]:
    """Count the values by shape: digits as 9, names of months as Mon, halves of the day as PM."""
    counted = con.execute(
        f"select translate({text}, '012345678', '999999999') as shape, count(*) from {rows} group by 1"
    ).fetchall()
    shapes: Counter[str] = Counter()
    for raw, count in counted:
        if raw is not None:
            shape = re.sub(r"\b([ap])\.?m\.?$", "PM", raw, flags=re.I)
            shapes[re.sub(r"[A-Za-z]{3,9}", "Mon", shape)] += count
    return shapes


def _formats(shapes: Counter[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the formats of the shapes, commonest first, and of those that mix day and month the mark between."""
    known = [(shape, _format(shape)) for shape, _ in shapes.most_common()]
    formats = tuple(dict.fromkeys(form for _, form in known if form))
    mixed = {}
    for shape, form in known:
        if "{order}" in form:
            mixed[form] = shape.lstrip("9")[0]
    return formats, mixed


def _order(found: tuple[int | None, int | None, int], order: str, where: str) -> str:
    """Return ``%d/%m`` or ``%m/%d``, or refuse, from the greatest first and second number and how often they differ."""
    if order != "auto":
        return "%d/%m" if order == "day_first" else "%m/%d"
    day_first, month_first = (found[0] or 0) > 12, (found[1] or 0) > 12
    if day_first and month_first:
        raise MappingError(
            "some dates can only be day/month and others only month/day",
            where=where,
            fix='say dates = "day_first" or dates = "month_first"; the others go to quarantine',
        )
    if not day_first and not month_first and found[2]:
        raise MappingError(
            "no value tells day/month from month/day",
            where=where,
            fix='say dates = "day_first" or dates = "month_first"',
        )
    return "%m/%d" if month_first else "%d/%m"


def _format(shape: str) -> str:
    """Return the format of values of one shape (digits as 9), '' for an unknown one."""
    if re.fullmatch(r"9{5}(\.9+)?", shape):
        return "excel"
    if re.fullmatch(r"9{14}", shape):
        return "%Y%m%d%H%M%S"
    if re.fullmatch(r"9{10}(\.9+)?", shape):
        return "epoch"
    if re.fullmatch(r"9{13}", shape):
        return "epoch_ms"
    for pattern, form in _DATES:
        found = pattern.match(shape)
        if not found:
            continue
        date = form.replace("{0}", found[1]) if found.groups() else form
        rest = shape[found.end() :]
        if not rest:
            return date
        time = _TIME.match(rest)
        if not time:
            return _chinese_time(date, rest)
        if time["z"]:
            return "iso" if date == "%Y-%m-%d" and not time["pm"] else ""
        clock = ("%I" if time["pm"] else "%H") + ":%M" + (":%S" if time["s"] else "")
        clock += f"{time['f'][0]}%f" if time["f"] else ""
        if time["pm"]:
            clock += " %p" if time["pm"].startswith(" ") else "%p"
        return f"{date}{time['gap']}{clock}"
    return ""


def _chinese_time(date: str, rest: str) -> str:
    found = re.fullmatch(r"( ?)9{1,2}时9{1,2}分(9{1,2}秒)?", rest)
    return f"{date}{found[1]}%H时%M分{'%S秒' if found[2] else ''}" if found else ""


def local_sql(text: str, formats: Sequence[str], zone: str, offsets: str = "keep") -> str:
    """Return SQL that reads text as TIMESTAMPTZ, null where it can't.

    Parameters
    ----------
    text : str
        SQL of the text.
    formats : sequence of str
        As `decide` returns them.
    zone : str
        The time zone of values without an offset.
    offsets : str
        ``keep``: an offset in the value counts; ``ignore``: it is wrong, the value is local (a ``Z`` on local times).
    """
    plain = [form for form in formats if form not in ("iso", "excel", "epoch", "epoch_ms")]
    local = []
    if plain:
        local.append(f"try_strptime({text}, [{', '.join(literal(form) for form in plain)}])")
    if "excel" in formats:
        # Day 60 of a sheet is a 29 February that never was; no such date is of use here.
        days = f"try_cast({text} as double)"
        moment = f"timestamp '1899-12-30' + to_seconds(round({days} * 86400))"
        local.append(f"case when {days} between 61 and 110000 then {moment} end")
    offset = f"regexp_matches({text}, {literal(_OFFSET)})"
    if "iso" in formats and offsets == "ignore":
        local.append(f"try_cast(regexp_replace({text}, {literal(' ?' + _OFFSET)}, '') as timestamp)")
    elif "iso" in formats:
        local.append(f"case when not {offset} or length({text}) <= 10 then try_cast({text} as timestamp) end")
    known = [f"timezone({literal(zone)}, {_first(local)})"] if local else []
    if "iso" in formats and offsets != "ignore":
        known.append(f"case when {offset} and length({text}) > 10 then try_cast({text} as timestamptz) end")
    for form, per in (("epoch", 1), ("epoch_ms", 1000)):
        if form in formats:
            known.append(f"to_timestamp(try_cast({text} as double) / {per})")
    return _first(known)


def _first(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"coalesce({', '.join(options)})"


def time_of_day_sql(text: str) -> str:
    """Return SQL for the seconds since midnight of ``H:MM``, ``H:MM:SS``, ``H:MM AM``, or a fraction of a day."""
    clock = f"regexp_extract({text}, '([0-9]{{1,2}}:[0-9]{{2}}(:[0-9]{{2}})?)', 1)"
    hours = f"try_cast(split_part({clock}, ':', 1) as integer)"
    minutes = f"try_cast(split_part({clock}, ':', 2) as integer)"
    seconds = f"coalesce(try_cast(nullif(split_part({clock}, ':', 3), '') as integer), 0)"
    half = f"when {text} ilike '%pm' then ({hours} % 12) + 12 when {text} ilike '%am' then {hours} % 12"
    whole = f"(case {half} else {hours} end) * 3600 + {minutes} * 60 + {seconds}"
    valid = f"{hours} < 24 and {minutes} < 60 and {seconds} < 60"
    fraction = f"try_cast({text} as double)"
    return (
        f"case when contains({text}, ':') then case when {valid} then {whole} end "
        f"when {fraction} >= 0 and {fraction} < 1 then cast(round({fraction} * 86400) as integer) end"
    )


def duration_sql(text: str, unit: str) -> str:
    """Return SQL for whole seconds of a duration.

    Parameters
    ----------
    text : str
        SQL of the text: ``H:MM:SS``, or a number in `unit`.
    unit : str
        ``s``, ``ms``, ``min``, ``h``, ``d``; ``m:s`` or ``h:m`` say what two parts mean, which is else refused.
    """
    factor = {"s": "1", "ms": "0.001", "min": "60", "h": "3600", "d": "86400"}.get(unit, "1")
    body = f"ltrim({text}, '-')"
    parts = [f"try_cast(split_part({body}, ':', {i}) as double)" for i in (1, 2, 3)]
    three = f"{parts[0]} * 3600 + {parts[1]} * 60 + {parts[2]}"
    two = {"m:s": f"{parts[0]} * 60 + {parts[1]}", "h:m": f"{parts[0]} * 3600 + {parts[1]} * 60"}.get(unit, "null")
    sign = f"case when starts_with({text}, '-') then -1 else 1 end"
    return (
        f"cast(round(case when not contains({text}, ':') then try_cast({text} as double) * {factor} "
        f"when length({text}) - length(replace({text}, ':', '')) = 2 then {sign} * ({three}) "
        f"else {sign} * ({two}) end) as bigint)"
    )
