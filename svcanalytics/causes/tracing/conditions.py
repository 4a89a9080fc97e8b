"""Conditions: every way to narrow a set of cases by one circumstance, and which of them holds what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.tracing.design import group_values

__all__ = ["Contrasts", "condition_table", "contrast"]

Array = NDArray[np.float64]

_FEWEST = 20
"""A side of fewer cases can't be held against the other."""
_FEWEST_WRONG = 5.0
"""Nor can one of which fewer went wrong or right, for outcomes of 0 and 1."""


@dataclass(frozen=True, eq=False)
class Contrasts:
    """How much worse the cases under each condition became than the other cases.

    Attributes
    ----------
    amount : numpy.ndarray, shape ``(conditions,)``
        Excess, in cases or units of the outcome; NaN where it can't be told.
    error : numpy.ndarray, shape ``(conditions,)``
    freedom : numpy.ndarray, shape ``(conditions,)``
        Of the t distribution.
    p_value : numpy.ndarray, shape ``(conditions,)``
        Of no excess, one-sided, for all conditions together.
    score : numpy.ndarray, shape ``(conditions,)``
        The excess in standard errors of a normal distribution.
    """

    amount: Array
    error: Array
    freedom: Array
    p_value: Array
    score: Array


def condition_table(rows: pd.DataFrame, columns: Sequence[str]) -> tuple[NDArray[np.bool_], list[tuple[str, str]]]:
    """Return which rows meet which condition, shape ``(n, conditions)``, and each condition as column and value.

    A text gives a condition per frequent value, a number one per side of each edge ("<=30", ">30").
    """
    parts, names = [], []
    for column in columns:
        code, values, edges = group_values(rows[column])
        if edges is None:
            for number, value in enumerate(values):
                parts.append(code == number)
                names.append((column, value))
            continue
        number = rows[column].to_numpy("float64", na_value=np.nan)
        for edge in edges:
            with np.errstate(invalid="ignore"):
                parts += [number > edge, number <= edge]
            names += [(column, f">{edge:.4g}"), (column, f"<={edge:.4g}")]
    return (np.column_stack(parts) if parts else np.zeros((len(rows), 0), dtype=bool)), names


def contrast(
    bad: Array,
    now: NDArray[np.bool_],
    group: NDArray[np.int64],
    inside: NDArray[np.bool_],
    *,
    draws: int = 999,
    rng: np.random.Generator,
) -> Contrasts:
    """Hold the cases under each condition against all others.

    The excess is what they became worse by since the baseline beyond what the others did; without a baseline of theirs,
    how much worse they are. P-values are for the largest of all conditions: what every group of cases adds to each
    excess is multiplied by a normal number, many times (Chernozhukov, Chetverikov and Kato 2013).

    Parameters
    ----------
    bad : numpy.ndarray, shape ``(n,)``
    now : numpy.ndarray of bool, shape ``(n,)``
    group : numpy.ndarray of int64, shape ``(n,)``
        Cases of one group err together.
    inside : numpy.ndarray of bool, shape ``(n, conditions)``
    draws : int
    rng : numpy.random.Generator
    """
    from scipy.sparse import csr_matrix
    from scipy.special import ndtr, ndtri, stdtr

    s = inside.astype("float64")
    rate = bool(np.isin(bad, (0.0, 1.0)).all())
    amount, pull = np.zeros(s.shape[1]), np.zeros_like(s)
    usable = np.ones(s.shape[1], dtype=bool)
    size = s[now].sum(axis=0)
    earlier = (s[~now].sum(axis=0) >= _FEWEST) & ((1 - s)[~now].sum(axis=0) >= _FEWEST)
    centred = np.zeros_like(s)
    for sign, side, when, always in (
        (1, s, now, True),
        (-1, 1 - s, now, True),
        (-1, s, ~now, False),
        (1, 1 - s, ~now, False),
    ):
        cell = side * when[:, None]
        count = cell.sum(axis=0)
        mean = (bad @ cell) / np.maximum(count, 1.0)
        used = np.ones(len(count), dtype=bool) if always else earlier
        weight = np.where(used, sign * size / np.maximum(count, 1.0), 0.0)
        amount += np.where(used, sign * size * mean, 0.0)
        pull += cell * weight
        centred += cell * weight * (bad[:, None] - mean)
        if always:
            usable &= count >= _FEWEST
            if rate:
                expected = np.minimum(count * bad.mean(), count * (1 - bad.mean()))
                usable &= expected >= _FEWEST_WRONG
    groups = int(group.max()) + 1 if len(group) else 0
    gather = csr_matrix((np.ones(len(group)), (group, np.arange(len(group)))), shape=(groups, len(group)))
    scores, held = gather @ centred, gather @ pull**2
    error = np.sqrt((scores**2).sum(axis=0) * groups / max(groups - 1, 1))
    usable &= error > 0
    safe = np.where(usable, error, 1.0)
    freedom = np.maximum(held.sum(axis=0) ** 2 / np.maximum((held**2).sum(axis=0), 1e-300) - 1, 1.0)
    score = np.where(usable, -ndtri(np.clip(stdtr(freedom, -amount / safe), 1e-300, 1.0)), -np.inf)
    p_value = np.ones(len(amount))
    if usable.any():
        drawn = rng.standard_normal((draws, groups)) @ (scores[:, usable] / error[usable])
        largest = np.sort(drawn.max(axis=1))
        beyond = draws - np.searchsorted(largest, score)
        # Where no draw goes so far, Bonferroni's bound goes on.
        bound = np.minimum(usable.sum() * ndtr(-score), 1.0)
        p_value = np.where(beyond > 0, (1 + beyond) / (1 + draws), np.minimum(bound, 1 / (1 + draws)))
        p_value = np.where(usable, p_value, 1.0)
    return Contrasts(np.where(usable, amount, np.nan), error, freedom, p_value, score)
