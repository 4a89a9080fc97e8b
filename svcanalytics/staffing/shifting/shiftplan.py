"""A plan of shifts: who many work which shift with which breaks, what that covers, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from svcanalytics.staffing.shifting.rules import ShiftRules
from svcanalytics.staffing.shifting.wording import explain_shortfalls

__all__ = ["ShiftPlan"]


@dataclass(frozen=True, eq=False)
class ShiftPlan:
    """Shifts without names that cover a requirement.

    Attributes
    ----------
    shifts : pandas.DataFrame
        group, pattern, day (local midnight of its start), start and end (absolute; in the requirement's time zone),
        breaks (a tuple of (start, end, paid)), count (people), paid_s and cost (of one person).
    coverage : pandas.DataFrame
        queue, start, required, planned (people on shift and not at a break, on average over the slot), shortfall,
        surplus, and agents: of those planned who is at work, when the requirement allowed for shrinkage.
    shortfalls : pandas.DataFrame
        What can't be covered, as `explain_shortfalls` tells: queue, start, end, missing, reason,
        detail, groups (whose people are too few).
    cost : float
        Pay of all shifts.
    price : float
        `cost` and what shortfall and surplus were weighed at: what was made least.
    bound : float
        No plan under these rules has a lower price.
    status : str
        ``"optimal"`` when the price is within the gap asked for, else ``"time limit"``: the best found in time.
    rules : ShiftRules
    interval_s : float
    """

    shifts: pd.DataFrame
    coverage: pd.DataFrame
    shortfalls: pd.DataFrame
    cost: float
    price: float
    bound: float
    status: str
    rules: ShiftRules
    interval_s: float

    @property
    def gap(self) -> float:
        """How much lower, as a share, the price could be at most."""
        return max(self.price - self.bound, 0.0) / self.price if self.price > 0 else 0.0

    @property
    def plan(self) -> pd.DataFrame:
        """Queue, start and agents at work, as `simulate` takes them."""
        return self.coverage[["queue", "start", "agents"]].copy()

    @property
    def missing(self) -> list[str]:
        """What can't be covered, in English sentences; empty when everything is."""
        return explain_shortfalls(self.shortfalls)
