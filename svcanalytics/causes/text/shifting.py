"""What a theme costs now that it did not cost before."""

from __future__ import annotations

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
    is taken, scaled to the rows of now. The test is one of the normal approximation, with each group's variance drawn
    to its stratum's as if two more rows of it were there.

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
    from scipy.stats import norm

    theme, now = np.asarray(theme, dtype="int64"), np.asarray(now, dtype=bool)
    bad = np.asarray(bad, dtype="float64")
    stratum = (
        np.zeros(len(bad), np.int64) if within is None else pd.factorize(np.asarray(within), use_na_sentinel=False)[0]
    )
    n, excess, variance = _excess(theme[now], bad[now], stratum[now], n_themes)
    n_before, excess_before, variance_before = _excess(theme[~now], bad[~now], stratum[~now], n_themes)
    scale = now.sum() / max((~now).sum(), 1)
    net, error = excess - scale * excess_before, np.sqrt(variance + scale**2 * variance_before)
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = np.where(error > 0, norm.sf(net / error), 1.0)
    return pd.DataFrame(
        {
            "n": n,
            "n_before": n_before,
            "excess": net,
            "low": net - _Z * error,
            "high": net + _Z * error,
            "p_value": p_value,
        }
    )


def _excess(
    theme: NDArray[np.int64], bad: NDArray[np.float64], stratum: NDArray[np.int64], n_themes: int
) -> tuple[NDArray, NDArray, NDArray]:
    strata = int(stratum.max(initial=-1)) + 1
    if not strata:
        return np.zeros(n_themes, np.int64), np.zeros(n_themes), np.zeros(n_themes)
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
    whole = n + others
    spread = np.maximum(square + square_out - (total + total_out) ** 2 / whole, 0) / np.maximum(whole - 1, 1)
    gap = total - n * total_out / rest

    def error(size: NDArray, of: NDArray, squared: NDArray) -> NDArray:
        return (np.maximum(squared - of**2 / size, 0) + _PRIOR * spread) / (size - 1 + _PRIOR) / size

    variance = n**2 * (error(m, total, square) + error(rest, total_out, square_out))
    return (
        n.sum(axis=0).astype("int64"),
        np.where(usable, gap, 0).sum(axis=0),
        np.where(usable, variance, 0).sum(axis=0),
    )
