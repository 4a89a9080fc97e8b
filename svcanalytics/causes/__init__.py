"""Root causes: what went wrong, where, since when, how much it costs, and on which layer it lies."""

from __future__ import annotations

from svcanalytics.causes.association import rules
from svcanalytics.causes.finding import Finding, finding_id, tabulate
from svcanalytics.causes.gathering.collecting import gather, gather_each
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.language import SentimentModel, conduct, conversations, sentiment, train_sentiment
from svcanalytics.causes.localisation import segments, segments_of_counts
from svcanalytics.causes.ranking.following import follow, keep_themes
from svcanalytics.causes.ranking.telling import describe
from svcanalytics.causes.ranking.union import find, findings
from svcanalytics.causes.steps import process
from svcanalytics.causes.text import Clusters, cluster, weigh_themes
from svcanalytics.causes.tracing import (
    Trace,
    WhyChain,
    five_why,
    gate,
    relations,
    trace_all,
    trace_cases,
    with_circumstances,
)

__all__ = [
    "Clusters",
    "Finding",
    "Material",
    "SentimentModel",
    "Trace",
    "WhyChain",
    "cluster",
    "conduct",
    "conversations",
    "describe",
    "find",
    "finding_id",
    "findings",
    "five_why",
    "follow",
    "gate",
    "gather",
    "gather_each",
    "keep_themes",
    "process",
    "relations",
    "rules",
    "segments",
    "segments_of_counts",
    "sentiment",
    "tabulate",
    "trace_all",
    "trace_cases",
    "train_sentiment",
    "weigh_themes",
    "with_circumstances",
]
