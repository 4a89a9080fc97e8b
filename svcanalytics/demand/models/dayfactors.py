"""Days whose profile bends with the calendar: factors of the day by slot matrix, each with a series of scores."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.dayregression import DayRegression, Layout, lay_out, recent
from svcanalytics.demand.models.drawing import draw_joint_days
from svcanalytics.demand.models.mixed import fit_values
from svcanalytics.demand.models.shapes import Shapes, fit_shapes

__all__ = ["DayFactors", "FittedDayFactors"]

_LOUDER = 3.0  # scores are scaled to variance one, effects on day totals are of the order of a third of that
_BEND = 0.5


@dataclass(frozen=True)
class DayFactors:
    """Day regression whose profiles bend by factors.

    Departures of slots from profile times total, in Pearson's standard deviations, are cut into factors by singular
    value decomposition, and each factor's daily scores are forecast by the same calendar effects as day totals (Shen
    and Huang 2008, M&SOM 10:391, who forecast scores by autoregressions).

    Attributes
    ----------
    factors : int
        How many.
    base : DayRegression
    sds : tuple of dict, optional
        Standard deviations of the effects on each factor's scores, where known.
    """

    factors: int = 2
    base: DayRegression = field(default_factory=DayRegression)
    sds: tuple[dict[str, float], ...] | None = field(default=None, hash=False)

    @property
    def name(self) -> str:
        """``day_factors``."""
        return "day_factors"

    def tuned(self, history: DayMatrix) -> DayFactors:
        """Return the model with its standard deviations learned from a history."""
        base = self.base.tuned(history)
        fitted = FittedDayFactors(replace(self, base=base), recent(history), fit_shapes(history))
        layout = lay_out(fitted.history, history.rows(0, 0), fitted.shapes)
        return replace(self, base=base, sds=tuple(sds for sds, _, _ in fitted.scores(layout, steps=8)))

    def fit(self, history: DayMatrix) -> FittedDayFactors:
        """Learn profiles and factors."""
        model = self if self.sds is not None else self.tuned(history)
        return FittedDayFactors(model, recent(history), fit_shapes(history))


@dataclass(frozen=True)
class FittedDayFactors:
    """What `DayFactors` learned."""

    model: DayFactors
    history: DayMatrix
    shapes: Shapes

    def scores(
        self, layout: Layout, steps: int = 0
    ) -> list[tuple[dict[str, float], NDArray[np.float64], NDArray[np.float64]]]:
        """Return of each factor the standard deviations, the pattern ``(S,)`` and the scores of open days ``(N,)``."""
        seen = np.flatnonzero(np.isfinite(layout.totals) & (layout.totals > 0))
        counts = np.nan_to_num(self.history.counts[layout.opened[seen]])
        total = layout.totals[seen]
        expected = layout.exposed[seen] / layout.exposed[seen].sum(axis=1, keepdims=True) * total[:, None]
        shape = expected.sum(axis=0) / expected.sum()
        if len(seen) < 10 or shape.size < 4:
            return []
        root = np.sqrt(np.maximum(shape, 1e-9))
        off = np.where(expected > 0, counts / np.maximum(expected, 1e-9) - 1.0, 0.0) * root
        pearson = np.clip(off * np.sqrt(total)[:, None], -8.0, 8.0)
        vectors = np.linalg.svd(pearson, full_matrices=False)[2][: self.model.factors]
        groups = [replace(g, sd=g.sd * _LOUDER) for g in layout.groups]
        found = []
        for k, vector in enumerate(vectors):
            raw = (pearson @ vector) / np.sqrt(total)
            scale = max(raw.std(), 1e-9)
            values, chance = np.full(len(layout.opened), np.nan), np.ones(len(layout.opened))
            values[seen], chance[seen] = raw / scale, 1.0 / (total * scale**2)
            known = self.model.sds[k] if self.model.sds and k < len(self.model.sds) else None
            effects = fit_values(values, chance, groups, noise=0.7, sds=known, steps=steps)
            found.append((effects.sds, vector / root, effects.log_rate * scale))
        return found

    def outlook(self, future: DayMatrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the mean, shape ``(D, S)``, and the covariance of the log totals of the open days."""
        layout = lay_out(self.history, future, self.shapes)
        mean, covariance = layout.outlook(layout.effects(self.model.base))
        opened = future.open_days
        bend = np.zeros((layout.ahead, mean.shape[1]))
        for _, pattern, scores in self.scores(layout):
            bend += scores[len(scores) - layout.ahead :, None] * pattern
        bent = mean[opened] * np.exp(np.clip(bend, -_BEND, _BEND))
        mean[opened] = bent * (np.nansum(mean[opened], axis=1) / np.maximum(np.nansum(bent, axis=1), 1e-12))[:, None]
        return mean, covariance

    def mean(self, future: DayMatrix) -> NDArray[np.float64]:
        """Return expected arrivals, shape ``(D, S)``."""
        return self.outlook(future)[0]

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return courses, shape ``(n, D, S)``."""
        return draw_joint_days(*self.outlook(future), future.open_days, n, rng)
