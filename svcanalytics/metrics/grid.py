"""Putting rows into periods: the lake's local days, and the calendar a query joins to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pandas as pd

from svcanalytics.errors import PeriodError
from svcanalytics.periods import Period, parse_period, periods_between
from svcanalytics.store.engine import identifier

__all__ = ["Grid", "bounds", "day_number", "make_grid", "span"]

_EPOCH = date(1970, 1, 1)
_DAY_US = 86_400_000_000
_LIFT = 1_000_000


@dataclass(frozen=True)
class Grid:
    """Periods, and how a row finds its own.

    Attributes
    ----------
    periods : tuple of Period
        In order of time.
    key : str
        SQL that gives a row's key over the view's columns.
    columns : tuple of str
        The columns that `key` reads.
    calendar : DataFrame
        ``key`` (int64) to ``period`` (index into `periods`).
    """

    periods: tuple[Period, ...]
    key: str
    columns: tuple[str, ...]
    calendar: pd.DataFrame


def span(start: date | str | None, end: date | str | None, month_start: int) -> tuple[date | None, date | None]:
    """Return the first and the last local day, both inclusive, of what `start` and `end` name.

    Raises
    ------
    PeriodError
        When one isn't a period, or the end lies before the start.
    """
    first = start if start is None or isinstance(start, date) else parse_period(start, month_start).start
    last = end if end is None or isinstance(end, date) else parse_period(end, month_start).last
    first, last = (day.date() if isinstance(day, datetime) else day for day in (first, last))
    if first is not None and last is not None and last < first:
        raise PeriodError(f"{end} lies before {start}", where="start, end", fix="swap them")
    return first, last


def make_grid(first: date, last: date, every: str, month_start: int, *, at: str, keyed: bool, zone: str) -> Grid:
    """Make the grid of the periods that hold the days from `first` to `last`.

    Parameters
    ----------
    at : str
        The time column.
    keyed : bool
        True when the rows' ``day_key`` and ``month_key`` belong to `at`: then no time need be read at all.
    """
    periods = tuple(periods_between(first, last, every, month_start))
    days = pd.date_range(first, last, unit="us")
    number = pd.Series(range(len(periods)), index=[pd.Timestamp(period.start) for period in periods])
    index = number.index.searchsorted(days, side="right") - 1
    whole_months = keyed and month_start == 1 and every in ("month", "quarter", "half_year", "year")
    if whole_months and first.day == 1 and (last + timedelta(days=1)).day == 1:
        keys, key, columns = days.year * 100 + days.month, identifier("month_key"), ("month_key",)
    elif keyed:
        keys, key, columns = days.year * 10_000 + days.month * 100 + days.day, identifier("day_key"), ("day_key",)
    else:
        keys = (days - pd.Timestamp(_EPOCH)).days
        key, columns = day_number(identifier(at), zone, first, last), (at,)
    calendar = pd.DataFrame({"key": keys.astype("int64"), "period": index.astype("int64")}).drop_duplicates("key")
    return Grid(periods, key, columns, calendar)


def day_number(at: str, zone: str, first: date, last: date) -> str:
    """Return SQL for the local day of a time, as days since 1970.

    The zone's offsets between the two days are written out: shifting whole microseconds is many times faster than
    asking the engine's calendar for every row, and the same on every engine.
    """
    info = ZoneInfo(zone)
    # A day of margin on both sides, so that rows at the edge meet the right offset whatever the zone.
    moment = datetime.combine(first, time(), UTC) - timedelta(days=2)
    stop = datetime.combine(last, time(), UTC) + timedelta(days=3)
    cases, offset = [], _offset(moment, info)
    while moment < stop:
        following = moment + timedelta(days=1)
        if _offset(following, info) != offset:
            change = _change(moment, following, info)
            cases.append(f"when epoch_us({at}) < {_micros(change)} then {offset}")
            offset = _offset(following, info)
        moment = following
    shift = f"case {' '.join(cases)} else {offset} end" if cases else str(offset)
    # Whole division rounds towards zero, so days before 1970 are lifted above it first.
    return f"((epoch_us({at}) + {shift} + {_LIFT * _DAY_US}) // {_DAY_US} - {_LIFT})"


def bounds(
    con: duckdb.DuckDBPyConnection, relation: str, times: Sequence[str], zone: str
) -> list[tuple[date, date] | None]:
    """Return the first and the last local day of each of several time columns, from one scan; None without rows."""
    asked = ", ".join(f"epoch_us(min({at})), epoch_us(max({at}))" for at in times)
    found = con.execute(f"select {asked} from {relation}").fetchall()[0]
    info, origin = ZoneInfo(zone), datetime(1970, 1, 1, tzinfo=UTC)
    days = [None if us is None else (origin + timedelta(microseconds=us)).astimezone(info).date() for us in found]
    return [None if low is None else (low, high) for low, high in zip(days[::2], days[1::2], strict=True)]


def _offset(moment: datetime, info: ZoneInfo) -> int:
    return int(moment.astimezone(info).utcoffset() / timedelta(microseconds=1))


def _change(before: datetime, after: datetime, info: ZoneInfo) -> datetime:
    old = _offset(before, info)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        before, after = (middle, after) if _offset(middle, info) == old else (before, middle)
    return after


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
