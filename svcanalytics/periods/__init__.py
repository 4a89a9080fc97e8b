"""Reporting periods ("2026-10", "2026Q3", "2026H2"), working calendars and day classes."""

from __future__ import annotations

from svcanalytics.periods.announcements import read_holidays
from svcanalytics.periods.calendar import ROUND_THE_CLOCK, Calendar
from svcanalytics.periods.definitions import calendars
from svcanalytics.periods.durations import parse_duration
from svcanalytics.periods.grid import local_days
from svcanalytics.periods.holidays import DAY_CLASSES, HolidayCalendar, day_classes, last_announced_year
from svcanalytics.periods.keys import period_keys
from svcanalytics.periods.period import (
    KINDS,
    Period,
    parse_period,
    period_of,
    periods_between,
    year_to_date,
)

__all__ = [
    "DAY_CLASSES",
    "KINDS",
    "ROUND_THE_CLOCK",
    "Calendar",
    "HolidayCalendar",
    "Period",
    "calendars",
    "day_classes",
    "last_announced_year",
    "local_days",
    "parse_duration",
    "parse_period",
    "period_keys",
    "period_of",
    "periods_between",
    "read_holidays",
    "year_to_date",
]
