"""Opening hours of a queue: given, or inferred from when it has arrivals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.daydescription import OFF
from svcanalytics.errors import DemandError
from svcanalytics.periods import Calendar, calendars

__all__ = ["IMPROBABLE", "OpeningHours", "give_hours", "infer_hours", "local_level", "show_hours"]

IMPROBABLE = 10.0
"""Where so many arrivals would be usual, none at all is no chance: the Poisson probability is below 5 in 100,000."""

_STRAY_DAYS, _STRAY_SHARE = 0.05, 0.02
_RECENT = 4
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
        Which holidays are open, by name, where the history tells.
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
            names = features["holiday"].to_numpy()[off]
            slots[off[[not self.holidays.get(name, self.open_holidays) for name in names]]] = False
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


def give_hours(hours: Mapping[str, Any] | Calendar | str, slot_s: int, country: str = "") -> OpeningHours:
    """Return opening hours that someone gives.

    Parameters
    ----------
    hours : Mapping, Calendar or str
        Spans by weekday (``{"mon-fri": ["09:00-18:00"]}``), a calendar's definition as in ``calendars.toml``, a
        calendar, or the id of one that is shipped. Without a word on holidays they are open.
    slot_s : int
        Length of a slot; one that is open in part is open.
    country : str
        Whose holidays ``holidays = true`` means.

    Raises
    ------
    DemandError
        When there is no such calendar.
    PeriodError
        When the definition is wrong.
    """
    calendar = _calendar(hours, country)
    n_slots = 86400 // slot_s
    week = np.zeros((7, n_slots), dtype=bool)
    for weekday, spans in enumerate(calendar.hours or (((0, 1440),),) * 7):
        for opens, closes in spans:
            week[weekday, opens * 60 // slot_s : -(-closes * 60 // slot_s)] = True
    make_up = week[calendar.make_up_like] if calendar.country else np.zeros(n_slots, dtype=bool)
    return OpeningHours(week, make_up, False, not calendar.country, closed=calendar.closed, opened=calendar.opened)


def infer_hours(counts: NDArray[np.float64], features: pd.DataFrame) -> OpeningHours:
    """Infer opening hours from a history.

    A weekday is open that has arrivals on most of its days, or as many as the others have; a slot of it, where arrivals
    come as they do elsewhere at that time of day. Absence counts against a slot only if `IMPROBABLE`. Where arrivals
    begin or cease for good, so do the hours.

    Parameters
    ----------
    counts : numpy.ndarray of float64, shape ``(D, S)``
        NaN where there is no row.
    features : pandas.DataFrame, D rows
        What `describe_days` gives of the days.
    """
    kind, weekday = features["day_class"].to_numpy(), features["weekday"].to_numpy()
    amount = np.nan_to_num(counts)
    total = amount.sum(axis=1)
    if not total.any():
        listed = ~np.isnan(counts)
        week = np.array([listed[weekday == day].any(axis=0) for day in range(7)])
        return OpeningHours(week, week.any(axis=0), True, True)
    level = local_level(total)
    busy = level >= IMPROBABLE / 2
    usual = float(np.median(total[(total > 0) & (busy | ~busy.any())]))
    # A handful of contacts on a day on which hundreds are usual do not make it a day of business.
    active = (total > 0) & (total >= _STRAY_SHARE * level)
    off, moved = np.isin(kind, OFF), kind == "make_up"
    ordinary = ~off & ~moved
    open_days = _open_weekdays(total, active, ordinary, weekday, busy)
    counted = active & ordinary & open_days[weekday]
    if not counted.any():
        counted = active
        open_days[np.unique(weekday[active])] = True
    used = _used_slots(amount[counted])
    since, until = np.full((7, counts.shape[1]), len(counts)), np.full((7, counts.shape[1]), -1)
    for day in np.flatnonzero(open_days):
        since[day], until[day] = _spans_of(amount, np.flatnonzero(counted & (weekday == day)), used)
        begun, ended = _begun_and_ended(active, np.flatnonzero(ordinary & (weekday == day)), busy)
        since[day], until[day] = np.maximum(since[day], begun), np.minimum(until[day], ended)
    unseen = tuple(int(day) for day in range(7) if not (ordinary & (weekday == day)).any())
    for day in unseen:
        alike = [other for other in np.flatnonzero(open_days) if (other < 5) == (day < 5)]
        if alike:
            since[day], until[day] = since[alike].min(axis=0), until[alike].max(axis=0)
    week = until >= len(counts)
    seen = off & week.any(axis=1)[weekday] & (busy | ~busy.any())
    names = features["holiday"].to_numpy()
    known = {str(name): bool(active[seen & (names == name)].mean() >= 0.5) for name in np.unique(names[seen])}
    open_holidays = bool(not seen.any() or active[seen].mean() >= 0.5 or usual < IMPROBABLE)
    # Who keeps the holidays works the days that make up for them, unless the history has some on which he did not.
    keeps = active[moved].mean() >= 0.5 if moved.any() else not open_holidays
    make_up = (week[[day for day in range(5) if week[day].any()] or range(7)].mean(axis=0) >= 0.5) & keeps
    return OpeningHours(week, make_up, True, open_holidays, known, since=since, until=until, unseen=unseen)


def local_level(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the four weeks around each day, shape ``(D,)``."""
    window = np.ones(min(29, 2 * len(total) - 1))
    n = len(total)
    return np.convolve(total, window, "same")[:n] / np.convolve(np.ones(n), window, "same")[:n]


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


