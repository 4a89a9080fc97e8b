"""Arrivals: counts per queue on their calendar, where closed is not zero and zero is not missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from svcanalytics.demand.days.events import read_events
from svcanalytics.demand.days.regressors import read_regressors
from svcanalytics.demand.history.background import Background, leaves_zeros_out
from svcanalytics.demand.history.examination import examine, faulty_days
from svcanalytics.demand.history.hours import OpeningHours, give_hours, show_hours
from svcanalytics.demand.history.inference import infer_hours
from svcanalytics.demand.history.intake import DAY_S, take_in
from svcanalytics.demand.history.reckoning import Reckoning, reckon, state_findings
from svcanalytics.demand.history.remarks import remark
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.errors import DemandError
from svcanalytics.periods import HolidayCalendar, read_holidays

__all__ = ["Arrivals"]

_AHEAD = 400
_SOON = 60


class Arrivals:
    """Arrivals of one or many queues on their calendar, ready to be forecast.

    A slot is open, closed or missing. Hours come from `hours` or from the history itself (see `hours` for what was
    found); a day without arrivals is closed when the hours say so, when it is a public holiday, or when zeros stand
    where arrivals are usual; without any row it is missing. `report` says what was noticed and done.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``queue`` (may be left out), ``start`` (aware, or local), ``arrivals`` (whole numbers; NaN where not recorded).
        The order of rows does not matter.
    slot : str
        ``5min``, ``10min``, ``15min``, ``30min``, ``60min`` or ``day``; finer rows are summed.
    hours : "infer", Mapping, Calendar or str
        Opening hours: inferred, spans by weekday (``{"mon-fri": ["09:00-18:00"]}``), a calendar or a shipped one's id;
        or a mapping of queues to any of these.
    holidays : str, path, Mapping or HolidayCalendar
        Country code, "" for none, or one's own (see `svcanalytics.periods.read_holidays`).
    timezone : str, optional
        Where days begin. Aware starts are converted to it; local ones are taken as its wall clock. Without one, aware
        starts keep their own and local ones have no clock changes.
    events : pandas.DataFrame or sequence of mappings, optional
        ``name, start, end, effect, queue``; see `svcanalytics.demand.days.events.read_events`.
    regressors : pandas.DataFrame, optional
        ``day`` (perhaps ``queue``) and one number a column; become the features ``x_<name>``.
    unknown_ahead : iterable of str
        Regressors that are not known before their day: missing after the history's end.
    pay_days, billing_days : iterable of int
        Days of the month, -1 the last.
    absent : str
        What a slot without a row on a day with others is: ``zero``, ``missing``, or ``infer``: zero if the frame lists
        no zeros and leaves slots out.
    repair : bool
        Whether days that are copies of others or whose clock has slipped are excluded from learning.

    Raises
    ------
    DemandError
        When the frame can't be used; see `svcanalytics.demand.history.intake.take_in`.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        slot: str = "30min",
        hours: Any = "infer",
        holidays: str | Path | Mapping[Any, Any] | HolidayCalendar | None = "CN",
        timezone: str | None = None,
        events: pd.DataFrame | Iterable[Mapping[str, Any]] | None = None,
        regressors: pd.DataFrame | None = None,
        *,
        unknown_ahead: Iterable[str] = (),
        pay_days: Iterable[int] = (),
        billing_days: Iterable[int] = (),
        absent: str = "infer",
        repair: bool = True,
    ) -> None:
        if absent not in ("infer", "zero", "missing"):
            raise DemandError(f"there is no absent={absent!r}", fix="use infer, zero or missing")
        intake = take_in(frame, slot, timezone)
        background = Background(
            intake,
            read_holidays(holidays or ""),
            read_events(events),
            read_regressors(regressors, unknown_ahead),
            tuple(pay_days),
            tuple(billing_days),
            {name: give_hours(hours, name, intake.slot_s) for name in intake.tallies},
            {
                name: absent == "zero" or (absent == "infer" and leaves_zeros_out(intake, name))
                for name in intake.tallies
            },
        )
        background.describe_until(_AHEAD)
        if repair:
            for name, tally in intake.tallies.items():
                background.faults[name] = faulty_days(tally.counts, intake.slot_s)
        self._begin(background, list(intake.tallies), len(intake.days))
        for name, matrix in self.matrices.items():
            came = background.intake.tallies[name].counts > 0
            if not self._hours[name].inferred and came.any() and not np.nansum(matrix.counts):
                raise DemandError(
                    "all arrivals lie outside the hours given",
                    where=f"queue {name!r}",
                    fix='correct the hours or the time zone, or use hours="infer"',
                )

    def _begin(self, background: Background, queues: list[str], stop: int) -> None:
        self._background, self._stop = background, stop
        self._hours: dict[str, OpeningHours] = {}
        self._reckonings: dict[str, Reckoning] = {}
        self.matrices: dict[str, DayMatrix] = {}
        for name in queues:
            if background.intake.tallies[name].first < stop:
                self.matrices[name] = self._history(name)

    @property
    def slot_s(self) -> int:
        """Length of a slot in seconds."""
        return self._background.intake.slot_s

    @property
    def timezone(self) -> str:
        """Where days begin."""
        return self._background.intake.timezone

    @property
    def queues(self) -> list[str]:
        """The queues' names."""
        return list(self.matrices)

    @property
    def last_day(self) -> pd.Timestamp:
        """The last local day of the history."""
        return self._background.intake.days[self._stop - 1]

    @property
    def hours(self) -> pd.DataFrame:
        """Opening hours by queue as they stand at the end: queue, day, hours, source (given or inferred)."""
        slots = np.arange(0, DAY_S, self.slot_s, dtype=np.int64)
        parts = [
            show_hours(hours, slots, self.slot_s).assign(source="inferred" if hours.inferred else "given", queue=name)
            for name, hours in self._hours.items()
        ]
        return pd.concat(parts, ignore_index=True)[["queue", "day", "hours", "source"]]

    @property
    def table(self) -> pd.DataFrame:
        """The history as a tidy frame: queue, start, arrivals, day_class; open slots only, missing ones NaN.

        ``start`` is aware when the time zone is known; a wall time that comes twice stands once, with the sum.
        """
        parts = []
        for name, matrix in self.matrices.items():
            row, column = np.nonzero(matrix.open_slots)
            wall = matrix.days[row] + pd.to_timedelta(matrix.slots[column], unit="s")
            start = wall.tz_localize(self.timezone, ambiguous=np.ones(len(wall), bool), nonexistent="shift_forward")
            parts.append(
                pd.DataFrame(
                    {
                        "queue": name,
                        "start": start,
                        "arrivals": matrix.counts[row, column],
                        "day_class": matrix.features["day_class"].to_numpy()[row],
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    @property
    def report(self) -> pd.DataFrame:
        """What was noticed about the data and what was done: queue, start, end, what, detail, done."""
        found = [
            f for f in self._background.intake.findings if f.queue in ("", *self.matrices) and f.start <= self.last_day
        ]
        ahead = self._background.features.iloc[self._stop : self._stop + _SOON]
        for name, matrix in self.matrices.items():
            found += remark(matrix, self._hours[name], self._background.calendar.country, ahead)
            found += state_findings(name, matrix.days, self._reckonings[name], matrix.features)
            found += examine(matrix)
        frame = pd.DataFrame([vars(f) for f in found], columns=["queue", "start", "end", "what", "detail", "done"])
        return frame.sort_values(["queue", "start", "what"], ignore_index=True)

    def upto(self, day: Any) -> Arrivals:
        """Return the history before a local day as it was known then; nothing from that day on is looked at."""
        stop = int(self._background.intake.days.searchsorted(self._local_day(day)))
        if stop < 1 or not any(self._background.intake.tallies[name].first < stop for name in self.matrices):
            raise DemandError("there is no history before this day", where=str(day), fix="choose a later day")
        other = object.__new__(Arrivals)
        other._begin(self._background, list(self.matrices), min(stop, self._stop))
        return other

    def only(self, queue: str) -> Arrivals:
        """Return one queue's arrivals."""
        if queue not in self.matrices:
            raise DemandError(f"there is no queue {queue!r}", fix=f"use one of {', '.join(map(repr, self.queues))}")
        other = object.__new__(Arrivals)
        other._begin(self._background.only(queue), [queue], self._stop)
        return other

    def future(self, days: int = 10) -> dict[str, DayMatrix]:
        """Return the next `days` open days of each queue after the history, closed days between included.

        A queue that is never open again within `days` and two months is given those days, all closed.
        """
        if not isinstance(days, int | np.integer) or days < 1:
            raise DemandError("days are whole days, at least one", where=f"days={days!r}", fix="use days=10")
        return {name: self._ahead(name, days) for name in self.matrices}

    def following(self, day: Any, days: int = 10) -> dict[str, DayMatrix]:
        """Return what came from a local day on, until each queue has `days` days on record.

        Closures that came count as announced: an open day on which less than half was recorded is closed in the
        result. Counts are those that came. Queues with fewer days on record are left out.
        """
        found = {}
        first_day = self._local_day(day)
        for name, matrix in self.matrices.items():
            start = int(matrix.days.searchsorted(first_day))
            recorded = np.flatnonzero(matrix.on_record[start:])
            if len(recorded) < days:
                continue
            part = matrix.rows(start, start + int(recorded[days - 1]) + 1)
            exposure = np.where(part.on_record[:, None], part.exposure, 0.0)
            counts = np.where(exposure > 0, part.counts, np.nan)
            # Not the history's features: what was faulty about these days is not known before them.
            first = self._background.intake.tallies[name].first + start
            features = self._background.hide_unknown(
                self._background.features_of(name).iloc[first : first + len(counts)]
            )
            found[name] = replace(part, exposure=exposure, counts=counts, features=features)
        return found

    def _local_day(self, day: Any) -> pd.Timestamp:
        moment = pd.Timestamp(day)
        if moment.tz is not None:
            moment = moment.tz_convert(self.timezone).tz_localize(None)
        return moment.normalize()

    def _history(self, name: str) -> DayMatrix:
        background = self._background
        tally = background.intake.tallies[name]
        rows = slice(tally.first, self._stop)
        counts = tally.counts[: self._stop - tally.first]
        features = background.features_of(name).iloc[rows]
        hours = background.hours[name] or infer_hours(counts, features)
        begins, ends = background.intake.cut
        cut = (
            begins if tally.first == 0 else 0,
            ends if self._stop == len(background.intake.days) else counts.shape[1] - 1,
        )
        there = background.exposure(np.ones(counts.shape, dtype=bool), tally.first) > 0
        reckoning = reckon(counts, features, hours, there, absent_is_zero=background.absent_is_zero[name], cut=cut)
        self._hours[name], self._reckonings[name] = hours, reckoning
        if name not in background.columns:
            background.columns[name] = _extent(reckoning.open_slots.any(axis=0) | hours.week.any(axis=0))
        columns = background.columns[name]
        if name in background.faults and (faulty := background.faults[name][: len(counts)]).any():
            features = features.assign(excluded=features["excluded"].to_numpy() | faulty)
        exposure = background.exposure(reckoning.open_slots, tally.first)[:, columns]
        return self._matrix(name, features, np.where(exposure > 0, reckoning.counts[:, columns], np.nan), exposure)

    def _ahead(self, name: str, days: int) -> DayMatrix:
        background, hours = self._background, self._hours[name]
        background.describe_until(self._stop - len(background.intake.days) + days * 7 + 60)
        features = background.features_of(name).iloc[self._stop :]
        pattern = hours.open_slots(features)
        opened = np.flatnonzero(pattern.any(axis=1))
        length = int(opened[days - 1]) + 1 if len(opened) >= days else days + 60
        exposure = background.exposure(pattern[:length], self._stop)[:, background.columns[name]]
        features = background.hide_unknown(features.iloc[:length])
        return self._matrix(name, features, np.full(exposure.shape, np.nan), exposure)

    def _matrix(self, name: str, features: pd.DataFrame, counts: np.ndarray, exposure: np.ndarray) -> DayMatrix:
        slots = np.arange(0, DAY_S, self.slot_s, dtype=np.int64)[self._background.columns[name]]
        return DayMatrix(name, features.index, slots, self.slot_s, self.timezone, counts, exposure, features)


def _extent(used: np.ndarray) -> slice:
    columns = np.flatnonzero(used)
    return slice(int(columns[0]), int(columns[-1]) + 1) if len(columns) else slice(0, len(used))
