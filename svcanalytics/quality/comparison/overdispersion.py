"""How much more units differ than chance alone would make them: a ratio, or a variance between units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["between_variance", "dispersion_over_time", "dispersion_ratio", "truncate", "winsorise"]

_PRIOR_FREEDOM = 4.0
"""Degrees of freedom that what is usual at a unit's size counts beside the unit's own course."""


def winsorise(z: ArrayLike, share: float = 0.1) -> NDArray[np.float64]:
    """Pull the outermost scores in to the quantiles `share` and 1 - `share`, so that outliers don't hide themselves.

    Parameters
    ----------
    z : array_like, shape (units,)
        Standardised scores.
    share : float
        Share pulled in at each end, 0 to below 0.5 (Spiegelhalter 2005 takes 0.1).
    """
    scores = np.asarray(z, dtype="float64")
    low, high = np.quantile(scores, [share, 1 - share])
    return scores.clip(low, high)


def truncate(z: ArrayLike, share: float = 0.1) -> NDArray[np.bool_]:
    """Tell which scores lie in the middle 1 - 2 `share`, as the NHS Summary Hospital-level Mortality Indicator does."""
    scores = np.asarray(z, dtype="float64")
    low, high = np.quantile(scores, [share, 1 - share])
    return (scores > low) & (scores < high)


def dispersion_ratio(z: ArrayLike) -> float:
    """Return the mean square of standardised scores: 1 when units differ by chance alone (Spiegelhalter 2005)."""
    return float(np.mean(np.square(np.asarray(z, dtype="float64"))))


def between_variance(z: ArrayLike, errors: ArrayLike) -> float:
    """Return the variance between units, by the moments of DerSimonian and Laird (1986); 0 when chance explains all.

    Parameters
    ----------
    z : array_like, shape (units,)
        (value - centre) / error, winsorised or not.
    errors : array_like, shape (units,)
        Standard error of each value, above 0.

    Returns
    -------
    float
        On the squared scale of `errors`: (sum z^2 - (k - 1)) / (sum w - sum w^2 / sum w) with w = 1 / error^2.
    """
    scores, weight = np.asarray(z, dtype="float64"), 1 / np.square(np.asarray(errors, dtype="float64"))
    room = weight.sum() - np.square(weight).sum() / weight.sum()
    return float(max(0.0, (np.square(scores).sum() - (len(scores) - 1)) / room)) if room > 0 else 0.0


def dispersion_over_time(observed: ArrayLike, expected: ArrayLike, trials: ArrayLike) -> NDArray[np.float64]:
    """Return how much larger the variance of each unit's rate is than the binomial, from its course over periods.

    A unit's own ratio is the mean square of its standardised residuals around its own level, of at least 3 periods. It
    is steadied by what is usual: 1 + cases per period x the variance of true rates from period to period (the median of
    all units), which counts as 4 further degrees of freedom. Never below 1. Periods are taken as independent.

    Parameters
    ----------
    observed, expected, trials : array_like, shape (units, periods)
        Hits, hits expected at the unit's own level, and cases (0 where a unit was not there).

    Returns
    -------
    numpy.ndarray, shape (units,)
        1 for all where no unit has 3 periods.
    """
    o, e, n = (np.asarray(part, dtype="float64") for part in (observed, expected, trials))
    with np.errstate(divide="ignore", invalid="ignore"):
        binomial = np.where(n > 0, e * (1 - e / n), 0.0)
        squares = np.where(binomial > 0, (o - e) ** 2 / binomial, 0.0)
    there = (binomial > 0).sum(axis=1)
    freedom = np.where(there >= 3, there - 1, 0)
    if not freedom.any():
        return np.ones(len(o))
    with np.errstate(divide="ignore", invalid="ignore"):
        own = np.where(freedom > 0, squares.sum(axis=1) / freedom, 1.0)
        size = np.where(there > 0, n.sum(axis=1) / there, 0.0)
        moved = float(np.median(((own - 1) / size)[freedom > 0]))
    usual = 1 + max(moved, 0.0) * size
    return np.maximum((freedom * own + _PRIOR_FREEDOM * usual) / (freedom + _PRIOR_FREEDOM), 1.0)
