"""Reporting periods: days, ISO weeks, months (or own ones, 26th to 25th), quarters, half-years, years."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from svcanalytics.errors import PeriodError

__all__ = ["KINDS", "Period", "parse_period", "period_of", "periods_between", "year_to_date"]

KINDS = ("day", "week", "month", "quarter", "half_year", "year")
"""The kinds of period, shortest first."""

_MONTHS_IN = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}
_PATTERNS = {
    "day": re.compile(r"(\d{4})-(\d{2})-(\d{2})"),
    "week": re.compile(r"(\d{4})-?W(\d{2})"),
    "month": re.compile(r"(\d{4})-(\d{2})"),
    "quarter": re.compile(r"(\d{4})-?Q([1-4])"),
    "half_year": re.compile(r"(\d{4})-?H([12])"),
    "year": re.compile(r"(\d{4})"),
}
_FIX = "write a period as 2026-10-31, 2026-W44, 2026-10, 2026Q4, 2026H2 or 2026"
_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_NUMERALS = "一二三四"


@dataclass(frozen=True, order=True)
class Period:
    """One reporting period; ordered by its start.

    Attributes
    ----------
    start, end : date
        First local day, and the day after the last one (exclusive).
    kind : str
        One of `KINDS`.
    key : str
        The written form: ``2026-10-31``, ``2026-W44``, ``2026-10``, ``2026Q4``, ``2026H2``, ``2026``.
    month_start : int
        Day on which months begin. With 26, month 2026-10 runs from 26 September to 25 October: a month is named after
        the calendar month it ends in, and quarters, half-years and years are made of such months.
    """

    start: date
    end: date
    kind: str = field(compare=False)
    key: str
    month_start: int = field(default=1, compare=False, repr=False)

    @property
    def days(self) -> int:
        """Number of days in the period."""
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        """The last day of the period."""
        return self.end - timedelta(days=1)

    def previous(self, n: int = 1) -> Period:
        """Return the period `n` periods of the same kind earlier."""
        return self.next(-n)

    def next(self, n: int = 1) -> Period:
        """Return the period `n` periods of the same kind later."""
        if self.kind in ("day", "week"):
            step = timedelta(days=n * self.days)
            return period_of(self.start + step, self.kind, self.month_start)
        year, month = self._first_month()
        return _of_months(self.kind, year, month + n * _MONTHS_IN[self.kind], self.month_start)

    def same_last_year(self) -> Period:
        """Return the same period of the year before (同期).

        A week keeps its ISO number (week 53 becomes the last week of a year without one), 29 February becomes the 28th.
        """
        if self.kind == "day":
            try:
                return period_of(self.start.replace(year=self.start.year - 1), "day", self.month_start)
            except ValueError:
                return period_of(date(self.start.year - 1, 2, 28), "day", self.month_start)
        if self.kind == "week":
            year, week, _ = self.start.isocalendar()
            return _of_week(year - 1, min(week, _weeks_in(year - 1)), self.month_start)
        return self.previous(12 // _MONTHS_IN[self.kind])

    def label(self, language: str = "en") -> str:
        """Return the name for readers: ``2026年三季度``, ``2026年上半年``; ``Q3 2026``, ``first half of 2026``."""
        zh = language.startswith("zh")
        if self.kind == "day":
            return _day_label(self.start, zh)
        if self.kind == "week":
            year, week, _ = self.start.isocalendar()
            return f"{year}年第{week}周" if zh else f"week {week} of {year}"
        year, month = self._first_month()
        if self.kind == "month":
            return f"{year}年{month}月" if zh else f"{_MONTH_NAMES[month - 1]} {year}"
        if self.kind == "quarter":
            number = (month + 2) // 3
            return f"{year}年{_NUMERALS[number - 1]}季度" if zh else f"Q{number} {year}"
        if self.kind == "half_year":
            first = month == 1
            if zh:
                return f"{year}年{'上' if first else '下'}半年"
            return f"{'first' if first else 'second'} half of {year}"
        return f"{year}年" if zh else f"{year}"

    def span(self, language: str = "en") -> str:
        """Return the first and the last day for readers: ``2026年9月26日至10月25日``."""
        zh = language.startswith("zh")
        first, last = self.start, self.last
        if first == last:
            return _day_label(first, zh)
        if zh:
            tail = f"{last.month}月{last.day}日" if first.year == last.year else _day_label(last, True)
            return f"{_day_label(first, True)}至{tail}"
        head = f"{first.day} {_MONTH_NAMES[first.month - 1]}" if first.year == last.year else _day_label(first, False)
        return f"{head} to {_day_label(last, False)}"

    def __str__(self) -> str:
        return self.key

    def _first_month(self) -> tuple[int, int]:
        # The name of a month is that of the calendar month holding its last day.
        year, month = self.start.year, self.start.month
        return (year, month) if self.month_start == 1 else _carry(year, month + 1)


def parse_period(text: str | Period, month_start: int = 1) -> Period:
    """Read a period from its written form.

    Parameters
    ----------
    text : str
        ``2026-10-31``, ``2026-W44``, ``2026-10``, ``2026Q4``, ``2026H2`` or ``2026`` (also in small letters).
    month_start : int
        Day on which months begin, 1 to 28.

    Raises
    ------
    PeriodError
        When the text is none of these, or names a day, week or month that does not exist.
    """
    if isinstance(text, Period):
        return text
    _check_month_start(month_start)
    written = str(text).strip().upper()
    for kind, pattern in _PATTERNS.items():
        match = pattern.fullmatch(written)
        if not match:
            continue
        numbers = [int(group) for group in match.groups()]
        try:
            if kind == "day":
                return period_of(date(*numbers), "day", month_start)
            if kind == "week":
                if not 1 <= numbers[1] <= _weeks_in(numbers[0]):
                    raise ValueError("no such week")
                return _of_week(numbers[0], numbers[1], month_start)
            if kind == "month" and not 1 <= numbers[1] <= 12:
                raise ValueError("no such month")
            number = numbers[1] if len(numbers) > 1 else 1
            return _of_months(kind, numbers[0], (number - 1) * _MONTHS_IN[kind] + 1, month_start)
        except (ValueError, OverflowError):
            raise PeriodError("there is no such period", where=repr(text), fix=_FIX) from None
    raise PeriodError("this is not a period", where=repr(text), fix=_FIX)


def period_of(day: date, kind: str, month_start: int = 1) -> Period:
    """Return the period of one kind that holds a local day.

    Raises
    ------
    PeriodError
        When `kind` is not one of `KINDS` or `month_start` is not 1 to 28.
    """
    _check_kind(kind)
    _check_month_start(month_start)
    if isinstance(day, datetime):
        day = day.date()
    if kind == "day":
        return Period(day, day + timedelta(days=1), "day", day.isoformat(), month_start)
    if kind == "week":
        year, week, _ = day.isocalendar()
        return _of_week(year, week, month_start)
    year, month = day.year, day.month
    if month_start > 1 and day.day >= month_start:
        year, month = _carry(year, month + 1)
    size = _MONTHS_IN[kind]
    return _of_months(kind, year, (month - 1) // size * size + 1, month_start)


def periods_between(
    start: date | str | Period, end: date | str | Period, kind: str, month_start: int = 1
) -> list[Period]:
    """Return the periods of one kind that hold any day from `start` to `end`, both inclusive.

    `start` and `end` may be days or written periods; a period at the end counts with all its days.
    """
    first = start if isinstance(start, date) else parse_period(start, month_start).start
    last = end if isinstance(end, date) else parse_period(end, month_start).last
    found = []
    period = period_of(first, kind, month_start)
    while period.start <= last:
        found.append(period)
        period = period.next()
    return found


def year_to_date(period: Period, month_start: int | None = None) -> tuple[date, date]:
    """Return the first day of the period's year and the day after the period's last day (本年累计).

    The year is the one the period's name carries: the ISO year for weeks, the assessment year for an own month.
    """
    start_of_month = period.month_start if month_start is None else month_start
    if period.kind == "week":
        return _of_week(period.start.isocalendar().year, 1, start_of_month).start, period.end
    return period_of(period.last, "year", start_of_month).start, period.end


def _of_months(kind: str, year: int, month: int, month_start: int) -> Period:
    year, month = _carry(year, month)
    size = _MONTHS_IN[kind]
    start = _first_day(year, month, month_start)
    end = _first_day(*_carry(year, month + size), month_start)
    key = {
        "month": f"{year:04d}-{month:02d}",
        "quarter": f"{year:04d}Q{(month + 2) // 3}",
        "half_year": f"{year:04d}H{(month + 5) // 6}",
        "year": f"{year:04d}",
    }[kind]
    return Period(start, end, kind, key, month_start)


def _of_week(year: int, week: int, month_start: int) -> Period:
    start = date.fromisocalendar(year, week, 1)
    return Period(start, start + timedelta(days=7), "week", f"{year:04d}-W{week:02d}", month_start)


def _first_day(year: int, month: int, month_start: int) -> date:
    if month_start == 1:
        return date(year, month, 1)
    return date(*_carry(year, month - 1), month_start)


def _carry(year: int, month: int) -> tuple[int, int]:
    years, index = divmod(month - 1, 12)
    return year + years, index + 1


def _weeks_in(year: int) -> int:
    return date(year, 12, 28).isocalendar().week


def _day_label(day: date, zh: bool) -> str:
    return f"{day.year}年{day.month}月{day.day}日" if zh else f"{day.day} {_MONTH_NAMES[day.month - 1]} {day.year}"


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise PeriodError("there is no such kind of period", where=repr(kind), fix=f"use one of {', '.join(KINDS)}")


def _check_month_start(month_start: int) -> None:
    # Every month has a 28th; a month that began on the 30th would have none in February.
    if not 1 <= month_start <= 28:
        raise PeriodError(
            "months can begin on days 1 to 28", where=f"month_start = {month_start}", fix="choose such a day"
        )
