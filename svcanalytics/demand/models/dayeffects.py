"""What may move a day's volume, as groups of effects: level, weekday, calendar, month, closures, season, events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.models.mixed import Group

__all__ = ["day_groups"]

_WEEK = 7.0
_YEAR = 365.2425
_SEASONAL = 1.3  # years of history from which a season of the year can be told from a trend
_DRIFTING = 1.0  # years from which weekdays may be told to have changed places
_SWING = 5.0  # days after which a busy spell has mostly passed
_RECENT = 60.0  # days of which spells are followed: what swung before says nothing of the days to come


def day_groups(days: pd.DatetimeIndex, features: pd.DataFrame, open_days: NDArray[np.bool_], seen: int) -> list[Group]:
    """Return the groups of effects of the open days.

    Standard deviations are what service demand usually shows, in log units; the data move them by a factor of three or
    more where they say so. Groups that the days can't tell apart simply share what there is to explain.

    Parameters
    ----------
    days : pandas.DatetimeIndex, shape ``(D,)``
        The history's and those to come, none left out.
    features : pandas.DataFrame, D rows
        As `describe_days` gives them; columns beyond ``day_class`` may be missing.
    open_days : numpy.ndarray of bool, shape ``(D,)``
    seen : int
        How many of the days are the history's: regressors are scaled by those alone.
    """
    t = (days - days[0]).days.to_numpy(dtype=float)
    years = (t[seen - 1] if seen else 0.0) / _YEAR
    groups = [*_level(t, open_days), *_week(days, features, t, years), *_month(days, features)]
    groups += [*_holidays(features), *_closures(days, open_days), *_known(features, seen)]
    if years > _SEASONAL:
        groups += _season(days)
    kept = (replace(g, root=g.root[open_days]) for g in groups)
    return [replace(g, root=g.root[:, g.root.any(axis=0)]) for g in kept if g.root.any()]


def _level(t: NDArray[np.float64], open_days: NDArray[np.bool_]) -> Iterator[Group]:
    # A random walk with a step a week, joined by straight lines; a trend; and spells of a few days.
    yield Group("level", _walk(t, _WEEK if t[-1] < 1.5 * _YEAR else 2 * _WEEK), 0.02, abrupt=True)
    yield Group("trend", (t - t[-1])[:, None] / _YEAR, 0.07)
    recent = np.flatnonzero(open_days & (t > t[-1] - _RECENT))
    spells = np.zeros((len(t), len(recent)))
    apart = np.abs(t[recent, None] - t[recent])
    spells[recent] = np.linalg.cholesky(np.exp(-apart / _SWING) + 1e-9 * np.eye(len(recent)))
    yield Group("spells", spells, 0.04)


def _week(days: pd.DatetimeIndex, features: pd.DataFrame, t: NDArray[np.float64], years: float) -> Iterator[Group]:
    kind = features["day_class"].to_numpy(dtype=str)
    off = np.isin(kind, ("holiday", "substituted"))
    # A make-up day is a working day, but not one of its own weekday; a day off is not a day of its weekday either.
    usual = ~off & (kind != "make_up")
    weekday = _onehot(days.day_of_week.to_numpy(), 7) * usual[:, None]
    yield Group("rest", (off | (kind == "weekend")).astype(float)[:, None], 0.3)
    yield Group("weekday", weekday, 0.2)
    if years > _DRIFTING:
        walk = _walk(t, _YEAR / 2)
        yield Group("weekday_drift", (weekday[:, :, None] * walk[:, None, :]).reshape(len(t), -1), 0.02)
    classes = pd.Categorical(np.where(usual & ~np.isin(kind, ("eve", "day_after", "bridge")), "", kind))
    yield Group("day_class", _onehot(classes.codes, len(classes.categories))[:, classes.categories != ""], 0.15)


def _month(days: pd.DatetimeIndex, features: pd.DataFrame) -> Iterator[Group]:
    day, left = days.day.to_numpy(), (days.days_in_month - days.day).to_numpy()
    near = _smooth(31, 1.5)
    late = np.exp(-np.arange(31) / 6)[:, None]
    yield Group("day_of_month", near[day - 1], 0.03)
    yield Group("month_end", (near * late)[left], 0.03)
    for name, column in (("working_day", "work_day"), ("working_days_left", "work_days_left")):
        if column in features:
            nth = np.clip(features[column].to_numpy(dtype=int), 0, 31)
            yield Group(name, (np.eye(32)[:, :16] * np.exp(-np.arange(32) / 5)[:, None])[nth], 0.03)


def _holidays(features: pd.DataFrame) -> Iterator[Group]:
    for column in ("holiday", "window"):
        if column not in features or not (features[column] != "").any():
            continue
        key = features[column].astype(str)
        if column == "window":
            # The same day of the same festival, whenever the moon puts it.
            key = key.where(key == "", key + features["window_offset"].astype(int).map("{:+d}".format))
        codes = pd.Categorical(key)
        yield Group(column, _onehot(codes.codes, len(codes.categories))[:, codes.categories != ""], 0.12)


def _closures(days: pd.DatetimeIndex, open_days: NDArray[np.bool_]) -> Iterator[Group]:
    # A day closed against its weekday's habit leaves its work to the days after it, some of it to those before.
    weekday = days.day_of_week.to_numpy()
    often = np.array([open_days[weekday == w].mean() if (weekday == w).any() else 0.0 for w in range(7)])
    unusual = ~open_days & (often[weekday] > 0.5)
    if unusual.any():
        yield Group("after_closure", _next_to(unusual, open_days, 3) * [1.0, 0.6, 0.3], 0.1)
        yield Group("before_closure", _next_to(unusual[::-1], open_days[::-1], 2)[::-1] * [1.0, 0.5], 0.05)


def _next_to(unusual: NDArray[np.bool_], open_days: NDArray[np.bool_], reach: int) -> NDArray[np.float64]:
    # Which open day after an unusual closure this is: the first, the second, ...
    marks = np.zeros((len(unusual), reach))
    since, lost = reach, False
    for day, opened in enumerate(open_days):
        lost = lost or unusual[day]
        if opened:
            since, lost = (0 if lost else since), False
            if since < reach:
                marks[day, since] = 1.0
            since += 1
    return marks


def _known(features: pd.DataFrame, seen: int) -> Iterator[Group]:
    # What the planner says: pay days, school breaks, campaigns, outages, bookings.
    for name in ("pay_day", "billing_day"):
        if name in features and features[name].any():
            marked = features[name].to_numpy(dtype=float)
            yield Group(name, np.column_stack([marked, 0.6 * np.r_[0.0, marked[:-1]]]), 0.15)
    if "school_break" in features and features["school_break"].any():
        yield Group("school_break", features[["school_break"]].to_numpy(dtype=float), 0.1)
    events = [name for name in features if str(name).startswith("event_")]
    if events:
        yield Group("events", features[events].to_numpy(dtype=float), 0.2)
    regressors = [name for name in features if str(name).startswith("x_")]
    if regressors:
        values = features[regressors].to_numpy(dtype=float)
        with np.errstate(invalid="ignore"):
            counted = (np.nan_to_num(values) >= 0).all(axis=0) & (np.nanmax(values, axis=0, initial=0) > 1)
        # Twice the bookings may bring twice the calls: what is counted enters by its logarithm too.
        values = np.hstack([values, np.log1p(values[:, counted])])
        yield Group("regressors", _scaled(values, seen), 0.2)


def _scaled(values: NDArray[np.float64], seen: int) -> NDArray[np.float64]:
    # By mean and standard deviation of the past; what is not known has no effect.
    past = values[:seen]
    known = np.isfinite(past)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, past, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (past - centre) ** 2, 0.0).sum(axis=0) / count)
    scaled = (values - centre) / np.where(spread > 0, spread, 1.0)
    return np.where(np.isfinite(scaled), np.clip(scaled, -6.0, 6.0), 0.0)


def _season(days: pd.DatetimeIndex) -> Iterator[Group]:
    # Smooth over the year, and weekdays that differ more in one season than in another.
    angle = 2 * np.pi * days.day_of_year.to_numpy() / _YEAR
    orders = np.arange(1, 13)
    waves = np.stack([np.cos(angle[:, None] * orders), np.sin(angle[:, None] * orders)], axis=1)
    yield Group("season", (waves * np.exp(-orders / 4)).reshape(len(days), -1), 0.12)
    weekday = _onehot(days.day_of_week.to_numpy(), 7)
    slow = waves[:, :, :2].reshape(len(days), 1, -1)
    yield Group("weekday_season", (weekday[:, :, None] * slow).reshape(len(days), -1), 0.02)


def _walk(t: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    knots = np.arange(0.0, t[-1] + 2 * step, step)
    weights = np.maximum(0.0, 1.0 - np.abs(t[:, None] - knots) / step)
    return (weights @ np.tril(np.ones((len(knots), len(knots)))))[:, 1:]


def _smooth(size: int, length: float) -> NDArray[np.float64]:
    # A root of the covariance of effects that change slowly from one place to the next.
    at = np.arange(size)
    values, vectors = np.linalg.eigh(np.exp(-0.5 * ((at[:, None] - at) / length) ** 2))
    kept = values > 0.02
    return vectors[:, kept] * np.sqrt(values[kept])


def _onehot(codes: NDArray[np.intp], size: int) -> NDArray[np.float64]:
    return (np.asarray(codes)[:, None] == np.arange(size)).astype(float)
