"""Models of statsforecast on day totals, for those who have it installed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.drawing import busyness_cv
from svcanalytics.demand.models.shapes import fit_shapes
from svcanalytics.demand.models.totals import FittedTotals, lay_grid, recorded_rows
from svcanalytics.errors import DemandError

__all__ = ["StatsForecast", "statsforecast_installed"]

_KINDS = ("AutoETS", "AutoARIMA", "AutoTheta", "AutoCES", "MSTL", "MFLES")


@dataclass(frozen=True)
class StatsForecast:
    """One of statsforecast's models on log day totals, on the grid that keeps its gaps, times profiles of the day.

    Attributes
    ----------
    kind : str
        ``AutoETS``, ``AutoARIMA``, ``AutoTheta``, ``AutoCES``, ``MSTL`` or ``MFLES``.
    """

    kind: str = "AutoETS"

    @property
    def name(self) -> str:
        """``nixtla_autoets`` and the like."""
        return f"nixtla_{self.kind.lower()}"

    def fit(self, history: DayMatrix) -> FittedTotals:
        """Fit the model.

        Raises
        ------
        DemandError
            statsforecast is not installed, has no such model, or fewer than three weeks are on record.
        """
        if self.kind not in _KINDS:
            raise DemandError(f"there is no model {self.kind!r}", fix=f"use one of {', '.join(_KINDS)}")
        if not statsforecast_installed():
            raise DemandError(
                "statsforecast is not installed", where=f"model {self.name!r}", fix='pip install "svcanalytics[nixtla]"'
            )
        from statsforecast import models

        rows = recorded_rows(history, 15, self.name)
        shapes = fit_shapes(history)
        grid = lay_grid(history, shapes, rows)
        season = [grid.week] if self.kind in ("MSTL", "MFLES") else grid.week
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = getattr(models, self.kind)(season_length=season).fit(grid.log)
            inside = np.asarray(fitted.predict_in_sample()["fitted"], dtype=float)

        def totals(future: DayMatrix):
            steps = grid.steps(future.days)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ahead = np.asarray(fitted.predict(h=int(steps.max(initial=1)))["mean"], dtype=float)
            return np.exp(ahead[steps - 1])

        known = np.isfinite(inside)
        return FittedTotals(shapes, totals, busyness_cv(np.exp(grid.log[known][5:]), np.exp(inside[known][5:])))


def statsforecast_installed() -> bool:
    """Tell whether the optional adapter can be used."""
    return find_spec("statsforecast") is not None
