"""What each leaf would have been, going by an earlier time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.cube import Cube

__all__ = ["STRENGTH", "expect_rates"]

Array = NDArray[np.float64]

STRENGTH = 20.0
"""Cases that the expectation from the dimensions one by one weighs against a leaf's own."""


def expect_rates(cube: Cube, bad: Array, total: Array, strength: float = STRENGTH) -> Array:
    """Return the expected rate of each leaf from earlier counts, shape ``(leaves,)``.

    A leaf's own rate is shrunk towards what its dimensions say one by one (their log odds added up), as if that rested
    on `strength` cases; each dimension's rate is shrunk alike towards that of the whole.
    """
    overall = (bad.sum() + 0.5) / (total.sum() + 1)
    centre = _log_odds(overall)
    parent = np.full(len(bad), centre)
    for place in cube.place[: len(cube.by)]:
        parent += _log_odds((_within(place, bad) + strength * overall) / (_within(place, total) + strength)) - centre
    return (bad + strength / (1 + np.exp(-parent))) / (total + strength)


def _within(place: NDArray[np.int32], quantity: Array) -> Array:
    # The sum over all leaves with the same value of the dimension, for each leaf.
    return np.bincount(place, quantity)[place]


def _log_odds(rate: Array | float) -> Array:
    p = np.clip(rate, 1e-6, 1 - 1e-6)
    return np.log(p / (1 - p))
