"""What each leaf would have been, going by an earlier time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.cube import Cube

__all__ = ["STRENGTH", "expect_means", "expect_rates"]

Array = NDArray[np.float64]

STRENGTH = 20.0
"""Cases that the expectation from the dimensions one by one weighs against a leaf's own."""


def expect_rates(cube: Cube, bad: Array, total: Array) -> Array:
    """Return the expected rate of each leaf from earlier counts, shape ``(leaves,)``.

    A leaf's own rate is shrunk towards what its dimensions say one by one (their log odds added up), as if that rested
    on `STRENGTH` cases; each dimension's rate is shrunk alike towards that of the whole.
    """
    overall = (bad.sum() + 0.5) / (total.sum() + 1)
    centre = _log_odds(overall)
    parent = np.full(len(bad), centre)
    for place in cube.place[: len(cube.by)]:
        parent += _log_odds((_within(place, bad) + STRENGTH * overall) / (_within(place, total) + STRENGTH)) - centre
    return (bad + STRENGTH / (1 + np.exp(-parent))) / (total + STRENGTH)


def expect_means(cube: Cube, amount: Array, count: Array) -> Array:
    """Return the expected mean of each leaf from earlier sums and counts; `expect_rates` with effects that add up."""
    overall = amount.sum() / count.sum()
    parent = np.full(len(amount), overall)
    for place in cube.place[: len(cube.by)]:
        parent += (_within(place, amount) + STRENGTH * overall) / (_within(place, count) + STRENGTH) - overall
    return (amount + STRENGTH * parent) / (count + STRENGTH)


def _within(place: NDArray[np.int32], quantity: Array) -> Array:
    # The sum over all leaves with the same value of the dimension, for each leaf.
    return np.bincount(place, quantity)[place]


def _log_odds(rate: Array | float) -> Array:
    p = np.clip(rate, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))
