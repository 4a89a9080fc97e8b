"""Every combination of up to so many dimensions, once: the table that segments and rules are both read from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CauseError

if TYPE_CHECKING:
    from scipy.sparse import csc_matrix

__all__ = ["Cube", "build", "read_dimensions"]

MISSING = ""
"""How a missing value of a dimension is written; it is a group like any other."""


@dataclass(frozen=True, eq=False)
class Cube:
    """All segments of a frame: a segment fixes the values of up to `depth` dimensions.

    Attributes
    ----------
    by : tuple of str
        The dimensions.
    place : numpy.ndarray of int32, shape ``(combinations, rows)``
        For each combination of dimensions the segment every row lies in.
    dimensions : tuple of tuples of int
        For each segment the places in `by` of the dimensions it fixes.
    first : numpy.ndarray of int32, shape ``(segments,)``
        For each segment a row that lies in it, which its values are read from.
    labels : tuple of numpy.ndarray of str
        For each dimension the value of every row as text.
    rare : dict of str to int
        Dimensions with more values than are looked at, and how many were put together as ``other``.
    """

    by: tuple[str, ...]
    place: NDArray[np.int32]
    dimensions: tuple[tuple[int, ...], ...]
    first: NDArray[np.int32]
    labels: tuple[NDArray[np.object_], ...]
    rare: dict[str, int]

    def total(self, quantity: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the sum of a quantity (one value per row) over every segment, shape ``(segments,)``."""
        out = np.zeros(len(self.first))
        for place in self.place:
            low = place.min()
            sums = np.bincount(place - low, quantity)
            out[low : low + len(sums)] = sums
        return out

    def members(self) -> csc_matrix:
        """Return the matrix, shape ``(segments, rows)``, that is 1 where a row lies in a segment."""
        from scipy.sparse import csc_matrix

        count, rows = self.place.shape
        # Every row lies in exactly one segment of each combination, so the columns are known without sorting.
        starts = np.arange(0, count * rows + 1, count)
        return csc_matrix((np.ones(count * rows), self.place.T.ravel(), starts), shape=(len(self.first), rows))

    def name(self, segment: int) -> str:
        """Return a segment as ``team=B&channel=app``, dimensions in the order of `by`."""
        row = self.first[segment]
        return "&".join(f"{self.by[d]}={self.labels[d][row]}" for d in self.dimensions[segment])


def read_dimensions(
    by: Sequence[str] | str, outcome: Sequence[str], depth: int, taken: Sequence[str] = ()
) -> list[str]:
    """Return the dimensions asked for, each once.

    Parameters
    ----------
    by : str or sequence of str
    outcome : sequence of str
        Columns that hold the outcome, which can't explain itself.
    depth : int
        Most dimensions that a segment fixes.
    taken : sequence of str
        Names that mean something else in the search.

    Raises
    ------
    CauseError
        When there is none, one is the outcome or bears a name that is taken, or `depth` is no whole number from 1 up.
    """
    named = [by] if isinstance(by, str) else list(dict.fromkeys(by))
    if not named:
        raise CauseError("no dimension is given to look along", where="by", fix="name one column or more")
    for name in named:
        if name in outcome:
            raise CauseError(f"{name!r} is the outcome itself", where="by", fix="leave it out")
        if name in taken:
            raise CauseError(
                f"a dimension can't be called {name!r} here", where="by", fix="give the column another name"
            )
    if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or depth < 1:
        raise CauseError(f"a depth of {depth} finds nothing", where="depth", fix="use 1, 2 or 3")
    return named


def build(frame: pd.DataFrame, by: Sequence[str], depth: int = 3, most_values: int = 200) -> Cube:
    """Build the cube of a frame.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per case or per leaf.
    by : sequence of str
        Columns to combine. Missing values are a value of their own.
    depth : int
        Most dimensions a segment fixes.
    most_values : int
        A dimension with more values keeps its most frequent ones; the others become ``other``.

    Raises
    ------
    CauseError
        When a column is missing, none is given, or the depth is below 1.
    """
    by = tuple(read_dimensions(by, (), depth))
    _check(frame, by)
    codes, labels, rare = [], [], {}
    for column in by:
        code, values = _factorise(frame[column])
        if len(values) > most_values:
            counts = np.bincount(code)
            kept = np.sort(np.argsort(-counts, kind="stable")[: most_values - 1])
            rare[column] = len(values) - len(kept)
            place = np.full(len(values), len(kept))
            place[kept] = np.arange(len(kept))
            code, values = place[code], np.append(values[kept], "other")
        codes.append(code.astype(np.int32))
        labels.append(values[code])
    sizes = [int(code.max()) + 1 if len(code) else 0 for code in codes]
    rows, dimensions, firsts, start = [], [], [], 0
    for number in range(1, min(depth, len(by)) + 1):
        for chosen in combinations(range(len(by)), number):
            segment, first = _cells([codes[d] for d in chosen], [sizes[d] for d in chosen])
            rows.append((segment + start).astype(np.int32))
            dimensions += [chosen] * len(first)
            firsts.append(first)
            start += len(first)
    return Cube(by, np.stack(rows), tuple(dimensions), np.concatenate(firsts), tuple(labels), rare)


def _cells(codes: list[NDArray[np.int32]], sizes: list[int]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    # Number the combinations that occur, and name one row of each. Mixed radix where the table of all is small.
    mixed = codes[0] if np.prod(sizes, dtype=float) < 2**31 else codes[0].astype(np.int64)
    for code, size in zip(codes[1:], sizes[1:], strict=True):
        mixed = mixed * size + code
    table = int(np.prod(sizes))
    if table <= 4 * len(mixed) + 1000:
        first = np.full(table, -1, dtype=np.int32)
        first[mixed] = np.arange(len(mixed), dtype=np.int32)
        there = first >= 0
        return (np.cumsum(there, dtype=np.int32) - 1)[mixed], first[there]
    _, first, place = np.unique(mixed, return_index=True, return_inverse=True)
    return place, first


def _factorise(column: pd.Series) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    # Codes in the order of the values' texts, whatever the order of the rows.
    code, values = pd.factorize(column, use_na_sentinel=False)
    texts = np.array(
        [MISSING if missing else str(value) for value, missing in zip(values, pd.isna(values), strict=True)]
    )
    ordered, place = np.unique(texts, return_inverse=True)
    return place[code].astype(np.int64), ordered.astype("object")


def _check(frame: pd.DataFrame, by: tuple[str, ...]) -> None:
    absent = [column for column in by if column not in frame.columns]
    if absent:
        raise CauseError(
            f"there is no column {absent[0]!r}",
            where="by",
            fix=f"use columns of the frame: {', '.join(map(str, frame.columns))}",
        )
    if frame.empty:
        raise CauseError("there are no cases to look at", fix="check the period and the filter")
