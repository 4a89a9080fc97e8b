"""Root causes: which segments explain what went wrong, and what goes with an outcome."""

from __future__ import annotations

from svcanalytics.causes.association import rules
from svcanalytics.causes.localisation import segments, segments_of_counts
from svcanalytics.causes.steps import process
from svcanalytics.causes.text import Clusters, cluster

__all__ = ["Clusters", "cluster", "process", "rules", "segments", "segments_of_counts"]
