"""What a theme costs now that it did not cost before."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

__all__ = ["theme_shift"]

_Z = 1.959963984540054
_PRIOR = 2.0


def theme_shift(
    theme: ArrayLike, bad: ArrayLike, now: ArrayLike, n_themes: int, *, within: ArrayLike | None = None
) -> pd.DataFrame:
    """Return for each theme how much went wrong in it beyond the others, net of what did so in the period before.

    Excess is the sum over strata of a theme's rows x (its mean - the mean of all others in the stratum), each period
    for itself. A theme that was always worse, and is as common as ever, has none: from the excess now the one of before
    is taken, scaled to the rows of now. The test takes a theme for a draw from its stratum, with the variance and the
    skewness that gives (Pearson's type III: small themes of rare trouble have a long tail); the interval takes each
    group's own variance, drawn to its stratum's as if two more rows of it were there.

    Parameters
    ----------
    theme : array_like of int
        The theme of each row; -1 counts among the others.
    bad : array_like of float
        How badly it went: 0 or 1, or a number.
    now : array_like of bool
        Whether a row is of this period, not of the one before.
    n_themes : int
    within : array_like, optional
        The stratum of each row (a category).

    Returns
    -------
    pandas.DataFrame
        Row i is theme i: n, n_before, excess, low, high (its 95 % interval), p_value (one-sided, not corrected; 1 where
        nothing can be compared).
    """
    theme, now = np.asarray(theme, dtype="int64"), np.asarray(now, dtype=bool)
    bad = np.asarray(bad, dtype="float64")
    stratum = (
        np.zeros(len(bad), np.int64) if within is None else pd.factorize(np.asarray(within), use_na_sentinel=False)[0]
    )
    here = _excess(theme[now], bad[now], stratum[now], n_themes)
    there = _excess(theme[~now], bad[~now], stratum[~now], n_themes)
    scale = now.sum() / max((~now).sum(), 1)
    net, error = here.excess - scale * there.excess, np.sqrt(here.variance + scale**2 * there.variance)
    p_value = _tail(net, here.chance + scale**2 * there.chance, here.third - scale**3 * there.third)
    return pd.DataFrame(
        {
            "n": here.n,
            "n_before": there.n,
            "excess": net,
            "low": net - _Z * error,
            "high": net + _Z * error,
            "p_value": p_value,
        }
    )


class _Excess(NamedTuple):
    n: NDArray[np.int64]
    excess: NDArray[np.float64]
    variance: NDArray[np.float64]
    chance: NDArray[np.float64]  # variance and third moment of the excess of a draw from the strata
    third: NDArray[np.float64]


def _tail(net: NDArray, variance: NDArray, third: NDArray) -> NDArray[np.float64]:
    from scipy.stats import gamma, norm

    known = variance > 0
    spread = np.sqrt(np.where(known, variance, 1))
    z, skew = net / spread, third / spread**3
    long = skew > 0.01  # a short upper tail is taken for a normal one, to be safe
    shape = 4 / np.where(long, skew, 1) ** 2
    p_value = np.where(long, gamma.sf(shape + z * np.sqrt(shape), shape), norm.sf(z))
    return np.where(known, p_value, 1.0)


def _excess(theme: NDArray[np.int64], bad: NDArray[np.float64], stratum: NDArray[np.int64], n_themes: int) -> _Excess:
    strata = int(stratum.max(initial=-1)) + 1
    if not strata:
        return _Excess(np.zeros(n_themes, np.int64), *np.zeros((4, n_themes)))
    centred = bad - bad.mean()
    cell, inside = stratum * n_themes + theme, theme >= 0

    def sums(weight: NDArray) -> tuple[NDArray, NDArray]:
        part = np.bincount(cell[inside], weight[inside], strata * n_themes).reshape(strata, n_themes)
        return part, np.bincount(stratum, weight, strata)[:, None] - part

    (n, others), (total, total_out), (square, square_out) = (
        sums(each) for each in (np.ones(len(bad)), centred, centred**2)
    )
    usable = (n > 0) & (others > 0)
    m, rest = np.maximum(n, 1), np.maximum(others, 1)
    whole = np.maximum(n + others, 1)  # a stratum may have no row in this period
    spread = np.maximum(square + square_out - (total + total_out) ** 2 / whole, 0) / np.maximum(whole - 1, 1)
    gap = total - n * total_out / rest

    def error(size: NDArray, of: NDArray, squared: NDArray) -> NDArray:
        return (np.maximum(squared - of**2 / size, 0) + _PRIOR * spread) / (size - 1 + _PRIOR) / size

    variance = n**2 * (error(m, total, square) + error(rest, total_out, square_out))
    middle = (total + total_out) / whole
    cube = np.bincount(stratum, (centred - middle[stratum, 0]) ** 3, strata)[:, None] / whole
    parts = np.stack([gap, variance, n * whole / rest * spread, n * cube])
    return _Excess(n.sum(axis=0).astype("int64"), *np.where(usable, parts, 0).sum(axis=1))
