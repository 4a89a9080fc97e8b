"""The process behind the cases: its ways, its waiting and its bottlenecks, read from the events."""

from __future__ import annotations

from svcanalytics.causes.steps.discovery import process
from svcanalytics.causes.steps.result import Process
from svcanalytics.causes.steps.telling import step_findings

__all__ = ["Process", "process", "step_findings"]
