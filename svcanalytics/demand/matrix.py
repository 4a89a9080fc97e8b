"""A queue's arrivals as a matrix of local days by slots of the day; closed is not zero and zero is not missing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["DayMatrix"]


@dataclass(frozen=True, eq=False)
class DayMatrix:
    """Arrivals of one queue, past or to come, on its calendar.

    Every calendar day from the first to the last is a row, closed ones too, so that a row's distance is a distance in
    days; models work on the rows where `open_days` is true.

    Attributes
    ----------
    queue : str
    days : pandas.DatetimeIndex, shape ``(D,)``
        Local midnights without a time zone, one a day, none left out.
    slots : numpy.ndarray of int64, shape ``(S,)``
        Seconds of the wall clock after local midnight at which the slots begin; ``[0]`` for whole days.
    slot_s : int
        Length of a slot in seconds; 86400 for whole days.
    timezone : str
    counts : numpy.ndarray of float64, shape ``(D, S)``
        Arrivals; missing (NaN) where closed, not recorded, or yet to come.
    exposure : numpy.ndarray of float64, shape ``(D, S)``
        How many slots of the wall clock there are: 1 open, 0 closed or skipped when clocks go forward, 2 where clocks
        go back and the same wall time comes twice (its count is of both).
    features : pandas.DataFrame, D rows, indexed by `days`
        What the calendar knows of each day: ``day_class``, ``provisional`` and the other columns of `describe_days`.
    """

    queue: str
    days: pd.DatetimeIndex
    slots: NDArray[np.int64]
    slot_s: int
    timezone: str
    counts: NDArray[np.float64]
    exposure: NDArray[np.float64]
    features: pd.DataFrame

    @property
    def open_slots(self) -> NDArray[np.bool_]:
        """Which slots are open, shape ``(D, S)``."""
        return self.exposure > 0

    @property
    def open_days(self) -> NDArray[np.bool_]:
        """Which days have an open slot, shape ``(D,)``."""
        return self.open_slots.any(axis=1)

    @property
    def recorded(self) -> NDArray[np.bool_]:
        """Which days are open and have all their open slots counted, shape ``(D,)``."""
        return self.open_days & ~(np.isnan(self.counts) & self.open_slots).any(axis=1)

    @property
    def on_record(self) -> NDArray[np.bool_]:
        """Which days are open and have at least half of their open slots counted, shape ``(D,)``."""
        missing = (np.isnan(self.counts) & self.open_slots).sum(axis=1)
        return self.open_days & (2 * missing <= self.open_slots.sum(axis=1))

    def rows(self, start: int, stop: int) -> DayMatrix:
        """Return the days from row `start` up to, not including, row `stop`."""
        part = slice(start, stop)
        return replace(
            self,
            days=self.days[part],
            counts=self.counts[part],
            exposure=self.exposure[part],
            features=self.features.iloc[part],
        )
