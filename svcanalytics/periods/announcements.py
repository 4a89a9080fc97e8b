"""Holidays given by hand: a year's days off and make-up working days before, or instead of, the published ones."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from svcanalytics.errors import PeriodError
from svcanalytics.periods.holidays import HolidayCalendar, HolidayYear, holiday_year

__all__ = ["read_holidays"]

_SPAN = " to "


def read_holidays(source: str | Path | Mapping[Any, Any] | HolidayCalendar) -> HolidayCalendar:
    """Return the holidays that a country code, a scenario file or a mapping stands for.

    Parameters
    ----------
    source : str, path or Mapping
        - an ISO code such as ``CN``, or "" for weekends only;
        - the path of a TOML file, or a mapping of the same form: ``country`` (optional) and a table per year with
          ``days_off`` (days ``"2027-02-05"`` or spans ``"2027-02-05 to 2027-02-11"``) and ``make_up`` (weekend days
          that are worked). Such a year counts as announced; the country's statutory days stay days off;
        - a mapping of days to names, which are then the only holidays.

    Raises
    ------
    PeriodError
        When the file can't be read, a date does not exist or lies outside its year, a make-up day is no weekend day,
        or a day is given as off and as worked.
    """
    if isinstance(source, HolidayCalendar):
        return source
    if isinstance(source, Mapping):
        return _calendar(source, "holidays")
    if isinstance(source, Path) or str(source).endswith(".toml"):
        path = Path(source)
        try:
            return _calendar(tomllib.loads(path.read_text("utf-8")), path.name)
        except FileNotFoundError:
            raise PeriodError("there is no such file", where=str(path), fix="check the path") from None
        except tomllib.TOMLDecodeError as error:
            raise PeriodError(
                f"the file can't be read: {error}", where=path.name, fix='write days as "2027-02-05", years as [2027]'
            ) from None
    holiday_year(source, 2020)  # refuses a country that no calendar knows
    return HolidayCalendar(source)


def _calendar(given: Mapping[Any, Any], where: str) -> HolidayCalendar:
    country = given.get("country", "")
    if country:
        holiday_year(country, 2020)
    own: dict[int, HolidayYear] = {}
    named: dict[date, str] = {}
    for key, value in given.items():
        if key == "country":
            continue
        if isinstance(value, Mapping):
            year = _year(key, where)
            own[year] = _announced(value, year, country, f"{where} [{year}]")
        else:
            named[_day(key, where)] = str(value)
    for year in sorted({day.year for day in named}):
        base = own.get(year) or holiday_year(country, year)
        mine = {day: name for day, name in named.items() if day.year == year}
        off = base.off | dict.fromkeys(mine, "holiday")
        own[year] = HolidayYear(off, base.make_up - set(mine), base.weekend, base.provisional, base.names | mine)
    return HolidayCalendar(country, own)


def _announced(table: Mapping[str, Any], year: int, country: str, where: str) -> HolidayYear:
    if unknown := sorted(set(table) - {"days_off", "make_up"}):
        raise PeriodError(f"unknown key {unknown[0]!r}", where=where, fix="use days_off and make_up")
    base = holiday_year(country, year)
    days_off = {day for text in table.get("days_off", ()) for day in _span(text, where)}
    make_up = {_day(text, where) for text in table.get("make_up", ())}
    for day in sorted(days_off | make_up):
        if day.year != year:
            raise PeriodError(f"{day} is not a day of {year}", where=where, fix="move it to its own year")
    off = {day: kind for day, kind in base.off.items() if kind == "holiday"}
    for day in sorted(make_up):
        if day in days_off or day in off:
            raise PeriodError(f"{day} is given as worked and is a day off", where=where, fix="leave one of the two")
        if day.weekday() not in base.weekend:
            raise PeriodError(
                f"make-up day {day} is a {day:%A}, a working day anyway", where=where, fix="give the weekend day worked"
            )
    # A weekend day within a holiday is off as it is: only working days are substituted.
    moved = {day for day in days_off if day not in off and day.weekday() not in base.weekend}
    off |= dict.fromkeys(moved, "substituted")
    names = {day: base.names.get(day, "Day off (substituted)") for day in off}
    return HolidayYear(off, frozenset(make_up), base.weekend, False, names)


def _span(text: Any, where: str) -> Iterable[date]:
    first, _, last = str(text).partition(_SPAN)
    begin = _day(text if isinstance(text, date) else first, where)
    end = _day(last, where) if last else begin
    if end < begin:
        raise PeriodError(f"{text!r} ends before it begins", where=where, fix="swap the two days")
    return [begin + timedelta(days=i) for i in range((end - begin).days + 1)]


def _day(value: Any, where: str) -> date:
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        raise PeriodError(f"{value!r} is no day", where=where, fix="write 2027-02-05, a day that exists") from None


def _year(value: Any, where: str) -> int:
    text = str(value)
    if not (text.isdigit() and 1900 <= int(text) <= 2100):
        raise PeriodError(f"{value!r} is no year", where=where, fix="write [2027]")
    return int(text)
