"""How much each metric matters: its share of what moves an outcome. A weight is not an importance."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.scaling import read_values

__all__ = ["effective_importance", "importance"]

Array = NDArray[np.float64]

MOST_EXACT = 12
"""Columns up to which all subsets are gone through (4,096 of them)."""


def importance(
    x: pd.DataFrame,
    y: ArrayLike,
    method: Literal["lmg", "johnson", "correlation_ratio"] = "lmg",
    *,
    blocks: Sequence[object] | None = None,
    replicates: int = 200,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Share out what columns explain of an outcome among them.

    Parameters
    ----------
    x : pandas.DataFrame, shape (rows, columns)
        Metrics; rows with a gap are left out.
    y : array_like, shape (rows,)
        Outcome.
    method : {"lmg", "johnson", "correlation_ratio"}
        ``lmg``: the mean gain in R² over all orders of entering (Lindeman, Merenda and Gold 1980; the Shapley value of
        R²), exact; with more than 12 columns ``johnson`` is used instead, and the result says so.
        ``johnson``: relative weights through the nearest orthogonal columns (Johnson 2000, Multivariate Behavioral
        Research 35:1), close to LMG and fast. Both add up to R².
        ``correlation_ratio``: variance of the outcome's mean along one column over its variance, straight or curved,
        corrected for chance (Kelley 1935); each column by itself, so they add up to nothing in particular.
    blocks : sequence, optional
        What is drawn together in the bootstrap (a row's period); default each row by itself.
    replicates : int
        Bootstrap draws for the intervals.
    level : float
        Of the intervals.
    seed : int
        Of the draws.

    Returns
    -------
    pandas.DataFrame
        metric, importance, share (of their sum), low, high (of the importance), method (the one used).

    Raises
    ------
    CatalogueError
        For an unknown method, an outcome or column that never varies, or too few rows.
    """
    values, outcome, group = _complete(x, y, blocks)
    if method not in ("lmg", "johnson", "correlation_ratio"):
        raise CatalogueError(f"there is no method {method!r}", fix="use lmg, johnson or correlation_ratio")
    used = "johnson" if method == "lmg" and values.shape[1] > MOST_EXACT else method
    found = _importances(values, outcome, np.ones(len(outcome)), used)
    rng = np.random.default_rng(seed)
    count = int(group.max()) + 1
    drawn = [
        _importances(values, outcome, rng.multinomial(count, np.full(count, 1 / count))[group].astype(float), used)
        for _ in range(replicates)
    ]
    low, high = (
        np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0) if drawn else np.full((2, len(found)), np.nan)
    )
    total = found.sum()
    return pd.DataFrame(
        {
            "metric": [str(name) for name in x.columns],
            "importance": found,
            "share": found / total if total > 0 else np.nan,
            "low": low,
            "high": high,
            "method": used,
        }
    )


def effective_importance(xx: ArrayLike, weight: ArrayLike) -> Array:
    """Return each column's share of the variance of a weighted sum of correlated columns.

    Parameters
    ----------
    xx : array_like, shape (columns, columns)
        Covariances of the columns.
    weight : array_like, shape (columns,)

    Returns
    -------
    numpy.ndarray, shape (columns,)
        Adds up to 1; by LMG, above 12 columns by Johnson's relative weights. NaN when the sum never varies.
    """
    xx, weight = np.asarray(xx, dtype="float64"), np.asarray(weight, dtype="float64")
    variance = weight @ xx @ weight
    if variance <= 0:
        return np.full(len(weight), np.nan)
    found = (_lmg if len(weight) <= MOST_EXACT else _johnson)(xx, xx @ weight, variance)
    return found / found.sum()


