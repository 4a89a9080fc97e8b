"""An integer programme split into the parts that have nothing to do with each other, solved against the clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Programme", "Sheet", "Solution", "solve"]

_LEAST_S = 0.1  # a part is given this long even when the time is up, so that there is an answer


@dataclass(frozen=True, eq=False)
class Programme:
    """Minimise ``cost @ x`` with ``low <= matrix @ x <= high`` and ``0 <= x <= most``, some of x whole."""

    cost: NDArray[np.float64]
    matrix: sparse.csr_matrix
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    most: NDArray[np.float64]
    whole: NDArray[np.bool_]

    def relaxed(self) -> Programme:
        """Return the programme in which nothing need be whole."""
        return replace(self, whole=np.zeros_like(self.whole))


@dataclass(frozen=True, eq=False)
class Solution:
    """The best x found, 0 where there was no time to find any, and a bound that no cost goes below."""

    x: NDArray[np.float64]
    bound: float
    optimal: bool


class Sheet:
    """A programme in the making: columns, rows and blocks of coefficients are added in turn."""

    def __init__(self) -> None:
        self._cost: list[NDArray[np.float64]] = []
        self._most: list[NDArray[np.float64]] = []
        self._whole: list[NDArray[np.bool_]] = []
        self._low: list[NDArray[np.float64]] = []
        self._high: list[NDArray[np.float64]] = []
        self._entries: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float64]]] = []
        self._labels: dict[tuple[str, ...], int] = {}
        self._size = [0, 0]

    def columns(
        self, cost: NDArray[np.float64], *, most: NDArray[np.float64] | float = np.inf, whole: bool = False,
        label: tuple[str, ...] = (),
    ) -> int:  # fmt: skip
        """Add columns from 0 to `most` and return the number of the first."""
        first, n = self._size[1], len(cost)
        self._cost.append(np.asarray(cost, dtype="float64"))
        self._most.append(np.broadcast_to(np.asarray(most, dtype="float64"), n))
        self._whole.append(np.full(n, whole))
        self._labels[label] = first
        self._size[1] += n
        return first

    def labelled(self, *label: str) -> int:
        """Return the number of the first of the columns added under a label."""
        return self._labels[label]

    def rows(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> int:
        """Add rows and return the number of the first."""
        first = self._size[0]
        self._low.append(np.array(low, dtype="float64"))
        self._high.append(np.array(high, dtype="float64"))
        self._size[0] += len(low)
        return first

    def entries(self, row: NDArray[np.intp], column: NDArray[np.intp], value: NDArray[np.float64] | float) -> None:
        """Add coefficients."""
        self._entries.append((row, column, np.broadcast_to(np.asarray(value, dtype="float64"), len(row))))

    def block(self, values: sparse.csr_matrix, rows: NDArray[np.intp], column: int) -> None:
        """Add a matrix: its rows go to `rows`, its columns from `column` on."""
        found = values.tocoo()
        self.entries(rows[found.row], column + found.col, found.data)

    def programme(self) -> Programme:
        """Return what has been added."""
        from scipy import sparse

        row, column, value = (np.concatenate(each) for each in zip(*self._entries, strict=True))
        matrix = sparse.csr_matrix((value, (row, column)), shape=tuple(self._size))
        low, high, cost, most, whole = (
            np.concatenate(each) for each in (self._low, self._high, self._cost, self._most, self._whole)
        )
        return Programme(cost, matrix, low, high, most, whole)


def solve(programme: Programme, seconds: float, gap: float) -> Solution:
    """Solve with HiGHS, part by part, until every part is within a relative `gap` or `seconds` have passed.

    Parameters
    ----------
    programme : Programme
    seconds : float
    gap : float
    """
    ends = time.monotonic() + seconds
    part = _parts(programme)
    sizes = np.bincount(part)
    x = np.zeros(len(programme.cost))
    bound, optimal = 0.0, True
    # Small parts first: what they leave of their time goes to the large ones.
    order = np.argsort(sizes, kind="stable")
    weights = sizes[order].astype("float64") ** 2
    for place, number in enumerate(order):
        columns = np.flatnonzero(part == number)
        left = max(ends - time.monotonic(), 0.0)
        share = max(left * weights[place] / weights[place:].sum(), min(left, 1.0), _LEAST_S)
        solution = _solve_part(programme, columns, share, gap)
        bound, optimal = bound + solution.bound, optimal and solution.optimal
        x[columns] = solution.x
    return Solution(x, bound, optimal)


def _parts(programme: Programme) -> NDArray[np.intp]:
    """The part each column belongs to: those that share a row, directly or through others."""
    from scipy.sparse import bmat, csgraph

    pattern = abs(programme.matrix)
    rows = pattern.shape[0]
    graph = bmat([[None, pattern], [pattern.T, None]], format="csr")
    _, label = csgraph.connected_components(graph, directed=False)
    own = label[rows:]
    # What only continuous columns make up is solved together, in no time.
    hard = np.unique(own[programme.whole])
    return np.unique(np.where(np.isin(own, hard), own + 1, 0), return_inverse=True)[1]


def _solve_part(programme: Programme, columns: NDArray[np.intp], seconds: float, gap: float) -> Solution:
    from scipy.optimize import Bounds, LinearConstraint, milp

    matrix = programme.matrix[:, columns]
    rows = np.flatnonzero(np.diff(matrix.indptr))
    cost, whole = programme.cost[columns], programme.whole[columns]
    scale = max(float(np.abs(cost).max(initial=0.0)), 1e-12)
    found = milp(
        cost / scale,
        integrality=whole.astype(int),
        bounds=Bounds(np.zeros(len(columns)), programme.most[columns]),
        constraints=LinearConstraint(matrix[rows], programme.low[rows], programme.high[rows]),
        options={"time_limit": seconds, "mip_rel_gap": gap},
    )
    bound = found.fun if found.status == 0 and not whole.any() else getattr(found, "mip_dual_bound", None)
    low = 0.0 if bound is None or not np.isfinite(bound) else max(float(bound), 0.0)
    x = np.zeros(len(columns)) if found.x is None else np.where(whole, np.round(found.x), found.x)
    return Solution(x, low * scale, found.status == 0)
