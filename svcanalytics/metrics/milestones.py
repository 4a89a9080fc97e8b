"""When clocks start and stop: one SQL query per topic, from the events first and from a case's own columns otherwise.

Each query makes the temp table ``_clock``: ``rid`` (0, 1, …), ``id``, ``round``, ``team`` (owner), ``rule`` (index of
the standard that applies), ``start_us``, ``stop_us``, ``due_us``, ``end_us`` (what made the clock pointless),
``over_us`` (when the row was over), ``is_open``, and the columns asked for as ``_by0`` …; times are microseconds since
1970 UTC.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from svcanalytics.metrics.expressions import attribute, condition
from svcanalytics.metrics.rules import NEXT, Standard
from svcanalytics.metrics.views import View, view
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier, literal

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store import Lake

__all__ = ["Selection", "find_clocks", "missing_data", "owner", "prepare_cases"]

# First-asked responsibility: the team that took a case owns its clocks, also after a transfer.
_OWNERS = {"cases": "coalesce(first_team, owner_team, team)", "actions": "coalesce(department, scope)"}
_PERSON = '("by" is null or "by" = \'human\')'
_COLUMNS = {
    "first_response": "first_response_at",
    # A case closed with success, or without a word on success, was resolved by then at the latest.
    "resolved": "coalesce(resolved_at, case when coalesce(resolution, 'yes') = 'yes' then closed_at end)",
    "closed": "closed_at",
}
_READ = {
    "first_response": ("first_response_at",),
    "resolved": ("resolved_at", "resolution", "closed_at"),
    "closed": ("closed_at",),
}
_LAST = ("resolved", "closed")
_DUTY = ("kind", "name")
# Whether something can still be done about a clock that has not stopped, and the columns this takes.
_OPEN = {
    "cases": "closed_at is null",
    "contacts": "false",
    "actions": "coalesce(status, 'open') in ('open', 'doing')",
}
_OPEN_READS = {"cases": {"closed_at"}, "contacts": {"ended_at"}, "actions": {"status"}}
# When a row was over for good: a clock that never stopped is not late by more than until then.
_OVER = {"cases": "epoch_us(closed_at)", "contacts": "epoch_us(ended_at)"}
_OWNING = ("first_team", "owner_team", "team", "department", "scope")


@dataclass(frozen=True)
class Selection:
    """Which rows are asked for: columns to split by, a filter, and the local days that a clock's start lies in."""

    by: tuple[str, ...] = ()
    where: Mapping[str, object] = field(default_factory=dict)
    first: date | None = None
    last: date | None = None


def owner(table: str) -> str:
    """Return the SQL of the team that owns a row's clocks."""
    columns = view(table).columns()
    return _OWNERS.get(table) or next((name for name in ("team", "department") if name in columns), "null")


def missing_data(con: duckdb.DuckDBPyConnection, lake: Lake, rule: Standard, selection: Selection) -> str:
    """Say why a standard can't be measured as asked; empty when it can."""
    of = view(rule.table)
    if not any(lake.has(table) for table in of.tables):
        return f"no rows in {', '.join(of.tables)}"
    if rule.table == "cases" and rule.from_ != "opened" and not lake.has("events"):
        return "no rows in events"
    for name in dict.fromkeys([*selection.by, *selection.where]):
        if name != "team" and name not in of.columns() and not _has_attribute(con, of, name, lake.timezone):
            return f"reads view {of.name!r}, which has no column or attribute {name!r}"
    return ""


def find_clocks(
    con: duckdb.DuckDBPyConnection, lake: Lake, rules: Sequence[Standard], selection: Selection
) -> list[Standard]:
    """Make the temp table ``_clock`` of one topic's clocks (see the module) and return its rules."""
    _make_base(con, lake, rules, selection)
    rule = rules[0]
    if rule.table != "cases":
        _of_columns(con, rule)
    elif rule.repeat:
        _of_steps(con, rule)
    elif rule.from_ == "opened":
        _of_cases(con, rule)
    else:
        _of_rounds(con, rule)
    return list(rules)


