"""Weights from judgements in pairs (analytic hierarchy process), with a check whether the judgements agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError

__all__ = ["Judgement", "judge"]

_RANDOM_INDEX = (0.0, 0.0, 0.0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)


@dataclass(frozen=True)
class Judgement:
    """What `judge` returns.

    Attributes
    ----------
    weights : pandas.Series
        By name, adding up to 1.
    ratio : float
        Consistency ratio: 0 when the judgements agree, 1 when they agree no better than random ones.
    eigenvalue : float
        The largest of the judgements' matrix; its order when they agree.
    worst : tuple of (str, str, float)
        The pair whose judgement fits the weights least, and what would fit.
    """

    weights: pd.Series
    ratio: float
    eigenvalue: float
    worst: tuple[str, str, float]


def judge(
    pairwise: pd.DataFrame | ArrayLike | Mapping[tuple[str, str], float], *, limit: float | None = 0.1
) -> Judgement:
    """Turn judgements "a is so many times as important as b" into weights.

    Weights are the principal right eigenvector of the judgements (Saaty 1977, Journal of Mathematical Psychology
    15:234). The consistency ratio is (eigenvalue - n) / (n - 1) over that of random judgements (Saaty 1980, The
    Analytic Hierarchy Process, table of random indices for n up to 15).

    Parameters
    ----------
    pairwise : mapping, pandas.DataFrame or array_like
        ``{("response", "resolution"): 2}``, or a square matrix with 2 in row response and column resolution. One
        judgement per pair is enough; where both are given they must be reciprocal. Saaty's scale goes from 1 (alike) to
        9 (extremely more).
    limit : float, optional
        Largest consistency ratio accepted; Saaty's rule is 0.1. None accepts all.

    Returns
    -------
    Judgement

    Raises
    ------
    CatalogueError
        For a pair without a judgement, judgements that are not positive or contradict their reciprocal, and judgements
        that agree less than `limit` asks: then the message names the pair to look at first.
    """
    matrix, names = _matrix(pairwise)
    n = len(names)
    if not 1 <= n < len(_RANDOM_INDEX):
        raise CatalogueError(f"{n} things are compared", where="judge", fix="compare up to 15: group them in families")
    values, vectors = np.linalg.eig(matrix)
    largest = int(np.argmax(values.real))
    weights = np.abs(vectors[:, largest].real)
    weights /= weights.sum()
    eigenvalue = float(values[largest].real)
    random = _RANDOM_INDEX[n]
    ratio = max(eigenvalue - n, 0.0) / (n - 1) / random if random else 0.0
    fitting = weights[:, None] / weights[None, :]
    i, j = np.unravel_index(int(np.argmax(np.triu(np.abs(np.log(matrix / fitting))))), matrix.shape)
    worst = (names[i], names[j], float(fitting[i, j]))
    if limit is not None and ratio > limit:
        raise CatalogueError(
            f"the judgements contradict each other: consistency ratio {ratio:.2f}, more than {limit:g}",
            where="judge",
            fix=f"look at {worst[0]} against {worst[1]} first: {matrix[i, j]:.3g} was given, {worst[2]:.2g} would fit",
        )
    return Judgement(pd.Series(weights, index=pd.Index(names), name="weight"), ratio, eigenvalue, worst)


def _matrix(
    pairwise: pd.DataFrame | ArrayLike | Mapping[tuple[str, str], float],
) -> tuple[NDArray[np.float64], list[str]]:
    if isinstance(pairwise, Mapping):
        names = list(dict.fromkeys(name for pair in pairwise for name in pair))
        frame = pd.DataFrame(np.nan, index=names, columns=names)
        for (a, b), value in pairwise.items():
            if not isinstance(value, Real):
                raise CatalogueError(f"{a} against {b} is {value!r}", where="judge", fix="give positive numbers")
            frame.loc[a, b] = value
    else:
        frame = pd.DataFrame(pairwise)
        names = [str(name) for name in frame.columns]
        if frame.shape[0] != frame.shape[1] or list(map(str, frame.index)) != names or len(set(names)) < len(names):
            raise CatalogueError(
                "the judgements are no square matrix of the same names", where="judge", fix="name rows like columns"
            )
    given = frame.to_numpy(dtype="float64")
    with np.errstate(divide="ignore"):
        matrix = np.where(np.isnan(given), 1 / given.T, given)
    np.fill_diagonal(matrix, np.where(np.isnan(given.diagonal()), 1.0, given.diagonal()))
    for i, a in enumerate(names):
        for j, b in enumerate(names[: i + 1]):
            value, mirrored = matrix[i, j], matrix[j, i]
            if np.isnan(value):
                raise CatalogueError(f"{b} and {a} were not compared", where="judge", fix="judge every pair once")
            if not (np.isfinite(value) and value > 0 and np.isfinite(mirrored)):
                raise CatalogueError(
                    f"{a} against {b} is {value:g}", where="judge", fix="give positive numbers, 1/3 for less important"
                )
            if abs(value * mirrored - 1) > 0.03:  # 0.33 for 1/3 passes
                raise CatalogueError(
                    f"{a} against {b} is {value:g}, but {b} against {a} is {mirrored:g}",
                    where="judge",
                    fix=f"make it {1 / value:.3g}, or leave it out",
                )
    return matrix, names
