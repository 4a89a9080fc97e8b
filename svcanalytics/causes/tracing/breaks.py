"""Breaks: the day on which a share became another, and the chance that it is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Breaks", "find_breaks"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Breaks:
    """The likeliest break of each series.

    Attributes
    ----------
    place : numpy.ndarray of int64, shape ``(series,)``
        First time of the new share.
    before, after : numpy.ndarray, shape ``(series,)``
        The share on either side.
    p_value : numpy.ndarray, shape ``(series,)``
        Of no break at any time.
    """

    place: NDArray[np.int64]
    before: Array
    after: Array
    p_value: Array


def find_breaks(hits: Array, total: Array, *, edge: int = 3) -> Breaks:
    """Find where shares break.

    Two shares, one up to a time and one from then on, are held against a single one by the likelihood ratio; the best
    of all times counts, so the p-value is multiplied by their number (Bonferroni). Days differ of themselves: the ratio
    is divided by the dispersion (Pearson's statistic over its freedom) left with the break, and held against F.

    Parameters
    ----------
    hits, total : numpy.ndarray, shape ``(times, series)``
        Of each time, how many have the property, and of how many.
    edge : int
        Times at either end that a break can't lie in.
    """
    from scipy.special import fdtrc, xlogy

    times, series = hits.shape
    if times < 2 * edge + 2:
        return Breaks(np.zeros(series, dtype=np.int64), np.zeros(series), np.zeros(series), np.ones(series))
    k, n = np.cumsum(hits, axis=0), np.cumsum(total, axis=0)

    def likelihood(count: Array, of: Array) -> Array:
        return xlogy(count, count / np.maximum(of, 1e-9)) + xlogy(of - count, 1 - count / np.maximum(of, 1e-9))

    left_k, left_n = k[edge - 1 : times - edge], n[edge - 1 : times - edge]
    gain = likelihood(left_k, left_n) + likelihood(k[-1] - left_k, n[-1] - left_n) - likelihood(k[-1], n[-1])
    best = gain.argmax(axis=0)
    at = np.arange(series)
    before = left_k[best, at] / np.maximum(left_n[best, at], 1e-9)
    after = (k[-1] - left_k[best, at]) / np.maximum(n[-1] - left_n[best, at], 1e-9)
    # Between two stretches nothing says when it broke: the later one is what is known to differ.
    there = np.where(total > 0, np.arange(times)[:, None], times - 1)
    place = np.minimum.accumulate(there[::-1], axis=0)[::-1][best + edge, at]
    fitted = np.where(np.arange(times)[:, None] < place, before, after)
    fitted = np.clip(fitted, 1e-4, 1 - 1e-4)
    pearson = ((hits - total * fitted) ** 2 / np.maximum(total * fitted * (1 - fitted), 1e-9)).sum(axis=0)
    dispersion = np.maximum(pearson / max(times - 2, 1), 1.0)
    p_value = fdtrc(1, times - 2, 2 * np.maximum(gain[best, at], 0) / dispersion)
    return Breaks(place, before, after, np.minimum(p_value * len(gain), 1.0))
