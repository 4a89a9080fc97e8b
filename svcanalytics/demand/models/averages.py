"""The industry's bar: the last same weekday, and averages of the same weekday over eight weeks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.drawing import busyness_cv, draw_busy_days
from svcanalytics.demand.models.shapes import learnable
from svcanalytics.errors import DemandError

__all__ = ["FittedAverage", "WeekdayAverage"]


@dataclass(frozen=True)
class WeekdayAverage:
    """Mean of the last same weekdays on record; with one of them, the seasonal naive forecast.

    Attributes
    ----------
    weeks : int
        How many of them.
    momentum : bool
        Scale by how the last two weeks' totals stand to the average of the same weekdays, which is what workforce
        management suites call momentum.
    """

    weeks: int = 8
    momentum: bool = False

    @property
    def name(self) -> str:
        """``seasonal_naive``, ``eight_week_average`` or ``eight_week_momentum``."""
        if self.weeks == 1:
            return "seasonal_naive"
        return "eight_week_momentum" if self.momentum else "eight_week_average"

    def fit(self, history: DayMatrix) -> FittedAverage:
        """Average the history.

        Raises
        ------
        DemandError
            No day was recorded.
        """
        rows = np.flatnonzero(learnable(history))
        if not len(rows):
            raise DemandError(
                "no day of the history is recorded in full", where=f"queue {history.queue!r}", fix="give more history"
            )
        weekday = history.days.day_of_week.to_numpy()
        week = np.empty((7, len(history.slots)))
        overall = _mean(history.counts[rows[-5 * self.weeks :]])
        for day in range(7):
            same = rows[weekday[rows] == day][-self.weeks :]
            # A weekday never seen open takes the mean of the days that were.
            week[day] = _mean(history.counts[same]) if len(same) else overall
            week[day] = np.where(np.isnan(week[day]), overall, week[day])
        week = np.nan_to_num(week)
        expected = (week[weekday] * history.exposure).sum(axis=1)
        totals = np.nansum(history.counts, axis=1)
        late = rows[-5 * self.weeks :]
        cv = busyness_cv(totals[late], expected[late])
        recent = rows[rows >= len(history.days) - 14] if self.momentum else rows[:0]
        if len(recent) and expected[recent].sum() > 0:
            week *= totals[recent].sum() / expected[recent].sum()
        return FittedAverage(week, cv)


@dataclass(frozen=True)
class FittedAverage:
    """Averages by weekday and slot, shape ``(7, S)``, and the variation of days around them."""

    week: NDArray[np.float64]
    cv: float

    def mean(self, future: DayMatrix) -> NDArray[np.float64]:
        """Return expected arrivals, shape ``(D, S)``."""
        mean = self.week[future.days.day_of_week.to_numpy()] * future.exposure
        return np.where(future.open_slots, mean, np.nan)

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return courses, shape ``(n, D, S)``."""
        return draw_busy_days(self.mean(future), self.cv, n, rng)


def _mean(counts):
    seen = ~np.isnan(counts)
    total = np.where(seen, counts, 0.0).sum(axis=0)
    return np.where(seen.any(axis=0), total / np.maximum(seen.sum(axis=0), 1), np.nan)
