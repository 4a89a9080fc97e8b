"""What every value of every dimension does to a measure, learned beside all the others from the rows before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_effects", "learn_strengths"]

Array = NDArray[np.float64]

_STRENGTHS = (20.0, 500.0)  # least and most rows that what is expected of all weighs against a value's own past
_FIRST_STRENGTH = 50.0
_SWEEPS = 6
_TYPICAL = 2.0  # values that the typical variance of a dimension counts for


def learn_strengths(score: Array, now: NDArray[np.bool_], values: Sequence[NDArray[np.int64]]) -> Array:
    """Return for each dimension how many rows of a value what other values say is worth.

    That is the variance of one row over the variance between values (empirical Bayes), the latter by the method of
    moments (DerSimonian and Laird 1986, eq. 8) from effects told beside all other dimensions; what few values say of it
    is drawn to what is typical of all dimensions.

    Parameters
    ----------
    score : numpy.ndarray, shape ``(rows,)``
        The outcome.
    now : numpy.ndarray of bool, shape ``(rows,)``
        Rows not to learn from.
    values : sequence of numpy.ndarray of int
        By dimension the value of each row, numbered.
    """
    if now.all():
        return np.full(len(values), _STRENGTHS[0])
    effects, noise = _effects(score, now, values, np.full(len(values), _FIRST_STRENGTH))[1:]
    between, freedom = [], []
    for each, effect in zip(values, effects, strict=True):
        n = np.bincount(each[~now], minlength=len(effect))
        seen = n > 0
        alone, n = (effect * (n + _FIRST_STRENGTH) / np.maximum(n, 1))[seen], n[seen]
        alone = alone - (n * alone).sum() / n.sum()
        spread = (n * alone**2).sum() - noise * (len(n) - 1)
        between.append(max(spread / max(n.sum() - (n**2).sum() / n.sum(), 1e-9), 0.0))
        freedom.append(len(n) - 1)
    own, known = np.array(between), np.array(freedom)
    drawn = (known * own + _TYPICAL * np.median(own)) / (known + _TYPICAL)
    return np.clip(noise / np.maximum(drawn, 1e-12), *_STRENGTHS)


def fit_effects(score: Array, now: NDArray[np.bool_], values: Sequence[NDArray[np.int64]], strengths: Array) -> Array:
    """Return what is expected of every row by the values it has (ridge regression by backfitting).

    Buja, Hastie and Tibshirani 1989, Annals of Statistics 17:453. Without rows before, the mean of all.

    Parameters
    ----------
    score, now, values
        As in `learn_strengths`.
    strengths : numpy.ndarray, shape ``(dimensions,)``
        As `learn_strengths` gives them.
    """
    if now.all():
        return np.full(len(score), score.mean())
    return _effects(score, now, values, strengths)[0]


def _effects(
    score: Array, now: NDArray[np.bool_], values: Sequence[NDArray[np.int64]], strengths: Array
) -> tuple[Array, list[Array], float]:
    # What is expected of every row, the effects by dimension, and the variance of what is left.
    before = ~now
    mean = score[before].mean()
    left, there = score[before] - mean, [each[before] for each in values]
    counts = [np.bincount(own, minlength=each.max() + 1) for own, each in zip(there, values, strict=True)]
    effects = [np.zeros(len(count)) for count in counts]
    for _ in range(_SWEEPS):
        for d, own in enumerate(there):
            sums = np.bincount(own, left, minlength=len(counts[d])) + counts[d] * effects[d]
            effect = sums / (counts[d] + strengths[d])
            left -= (effect - effects[d])[own]
            effects[d] = effect
    fitted = np.full(len(score), mean)
    for effect, each in zip(effects, values, strict=True):
        fitted += effect[each]
    return np.clip(fitted, score.min(), score.max()), effects, max(float(left.var()), 1e-12)
