"""Metrics and standards: what the tables say about the service, by period and unit."""

from __future__ import annotations

from svcanalytics.metrics.attainment import standards
from svcanalytics.metrics.clocks import clock_rows, data_stop
from svcanalytics.metrics.comparison import compare
from svcanalytics.metrics.definitions import Catalogue, Metric, catalogue, families
from svcanalytics.metrics.listing import list_rows
from svcanalytics.metrics.measures import measure
from svcanalytics.metrics.rules import Rulebook, Standard, clock_calendars, rulebook
from svcanalytics.metrics.seasons import compare_days
from svcanalytics.metrics.stocks import backlog
from svcanalytics.metrics.worklist import overdue

__all__ = [
    "Catalogue",
    "Metric",
    "Rulebook",
    "Standard",
    "backlog",
    "catalogue",
    "clock_calendars",
    "clock_rows",
    "compare",
    "compare_days",
    "data_stop",
    "families",
    "list_rows",
    "measure",
    "overdue",
    "rulebook",
    "standards",
]
