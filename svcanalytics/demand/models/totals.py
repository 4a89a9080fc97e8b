"""What models of day totals have in common: a grid without gaps before them, profiles of the day after them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.drawing import draw_busy_days
from svcanalytics.demand.models.shapes import Shapes, learnable
from svcanalytics.errors import DemandError

__all__ = ["DayGrid", "FittedTotals", "lay_grid", "recorded_rows"]


@dataclass(frozen=True)
class FittedTotals:
    """A model of day totals with profiles of the day.

    Attributes
    ----------
    shapes : Shapes
    totals : callable
        From days to come to what a usual day's exposure would bring on each, shape ``(D,)``.
    cv : float
        Variation of days around what was expected of them.
    """

    shapes: Shapes
    totals: Callable[[DayMatrix], NDArray[np.float64]] = field(repr=False)
    cv: float

    def mean(self, future: DayMatrix) -> NDArray[np.float64]:
        """Return expected arrivals, shape ``(D, S)``."""
        mean = self.shapes.of(future) * np.maximum(self.totals(future), 0.0)[:, None]
        return np.where(future.open_slots, mean, np.nan)

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return courses, shape ``(n, D, S)``."""
        return draw_busy_days(self.mean(future), self.cv, n, rng)


@dataclass(frozen=True)
class DayGrid:
    """Usual days of business in a row, so that a week is always as many steps; gaps are filled.

    Attributes
    ----------
    days : pandas.DatetimeIndex, shape ``(N,)``
    log : numpy.ndarray, shape ``(N,)``
        Log of the total that a usual day's exposure brought or, in gaps, would have brought.
    week : int
        Steps a week.
    weekdays : numpy.ndarray of bool, shape ``(7,)``
        The usual ones, Monday first.
    """

    days: pd.DatetimeIndex
    log: NDArray[np.float64]
    week: int
    weekdays: NDArray[np.bool_]

    def steps(self, days: pd.DatetimeIndex) -> NDArray[np.intp]:
        """Return how many steps after the grid's end each day is; unusual weekdays are as far as the one before."""
        if not len(days):
            return np.zeros(0, dtype=int)
        ahead = pd.date_range(self.days[-1] + pd.Timedelta(days=1), days[-1])
        counted = np.cumsum(self.weekdays[ahead.day_of_week.to_numpy()])
        return np.maximum(counted[ahead.get_indexer(days)], 1)


def recorded_rows(history: DayMatrix, least: int, name: str) -> NDArray[np.intp]:
    """Return the rows that can be learned from.

    Raises
    ------
    DemandError
        There are fewer than `least`.
    """
    rows = np.flatnonzero(learnable(history))
    if len(rows) < least:
        raise DemandError(
            f"{name} needs {least} days on record, there are {len(rows)}",
            where=f"queue {history.queue!r}",
            fix='give more history, or use model="auto"',
        )
    return rows


def lay_grid(history: DayMatrix, shapes: Shapes, rows: NDArray[np.intp]) -> DayGrid:
    """Lay a history's day totals on a grid; a gap takes the mean of its neighbours of the same weekday."""
    weekday = history.days.day_of_week.to_numpy()
    often = np.array(
        [np.mean(np.isin(np.flatnonzero(weekday == w), rows)) if (weekday == w).any() else 0 for w in range(7)]
    )
    usual = often > 0.25 * max(often.max(), 1e-9)
    offset = shapes.of(history).sum(axis=1)
    log = np.full(len(history.days), np.nan)
    log[rows] = np.log((np.nansum(history.counts[rows], axis=1) + 0.5) / np.maximum(offset[rows], 1e-9))
    last = int(rows[-1]) + 1
    kept = np.flatnonzero(usual[weekday[:last]])
    kept = kept[kept >= rows[0]]
    values = pd.Series(log[kept])
    same = values.groupby(weekday[kept])
    filled = values.fillna((same.ffill() + same.bfill()) / 2).fillna(same.ffill()).fillna(same.bfill())
    return DayGrid(history.days[kept], filled.fillna(values.mean()).to_numpy(), int(usual.sum()), usual)