def _complete(x: pd.DataFrame, y: ArrayLike, blocks: Sequence[object] | None) -> tuple[Array, Array, NDArray[np.int64]]:
    values, outcome = read_values(x, "importance"), read_values(y, "importance, outcome")
    if len(values) != len(outcome):
        raise CatalogueError(f"{len(values)} rows of metrics, {len(outcome)} of outcomes", where="importance")
    whole = ~(np.isnan(values).any(axis=1) | np.isnan(outcome))
    values, outcome = values[whole], outcome[whole]
    if len(outcome) <= values.shape[1] + 1:
        raise CatalogueError(
            f"{len(outcome)} whole rows can't tell {values.shape[1]} columns apart",
            where="importance",
            fix="use more rows or fewer columns",
        )
    still = [str(name) for name, spread in zip(x.columns, np.ptp(values, axis=0), strict=True) if spread == 0]
    if still or np.ptp(outcome) == 0:
        raise CatalogueError("never varies", where=still[0] if still else "outcome", fix="leave it out")
    group = np.arange(len(whole)) if blocks is None else pd.factorize(pd.Series(list(blocks)), sort=True)[0]
    return values, outcome, pd.factorize(group[whole])[0]


def _importances(values: Array, outcome: Array, times: Array, method: str) -> Array:
    if method == "correlation_ratio":
        return np.array([_correlation_ratio(column, outcome, times) for column in values.T])
    n = times.sum()
    x, y = values - times @ values / n, outcome - times @ outcome / n
    weighed = x * times[:, None]
    return (_lmg if method == "lmg" else _johnson)(weighed.T @ x / n, weighed.T @ y / n, float(times @ y**2 / n))


def _lmg(xx: Array, xy: Array, yy: float) -> Array:
    """Shapley values of R² over the columns, from all subsets' R²."""
    p = len(xy)
    explained = np.zeros(2**p)
    bits = 1 << np.arange(p)
    for size in range(1, p + 1):
        chosen = np.array(list(combinations(range(p), size)))
        square, target = xx[chosen[:, :, None], chosen[:, None, :]], xy[chosen]
        try:
            slopes = np.linalg.solve(square, target[:, :, None])[:, :, 0]
        except np.linalg.LinAlgError:  # a column that others make up entirely adds nothing to them
            slopes = (np.linalg.pinv(square, hermitian=True) @ target[:, :, None])[:, :, 0]
        explained[bits[chosen].sum(axis=1)] = (slopes * target).sum(axis=1) / yy
    subsets = np.arange(2**p)
    size = (subsets[:, None] & bits > 0).sum(axis=1)
    factorial = np.cumprod([1.0, *range(1, p + 1)])
    chance = factorial[size] * factorial[np.maximum(p - size - 1, 0)] / factorial[p]
    without = [subsets[subsets & bit == 0] for bit in bits]
    return np.array([chance[s] @ (explained[s | bit] - explained[s]) for s, bit in zip(without, bits, strict=True)])


def _johnson(xx: Array, xy: Array, yy: float) -> Array:
    spread = np.sqrt(np.diag(xx))
    spread[spread == 0] = 1.0
    values, vectors = np.linalg.eigh(xx / np.outer(spread, spread))
    root = np.sqrt(np.clip(values, 0, None))
    link = (vectors * root) @ vectors.T  # correlations of the columns with the nearest orthogonal ones
    inverse = (vectors * np.where(root > 1e-8, 1 / np.where(root > 1e-8, root, 1), 0)) @ vectors.T
    return link**2 @ (inverse @ (xy / spread / np.sqrt(yy))) ** 2


def _correlation_ratio(column: Array, outcome: Array, times: Array) -> float:
    n = times.sum()
    edges = np.unique(np.quantile(column, np.linspace(0, 1, int(np.ceil(len(column) ** (1 / 3))) + 1)[1:-1]))
    cell = np.searchsorted(edges, column, side="left")
    size = np.bincount(cell, times)
    size, total = size[size > 0], np.bincount(cell, times * outcome)[size > 0]
    level = times @ outcome / n
    between, whole = (size * (total / size - level) ** 2).sum(), times @ (outcome - level) ** 2
    if n <= len(size) or whole <= 0:
        return np.nan
    return float(max(0.0, 1 - (1 - between / whole) * (n - 1) / (n - len(size))))
