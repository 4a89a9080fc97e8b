"""What a change in how cases are worked did to an outcome."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import CauseError

__all__ = ["Cost", "cost_of"]

_LEVELS = 20
_Z = 1.959963984540054

Cost = tuple[float, float, float, float, NDArray[np.bool_]]
"""Excess, low, high (sums of the outcome now, beyond what the old way of working would have brought), the p-value of
the habit mattering to the outcome at all, and which rows show it."""


def cost_of(
    amount: NDArray[np.float64], bad: NDArray[np.float64], now: NDArray[np.bool_], day: NDArray[np.int64]
) -> Cost:
    """Work out what a changed habit did to an outcome.

    Cases are put into classes of the habit (not done and twentieths of the time at a step, or yes and no). The excess
    is what the other shares of the classes make of how each class goes now (Kitagawa 1955: the part of the mix); what
    else changed between the periods doesn't count.

    Parameters
    ----------
    amount : numpy.ndarray of float64, shape ``(m,)``
        Of the habit, for each row of the outcome; below 0 where a step was not done.
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
    count = np.array([np.bincount(level[side], minlength=size) for side in (now, ~now)])
    shares = count / count.sum(axis=1, keepdims=True)
    rate = np.bincount(level[now], bad[now], minlength=size) / np.maximum(count[0], 1)
    rate = np.where(count[0] > 0, rate, bad[now].mean())
    score = rate[level]
    excess = now.sum() * float((shares[0] - shares[1]) @ rate)
    centred = np.where(now, score - score[now].mean(), (score[~now].mean() - score) * now.sum() / (~now).sum())
    mixed = np.bincount(np.unique(day, return_inverse=True)[1], centred)
    move = now.sum() * (shares[0] - shares[1])
    within = np.bincount(level[now], (bad[now] - score[now]) ** 2, minlength=size)
    doubt = within / np.maximum(count[0], 1) ** 2
    error = float(np.sqrt((mixed**2).sum() + (move**2 * doubt).sum()))
    between = float((count[0] * (rate - bad[now].mean()) ** 2).sum())
    noise = within.sum() / max(now.sum() - size, 1)
    there = int((count[0] > 0).sum())
    p_value = float(chi2.sf(between / noise, there - 1)) if noise > 0 and there > 1 else 1.0
    telling = now & (rate > score[~now].mean())[level] & (shares[0] > shares[1])[level]
    return excess, excess - _Z * error, excess + _Z * error, p_value, telling


def _classes(amount: NDArray[np.float64]) -> NDArray[np.int64]:
    values = np.unique(amount)
    if len(values) <= _LEVELS:
        return np.searchsorted(values, amount)
    done = amount >= 0  # a step that was not done is a class of its own
    edges = np.unique(np.quantile(amount[done], np.arange(1, _LEVELS) / _LEVELS))
    level = np.where(done, np.searchsorted(edges, amount, "right") + 1, 0)
    return np.unique(level, return_inverse=True)[1]
