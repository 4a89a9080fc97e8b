"""Day totals explained by the calendar, times a profile of the day: the finding that forecasts here are built on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.dayeffects import day_groups
from svcanalytics.demand.models.drawing import draw_counts
from svcanalytics.demand.models.mixed import Effects, fit_effects
from svcanalytics.demand.models.shapes import Shapes, fit_shapes, learnable

__all__ = ["DayRegression", "FittedDayRegression"]


@dataclass(frozen=True)
class DayRegression:
    """Poisson log-normal mixed model of day totals on calendar effects, spread over the day by weekday profiles.

    Attributes
    ----------
    sds : dict[str, float], optional
        Standard deviations of the effects, where known; else learned by `steps` steps.
    """

    sds: dict[str, float] | None = None
    steps: int = 12
    half_life: float = 70.0

    @property
    def name(self) -> str:
        """``day_regression``."""
        return "day_regression"

    def tuned(self, history: DayMatrix) -> DayRegression:
        """Return the model with the standard deviations learned from a history."""
        fitted = FittedDayRegression(self, history, fit_shapes(history, half_life=self.half_life))
        return replace(self, sds=fitted.effects(history.rows(0, 0)).sds, steps=0)

    def fit(self, history: DayMatrix) -> FittedDayRegression:
        """Learn profiles; effects are learned together with the days to come, with which they share a covariance."""
        model = self.tuned(history) if self.steps else self
        return FittedDayRegression(model, history, fit_shapes(history, half_life=self.half_life))


@dataclass(frozen=True)
class FittedDayRegression:
    """What `DayRegression` learned."""

    model: DayRegression
    history: DayMatrix
    shapes: Shapes

    def effects(self, future: DayMatrix) -> Effects:
        """Return effects and covariance of the open days to come."""
        history = self.history
        days = history.days.append(future.days)
        features = pd.concat([history.features, future.features])
        exposed = np.vstack([self.shapes.of(history), self.shapes.of(future)])
        opened = exposed.sum(axis=1) > 0
        use = np.zeros(len(days), bool)
        use[: len(history.days)] = learnable(history)
        counts = np.full(len(days), np.nan)
        counts[: len(history.days)] = np.nansum(history.counts, axis=1)
        counts[~use] = np.nan
        groups = day_groups(days, features, opened, len(history.days))
        ahead = np.flatnonzero(opened)
        ahead = np.flatnonzero(ahead >= len(history.days))
        return fit_effects(
            counts[opened],
            exposed.sum(axis=1)[opened],
            groups,
            sds=self.model.sds,
            steps=self.model.steps,
            wanted=ahead,
        )

    def outlook(self, future: DayMatrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean, shape ``(D, S)``, and the covariance of the log day totals of the open days."""
        effects = self.effects(future)
        exposed = self.shapes.of(future)
        opened = exposed.sum(axis=1) > 0
        level = np.exp(effects.log_rate[len(effects.log_rate) - opened.sum() :] + 0.5 * np.diag(effects.covariance))
        mean = np.full(exposed.shape, np.nan)
        mean[opened] = np.where(exposed[opened] > 0, exposed[opened] * level[:, None], np.nan)
        return mean, effects.covariance

    def mean(self, future: DayMatrix) -> NDArray[np.float64]:
        """Return expected arrivals, shape ``(D, S)``."""
        return self.outlook(future)[0]

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return courses, shape ``(n, D, S)``: days vary together, as far as they share a level."""
        mean, covariance = self.outlook(future)
        rate = np.repeat(mean[None], n, axis=0)
        busy = rng.standard_normal((n, len(covariance))) @ np.linalg.cholesky(covariance).T
        rate[:, future.open_days] *= np.exp(busy - 0.5 * np.diag(covariance))[:, :, None]
        return draw_counts(rate, rng)
