"""Staffing: what a queue does with so many agents, how many it needs, and what a plan comes to when lived through."""

from __future__ import annotations

from svcanalytics.staffing.formulas.erlang import QueuePerformance, erlang_a, erlang_b, erlang_c, wait_percentile
from svcanalytics.staffing.formulas.sizing import required_agents
from svcanalytics.staffing.hiring.recruiting import CapacityPlan, plan_capacity
from svcanalytics.staffing.hiring.workforce import Workforce, describe_workforce, learning_curve
from svcanalytics.staffing.hiring.workload import monthly_workload
from svcanalytics.staffing.living.comparison import compare
from svcanalytics.staffing.living.misses import trace_misses
from svcanalytics.staffing.living.routing import Crew, Stream, route
from svcanalytics.staffing.living.simulation import Simulation, simulate
from svcanalytics.staffing.living.whatif import relive, what_if
from svcanalytics.staffing.living.windows import risk_windows
from svcanalytics.staffing.needs.deferred import deferred_requirement
from svcanalytics.staffing.needs.intervals import requirement
from svcanalytics.staffing.needs.skills import skilled_requirement
from svcanalytics.staffing.rostering.lacking import explain_lacking
from svcanalytics.staffing.rostering.roster import Roster, plan_roster
from svcanalytics.staffing.rostering.rules import RosterRules, roster_rules
from svcanalytics.staffing.shifting.planning import plan_shifts
from svcanalytics.staffing.shifting.reading import read_shifts
from svcanalytics.staffing.shifting.rules import ShiftRules
from svcanalytics.staffing.shifting.shiftplan import ShiftPlan
from svcanalytics.staffing.shifting.wording import explain_shortfalls
from svcanalytics.staffing.weekly.calendars import write_calendars
from svcanalytics.staffing.weekly.frontier import weigh_targets
from svcanalytics.staffing.weekly.keeping import keep_requirement
from svcanalytics.staffing.weekly.planning import plan_week
from svcanalytics.staffing.weekly.weekplan import Goal, StaffingPlan, plan_staffing
from svcanalytics.staffing.weekly.wording import (
    describe_cost,
    describe_goal,
    describe_verdict,
    describe_window,
    describe_windows,
    missing_sentences,
    spans_weeks,
    worst_windows,
)
from svcanalytics.staffing.weekly.workbook import write_workbook

__all__ = [
    "CapacityPlan",
    "Crew",
    "Goal",
    "QueuePerformance",
    "Roster",
    "RosterRules",
    "ShiftPlan",
    "ShiftRules",
    "Simulation",
    "StaffingPlan",
    "Stream",
    "Workforce",
    "compare",
    "deferred_requirement",
    "describe_cost",
    "describe_goal",
    "describe_verdict",
    "describe_window",
    "describe_windows",
    "describe_workforce",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "explain_lacking",
    "explain_shortfalls",
    "keep_requirement",
    "learning_curve",
    "missing_sentences",
    "monthly_workload",
    "plan_capacity",
    "plan_roster",
    "plan_shifts",
    "plan_staffing",
    "plan_week",
    "read_shifts",
    "relive",
    "required_agents",
    "requirement",
    "risk_windows",
    "roster_rules",
    "route",
    "simulate",
    "skilled_requirement",
    "spans_weeks",
    "trace_misses",
    "wait_percentile",
    "weigh_targets",
    "what_if",
    "worst_windows",
    "write_calendars",
    "write_workbook",
]
