"""Text: the themes that people write about, how they grow and what they cost."""

from __future__ import annotations

from svcanalytics.causes.text.clustering import cluster
from svcanalytics.causes.text.clusters import Clusters
from svcanalytics.causes.text.costing import theme_cost
from svcanalytics.causes.text.growing import theme_growth
from svcanalytics.causes.text.recognising import recognise
from svcanalytics.causes.text.telling import theme_findings
from svcanalytics.causes.text.weighing import weigh_themes

__all__ = ["Clusters", "cluster", "recognise", "theme_cost", "theme_findings", "theme_growth", "weigh_themes"]
