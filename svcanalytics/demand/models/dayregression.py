"""Day totals explained by the calendar, times a profile of the day: the finding that forecasts here are built on."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.dayeffects import day_groups
from svcanalytics.demand.models.drawing import draw_joint_days
from svcanalytics.demand.models.mixed import Effects, Group, fit_effects
from svcanalytics.demand.models.shapes import Shapes, fit_shapes, learnable

__all__ = ["DayRegression", "FittedDayRegression", "Layout", "lay_out"]

LONGEST = 1100
"""Days of history that are used, the most recent ones: three years."""


@dataclass(frozen=True)
class DayRegression:
    """Poisson log-normal mixed model of day totals on calendar effects, spread over the day by weekday profiles.

    Attributes
    ----------
    sds : dict[str, float], optional
        Standard deviations of the effects, where known; else learned by at most `steps` steps.
    steps : int
    """

    sds: dict[str, float] | None = field(default=None, hash=False)
    steps: int = 12

    @property
    def name(self) -> str:
        """``day_regression``."""
        return "day_regression"

    def tuned(self, history: DayMatrix) -> DayRegression:
        """Return the model with the standard deviations learned from a history."""
        fitted = FittedDayRegression(replace(self, steps=12), recent(history), fit_shapes(history))
        return replace(self, sds=fitted.effects(history.rows(0, 0)).sds, steps=0)

    def fit(self, history: DayMatrix) -> FittedDayRegression:
        """Learn profiles; effects are learned together with the days to come, with which they share a covariance."""
        model = self.tuned(history) if self.steps else self
        return FittedDayRegression(model, recent(history), fit_shapes(history))


@dataclass(frozen=True)
class FittedDayRegression:
    """What `DayRegression` learned."""

    model: DayRegression
    history: DayMatrix
    shapes: Shapes

    def effects(self, future: DayMatrix) -> Effects:
        """Return effects of the open days, and the covariance of those to come."""
        return lay_out(self.history, future, self.shapes).effects(self.model)

    def outlook(self, future: DayMatrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean, shape ``(D, S)``, and the covariance of the log totals of the open days."""
        layout = lay_out(self.history, future, self.shapes)
        return layout.outlook(layout.effects(self.model))

    def mean(self, future: DayMatrix) -> NDArray[np.float64]:
        """Return expected arrivals, shape ``(D, S)``."""
        return self.outlook(future)[0]

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return courses, shape ``(n, D, S)``: days vary together, as far as they share a level."""
        return draw_joint_days(*self.outlook(future), future.open_days, n, rng)


@dataclass(frozen=True)
class Layout:
    """The open days of a history and of a future in one row, with all that may move them.

    Attributes
    ----------
    opened : numpy.ndarray of int, shape ``(N,)``
        Rows of the open days among all; the last `ahead` are to come.
    ahead : int
    exposed : numpy.ndarray, shape ``(N, S)``
        Profile times exposure.
    totals : numpy.ndarray, shape ``(N,)``
        Arrivals of the days that can be learned from, else NaN.
    future : DayMatrix
    groups : list[Group]
    """

    opened: NDArray[np.intp]
    ahead: int
    exposed: NDArray[np.float64]
    totals: NDArray[np.float64]
    future: DayMatrix
    groups: list[Group]

    def effects(self, model: DayRegression) -> Effects:
        """Fit the effects of a day regression."""
        wanted = np.arange(len(self.opened) - self.ahead, len(self.opened))
        offset = self.exposed.sum(axis=1)
        return fit_effects(self.totals, offset, self.groups, sds=model.sds, steps=model.steps, wanted=wanted)

    def outlook(self, effects: Effects) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return mean ``(D, S)`` and covariance of the days to come."""
        first = len(self.opened) - self.ahead
        level = np.exp(effects.log_rate[first:] + 0.5 * np.diag(effects.covariance))
        mean = np.full(self.future.exposure.shape, np.nan)
        mean[self.future.open_days] = self.exposed[first:] * level[:, None]
        return np.where(self.future.open_slots, mean, np.nan), effects.covariance


def lay_out(history: DayMatrix, future: DayMatrix, shapes: Shapes) -> Layout:
    """Put a history and the days to come into one row."""
    days = history.days.append(future.days)
    features = pd.concat([history.features, future.features])
    exposed = np.vstack([shapes.of(history), shapes.of(future)])
    opened = np.flatnonzero(np.r_[history.open_days, future.open_days])
    totals = np.full(len(days), np.nan)
    use = learnable(history)
    totals[: len(use)][use] = np.nansum(history.counts[use], axis=1)
    mask = np.zeros(len(days), dtype=bool)
    mask[opened] = True
    groups = day_groups(days, features, mask, len(use))
    return Layout(opened, int(future.open_days.sum()), exposed[opened], totals[opened], future, groups)


def recent(history: DayMatrix) -> DayMatrix:
    """Return the days of a history that models of day totals use."""
    days = len(history.days)
    return history.rows(days - LONGEST, days) if days > LONGEST else history
