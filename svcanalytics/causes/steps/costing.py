"""What a change in how cases are worked did to an outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import CauseError

__all__ = ["Cost", "cost_of"]

_LEVELS = 5
_Z = 1.959963984540054

Cost = tuple[float, float, float, float, NDArray[np.bool_]]
"""Excess, low, high (sums of the outcome now, beyond what the old way of working would have brought), the p-value of
the habit mattering to the outcome at all, and which rows show it."""


def cost_of(
    amount: NDArray[np.float64], bad: NDArray[np.float64], now: NDArray[np.bool_], day: NDArray[np.int64]
) -> Cost:
    """Work out what a changed habit did to an outcome.

    Cases are put into classes of the habit (fifths of the time at a step, or yes and no). How much worse each class
    goes is estimated within the periods (least squares with a level for each period and each class), so that what else
    changed between them doesn't count; the excess is what the other shares of the classes make of it (Kitagawa 1955:
    the part of the mix).

    Parameters
    ----------
    amount : numpy.ndarray of float64, shape ``(m,)``
        Of the habit, for each row of the outcome.
    bad : numpy.ndarray of float64, shape ``(m,)``
        The outcome; more is worse.
    now : numpy.ndarray of bool, shape ``(m,)``
    day : numpy.ndarray of int64, shape ``(m,)``
        Days are drawn as one for the interval.

    Raises
    ------
    CauseError
        When one period has no row.
    """
    from scipy.stats import chi2

    if not now.any() or now.all():
        raise CauseError("one period has no rows", where="now", fix="a change needs two periods")
    level = _classes(amount)
    size = int(level.max()) + 1
    design = np.zeros((len(bad), size + 1))
    design[np.arange(len(bad)), level] = 1
    design[:, size] = now
    square = design.T @ design
    inverse = np.linalg.pinv(square)
    effect = inverse @ (design.T @ bad)
    left = bad - design @ effect
    score = effect[:size][level]
    shares = np.array([np.bincount(level[side], minlength=size) / side.sum() for side in (now, ~now)])
    excess = now.sum() * float((shares[0] - shares[1]) @ effect[:size])
    centred = np.where(now, score - score[now].mean(), (score[~now].mean() - score) * now.sum() / (~now).sum())
    mixed = np.bincount(np.unique(day, return_inverse=True)[1], centred)
    move = now.sum() * (shares[0] - shares[1])
    parts = design * left[:, None]
    doubt = (inverse @ (parts.T @ parts) @ inverse)[:size, :size]
    error = float(np.sqrt((mixed**2).sum() + move @ doubt @ move))
    against = np.c_[-np.ones(size - 1), np.eye(size - 1)]  # each class against the first
    gaps = against @ effect[:size]
    strength = float(gaps @ np.linalg.pinv(against @ doubt @ against.T) @ gaps)
    telling = now & (effect[:size] > score[~now].mean())[level] & (shares[0] > shares[1])[level]
    return excess, excess - _Z * error, excess + _Z * error, float(chi2.sf(strength, max(size - 1, 1))), telling


def _classes(amount: NDArray[np.float64]) -> NDArray[np.int64]:
    values = np.unique(amount)
    if len(values) <= _LEVELS:
        return np.searchsorted(values, amount)
    edges = np.unique(np.quantile(amount, np.arange(1, _LEVELS) / _LEVELS))
    level = np.searchsorted(edges, amount, "right")
    return np.unique(level, return_inverse=True)[1]
