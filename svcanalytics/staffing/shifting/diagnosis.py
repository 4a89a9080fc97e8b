"""What a plan can't cover, and what stands in the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.shifting.clock import wall
from svcanalytics.staffing.shifting.covering import Covering
from svcanalytics.staffing.shifting.limits import Limit
from svcanalytics.staffing.shifting.programme import solve

__all__ = ["find_shortfalls"]

_COLUMNS = ["queue", "start", "end", "missing", "reason", "detail", "groups"]
_SMALL = 0.5  # less than half an agent missing is a matter of rounding
_DEAR = 1.0  # and less than one where it could be had for money
_LEAST_SECONDS = 5.0  # for a reason, even when the time to plan is over


def find_shortfalls(
    covering: Covering, planned: NDArray[np.float64], shifts: pd.DataFrame, *, optimal: bool, seconds: float
) -> pd.DataFrame:
    """Return the times at which agents are missing.

    Parameters
    ----------
    covering : Covering
    planned : numpy.ndarray, shape ``(rows,)``
    shifts : DataFrame
        Those planned: group, pattern, day, count, paid_s.
    optimal : bool
        Whether the plan is as good as any.
    seconds : float
        Time to find out how many people it would take.

    Returns
    -------
    pandas.DataFrame
        queue, start and end (on the clock of the shifts), missing (whole people), reason and its detail: ``start``
        (the time before which no shift starts), ``end`` (after which none ends), ``weekday`` (on which none works,
        Monday 0), ``hole`` (no shift is there), ``people`` (all of so many work that day), ``week`` (days and hours
        of so many in the week are used up; one row for the week), ``most`` (the one pattern that is there, and how
        many may work it), ``beyond`` (only shifts that end after the last slot are there), ``price`` (another shift
        would cost more than it is worth), ``time`` (which ran out before a better plan was found); and the groups
        whose people are too few.
    """
    rows = covering.rows
    required, floor = (rows[name].to_numpy(dtype="float64") for name in ("required", "floor"))
    short = np.maximum(required - planned, 0.0)
    kept = planned >= floor - 1e-9
    tell = (short >= _SMALL) | ~kept
    if not tell.any():
        return pd.DataFrame(columns=_COLUMNS)
    reasons = pd.DataFrame({"reason": "price" if optimal else "time", "detail": ""}, index=rows.index)
    never = tell & ~covering.reached
    for row in np.flatnonzero(never):
        reasons.loc[row] = _never(covering, int(rows["slot"].iloc[row]))
    held = tell & ~never
    scarce = any(limit.pattern is None for limit in covering.limits)
    people = _held_back(covering, shifts, seconds) if held.any() and scarce else {}
    capped = {limit.pattern: limit.people for limit in covering.limits if limit.pattern is not None}
    days = pd.Series(_local(covering, rows["slot"].to_numpy()).normalize(), index=rows.index)
    for row in np.flatnonzero(held):
        key = (rows["queue"].iloc[row], days[row])
        if key in people:
            reasons.loc[row] = people[key][:2]
            continue
        there = _patterns_at(covering, int(rows["slot"].iloc[row])) if capped else set()
        if there and there <= set(capped):
            few = sorted(there)[0]
            reasons.loc[row] = "most", f"{few} {capped[few]}"
        elif optimal and _outlasts(covering, int(rows["slot"].iloc[row])):
            reasons.loc[row] = "beyond", ""
    tell &= ~(reasons["reason"].isin(["price", "time", "beyond"]).to_numpy() & (short < _DEAR) & kept)
    return _runs(covering, rows.assign(short=short, day=days, **reasons)[tell], people)


def _local(covering: Covering, slot: NDArray[np.intp]) -> pd.DatetimeIndex:
    return wall(covering.slots.minute[slot], covering.slots.zone).tz_localize(None)


def _never(covering: Covering, slot: int) -> tuple[str, str]:
    """Why no shift is there at a time: what its day's shifts leave out."""
    shifts, begins = covering.offers.shifts, int(covering.slots.minute[slot])
    day = _local(covering, np.array([slot])).normalize()[0]
    todays = shifts[shifts["day"] == day]
    if todays.empty:
        works = {weekday for pattern in covering.rules.patterns.values() for weekday in pattern.days}
        return ("hole", "") if day.day_of_week in works else ("weekday", str(day.day_of_week))
    first, last = int(todays["begin"].min()), int(todays["end"].max())
    if begins >= last:
        return "end", _clock(covering, last)
    if begins < first:
        return "start", _clock(covering, first)
    return "hole", ""


def _patterns_at(covering: Covering, slot: int) -> set[str]:
    return set(_shifts_at(covering, slot)["pattern"])


