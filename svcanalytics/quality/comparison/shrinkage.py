"""Estimates drawn towards the mean as far as chance accounts for their distance from it (empirical Bayes)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.comparison.overdispersion import between_variance
from svcanalytics.quality.comparison.significance import read_counts
from svcanalytics.quality.scaling import read_values

__all__ = ["Shrunk", "floor_errors", "shrink", "shrink_rates"]


@dataclass(frozen=True)
class Shrunk:
    """Shrunken estimates.

    Attributes
    ----------
    values, errors : numpy.ndarray, shape (units,)
        Posterior means and standard deviations.
    centre : float
        The mean they are drawn to.
    spread : float
        Standard deviation of the true values between units; 0 draws every unit to the centre.
    """

    values: NDArray[np.float64]
    errors: NDArray[np.float64]
    centre: float
    spread: float


def shrink(values: ArrayLike, errors: ArrayLike) -> Shrunk:
    """Shrink estimates whose errors are about normal (Efron and Morris 1973).

    The variance between units is that of DerSimonian and Laird, the centre the mean weighted by 1 / (error^2 + it).

    Parameters
    ----------
    values, errors : array_like, shape (units,)
        Estimates and standard errors. An error of 0 keeps its value.
    """
    value, error = read_values(values, "values"), read_values(errors, "errors")
    if value.shape != error.shape or np.isnan(value).any() or not (error >= 0).all():
        raise CatalogueError(
            "values and errors must be numbers, and no error negative", where="shrink", fix="leave those units out"
        )
    floored = floor_errors(error)
    weight = 1 / floored**2
    fixed = float((weight * value).sum() / weight.sum())
    variance = between_variance((value - fixed) / floored, floored)
    weight = 1 / (floored**2 + variance)
    centre = float((weight * value).sum() / weight.sum())
    kept = variance / (error**2 + variance) if variance > 0 else np.where(error > 0, 0.0, 1.0)
    return Shrunk(centre + kept * (value - centre), np.sqrt(kept) * error, centre, float(np.sqrt(variance)))


def floor_errors(errors: ArrayLike) -> NDArray[np.float64]:
    """Return errors with none below a thousandth of the usual one: a value without error would outweigh all others."""
    error = np.asarray(errors, dtype="float64")
    usual = np.median(error[error > 0]) if (error > 0).any() else 1.0
    return np.maximum(error, usual / 1000)


def shrink_rates(hits: ArrayLike, trials: ArrayLike) -> Shrunk:
    """Shrink rates by the beta-binomial model: (hits + a) / (trials + a + b), with a and b of greatest likelihood.

    Parameters
    ----------
    hits, trials : array_like, shape (units,)
        0 <= hits <= trials, trials above 0; they need not be whole (divide both by a dispersion where there is one).
    """
    from scipy.optimize import minimize
    from scipy.special import betaln, expit, logit

    x, n = read_counts(hits, trials)
    pooled = float(x.sum() / n.sum())
    if pooled in (0.0, 1.0) or len(x) < 2:
        return Shrunk(np.full(len(x), pooled), np.zeros(len(x)), pooled, 0.0)

    def loss(at: NDArray[np.float64]) -> float:
        mean, size = expit(at[0]), np.exp(at[1])
        a, b = mean * size, (1 - mean) * size
        return -float((betaln(x + a, n - x + b) - betaln(a, b)).sum()) / len(x)

    # Beyond a million prior cases the likelihood is flat and its digits are lost: the units are equal.
    middle = float(logit(pooled))
    bounds = [(middle - 5, middle + 5), (np.log(0.1), np.log(1e6))]
    # Started from little and from much spread, because the likelihood can be flat between.
    starts = ((middle, np.log(size)) for size in (10.0, 1000.0))
    best = min(
        (minimize(loss, start, method="L-BFGS-B", bounds=bounds) for start in starts), key=lambda found: found.fun
    )
    mean, size = float(expit(best.x[0])), float(np.exp(best.x[1]))
    posterior = (x + mean * size) / (n + size)
    errors = np.sqrt(posterior * (1 - posterior) / (n + size + 1))
    return Shrunk(posterior, errors, mean, float(np.sqrt(mean * (1 - mean) / (size + 1))))
