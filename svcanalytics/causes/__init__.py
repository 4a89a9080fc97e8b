"""Root causes: which segments explain what went wrong, and what goes with an outcome."""

from __future__ import annotations

from svcanalytics.causes.association import rules
from svcanalytics.causes.finding import Finding, finding_id, tabulate
from svcanalytics.causes.gathering.collecting import gather
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.localisation import segments, segments_of_counts
from svcanalytics.causes.ranking.following import follow
from svcanalytics.causes.ranking.telling import describe
from svcanalytics.causes.ranking.union import find, findings
from svcanalytics.causes.steps import process
from svcanalytics.causes.text import Clusters, cluster

__all__ = [
    "Clusters",
    "Finding",
    "Material",
    "cluster",
    "describe",
    "find",
    "finding_id",
    "findings",
    "follow",
    "gather",
    "process",
    "rules",
    "segments",
    "segments_of_counts",
    "tabulate",
]
