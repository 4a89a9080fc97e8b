"""Opening hours of a queue: what they say of a day, how they are given and shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.days.daydescription import OFF
from svcanalytics.errors import DemandError
from svcanalytics.periods import Calendar, calendars

__all__ = ["OpeningHours", "give_hours", "name_days_off", "show_hours"]

IN_LIEU = " (in lieu)"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, eq=False)
class OpeningHours:
    """When a queue is open.

    Attributes
    ----------
    week : numpy.ndarray of bool, shape ``(7, S)``
        Open slots of an ordinary Monday to Sunday, as things stand at the end.
    make_up : numpy.ndarray of bool, shape ``(S,)``
        Open slots of a weekend day that is worked.
    inferred : bool
        Whether they were read off the arrivals.
    open_holidays : bool
        Whether a public holiday that is not among `holidays` is open.
    holidays : Mapping[str, bool]
        Which holidays are open, where the history tells: by name, with " (in lieu)" for the days off that stand in.
    shorter : Mapping[str, numpy.ndarray of bool, shape ``(S,)``]
        Slots to which open holidays keep, by name as in `holidays`.
    closed, opened : frozenset[date]
        Days that are closed or open whatever else holds.
    since, until : numpy.ndarray of int64, shape ``(7, S)``
        First and last row of the history on which a slot of a weekday is open, where hours changed.
    unseen : tuple of int
        Weekdays of which the history holds none.
    """

    week: NDArray[np.bool_]
    make_up: NDArray[np.bool_]
    inferred: bool
    open_holidays: bool
    holidays: Mapping[str, bool] = field(default_factory=dict)
    shorter: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    closed: frozenset[date] = frozenset()
    opened: frozenset[date] = frozenset()
    since: NDArray[np.int64] | None = None
    until: NDArray[np.int64] | None = None
    unseen: tuple[int, ...] = ()

    def open_slots(self, features: pd.DataFrame, *, past: bool = False) -> NDArray[np.bool_]:
        """Return which slots are open on the days of `features`, shape ``(D, S)``.

        Parameters
        ----------
        features : pandas.DataFrame, indexed by day
            What `describe_days` gives.
        past : bool
            The days are the history's own, with the hours each had then.
        """
        kind, weekday = features["day_class"].to_numpy(), features["weekday"].to_numpy()
        if past and self.since is not None and self.until is not None:
            row = np.arange(len(features))[:, None]
            slots = (row >= self.since[weekday]) & (row <= self.until[weekday])
        else:
            slots = self.week[weekday].copy()
        slots[kind == "make_up"] |= self.make_up
        off = np.flatnonzero(np.isin(kind, OFF))
        if len(off):
            for row, name in zip(off, name_days_off(features)[off], strict=True):
                key = name if name in self.holidays else name.removesuffix(IN_LIEU)
                if not self.holidays.get(key, self.open_holidays):
                    slots[row] = False
                elif key in self.shorter:
                    slots[row] &= self.shorter[key]
        self._force(slots, features)
        return slots

    def _force(self, slots: NDArray[np.bool_], features: pd.DataFrame) -> None:
        announced = features["announced"].to_numpy()
        days = features.index
        shut = np.flatnonzero(announced == "closed")
        open_ = np.flatnonzero(announced == "opened")
        if self.closed:
            shut = np.union1d(shut, np.flatnonzero(days.isin(pd.DatetimeIndex(sorted(self.closed)))))
        if self.opened:
            open_ = np.union1d(open_, np.flatnonzero(days.isin(pd.DatetimeIndex(sorted(self.opened)))))
        usual = self.week[features["weekday"].to_numpy()[open_]]
        slots[open_] = np.where(usual.any(axis=1)[:, None], usual, self.make_up)
        slots[shut] = False


def name_days_off(features: pd.DataFrame) -> NDArray:
    """Return the holiday's name of each day off, shape ``(D,)``, marked where it is a substituted one."""
    lieu = np.where(features["day_class"].to_numpy() == "substituted", IN_LIEU, "").astype(object)
    return features["holiday"].to_numpy() + lieu


