"""Weekday times slot times a level that drifts: Poisson counts with gamma busyness, filtered in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.drawing import busyness_cv, draw_busy_days
from svcanalytics.demand.models.shapes import Shapes, fit_shapes, kinds_of_days, learnable
from svcanalytics.errors import DemandError

__all__ = ["FittedPoissonGamma", "PoissonGamma"]

_BURN_IN = 5
_PRIOR = 0.25
_DISCOUNTS = (0.75, 0.85, 0.92, 0.96, 0.98, 0.99)


@dataclass(frozen=True)
class PoissonGamma:
    """Two-way Poisson-gamma model: rate = level x factor of the kind of day x profile of the day x gamma busyness.

    The level is a gamma-distributed rate whose evidence is discounted day by day (Smith and Miller 1986, J. R. Statist.
    Soc. B 48:79; Aktekin and Soyer 2011, Naval Res. Logist. 58:28 for call arrivals); the discount is that under which
    the history was most likely one day ahead.
    """

    @property
    def name(self) -> str:
        """``poisson_gamma``."""
        return "poisson_gamma"

    def fit(self, history: DayMatrix) -> FittedPoissonGamma:
        """Filter the history.

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
        shapes = fit_shapes(history)
        kinds = kinds_of_days(history)
        exposed = shapes.of(history).sum(axis=1)
        totals = np.nansum(history.counts, axis=1)
        age = len(history.days) - rows
        # Make-up days and days off are rare: years of them count.
        memory = np.where(kinds[rows] < 7, 90.0, 1000.0)
        factors = _factors(totals[rows], exposed[rows], kinds[rows], 0.5 ** (age / memory))
        expected = exposed[rows] * factors[kinds[rows]]
        best = max((_filter(totals[rows], expected, discount) for discount in _DISCOUNTS), key=lambda found: found[0])
        _, level, ahead = best
        cv = busyness_cv(totals[rows][_BURN_IN:], ahead[_BURN_IN:])
        return FittedPoissonGamma(shapes, level * factors, cv)


@dataclass(frozen=True)
class FittedPoissonGamma:
    """Profiles, expected total of each kind of day, shape ``(9,)``, and the variation of days' busyness."""

    shapes: Shapes
    totals: NDArray[np.float64]
    cv: float

    def mean(self, future: DayMatrix) -> NDArray[np.float64]:
        """Return expected arrivals, shape ``(D, S)``."""
        mean = self.shapes.of(future) * self.totals[kinds_of_days(future)][:, None]
        return np.where(future.open_slots, mean, np.nan)

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return courses, shape ``(n, D, S)``."""
        return draw_busy_days(self.mean(future), self.cv, n, rng)


def _factors(totals, exposed, kinds, weight):
    # Factor of each kind of day, drawn a little to the mean of all.
    mean = max((weight @ totals) / max(weight @ exposed, 1e-12), 1e-9)
    member = (kinds[:, None] == np.arange(9)) * weight[:, None]
    return (member.T @ totals + _PRIOR * mean) / (member.T @ exposed + _PRIOR)


def _filter(
    totals: NDArray[np.float64], expected: NDArray[np.float64], discount: float
) -> tuple[float, float, NDArray[np.float64]]:
    """Return how well days were foreseen one day ahead, the last level, and what was expected of each day."""
    # Evidence: of each day's total, what discounts leave of it; starting from one mean day at level 1.
    unit = max(float(expected.mean()), 1e-9)
    shape, rate = 1.0, 1.0
    level = np.empty(len(totals))
    for day, (total, mean) in enumerate(zip((totals / unit).tolist(), (expected / unit).tolist(), strict=True)):
        level[day] = shape / rate
        shape, rate = discount * shape + total, discount * rate + mean
    ahead = expected * level
    # The scale-free error of the log is judged: busyness makes the Poisson likelihood far too sharp.
    missed = np.log(totals[_BURN_IN:] + 0.5) - np.log(ahead[_BURN_IN:] + 0.5)
    return -float(missed @ missed), shape / rate, ahead
