"""Who answers surveys is not who was served: weights that make those who answered stand for all."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError

__all__ = ["response_weights"]

_ROWS_PER_PRODUCT = 20
_FAR = 4.0


def response_weights(
    frame: pd.DataFrame, answered: Sequence[bool], covariates: Sequence[str], *, limit: float = 10.0
) -> NDArray[np.float64]:
    """Weigh each answer by how rarely such customers answer (inverse probability of response).

    The chance of an answer is a logistic regression on the covariates, their squares and, where there are rows enough
    (20 for each), their products; a missing value becomes the mean, with a column that says so. Weights are stabilised
    (mean chance over own chance) and held between 1/limit and limit (Cole and Hernan 2008, American Journal of
    Epidemiology 168:656). They put right what the covariates know of, not a silence that depends on the opinion alone.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per customer asked, silent ones too.
    answered : sequence of bool
        Whether the row has an answer.
    covariates : sequence of str
        Columns known for all rows: numbers, yes/no or categories.
    limit : float
        Largest weight.

    Returns
    -------
    numpy.ndarray, shape (rows,)
        0 for rows without an answer; the others average 1.

    Raises
    ------
    CatalogueError
        When a covariate is missing from the frame, or everybody or nobody answered.
    """
    from sklearn.linear_model import LogisticRegression

    said = np.asarray(answered, dtype=bool)
    absent = [name for name in covariates if name not in frame.columns]
    if absent:
        raise CatalogueError(f"there is no column {absent[0]!r}", where="response", fix="name columns of the frame")
    if not 0 < said.sum() < len(said):
        raise CatalogueError(
            "everybody answered" if said.any() else "nobody answered",
            where="response",
            fix="pass the rows of customers who were asked and did not answer too, with the outcome missing",
        )
    design = _crossed(_numbers(frame[list(covariates)]))
    chance = LogisticRegression(max_iter=500).fit(design, said).predict_proba(design)[:, 1]
    weight = np.where(said, np.clip(said.mean() / chance, 1 / limit, limit), 0.0)
    return weight / weight[said].mean()


def _numbers(frame: pd.DataFrame) -> NDArray[np.float64]:
    columns = []
    for name in frame:
        values = frame[name]
        if not pd.api.types.is_numeric_dtype(values):
            columns.append(pd.get_dummies(values, drop_first=True, dummy_na=bool(values.isna().any())).to_numpy(float))
            continue
        numbers = values.astype("float64").to_numpy()
        gaps = np.isnan(numbers)
        columns.append(np.where(gaps, np.nanmean(numbers) if not gaps.all() else 0.0, numbers)[:, None])
        if gaps.any():
            columns.append(gaps[:, None].astype(float))
    return np.hstack(columns)


def _crossed(columns: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = columns.std(axis=0)
    base = (columns[:, spread > 0] - columns[:, spread > 0].mean(axis=0)) / spread[spread > 0]
    base = np.clip(base, -_FAR, _FAR)  # a square of the longest wait would outweigh everything else
    numeric = [c for c in range(base.shape[1]) if len(np.unique(base[:, c])) > 2]
    parts = [base, base[:, numeric] ** 2]
    pairs = list(combinations(range(base.shape[1]), 2))
    if len(pairs) * _ROWS_PER_PRODUCT <= len(base):
        parts += [base[:, [a]] * base[:, [b]] for a, b in pairs]
    return np.hstack(parts)