def prepare_cases(
    con: duckdb.DuckDBPyConnection, lake: Lake, topics: Sequence[Sequence[Standard]], selection: Selection
) -> None:
    """Make the temp views ``_rows`` (cases) and ``_marks`` (their events) once for all topics over cases.

    Numbering the cases and reading every file once is several times faster than joining texts for each topic. `lake`
    must be held: the rows stay for the next who asks for the same columns.
    """
    ours = [rules for rules in topics if rules[0].table == "cases"]
    if not ours or not lake.has("cases"):
        return
    needed = set().union(*(_needed(rules, selection)[0] for rules in ours))
    cases = lake.keep(
        f"select row_number() over () - 1 as cid, * exclude (team), {owner('cases')} as team "
        f"from ({view('cases').select(needed | {'team'}, lake.timezone, keep=lake.keep)})"
    )
    named = {"reopened", "acknowledged"}.union(*({rules[0].from_, *rules[0].to, *rules[0].until} for rules in ours))
    listed = ", ".join(literal(name) for name in sorted(named))
    marks = lake.keep(
        'select r.cid, e.seq, e.milestone, e."by", e.medium, epoch_us(e."at") as at_us '
        f"from events e join {cases} r on r.case_id = e.case_id where e.milestone in ({listed})"
    )
    columns = [f", max({_COLUMNS[name]}) is not null as {name}" for name in _COLUMNS if name in named]
    told = (
        f"select source, unnest([{', '.join(f'case when {n} then {literal(n)} end' for n in _COLUMNS if n in named)}])"
    )
    # What a source records shows in everybody's rows, also where the lake shows one unit.
    rows, steps = cases, f"{marks} m join {cases} r on r.cid = m.cid"
    if lake.unit:
        rows = "main.cases"
        steps = f"main.events m join main.cases r on r.case_id = m.case_id where m.milestone in ({listed})"
    recorded = lake.keep(
        f"select distinct r.source, m.milestone, m.medium from {steps} "
        f"union all {told}, null from (select source {''.join(columns)} from {rows} group by source)"
    )
    for name, table in {"_rows": cases, "_marks": marks, "_recorded": recorded}.items():
        con.execute(f"create or replace temp view {name} as from {table}")


def _needed(rules: Sequence[Standard], selection: Selection) -> tuple[set[str], set[str]]:
    """Return the view's columns that a topic reads, and those among them that are read after its rows are chosen."""
    rule = rules[0]
    columns = view(rule.table).columns()
    kept = set() if rule.table == "cases" else {*rule.to, *rule.until} - {NEXT}
    kept |= _OPEN_READS.get(rule.table, set())
    kept |= {rule.due} if rule.due else set()
    for milestone in (*rule.to, *rule.until):
        kept |= set(_READ.get(milestone, ())) if rule.table == "cases" else set()
    kept |= {"form_letter"} if rule.answer else set()
    kept |= set(_DUTY) if NEXT in rule.to else set()
    asked = {*selection.by, *selection.where}
    needed = {_key(rule), _start(rule), *kept}.union(*(each.condition.columns for each in rules))
    needed |= {*_OWNING, "source"} & set(columns)
    needed |= asked & set(columns)
    return needed | ({"attributes"} if asked - set(columns) - {"team"} else set()), kept


def _make_base(con: duckdb.DuckDBPyConnection, lake: Lake, rules: Sequence[Standard], selection: Selection) -> None:
    """Make the temp table ``_base``: the rows that any rule is for, with the columns that are needed."""
    rule = rules[0]
    of, start = view(rule.table), identifier(_start(rule))
    columns = of.columns()
    needed, kept = _needed(rules, selection)
    if rule.table == "cases":
        rows = "_rows"
        kept = kept | {"cid"}
    else:
        owned = f"{'* exclude (team)' if 'team' in needed else '*'}, {owner(rule.table)} as team"
        rows = f"(select {owned} from ({of.select(needed, lake.timezone)}))"
    keys = [name for name in {*selection.by, *selection.where} if name not in columns and name != "team"]
    by = "".join(
        f", {attribute(name) if name in keys else identifier(name)} as _by{i}" for i, name in enumerate(selection.by)
    )
    which = " ".join(
        f"when {each.condition.sql} and {_validity(each, start, lake.timezone)} then {i}"
        for i, each in enumerate(rules)
    )
    # Only what the next steps read: copying texts of a million rows takes longer than everything else together.
    wanted = ", ".join(identifier(name) for name in sorted(kept))
    applies = f"case {which} end"
    con.execute(
        f"create or replace temp table _base as select {wanted}, {identifier(_key(rule))} as id, team, "
        f"{applies} as rule, epoch_us({start}) as start_us {by} from {rows} r where {start} is not null "
        f"and {condition(selection.where, keys)} and {_range(rule, selection, lake.timezone, start)} "
        f"and {_recorded(rule, lake.timezone)}" + ("" if NEXT in rule.to else f" and {applies} is not null")
    )


def _key(rule: Standard) -> str:
    return contract()[view(rule.table).tables[0]].key[0]


def _start(rule: Standard) -> str:
    return "opened_at" if rule.table == "cases" else rule.from_