def _calendar(hours: Mapping[str, Any] | Calendar | str, country: str) -> Calendar:
    from svcanalytics.metrics.rules import clock_calendars

    if isinstance(hours, Calendar):
        return hours
    if isinstance(hours, Mapping):
        definition = hours if "hours" in hours else {"hours": hours}
        return calendars({"hours": definition}, country=country, where="hours")["hours"]
    known = clock_calendars()
    if hours not in known:
        raise DemandError(
            f"there is no calendar {hours!r}",
            where="hours",
            fix=f"use infer, {', '.join(known)}, or give spans by weekday",
        )
    return known[hours]


def _open_weekdays(
    total: NDArray, active: NDArray[np.bool_], ordinary: NDArray[np.bool_], weekday: NDArray, busy: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    # A day without arrivals tells only where some would be usual; low volumes are judged by their mean.
    share, mean = np.zeros(7), np.zeros(7)
    recently = np.zeros(7, dtype=bool)
    telling = ordinary & busy
    for day in range(7):
        mine = ordinary & (weekday == day)
        if mine.any():
            mean[day] = total[mine].mean()
        if (telling & mine).any():
            seen = active[telling & mine]
            share[day] = seen.mean()
            recently[day] = len(seen) >= _RECENT and bool(seen[-_RECENT:].all())
    if not telling.any():
        return mean > 0.2 * np.median(mean[mean >= 0.5 * mean.max()])
    return (share > 0.5) | recently


def _begun_and_ended(active: NDArray[np.bool_], rows: NDArray, busy: NDArray[np.bool_]) -> tuple[int, int]:
    # A weekday that the queue took up, or gave up while it goes on working on others.
    found = np.flatnonzero(active[rows])
    begun, ended = 0, 2 * len(active)
    if not len(found):
        return begun, ended
    if busy[rows[: found[0]]].sum() >= _RECENT:
        begun = int(rows[found[0]])
    if busy[rows[found[-1] + 1 :]].sum() >= _RECENT:
        ended = int(rows[found[-1]])
    return begun, ended


def _used_slots(amount: NDArray[np.float64]) -> NDArray[np.bool_]:
    mean, share = amount.mean(axis=0), (amount > 0).mean(axis=0)
    used = (share >= _STRAY_DAYS) | ((mean > 0) & (mean >= 0.005 * mean.max()))
    return _filled(used, amount.sum(axis=0))


def _filled(used: NDArray[np.bool_], sums: NDArray[np.float64]) -> NDArray[np.bool_]:
    # Silence between used slots is a lunch break only if arrivals on both sides make it no chance.
    found = np.flatnonzero(used)
    used = used.copy()
    for before, after in pairwise(found):
        gap = after - before - 1
        if gap and gap * min(sums[before], sums[after]) < IMPROBABLE:
            used[before:after] = True
    return used


def _spans_of(amount: NDArray[np.float64], rows: NDArray, used: NDArray[np.bool_]) -> tuple[NDArray, NDArray]:
    # First and last row on which each slot of this weekday is open; the whole history where nothing speaks against it.
    n = len(rows)
    positive = amount[rows] > 0
    sums, share = amount[rows].sum(axis=0), positive.mean(axis=0)
    profile = np.where(used, amount.sum(axis=0), 0.0)
    expected = profile / max(profile.sum(), 1.0) * sums.sum()
    stray = (sums <= _STRAY_SHARE * expected) & (share < _STRAY_DAYS)
    worked = used & (sums > 0) & ~stray
    open_ = _filled(worked, sums)
    if worked.any():
        # Beyond the weekday's own first and last slot, silence tells once enough of it has passed.
        columns = np.flatnonzero(worked)
        for edge in (slice(0, columns[0]), slice(columns[-1] + 1, None)):
            open_[edge] = used[edge] & (expected[edge].sum() < IMPROBABLE)
    first = np.where(worked, positive.argmax(axis=0), 0)
    last = np.where(worked, n - 1 - positive[::-1].argmax(axis=0), n - 1)
    passed = np.r_[0.0, np.cumsum(amount[rows].sum(axis=1))]
    usual = sums / max(sums.sum(), 1.0)
    late = (first >= _RECENT) & (usual * passed[first] >= 2 * IMPROBABLE)
    early = (n - 1 - last >= _RECENT) & (usual * (passed[-1] - passed[last + 1]) >= 2 * IMPROBABLE)
    since = np.where(_at_the_edges(late, open_), rows[first], 0)
    until = np.where(_at_the_edges(early, open_), rows[last], 2 * len(amount))
    return np.where(open_, since, len(amount)), np.where(open_, until, -1)


def _at_the_edges(changed: NDArray[np.bool_], open_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # Hours are lengthened or shortened at their ends; a silent hour between busy ones is something else.
    kept = np.zeros_like(changed)
    columns = np.flatnonzero(open_)
    for run in (columns, columns[::-1]):
        stays = np.flatnonzero(~changed[run])
        kept[run[: stays[0] if len(stays) else 0]] = True
    return kept


def _text(open_: NDArray[np.bool_], slots: NDArray[np.int64], slot_s: int) -> str:
    if slot_s == 86400:
        return "open" if open_.any() else "closed"
    edges = np.diff(np.r_[0, open_.astype(int), 0])
    begins, ends = slots[np.flatnonzero(edges == 1)], slots[np.flatnonzero(edges == -1) - 1] + slot_s
    return ", ".join(f"{_time(a)}-{_time(b)}" for a, b in zip(begins, ends, strict=True)) or "closed"


def _time(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"
