"""How much of a stretch of numbers lies at or below a limit: many stretches, each with a limit of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["sum_up_to"]


def sum_up_to(
    values: NDArray[np.int64],
    weights: NDArray[np.int64],
    low: NDArray[np.int64],
    high: NDArray[np.int64],
    limit: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Return for each query the sum of the weights in ``[low, high)`` whose value is at most the limit.

    A wavelet matrix (Claude, Navarro and Ordonez 2015) that is walked while it is built, for all queries at once: the
    values are parted by one bit of their rank after the other, so the cost is (values + queries) times the number of
    bits.

    Parameters
    ----------
    values, weights : numpy.ndarray of int64, shape ``(m,)``
    low, high, limit : numpy.ndarray of int64, shape ``(q,)``

    Returns
    -------
    numpy.ndarray of int64, shape ``(q,)``
    """
    total = np.zeros(len(low), dtype=np.int64)
    if not len(values):
        return total
    distinct, rank = np.unique(values, return_inverse=True)
    below = np.searchsorted(distinct, limit, "right")
    low, high = low.astype(np.int64), np.maximum(high, low).astype(np.int64)
    for bit in range(len(distinct).bit_length() - 1, -1, -1):
        upper = (rank >> bit) & 1 == 1
        zeros = np.r_[0, np.cumsum(~upper)]
        sums = np.r_[0, np.cumsum(np.where(upper, 0, weights))]
        right = (below >> bit) & 1 == 1
        at_low, at_high = zeros[low], zeros[high]
        total += np.where(right, sums[high] - sums[low], 0)
        low = np.where(right, zeros[-1] + low - at_low, at_low)
        high = np.where(right, zeros[-1] + high - at_high, at_high)
        rank = np.concatenate([rank[~upper], rank[upper]])
        weights = np.concatenate([weights[~upper], weights[upper]])
    return total
