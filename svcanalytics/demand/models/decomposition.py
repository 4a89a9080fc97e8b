"""Seasonal-trend decomposition of day totals, the rest by exponential smoothing, on a grid that keeps its gaps."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.drawing import busyness_cv
from svcanalytics.demand.models.shapes import fit_shapes
from svcanalytics.demand.models.totals import DayGrid, FittedTotals, lay_grid, recorded_rows

__all__ = ["SeasonalTrend"]

_YEAR = 365.2425


@dataclass(frozen=True)
class SeasonalTrend:
    """MSTL of log day totals (Bandara, Hyndman and Bergmeir 2021) with damped ETS on what is left, times profiles.

    Holidays leave a filled gap on the grid, so that weeks stay in step. The season of the year is taken out where two
    years are on record.
    """

    @property
    def name(self) -> str:
        """``mstl_ets``."""
        return "mstl_ets"

    def fit(self, history: DayMatrix) -> FittedTotals:
        """Decompose the history.

        Raises
        ------
        DemandError
            Fewer than three weeks are on record.
        """
        rows = recorded_rows(history, 15, self.name)
        shapes = fit_shapes(history)
        grid = lay_grid(history, shapes, rows)
        seasonal, adjusted, periods = _decompose(grid)
        ahead, fitted = _smooth(adjusted)

        def totals(future: DayMatrix):
            steps = grid.steps(future.days)
            level = ahead(int(steps.max(initial=1)))[steps - 1]
            for season, period in zip(seasonal.T, periods, strict=True):
                level = level + season[-period:][(steps - 1) % period]
            return np.exp(level)

        missed = np.exp(adjusted[5:]), np.exp(fitted[5:])
        return FittedTotals(shapes, totals, busyness_cv(*missed))


def _decompose(grid: DayGrid):
    from statsmodels.tsa.seasonal import MSTL

    n = len(grid.log)
    year = round(_YEAR / 7 * grid.week)
    periods = [period for period in (grid.week, year) if period > 1 and n >= 2 * period + 1]
    if not periods:
        return np.zeros((n, 0)), grid.log, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = MSTL(grid.log, periods=periods, stl_kwargs={"robust": True}).fit()
    seasonal = np.asarray(found.seasonal).reshape(n, len(periods))
    return seasonal, grid.log - seasonal.sum(axis=1), periods


def _smooth(values):
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            found = ETSModel(values, error="add", trend="add", damped_trend=True).fit(disp=False)
        except (ValueError, np.linalg.LinAlgError):
            found = ETSModel(values, error="add").fit(disp=False)
    return (lambda steps: np.asarray(found.forecast(steps))), np.asarray(found.fittedvalues)
