"""What a plan can't cover, and what stands in the way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.shifting.clock import wall
from svcanalytics.staffing.shifting.covering import Covering
from svcanalytics.staffing.shifting.programme import solve

__all__ = ["find_shortfalls"]

_COLUMNS = ["queue", "start", "end", "missing", "reason", "detail"]
_SMALL = 0.5  # less than half an agent missing is a matter of rounding
_DEAR = 1.0  # and less than one where it could be had for money


def find_shortfalls(
    covering: Covering, planned: NDArray[np.float64], working: pd.Series, seconds: float
) -> pd.DataFrame:
    """Return the times at which agents are missing.

    Parameters
    ----------
    covering : Covering
    planned : numpy.ndarray, shape ``(rows,)``
    working : pandas.Series
        People planned by local day.
    seconds : float
        Time to find out how many people it would take.

    Returns
    -------
    pandas.DataFrame
        queue, start and end (on the clock of the shifts), missing (whole people), reason and its detail: ``start`` (the
        time before which no shift starts), ``end`` (after which none ends), ``weekday`` (on which none works, Monday
        0), ``hole`` (no shift is there), ``people`` (of which there are so many), ``week`` (so many, whose days and
        hours of the week are used up), ``most`` (the pattern that so many may work), ``price`` (another shift would
        cost more than it is worth).
    """
    rows = covering.rows
    required, floor = (rows[name].to_numpy(dtype="float64") for name in ("required", "floor"))
    short = np.maximum(required - planned, 0.0)
    kept = planned >= floor - 1e-9
    tell = (short >= _SMALL) | ~kept
    if not tell.any():
        return pd.DataFrame(columns=_COLUMNS)
    reasons = pd.DataFrame({"reason": "price", "detail": ""}, index=rows.index)
    never = tell & ~covering.reached
    for row in np.flatnonzero(never):
        reasons.loc[row] = _never(covering, int(rows["slot"].iloc[row]))
    held = tell & ~never
    people = _held_back(covering, short, held, working, seconds) if held.any() and covering.limits else {}
    days = pd.Series(_local(covering, rows["slot"].to_numpy()).normalize(), index=rows.index)
    for row in np.flatnonzero(held):
        if days[row] in people:
            reasons.loc[row] = people[days[row]][:2]
    tell &= ~((reasons["reason"] == "price").to_numpy() & (short < _DEAR) & kept)
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


def _clock(covering: Covering, minute: int) -> str:
    return f"{wall(np.array([minute]), covering.slots.zone)[0]:%H:%M}"


def _held_back(
    covering: Covering, short: NDArray[np.float64], held: NDArray[np.bool_], working: pd.Series, seconds: float
) -> dict[pd.Timestamp, tuple[str, str, int]]:
    """By day: the limit that keeps people away, its number, and how many more it would take without it."""
    free = replace(covering, limits=())
    programme = free.programme()
    solution = solve(programme.relaxed(), max(seconds, 1.0), 0.01)
    many = sum(free.shares(solution.x).values())[: len(free.main)]
    shifts = free.offers.shifts.loc[free.main["shift"]].assign(many=many)
    wanted = shifts.groupby("day")["many"].sum()
    found: dict[pd.Timestamp, tuple[str, str, int]] = {}
    local = pd.Series(_local(covering, covering.rows["slot"].to_numpy()).normalize())
    for day in local[held].unique():
        more = int(np.ceil(wanted.get(day, 0.0) - working.get(day, 0) - 1e-6))
        if more <= 0:
            continue
        limit = next((each for each in covering.limits if each.pattern is None), None)
        if limit is None:
            capped = next(each for each in covering.limits if each.pattern is not None)
            found[day] = ("most", f"{capped.pattern} {capped.people}", more)
        else:
            full = working.get(day, 0) >= limit.people
            found[day] = ("people" if full else "week", str(limit.people), more)
    return found


def _runs(covering: Covering, rows: pd.DataFrame, people: dict[pd.Timestamp, tuple[str, str, int]]) -> pd.DataFrame:
    """Join slots that follow each other; what a day lacks in people is one row from its first to its last slot."""
    rows = rows.sort_values(["queue", "slot"], kind="stable")
    by_people = rows["reason"].isin(["people", "week", "most"])
    follows = (
        (rows["queue"] == rows["queue"].shift())
        & (rows["reason"] == rows["reason"].shift())
        & (rows["detail"] == rows["detail"].shift())
        & (rows["day"] == rows["day"].shift())
        & (by_people | (rows["slot"] == rows["slot"].shift() + 1))
    )
    first, length = covering.slots.minute, covering.slots.length
    made = []
    for _, run in rows.groupby((~follows).cumsum(), sort=False):
        head = run.iloc[0]
        ends = np.array([first[run["slot"].iloc[0]], first[run["slot"].iloc[-1]] + length])
        start, end = wall(ends, covering.slots.zone)
        missing = int(np.ceil(run["short"].max() - 1e-6))
        if head["reason"] in ("people", "week", "most"):
            missing = people[head["day"]][2] if len(covering.groups) == 1 else missing
        made.append((head["queue"], start, end, max(missing, 1), head["reason"], head["detail"]))
    return pd.DataFrame(made, columns=_COLUMNS)
