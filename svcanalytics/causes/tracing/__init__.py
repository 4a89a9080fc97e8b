"""Tracing a finding: did only the data change, which layer is it on, what moves with what, and why, and why that."""

from __future__ import annotations

from svcanalytics.causes.tracing.circumstances import with_circumstances
from svcanalytics.causes.tracing.following import relation_findings
from svcanalytics.causes.tracing.gatekeeping import artefact_findings, gate, mark_artefacts
from svcanalytics.causes.tracing.lags import relations
from svcanalytics.causes.tracing.layers import layer_of, layer_of_column
from svcanalytics.causes.tracing.traces import Trace
from svcanalytics.causes.tracing.verdicts import locate, trace, trace_all, trace_cases
from svcanalytics.causes.tracing.whychain import WhyChain, five_why

__all__ = [
    "Trace",
    "WhyChain",
    "artefact_findings",
    "five_why",
    "gate",
    "layer_of",
    "layer_of_column",
    "locate",
    "mark_artefacts",
    "relation_findings",
    "relations",
    "trace",
    "trace_all",
    "trace_cases",
    "with_circumstances",
]
