"""What more or less service would cost: the same week required and lived through at other targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from svcanalytics.staffing.living.simulation import simulate
from svcanalytics.staffing.needs.intervals import requirement
from svcanalytics.staffing.weekly.weekplan import StaffingPlan

__all__ = ["weigh_targets"]

_PATHS, _DRAWS = 200, 60


def weigh_targets(plan: StaffingPlan, targets: Sequence[float] | None = None, *, seed: int = 0) -> pd.DataFrame:
    """Return what each service level would take and cost, and what would come of it.

    Each target is required with the plan's risk and lived through as required, slot by slot; an agent-hour on shift
    costs what one of the plan's shifts does on average, so that breaks and idle ends of shifts are paid for.

    Parameters
    ----------
    plan : StaffingPlan
    targets : sequence of float, optional
        Shares answered in time, each above 0 and below 1; by default the plan's, one below and one above it.
    seed : int

    Returns
    -------
    pandas.DataFrame
        A row per target: target, hours (agents on shift), cost, service_level (mean of all queues' customers), low and
        high (between which it lies in 80 of 100 weeks), day_kept (share of days and queues that keep the target).

    Raises
    ------
    StaffingError
        A target is out of its range, or can't be kept by any number of people.
    """
    known, goal = plan.assumptions, plan.goal
    level = goal.service_level
    if targets is None:
        targets = (level - min(0.1, level / 2), level, (1 + level) / 2)
    handle_s = known.handle_times(plan.forecast.table)
    queues = [str(queue) for queue in plan.forecast.table["queue"].unique()]
    world = {
        "within_s": goal.within_s, "patience_s": known.patience(queues), "max_occupancy": goal.max_occupancy,
        "concurrency": known.concurrency(queues), "absence": known.value("absence"),
        "handle_noise": float(np.nan_to_num(known.value("handle_noise"))),
    }  # fmt: skip
    length = plan.shifts.interval_s / 3600
    hour = plan.shifts.cost / max(plan.shifts.coverage["planned"].sum() * length, 1e-9)
    rows = []
    for target in targets:
        needed = requirement(
            plan.forecast, handle_s, service_level=target, risk=goal.risk, shrinkage=known.value("shrinkage"),
            paths=_PATHS, seed=seed, **world,
        )  # fmt: skip
        lived = simulate(needed, plan.forecast, handle_s, service_level=target, draws=_DRAWS, seed=seed + 1, **world)
        sums = lived.draws.groupby("draw")[["within", "base"]].sum()
        served = (sums["within"] / sums["base"]).fillna(1.0)
        hours = float(needed["scheduled"].sum() * length)
        span = (served.mean(), served.quantile(0.1), served.quantile(0.9), lived.draws["kept"].mean())
        rows.append((target, hours, hours * hour, *span))
    return pd.DataFrame(rows, columns=["target", "hours", "cost", "service_level", "low", "high", "day_kept"])
