"""A week's plan from a lake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import demand
from svcanalytics.errors import StaffingError
from svcanalytics.staffing.shifting.reading import read_shifts
from svcanalytics.staffing.shifting.rules import ShiftRules
from svcanalytics.staffing.weekly.assumptions import assume, usual_limits
from svcanalytics.staffing.weekly.staff import known_staff
from svcanalytics.staffing.weekly.weekplan import Goal, StaffingPlan, plan_staffing

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["at_home", "plan_week"]

_HISTORY_DAYS = 420
_LEAST_DAYS, _MOST_DAYS = 14, 35
_FARTHEST_DAYS = 120
_SHIPPED = ("service_desk", "hotline_24h")


@dataclass(frozen=True, eq=False)
class _Span:
    """The part of a forecast that is planned for."""

    whole: demand.Forecast
    first: pd.Timestamp
    last: pd.Timestamp

    @property
    def table(self) -> pd.DataFrame:
        day = self.whole.table["start"].dt.tz_localize(None)
        return self.whole.table[(day >= self.first) & (day < self.last)].reset_index(drop=True)

    def paths(self, n: int, seed: int = 0) -> pd.DataFrame:
        drawn = self.whole.paths(n, seed)
        day = drawn.index.get_level_values("start").tz_localize(None)
        return drawn[(day >= self.first) & (day < self.last)]


def plan_week(
    lake: Lake,
    first: date,
    days: int = 7,
    goal: Goal | None = None,
    *,
    table: str = "contacts",
    by: str = "queue",
    slot: str = "30min",
    rules: ShiftRules | None = None,
    handle_s: float | None = None,
    patience_s: float | None = None,
    shrinkage: float | None = None,
    absence: float | None = None,
    floor: float | Mapping[str, float] = 0,
    named: bool = True,
    wishes: pd.DataFrame | None = None,
    draws: int = 500,
    shift_limit_s: float = 30.0,
    roster_limit_s: float = 60.0,
    seed: int = 0,
    progress: Callable[[str, int, int], None] | None = None,
) -> StaffingPlan:
    """Plan the days from `first` on, from what the lake knew before them.

    Parameters
    ----------
    lake : Lake
    first : date
        Local; data of this day and later are not looked at.
    days : int
        Calendar days to plan.
    goal : Goal, optional
        By default 80 % in time on nine days of ten. Queues that a mapping of ``within_s`` leaves out have the limit
        that is usual for their channel (`usual_limits`).
    table, by, slot : str
        What arrives, the column that makes a queue, and the length of an interval.
    rules : ShiftRules, optional
        By default the organisation's own, or the first shipped ones whose shifts reach all opening hours.
    handle_s, patience_s, shrinkage, absence : float, optional
        Given instead of measured, as in `assume`.
    floor : float or mapping by queue
        As in `requirement`.
    named : bool
        Whether shifts are given to the people the lake knows.
    wishes : DataFrame, optional
        As `plan_roster` takes them.
    draws, shift_limit_s, roster_limit_s, seed, progress
        As in `plan_staffing`.

    Raises
    ------
    StaffingError
        The history is too short or ends too early, no handle time is known, a queue is unknown, or the promise can't
        be kept.
    DemandError
        Nothing can be counted.
    """
    if not 1 <= days <= _MOST_DAYS:
        raise StaffingError(f"{days} days can't be planned", where="days", fix=f"give 1 to {_MOST_DAYS}")
    if slot in ("day", "1D"):
        raise StaffingError("shifts can't be fitted to days", where="slot", fix="use 15min, 30min or 60min")
    step = progress or (lambda doing, done, total: None)
    step("forecast", 0, 5)
    start = pd.Timestamp(first)
    span = _foresee(lake, start, days, table, by, slot)
    queues = [str(queue) for queue in span.table["queue"].unique()]
    zone = span.table["start"].dt.tz
    begin, end = start.tz_localize(zone), (start + pd.Timedelta(days=days)).tz_localize(zone)
    known = assume(
        lake, queues, begin, by=by, handle_s=handle_s, patience_s=patience_s, shrinkage=shrinkage, absence=absence
    )
    goal = goal or Goal(within_s={})
    if isinstance(goal.within_s, Mapping):
        strange = sorted(set(goal.within_s) - set(queues))
        if strange:
            raise StaffingError(f"there is no queue {strange[0]!r}", where="within_s", fix=f"use {', '.join(queues)}")
        usual = usual_limits(lake, queues, begin, table=table, by=by)
        goal = replace(goal, within_s=usual | dict(goal.within_s))
    rules = rules or _choose_rules(lake, span.table["start"])
    staff = known_staff(lake, queues, begin, end, rules, table=table, by=by) if named else None
    return plan_staffing(
        span, known, rules, goal, staff=staff, wishes=wishes, floor=floor, draws=draws, shift_limit_s=shift_limit_s,
        roster_limit_s=roster_limit_s, seed=seed, progress=lambda doing, done, total: step(doing, done + 1, total + 1),
    )  # fmt: skip


def _foresee(lake: Lake, start: pd.Timestamp, days: int, table: str, by: str, slot: str) -> _Span:
    since = (start - timedelta(days=_HISTORY_DAYS)).date()
    counted = demand.count(lake, table, by, slot, start=since, end=start.date())
    arrivals = demand.Arrivals(counted, slot, holidays=lake.country, timezone=lake.timezone)
    recorded = max(int(matrix.recorded.sum()) for matrix in arrivals.matrices.values())
    if recorded < _LEAST_DAYS:
        raise StaffingError(
            f"the history has {recorded} days", where=f"table {table}", fix=f"load at least {_LEAST_DAYS} days"
        )
    ahead = (start - arrivals.last_day).days - 1 + days
    if ahead - days > _FARTHEST_DAYS:
        raise StaffingError(
            f"the data end on {arrivals.last_day:%Y-%m-%d}, too long before {start:%Y-%m-%d}",
            where=f"table {table}",
            fix="load newer data, or plan an earlier week",
        )
    future = {name: matrix.rows(0, ahead) for name, matrix in arrivals.future(ahead).items()}
    future = {n: m for n, m in future.items() if m.open_days[m.days >= start].any()}
    if not future:
        raise StaffingError(f"nothing is open in the {days} days from {start:%Y-%m-%d}", fix="plan other days")
    found = demand.forecast(arrivals, ahead, (0.8, 0.95), light=True, future=future)
    return _Span(found, start, start + pd.Timedelta(days=days))


def _choose_rules(lake: Lake, starts: pd.Series) -> ShiftRules:
    own = read_shifts(lake=lake)
    if own.id not in _SHIPPED:
        return own
    choices = [read_shifts(name=name, lake=lake) for name in _SHIPPED]
    return at_home(max(choices, key=lambda rules: _reach(rules, starts)), lake.country)


def at_home(rules: ShiftRules, country: str) -> ShiftRules:
    """Return shipped rules with a country's own holidays; pay of another country becomes hours of ordinary pay."""
    if rules.holidays in ("", country):
        return rules.model_copy(update={"holidays": country})
    costs = rules.costs.model_copy(update={"hour": 1.0})
    patterns = {
        name: each.model_copy(update={"hour": each.hour and each.hour / rules.costs.hour})
        for name, each in rules.patterns.items()
    }
    return rules.model_copy(update={"holidays": country, "currency": "", "costs": costs, "patterns": patterns})


def _reach(rules: ShiftRules, starts: pd.Series) -> float:
    """Share of slots that some shift can cover."""
    local = starts.dt.tz_localize(None)
    minute = (local.dt.day_of_week * 1440 + local.dt.hour * 60 + local.dt.minute).to_numpy()
    reached = pd.Series(False, index=range(len(minute)))
    for pattern in rules.patterns.values():
        for day in pattern.days if not pattern.on_call else ():
            for begin in pattern.starts:
                since = (minute - day * 1440 - begin) % (7 * 1440)
                reached |= since < max(pattern.hours) * 60
    return float(reached.mean())
