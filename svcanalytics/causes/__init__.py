"""Root causes: which segments explain what went wrong, and what goes with an outcome."""

from __future__ import annotations

from svcanalytics.causes.association import rules
from svcanalytics.causes.localisation import segments, segments_of_counts
from svcanalytics.causes.steps import process

__all__ = ["process", "rules", "segments", "segments_of_counts"]