def give_hours(hours: Any, queue: str, slot_s: int) -> OpeningHours | None:
    """Return the opening hours that someone gives a queue; None where they are to be inferred.

    Parameters
    ----------
    hours : "infer", Mapping, Calendar or str
        Spans by weekday (``{"mon-fri": ["09:00-18:00"]}``), a calendar's definition as in ``calendars.toml``, a
        calendar, the id of one that is shipped, or a mapping of queues to any of these. Without a word on holidays
        they are open.
    queue : str
    slot_s : int
        Length of a slot; one that is open in part is open.

    Raises
    ------
    DemandError
        When there is no such calendar, or none for this queue.
    PeriodError
        When the definition is wrong.
    """
    if isinstance(hours, Mapping) and not _is_definition(hours):
        if queue not in hours:
            raise DemandError(
                "the queue has no hours",
                where=f"queue {queue!r}; hours of {', '.join(map(repr, list(hours)[:5]))}",
                fix='give it some, or "infer"; weekdays are written mon to sun',
            )
        hours = hours[queue]
    if isinstance(hours, str) and hours == "infer":
        return None
    calendar = _calendar(hours)
    n_slots = 86400 // slot_s
    week = np.zeros((7, n_slots), dtype=bool)
    for weekday, spans in enumerate(calendar.hours or (((0, 1440),),) * 7):
        for opens, closes in spans:
            week[weekday, opens * 60 // slot_s : -(-closes * 60 // slot_s)] = True
    make_up = week[calendar.make_up_like] if calendar.country else np.zeros(n_slots, dtype=bool)
    return OpeningHours(week, make_up, False, not calendar.country, closed=calendar.closed, opened=calendar.opened)


def show_hours(hours: OpeningHours, slots: NDArray[np.int64], slot_s: int) -> pd.DataFrame:
    """Return opening hours as people read them: columns day and hours."""
    rows = [(name, _text(hours.week[i], slots, slot_s)) for i, name in enumerate(_WEEKDAYS)]
    worked = _text(hours.make_up, slots, slot_s) if hours.make_up.any() else "as on its weekday"
    rows.append(("make-up working day", worked))
    rows.append(("public holiday", "open" if hours.open_holidays else "closed"))
    rows += [
        (name, "open" if open_ else "closed") for name, open_ in hours.holidays.items() if open_ != hours.open_holidays
    ]
    return pd.DataFrame(rows, columns=["day", "hours"])


def _is_definition(hours: Mapping[str, Any]) -> bool:
    return "hours" in hours or any(str(key).partition("-")[0] in _WEEKDAYS for key in hours)


def _calendar(hours: Any) -> Calendar:
    from svcanalytics.metrics.rules import clock_calendars

    if isinstance(hours, Calendar):
        return hours
    if isinstance(hours, Mapping):
        definition = hours if "hours" in hours else {"hours": hours}
        # Which days are holidays, the arrivals' own calendar says; here it only matters whether they are kept.
        return calendars({"hours": definition}, country="any", where="hours")["hours"]
    known = clock_calendars()
    if not isinstance(hours, str) or hours not in known:
        raise DemandError(
            f"there is no calendar {hours!r}",
            where="hours",
            fix=f"use infer, {', '.join(known)}, or give spans by weekday",
        )
    return known[hours]


def _text(open_: NDArray[np.bool_], slots: NDArray[np.int64], slot_s: int) -> str:
    if slot_s == 86400:
        return "open" if open_.any() else "closed"
    edges = np.diff(np.r_[0, open_.astype(int), 0])
    begins, ends = slots[np.flatnonzero(edges == 1)], slots[np.flatnonzero(edges == -1) - 1] + slot_s
    return ", ".join(f"{_time(a)}-{_time(b)}" for a, b in zip(begins, ends, strict=True)) or "closed"


def _time(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"
