"""Groups of texts, found the same way each time: what many simple partitions agree on."""

from __future__ import annotations

from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.text.space import unit

__all__ = ["centres_of", "k_means", "nearest", "partition", "quick_partition", "single_thread", "views"]

_RUNS = 36
_QUICK_DIMENSIONS = 50
_MOST_COLUMNS = 1500
_SCALES = 6
_SMALL_GROUP, _NEIGHBOURS = 100, 5
_CHUNK = 1024


def partition(vectors: NDArray[np.float32], n_groups: int, seed: int = 0) -> NDArray[np.int64]:
    """Sort texts into groups: the consensus of k-means partitions made with few and with many dimensions.

    Few dimensions tell broad themes apart, many tell fine ones; no single number is right, and one run of k-means ends
    in one of many local optima. Each run's groups become columns, one over the square root of the group's size where
    a text is in it; texts are then grouped by the leading singular vectors of all columns (Ng, Jordan and Weiss 2002 on
    the matrix of how often two texts are together: Strehl and Ghosh 2002).

    Parameters
    ----------
    vectors : numpy.ndarray of float32, shape (texts, dimensions)
        As `Space.place` returns them.
    n_groups : int
        At most as many as texts.
    seed : int
        Of the runs' starts.

    Returns
    -------
    numpy.ndarray of int
        The group of each text, 0 to n_groups - 1; with fewer different vectors than groups some are empty.
    """
    if n_groups == 1:
        return np.zeros(len(vectors), np.int64)
    seen = views(vectors, n_groups)
    runs = int(np.clip(_MOST_COLUMNS // n_groups, 2 * _SCALES, _RUNS))
    columns = [_columns(k_means(seen[run % len(seen)], n_groups, seed + run)[0], n_groups) for run in range(runs)]
    together = np.hstack(columns)
    values, axes = np.linalg.eigh(together.T @ together)
    leading = np.argsort(-values, kind="stable")[: min(n_groups, int((values > 1e-9).sum()))]
    return k_means(unit(together @ axes[:, leading]), n_groups, seed, starts=10)[0]


def quick_partition(vectors: NDArray[np.float32], n_groups: int, seed: int = 0) -> NDArray[np.int64]:
    """Return the best of a few k-means partitions; like `partition`, faster and less good."""
    return k_means(unit(vectors[:, : max(_QUICK_DIMENSIONS, n_groups)]), n_groups, seed, starts=3)[0]


def views(vectors: NDArray[np.float32], n_groups: int) -> list[NDArray[np.float32]]:
    """Return unit vectors at several numbers of dimensions, finer for more groups.

    Where groups are small, a text is moved to the mean of its neighbours: two texts about one thing often share no
    word, but share neighbours.
    """
    fewest, most = np.clip(n_groups, 20, 100), np.clip(4 * n_groups, 150, 300)
    widths = np.unique(np.clip(np.geomspace(fewest, most, _SCALES).round().astype(int), 1, vectors.shape[1]))
    seen = [unit(vectors[:, :width]) for width in widths]
    if len(vectors) < _SMALL_GROUP * n_groups and len(vectors) > _NEIGHBOURS * n_groups:
        seen = [_smooth(each) for each in seen]
    return seen


def single_thread() -> AbstractContextManager[object]:
    """Hold the libraries of linear algebra to one thread.

    Products this small gain little from threads, wait long for each other on a busy machine, and add up in another
    order with another number of them: texts between two themes would go now here, now there.
    """
    import sklearn.cluster  # noqa: F401 (libraries loaded later would not be held)
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def centres_of(vectors: NDArray[np.float32], groups: NDArray[np.int64], n_groups: int) -> NDArray[np.float32]:
    """Return the mean unit vector of each group, at unit length (groups x dimensions); 0 for an empty group."""
    from scipy.sparse import csr_array

    member = csr_array((np.ones(len(groups), np.float32), (groups, np.arange(len(groups)))), (n_groups, len(groups)))
    return unit(member @ unit(vectors))


def nearest(vectors: NDArray[np.float32], centres: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the number of the centre that points most nearly the same way as each vector."""
    parts = [np.argmax(vectors[at : at + _CHUNK] @ centres.T, axis=1) for at in range(0, len(vectors), _CHUNK)]
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def k_means(
    vectors: NDArray, n_groups: int, seed: int, starts: int = 1
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return groups and their means (Lloyd 1982), the best of some starts."""
    import warnings

    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        # Fewer different vectors than groups: some groups stay empty, and the caller is told.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = KMeans(n_groups, n_init=starts, random_state=seed).fit(vectors.astype("float64"))
    return found.labels_.astype(np.int64), found.cluster_centers_


def _columns(groups: NDArray[np.int64], n_groups: int) -> NDArray[np.float64]:
    size = np.bincount(groups, minlength=n_groups)
    return np.eye(n_groups)[groups] / np.sqrt(np.maximum(size, 1))


def _smooth(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    out = np.empty_like(vectors)
    for at in range(0, len(vectors), _CHUNK):
        likeness = vectors[at : at + _CHUNK] @ vectors.T
        likeness[np.arange(len(likeness)), at + np.arange(len(likeness))] = 2
        closest = np.argpartition(-likeness, _NEIGHBOURS, axis=1)[:, : _NEIGHBOURS + 1]
        out[at : at + _CHUNK] = vectors[closest].mean(axis=1)
    return unit(out)
