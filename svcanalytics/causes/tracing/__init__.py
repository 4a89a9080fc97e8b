"""Tracing a finding: did only the data change, which layer is it on, what moves with what, and why, and why that."""

from __future__ import annotations

from svcanalytics.causes.tracing.layers import layer_of, layer_of_column
from svcanalytics.causes.tracing.verdicts import Trace, locate, trace, trace_all, trace_cases

__all__ = ["Trace", "layer_of", "layer_of_column", "locate", "trace", "trace_all", "trace_cases"]
