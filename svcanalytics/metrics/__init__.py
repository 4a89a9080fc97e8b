"""Metrics and standards: what the tables say about the service, by period and unit."""

from __future__ import annotations

from svcanalytics.metrics.comparison import compare
from svcanalytics.metrics.definitions import Catalogue, Metric, catalogue, families
from svcanalytics.metrics.measures import measure

__all__ = ["Catalogue", "Metric", "catalogue", "compare", "families", "measure"]
