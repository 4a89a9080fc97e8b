"""Staffing: what a queue does with so many agents, how many it needs, and what a plan comes to when lived through."""

from __future__ import annotations

from svcanalytics.staffing.deferred import deferred_requirement
from svcanalytics.staffing.erlang import QueuePerformance, erlang_a, erlang_b, erlang_c, wait_percentile
from svcanalytics.staffing.misses import trace_misses
from svcanalytics.staffing.needs import requirement
from svcanalytics.staffing.routing import Crew, Stream, route
from svcanalytics.staffing.simulation import Simulation, compare, simulate
from svcanalytics.staffing.sizing import required_agents
from svcanalytics.staffing.skills import skilled_requirement

__all__ = [
    "Crew",
    "QueuePerformance",
    "Simulation",
    "Stream",
    "compare",
    "deferred_requirement",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "required_agents",
    "requirement",
    "route",
    "simulate",
    "skilled_requirement",
    "trace_misses",
    "wait_percentile",
]
