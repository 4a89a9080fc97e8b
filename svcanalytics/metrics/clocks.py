"""Clocks evaluated: due, stopped, on time or late, by numpy over the milestones that SQL found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.grid import span
from svcanalytics.metrics.milestones import Selection, find_clocks, missing_data, prepare_cases
from svcanalytics.metrics.rules import Rulebook, Standard, clock_calendars, rulebook
from svcanalytics.metrics.views import pauses
from svcanalytics.periods import Calendar
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store import Lake

__all__ = ["STATES", "Batch", "clock_rows", "data_stop", "evaluate_clocks", "instant", "run_clocks", "selected"]

STATES = ("on_time", "late", "running", "dropped")
"""Stopped within the limit; past its limit, stopped or not; running within its limit; pointless before its limit."""

_NONE = np.iinfo(np.int64).min
_SECOND = 1_000_000
# Times at which something happened, as against planned and due times, which may lie ahead.
_HAPPENED = {
    "cases": ("opened_at", "first_response_at", "resolved_at", "closed_at"),
    "contacts": ("offered_at", "answered_at", "human_at", "ended_at"),
    "events": ("at",),
    "messages": ("at",),
    "surveys": ("at",),
    "audits": ("at", "plan_at", "rectified_at", "rechecked_at"),
    "training": ("at",),
    "actions": ("found_at", "done_at", "accepted_at", "verified_at"),
    "duties": ("at",),
}


@dataclass(frozen=True)
class Batch:
    """The clocks of one topic; arrays of shape ``(n,)``, times in microseconds UTC, the smallest int64 where missing.

    Attributes
    ----------
    rules : tuple of Standard
        The rules that compete; `rule` indexes them.
    rid : numpy.ndarray
        Row of the temp table ``_clock`` of each clock.
    start, due, stop : numpy.ndarray of int64
    state : numpy.ndarray of int8
        Index into `STATES`.
    elapsed_s, paused_s, overrun_s : numpy.ndarray of int64
        Whole seconds of the clock's calendar: run so far or until it stopped, net of pauses; paused; run past the limit
        (0 unless late, then at least 1).
    provisional : numpy.ndarray of bool
        Due in a year whose working days are not announced yet.
    """

    rules: tuple[Standard, ...]
    rule: np.ndarray
    rid: np.ndarray
    start: np.ndarray
    due: np.ndarray
    stop: np.ndarray
    state: np.ndarray
    elapsed_s: np.ndarray
    paused_s: np.ndarray
    overrun_s: np.ndarray
    provisional: np.ndarray

    def __getitem__(self, chosen: np.ndarray) -> Batch:
        arrays = (getattr(self, name) for name in self.__dataclass_fields__ if name != "rules")
        return Batch(self.rules, *(array[chosen] for array in arrays))


def clock_rows(
    lake: Lake,
    standards: str | Sequence[str] | None = None,
    by: str | Sequence[str] = (),
    start: date | str | None = None,
    end: date | str | None = None,
    where: Mapping[str, object] | None = None,
    at: datetime | None = None,
) -> pd.DataFrame:
    """Return every clock of the standards, one row per case and clock (per escalation of a case that has several).

    Parameters
    ----------
    lake : Lake
        What to read, at its snapshot.
    standards : str or sequence of str, optional
        Ids; default: all. Composites have no clocks of their own.
    by : str or sequence of str
        Columns of the standards' views, or keys of ``attributes``, to add. ``team`` is the owner, see below.
    start, end : date or str, optional
        First and last local day, or written period, in which the clock starts (falls due, where the standard says so).
    where : mapping, optional
        Column or attribute to a value, a list of values, or None for "not filled".
    at : datetime, optional
        "Now"; default: `data_stop` of the lake.

    Returns
    -------
    DataFrame
        standard, table, id (of the case, contact, audit …), round, team (owner: the team that took the case first), the
        columns of `by`, start, due, stop (UTC, NaT while running), state (see `STATES`), elapsed_s, paused_s (taken out
        of elapsed_s where the standard is net), overrun_s, net (bool), is_open (bool: something can still be done).
        A row without a target of its own, or that no standard is for, has no clock. ``attrs["left_out"]`` says which
        standards could not be measured and why.

    Raises
    ------
    CatalogueError
        When a standard is unknown, or one that was named lacks a column of `by` or `where`.
    """
    by = [by] if isinstance(by, str) else list(by)
    first, last = span(start, end, lake.month_start)
    book = rulebook(lake)
    chosen = [rule for rule in book.choose(standards) if not rule.of]
    selection = Selection(tuple(by), dict(where or {}), first, last)
    parts, left_out = [], {}
    con = lake.connection()
    try:
        now = instant(con, lake, at)
        rules = selected(con, lake, chosen, selection, left_out, named=standards is not None)
        for batch in run_clocks(con, lake, book, rules, selection, now):
            parts.append(_frame(con, batch, by))
    finally:
        con.close()
    names = ["standard", "table", "id", "round", "team", *(name for name in by if name != "team")]
    names += ["start", "due", "stop", "state", "elapsed_s", "paused_s", "overrun_s", "net", "is_open"]
    frame = pd.concat(parts, ignore_index=True)[names] if parts else pd.DataFrame(columns=names)
    order = {rule.id: i for i, rule in enumerate(chosen)}
    frame = frame.sort_values(
        ["standard", "start", "id", "round"], key=lambda c: c.map(order) if c.name == "standard" else c
    )
    frame = frame.reset_index(drop=True)
    frame.attrs["left_out"] = left_out
    return frame


def data_stop(lake: Lake) -> datetime | None:
    """Return when the data stop: the latest time at which anything happened, not in the future; None without rows."""
    con = lake.connection()
    try:
        return _stop(con, lake)
    finally:
        con.close()


def selected(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    rules: Sequence[Standard],
    selection: Selection,
    left_out: dict[str, str],
    *,
    named: bool,
) -> list[Standard]:
    """Return the rules that can be measured; put the others into `left_out`, or raise when they were named."""
    kept = []
    for rule in rules:
        reason = missing_data(con, lake, rule, selection)
        if reason and named and not reason.startswith("no rows"):
            raise CatalogueError(f"{rule.id} {reason}", where="by, where", fix="leave the standard or the column out")
        if reason:
            left_out[rule.id] = reason
        else:
            kept.append(rule)
    return kept


def run_clocks(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    book: Rulebook,
    rules: Sequence[Standard],
    selection: Selection,
    now: datetime | None,
) -> Iterator[Batch]:
    """Evaluate the clocks of `rules`, topic by topic; the temp table ``_clock`` belongs to the batch last yielded."""
    wanted = {rule.id for rule in rules}
    ends = clock_calendars(lake)
    topics = [rules for rules in book.topics.values() if wanted & {rule.id for rule in rules}]
    prepare_cases(con, lake, topics, selection)
    for competing in topics:
        found = find_clocks(con, lake, competing, selection)
        batch = evaluate_clocks(con, found, ends, _us(now or datetime.now(UTC)))
        keep = np.isin(batch.rule, [i for i, rule in enumerate(found) if rule.id in wanted])
        keep &= _inside(batch, selection, lake.timezone)
        yield batch[keep]


def evaluate_clocks(
    con: duckdb.DuckDBPyConnection, rules: Sequence[Standard], ends: Mapping[str, Calendar], now: int
) -> Batch:
    """Evaluate the clocks in the temp table ``_clock`` as of `now` (microseconds UTC)."""
    columns = ("start_us", "stop_us", "due_us", "end_us")
    listed = ", ".join(f"coalesce({name}, {_NONE}) as {name}" for name in columns)
    found = con.execute(f"select cast(rule as bigint) as rule, {listed} from _clock order by rid").fetchnumpy()
    rule = np.asarray(found["rule"], np.int64)
    start, stop, due, end = (np.asarray(found[name], np.int64) for name in columns)
    # What lies after "now" hasn't happened yet.
    stop, end = np.where(stop > now, _NONE, stop), np.where(end > now, _NONE, end)
    known = start <= now
    waits = _waits(con, rules, now)
    n = len(start)
    out = {name: np.zeros(n, np.int64) for name in ("elapsed", "paused", "overrun")}
    provisional, due = np.zeros(n, bool), due.copy()
    reference = np.where(stop != _NONE, stop, np.where(end != _NONE, end, now))
    for i, each in enumerate(rules):
        rows = np.flatnonzero((rule == i) & known)
        if not len(rows):
            continue
        calendar = ends[each.calendar]
        result = _timed(each, calendar, start[rows], due[rows], np.maximum(reference[rows], start[rows]), waits, rows)
        due[rows], out["elapsed"][rows], out["paused"][rows], out["overrun"][rows] = result
        provisional[rows] = _provisional(calendar, due[rows])
    known &= due != _NONE
    late = np.where(stop != _NONE, stop > due, reference > due)
    state = np.select([late, stop != _NONE, end != _NONE], [1, 0, 3], 2).astype(np.int8)
    overrun = np.where(late, np.maximum(out["overrun"], 1), 0)
    batch = Batch(
        tuple(rules),
        *(rule, np.arange(n), start, due, stop, state),
        *(out["elapsed"], out["paused"], overrun, provisional),
    )[known]
    return _worst(con, batch) if rules[0].repeat else batch


def _timed(
    rule: Standard,
    calendar: Calendar,
    start: np.ndarray,
    due: np.ndarray,
    reference: np.ndarray,
    waits: tuple[np.ndarray, np.ndarray, np.ndarray],
    rows: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return due, elapsed, paused and overrun seconds of one rule's clocks, with `reference` as their end so far."""
    begun, ended = calendar.open_us(start), calendar.open_us(reference)
    paused, paused_after = np.zeros_like(begun), np.zeros_like(begun)
    limit = rule.span() if rule.limit else None
    if limit is None:
        pass
    elif limit.kind == "seconds":
        reading = begun + limit.n * _SECOND
        for clock, waits_from, waits_to in _by_rank(rows, waits):
            inside_from = np.maximum(calendar.open_us(np.maximum(waits_from, start[clock])), begun[clock])
            inside_to = np.maximum(calendar.open_us(np.maximum(waits_to, start[clock])), inside_from)
            # A wait that begins after the limit has passed puts nothing off.
            before = inside_from < reading[clock]
            reading[clock] += np.where(before, inside_to - inside_from, 0)
            taken = np.maximum(np.minimum(inside_to, ended[clock]) - inside_from, 0)
            paused[clock] += taken
            paused_after[clock] += np.where(before, 0, taken)
        due = np.maximum(calendar.instant_us(reading), start)
    elif limit.kind == "working_days":
        due = calendar.due(start.view("datetime64[us]"), working_days=limit.n).astype(np.int64)
    else:
        due = calendar.due(start.view("datetime64[us]"), months=limit.n).astype(np.int64)
    target = np.where(due == _NONE, reference, due)
    # A part of a second past the limit is late too, so seconds are rounded up.
    overrun = -((calendar.open_us(target) - ended + paused_after) // _SECOND)
    return due, (ended - begun - paused) // _SECOND, paused // _SECOND, np.maximum(overrun, 0)


def _by_rank(
    rows: np.ndarray, waits: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Yield the first wait of every clock that has one, then the second, …: positions in `rows`, from, to."""
    rid, waits_from, waits_to = waits
    position = np.searchsorted(rows, rid)
    ours = (position < len(rows)) & (rows[np.minimum(position, len(rows) - 1)] == rid)
    position, waits_from, waits_to = position[ours], waits_from[ours], waits_to[ours]
    if not len(position):
        return
    first = np.searchsorted(position, position, "left")
    rank = np.arange(len(position)) - first
    for k in range(rank.max() + 1):
        chosen = rank == k
        yield position[chosen], waits_from[chosen], waits_to[chosen]


def _waits(
    con: duckdb.DuckDBPyConnection, rules: Sequence[Standard], now: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not rules[0].pauses:
        return (np.zeros(0, np.int64),) * 3
    query = (
        f"select c.rid, epoch_us(w.starts_at) as a, coalesce(epoch_us(w.ends_at), {now}) as b "
        f"from ({pauses(rules[0].pauses)}) w join _clock c on c.id = w.case_id order by 1, 2, 3"
    )
    found = con.execute(query).fetchnumpy()
    rid, a, b = (np.asarray(found[name], np.int64) for name in ("rid", "a", "b"))
    a, b = np.minimum(a, now), np.minimum(b, now)
    return rid, a, b


def _worst(con: duckdb.DuckDBPyConnection, batch: Batch) -> Batch:
    """Keep one gap of each repeated clock: the longest overrun, or the last gap when none is late."""
    ids = con.execute("select dense_rank() over (order by id) - 1 as i from _clock order by rid").fetchnumpy()["i"]
    case = np.asarray(ids, np.int64)[batch.rid]
    order = np.lexsort((batch.start, batch.overrun_s, case))
    last = np.flatnonzero(np.append(case[order][1:] != case[order][:-1], True)) if len(order) else order
    return batch[np.sort(order[last])]


def _inside(batch: Batch, selection: Selection, zone: str) -> np.ndarray:
    """Tell which clocks belong to the days asked for and start while their rule is valid."""
    from svcanalytics.periods.grid import local_days

    inside = np.ones(len(batch.start), bool)
    started = local_days(batch.start, zone)
    for i, rule in enumerate(batch.rules):
        if rule.valid_from:
            inside &= (batch.rule != i) | (started >= np.datetime64(rule.valid_from))
        if rule.valid_to:
            inside &= (batch.rule != i) | (started <= np.datetime64(rule.valid_to))
    days = started if batch.rules[0].at == "start" else local_days(batch.due, zone)
    if selection.first is not None:
        inside &= days >= np.datetime64(selection.first)
    if selection.last is not None:
        inside &= days <= np.datetime64(selection.last)
    return inside


def _provisional(calendar: Calendar, due: np.ndarray) -> np.ndarray:
    years = due.view("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    found = [year for year in np.unique(years[due != _NONE]) if calendar.is_provisional(int(year))]
    return np.isin(years, found)


def _frame(con: duckdb.DuckDBPyConnection, batch: Batch, by: Sequence[str]) -> pd.DataFrame:
    extra = "".join(f", _by{i} as {identifier(name)}" for i, name in enumerate(by) if name != "team")
    frame = con.execute(f"select id, round, team, is_open{extra} from _clock order by rid").df().iloc[batch.rid]
    frame = frame.reset_index(drop=True)
    rules = np.array([rule.id for rule in batch.rules], dtype=object)
    frame["standard"], frame["table"] = rules[batch.rule], batch.rules[0].table
    for name in ("start", "due", "stop"):
        frame[name] = pd.Series(getattr(batch, name).view("datetime64[us]")).dt.tz_localize("UTC")
    frame["state"] = np.array(STATES, dtype=object)[batch.state]
    frame["elapsed_s"], frame["paused_s"], frame["overrun_s"] = batch.elapsed_s, batch.paused_s, batch.overrun_s
    frame["net"] = np.array([bool(rule.pauses) for rule in batch.rules])[batch.rule]
    frame["is_open"] = frame["is_open"].astype(bool) & (batch.stop == _NONE)
    return frame


def instant(con: duckdb.DuckDBPyConnection, lake: Lake, at: datetime | None) -> datetime | None:
    """Return "now" in UTC: what is given (naive: local time of the lake), or when the data stop."""
    if at is None:
        return _stop(con, lake)
    moment = pd.Timestamp(at)
    return (moment.tz_localize(lake.timezone) if moment.tzinfo is None else moment).tz_convert("UTC").to_pydatetime()


def _stop(con: duckdb.DuckDBPyConnection, lake: Lake) -> datetime | None:
    now = _us(datetime.now(UTC))
    parts = [
        f"select max(t) as t from (select epoch_us({identifier(column)}) as t from {table}) where t <= {now}"
        for table, columns in _HAPPENED.items()
        if lake.has(table)
        for column in columns
    ]
    if not parts:
        return None
    (found,) = con.execute(f"select max(t) from ({' union all '.join(parts)})").fetchone()
    return None if found is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found)


def _us(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
