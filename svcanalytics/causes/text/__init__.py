"""Text: the themes that people write about, how they grow and what they cost."""

from __future__ import annotations

from svcanalytics.causes.text.clustering import Clusters, cluster

__all__ = ["Clusters", "cluster"]
