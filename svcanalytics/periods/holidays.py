"""Public holidays, make-up working days and day classes, on top of the `holidays` package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from svcanalytics.errors import PeriodError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DAY_CLASSES", "HolidayCalendar", "HolidayYear", "day_classes", "holiday_year", "last_announced_year"]

DAY_CLASSES = ("ordinary", "weekend", "holiday", "substituted", "make_up", "eve", "bridge")
"""Ordinary working day; weekend; statutory holiday; day off substituted for another; weekend day worked instead of one;
last working day before a run of days off with a holiday in it; single working day between two runs of days off of which
one holds a holiday."""

# From here on every year has make-up days in the `holidays` package; the first year without any is not announced yet.
_FIRST_KNOWN_YEAR = 2020
_NAMES_OF_SUBSTITUTES = ("substituted from", "(observed)")


class HolidayYear:
    """Holidays of one country and year.

    Attributes
    ----------
    off : dict[date, str]
        Days off by law, each ``"holiday"`` or ``"substituted"``.
    make_up : frozenset[date]
        Weekend days that are worked.
    weekend : frozenset[int]
        Weekdays that are free, Monday 0.
    provisional : bool
        The country moves working days by yearly notice and this year's is not known yet, so substituted days off and
        make-up working days are missing.
    names : dict[date, str]
        What the days off are called, in English; several names joined by "; ".
    """

    def __init__(
        self,
        off: dict[date, str],
        make_up: frozenset[date],
        weekend: frozenset[int],
        provisional: bool,
        names: dict[date, str] | None = None,
    ) -> None:
        self.off, self.make_up, self.weekend, self.provisional = off, make_up, weekend, provisional
        self.names = names or {}

    def works(self, day: date) -> bool:
        """Tell whether a day of this year is a working day."""
        if day in self.make_up:
            return True
        return day not in self.off and day.weekday() not in self.weekend


@dataclass(frozen=True, eq=False)
class HolidayCalendar:
    """A country's holidays, with the years that someone gives himself.

    Attributes
    ----------
    country : str
        ISO code, or "" for weekends only.
    own : Mapping[int, HolidayYear]
        Years that stand in place of the country's.
    """

    country: str = ""
    own: Mapping[int, HolidayYear] = field(default_factory=dict)

    def year(self, year: int) -> HolidayYear:
        """Return the holidays of one year."""
        return self.own[year] if year in self.own else holiday_year(self.country, year)


@lru_cache(maxsize=512)
def holiday_year(country: str, year: int) -> HolidayYear:
    """Return the holidays of one country (ISO code, or "" for weekends only) and year.

    Raises
    ------
    PeriodError
        When the country has no holiday calendar.
    """
    if not country:
        return HolidayYear({}, frozenset(), frozenset({5, 6}), False)
    listed = _listed(country, year)
    names = {day: name for day, name in listed.items() if day.year == year}
    off = {
        day: "substituted" if any(word in name for word in _NAMES_OF_SUBSTITUTES) else "holiday"
        for day, name in names.items()
    }
    make_up = frozenset(day for day in getattr(listed, "weekend_workdays", ()) if day.year == year)
    announced = last_announced_year(country)
    return HolidayYear(off, make_up, frozenset(listed.weekend), announced is not None and year > announced, names)


@lru_cache(maxsize=32)
def last_announced_year(country: str) -> int | None:
    """Return the last year whose make-up working days are known; None for countries that have none.

    The `holidays` package gives an unannounced year its statutory days and silently no make-up days, so the last year
    that has any is the last one announced.
    """
    if not country:
        return None
    # Only China has its working days moved by a notice every single year; elsewhere a year without is nothing unusual.
    if country != "CN":
        return None
    year = _FIRST_KNOWN_YEAR
    while any(day.year == year + 1 for day in _listed(country, year + 1).weekend_workdays):
        year += 1
    return year


def day_classes(start: date, end: date, country: str | HolidayCalendar = "CN") -> pd.DataFrame:
    """Classify every day from `start` to `end` (exclusive).

    Parameters
    ----------
    start, end : date
    country : str or HolidayCalendar
        ISO code, "" for weekends only, or a calendar of one's own.

    Returns
    -------
    pandas.DataFrame
        Columns ``day`` (datetime64, local), ``day_class`` (one of `DAY_CLASSES`) and ``provisional`` (bool: the year's
        moved working days are not announced yet).
    """
    import pandas as pd

    days = [start + timedelta(days=i) for i in range((end - start).days)]
    calendar = HolidayCalendar(country) if isinstance(country, str) else country
    rows = [(day, _class_of(day, calendar), calendar.year(day.year).provisional) for day in days]
    frame = pd.DataFrame(rows, columns=["day", "day_class", "provisional"])
    return frame.astype({"day": "datetime64[s]", "day_class": "str", "provisional": "bool"})


def _class_of(day: date, calendar: HolidayCalendar) -> str:
    year = calendar.year(day.year)
    if day in year.make_up:
        return "make_up"
    if day in year.off:
        return year.off[day]
    if day.weekday() in year.weekend:
        return "weekend"
    before, after = _free_run(day, -1, calendar), _free_run(day, 1, calendar)
    if before and after and ("holiday" in before | after):
        return "bridge"
    return "eve" if "holiday" in after else "ordinary"


def _free_run(day: date, step: int, calendar: HolidayCalendar) -> set[str]:
    # What the run of days off beside this day is made of; empty when the neighbour is a working day.
    found: set[str] = set()
    while True:
        day += timedelta(days=step)
        year = calendar.year(day.year)
        if year.works(day):
            return found
        found.add("holiday" if day in year.off else "weekend")


def _listed(country: str, year: int):
    import holidays

    try:
        # Names are read to tell substituted days, so their language is pinned, not taken from the machine's locale.
        return holidays.country_holidays(country, years=year, language="en_US")
    except NotImplementedError:
        raise PeriodError(
            "there is no holiday calendar of this country",
            where=repr(country),
            fix="use an ISO code such as CN, or none for weekends only",
        ) from None
