"""Weights from the data themselves: equal, entropy, CRITIC, standard deviation, principal component, balanced."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args, overload

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.scaling import read_values

__all__ = ["METHODS", "weights"]

Method = Literal["equal", "entropy", "critic", "std", "pca", "balanced"]
METHODS: tuple[str, ...] = get_args(Method)

_CLOSE = 1e-7  # how far a correlation may be off its target
_RIDGE = 1e-10  # lets columns that are copies of one another share their weight alike


@overload
def weights(matrix: pd.DataFrame, method: Method = ..., *, target: Mapping[str, float] | None = ...) -> pd.Series: ...
@overload
def weights(
    matrix: ArrayLike, method: Method = ..., *, target: Mapping[str, float] | ArrayLike | None = ...
) -> NDArray[np.float64]: ...
def weights(
    matrix: pd.DataFrame | ArrayLike,
    method: Method = "equal",
    *,
    target: Mapping[str, float] | ArrayLike | None = None,
) -> pd.Series | NDArray[np.float64]:
    """Weigh the columns of a matrix by what they say about its rows.

    The result doesn't depend on the order of rows or columns. A row with a missing value is left out; a column that is
    the same in all rows tells nothing apart and weighs 0 (but under ``equal``).

    Parameters
    ----------
    matrix : pandas.DataFrame or array_like, shape (units, columns)
        Scores of which more is better: turn and normalise measures first (`normalise`).
    method : str
        ``equal``: 1/n each.

        ``entropy``: 1 - H(p) / ln(units), with p the column's shares of its sum (Shannon 1948; Hwang and Yoon 1981,
        Multiple Attribute Decision Making, 3.2). Needs values from 0 up.

        ``critic``: sd of the min-max scaled column x sum over columns of (1 - correlation) (Diakoulaki, Mavrotas and
        Papayannakis 1995, Computers & Operations Research 22:763).

        ``std``: standard deviation of the column, as it stands.

        ``pca``: squared loadings on the first principal component of the correlation matrix, which add up to 1
        (Nicoletti, Scarpetta and Boylaud 2000; OECD/JRC Handbook 2008, step 6). Of two columns that load with opposite
        signs both count: look at the correlations first.

        ``balanced``: the correlations of the columns with the weighted sum are as `target` asks, all equal without one
        (Becker, Saisana, Paruolo and Vandecasteele 2017, Ecological Indicators 80:12). With R the correlation matrix
        and v = weight x sd, R v must be proportional to the target t: v = R^-1 t, for two columns weight ~ 1 / sd.
        Where that asks for negative weights, v minimises v'Rv/2 - t'v over v >= 0: columns with a weight still have
        correlations exactly as asked, one without is correlated at least so much already.
    target : mapping or array_like, optional
        Of ``balanced``: positive numbers, by column, to which correlations shall be proportional.

    Returns
    -------
    pandas.Series or numpy.ndarray, shape (columns,)
        From 0 up, adding up to 1; a Series by column name for a frame.

    Raises
    ------
    CatalogueError
        For an unknown method, values it can't take, fewer than two complete rows, no column that varies, or columns
        that cancel each other out so that no weights are balanced.
    """
    if method not in METHODS:
        raise CatalogueError(f"there is no way of weighing named {method!r}", fix=f"use one of: {', '.join(METHODS)}")
    names = list(matrix.columns) if isinstance(matrix, pd.DataFrame) else None
    if names is not None and len(set(names)) < len(names):
        raise CatalogueError("two columns have one name", where="weights", fix="name each column once")
    values = read_values(matrix, "weights")
    if values.ndim != 2 or not values.shape[1]:
        raise CatalogueError("the matrix has no columns", where="weights", fix="give units in rows, scores in columns")
    wanted = _target(target, method, names, values.shape[1])
    if method == "equal":
        found = np.ones(values.shape[1])
    else:
        values = values[~np.isnan(values).any(axis=1)]
        if len(values) < 2:
            raise CatalogueError(
                f"{len(values)} rows are complete, at least 2 are needed",
                where="weights",
                fix="leave out the columns with most values missing",
            )
        # Compared with its size: a column of 0.1 has a spread of rounding errors.
        varies = np.ptp(values, axis=0) > 1e-12 * np.abs(values).max(axis=0)
        if not varies.any():
            raise CatalogueError("no column varies", where="weights", fix="weigh by judgement, or equally")
        found = np.zeros(values.shape[1])
        found[varies] = _BY_METHOD[method](values[:, varies], wanted[varies])
    found = found / found.sum()
    return found if names is None else pd.Series(found, index=pd.Index(names), name="weight")


def _entropy(values: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    if (values < 0).any():
        raise CatalogueError("a value is below 0", where="weights by entropy", fix="normalise the columns first")
    shares = values / values.sum(axis=0)
    logs = np.log(shares, where=shares > 0, out=np.zeros_like(shares))
    return 1 + (shares * logs).sum(axis=0) / np.log(len(values))


def _critic(values: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    scaled = (values - values.min(axis=0)) / np.ptp(values, axis=0)
    conflict = (1 - _correlations(values)).sum(axis=0)
    information = scaled.std(axis=0, ddof=1) * np.maximum(conflict, 0)
    # Columns that all say the same contradict nobody: none has more information than another.
    return information if information.sum() > 1e-12 else np.ones(values.shape[1])


def _std(values: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    return values.std(axis=0, ddof=1)


def _pca(values: NDArray[np.float64], _: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.eigh(_correlations(values))[1][:, -1] ** 2


def _balanced(values: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.optimize import nnls

    r = _correlations(values)
    lower = np.linalg.cholesky(r + _RIDGE * np.eye(len(r)))
    start, _ = nnls(lower.T, np.linalg.solve(lower, target))
    chosen = start > 1e-12 * start.max()
    v = np.zeros(len(r))
    v[chosen] = np.linalg.lstsq(r[np.ix_(chosen, chosen)], target[chosen])[0]
    v[np.abs(v) < 1e-12 * v.max()] = 0
    reached = r @ v / target
    if (v < 0).any() or np.abs(reached[chosen] - 1).max() > _CLOSE or reached.min() < 1 - _CLOSE:
        raise CatalogueError(
            "columns cancel each other out: no weights make all of them agree with their sum",
            where="weights, balanced",
            fix="turn the columns so that more is better in each, and leave out those that contradict the rest",
        )
    return v / values.std(axis=0)


_BY_METHOD = {"entropy": _entropy, "critic": _critic, "std": _std, "pca": _pca, "balanced": _balanced}


def _correlations(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.atleast_2d(np.corrcoef(values, rowvar=False))


def _target(
    target: Mapping[str, float] | ArrayLike | None, method: str, names: list[str] | None, size: int
) -> NDArray[np.float64]:
    if target is None:
        return np.ones(size)
    where = "weights, target"
    if method != "balanced":
        raise CatalogueError(f"{method} weights have no target", where=where, fix='use method="balanced"')
    if isinstance(target, Mapping | pd.Series):
        if names is None or set(target.keys()) != set(names):
            raise CatalogueError("names other columns than the matrix", where=where, fix="name each column once")
        target = [target[name] for name in names]
    found = np.asarray(target, dtype="float64")
    if found.shape != (size,) or not (np.isfinite(found) & (found > 0)).all():
        raise CatalogueError("needs one positive number per column", where=where, fix="leave unwanted columns out")
    return found
