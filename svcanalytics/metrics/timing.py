"""Clocks timed by numpy: due, on time or late, paused, past the limit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from svcanalytics.metrics.rules import Standard
from svcanalytics.metrics.views import pauses
from svcanalytics.periods import Calendar

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store import Lake

__all__ = ["NONE", "STATES", "Batch", "evaluate_clocks"]

STATES = ("on_time", "late", "running", "dropped")
"""Stopped within the limit; past its limit, stopped or not; running within its limit; pointless before its limit."""

NONE = np.iinfo(np.int64).min
"""A time that is missing."""

_SECOND = 1_000_000


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
        Whole seconds of the clock's calendar: run so far or until it stopped, net of pauses; paused; run past the
        limit, at least 1 when late. What was over without having stopped ran until then; 0 when that isn't known.
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


def evaluate_clocks(
    con: duckdb.DuckDBPyConnection, lake: Lake, rules: Sequence[Standard], ends: Mapping[str, Calendar], now: int
) -> Batch:
    """Evaluate the clocks in the temp table ``_clock`` as of `now` (microseconds UTC)."""
    columns = ("start_us", "stop_us", "due_us", "end_us", "over_us")
    listed = ", ".join(f"coalesce({name}, {NONE}) as {name}" for name in columns)
    found = con.execute(f"select cast(rule as bigint) as rule, is_open, {listed} from _clock order by rid").fetchnumpy()
    rule = np.asarray(found["rule"], np.int64)
    start, stop, due, end, over = (np.asarray(found[name], np.int64) for name in columns)
    # What lies after "now" hasn't happened yet.
    stop, end, over = (np.where(times > now, NONE, times) for times in (stop, end, over))
    known = start <= now
    waits = _waits(con, lake, rules, now)
    n = len(start)
    out = {name: np.zeros(n, np.int64) for name in ("elapsed", "paused", "overrun")}
    provisional, due = np.zeros(n, bool), due.copy()
    reference = np.where(stop != NONE, stop, np.where(end != NONE, end, now))
    # What is over without having stopped ran until it was over; when that was may not be known.
    is_open = np.asarray(found["is_open"], bool)
    ended = np.where(
        (stop == NONE) & (end == NONE), np.where(over != NONE, over, np.where(is_open, now, NONE)), reference
    )
    for i, each in enumerate(rules):
        rows = np.flatnonzero((rule == i) & known)
        if not len(rows):
            continue
        calendar = ends[each.calendar]
        result = _timed(each, calendar, start[rows], due[rows], np.maximum(ended[rows], start[rows]), waits, rows)
        due[rows], out["elapsed"][rows], out["paused"][rows], out["overrun"][rows] = result
        provisional[rows] = _provisional(calendar, due[rows])
    known &= due != NONE
    late = np.where(stop != NONE, stop > due, reference > due)
    state = np.select([late, stop != NONE, end != NONE], [1, 0, 3], 2).astype(np.int8)
    overrun = np.where(late & (ended > due), np.maximum(out["overrun"], 1), 0)
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
    target = np.where(due == NONE, reference, due)
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
    con: duckdb.DuckDBPyConnection, lake: Lake, rules: Sequence[Standard], now: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if not rules[0].pauses:
        return (np.zeros(0, np.int64),) * 3
    query = (
        f"select c.rid, epoch_us(w.starts_at) as a, coalesce(epoch_us(w.ends_at), {now}) as b "
        f"from {lake.keep(pauses(rules[0].pauses))} w join _clock c on c.id = w.case_id order by 1, 2, 3"
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


def _provisional(calendar: Calendar, due: np.ndarray) -> np.ndarray:
    years = due.view("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    found = [year for year in np.unique(years[due != NONE]) if calendar.is_provisional(int(year))]
    return np.isin(years, found)
