"""What a forecasting model is: it is fitted on a queue's history and gives means and sample paths of days to come."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix

__all__ = ["Fitted", "Model"]


@runtime_checkable
class Fitted(Protocol):
    """A model that has seen a history.

    It never sees `counts` of the days to come: of `future` it reads days, exposure and features alone, so that changing
    what happens later can't change a forecast.
    """

    def mean(self, future: DayMatrix) -> NDArray[np.float64]:
        """Return expected arrivals.

        Parameters
        ----------
        future : DayMatrix
            Days after the history's last one, in order, with the history's slots; ``D`` rows, ``S`` columns.

        Returns
        -------
        numpy.ndarray, shape ``(D, S)``
            At least 0; NaN where closed. A slot of exposure 2 holds what comes in both its hours.
        """
        ...

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Return `n` equally likely courses of the days to come.

        Returns
        -------
        numpy.ndarray, shape ``(n, D, S)``
            Whole numbers, at least 0; NaN where closed.
        """
        ...


@runtime_checkable
class Model(Protocol):
    """A way to forecast, with its settings fixed; stateless, so one object fits any number of queues."""

    @property
    def name(self) -> str:
        """What users call it, as in ``forecast(arrivals, model="eight_week_average")``."""
        ...

    def fit(self, history: DayMatrix) -> Fitted:
        """Learn from a history.

        Parameters
        ----------
        history : DayMatrix
            Every day up to the origin; rows that are closed or missing are skipped, never taken for zero.

        Raises
        ------
        DemandError
            When the history is too short for this model; says how much it needs.
        """
        ...
