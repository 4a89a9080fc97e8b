"""Staffing: what a queue does with so many agents, and how many it needs."""

from __future__ import annotations

from svcanalytics.staffing.queueing import QueuePerformance, erlang_a, erlang_b, erlang_c, wait_percentile
from svcanalytics.staffing.sizing import required_agents

__all__ = ["QueuePerformance", "erlang_a", "erlang_b", "erlang_c", "required_agents", "wait_percentile"]
