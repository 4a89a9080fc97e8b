"""Durations that are whole hours too long: a clock, or a time zone, that is wrong at one end of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.tracing.alterations import Alteration

__all__ = ["clock_offsets"]

_HOUR = 3600.0
_MOST_HOURS = 24
_FEWEST = 20
_NEARLY_ALL = 0.95
_MOST_VALUES = 30
_SURE = 1e-6


def clock_offsets(
    rows: pd.DataFrame, columns: tuple[str, ...] = ("source", "system", "site", "channel", "queue")
) -> list[Alteration]:
    """Return whose durations are, for some days on end, by whole hours longer than they always are.

    A service that gets slower takes longer by some time, some cases more and others less. A clock that is wrong moves
    all of them by the same hours: durations that are usually below an hour lie, on these days, within as narrow a band
    some whole hours above.

    Parameters
    ----------
    rows : DataFrame
        ``at`` and ``bad`` in seconds, and dimensions; any other measure gives nothing.
    columns : tuple of str
        Dimensions whose values may have a clock of their own.

    Returns
    -------
    list of Alteration
        One at most, of most rows; ``after`` is by how many hours, ``until`` the first day it is no more.
    """
    bad = rows["bad"].to_numpy("float64")
    if not len(rows) or bad.max() < _HOUR or bad.min() < 0:
        return []
    day = rows["at"].dt.normalize()
    place = (day - day.min()).dt.days.to_numpy()
    sets = [("", np.ones(len(rows), dtype=bool))]
    for name in (each for each in columns if each in rows.columns):
        said = rows[name].astype("object").fillna("").map(str)
        sets += [(f"{name}={value}", said.eq(value).to_numpy()) for value in sorted(said.unique())[:_MOST_VALUES]]
    found: list[tuple[int, Alteration]] = []
    for where, inside in sets:
        run = _longest_run(bad[inside], place[inside])
        if run is None:
            continue
        first, last, hours, n, chance = run
        p_value = min(chance * len(sets) * _MOST_HOURS, 1.0)
        if p_value < _SURE:
            since, until = (day.min() + pd.Timedelta(days=int(each)) for each in (first, last + 1))
            until = pd.NaT if last == place.max() else until
            found.append((n, Alteration("clock", where, where, since, 0.0, float(hours), p_value, until)))
    return [max(found, key=lambda each: each[0])[1]] if found else []


def _longest_run(seconds: NDArray[np.float64], place: NDArray[np.int64]) -> tuple[int, int, int, int, float] | None:
    """Return first and last day, hours, rows and the p-value of the days on which nearly all are moved."""
    usual = seconds[seconds < _HOUR]
    hours = np.unique(np.floor_divide(seconds[seconds >= _HOUR], _HOUR).astype(np.int64))
    if len(usual) < max(_FEWEST, len(seconds) / 2) or not len(hours):
        return None
    low, high = np.quantile(usual, [0.001, 0.999])
    best = None
    for hour in hours[hours <= _MOST_HOURS]:
        moved = (seconds >= hour * _HOUR + 0.5 * low) & (seconds <= hour * _HOUR + 1.2 * high)
        if moved.sum() < _FEWEST:
            continue
        # The run of days with the largest sum, where one that is not moved undoes what 19 are worth.
        worth = np.bincount(place, np.where(moved, 1.0, -_NEARLY_ALL / (1 - _NEARLY_ALL)))
        sums = np.concatenate([[0.0], np.cumsum(worth)])
        rise = sums - np.minimum.accumulate(sums)
        end = int(rise.argmax())
        begin = int(sums[: end + 1].argmin())
        days = np.flatnonzero(np.bincount(place[moved & (place >= begin) & (place < end)]))
        if not len(days):
            continue
        within = (place >= days[0]) & (place <= days[-1])
        n = int(moved[within].sum())
        if n < _FEWEST or n < _NEARLY_ALL * within.sum():
            continue
        elsewhere = (moved[~within].sum() + 1) / (len(seconds) - within.sum() + 2)
        if best is None or n > best[3]:
            best = (int(days[0]), int(days[-1]), int(hour), n, float(np.exp(n * np.log(elsewhere))))
    return best
