"""Demand: arrivals counted on a calendar, forecast with an honest spread, and judged against what came."""

from __future__ import annotations

from svcanalytics.demand.matrix import DayMatrix

__all__ = ["DayMatrix"]
