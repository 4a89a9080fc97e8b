"""Waiting before each step, split by what the one who did it was doing meanwhile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.steps.batching import find_batches
from svcanalytics.causes.steps.dominance import sum_up_to
from svcanalytics.causes.steps.log import NONE, StepLog
from svcanalytics.causes.steps.opening import Opening

__all__ = ["PARTS", "count_waiting", "split_waiting"]

PARTS = ("batching", "prioritisation", "contention", "unavailability", "extraneous", "unsplit")
"""The parts of waiting, in the order in which they are told."""

_NEVER = np.iinfo(np.int64).max


def split_waiting(log: StepLog, opening: Opening) -> pd.DataFrame:
    """Split the waiting before each step (Lashkevich, Milani, Chapela-Campa, Suvorau and Dumas 2022).

    Time between the end of the step before and the begin of this one is, in this order: *batching*, until the last case
    of the batch it is done in was ready; *contention*, while the agent worked on cases that were ready no later than
    this one; *prioritisation*, while on cases that were ready later; *unavailability*, while off duty; *extraneous*,
    all else, and all waiting for the customer or a supplier. What can't be told for want of an agent, or of times at
    which work began, is *unsplit*.

    Within the run of its batch only the batch counts as what the agent did.

    Parameters
    ----------
    log : StepLog
    opening : Opening

    Returns
    -------
    pandas.DataFrame
        In the order of the log: wait_s, open_wait_s (of it on the working calendar), outside_s (of it for customer or
        supplier), and ``<part>_s`` for each of `PARTS`, which add up to wait_s. Whole seconds.
    """
    ready, start = log.enabled, log.start
    batch = find_batches(log)
    batched = _over_batches(batch, ready, np.maximum)
    begun = np.where(batch == NONE, start, _over_batches(batch, start, np.minimum))
    parts = dict.fromkeys(PARTS, np.zeros(len(start), dtype=np.int64))
    inside = (log.before != NONE) & ~log.outside
    split = inside & (log.agent != NONE) & (start > ready)
    at = np.flatnonzero(split)
    from_, run = batched[at], begun[at]
    parts["batching"] = _put(at, from_ - ready[at], len(start))
    calendar, agent = opening.of_step[at], log.agent[at]
    taken = _stretches(log.agent, log, ready, opening)
    busy, off_busy = taken.measure(agent, from_, run, np.full(len(at), _NEVER), calendar, opening)
    contention, _ = taken.measure(agent, from_, run, from_, calendar, opening)
    alone = batch[at] == NONE
    batches = _stretches(batch, log, ready, opening)
    own, _ = batches.measure(batch[at], run, np.where(alone, run, start[at]), ready[at], calendar, opening)
    off = (run - from_) - (opening.read(run, calendar) - opening.read(from_, calendar)) - off_busy
    rest = (run - from_) - busy - off
    contention, priority = contention + own, busy - contention + (start[at] - run - own)
    parts["contention"] = _put(at, contention, len(start))
    parts["prioritisation"] = _put(at, priority, len(start))
    parts["unavailability"] = _put(at, off, len(start))
    parts["extraneous" if log.timed else "unsplit"] = _put(at, rest, len(start))
    waits = count_waiting(log)
    parts["extraneous"] = parts["extraneous"] + waits["outside_s"]
    parts["unsplit"] = parts["unsplit"] + np.where(inside & (log.agent == NONE), waits["wait_s"], 0)
    open_wait = opening.read(start, opening.of_step) - opening.read(ready, opening.of_step)
    waits.insert(1, "open_wait_s", np.where(log.before != NONE, open_wait, 0))
    return waits.assign(**{f"{name}_s": parts[name] for name in PARTS})


def count_waiting(log: StepLog) -> pd.DataFrame:
    """Return the waiting before each step: wait_s, and outside_s (of it for the customer or a supplier)."""
    wait = np.where(log.before != NONE, log.start - log.enabled, 0)
    return pd.DataFrame({"wait_s": wait, "outside_s": np.where(log.outside, wait, 0)})


@dataclass(frozen=True, eq=False)
class _Stretches:
    """Time of each group cut wherever a step begins or ends; for each piece the first-ready of the steps in work."""

    key: NDArray[np.int64]
    time: NDArray[np.int64]
    first_ready: NDArray[np.int64]
    busy: NDArray[np.int64]  # place of each piece among those with work, as a running count
    off: NDArray[np.int64]  # off-duty seconds with work, as a running sum
    span: int
    low: int

    def measure(
        self, group: NDArray, start: NDArray, stop: NDArray, limit: NDArray, calendar: NDArray, opening: Opening
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return seconds of work from `start` to `stop` on steps ready up to `limit`, and of any work off duty."""
        if not len(self.key):
            return np.zeros(len(group), np.int64), np.zeros(len(group), np.int64)
        edges = []
        for times in (start, stop):
            place = np.searchsorted(self.key, group * self.span + (times - self.low), "right") - 1
            place = np.maximum(place, 0)
            part = np.where(self.first_ready[place] < _NEVER, times - self.time[place], 0)
            off = part - np.where(part > 0, opening.read(times, calendar) - opening.read(self.time[place], calendar), 0)
            counted = np.where(self.first_ready[place] <= limit, part, 0)
            edges.append((place, counted, self.off[place] + off))
        (low, before, off_before), (high, after, off_after) = edges
        length = np.diff(self.time, append=self.time[-1])
        working = self.first_ready < _NEVER
        whole = sum_up_to(self.first_ready[working], length[working], self.busy[low], self.busy[high], limit)
        return whole + after - before, off_after - off_before


