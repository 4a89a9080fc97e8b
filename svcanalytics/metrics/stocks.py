"""Stocks: what is open at the end of a period. A case counts at every period end between its opening and its finish."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from svcanalytics.metrics.expressions import attribute, condition, filter_in, names_in
from svcanalytics.metrics.grid import bounds, span
from svcanalytics.metrics.knowledge import Knowledge
from svcanalytics.metrics.views import view
from svcanalytics.periods import periods_between
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["AGES", "backlog"]

AGES = (1, 3, 7, 30)
"""Bounds of the age bands, in days."""
_DAY_S = 86_400
_NEWEST = (
    "(select greatest(max(opened_at), max(closed_at), max(resolved_at)) as newest, min(opened_at) as oldest from cases)"
)


def backlog(
    lake: Lake,
    by: str | Sequence[str] = (),
    every: str = "month",
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, object] | None = None,
    ages: Sequence[int] = AGES,
) -> pd.DataFrame:
    """Count the cases open at the end of each period, by age.

    A case is open from `opened_at` until it is closed or, where nobody closed it, resolved. The end of a period that
    lies after the newest event of the cases is that event: what came later isn't known.

    Parameters
    ----------
    lake, by, every, start, end, where
        As in `measure`.
    ages : sequence of int
        Bounds of the age bands in days, ascending.

    Returns
    -------
    DataFrame
        period, start, the columns of `by`, from_d, to_d (Int64, days of age: from inclusive, to exclusive; none in the
        last band), open (Int64 cases), oldest_s (Int64 seconds). A band without a case in a unit has no row.
    """
    by, where = names_in(by), filter_in(where)
    names = ["period", "start", *by, "from_d", "to_d", "open", "oldest_s"]
    of, first, last = view("cases"), *span(start, end, lake.month_start)
    known = of.columns()
    con = lake.connection()
    try:
        (limits,) = bounds(
            con, f"(select oldest as x from {_NEWEST} union all select newest from {_NEWEST})", ["x"], lake.timezone
        )
        if limits is None:
            return pd.DataFrame(columns=names)
        keys = [name for name in [*by, *where] if name not in known]
        unknown = [name for name in keys if not Knowledge(lake, con).has_attribute(of, name)]
        read = {name for name in [*by, *where] if name in known} | {"opened_at", "finished_at"}
        rows = of.select(read | ({"attributes"} if keys else set()) | set(unknown), lake.timezone)
        periods = periods_between(first or limits[0], last or limits[1], every, lake.month_start)
        con.register("_ends", _ends([(p.key, p.start, p.end) for p in periods], lake.timezone))
        units = [attribute(name) if name in keys else identifier(name) for name in by]
        listed = "".join(f"{unit} as {identifier(name)}, " for unit, name in zip(units, by, strict=True))
        bands = " ".join(f"when age_s < {days * _DAY_S} then {i}" for i, days in enumerate(ages))
        found = con.sql(
            f"select * exclude (age_s), case {bands} else {len(ages)} end as band, "
            'count(*) as "open", max(age_s) as oldest_s from ('
            f"select p.period as _period, {listed} "
            "(least(p.end_us, epoch_us(n.newest)) - epoch_us(opened_at)) // 1000000 as age_s "
            f"from ({rows}) v cross join {_NEWEST} n join _ends p on epoch_us(v.opened_at) < p.end_us "
            "and (v.finished_at is null or epoch_us(v.finished_at) >= least(p.end_us, epoch_us(n.newest) + 1)) "
            f"where {condition(where, keys)}) group by all"
        ).df()
    finally:
        con.close()
    starts = {p.key: pd.Timestamp(p.start) for p in periods}
    found["period"], found["start"] = found["_period"], pd.to_datetime(found["_period"].map(starts))
    edges = [0, *ages, None]
    found["from_d"] = found["band"].map(lambda band: edges[band]).astype("Int64")
    found["to_d"] = pd.array([edges[band + 1] for band in found["band"]], dtype="Int64")
    found = found.astype({"open": "Int64", "oldest_s": "Int64"})
    return found.sort_values(["start", *by, "from_d"], ignore_index=True)[names]


def _ends(periods: list[tuple[str, date, date]], zone: str) -> pd.DataFrame:
    """Return the moment each period ends: local midnight, in microseconds since 1970."""
    info = ZoneInfo(zone)
    origin = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))
    ends = [(datetime.combine(end, time(), info) - origin) // timedelta(microseconds=1) for _, _, end in periods]
    return pd.DataFrame({"period": [key for key, _, _ in periods], "end_us": ends})
