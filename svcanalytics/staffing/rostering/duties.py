"""The anonymous shifts of a plan, as duties that somebody has to take."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.rostering.rules import RosterRules

__all__ = ["Duty", "minutes_since", "read_duties"]

_NIGHT_H = 2.0

Break = tuple[pd.Timestamp, pd.Timestamp, bool]


@dataclass(frozen=True, eq=False)
class Duty:
    """So many equal places in one shift of one day.

    Attributes
    ----------
    group, pattern : str
        Who takes it must be able to serve the group.
    start, end : pandas.Timestamp
        In the plan's time zone.
    begins, ends : int
        The same as minutes of elapsed time since the plan's first midnight.
    breaks : tuple, one for each place
        Of (start, end, paid).
    minutes : int
        Paid.
    day : int
        Days from the plan's first day to the day on which it starts.
    night, weekend, unpopular : bool
    """

    group: str
    pattern: str
    start: pd.Timestamp
    end: pd.Timestamp
    begins: int
    ends: int
    breaks: tuple[tuple[Break, ...], ...]
    minutes: int
    day: int
    night: bool
    weekend: bool
    unpopular: bool

    @property
    def count(self) -> int:
        """How many people it needs."""
        return len(self.breaks)


def read_duties(shifts: pd.DataFrame, rules: RosterRules) -> list[Duty]:
    """Return the duties of a plan's shifts in order of start.

    Parameters
    ----------
    shifts : DataFrame
        group, pattern, start, end, count, paid_s, and breaks: of each (start, end, paid) a sequence.
    rules : RosterRules

    Raises
    ------
    StaffingError
        A column is missing, a shift ends before it starts, or a number makes no sense.
    """
    lacking = [name for name in ("group", "pattern", "start", "end", "breaks", "count", "paid_s") if name not in shifts]
    if lacking:
        raise StaffingError(f"the shifts have no column {lacking[0]!r}", fix="give what plan_shifts returns")
    bad = shifts[~((shifts["end"] > shifts["start"]) & (shifts["count"] >= 0) & (shifts["count"] % 1 == 0))]
    if len(bad):
        row = bad.iloc[0]
        raise StaffingError(
            f"a shift from {row['start']} to {row['end']} for {row['count']} can't be",
            where=str(row["pattern"]),
            fix="end it after its start, for whole people",
        )
    rows = shifts[shifts["count"] > 0].sort_values(["start", "end"], kind="stable")
    if rows.empty:
        raise StaffingError("the plan has no shifts", fix="plan shifts first")
    midnight = rows["start"].iloc[0].normalize()
    first = midnight.tz_localize(None)
    duties = []
    # Places that differ in their breaks alone are alike to the rules; who has which break is settled at the end.
    alike = ["group", "pattern", "start", "end", "paid_s"]
    for (group, pattern, start, end, paid_s), part in rows.groupby(alike, sort=False):
        breaks = [
            tuple((low, high, bool(paid)) for low, high, paid in each)
            for each, count in zip(part["breaks"], part["count"], strict=True)
            for _ in range(int(count))
        ]
        day = start.tz_localize(None).normalize()
        duties.append(
            Duty(
                group=str(group),
                pattern=str(pattern),
                start=start,
                end=end,
                begins=minutes_since(midnight, start),
                ends=minutes_since(midnight, end),
                breaks=tuple(breaks),
                minutes=round(paid_s / 60),
                day=(day - first).days,
                night=_night_h(start, end, rules.night) > _NIGHT_H,
                weekend=day.day_of_week in rules.weekend,
                unpopular=str(pattern) in rules.unpopular,
            )
        )
    return duties


def minutes_since(midnight: pd.Timestamp, moment: pd.Timestamp) -> int:
    """Return the elapsed minutes between two moments."""
    return round((moment - midnight).total_seconds() / 60)


def _night_h(start: pd.Timestamp, end: pd.Timestamp, night: tuple[float, float]) -> float:
    """Hours of a shift that lie in the night, as the clock on the wall shows them."""
    begin, finish = start.tz_localize(None), end.tz_localize(None)
    total, day = pd.Timedelta(0), begin.normalize() - pd.Timedelta(days=1)
    while day < finish:
        low, high = (day + pd.Timedelta(hours=hour) for hour in night)
        if high <= low:
            high += pd.Timedelta(days=1)
        total += max(min(finish, high) - max(begin, low), pd.Timedelta(0))
        day += pd.Timedelta(days=1)
    return total.total_seconds() / 3600
