"""Where units stand among each other in draws of the index: ranks, places, and who is better than whom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["draw_ranks", "places", "superiority"]


def draw_ranks(drawn: NDArray[np.float32]) -> NDArray[np.int64]:
    """Rank units in each draw, 1 the best; units that tie get their places by lot, so that every place is taken once.

    Parameters
    ----------
    drawn : numpy.ndarray, shape (units, draws)
        Without missing values. Rows must be in an order that doesn't depend on how the data came: the lot follows it.

    Returns
    -------
    numpy.ndarray of int, shape (units, draws)
    """
    lot = np.random.default_rng(drawn.shape).random(drawn.shape)
    best_first = np.lexsort((lot, -drawn), axis=0)
    ranks = np.empty(drawn.shape, dtype="int64")
    np.put_along_axis(ranks, best_first, np.arange(1, len(drawn) + 1)[:, None], axis=0)
    return ranks


def places(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the probability of each unit (row) to rank among the first k (column, from 1)."""
    units, draws = ranks.shape
    at = np.zeros((units, units))
    np.add.at(at, (np.arange(units)[:, None], ranks - 1), 1 / draws)
    return at.cumsum(axis=1)


def superiority(drawn: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the probability that the unit of the row is better than that of the column; a tie counts half.

    Parameters
    ----------
    drawn : numpy.ndarray, shape (units, draws)

    Returns
    -------
    numpy.ndarray, shape (units, units)
        0.5 on the diagonal; a pair's two probabilities add up to 1.
    """
    out = np.empty((len(drawn), len(drawn)))
    for row, own in enumerate(drawn):
        out[row] = (own > drawn).mean(axis=1) + (own == drawn).mean(axis=1) / 2
    return out
