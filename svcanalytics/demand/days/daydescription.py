"""What the calendar knows of each day: its class, its place in month and year, festivals near it, the user's events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.days.events import add_events, read_events
from svcanalytics.demand.days.festivals import festival_windows, holiday_names
from svcanalytics.demand.days.regressors import add_regressors, read_regressors
from svcanalytics.errors import DemandError
from svcanalytics.periods import HolidayCalendar, day_classes, read_holidays

__all__ = ["OFF", "describe_days"]

OFF = ("holiday", "substituted")
"""Classes of days that are off by law or by substitution."""

# Far enough to know the run of days off a day follows, and the whole of its month.
_MARGIN = pd.Timedelta(days=45)


def describe_days(
    days: pd.DatetimeIndex,
    country: str | Path | Mapping[Any, Any] | HolidayCalendar = "CN",
    events: pd.DataFrame | Iterable[Mapping[str, Any]] | None = None,
    regressors: pd.DataFrame | None = None,
    *,
    pay_days: Iterable[int] = (),
    billing_days: Iterable[int] = (),
    queue: str = "",
) -> pd.DataFrame:
    """Describe days by all that is known of them beforehand.

    Parameters
    ----------
    days : pandas.DatetimeIndex, shape ``(D,)``
        Local midnights in ascending order.
    country : str, path, Mapping or HolidayCalendar
        Whose holidays count: an ISO code, "" for weekends only, or a scenario (see
        `svcanalytics.periods.read_holidays`).
    events : pandas.DataFrame or sequence of mappings, optional
        ``name, start, end, effect, queue``; see `svcanalytics.demand.days.events.read_events`.
    regressors : pandas.DataFrame, optional
        ``day`` and one column a regressor.
    pay_days, billing_days : iterable of int
        Days of the month, -1 the last. A pay day on a day off comes on the working day before.
    queue : str
        Whose events and regressors count beside those of all.

    Returns
    -------
    pandas.DataFrame, D rows, indexed by `days`
        - day_class : ``ordinary``, ``weekend``, ``holiday`` (by law), ``substituted`` (day off instead of another),
          ``make_up`` (weekend day that is worked), ``eve``, ``day_after`` (last working day before, first after days
          off with a holiday), ``bridge`` (single working day between two such runs)
        - provisional : the year's moved working days are not announced yet
        - working : a working day by the calendar
        - weekday (Monday 0), month, day_of_month, from_month_end (0 on the last day), day_of_year
        - work_day, work_days_left : working days of the month up to the day, and after it
        - holiday : name of the day off; window, window_offset : festival whose window it is in, and days since its
          first day
        - school_break, pay_day, billing_day : bool
        - excluded : not to be learned from; announced : ``closed``, ``opened`` or ""
        - event_<name> : 1 on the event's days; x_<name> : the regressor, NaN where unknown

    Raises
    ------
    DemandError
        When days are not ascending, or an event or regressor is wrong.
    PeriodError
        When holidays can't be read.
    """
    if not len(days) or not days.is_monotonic_increasing or not days.is_unique or days.tz is not None:
        raise DemandError("days must be ascending local midnights", fix="pass pandas.date_range(first, last)")
    calendar = read_holidays(country)
    wide = pd.date_range(days[0] - _MARGIN, days[-1] + _MARGIN, unit="s")
    classes = day_classes(wide[0].date(), (wide[-1] + pd.Timedelta(days=1)).date(), calendar)
    kind = _with_days_after(classes["day_class"].to_numpy(dtype=object))
    working = ~np.isin(kind, [*OFF, "weekend"])
    month = wide.to_numpy().astype("datetime64[M]")
    frame = pd.DataFrame(
        {
            "day_class": kind,
            "provisional": classes["provisional"].to_numpy(),
            "working": working,
            "weekday": np.asarray(wide.day_of_week),
            "month": np.asarray(wide.month),
            "day_of_month": np.asarray(wide.day),
            "from_month_end": np.asarray(wide.days_in_month - wide.day),
            "day_of_year": np.asarray(wide.day_of_year),
            "work_day": _running(working, month),
            "work_days_left": (_running(working[::-1], month[::-1]) - working[::-1])[::-1],
        },
        index=wide,
    )
    marked = {
        "pay_day": _moved_before(_on_days(frame, pay_days, "pay_days"), working),
        "billing_day": _on_days(frame, billing_days, "billing_days"),
    }
    frame = frame.assign(**marked).reindex(days)
    window, offset = festival_windows(days, calendar)
    frame = frame.assign(
        holiday=holiday_names(days, calendar), window=window, window_offset=offset, school_break=False, excluded=False
    ).assign(announced=np.full(len(days), "", dtype=object))
    return add_regressors(add_events(frame, read_events(events), queue), read_regressors(regressors), queue)


def _with_days_after(kind: NDArray) -> NDArray:
    kind = kind.copy()
    holiday = False
    for i, name in enumerate(kind):
        if name in OFF:
            holiday = True
        elif name != "weekend":
            if holiday and name == "ordinary":
                kind[i] = "day_after"
            holiday = False
    return kind


def _running(marked: NDArray[np.bool_], month: NDArray) -> NDArray[np.int64]:
    # Counts the marked days of each month up to each day; months lie together.
    total = np.cumsum(marked)
    first = np.r_[True, month[1:] != month[:-1]]
    before = np.maximum.accumulate(np.where(first, np.r_[0, total[:-1]], 0))
    return total - before


def _on_days(frame: pd.DataFrame, wanted: Iterable[int], name: str) -> NDArray[np.bool_]:
    found = np.zeros(len(frame), dtype=bool)
    for day in wanted:
        if not (1 <= day <= 31 or -31 <= day <= -1):
            raise DemandError(f"{day} is no day of the month", where=name, fix="use 1 to 31, or -1 for the last")
        if day < 0:
            found |= frame["from_month_end"].to_numpy() == -day - 1
        else:
            # A day that the month lacks is its last.
            last = frame["day_of_month"].to_numpy() + frame["from_month_end"].to_numpy()
            found |= frame["day_of_month"].to_numpy() == np.minimum(day, last)
    return found


def _moved_before(marked: NDArray[np.bool_], working: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found = np.zeros_like(marked)
    for i in np.flatnonzero(marked):
        before = np.flatnonzero(working[: i + 1])
        found[before[-1] if len(before) else i] = True
    return found
