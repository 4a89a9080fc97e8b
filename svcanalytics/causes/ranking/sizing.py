"""How much went wrong in a segment, when nobody knows from which day on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["size_excess"]

Array = NDArray[np.float64]

_WEEKS = 13  # onsets looked at: parts of the period; weeks of a quarter


def size_excess(
    order: Array, left: Array, bad: Array, usual: float, doubt: float, *, widen: float = 1.0, least: int = 1
) -> tuple[float, float]:
    """Return the excess of a segment and its standard error, over all weeks with which it may have begun.

    The week that shows it best is a lucky one: with it alone, what lies before is missed, and 95 % intervals hold 89 %
    of the time. So the excess from every week on is taken, each weighed by how likely it is the right one (Bayesian
    model averaging; Hoeting et al. 1999, eqs. 2 and 3, with the same chance for each week beforehand), and how much
    they differ is part of the error.

    Parameters
    ----------
    order : numpy.ndarray, shape ``(n,)``
        When each row of the segment came, as a part of the period (0-1).
    left : numpy.ndarray, shape ``(n,)``
        The outcome less what was expected of the row.
    bad : numpy.ndarray, shape ``(n,)``
        The outcome.
    usual, doubt : float
        What was left per row in the time before, and its variance.
    widen : float
        How many times chance segments and weeks vary.
    least : int
        Fewest rows that a cause is made of.
    """
    week = np.minimum((order * _WEEKS).astype(np.int64), _WEEKS - 1)
    n, excess, sums, squares = (
        np.cumsum(np.bincount(week, each, _WEEKS)[::-1])[::-1] for each in (np.ones(len(week)), left, bad, bad**2)
    )
    some = n >= min(least, len(week))
    n, excess, sums, squares = n[some], excess[some] - n[some] * usual, sums[some], squares[some]
    variance = widen**2 * np.maximum(squares - sums**2 / n + n**2 * doubt, 1e-12)
    z = np.maximum(excess, 0) / np.sqrt(variance)
    weight = np.exp((z**2 - (z**2).max()) / 2)
    weight /= weight.sum()
    mean = float(weight @ excess)
    return mean, float(np.sqrt(weight @ (variance + (excess - mean) ** 2)))
