"""Working calendars: when a clock runs, when it falls due, and how much open time has passed.

All times are UTC. A calendar is turned into its open intervals over the years in question, with the open seconds summed
up to each; both questions then are one `searchsorted` over those sums, whatever the number of cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np

from svcanalytics.errors import PeriodError
from svcanalytics.periods.grid import Grid, add_months, build_grid, local_days, local_midnights

__all__ = ["ROUND_THE_CLOCK", "Calendar", "Hours", "to_us"]

_SECOND = 1_000_000
_FURTHEST_YEARS = 60

Hours = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True, eq=False)
class Calendar:
    """When a service works.

    Attributes
    ----------
    id : str
    hours : tuple of 7 tuples of (opens, closes)
        Minutes after local midnight, for Monday to Sunday; empty means closed. None means round the clock.
    timezone : str
        Name of the zone the hours are meant in.
    country : str
        Country whose public holidays are closed and whose make-up working days are open; "" for none.
    make_up_like : int
        Weekday (Monday 0) whose hours a make-up working day has.
    closed, opened : frozenset[date]
        The organisation's own days off and days worked, which win over the country's.
    announced : frozenset[int]
        Years the organisation vouches for, so they are not provisional.
    names : Mapping[str, str]
        Name by language.
    """

    id: str
    hours: Hours | None = None
    timezone: str = "UTC"
    country: str = ""
    make_up_like: int = 0
    closed: frozenset[date] = frozenset()
    opened: frozenset[date] = frozenset()
    announced: frozenset[int] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    _grids: dict[str, Grid] = field(default_factory=dict, init=False, repr=False)

    @property
    def runs_always(self) -> bool:
        """Whether the calendar is round the clock."""
        return self.hours is None

    def due(self, starts: Any, limit_s: Any = None, *, working_days: Any = None, months: Any = None) -> np.ndarray:
        """Return when a clock started at `starts` falls due.

        Parameters
        ----------
        starts : array-like of datetimes, shape ``(n,)``
            UTC; naive values count as UTC. Missing ones stay missing.
        limit_s : int or array-like of int, shape ``(n,)``, optional
            Limit in open seconds. The result is the earliest instant at which so much open time has passed.
        working_days : int or array-like of int, optional
            Limit in working days instead: due is the last instant of the n-th working day after the local day of the
            start, which itself does not count.
        months : int or array-like of int, optional
            Limit in calendar months instead: the same local time on the same day of the month, or on its last day.

        Returns
        -------
        numpy.ndarray of datetime64[us], shape ``(n,)``, UTC

        Raises
        ------
        PeriodError
            When not exactly one limit is given, or it is negative.
        """
        given = [limit for limit in (limit_s, working_days, months) if limit is not None]
        if len(given) != 1:
            raise PeriodError(
                "give one limit: seconds, working days or months", where=f"calendar {self.id}", fix="give one"
            )
        start = to_us(starts)
        limit = np.broadcast_to(np.asarray(given[0], dtype=np.int64), start.shape)
        if (limit < (0 if limit_s is not None else 1)).any():
            raise PeriodError("a limit can't be negative", where=f"calendar {self.id}", fix="give a positive limit")
        known = start != _NAT
        result = np.full(start.shape, _NAT)
        if known.any():
            if limit_s is not None:
                result[known] = self._due_us(start[known], limit[known])
            elif working_days is not None:
                result[known] = self._due_days(start[known], limit[known])
            else:
                result[known] = add_months(start[known], limit[known], self.timezone)
        return result.view("datetime64[us]")

    def elapsed_s(self, starts: Any, stops: Any) -> np.ndarray:
        """Return the whole open seconds between two times, 0 where the stop is not after the start.

        Parameters
        ----------
        starts, stops : array-like of datetimes, shape ``(n,)``
            UTC.

        Returns
        -------
        numpy.ndarray of int64, shape ``(n,)``
            -1 where one of the two is missing.
        """
        start, stop = np.broadcast_arrays(to_us(starts), to_us(stops))
        known = (start != _NAT) & (stop != _NAT)
        result = np.full(start.shape, -1, dtype=np.int64)
        result[known] = np.maximum(self.open_us(stop[known]) - self.open_us(start[known]), 0) // _SECOND
        return result

    def elapsed_days(self, starts: Any, stops: Any) -> np.ndarray:
        """Return the working days after the local day of the start up to that of the stop; -1 where one is missing."""
        start, stop = np.broadcast_arrays(to_us(starts), to_us(stops))
        known = (start != _NAT) & (stop != _NAT)
        result = np.full(start.shape, -1, dtype=np.int64)
        if known.any():
            days = self._grid(
                min(start[known].min(), stop[known].min()), max(start[known].max(), stop[known].max())
            ).days
            first, last = local_days(start[known], self.timezone), local_days(stop[known], self.timezone)
            passed = np.searchsorted(days, last, "right") - np.searchsorted(days, first, "right")
            result[known] = np.maximum(passed, 0)
        return result

    def open_us(self, times: np.ndarray) -> np.ndarray:
        """Return open microseconds from a fixed origin of this calendar to each time.

        Differences of two such readings are elapsed open time. Readings of separate calls may be compared: the origin
        stays where it is.

        Parameters
        ----------
        times : numpy.ndarray of int64, shape ``(n,)``
            Microseconds since 1970 UTC, none missing.
        """
        if self.runs_always or not len(times):
            return times
        return self._grid(times.min(), times.max()).open_us(times)

    def instant_us(self, readings: np.ndarray) -> np.ndarray:
        """Return the earliest instant at which each reading of `open_us` is reached (its inverse)."""
        if self.runs_always or not len(readings):
            return readings
        return self._grid_up_to(readings.max()).instant_us(readings)

    def works(self, day: date) -> bool:
        """Tell whether a local day is open at all."""
        if self.runs_always:
            return True
        noon = np.datetime64(day, "us").astype(np.int64) + 12 * 3600 * _SECOND
        return bool(np.isin(np.datetime64(day, "D"), self._grid(noon, noon).days))

    def is_provisional(self, year: int) -> bool:
        """Tell whether working days of a year are not announced yet, so that due times in it may still move."""
        from svcanalytics.periods.holidays import holiday_year

        if self.runs_always or year in self.announced:
            return False
        return holiday_year(self.country, year).provisional

    def _due_us(self, start: np.ndarray, limit: np.ndarray) -> np.ndarray:
        if self.runs_always:
            return start + limit * _SECOND
        # Inside closed time the earliest instant with nothing elapsed lies before the start itself.
        return np.maximum(self.instant_us(self.open_us(start) + limit * _SECOND), start)

    def _due_days(self, start: np.ndarray, limit: np.ndarray) -> np.ndarray:
        first = local_days(start, self.timezone)
        days = self._days_after(start, int(limit.max()))
        nth = days[np.searchsorted(days, first, "right") + limit - 1]
        return local_midnights(nth + np.timedelta64(1, "D"), self.timezone) - 1

    def _days_after(self, start: np.ndarray, n: int) -> np.ndarray:
        low, high = start.min(), start.max()
        for years in (1, 2, 5, 20, _FURTHEST_YEARS):
            days = self._grid(low, high + years * 366 * 86400 * _SECOND).days
            if len(days) - np.searchsorted(days, local_days(np.array([high]), self.timezone)[0], "right") >= n:
                return days
        raise self._never()

    def _grid_up_to(self, reading: int) -> Grid:
        grid = self._grids["grid"]
        for years in (0, 1, 2, 5, 20, _FURTHEST_YEARS):
            if years:
                grid = self._grid(grid.low, grid.high + years * 366 * 86400 * _SECOND)
            if grid.closes_at[-1] >= reading:
                return grid
        raise self._never()

    def _grid(self, low: int, high: int) -> Grid:
        grid = self._grids.get("grid")
        if grid is None or low < grid.low or high > grid.high:
            known = (grid.low, grid.high) if grid else (low, high)
            grid = build_grid(self, min(low, known[0]), max(high, known[1]))
            self._grids["grid"] = grid
        return grid

    def _never(self) -> PeriodError:
        return PeriodError(
            "the limit is not reached within 60 years", where=f"calendar {self.id}", fix="check its hours and days"
        )


_NAT = np.iinfo(np.int64).min
ROUND_THE_CLOCK = Calendar("round_the_clock", names={"en": "round the clock", "zh": "全天候"})


def to_us(values: Any) -> np.ndarray:
    """Return times as int64 microseconds since 1970 UTC, the smallest int64 where missing."""
    import pandas as pd

    if isinstance(values, np.ndarray) and values.dtype.kind == "M":
        return np.atleast_1d(values.astype("datetime64[us]").astype(np.int64))
    index = pd.DatetimeIndex(
        pd.to_datetime(pd.Index(np.atleast_1d(values) if np.ndim(values) == 0 else values), utc=True)
    )
    return index.tz_localize(None).as_unit("us").to_numpy().astype("datetime64[us]").astype(np.int64)
