"""A plan from end to end: forecast, requirement with its risk, shifts, roster, and what comes of it when lived."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.staffing.living.simulation import Simulation, simulate
from svcanalytics.staffing.living.windows import risk_windows
from svcanalytics.staffing.needs.intervals import requirement
from svcanalytics.staffing.rostering.roster import Roster, plan_roster
from svcanalytics.staffing.shifting.planning import plan_shifts
from svcanalytics.staffing.shifting.rules import ShiftRules
from svcanalytics.staffing.shifting.shiftplan import ShiftPlan
from svcanalytics.staffing.volumes import PathSource
from svcanalytics.staffing.weekly.assumptions import Assumptions
from svcanalytics.staffing.weekly.coverage import cover
from svcanalytics.staffing.weekly.staff import Staff

__all__ = ["Goal", "StaffingPlan", "plan_staffing"]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Goal:
    """What is promised: this share answered within so many seconds (a mapping by queue), on all but `risk` of days."""

    service_level: float = 0.8
    within_s: float | Mapping[str, float] = 20.0
    risk: float = 0.1
    max_occupancy: float | None = None

    def limits(self, queues: Iterable[str]) -> dict[str, float]:
        """Return the limit of each queue, in seconds."""
        look = self.within_s
        return {queue: float(look[queue] if isinstance(look, Mapping) else look) for queue in queues}


@dataclass(frozen=True, eq=False)
class StaffingPlan:
    """A plan and what it rests on.

    Attributes
    ----------
    goal : Goal
    forecast : PathSource
        Of the days that are planned.
    assumptions : Assumptions
    requirement : pandas.DataFrame
        As `requirement` returns it.
    shifts : ShiftPlan
        Anonymous.
    roster : Roster or None
    coverage : pandas.DataFrame
        queue, start, required, planned, shortfall: by the roster where there is one.
    lived_shifts : pandas.DataFrame
        The shifts that somebody works: all of them where there is no roster.
    lived : Simulation
    windows : pandas.DataFrame
        Where the risk of the week sits, as `risk_windows` tells.
    promises : pandas.DataFrame
        queue ("" for all together), service_level (expected, with low and high, between which it lies in 80 of 100
        weeks), day_kept, week_kept (shares of days and weeks in which the promise is kept), week_low, week_high.
    cost : float
        Pay of what is rostered, or of the shifts where there is no roster, in the rules' currency.
    hours : float
        Paid.
    """

    goal: Goal
    forecast: PathSource
    assumptions: Assumptions
    requirement: pd.DataFrame
    shifts: ShiftPlan
    roster: Roster | None
    coverage: pd.DataFrame
    lived_shifts: pd.DataFrame
    lived: Simulation
    windows: pd.DataFrame
    promises: pd.DataFrame
    cost: float
    hours: float

    @property
    def rules(self) -> ShiftRules:
        """The rules that shifts keep."""
        return self.shifts.rules


def plan_staffing(
    forecast: PathSource,
    assumptions: Assumptions,
    rules: ShiftRules,
    goal: Goal | None = None,
    *,
    staff: Staff | None = None,
    wishes: pd.DataFrame | None = None,
    floor: float | Mapping[str, float] = 0,
    draws: int = 500,
    shift_limit_s: float = 30.0,
    roster_limit_s: float = 60.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> StaffingPlan:
    """Plan from a forecast: requirement, shifts, a roster where people are known, and live through it.

    Parameters
    ----------
    forecast : Forecast
        With sample paths.
    assumptions : Assumptions
    rules : ShiftRules
    goal : Goal, optional
    staff : Staff, optional
        Without it shifts stay anonymous and as many as are needed.
    wishes : DataFrame, optional
        As `plan_roster` takes them.
    floor : float or mapping by queue
        As in `requirement`.
    draws : int
        Weeks to live through.
    shift_limit_s, roster_limit_s : float
        Longest time for each solver; the best so far is taken, with its gap.
    seed : int
    progress : callable, optional
        Called with what is done, steps begun and steps in all.

    Raises
    ------
    StaffingError
        Something given makes no sense, or the promise can't be kept by any number of people.
    """
    goal = goal or Goal()
    step = progress or (lambda doing, done, total: None)
    steps = 4 if staff is not None else 3
    handle_s = assumptions.handle_times(forecast.table)
    queues = [str(queue) for queue in forecast.table["queue"].unique()]
    patience, absence = assumptions.patience(queues), assumptions.value("absence")
    concurrency = assumptions.concurrency(queues)
    noise = float(np.nan_to_num(assumptions.value("handle_noise")))
    step("requirement", 0, steps)
    needed = requirement(
        forecast, handle_s, service_level=goal.service_level, within_s=goal.within_s, patience_s=patience,
        max_occupancy=goal.max_occupancy, risk=goal.risk, floor=floor, concurrency=concurrency,
        shrinkage=assumptions.value("shrinkage"), absence=absence, handle_noise=noise, seed=seed,
    )  # fmt: skip
    step("shifts", 1, steps)
    limits = None if staff is None else staff.share_out(_weekly_hours(needed))
    shifts = plan_shifts(needed, rules, shift_limit_s, agents=limits, within_s=goal.within_s, patience_s=patience)
    if shifts.shifts.empty:
        raise StaffingError(
            "no shift covers anything of the requirement",
            where=f"shift rules {rules.id}",
            fix="use rules whose shifts fall into the opening hours",
        )
    roster, worked = None, shifts
    if staff is not None:
        step("roster", 2, steps)
        roster = plan_roster(
            shifts, staff.agents, leave=staff.leave, wishes=wishes, history=staff.history,
            time_limit_s=roster_limit_s, seed=seed,
        )  # fmt: skip
        worked = replace(shifts, shifts=_given(shifts.shifts, roster.assignments))
    step("simulation", steps - 1, steps)
    lived = simulate(
        worked, forecast, handle_s, service_level=goal.service_level, within_s=goal.within_s, patience_s=patience,
        max_occupancy=goal.max_occupancy, concurrency=concurrency, absence=absence, handle_noise=noise, draws=draws,
        seed=seed + 1,
    )  # fmt: skip
    rows = worked.shifts
    return StaffingPlan(
        goal=goal,
        forecast=forecast,
        assumptions=assumptions,
        requirement=needed,
        shifts=shifts,
        roster=roster,
        coverage=cover(rows, shifts),
        lived_shifts=rows,
        lived=lived,
        windows=risk_windows(lived, "week", most=3),
        promises=_promises(lived, goal),
        cost=float((rows["cost"] * rows["count"]).sum()),
        hours=float((rows["paid_s"] * rows["count"]).sum() / 3600),
    )


def _weekly_hours(needed: pd.DataFrame) -> dict[str, float]:
    """Return the hours a week that each queue needs."""
    length = needed["start"].drop_duplicates().sort_values().diff().min().total_seconds() / 3600
    weeks = max(np.ceil((needed["start"].max() - needed["start"].min()) / pd.Timedelta(days=7)), 1)
    return (needed.groupby("queue")["scheduled"].sum() * length / weeks).to_dict()


def _given(shifts: pd.DataFrame, assignments: pd.DataFrame) -> pd.DataFrame:
    """Return the shifts that somebody works."""
    keys = ["group", "pattern", "start", "end", "breaks"]
    count = assignments.groupby(keys, sort=False).size().rename("given").reset_index()
    found = shifts.merge(count, on=keys, how="left")
    return found.assign(count=found["given"].fillna(0).astype(int)).drop(columns="given").query("count > 0")


def _promises(lived: Simulation, goal: Goal) -> pd.DataFrame:
    draws = lived.draws
    week = draws["day"] - pd.to_timedelta(draws["day"].dt.day_of_week, unit="D")
    rows = [_kept("", draws.groupby([week, "draw"]), draws.groupby(["day", "draw"]), goal)]
    for queue, own in draws.groupby("queue", sort=False):
        rows.append(_kept(str(queue), own.groupby([week[own.index], "draw"]), own.groupby(["day", "draw"]), goal))
    return pd.DataFrame(rows[1:] if len(rows) == 2 else rows)


def _kept(queue: str, weeks, days, goal: Goal) -> dict[str, object]:
    level = {}
    for name, grouped in (("week", weeks), ("day", days)):
        sums = grouped[["within", "base"]].sum()
        level[name] = (sums["within"] / sums["base"]).fillna(1.0)
        every = grouped["base"].sum()
        level[name] = level[name][every > 0] if (every > 0).any() else level[name]
    met = level["week"] >= goal.service_level
    low, high = wilson_interval(np.array([met.sum()]), np.array([len(met)]))
    return {
        "queue": queue,
        "service_level": level["week"].mean(),
        "low": level["week"].quantile(0.1),
        "high": level["week"].quantile(0.9),
        "day_kept": (level["day"] >= goal.service_level).mean(),
        "week_kept": met.mean(),
        "week_low": float(low[0]),
        "week_high": float(high[0]),
    }