def _of_columns(con: duckdb.DuckDBPyConnection, rule: Standard) -> None:
    if NEXT in rule.to:
        stop = f"lead(start_us) over (partition by {', '.join(_DUTY)} order by start_us, id)"
    else:
        stop = _first(
            [
                f"case when epoch_us({identifier(name)}) >= start_us then epoch_us({identifier(name)}) end"
                for name in rule.to
            ]
        )
    end = _first([f"epoch_us({identifier(name)})" for name in rule.until])
    due = f"epoch_us({identifier(rule.due)})" if rule.due else "cast(null as bigint)"
    _finish(con, rule, f"select *, 1 as round, {stop} as stop_us, {end} as end_us, {due} as due_us from _base")


def _of_cases(con: duckdb.DuckDBPyConnection, rule: Standard) -> None:
    """From opening to the first of the milestones."""
    wanted = list(dict.fromkeys([*rule.to, *rule.until]))
    listed = ", ".join(literal(name) for name in [*wanted, "reopened", "acknowledged"])
    counts = _counting(rule)
    parts = []
    for i, name in enumerate(wanted):
        test = f"milestone = {literal(name)}" + (f" and {counts}" if name in rule.to else "")
        parts.append(f"{'max' if name in _LAST else 'min'}(e.at_us) filter (where {test}) as m{i}")
        parts.append(f"bool_or(milestone = {literal(name)}) as any{i}")
        by_machine = f"milestone in ({literal(name)}, 'acknowledged') and \"by\" in ('automatic', 'bot')"
        parts.append(f"min(e.at_us) filter (where {by_machine}) as machine{i}")
    steps = (
        f"select e.cid, max(e.at_us) filter (where milestone = 'reopened') as reopened, {', '.join(parts)} "
        f"from (select * from _marks where milestone in ({listed})) e "
        "join _base b on b.cid = e.cid and e.at_us >= b.start_us group by e.cid"
    )
    reached = {name: _reached(rule, name, i) for i, name in enumerate(wanted)}
    stop, end = _first([reached[name] for name in rule.to]), _first([reached[name] for name in rule.until])
    due = f"epoch_us({identifier(rule.due)})" if rule.due else "cast(null as bigint)"
    _finish(
        con,
        rule,
        f"select b.*, 1 as round, {stop} as stop_us, {end} as end_us, {due} as due_us "
        f"from _base b left join ({steps}) s on s.cid = b.cid",
    )


def _reached(rule: Standard, name: str, i: int) -> str:
    """Return SQL for when a case reached a milestone: its event, or its column when no event tells of the milestone."""
    event = f"s.m{i}"
    if name in _LAST:
        # A case that was reopened since is not resolved.
        event = f"(case when s.m{i} >= coalesce(s.reopened, s.m{i}) then s.m{i} end)"
    found = event
    # A column can't tell how the customer was told.
    if name in _COLUMNS and not (rule.medium and name in rule.to):
        column = f"epoch_us({_COLUMNS[name]})"
        same = f"and {column} is distinct from s.machine{i}" if rule.person and name in rule.to else ""
        found = f"coalesce({event}, case when s.any{i} is not true and {column} >= b.start_us {same} then {column} end)"
    if rule.answer and name == "first_response":
        return f"(case when form_letter is not true then {found} end)"
    return found


def _of_steps(con: duckdb.DuckDBPyConnection, rule: Standard) -> None:
    """From opening to the first step, from each step to the next, until the end: one row per gap."""
    listed = ", ".join(literal(name) for name in (*rule.to, *rule.until))
    ends = [f"min(e.at_us) filter (where milestone = {literal(name)})" for name in rule.until]
    columns = [f"epoch_us({_COLUMNS[name]})" for name in rule.until if name in _COLUMNS]
    steps = ", ".join(literal(name) for name in rule.to)
    con.execute(
        f"create or replace temp table _steps as select b.cid, milestone, e.at_us, {_counting(rule)} as counts "
        f"from _marks e join _base b on b.cid = e.cid and e.at_us >= b.start_us where milestone in ({listed})"
    )
    event, column = _first([f"s.e{i}" for i in range(len(ends))]), _first(columns)
    found = ", ".join(f"{sql} as e{i}" for i, sql in enumerate(ends))
    con.execute(
        f"create or replace temp table _ends as select b.cid, coalesce({event}, {column}) as end_us from _base b "
        f"left join (select e.cid, {found} from _steps e group by e.cid) s on s.cid = b.cid"
    )
    points = (
        "select cid, start_us as at_us from _base union all select s.cid, s.at_us from _steps s join _ends n "
        f"on n.cid = s.cid where milestone in ({steps}) and counts and s.at_us < coalesce(n.end_us, s.at_us + 1)"
    )
    _finish(
        con,
        rule,
        "select b.* exclude (start_us), p.round, p.at_us as start_us, coalesce(p.next_us, n.end_us) as stop_us, "
        "cast(null as bigint) as end_us, cast(null as bigint) as due_us from _base b join (select cid, at_us, "
        "row_number() over w as round, lead(at_us) over w as next_us "
        f"from ({points}) window w as (partition by cid order by at_us)) p on p.cid = b.cid "
        "join _ends n on n.cid = b.cid",
    )


