"""The process behind the cases: its ways, its waiting and its bottlenecks, read from the events."""

from __future__ import annotations

from svcanalytics.causes.steps.discovery import process
from svcanalytics.causes.steps.result import Process

__all__ = ["Process", "process"]
