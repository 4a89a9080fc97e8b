"""Rows laid out for a scan: every segment large enough to speak of, once."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.cube import Cube, build

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Layout", "lay_out"]

Array = NDArray[np.float64]

_ERROR = (0.05, 0.45, 0.30, 0.20)  # share of the error that segments of 0, 1, 2, 3 dimensions may make
# Segments overlap, so fewer are looked at than there are: by the eigenvalues of their correlations a quarter of those
# of two dimensions and half of those of one count (Galwey 2009, Genetic Epidemiology 33:559, on tables of this kind).
_APART = 0.5
_CELLS = 4_000_000  # rows x combinations up to which the third dimension is looked at
_SAME = 0.9  # a segment that holds more of a shorter one is only another name for it


@dataclass(frozen=True, eq=False)
class Layout:
    """Which rows lie in which segments.

    Attributes
    ----------
    names : tuple of str
        The segments, "channel=app&team=B"; "" is all rows, and the last.
    sizes : numpy.ndarray of int, shape ``(segments,)``
        Dimensions that each fixes.
    dimension : numpy.ndarray of int, shape ``(segments,)``
        Which of the dimensions a segment of one fixes; -1 for the others.
    tests : numpy.ndarray, shape ``(segments,)``
        By how much a p-value of each is multiplied: the segments of its size over their share of the error.
    now : numpy.ndarray of bool, shape ``(rows,)``
    inside, inside_before : scipy.sparse.csr_matrix, shape ``(segments, rows now)`` and ``(segments, rows before)``
        1 where a row lies in a segment.
    values : tuple of numpy.ndarray of int, shape ``(rows,)``
        The value of each dimension, numbered.
    left_out : dict of str to int
        Dimensions with more values than are looked at, and how many were put together as ``other``.
    """

    names: tuple[str, ...]
    sizes: NDArray[np.int64]
    dimension: NDArray[np.int64]
    tests: Array
    now: NDArray[np.bool_]
    inside: csr_matrix
    inside_before: csr_matrix
    values: tuple[NDArray[np.int64], ...]
    left_out: dict[str, int]

    def rows(self, segment: int) -> NDArray[np.bool_]:
        """Return which of all rows lie in a segment."""
        out = np.zeros(len(self.now), dtype=bool)
        for matrix, when in ((self.inside, self.now), (self.inside_before, ~self.now)):
            out[np.flatnonzero(when)[matrix[[segment]].indices]] = True
        return out


def lay_out(rows: pd.DataFrame, by: list[str], least: int, depth: int = 3) -> Layout:
    """Lay rows out; metrics with the same rows share it.

    Segments fix up to three dimensions, or two where three are too many to look at. Left out is what has fewer than
    `least` rows now, and what holds nearly all of a shorter segment.

    Parameters
    ----------
    rows : DataFrame
        With ``period`` ("now", "before") and the dimensions.
    by : list of str
        Dimensions.
    least : int
        Smallest number of rows now.
    depth : int
        Most dimensions that a segment fixes, up to three.
    """
    from scipy.sparse import csc_matrix

    while depth > 1 and len(rows) * sum(comb(len(by), d) for d in range(1, depth + 1)) > _CELLS:
        depth -= 1
    cube = build(rows, by, depth)
    now = (rows["period"] == "now").to_numpy()
    n = cube.total(now.astype("float64"))
    kept = np.flatnonzero((n >= least) & ~_renamed(cube, n, float(now.sum())))
    sizes = np.array([*(len(cube.dimensions[s]) for s in kept), 0])
    dimension = np.array([*(cube.dimensions[s][0] if len(cube.dimensions[s]) == 1 else -1 for s in kept), -1])
    tests = np.maximum(_APART * np.bincount(sizes, minlength=4)[sizes], 1.0) / np.array(_ERROR)[sizes]
    # Segments left out share one place behind all others.
    place = np.full(len(n), len(kept) + 1, dtype=np.int32)
    place[kept] = np.arange(len(kept))

    def members(when: NDArray[np.bool_]) -> csr_matrix:
        segment = place[cube.place[:, when]]
        segment = np.vstack([segment, np.full(segment.shape[1], len(kept), dtype=np.int32)])
        count, rows = segment.shape
        starts = np.arange(0, count * rows + 1, count, dtype=np.int32)
        # Every row lies in one segment of each combination, so that nothing has to be sorted.
        whole = csc_matrix((np.ones(count * rows), segment.T.ravel(), starts), shape=(len(kept) + 2, rows))
        return whole.tocsr()[: len(kept) + 1]

    values = tuple(cube.place[d] - cube.place[d].min() for d in range(len(by)))
    names = (*(cube.name(s) for s in kept), "")
    return Layout(names, sizes, dimension, tests, now, members(now), members(~now), values, dict(cube.rare))


def _renamed(cube: Cube, n: Array, whole: float) -> NDArray[np.bool_]:
    place = {dimensions: number for number, dimensions in enumerate(dict.fromkeys(cube.dimensions))}
    out = np.zeros(len(n), dtype=bool)
    for dimensions, number in place.items():
        first, last = cube.place[number].min(), cube.place[number].max() + 1
        rows = cube.first[first:last]
        shorter = [np.full(last - first, whole)]
        for left_out in dimensions if len(dimensions) > 1 else ():
            shorter.append(n[cube.place[place[tuple(d for d in dimensions if d != left_out)], rows]])
        out[first:last] = (n[first:last] > _SAME * np.array(shorter)).any(axis=0)
    return out
