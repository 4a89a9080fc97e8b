"""Staffing: what a queue does with so many agents, how many it needs, and what a plan comes to when lived through."""

from __future__ import annotations

from svcanalytics.staffing.formulas.erlang import QueuePerformance, erlang_a, erlang_b, erlang_c, wait_percentile
from svcanalytics.staffing.formulas.sizing import required_agents
from svcanalytics.staffing.living.misses import trace_misses
from svcanalytics.staffing.living.routing import Crew, Stream, route
from svcanalytics.staffing.living.simulation import Simulation, compare, simulate
from svcanalytics.staffing.needs.deferred import deferred_requirement
from svcanalytics.staffing.needs.intervals import requirement
from svcanalytics.staffing.needs.skills import skilled_requirement

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
