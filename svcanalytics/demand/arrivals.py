"""Arrivals: counts per queue on their calendar, where closed is not zero and zero is not missing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from svcanalytics.demand.daydescription import describe_days
from svcanalytics.demand.hours import OpeningHours, infer_hours
from svcanalytics.demand.intake import DAY_S, Intake, Tally, clock_exposure, take_in
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.errors import DemandError

__all__ = ["Arrivals"]

_AHEAD = 400
_FURTHEST = 4000


class Arrivals:
    """Arrivals of one or many queues, ready to be forecast.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``queue`` (may be left out), ``start`` (aware, or local), ``arrivals``.
    slot : str
        ``5min``, ``10min``, ``15min``, ``30min``, ``60min`` or ``day``.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        slot: str = "30min",
        hours: Any = "infer",
        holidays: Any = "CN",
        timezone: str | None = None,
        events: Any = None,
        regressors: Any = None,
    ) -> None:
        intake = take_in(frame, slot, timezone)
        span = pd.date_range(intake.days[0], intake.days[-1] + pd.Timedelta(days=_AHEAD), unit="s")
        self._setup(intake, describe_days(span, holidays, events, regressors), holidays, None, len(intake.days))

    def _setup(
        self,
        intake: Intake,
        features: pd.DataFrame,
        holidays: Any,
        columns: dict[str, slice] | None,
        stop: int,
    ) -> None:
        self._intake, self._features, self._holidays, self._stop = intake, features, holidays, stop
        self._clock = clock_exposure(features.index, intake.slot_s, intake.timezone)
        self._columns = columns or {name: _used(tally) for name, tally in intake.tallies.items()}
        self._hours: dict[str, OpeningHours] = {}
        self.matrices: dict[str, DayMatrix] = {}
        for name, tally in intake.tallies.items():
            if tally.first < stop:
                self.matrices[name] = self._history(name, tally)

    @property
    def slot_s(self) -> int:
        """Length of a slot in seconds."""
        return self._intake.slot_s

    @property
    def timezone(self) -> str:
        """Where the days are."""
        return self._intake.timezone

    @property
    def queues(self) -> list[str]:
        """The queues' names."""
        return list(self.matrices)

    @property
    def last_day(self) -> pd.Timestamp:
        """The last local day of the history."""
        return self._intake.days[self._stop - 1]

    def upto(self, day: Any) -> Arrivals:
        """Return the history before a local day, as it was known then."""
        stop = int(self._intake.days.searchsorted(pd.Timestamp(day)))
        if stop < 1:
            raise DemandError("there is no history before this day", where=str(day), fix="choose a later day")
        return self._part(self._intake.tallies, min(stop, self._stop))

    def only(self, queue: str) -> Arrivals:
        """Return one queue's arrivals."""
        if queue not in self.matrices:
            raise DemandError(f"there is no queue {queue!r}", fix=f"use one of {', '.join(map(repr, self.queues))}")
        return self._part({queue: self._intake.tallies[queue]}, self._stop)

    def future(self, days: int = 10) -> dict[str, DayMatrix]:
        """Return the next `days` open days of each queue after the history, closed days between included."""
        return {name: self._ahead(name, days) for name in self.matrices}

    def following(self, day: Any, days: int = 10) -> dict[str, DayMatrix]:
        """Return what came from a local day on, until each queue has `days` days on record.

        Closures that came count as announced: an open day without a full record is closed in the result. Counts are those
        that came. Queues with fewer days on record are left out.
        """
        from dataclasses import replace

        found = {}
        for name, matrix in self.matrices.items():
            start = int(matrix.days.searchsorted(pd.Timestamp(day)))
            recorded = matrix.recorded[start:]
            if recorded.sum() < days:
                continue
            stop = start + int(np.flatnonzero(recorded)[days - 1]) + 1
            part = matrix.rows(start, stop)
            exposure = np.where(part.recorded[:, None], part.exposure, 0.0)
            found[name] = replace(part, exposure=exposure, counts=np.where(exposure > 0, part.counts, np.nan))
        return found

    def _part(self, tallies: dict[str, Tally], stop: int) -> Arrivals:
        intake = Intake(self._intake.days, self.slot_s, self.timezone, tallies, self._intake.findings)
        other = object.__new__(Arrivals)
        other._setup(intake, self._features, self._holidays, self._columns, stop)
        return other

    def _history(self, name: str, tally: Tally) -> DayMatrix:
        columns = self._columns[name]
        rows = slice(tally.first, self._stop)
        counts = tally.counts[: self._stop - tally.first, columns].copy()
        features = self._features.iloc[rows]
        hours = self._hours[name] = infer_hours(counts, features)
        active = (counts > 0).any(axis=1)
        pattern = hours.open_slots(features)
        default = hours.week.any(axis=0)
        pattern[active & ~pattern.any(axis=1)] = default
        kind = features["day_class"].to_numpy()
        recorded = ~np.isnan(counts).all(axis=1)
        closed = ~active & (recorded | np.isin(kind, ("holiday", "substituted")))
        pattern[closed] = False
        exposure = self._exposure(pattern, tally.first, columns)
        counts[exposure == 0] = np.nan
        return self._matrix(name, rows, columns, counts, exposure)

    def _ahead(self, name: str, days: int) -> DayMatrix:
        columns, hours = self._columns[name], self._hours[name]
        self._describe_until(self._stop + days * 7 + 60)
        pattern = hours.open_slots(self._features.iloc[self._stop :])
        opened = np.flatnonzero(pattern.any(axis=1))
        if len(opened) < days:
            raise DemandError("the queue has too few open days ahead", where=f"queue {name!r}", fix="check its hours")
        stop = int(opened[days - 1]) + 1
        exposure = self._exposure(pattern[:stop], self._stop, columns)
        counts = np.full(exposure.shape, np.nan)
        return self._matrix(name, slice(self._stop, self._stop + stop), columns, counts, exposure)

    def _exposure(self, pattern: np.ndarray, first: int, columns: slice) -> np.ndarray:
        exposure = pattern.astype(np.float64)
        for row, times in self._clock.items():
            if first <= row < first + len(pattern):
                exposure[row - first] *= times[columns]
        return exposure

    def _matrix(self, name: str, rows: slice, columns: slice, counts: np.ndarray, exposure: np.ndarray) -> DayMatrix:
        slots = np.arange(0, DAY_S, self.slot_s, dtype=np.int64)[columns]
        features = self._features.iloc[rows]
        return DayMatrix(name, features.index, slots, self.slot_s, self.timezone, counts, exposure, features)

    def _describe_until(self, row: int) -> None:
        if row > len(self._features):
            raise DemandError("the horizon is too long", fix=f"forecast at most {_AHEAD} days")


def _used(tally: Tally) -> slice:
    columns = np.flatnonzero((tally.counts > 0).any(axis=0))
    return slice(int(columns[0]), int(columns[-1]) + 1) if len(columns) else slice(0, tally.counts.shape[1])
