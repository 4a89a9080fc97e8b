"""What may move a day's volume, as groups of effects: level, weekday, day of month, holidays, closures, events."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.models.mixed import Group

__all__ = ["day_groups"]

_WEEK = 7.0
_YEAR = 365.2425


def day_groups(days: pd.DatetimeIndex, features: pd.DataFrame, open_days: NDArray[np.bool_], span: int) -> list[Group]:
    groups = [
        _level(days),
        _swings(days),
        *_week(days, features),
        *_month(days, open_days),
        *_closures(days, open_days),
    ]
    groups += _holidays(features)
    if span > 1.3 * _YEAR:
        groups += _year(days)
    return [Group(g.name, g.root[open_days], g.sd) for g in groups if g.root.shape[1]]


def _number(days):
    return (days - days[0]).days.to_numpy(dtype=float)


def _level(days):
    # A random walk with a step a week, joined by straight lines.
    t = _number(days)
    knots = np.arange(0.0, t[-1] + 2 * _WEEK, _WEEK)
    weights = np.maximum(0.0, 1 - np.abs(t[:, None] - knots) / _WEEK)
    walk = weights @ np.tril(np.ones((len(knots), len(knots))))
    return Group("level", walk[:, 1:], 0.02)


def _swings(days):
    # Only of late: what swung long ago says nothing of the days to come.
    t = _number(days)
    recent = t > t[-1] - 150
    root = np.zeros((len(t), recent.sum()))
    root[recent] = np.linalg.cholesky(np.exp(-np.abs(t[recent, None] - t[recent]) / 5.0) + 1e-9 * np.eye(recent.sum()))
    return Group("swings", root, 0.04)


def _onehot(codes, size=None):
    codes = np.asarray(codes)
    size = size or (codes.max() + 1 if len(codes) else 0)
    return (codes[:, None] == np.arange(size)).astype(float)


def _week(days, features):
    kind = features["day_class"].to_numpy(dtype=str)
    works = np.isin(kind, ["ordinary", "eve", "bridge", "day_after", "school_break"])
    weekday = days.day_of_week.to_numpy()
    usual = works | (kind == "weekend")
    off = np.isin(kind, ["holiday", "substituted"])
    yield Group("rest", np.column_stack([~(works | (kind == "make_up"))]).astype(float), 0.3)
    yield Group("weekday", _onehot(weekday, 7) * usual[:, None], 0.2)
    yield Group("weekday_off", _onehot(weekday, 7) * (~usual)[:, None], 0.05)
    t = _number(days)
    knots = np.arange(0.0, t[-1] + 112, 56.0)
    weights = np.maximum(0.0, 1 - np.abs(t[:, None] - knots) / 56.0)
    walk = (weights @ np.tril(np.ones((len(knots), len(knots)))))[:, 1:]
    yield Group(
        "weekday_drift",
        (_onehot(weekday, 7)[:, :, None] * usual[:, None, None] * walk[:, None, :]).reshape(len(t), -1),
        0.03,
    )
    classes = pd.Categorical(kind)
    yield Group("day_class", _onehot(classes.codes, len(classes.categories)), 0.15)


def _month(days, open_days):
    dom, left = days.day.to_numpy(), (days.days_in_month - days.day).to_numpy()
    yield Group("day_of_month", _smooth(31, 1.5)[dom - 1], 0.04)
    yield Group("to_month_end", (_smooth(31, 1.5) * np.exp(-np.arange(31) / 6)[:, None])[left], 0.04)
    month = days.year.to_numpy() * 12 + days.month.to_numpy()
    nth = np.zeros(len(days), int)
    nleft = np.zeros(len(days), int)
    for m in np.unique(month):
        at = month == m
        n = np.cumsum(open_days[at])
        nth[at] = n
        nleft[at] = n[-1] - n
    first = days.day.to_numpy()[0] == 1
    yield Group("working_day_of_month", (np.eye(32) * np.exp(-np.arange(32) / 5)[:, None])[np.clip(nth, 0, 31)], 0.04)


def _smooth(size, length):
    t = np.arange(size)
    return np.linalg.cholesky(np.exp(-0.5 * ((t[:, None] - t) / length) ** 2) + 1e-6 * np.eye(size))


def _closures(days, open_days):
    # A closed day that is usually open sends its work to the days around it.
    weekday = days.day_of_week.to_numpy()
    share = np.array([open_days[weekday == w].mean() if (weekday == w).any() else 0 for w in range(7)])
    unusual = ~open_days & (share[weekday] > 0.5)
    after = np.zeros((len(days), 3))
    before = np.zeros((len(days), 2))
    n = len(days)
    run = 0
    since = 99
    lost = 0
    for i in range(n):
        if not open_days[i]:
            lost += unusual[i]
        else:
            if lost:
                since = 0
            if since < 3:
                after[i, since] = 1
            since += 1
            lost = 0
    until = 99
    lost = 0
    for i in range(n - 1, -1, -1):
        if not open_days[i]:
            lost += unusual[i]
        else:
            if lost:
                until = 0
            if until < 2:
                before[i, until] = 1
            until += 1
            lost = 0
    if after.any() or before.any():
        yield Group("after_closure", after * [1, 0.6, 0.3], 0.1)
        yield Group("before_closure", before * [1, 0.5], 0.05)


def _holidays(features):
    return []


def _year(days):
    angle = 2 * np.pi * (days.day_of_year.to_numpy() / _YEAR)
    orders = np.arange(1, 13)
    waves = np.hstack([np.cos(angle[:, None] * orders), np.sin(angle[:, None] * orders)])
    yield Group("season", waves * np.tile(np.exp(-orders / 6), 2) * 0.7, 0.1)
