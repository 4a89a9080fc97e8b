"""Gradient boosting with Poisson loss on what is known when the forecast is made."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.drawing import busyness_cv, draw_busy_days
from svcanalytics.demand.models.shapes import Shapes, fit_shapes, kinds_of_days
from svcanalytics.demand.models.totals import recorded_rows

__all__ = ["Boosting", "FittedBoosting"]

_GAP = 14
_WEEKS = 8
_CLASSES = ("ordinary", "weekend", "holiday", "substituted", "make_up", "eve", "day_after", "bridge")
_KNOWN = ("work_day", "work_days_left", "window_offset", "school_break", "pay_day", "billing_day")


@dataclass(frozen=True)
class Boosting:
    """Histogram gradient boosting of the ratio of a slot to its weekday's average, weighed by that average.

    The average that a day of the history is compared with ends `_GAP` days before it, as a forecast's does: no feature
    knows more in training than it will in use.
    """

    seed: int = 0

    @property
    def name(self) -> str:
        """``boosting``."""
        return "boosting"

    def fit(self, history: DayMatrix) -> FittedBoosting:
        """Boost.

        Raises
        ------
        DemandError
            Fewer than six weeks are on record.
        """
        from sklearn.ensemble import HistGradientBoostingRegressor

        rows = recorded_rows(history, 30, self.name)
        shapes = fit_shapes(history)
        offset = shapes.of(history)
        totals = np.nansum(history.counts, axis=1)
        level, weekday = _levels(history, rows, totals / np.maximum(offset.sum(axis=1), 1e-12))
        used = rows[np.isfinite(level[rows])][-400:]
        base = offset[used] * level[used, None]
        table = _table(history)[used]
        known = (base > 0) & np.isfinite(history.counts[used])
        day, slot = np.nonzero(known)
        inputs = np.column_stack([table[day], slot])
        ratio = history.counts[used][known] / base[known]
        model = HistGradientBoostingRegressor(
            loss="poisson", max_iter=80, learning_rate=0.08, max_leaf_nodes=15, min_samples_leaf=40,
            l2_regularization=5.0, early_stopping=False, random_state=self.seed,
        )  # fmt: skip
        model.fit(inputs, ratio, sample_weight=base[known] / base[known].mean())
        expected = np.zeros(base.shape)
        expected[known] = base[known] * model.predict(inputs)
        return FittedBoosting(history, shapes, weekday, model, busyness_cv(totals[used], expected.sum(axis=1)))


@dataclass(frozen=True)
class FittedBoosting:
    """Averages by weekday and the trees that correct them."""

    history: DayMatrix
    shapes: Shapes
    weekday: NDArray[np.float64]
    model: object
    cv: float

    def mean(self, future: DayMatrix) -> NDArray[np.float64]:
        """Return expected arrivals, shape ``(D, S)``."""
        both = _join(self.history, future)
        table = _table(both)[len(self.history.days) :]
        level = self.weekday[future.days.day_of_week.to_numpy()]
        base = self.shapes.of(future) * level[:, None]
        day, slot = np.nonzero(future.open_slots)
        mean = np.full(base.shape, np.nan)
        if len(day):
            mean[day, slot] = base[day, slot] * self.model.predict(np.column_stack([table[day], slot]))
        return mean

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return courses, shape ``(n, D, S)``."""
        return draw_busy_days(self.mean(future), self.cv, n, rng)


def _levels(history, rows, totals):
    """Return what each day's weekday averaged until `_GAP` days before, and what each averages now."""
    weekday = history.days.day_of_week.to_numpy()
    level = np.full(len(totals), np.nan)
    for row in rows:
        same = rows[(weekday[rows] == weekday[row]) & (rows <= row - _GAP)][-_WEEKS:]
        if len(same):
            level[row] = totals[same].mean()
    now = np.array(
        [totals[rows[weekday[rows] == w][-_WEEKS:]].mean() if (weekday[rows] == w).any() else np.nan for w in range(7)]
    )
    return level, np.where(np.isnan(now), np.nanmean(now), now)


def _table(days: DayMatrix) -> NDArray[np.float64]:
    """Return what is known of each day beforehand, shape ``(D, features)``."""
    features, opened = days.features, days.open_days
    closed_before = np.zeros(len(opened))
    for day in range(1, len(opened)):
        closed_before[day] = 0 if opened[day - 1] else closed_before[day - 1] + 1
    columns = [
        kinds_of_days(days),
        days.days.day_of_week.to_numpy(),
        days.days.day.to_numpy(),
        (days.days.days_in_month - days.days.day).to_numpy(),
        closed_before,
        pd.Categorical(features["day_class"].astype(str), categories=_CLASSES).codes,
    ]
    names = [name for name in _KNOWN if name in features]
    names += [name for name in features if str(name).startswith(("event_", "x_"))]
    return np.column_stack([*columns, *(features[name].to_numpy(dtype=float) for name in names)])


def _join(history: DayMatrix, future: DayMatrix) -> DayMatrix:
    return DayMatrix(
        history.queue,
        history.days.append(future.days),
        history.slots,
        history.slot_s,
        history.timezone,
        np.vstack([history.counts, np.full(future.counts.shape, np.nan)]),
        np.vstack([history.exposure, future.exposure]),
        pd.concat([history.features, future.features]),
    )
