"""Drawing counts around a mean: a busyness that each whole day shares, and chance on top."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["busyness_cv", "draw_busy_days", "draw_counts", "draw_joint_days"]

_LARGE = 30.0


def draw_counts(rate: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw Poisson counts; large ones by the rounded normal of the same mean and variance, which is much faster.

    NaN stays NaN.
    """
    rate = np.asarray(rate, float)
    counts = np.maximum(0.0, np.rint(rate + np.sqrt(rate) * rng.standard_normal(rate.shape)))
    small = rate < _LARGE
    if small.any():
        counts[small] = rng.poisson(rate[small])
    return counts


def draw_busy_days(mean: NDArray[np.float64], cv: float, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw courses of days whose busyness is gamma with mean 1 and coefficient of variation `cv`.

    Parameters
    ----------
    mean : numpy.ndarray, shape ``(D, S)``
        NaN where closed.

    Returns
    -------
    numpy.ndarray, shape ``(n, D, S)``
    """
    busy = np.ones((n, len(mean), 1))
    if cv > 0:
        busy = rng.gamma(cv**-2, cv**2, busy.shape)
    return draw_counts(busy * mean, rng)


def draw_joint_days(
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    opened: NDArray[np.bool_],
    n: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Draw courses of days that vary together, as far as they share a level.

    Parameters
    ----------
    mean : numpy.ndarray, shape ``(D, S)``
        NaN where closed.
    covariance : numpy.ndarray, shape ``(N, N)``
        Of the log totals of the `N` open days.
    opened : numpy.ndarray of bool, shape ``(D,)``
        Which days are open.

    Returns
    -------
    numpy.ndarray, shape ``(n, D, S)``
    """
    rate = np.repeat(mean[None], n, axis=0)
    busy = rng.standard_normal((n, len(covariance))) @ np.linalg.cholesky(covariance).T
    rate[:, opened] *= np.exp(busy - 0.5 * np.diag(covariance))[:, :, None]
    return draw_counts(rate, rng)


def busyness_cv(totals: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Return the coefficient of variation of days' busyness: what totals vary beyond Poisson around what was expected.

    By moments: ``Var(total) = expected + cv**2 * expected**2`` (Jongbloed and Koole 2001, Appl. Stoch. Models Bus. Ind.
    17:307); each day weighs by the precision of its own estimate.
    """
    usable = expected > 0
    total, mean = totals[usable], expected[usable]
    if len(total) < 2:
        return 0.0
    beyond = ((total - mean) ** 2 - mean) / mean**2
    weight = 1.0 / (0.02 + 1.0 / mean) ** 2
    return float(np.sqrt(max(np.average(beyond, weights=weight), 0.0)))
