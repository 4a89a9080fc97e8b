"""The open intervals of a calendar over a range of years, with open time summed up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from svcanalytics.periods.holidays import holiday_year

if TYPE_CHECKING:
    from svcanalytics.periods.calendar import Calendar

__all__ = ["Grid", "add_months", "build_grid", "local_days", "local_midnights"]

_MINUTE = 60_000_000
_ORIGIN = np.datetime64("2000-01-01", "us").astype(np.int64)


@dataclass(frozen=True, eq=False)
class Grid:
    """Open intervals of a calendar; all arrays in microseconds UTC, sorted, not overlapping.

    Attributes
    ----------
    low, high : int
        The range of times the grid can answer for.
    opens, closes : numpy.ndarray of int64, shape ``(k,)``
    opens_at, closes_at : numpy.ndarray of int64, shape ``(k,)``
        Open time passed at the begin and at the end of each interval, counted from 2000-01-01 (negative before), so
        that readings stay comparable when the grid is built anew over more years.
    days : numpy.ndarray of datetime64[D], shape ``(m,)``
        The local working days.
    """

    low: int
    high: int
    opens: np.ndarray
    closes: np.ndarray
    opens_at: np.ndarray
    closes_at: np.ndarray
    days: np.ndarray

    def open_us(self, times: np.ndarray) -> np.ndarray:
        """Return the open time passed at each time."""
        index = np.maximum(np.searchsorted(self.opens, times, "right") - 1, 0)
        inside = np.clip(times, self.opens[index], self.closes[index]) - self.opens[index]
        return self.opens_at[index] + inside

    def instant_us(self, readings: np.ndarray) -> np.ndarray:
        """Return the earliest instant at which each reading is reached."""
        index = np.minimum(np.searchsorted(self.closes_at, readings, "left"), len(self.opens) - 1)
        return self.opens[index] + (readings - self.opens_at[index])


def build_grid(calendar: Calendar, low: int, high: int) -> Grid:
    """Build the grid of a calendar for times from `low` to `high` (microseconds UTC), widened to whole years."""
    # The origin belongs into every grid, and a year more on each side covers time zones and limits beyond the range.
    first = min(int(_year(low)) - 1, 1999)
    last = max(int(_year(high)) + 1, 2001)
    days = np.arange(np.datetime64(f"{first:04d}-01-01", "D"), np.datetime64(f"{last + 1:04d}-01-01", "D"))
    like = _weekday_like(calendar, days, first, last)
    opens, closes = [], []
    # Round the clock, every day is a working day.
    hours = calendar.hours or (((0, 24 * 60),),) * 7
    for weekday, spans in enumerate(hours):
        chosen = days[like == weekday]
        for begin, end in spans:
            opens.append(chosen.astype("datetime64[us]") + np.timedelta64(begin * _MINUTE, "us"))
            closes.append(chosen.astype("datetime64[us]") + np.timedelta64(end * _MINUTE, "us"))
    # Where clocks go back an hour is there twice: open from its first beginning to its last end.
    start = _to_utc(np.concatenate(opens), calendar.timezone, first_one=True)
    stop = _to_utc(np.concatenate(closes), calendar.timezone, first_one=False)
    order = np.argsort(start, kind="stable")
    start, stop = start[order], stop[order]
    start[1:] = np.maximum(start[1:], np.maximum.accumulate(stop)[:-1])
    kept = stop > start
    start, stop = start[kept], stop[kept]
    total = np.cumsum(stop - start)
    grid = Grid(
        np.datetime64(f"{first:04d}-01-02", "us").astype(np.int64),
        np.datetime64(f"{last:04d}-12-30", "us").astype(np.int64),
        start,
        stop,
        total - (stop - start),
        total,
        days[np.isin(like, [i for i, spans in enumerate(hours) if spans])],
    )
    shift = grid.open_us(np.array([_ORIGIN]))[0]
    grid.opens_at.__isub__(shift)
    grid.closes_at.__isub__(shift)
    return grid


def local_days(times: np.ndarray, timezone: str) -> np.ndarray:
    """Return the local day (datetime64[D]) of each time in microseconds UTC."""
    import pandas as pd

    index = pd.DatetimeIndex(times.view("datetime64[us]")).tz_localize("UTC").tz_convert(timezone)
    return index.tz_localize(None).to_numpy().astype("datetime64[D]")


def local_midnights(days: np.ndarray, timezone: str) -> np.ndarray:
    """Return when each local day begins, in microseconds UTC."""
    return _to_utc(days.astype("datetime64[us]"), timezone, first_one=True)


def add_months(times: np.ndarray, months: np.ndarray, timezone: str) -> np.ndarray:
    """Return the same local time so many calendar months later, on the last day of a month that is too short."""
    import pandas as pd

    index = pd.DatetimeIndex(times.view("datetime64[us]")).tz_localize("UTC").tz_convert(timezone)
    walls = index.tz_localize(None).to_numpy().astype("datetime64[us]")
    days, month = walls.astype("datetime64[D]"), walls.astype("datetime64[M]")
    target = month + months
    last = (target + 1).astype("datetime64[D]") - 1
    moved = np.minimum(target.astype("datetime64[D]") + (days - month.astype("datetime64[D]")), last)
    return _to_utc(moved.astype("datetime64[us]") + (walls - days.astype("datetime64[us]")), timezone, first_one=True)


def _weekday_like(calendar: Calendar, days: np.ndarray, first: int, last: int) -> np.ndarray:
    # The weekday whose hours each day has; -1 on a day off.
    like = (days.astype(np.int64) + 3) % 7
    origin = days[0].astype(np.int64)

    def put(some, value: int) -> None:
        index = np.array(sorted(some), dtype="datetime64[D]").astype(np.int64) - origin
        like[index[(index >= 0) & (index < len(like))]] = value

    if calendar.country:
        for year in range(first, last + 1):
            known = holiday_year(calendar.country, year)
            put(known.off, -1)
            put(known.make_up, calendar.make_up_like)
    put(calendar.closed, -1)
    put(calendar.opened, calendar.make_up_like)
    return like


def _to_utc(walls: np.ndarray, timezone: str, *, first_one: bool) -> np.ndarray:
    import pandas as pd

    # One wall time is asked for once only: a grid has few distinct days, cases have many.
    unique, inverse = np.unique(walls, return_inverse=True)
    index = pd.DatetimeIndex(unique).tz_localize(
        timezone, ambiguous=np.full(len(unique), first_one), nonexistent="shift_forward"
    )
    return index.tz_convert("UTC").tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)[inverse]


def _year(time: int) -> np.int64:
    return np.int64(time).view("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
