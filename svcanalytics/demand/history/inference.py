"""Inferring opening hours from when a queue has arrivals."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.days.daydescription import OFF
from svcanalytics.demand.history.hours import OpeningHours, name_days_off

__all__ = ["IMPROBABLE", "infer_hours", "local_level"]

IMPROBABLE = 10.0
"""Where so many arrivals would be usual, none at all is no chance: the Poisson probability is below 5 in 100,000."""

_STRAY_DAYS, _STRAY_SHARE = 0.05, 0.02
_RECENT = 4
_WILD = 50.0


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
    profile = np.where(used, amount[counted].sum(axis=0), 0.0) / amount[counted][:, used].sum()
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
    # On a quiet day's holiday it can't be told whether nobody came or nobody was there.
    seen = off & week.any(axis=1)[weekday] & busy
    names = name_days_off(features)
    known: dict[str, bool] = {}
    shorter: dict[str, NDArray[np.bool_]] = {}
    for name in np.unique(names[seen]):
        mine = seen & (names == name)
        known[str(name)] = bool(active[mine].mean() >= 0.5)
        if known[str(name)]:
            shorter[str(name)] = _span_of(amount[mine & active].sum(axis=0), profile)
    open_holidays = bool(not seen.any() or active[seen].mean() >= 0.5)
    # Who keeps the holidays works the days that make up for them, unless the history has some on which he did not.
    keeps = active[moved].mean() >= 0.5 if moved.any() else not open_holidays
    make_up = (week[[day for day in range(5) if week[day].any()] or range(7)].mean(axis=0) >= 0.5) & keeps
    return OpeningHours(week, make_up, True, open_holidays, known, shorter, since=since, until=until, unseen=unseen)


def local_level(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of the four weeks around each day, shape ``(D,)``; a wild day counts as `_WILD` usual ones."""
    if (total > 0).any():
        total = np.minimum(total, _WILD * np.median(total[total > 0]))
    window = np.ones(min(29, 2 * len(total) - 1))
    n = len(total)
    return np.convolve(total, window, "same")[:n] / np.convolve(np.ones(n), window, "same")[:n]


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
        usual = np.median(mean[mean >= 0.5 * mean.max()])
        days = np.bincount(weekday[ordinary], minlength=7)
        return (mean > 0.2 * usual) | ((days > 0) & (days * usual < IMPROBABLE))
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
    if not n:  # so rare that none came on this weekday yet
        return np.where(used, 0, len(amount)), np.where(used, 2 * len(amount), -1)
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


def _span_of(sums: NDArray[np.float64], profile: NDArray[np.float64]) -> NDArray[np.bool_]:
    # A holiday's hours: those of other days but for silent edges that are no chance.
    open_ = np.ones(len(sums), dtype=bool)
    columns = np.flatnonzero(sums)
    for edge in (slice(0, columns[0]), slice(columns[-1] + 1, None)):
        open_[edge] = profile[edge].sum() * sums.sum() < IMPROBABLE
    return open_


def _at_the_edges(changed: NDArray[np.bool_], open_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # Hours are lengthened or shortened at their ends; a silent hour between busy ones is something else.
    kept = np.zeros_like(changed)
    columns = np.flatnonzero(open_)
    for run in (columns, columns[::-1]):
        stays = np.flatnonzero(~changed[run])
        kept[run[: stays[0] if len(stays) else 0]] = True
    return kept
