"""What agents had in hand at every moment: how much of a stretch of time was work on cases ready up to some time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.steps.dominance import sum_up_to
from svcanalytics.causes.steps.log import NONE, StepLog
from svcanalytics.causes.steps.opening import Opening

__all__ = ["Work", "work_of"]

_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class Work:
    """The time of each group (an agent, or a batch) cut wherever one of its steps begins or ends.

    Attributes
    ----------
    key : numpy.ndarray of int64, shape ``(pieces,)``
        Group and begin of each piece as one number, in order.
    time : numpy.ndarray of int64, shape ``(pieces,)``
        When it begins.
    first_ready : numpy.ndarray of int64, shape ``(pieces,)``
        When the first-ready of the steps in work became ready; the largest number where nothing is.
    place, busy, off : numpy.ndarray of int64, shape ``(pieces,)``
        Before each piece: how many pieces with work, how many seconds of work, how many of them off duty.
    span, low : int
        What `key` is made with.
    """

    key: NDArray[np.int64]
    time: NDArray[np.int64]
    first_ready: NDArray[np.int64]
    place: NDArray[np.int64]
    busy: NDArray[np.int64]
    off: NDArray[np.int64]
    span: int
    low: int

    def between(
        self, group: NDArray, start: NDArray, stop: NDArray, limit: NDArray, calendar: NDArray, opening: Opening
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Return seconds of work from `start` to `stop`: on steps ready up to `limit`, in all, and off duty.

        All arrays have the shape ``(m,)``; `calendar` is that of the group.
        """
        edges = [self._until(group, times, limit, calendar, opening) for times in (start, stop)]
        (low, *before), (high, *after) = edges
        working = self.first_ready < _NEVER
        length = np.diff(self.busy, append=self.busy[-1])[working]
        early = sum_up_to(self.first_ready[working], length, self.place[low], self.place[high], limit)
        found = [late - soon for soon, late in zip(before, after, strict=True)]
        return early + found[0], found[1], found[2]

    def _until(
        self, group: NDArray, times: NDArray, limit: NDArray, calendar: NDArray, opening: Opening
    ) -> tuple[NDArray[np.int64], ...]:
        # The piece that a time lies in, its part up to there where it counts, all work up to there, and the off-duty.
        piece = np.searchsorted(self.key, (group + 1) * self.span + (times - self.low), "right") - 1
        part = np.where(self.first_ready[piece] < _NEVER, times - self.time[piece], 0)
        spent = opening.read(times, calendar) - opening.read(self.time[piece], calendar)
        counted = np.where(self.first_ready[piece] <= limit, part, 0)
        return piece, counted, self.busy[piece] + part, self.off[piece] + np.where(part > 0, part - spent, 0)


def work_of(group: NDArray[np.int64], log: StepLog, opening: Opening) -> Work:
    """Return the work of groups of steps, such as the agents'.

    Parameters
    ----------
    group : numpy.ndarray of int64, shape ``(n,)``
        Of each step; `NONE` for none.
    log : StepLog
    opening : Opening
    """
    chosen = np.flatnonzero((group != NONE) & (log.end > log.start))
    group, start, stop, ready = group[chosen], log.start[chosen], log.end[chosen], log.enabled
    low = int(min(log.start.min(), ready.min()))
    span = int(log.end.max()) - low + 2
    # Groups begin with 1: the first piece comes before all of them, and nothing is in work in it.
    keys = np.concatenate([(group + 1) * span + (start - low), (group + 1) * span + (stop - low), [0]])
    key, place = np.unique(keys, return_inverse=True)
    calendar = np.zeros(len(key), dtype=np.int64)
    calendar[place[:-1]] = np.tile(opening.of_worker[chosen], 2)
    time = key % span + low
    first = _lowest_over(place[: len(group)], place[len(group) : -1], ready[chosen], len(key))
    working = first < _NEVER
    following = np.minimum(np.arange(len(key)) + 1, len(key) - 1)
    length = np.where(working, time[following] - time, 0)
    spent = opening.read(time[following], calendar) - opening.read(time, calendar)
    sums = [_running(each) for each in (working.astype(np.int64), length, np.where(working, length - spent, 0))]
    return Work(key, time, first, *sums, span, low)


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


def _running(values: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(values) - values