def _stretches(group: NDArray, log: StepLog, ready: NDArray, opening: Opening) -> _Stretches:
    chosen = np.flatnonzero((group != NONE) & (log.end > log.start))
    group, start, stop = group[chosen], log.start[chosen], log.end[chosen]
    low = int(min(log.start.min(), ready.min()))
    span = int(log.end.max()) - low + 2
    keys = np.concatenate([group * span + (start - low), group * span + (stop - low)])
    key, place = np.unique(keys, return_inverse=True)
    calendar = np.zeros(len(key), dtype=np.int64)
    calendar[place] = np.tile(opening.of_step[chosen], 2)
    time = key % span + low
    first = _lowest_over(place[: len(group)], place[len(group) :], ready[chosen], len(key))
    working = first < _NEVER
    following = np.minimum(np.arange(len(key)) + 1, len(key) - 1)
    spent = opening.read(time[following], calendar) - opening.read(time, calendar)
    off = np.where(working, time[following] - time - spent, 0)
    return _Stretches(key, time, first, np.cumsum(working) - working, np.cumsum(off) - off, span, low)


def _lowest_over(start: NDArray, stop: NDArray, value: NDArray, pieces: int) -> NDArray[np.int64]:
    """Return for each piece the lowest value of the intervals ``[start, stop)`` that hold it.

    Each interval is laid over with two powers of two, from the largest down, each level passing its minima to halves.
    """
    if not len(start):
        return np.full(pieces, _NEVER)
    level = np.frexp((stop - start).astype("float64"))[1] - 1
    lowest = np.full(pieces, _NEVER)
    for size in range(int(level.max()), -1, -1):
        if size < level.max():  # hand down from the level above
            half = 1 << size
            handed = lowest.copy()
            handed[half:] = np.minimum(handed[half:], lowest[:-half] if half else lowest)
            lowest = handed
        here = np.flatnonzero(level == size)
        np.minimum.at(lowest, start[here], value[here])
        np.minimum.at(lowest, stop[here] - (1 << size), value[here])
    return lowest


def _over_batches(batch: NDArray, values: NDArray, pick: np.ufunc) -> NDArray[np.int64]:
    out = values.copy()
    inside = np.flatnonzero(batch != NONE)
    if len(inside):
        best = np.full(batch.max() + 1, 0 if pick is np.maximum else _NEVER)
        pick.at(best, batch[inside], values[inside])
        out[inside] = best[batch[inside]]
    return out


def _put(at: NDArray, values: NDArray, size: int) -> NDArray[np.int64]:
    out = np.zeros(size, dtype=np.int64)
    out[at] = values
    return out
