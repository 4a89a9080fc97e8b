"""The cheapest shifts that cover a requirement."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.promise import Promise, Setting
from svcanalytics.staffing.shifting.clock import Slots, minutes, overlap, read_slots
from svcanalytics.staffing.shifting.covering import Covering
from svcanalytics.staffing.shifting.laying_out import lay_out, planned_agents
from svcanalytics.staffing.shifting.limits import Limit
from svcanalytics.staffing.shifting.offers import offer_shifts
from svcanalytics.staffing.shifting.programme import Solution, solve
from svcanalytics.staffing.shifting.reading import read_shifts
from svcanalytics.staffing.shifting.rounding import keeps_limits, leeway, round_relaxed
from svcanalytics.staffing.shifting.rules import ShiftRules
from svcanalytics.staffing.shifting.shiftplan import ShiftPlan
from svcanalytics.staffing.volumes import for_queue

__all__ = ["plan_shifts"]

_SECONDS = 60.0
_LEAST_SECONDS = 3.0  # to round a relaxed solution where nothing better was found in time


def plan_shifts(
    requirement: pd.DataFrame,
    shifts: ShiftRules | str | Path,
    until: float | datetime | None = None,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    agents: int | Mapping[str, int] | None = None,
    floor: float | Mapping[str, float] = 0,
    before: ShiftPlan | None = None,
    shortfall: float = 5.0,
    surplus: float = 0.0,
    within_s: float | Mapping[str, float] = 20,
    patience_s: Setting = None,
    gap: float = 0.001,
    interval_s: float | None = None,
) -> ShiftPlan:
    """Return the cheapest shifts for a requirement: pay, and what shortfall and surplus are weighed at, made least.

    Set covering over absolute time, with breaks placed by the optimiser and shortfall elastic, so that there is always
    a plan; what it can't cover is told in its `missing`.

    Parameters
    ----------
    requirement : DataFrame
        queue, start and agents, as from `requirement`; `scheduled`, where given, is what is covered. With arrivals and
        load, a shortfall costs what service is lost by it. Starts without a time zone are on the clock of the shifts.
    shifts : ShiftRules, str or Path
        From `read_shifts`; or the TOML file to read them from.
    until : float or datetime, optional
        Seconds, or the moment, after which the best plan so far is returned; by default a minute. Rounding a
        relaxed solution where no better was found, and reasons for what is missing, may take a few seconds more.
    groups : mapping, optional
        Group of agents to the queues they serve; by default each queue has agents of its own. A group's time may be
        divided among its queues in any way.
    agents : int or mapping, optional
        People there are, in all or by group; never more are planned, with their rest, days off and hours a week.
    floor : float or mapping
        People never to go below in an interval that is in the requirement, whatever it costs.
    before : ShiftPlan, optional
        The plan of the days before, whose last shifts reach into this one; without it the first morning is served by
        night shifts of the day before, which are then part of this plan. Their rest is the roster's to keep.
    shortfall : float
        What an agent-hour missing costs at least, in paid hours; more where more service is lost by it.
    surplus : float
        What an agent-hour too many costs beyond its pay, in paid hours.
    within_s, patience_s
        What the service level is about, as in `requirement`.
    gap : float
        Relative gap to the lower bound that counts as optimal.
    interval_s : float, optional
        Length of a slot; by default the shortest distance between two starts.

    Raises
    ------
    StaffingError
        The requirement lacks a column, has a slot twice or a number that can't be, or a setting is out of its range.
    """
    ends = time.monotonic() + _seconds(until)
    for name, value in (("shortfall", shortfall), ("surplus", surplus), ("gap", gap)):
        if not (value >= 0 and np.isfinite(value)):
            raise StaffingError(f"{name} is {value}", where=name, fix="give a number from 0 up")
    if isinstance(shifts, str | Path):
        shifts = read_shifts(shifts)
    if not isinstance(shifts, ShiftRules):
        raise StaffingError(
            f"a {type(shifts).__name__} is no shift rules",
            where="shifts",
            fix="give those of read_shifts, or a TOML file",
        )
    rows = _read(requirement)
    queues = [str(name) for name in rows["queue"].unique()]
    slots = read_slots(rows["start"], shifts.timezone, interval_s)
    rows["slot"] = slots.place(rows["start"])
    rows["floor"] = rows["queue"].map(for_queue("floor", floor, queues)).astype("float64")
    if not (rows["floor"] >= 0).all():
        raise StaffingError(f"floor is {rows['floor'].min():g}", where="floor", fix="give a number from 0 up")
    rows["required"] = np.maximum(rows["required"], rows["floor"])
    crews = _groups(groups, queues)
    limit, patience = (for_queue(*each, queues) for each in (("within_s", within_s), ("patience_s", patience_s)))
    promises = {queue: Promise(within_s=limit(queue), patience_s=patience(queue)) for queue in queues}
    hour = shifts.costs.hour * slots.length / 60
    covering = Covering(
        rows=rows,
        slots=slots,
        offers=offer_shifts(shifts, slots, first=None if before is None else slots.days[1]),
        rules=shifts,
        groups=crews,
        promises=promises,
        shortfall=shortfall * hour,
        surplus=surplus * hour,
        limits=(*_limits(agents, crews), *_most(shifts, crews)),
        given={group: _already_there(group, slots, before) for group in crews},
    )
    solution = solve(covering.programme(), 0.9 * max(ends - time.monotonic(), 0.1), gap)
    counts = {group: np.round(share).astype(np.int64) for group, share in covering.shares(solution.x).items()}
    if not solution.optimal:
        counts, solution = _at_least_rounded(covering, counts, solution, max(_LEAST_SECONDS, ends - time.monotonic()))
    return lay_out(covering, counts, solution, gap, ends - time.monotonic())


def _at_least_rounded(
    covering: Covering, counts: dict[str, NDArray[np.int64]], found: Solution, seconds: float
) -> tuple[dict[str, NDArray[np.int64]], Solution]:
    """Return the better of what was found in time and the relaxed solution rounded; of each group, where they can."""
    relaxed = solve(covering.programme().relaxed(), seconds, 0.0)
    solution = replace(found, bound=max(found.bound, relaxed.bound))

    def price(of: dict[str, NDArray[np.int64]], x: NDArray[np.float64]) -> float:
        pay = sum(float(covering.cost @ each) for each in of.values())
        return pay + covering.weighed(planned_agents(covering, of, x))

    rounded, x = round_relaxed(covering, relaxed.x), relaxed.x
    if any(limit.pattern is None for limit in covering.limits):
        looser = solve(replace(covering, limits=leeway(covering)).programme().relaxed(), seconds, 0.0)
        either = round_relaxed(covering, looser.x, down=False)
        if keeps_limits(covering, either) and price(either, looser.x) < price(rounded, x):
            rounded, x = either, looser.x
    served = [queue for queues in covering.groups.values() for queue in queues]
    if len(set(served)) == len(served) == len(covering.groups) and all(
        len(each.groups) == 1 for each in covering.limits
    ):
        for group in covering.groups:
            counts = min(counts, counts | {group: rounded[group]}, key=lambda of: price(of, found.x))
    elif price(rounded, x) < price(counts, found.x):
        return rounded, replace(solution, x=x)
    return counts, solution


def _seconds(until: float | datetime | None) -> float:
    if until is None:
        return _SECONDS
    if isinstance(until, datetime):
        now = datetime.now(UTC) if until.tzinfo else datetime.now()
        until = (until - now).total_seconds()
    if not until > 0:
        raise StaffingError("the time to plan in is over before it began", where="until", fix="give seconds above 0")
    return float(until)


def _read(requirement: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(requirement, pd.DataFrame):
        raise StaffingError(f"a {type(requirement).__name__} is no requirement", fix="give queue, start and agents")
    missing = [name for name in ("queue", "start", "agents") if name not in requirement]
    if missing:
        raise StaffingError(f"the requirement has no column {missing[0]!r}", fix="give queue, start and agents")
    if requirement.empty:
        raise StaffingError("the requirement has no rows", fix="give a row per queue and slot")
    known = [name for name in ("queue", "start", "agents", "scheduled", "arrivals", "load") if name in requirement]
    rows = requirement[known].reset_index(drop=True)
    rows["queue"] = rows["queue"].astype(str)
    rows["required"] = rows["scheduled" if "scheduled" in rows else "agents"].astype("float64")
    bad = rows[~((rows["required"] >= 0) & (rows["agents"] >= 0) & np.isfinite(rows["required"]))]
    if len(bad):
        row = bad.iloc[0]
        raise StaffingError(
            f"agents is {row['required']}", where=f"{row['queue']}, {row['start']}", fix="give a number from 0 up"
        )
    twice = rows[rows.duplicated(["queue", "start"])]
    if len(twice):
        row = twice.iloc[0]
        raise StaffingError(f"{row['start']} is given twice", where=row["queue"], fix="add the rows up")
    return rows


def _already_there(group: str, slots: Slots, before: ShiftPlan | None) -> NDArray[np.float64]:
    """Agents of a group that the plan before leaves in each slot."""
    there = np.zeros(len(slots.minute))
    if before is None:
        return there
    reaching = minutes(before.shifts["end"]) > slots.minute[0]
    for shift in before.shifts[reaching & (before.shifts["group"] == group)].itertuples():
        pattern = before.rules.patterns[shift.pattern]
        spans = [(shift.start, shift.end, 1), *((begin, end, -1) for begin, end, _ in shift.breaks)]
        for begin, end, sign in spans:
            share = overlap(slots, *(minutes(pd.Series([each])) for each in (begin, end))).toarray()[:, 0]
            there += sign * shift.count * (pattern.counts if pattern.on_call else 1.0) * share
    return there


def _groups(groups: Mapping[str, Sequence[str]] | None, queues: list[str]) -> dict[str, tuple[str, ...]]:
    if groups is None:
        return {queue: (queue,) for queue in queues}
    crews = {str(name): tuple(served) for name, served in groups.items()}
    known = {queue for served in crews.values() for queue in served}
    strange, alone = sorted(known - set(queues)), [queue for queue in queues if queue not in known]
    if strange or alone:
        what = f"there is no queue {strange[0]!r}" if strange else f"no group serves the queue {alone[0]!r}"
        raise StaffingError(what, where="groups", fix=f"give groups for {', '.join(queues)}")
    return crews


def _limits(agents: int | Mapping[str, int] | None, groups: Mapping[str, tuple[str, ...]]) -> list[Limit]:
    if agents is None:
        return []
    if not isinstance(agents, Mapping):
        agents, names = {"": agents}, {"": tuple(groups)}
    else:
        names = {name: (name,) for name in agents}
    for name, people in agents.items():
        if name and name not in groups:
            raise StaffingError(f"there is no group {name!r}", where="agents", fix=f"name {', '.join(groups)}")
        if not people >= 0 or people != int(people):
            raise StaffingError(f"agents is {people}", where=name or "agents", fix="give a whole number from 0 up")
    return [Limit(names[name], int(people)) for name, people in agents.items()]


def _most(rules: ShiftRules, groups: Mapping[str, tuple[str, ...]]) -> list[Limit]:
    capped = [each for each in rules.patterns.values() if each.most is not None]
    return [Limit((group,), each.most, each.id) for group in groups for each in capped]
