"""Absolute time in minutes, so that a night shift is one piece and days of 23 and 25 hours have their length."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["Slots", "absolute", "minutes", "overlap", "read_slots", "wall"]

_MINUTE = 60 * 10**9


def absolute(local: pd.DatetimeIndex, zone: str) -> NDArray[np.int64]:
    """Return wall times as minutes since 1970 in UTC; of a time that comes twice the first, a skipped one moved on."""
    aware = local.tz_localize(zone, ambiguous=np.ones(len(local), dtype=bool), nonexistent="shift_forward")
    return aware.tz_convert("UTC").as_unit("ns").asi8 // _MINUTE


def wall(when: NDArray[np.int64], zone: str) -> pd.DatetimeIndex:
    """Return minutes since 1970 in UTC as times of a zone."""
    return pd.DatetimeIndex(when.astype("datetime64[m]").astype("datetime64[s]"), tz="UTC").tz_convert(zone)


def minutes(times: pd.Series) -> NDArray[np.int64]:
    """Return times as minutes since 1970 in UTC; those without a time zone are taken for UTC."""
    index = pd.DatetimeIndex(times)
    return (index if index.tz is None else index.tz_convert("UTC")).as_unit("ns").asi8 // _MINUTE


@dataclass(frozen=True, eq=False)
class Slots:
    """The intervals that need agents, over all queues.

    Attributes
    ----------
    minute : numpy.ndarray of int, shape ``(T,)``
        When each begins, ascending, in minutes since 1970 (UTC).
    length : int
        Minutes of each.
    zone : str
        Whose wall clock shifts keep.
    shown : str or None
        The time zone the requirement came in; None without one.
    """

    minute: NDArray[np.int64]
    length: int
    zone: str
    shown: str | None

    @cached_property
    def days(self) -> pd.DatetimeIndex:
        """The local days, as midnights, on which shifts that reach a slot may start."""
        local = wall(self.minute[[0, -1]], self.zone).tz_localize(None).normalize()
        return pd.date_range(local[0] - pd.Timedelta(days=1), local[1])

    def place(self, start: pd.Series) -> NDArray[np.intp]:
        """Return the number of the slot that begins at each time."""
        return np.searchsorted(self.minute, minutes(start))

    def times(self, when: NDArray[np.int64]) -> pd.DatetimeIndex:
        """Return minutes as times in the zone the requirement came in."""
        if self.shown is None:
            return wall(when, "UTC").tz_localize(None)
        return wall(when, self.shown)


def read_slots(start: pd.Series, zone: str | None, interval_s: float | None) -> Slots:
    """Return the distinct starts of a requirement, and their common length.

    Raises
    ------
    StaffingError
        Starts are no times, not on whole minutes, or only one is given without a length.
    """
    if not isinstance(start.dtype, pd.DatetimeTZDtype | np.dtypes.DateTime64DType):
        raise StaffingError("start is no time", where="start", fix="turn it into times with pandas.to_datetime")
    if start.isna().any():
        raise StaffingError("a start is missing", where="start", fix="fill it in")
    index = pd.DatetimeIndex(start)
    shown = None if index.tz is None else str(index.tz)
    ns = np.unique((index if index.tz is None else index.tz_convert("UTC")).as_unit("ns").asi8)
    if len(ns) < 2 and interval_s is None:
        raise StaffingError("one slot alone has no length", where="start", fix="give interval_s")
    length = np.diff(ns).min() if interval_s is None else round(interval_s * 1e9)
    if length % _MINUTE or (ns % _MINUTE).any():
        raise StaffingError("slots begin and end on whole minutes", where="start", fix="round the starts")
    # Without a time zone the requirement's clock is taken for that of the shifts, on which clocks never change.
    return Slots(ns // _MINUTE, int(length // _MINUTE), (zone or shown) if shown else "UTC", shown)


def overlap(slots: Slots, begin: NDArray[np.int64], end: NDArray[np.int64]) -> sparse.csc_matrix:
    """Return what share of each slot lies within each span, shape ``(T, N)``."""
    from scipy import sparse

    first = np.searchsorted(slots.minute + slots.length, begin, side="right")
    last = np.maximum(np.searchsorted(slots.minute, end, side="left"), first)
    count = last - first
    span = np.repeat(np.arange(len(begin)), count)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[span]
    minutes = np.minimum(slots.minute[row] + slots.length, end[span]) - np.maximum(slots.minute[row], begin[span])
    return sparse.csc_matrix((minutes / slots.length, (row, span)), shape=(len(slots.minute), len(begin)))
