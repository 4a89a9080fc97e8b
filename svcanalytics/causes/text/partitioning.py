"""Groups of vectors, found the same way each time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["nearest", "partition"]

_RESTARTS = 10


def partition(vectors: NDArray, n_groups: int, seed: int = 0) -> NDArray[np.float64]:
    """Return the centres of groups of unit vectors (groups x dimensions), by k-means (Lloyd 1982)."""
    from sklearn.cluster import KMeans

    return KMeans(n_groups, n_init=_RESTARTS, random_state=seed).fit(vectors).cluster_centers_


def nearest(vectors: NDArray, centres: NDArray) -> NDArray[np.int64]:
    """Return the number of the centre nearest to each vector."""
    return np.argmin((centres**2).sum(axis=1) - 2 * vectors @ centres.T, axis=1)