def _of_rounds(con: duckdb.DuckDBPyConnection, rule: Standard) -> None:
    """From each time a milestone is reached to the next of those that stop it: a case can escalate twice."""
    stops = ", ".join(literal(name) for name in rule.to)
    marks = (
        f"select cid, seq, at_us, milestone in ({stops}) as stops from _marks "
        f"where milestone = {literal(rule.from_)} or (milestone in ({stops}) and {_counting(rule)})"
    )
    rounds = (
        "select cid, at_us, stops, lag(stops) over w as after_stop, min(case when stops then at_us end) over "
        f"(w rows between current row and unbounded following) as stop_us from ({marks}) "
        "window w as (partition by cid order by at_us, stops, seq)"
    )
    starts = (
        "select cid, at_us, stop_us, row_number() over (partition by cid order by at_us) as round "
        f"from ({rounds}) where not stops and coalesce(after_stop, true)"
    )
    _finish(
        con,
        rule,
        "select b.* exclude (start_us), p.round, p.at_us as start_us, p.stop_us, cast(null as bigint) as end_us, "
        f"cast(null as bigint) as due_us from _base b join ({starts}) p on p.cid = b.cid",
    )


def _finish(con: duckdb.DuckDBPyConnection, rule: Standard, rows: str) -> None:
    is_open, over = _OPEN.get(rule.table, "true"), _OVER.get(rule.table, "cast(null as bigint)")
    con.execute(
        "create or replace temp table _clock as select row_number() over () - 1 as rid, id, round, team, "
        "cast(rule as tinyint) as rule, cast(stop_us as bigint) as stop_us, cast(end_us as bigint) as end_us, "
        f"due_us, {over} as over_us, {is_open} as is_open, columns('^(start_us|_by[0-9]+)$') from ({rows}) "
        "where rule is not null"
    )


def _counting(rule: Standard) -> str:
    parts = [_PERSON] if rule.person else []
    parts += [f"medium in ({', '.join(literal(name) for name in rule.medium)})"] if rule.medium else []
    return " and ".join(parts) or "true"


def _recorded(rule: Standard, zone: str) -> str:
    """Return SQL that keeps rows of sources that record what stops the clock: nothing recorded is not "never done"."""
    if NEXT in rule.to:
        return "true"
    main = rule.to[0]
    if rule.table != "cases":
        told = view(rule.table).select([main, "source"], zone, schema="main")
        return f"source in (select source from ({told}) where {identifier(main)} is not null group by source)"
    medium = f" and medium in ({', '.join(literal(name) for name in rule.medium)})" if rule.medium else ""
    return f"source in (select source from _recorded where milestone = {literal(main)}{medium})"


def _range(rule: Standard, selection: Selection, zone: str, start: str) -> str:
    # Only a clock that starts with its row can be cut by time here.
    if rule.at != "start" or (rule.table == "cases" and rule.from_ != "opened") or NEXT in rule.to:
        return "true"
    parts = []
    if selection.first is not None:
        parts.append(f"epoch_us({start}) >= {_midnight(selection.first, zone)}")
    if selection.last is not None:
        parts.append(f"epoch_us({start}) < {_midnight(selection.last + timedelta(days=1), zone)}")
    return " and ".join(parts) or "true"


def _validity(rule: Standard, start: str, zone: str) -> str:
    parts = ["true"]
    if rule.valid_from:
        parts.append(f"epoch_us({start}) >= {_midnight(rule.valid_from, zone)}")
    if rule.valid_to:
        parts.append(f"epoch_us({start}) < {_midnight(rule.valid_to + timedelta(days=1), zone)}")
    return " and ".join(parts)


def _midnight(day: date, zone: str) -> int:
    moment = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone))
    return int(moment.timestamp()) * 1_000_000


def _first(parts: Sequence[str]) -> str:
    if not parts:
        return "cast(null as bigint)"
    return parts[0] if len(parts) == 1 else f"least({', '.join(parts)})"


def _has_attribute(con: duckdb.DuckDBPyConnection, of: View, name: str, zone: str) -> bool:
    if "attributes" not in of.columns():
        return False
    rows = of.select(["attributes"], zone)
    return bool(con.execute(f"select 1 from ({rows}) where {attribute(name)} is not null limit 1").fetchall())