def _outlasts(covering: Covering, slot: int) -> bool:
    """Whether every shift that serves a slot ends after the plan does."""
    ends = covering.slots.minute[-1] + covering.slots.length
    return bool((_shifts_at(covering, slot)["end"] > ends).all())


def _shifts_at(covering: Covering, slot: int) -> pd.DataFrame:
    columns = covering.cover[slot, : len(covering.main)].indices
    return covering.offers.shifts.iloc[covering.main["shift"].iloc[columns]]


def _clock(covering: Covering, minute: int) -> str:
    return f"{wall(np.array([minute]), covering.slots.zone)[0]:%H:%M}"


def _held_back(
    covering: Covering, shifts: pd.DataFrame, seconds: float
) -> dict[tuple[str, pd.Timestamp], tuple[str, str, int, str]]:
    """By queue and day: the limit that keeps people away, its number, and how many more it would take without it."""
    free = replace(covering, limits=())
    solution = solve(free.programme().relaxed(), max(seconds, _LEAST_SECONDS), 0.01)
    offered = free.offers.shifts.loc[free.main["shift"], ["pattern", "day", "paid_s"]]
    parts = [offered.assign(group=g, count=share[: len(offered)]) for g, share in free.shares(solution.x).items()]
    wanted = pd.concat(parts, ignore_index=True)
    found: dict[tuple[str, pd.Timestamp], tuple[str, str, int, str]] = {}
    for limit in (each for each in covering.limits if each.pattern is None):
        queues = {queue for group in limit.groups for queue in covering.groups[group]}
        ours = [each[each["group"].isin(limit.groups)] for each in (wanted, shifts)]
        need, have = (each.groupby("day")["count"].sum() for each in ours)
        weekly = _more_in_week(covering, limit, ours[0])
        for day in need.index:
            more = int(np.ceil(need[day] - have.get(day, 0) - 1e-6))
            full = have.get(day, 0) >= limit.people
            if more <= 0 or (not full and weekly[_monday(day)] <= 0):
                continue
            kind, many = ("people", more) if full else ("week", weekly[_monday(day)])
            found |= {(queue, day): (kind, str(limit.people), many, ", ".join(limit.groups)) for queue in queues}
    return found


def _more_in_week(covering: Covering, limit: Limit, wanted: pd.DataFrame) -> dict[pd.Timestamp, int]:
    """How many more people a week would take, by its Monday: for its busiest day, its days or its hours."""
    rules = covering.rules.people
    hours = rules.max_hours_a_week - rules.training_hours_a_week
    found = {}
    for monday, part in wanted.groupby(_monday(wanted["day"])):
        by_day = part.groupby("day")["count"].sum()
        worked = float((part["count"] * part["paid_s"]).sum() / 3600)
        need = max(by_day.max(), by_day.sum() / min(len(by_day), 7 - rules.days_off), worked / hours)
        found[monday] = int(np.ceil(need - 1e-6)) - limit.people
    return found


def _monday(day: pd.Series | pd.Timestamp) -> pd.Series | pd.Timestamp:
    weekday = day.dt.day_of_week if isinstance(day, pd.Series) else day.day_of_week
    return day - pd.to_timedelta(weekday, unit="D")


def _runs(
    covering: Covering, rows: pd.DataFrame, people: dict[tuple[str, pd.Timestamp], tuple[str, str, int, str]]
) -> pd.DataFrame:
    """Join slots that follow each other; what a day or week lacks in people is one row, from first to last slot."""
    rows = rows.sort_values(["queue", "slot"], kind="stable")
    # What people are lacking for is not interrupted by slots that happen to be covered, nor a week by its nights.
    span = rows["day"].where(rows["reason"] != "week", _monday(rows["day"]))
    joined = rows["reason"].isin(["people", "week"])
    keys = ["queue", "reason", "detail", span]
    place = (rows["slot"] - rows.groupby(keys).cumcount()).where(~joined, -1)
    first, length = covering.slots.minute, covering.slots.length
    made = []
    for (queue, reason, detail, _, _), run in rows.groupby([*keys, place], sort=False):
        ends = np.array([first[run["slot"].iloc[0]], first[run["slot"].iloc[-1]] + length])
        start, end = wall(ends, covering.slots.zone)
        missing = max(int(np.ceil(run["short"].max() - 1e-6)), 1)
        groups = ""
        if joined[run.index[0]]:
            missing, groups = people[queue, run["day"].iloc[0]][2:]
        made.append((queue, start, end, missing, reason, detail, groups))
    return pd.DataFrame(made, columns=_COLUMNS).sort_values(["queue", "start"], ignore_index=True)
