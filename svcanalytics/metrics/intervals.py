"""Intervals of rates, means, ratios, counts and quantiles from their sums. Everything is vectorised over groups.

Distributions come from `scipy.special`: importing `scipy.stats` alone takes half a second.
"""

from __future__ import annotations

from functools import lru_cache
from statistics import NormalDist

import numpy as np

__all__ = [
    "benjamini_hochberg",
    "mean_interval",
    "newcombe_interval",
    "poisson_interval",
    "quantile_ranks",
    "ratio_interval",
    "score_test",
    "sum_interval",
    "welch_test",
    "wilson_interval",
]


def wilson_interval(
    numerator: np.ndarray, denominator: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the score interval of a rate (Wilson 1927), without continuity correction.

    Parameters
    ----------
    numerator, denominator : array-like of int, shape (n,)
        Hits and rows; a denominator of 0 gives NaN.

    Returns
    -------
    low, high : ndarray of float, shape (n,)
        Within 0 and 1.
    """
    hits, n = np.asarray(numerator, float), np.asarray(denominator, float)
    z = _normal_quantile(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(n > 0, hits / n, np.nan)
        centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    # The formula gives exactly 0 and 1 at the ends, but not always in floating point.
    low = np.where(hits == 0, np.where(n > 0, 0.0, np.nan), centre - half)
    high = np.where((hits == n) & (n > 0), 1.0, centre + half)
    return low, high


def mean_interval(
    n: np.ndarray, total: np.ndarray, squares: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return Student's t interval of a mean, and the standard deviation, from n, the sum and the sum of squares.

    The sums are Python integers of any size, so that nothing is lost when squares of large values are subtracted.

    Returns
    -------
    low, high, std : ndarray of float, shape (n,)
        NaN where n < 2. `std` is the sample's, with n - 1.
    """
    from scipy import special

    counts = np.asarray(n, float)
    spread = np.array([_spread(int(k), int(s), int(q)) for k, s, q in zip(n, total, squares, strict=True)], dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.array([int(s) / int(k) if k else np.nan for k, s in zip(n, total, strict=True)])
        half = special.stdtrit(np.maximum(counts - 1, 1), 0.5 + level / 2) * spread / np.sqrt(counts)
    return mean - half, mean + half, spread


def ratio_interval(
    x: np.ndarray, y: np.ndarray, xx: np.ndarray, xy: np.ndarray, yy: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of a ratio of two sums by linearisation: the variance of sum(x - r y) over y squared.

    The number of rows is taken as random too (a compound Poisson count), so it also serves a numerator and a
    denominator that come from different rows, such as complaints and contacts (Cochran 1977, section 2.11).

    Parameters
    ----------
    x, y : array-like of int
        Sums of numerator and denominator per group.
    xx, xy, yy : array-like of int
        Sums of their squares and products over the rows.
    """
    x, y, xx, xy, yy = (np.asarray(part, float) for part in (x, y, xx, xy, yy))
    with np.errstate(divide="ignore", invalid="ignore"):
        r = x / y
        half = _normal_quantile(level) * np.sqrt(np.maximum(xx - 2 * r * xy + r * r * yy, 0)) / np.abs(y)
    return r - half, r + half


def poisson_interval(count: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the exact interval of a count's mean (Garwood 1936)."""
    from scipy import special

    k = np.asarray(count, float)
    tail = (1 - level) / 2
    low = np.where(k > 0, special.gammaincinv(np.maximum(k, 1), tail), 0.0)
    return low, special.gammaincinv(k + 1, 1 - tail)


def sum_interval(total: np.ndarray, squares: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of a sum over a random number of rows (compound Poisson: variance is the sum of squares)."""
    half = _normal_quantile(level) * np.sqrt(np.asarray(squares, float))
    return np.asarray(total, float) - half, np.asarray(total, float) + half


@lru_cache(maxsize=65_536)
def quantile_ranks(n: int, q: float, level: float = 0.95) -> tuple[int, int]:
    """Return the ranks (from 1) of the order statistics that enclose a quantile; 0 where n is too small for one.

    The number of values at or below the quantile is binomial(n, q), so the l-th smallest value lies at or below it
    unless fewer than l do (David and Nagaraja 2003, section 7.1). Each tail is at most (1 - level) / 2.
    """
    tail = (1 - level) / 2
    low, high = _binomial_quantile(tail, n, q), _binomial_quantile(1 - tail, n, q) + 1
    return low, high if high <= n else 0


def _binomial_quantile(p: float, n: int, q: float) -> int:
    """Return the least k with P(X <= k) >= p for X binomial(n, q)."""
    from scipy import special

    k = int(np.ceil(special.bdtrik(p, n, q)))
    return k - 1 if k > 0 and special.bdtr(k - 1, n, q) >= p else k


def _spread(n: int, total: int, squares: int) -> float:
    if n < 2:
        return float("nan")
    return (max(n * squares - total * total, 0) / (n * (n - 1))) ** 0.5


@lru_cache
def _normal_quantile(level: float) -> float:
    return NormalDist().inv_cdf(0.5 + level / 2)


def newcombe_interval(
    p1: np.ndarray, low1: np.ndarray, high1: np.ndarray, p2: np.ndarray, low2: np.ndarray, high2: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the interval of the difference p1 - p2 of two rates from their Wilson intervals (Newcombe 1998,
    method 10)."""
    difference = p1 - p2
    low = difference - np.sqrt((p1 - low1) ** 2 + (high2 - p2) ** 2)
    return low, difference + np.sqrt((high1 - p1) ** 2 + (p2 - low2) ** 2)


def score_test(x1: np.ndarray, n1: np.ndarray, x2: np.ndarray, n2: np.ndarray) -> np.ndarray:
    """Return the two-sided p-value of equal rates, by the score test with the pooled rate."""
    from scipy import special

    x1, n1, x2, n2 = (np.asarray(part, float) for part in (x1, n1, x2, n2))
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (x1 + x2) / (n1 + n2)
        z = (x1 / n1 - x2 / n2) / np.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n2))
    # All hits or none on both sides: no difference at all.
    z = np.where((pooled == 0) | (pooled == 1), 0.0, z)
    return 2 * special.ndtr(-np.abs(z))


def welch_test(
    mean1: np.ndarray, std1: np.ndarray, n1: np.ndarray, mean2: np.ndarray, std2: np.ndarray, n2: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the interval of the difference of two means and its two-sided p-value (Welch 1947)."""
    from scipy import special

    v1, v2 = np.asarray(std1, float) ** 2 / n1, np.asarray(std2, float) ** 2 / n2
    difference, variance = np.asarray(mean1, float) - mean2, v1 + v2
    with np.errstate(divide="ignore", invalid="ignore"):
        freedom = variance**2 / (v1**2 / (np.asarray(n1, float) - 1) + v2**2 / (np.asarray(n2, float) - 1))
        p_value = 2 * special.stdtr(freedom, -np.abs(difference) / np.sqrt(variance))
    p_value = np.where(variance == 0, np.where(difference == 0, 1.0, 0.0), p_value)
    half = np.where(variance == 0, 0.0, special.stdtrit(freedom, 0.975) * np.sqrt(variance))
    return difference - half, difference + half, p_value


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted for the number of tests (Benjamini and Hochberg 1995); NaN stays and isn't counted."""
    p = np.asarray(p_values, float)
    adjusted = np.full(p.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    if len(tested):
        order = tested[np.argsort(p[tested], kind="stable")]
        scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
        adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted
