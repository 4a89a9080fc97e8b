"""Integer programmes: whole numbers within bounds, rows that hold them together, and blocks that belong to a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Programme"]


@dataclass
class Programme:
    """Columns of whole numbers from 0 to `upper`, to be chosen at least cost; all coefficients are whole numbers.

    Attributes
    ----------
    cost, upper : list of int
        One per column.
    low, high : list of float
        One per row.
    entries : list of (row, column, factor)
    blocks : list of list of int
        Columns that belong together: a person's.
    """

    cost: list[int] = field(default_factory=list)
    upper: list[int] = field(default_factory=list)
    low: list[float] = field(default_factory=list)
    high: list[float] = field(default_factory=list)
    entries: list[tuple[int, int, int]] = field(default_factory=list)
    blocks: list[list[int]] = field(default_factory=list)

    def column(self, cost: int, upper: int = 1) -> int:
        """Add a column and return its number."""
        self.cost.append(cost)
        self.upper.append(upper)
        return len(self.cost) - 1

    def row(
        self,
        columns: Sequence[int],
        factors: Sequence[int] | int = 1,
        *,
        least: float = -np.inf,
        most: float = np.inf,
    ) -> None:
        """Hold the weighted sum of columns between two bounds."""
        number = len(self.low)
        weights = [factors] * len(columns) if isinstance(factors, int) else factors
        self.entries += [(number, column, weight) for column, weight in zip(columns, weights, strict=True)]
        self.low.append(least)
        self.high.append(most)
