"""Whether a unit differs from the other units together, and the correction for having asked of every unit."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.scaling import read_values

__all__ = ["holm", "likelihood_roots", "rates_against_rest", "read_counts", "values_against_rest"]

_EXACT_BELOW = 2000.0
"""Expected hits and misses in the unit above which the likelihood ratio is as good as the exact test."""


def read_counts(hits: ArrayLike, trials: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return hits and trials as floats.

    Raises
    ------
    CatalogueError
        Unless 0 <= hits <= trials and trials are above 0, unit by unit.
    """
    x, n = read_values(hits, "hits"), read_values(trials, "trials")
    if x.shape != n.shape or not ((n > 0) & (x >= 0) & (x <= n * (1 + 1e-9))).all():
        raise CatalogueError(
            "hits must lie between 0 and trials, and these above 0", where="hits, trials", fix="leave those units out"
        )
    return x, n


def rates_against_rest(hits: ArrayLike, trials: ArrayLike, dispersion: ArrayLike = 1.0) -> NDArray[np.float64]:
    """Return two-sided p-values of each unit's rate against that of the other units together.

    Whole counts without over-dispersion: Fisher's exact test, twice the smaller tail. Else the signed root of the
    likelihood ratio, with counts divided by the dispersion.

    Parameters
    ----------
    hits, trials : array_like, shape (units,)
        0 <= hits <= trials, trials above 0, two units or more.
    dispersion : array_like
        How much larger the variance is than the binomial; a number, or one per unit.
    """
    from scipy.special import ndtr

    x, n = np.asarray(hits, dtype="float64"), np.asarray(trials, dtype="float64")
    ratio = np.broadcast_to(np.asarray(dispersion, dtype="float64"), x.shape)
    rest_x, rest_n = x.sum() - x, n.sum() - n
    # The rest as so many independent cases: the variance of its sum is the sum of the units'.
    rest_ratio = ((ratio * n).sum() - ratio * n) / rest_n
    roots = likelihood_roots(x / ratio, n / ratio, rest_x / rest_ratio, rest_n / rest_ratio)
    p = 2 * ndtr(-np.abs(roots))
    pooled = x.sum() / n.sum()
    whole = (x == np.round(x)).all() and (n == np.round(n)).all()
    exact = whole & (ratio == 1) & (n * min(pooled, 1 - pooled) < _EXACT_BELOW)
    if exact.any():
        p[exact] = _fisher(x[exact], n[exact], x.sum(), n.sum())
    return p


def values_against_rest(values: ArrayLike, errors: ArrayLike, weights: ArrayLike) -> NDArray[np.float64]:
    """Return two-sided p-values of each unit's value against the weighted mean of the other units, by normal errors.

    Parameters
    ----------
    values, errors, weights : array_like, shape (units,)
        Independent estimates, their standard errors, and what each counts in a mean; two units or more.
    """
    from scipy.special import ndtr

    x, error, weight = (np.asarray(part, dtype="float64") for part in (values, errors, weights))
    rest = weight.sum() - weight
    mean = ((weight * x).sum() - weight * x) / rest
    variance = (((weight * error) ** 2).sum() - (weight * error) ** 2) / rest**2
    gap, spread = x - mean, np.sqrt(error**2 + np.maximum(variance, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(np.abs(gap) < 1e-12, 0.0, gap / spread)
    return 2 * ndtr(-np.abs(z))


def likelihood_roots(x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike) -> NDArray[np.float64]:
    """Return the signed root of the likelihood ratio of two rates, about standard normal where they are equal.

    It stays true where counts are small or rates near 0 or 1 (Barndorff-Nielsen and Cox 1994, section 3.2).

    Parameters
    ----------
    x1, n1, x2, n2 : array_like
        Hits and trials (above 0) of either side; they broadcast and need not be whole.

    Returns
    -------
    numpy.ndarray
        Positive where the first rate is higher.
    """
    from scipy.special import xlogy

    def fit(x: NDArray[np.float64], n: NDArray[np.float64], p: NDArray[np.float64]) -> NDArray[np.float64]:
        return xlogy(x, p) + xlogy(np.maximum(n - x, 0), 1 - p)

    a, m, b, n = (np.asarray(part, dtype="float64") for part in (x1, n1, x2, n2))
    rate1, rate2, pooled = (p.clip(0, 1) for p in (a / m, b / n, (a + b) / (m + n)))
    gain = fit(a, m, rate1) + fit(b, n, rate2) - fit(a, m, pooled) - fit(b, n, pooled)
    return np.sign(rate1 - rate2) * np.sqrt(2 * np.maximum(gain, 0.0))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Return p-values corrected so that the chance of even one false finding stays below the level (Holm 1979)."""
    p = np.asarray(p_values, dtype="float64")
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1.0)
    return corrected


def _fisher(x: NDArray[np.float64], n: NDArray[np.float64], hits: float, trials: float) -> NDArray[np.float64]:
    """Return two-sided p-values of Fisher's exact test; scipy's own sums cost ten times more."""
    from scipy.special import gammaln

    def log_choose(m: NDArray[np.float64] | float, k: NDArray[np.float64]) -> NDArray[np.float64]:
        return gammaln(m + 1) - gammaln(k + 1) - gammaln(m - k + 1)

    p = np.empty(len(x))
    for unit, (own, size) in enumerate(zip(x, n, strict=True)):
        count = np.arange(max(0.0, size + hits - trials), min(size, hits) + 1)
        weight = log_choose(hits, count) + log_choose(trials - hits, size - count)
        chance = np.exp(weight - weight.max())
        chance /= chance.sum()
        p[unit] = 2 * min(chance[count <= own].sum(), chance[count >= own].sum())
    return np.minimum(p, 1.0)
