"""How much more units differ than chance alone would make them: a ratio, or a variance between units."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["between_variance", "dispersion_ratio", "truncate", "winsorise"]


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
