"""Two periods held against each other, place by place, with errors that know of bad days and bad weeks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.steps.habits import FEWEST

__all__ = ["Differences", "Periods", "law_of_largest"]

_DRAWS = 999
_RAREST = 20  # cases that must differ from the others of their place
_SHORTEST = 3  # weeks that a change has lasted
_TAIL = 5  # with fewer draws beyond a value the law speaks, not the count


@dataclass(frozen=True, eq=False)
class Differences:
    """A score's differences in some places: what it is from a week of the later period on, less what it was before.

    Attributes
    ----------
    place : numpy.ndarray of int64, shape ``(k,)``
    z : numpy.ndarray of float64, shape ``(k,)``
        Difference of the means over its error, at the week where that is largest.
    mass : numpy.ndarray of float64, shape ``(k,)``
        This difference times the cases from then on.
    parts : numpy.ndarray of float64, shape ``(k, cuts, weeks)``
        What each week brings into the difference at each cut; their squares add up to 1.
    since : numpy.ndarray of datetime64[D], shape ``(k,)``
        The day from which on the score most likely is another.
    """

    place: NDArray[np.int64]
    z: NDArray[np.float64]
    mass: NDArray[np.float64]
    parts: NDArray[np.float64]
    since: NDArray[np.datetime64]


class Periods:
    """Days and weeks of the cases of two periods.

    Parameters
    ----------
    day : numpy.ndarray of datetime64[D], shape ``(cases,)``
        On which each case began.
    now : numpy.ndarray of bool, shape ``(cases,)``
    """

    def __init__(self, day: NDArray[np.datetime64], now: NDArray[np.bool_]) -> None:
        self.now = now
        # A day of both periods is two.
        key, self._day = np.unique(day.astype(np.int64) * 2 + now, return_inverse=True)
        order = np.lexsort((key // 2, key % 2))
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        self._day, key = rank[self._day], key[order]
        self._dates = (key // 2).astype("datetime64[D]")
        self._later = key % 2 == 1
        week = (key // 2 + 3) // 7 * 2 + self._later
        self._weeks = np.flatnonzero(np.r_[True, week[1:] != week[:-1]])
        # Weeks of the later period with which something may have begun.
        cuts = np.flatnonzero(self._later[self._weeks])
        self._cuts = cuts[: max(len(cuts) - _SHORTEST + 1, 1)]

    def compare(
        self, case: NDArray[np.int64], score: NDArray[np.float64], unusual: NDArray[np.bool_], place: NDArray[np.int64]
    ) -> Differences:
        """Compare a score between the periods in each place.

        Parameters
        ----------
        case : numpy.ndarray of int64, shape ``(m,)``
        score : numpy.ndarray of float64, shape ``(m,)``
        unusual : numpy.ndarray of bool, shape ``(m,)``
            Whether a case differs from what most do.
        place : numpy.ndarray of int64, shape ``(m,)``
            Code of the place of each case, from 0.

        Returns
        -------
        Differences
            Of the places that have enough cases.
        """
        size, days = int(place.max(initial=0)) + 1, len(self._dates)
        cell = place * days + self._day[case]
        count = np.bincount(cell, minlength=size * days).reshape(size, days).astype("float64")
        total = np.bincount(cell, score, minlength=size * days).reshape(size, days)
        odd = np.bincount(place, unusual, minlength=size)
        n = np.stack([count[:, ~self._later].sum(axis=1), count[:, self._later].sum(axis=1)])
        even = n.sum(axis=0) - odd
        continuous = even <= 0.05 * n.sum(axis=0)  # hardly two cases alike
        enough = (n.min(axis=0) >= FEWEST) & (odd >= _RAREST) & (continuous | (even >= _RAREST))
        kept = np.flatnonzero(enough)
        count, total = count[kept], total[kept]
        if not len(kept):
            nothing = np.zeros(0)
            return Differences(kept, nothing, nothing, np.zeros((0, 0, len(self._weeks))), self._dates[kept])
        by_week = [np.add.reduceat(each, self._weeks, axis=1) for each in (count, total)]
        cuts = self._cuts
        gap, error = _cut(*by_week, cuts)
        _, error_by_day = _cut(count, total, self._weeks[cuts])
        z = gap / np.maximum(np.maximum(error, error_by_day), 1e-12)
        best = np.argmax(np.abs(z), axis=1)
        rows = np.arange(len(kept))
        after = np.cumsum(by_week[0][:, ::-1], axis=1)[:, ::-1][:, cuts]
        return Differences(
            kept, z[rows, best], (gap * after)[rows, best], _parts(*by_week, cuts), self._onset(count, total)
        )

    def _onset(self, count: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.datetime64]:
        # Where to cut the days in two so that their means differ most for sure.
        n, summed = np.cumsum(count, axis=1)[:, :-1], np.cumsum(total, axis=1)[:, :-1]
        every, whole = count.sum(axis=1, keepdims=True), total.sum(axis=1, keepdims=True)
        rest = every - n
        gain = np.where((n > 0) & (rest > 0), (summed - whole * n / every) ** 2 * every, 0)
        gain /= np.maximum(n * rest, 1)
        return self._dates[np.argmax(gain, axis=1) + 1] if gain.size else self._dates[np.zeros(len(count), int)]


def law_of_largest(parts: Sequence[NDArray[np.float64]], seed: int) -> Callable[[float], float]:
    """Return the function that gives the probability of a largest of all |z| beyond a value when nothing changed.

    The weeks' parts are multiplied by normal draws, the same for all differences (wild cluster bootstrap; Cameron,
    Gelbach and Miller 2008), and the largest of each draw is taken (Westfall and Young 1993). Few weeks make
    errors uncertain, so a value is read as Student's before it is held against the draws; beyond them a Gumbel law
    fitted to them goes on.

    Parameters
    ----------
    parts : sequence of numpy.ndarray of float64, shape ``(places, cuts, weeks)``
        Of `Differences`, all that was looked at.
    seed : int
    """
    from scipy.stats import norm, t

    weeks = parts[0].shape[-1] if parts else 0
    draws = np.random.default_rng(seed).standard_normal((_DRAWS, weeks))
    largest = np.zeros(_DRAWS)
    for each in parts:
        largest = np.maximum(largest, np.abs(draws @ each.reshape(-1, weeks).T).max(axis=1, initial=0))
    largest.sort()
    width = max(float(largest.std(ddof=1)) * np.sqrt(6) / np.pi, 1e-9)
    centre = float(largest.mean()) - np.euler_gamma * width
    freedom = max(weeks - 2, 1)

    def probability(z: float) -> float:
        value = float(norm.isf(max(t.sf(abs(z), freedom), 1e-300)))
        beyond = _DRAWS - int(np.searchsorted(largest, value))
        counted = (1 + beyond) / (1 + _DRAWS)
        tail = float(-np.expm1(-np.exp(-np.clip((value - centre) / width, -50, 700))))
        return counted if beyond > _TAIL else min(tail, counted)

    return probability


def _cut(
    count: NDArray[np.float64], total: NDArray[np.float64], cuts: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the difference of the means from and before each cut, and its error with clusters drawn as one."""
    pieces = [np.cumsum(each, axis=1) for each in (count, total, total**2, total * count, count**2)]
    before = [each[:, cuts - 1] for each in pieces]
    after = [each[:, -1:] - each[:, cuts - 1] for each in pieces]
    with np.errstate(divide="ignore", invalid="ignore"):
        means = [side[1] / side[0] for side in (before, after)]
        squares = sum(
            side[2] - 2 * mean * side[3] + mean**2 * side[4] for side, mean in zip((before, after), means, strict=True)
        )
        clusters = (count > 0).sum(axis=1, keepdims=True)
        spread = squares / pieces[0][:, -1:] * clusters / np.maximum(clusters - 2, 1)
        error = np.sqrt(np.maximum(spread, 0) * (1 / before[0] + 1 / after[0]))
    enough = (before[0] >= FEWEST) & (after[0] >= FEWEST)
    return np.where(enough, means[1] - means[0], 0.0), np.where(enough, error, np.inf)


def _parts(count: NDArray[np.float64], total: NDArray[np.float64], cuts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return what each week brings into the difference at each cut, shape ``(places, cuts, weeks)``."""
    later = np.arange(count.shape[1]) >= cuts[:, None]
    n = np.stack([count @ ~later.T, count @ later.T])
    mean = np.stack([total @ ~later.T, total @ later.T]) / np.maximum(n, 1)
    own = np.where(later, mean[1][:, :, None], mean[0][:, :, None])
    size = np.where(later, n[1][:, :, None], -n[0][:, :, None])
    parts = (total[:, None, :] - own * count[:, None, :]) / np.where(size == 0, np.inf, size)
    parts[(n.min(axis=0) < FEWEST)] = 0
    return parts / np.maximum(np.sqrt((parts**2).sum(axis=2, keepdims=True)), 1e-12)
