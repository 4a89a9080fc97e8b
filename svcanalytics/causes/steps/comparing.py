"""Two periods held against each other, place by place, with errors that know of bad days and bad weeks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.steps.habits import FEWEST

__all__ = ["Differences", "Periods", "law_of_largest"]

_DRAWS = 999
_RAREST = 20  # cases that must differ from the others of their place
_TAIL = 5  # with fewer draws beyond a value the law speaks, not the count


@dataclass(frozen=True, eq=False)
class Differences:
    """A score's difference between the periods in some places.

    Attributes
    ----------
    place : numpy.ndarray of int64, shape ``(k,)``
    z : numpy.ndarray of float64, shape ``(k,)``
        Difference of the means (now less before) over its error.
    mass : numpy.ndarray of float64, shape ``(k,)``
        Difference of the means times the cases now.
    parts : numpy.ndarray of float64, shape ``(k, weeks)``
        What each week brings into the difference, over its error.
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
        count, total, n = count[kept], total[kept], n[:, kept]
        mean = np.stack([total[:, ~self._later].sum(axis=1), total[:, self._later].sum(axis=1)]) / n
        side = self._later.astype(int)
        parts = (total - mean[side].T * count) / n[side].T * np.where(self._later, 1.0, -1.0)
        weeks = np.add.reduceat(parts, self._weeks, axis=1) if len(kept) else np.zeros((0, len(self._weeks)))
        error = np.maximum(np.maximum(_error(parts), _error(weeks)), 1e-12)
        return Differences(
            kept, (mean[1] - mean[0]) / error, (mean[1] - mean[0]) * n[1], weeks / error[:, None],
            self._onset(count, total),
        )  # fmt: skip

    def _onset(self, count: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.datetime64]:
        # Where to cut the days in two so that their means differ most for sure.
        n, summed = np.cumsum(count, axis=1)[:, :-1], np.cumsum(total, axis=1)[:, :-1]
        every, whole = count.sum(axis=1, keepdims=True), total.sum(axis=1, keepdims=True)
        rest = every - n
        gain = np.where((n > 0) & (rest > 0), (summed - whole * n / every) ** 2 * every, 0)
        gain /= np.maximum(n * rest, 1)
        return self._dates[np.argmax(gain, axis=1) + 1] if gain.size else self._dates[np.zeros(len(count), int)]


def law_of_largest(parts: NDArray[np.float64], seed: int) -> Callable[[float], float]:
    """Return the function that gives the probability of a largest of all |z| beyond a value when nothing changed.

    The weeks' parts are given random signs, the same for all differences (wild cluster bootstrap; Cameron, Gelbach and
    Miller 2008), and the largest of each draw is taken (Westfall and Young 1993). Few weeks make errors uncertain, so a
    value is read as Student's before it is held against the draws; beyond them a Gumbel law fitted to them goes on.

    Parameters
    ----------
    parts : numpy.ndarray of float64, shape ``(differences, weeks)``
    seed : int
    """
    from scipy.stats import norm, t

    signs = np.random.default_rng(seed).choice((-1.0, 1.0), (_DRAWS, parts.shape[1]))
    largest = np.sort(np.abs(signs @ parts.T).max(axis=1))
    width = max(float(largest.std(ddof=1)) * np.sqrt(6) / np.pi, 1e-9)
    centre = float(largest.mean()) - np.euler_gamma * width
    freedom = max(parts.shape[1] - 2, 1)

    def probability(z: float) -> float:
        value = float(norm.isf(max(t.sf(abs(z), freedom), 1e-300)))
        beyond = _DRAWS - int(np.searchsorted(largest, value))
        counted = (1 + beyond) / (1 + _DRAWS)
        tail = float(-np.expm1(-np.exp(-np.clip((value - centre) / width, -50, 700))))
        return counted if beyond > _TAIL else min(tail, counted)

    return probability


def _error(parts: NDArray[np.float64]) -> NDArray[np.float64]:
    there = (parts != 0).sum(axis=1)
    return np.sqrt((parts**2).sum(axis=1) * there / np.maximum(there - 2, 1))
