"""A named roster: a plan's shifts given to people, week by week."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.rostering.duties import Duty, minutes_since, read_duties
from svcanalytics.staffing.rostering.lacking import LACKING_COLUMNS, explain_lacking, lacking_rows
from svcanalytics.staffing.rostering.obstacles import Week
from svcanalytics.staffing.rostering.people import Person, Wish, Worked, read_people
from svcanalytics.staffing.rostering.rules import RosterRules, roster_rules
from svcanalytics.staffing.rostering.solving import Solver, check_solver
from svcanalytics.staffing.rostering.week import assign_week

if TYPE_CHECKING:
    from svcanalytics.staffing.shifting.shiftplan import ShiftPlan

__all__ = ["Roster", "plan_roster"]

_HALF_A_WEEK = 3
_COLUMNS = ("agent", "group", "pattern", "day", "start", "end", "breaks", "paid_s", "night", "weekend", "unpopular")


@dataclass(frozen=True, eq=False)
class Roster:
    """Who works when.

    Attributes
    ----------
    assignments : pandas.DataFrame
        A row per person and shift, in order of person and time: agent, group, pattern, day (local midnight, naive),
        start, end, breaks (tuple of start, end, paid), paid_s, night, weekend, unpopular. The `history` of the roster
        that comes next.
    fairness : pandas.DataFrame
        A row per person: agent, days, hours, contract_h (what leave leaves of the contract), overtime_h, nights,
        weekends (days), unpopular, wishes, wishes_met.
    lacking : pandas.DataFrame
        A row per shift that lacks people: group, pattern, start, end, missing, with_skill, and how many of those each
        rule keeps away.
    points : float
        What was made least: what is missing, overtime, uneven hours and turns, wishes, shifts of another pattern; a
        point is a minute by which hours are uneven.
    gap : float
        By how much a roster could have fewer points at most, as a share: what the solver could not rule out. Infinite
        when the time was too short for any bound.
    status : str
        ``optimal`` or ``time limit``.
    solver : str
    rules : RosterRules
    """

    assignments: pd.DataFrame
    fairness: pd.DataFrame
    lacking: pd.DataFrame
    points: float
    gap: float
    status: str
    solver: str
    rules: RosterRules

    @property
    def missing(self) -> list[str]:
        """What is missing, in sentences; see `explain_lacking` for other languages."""
        return explain_lacking(self.lacking)


def plan_roster(
    plan: ShiftPlan | pd.DataFrame,
    agents: pd.DataFrame,
    rules: RosterRules | None = None,
    *,
    leave: pd.DataFrame | None = None,
    wishes: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    solver: Solver = "auto",
    time_limit_s: float = 60.0,
    seed: int = 0,
) -> Roster:
    """Give a plan's shifts to people: as many as the rules allow, and among such rosters the fairest.

    The second of two stages: how many shifts there are was decided when they were planned. Weeks are settled one after
    the other, Monday to Sunday, each knowing those before. What can't be filled within the rules stays open and is said
    in words. Among rosters that leave the least time open, hours follow contracts, wishes are met, nights, weekends and
    unpopular shifts go round (their squares are summed, with what was worked before), and everybody keeps to the
    pattern that is due.

    Parameters
    ----------
    plan : ShiftPlan or DataFrame
        What `plan_shifts` returns, or its ``shifts``.
    agents : DataFrame
        agent; optional skills (a sequence, or words with commas between; missing: all), hours (contract, of a week) and
        training_h (kept free of shifts).
    rules : RosterRules, optional
        By default what the plan's own rules say of people.
    leave : DataFrame, optional
        agent and day, or agent, start and end. A day of leave stands for a working day.
    wishes : DataFrame, optional
        agent, day, and optional pattern (a pattern, "off", or missing for any shift) and strength (1; below 0 for
        what is not wanted).
    history : DataFrame, optional
        What was worked before: a roster's ``assignments``, or agent, pattern, start and end.
    solver : str
        ``milp``, ``cp-sat`` (needs ``ortools``), or ``auto``: MILP, and where ``ortools`` is installed both.
    time_limit_s : float
        For all weeks together; the best so far is returned, with its gap.
    seed : int

    Raises
    ------
    StaffingError
        A table can't be used, or the solver is unknown.
    """
    if not time_limit_s > 0:
        raise StaffingError(f"the time limit is {time_limit_s}", where="time_limit_s", fix="give seconds above 0")
    check_solver(solver)
    if rules is None:
        rules = RosterRules() if isinstance(plan, pd.DataFrame) else roster_rules(plan.rules)
    if not isinstance(plan, pd.DataFrame):
        _check_patterns(wishes, plan.rules.patterns)
    duties = read_duties(plan if isinstance(plan, pd.DataFrame) else plan.shifts, rules)
    people = read_people(agents, leave, wishes, history, duties, rules)
    before = [len(person.worked) for person in people]
    weeks = _weeks(duties)
    deadline = monotonic() + time_limit_s
    places: dict[Duty, list] = {duty: list(duty.breaks) for duty in duties}
    cost = bound = 0.0
    rows, lacking, stati = [], [], set()
    for number, (week, own) in enumerate(weeks):
        left = max((deadline - monotonic()) / (len(weeks) - number), 0.1)
        found = assign_week(people, own, week, rules, solver, left, seed)
        cost, bound = cost + found.cost, bound + found.bound
        stati.add(found.status)
        for person, duty in found.taken:
            rows.append(_row(person, duty, places[duty].pop(0)))
        short = {d: len(places[duty]) for d, duty in enumerate(own) if places[duty]}
        lacking.append(lacking_rows(people, own, short, week, rules))
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    order = {person.name: place for place, person in enumerate(people)}
    table = table.sort_values("start", kind="stable").sort_values("agent", key=lambda a: a.map(order), kind="stable")
    return Roster(
        assignments=table.reset_index(drop=True),
        fairness=_fairness(people, before, weeks, duties[-1].day, rules),
        lacking=pd.concat(lacking, ignore_index=True) if lacking else pd.DataFrame(columns=list(LACKING_COLUMNS)),
        points=float(cost),
        gap=float((cost - bound) / max(abs(cost), 1.0)) if np.isfinite(bound) else np.inf,
        status="optimal" if stati == {"optimal"} else "time limit",
        solver=solver,
        rules=rules,
    )


def _weeks(duties: list[Duty]) -> list[tuple[Week, list[Duty]]]:
    midnight = duties[0].start.normalize()
    monday = -midnight.day_of_week
    weeks: dict[int, list[Duty]] = {}
    for duty in duties:
        weeks.setdefault((duty.day - monday) // 7, []).append(duty)
    found = []
    for number, own in sorted(weeks.items()):
        first = monday + 7 * number
        # By the calendar, as a day on which clocks change has not 24 hours.
        edges = (midnight + pd.DateOffset(days=day) for day in range(first, first + 8))
        found.append((Week(first, tuple(minutes_since(midnight, edge) for edge in edges)), own))
    return found


def _row(person: Person, duty: Duty, breaks: tuple) -> tuple:
    day = duty.start.tz_localize(None).normalize()
    marks = duty.night, duty.weekend, duty.unpopular
    return (person.name, duty.group, duty.pattern, day, duty.start, duty.end, breaks, duty.minutes * 60, *marks)


def _fairness(
    people: list[Person], before: list[int], weeks: list[tuple[Week, list[Duty]]], last: int, rules: RosterRules
) -> pd.DataFrame:
    rows = []
    for person, count in zip(people, before, strict=True):
        own, contract, over = person.worked[count:], 0.0, 0
        for week, _ in weeks:
            whole = week.contract(person, rules)
            covered = sum(0 <= day <= last for day in week.days)
            # A plan of weeks may begin with the night before; a plan of some days counts for its part of a week.
            contract += whole * (float(covered > _HALF_A_WEEK) if last >= _HALF_A_WEEK * 2 else covered / 7)
            over += max(sum(w.minutes for w in own if w.day in week.days) - whole, 0)
        met = sum(_met(wish, own) for wish in person.wishes)
        rows.append(
            {
                "agent": person.name,
                "days": len({w.day for w in own}),
                "hours": sum(w.minutes for w in own) / 60,
                "contract_h": contract / 60,
                "overtime_h": over / 60,
                "nights": sum(w.night for w in own),
                "weekends": len({w.day for w in own if w.weekend}),
                "unpopular": sum(w.unpopular for w in own),
                "wishes": len(person.wishes),
                "wishes_met": met,
            }
        )
    return pd.DataFrame(rows)


def _check_patterns(wishes: pd.DataFrame | None, patterns: Iterable[str]) -> None:
    if wishes is None or "pattern" not in wishes:
        return
    known = ["off", *patterns]
    strange = wishes[wishes["pattern"].notna() & ~wishes["pattern"].isin(["", *known])]
    if len(strange):
        row = strange.iloc[0]
        raise StaffingError(
            f"there is no pattern {row['pattern']!r}", where=f"wishes, {row['agent']}", fix=f"use {', '.join(known)}"
        )


def _met(wish: Wish, own: list[Worked]) -> bool:
    that = [w for w in own if w.day == wish.day]
    if wish.pattern == "off":
        given = not that
    else:
        given = any(wish.pattern in ("", w.pattern) for w in that)
    return given == (wish.strength > 0)
