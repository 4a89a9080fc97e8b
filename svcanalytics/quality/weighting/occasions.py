"""When something is, as people write it: days, periods, ranges, the same days every year, day classes, hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError, PeriodError
from svcanalytics.periods import day_classes, parse_period

__all__ = ["find_dates", "find_day_classes", "find_minutes", "years_named"]

_RECURRING = re.compile(r"(\d{2})-(\d{2})")
_HOURS = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_RUN = pd.Timedelta(days=15)  # longer than any run of days off
_LEAP_YEAR = 2024  # has every day that a year can have


def find_day_classes(classes: Sequence[str], country: str, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Tell which days are of one of the classes; "holiday" takes the weekend days of its run of days off, too.

    Parameters
    ----------
    classes : sequence of str
        Of `periods.DAY_CLASSES`.
    country : str
        ISO code, or "" for weekends only.
    days : pandas.DatetimeIndex
        Local days, in order and without gaps.
    """
    known = _known_classes((days[0] - _RUN).date(), (days[-1] + pd.Timedelta(days=1) + _RUN).date(), country)
    found = known.isin(classes)
    if "holiday" in classes:
        off = known.isin(["holiday", "substituted", "weekend"])
        run = (off != off.shift()).cumsum()
        found |= (known == "weekend") & (known == "holiday").groupby(run).transform("any")
    return found.reindex(days).to_numpy()


def find_dates(text: str, days: pd.DatetimeIndex, where: str = "") -> NDArray[np.bool_]:
    """Tell which days a text means: "2026-03-02", "2026-05", "2026-05-01..2026-05-05", every year "12-20..01-05".

    Raises
    ------
    CatalogueError
        When the text can't be read, or ends before it starts; `where` is put into the message.
    """
    first, _, last = text.partition("..")
    try:
        if _RECURRING.fullmatch(first):
            opens, closes = (pd.Timestamp(f"{_LEAP_YEAR}-{end}") for end in (first, last or first))
            number, low, high = (100 * each.month + each.day for each in (days, opens, closes))
            over_new_year = low > high
            since, until = np.asarray(number >= low), np.asarray(number <= high)
            return since | until if over_new_year else since & until
        start, end = parse_period(first).start, parse_period(last or first).last
    except (PeriodError, ValueError):
        raise CatalogueError(
            f"{text!r} is not a day, period or range",
            where=where,
            fix='write "2026-03-02", "2026-05", "2026-05-01..2026-05-05", or for every year "06-10..06-20"',
        ) from None
    if start > end:
        raise CatalogueError(f"{text!r} ends before it starts", where=where, fix="turn it round")
    return np.asarray((days >= pd.Timestamp(start)) & (days <= pd.Timestamp(end)))


def find_minutes(hours: str, where: str = "") -> NDArray[np.bool_]:
    """Tell which of a day's 1,440 minutes hours such as "22:00-06:00" cover; the same time twice means the whole day.

    Raises
    ------
    CatalogueError
        When the text can't be read; `where` is put into the message.
    """
    read = _HOURS.fullmatch(hours)
    opens, closes = (60 * int(read[n]) + int(read[n + 1]) for n in (1, 3)) if read else (0, 1441)
    if max(opens, closes) > 1440 or (read and max(int(read[2]), int(read[4])) > 59):
        raise CatalogueError(f"{hours!r} are no hours", where=where, fix='write "22:00-06:00"')
    found = np.zeros(1440, dtype=bool)
    found[(opens + np.arange((closes - opens) % 1440 or 1440)) % 1440] = True
    return found


@lru_cache(maxsize=64)
def _known_classes(first: date, after: date, country: str) -> pd.Series:
    return day_classes(first, after, country).set_index("day")["day_class"]


def years_named(texts: Sequence[str]) -> list[int]:
    """Return the years that texts for `find_dates` name; one that stands for any, when they name none."""
    spans = [text.partition("..") for text in texts if not _RECURRING.fullmatch(text.partition("..")[0])]
    named = {
        year
        for first, _, last in spans
        for year in range(parse_period(first).start.year, parse_period(last or first).last.year + 1)
    }
    return sorted(named) or [_LEAP_YEAR]
