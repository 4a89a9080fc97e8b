"""Demand: arrivals counted on a calendar, forecast with an honest spread, and judged against what came."""

from __future__ import annotations

from svcanalytics.demand.days.daydescription import describe_days
from svcanalytics.demand.days.effects import calendar_effects
from svcanalytics.demand.exporting import export, forecast_days
from svcanalytics.demand.forecasting import forecast
from svcanalytics.demand.history.arrivals import Arrivals
from svcanalytics.demand.history.counting import count
from svcanalytics.demand.intraday import update
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.result import Forecast
from svcanalytics.demand.service.handling import handle_times, shrinkage
from svcanalytics.demand.service.waiting import patience, patience_curve
from svcanalytics.demand.verdict.backtesting import backtest
from svcanalytics.demand.verdict.scoring import scores
from svcanalytics.demand.verdict.significance import compare_models
from svcanalytics.demand.verdict.tracking import Tracking, drift_alarms, keep, track

__all__ = [
    "Arrivals",
    "DayMatrix",
    "Forecast",
    "Tracking",
    "backtest",
    "calendar_effects",
    "compare_models",
    "count",
    "describe_days",
    "drift_alarms",
    "export",
    "forecast",
    "forecast_days",
    "handle_times",
    "keep",
    "patience",
    "patience_curve",
    "scores",
    "shrinkage",
    "track",
    "update",
]
