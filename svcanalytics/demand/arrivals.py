"""Arrivals: counts per queue on their calendar, where closed is not zero and zero is not missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from svcanalytics.demand.daydescription import describe_days
from svcanalytics.demand.events import add_events, read_events
from svcanalytics.demand.examination import examine, faulty_days
from svcanalytics.demand.findings import Finding
from svcanalytics.demand.hours import OpeningHours, give_hours, infer_hours, show_hours
from svcanalytics.demand.intake import DAY_S, Intake, take_in
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.reckoning import Reckoning, reckon, state_findings
from svcanalytics.demand.regressors import add_regressors, read_regressors
from svcanalytics.demand.walltime import clock_exposure
from svcanalytics.errors import DemandError
from svcanalytics.periods import Calendar, HolidayCalendar, read_holidays

__all__ = ["Arrivals"]

_AHEAD = 400
_SHORT_HISTORY = 14
_WEEKDAY_KEYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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
        ``name, start, end, effect, queue``; see `svcanalytics.demand.events.read_events`.
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
        When the frame can't be used; see `svcanalytics.demand.intake.take_in`.
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
        calendar = read_holidays(holidays or "")
        known = _Known(
            intake,
            calendar,
            read_events(events),
            read_regressors(regressors, unknown_ahead),
            (tuple(pay_days), tuple(billing_days)),
            {name: _given(hours, name, intake.slot_s, calendar.country) for name in intake.tallies},
            {name: _absent_is_zero(intake, name, absent) for name in intake.tallies},
        )
        known.look_ahead(_AHEAD)
        if repair:
            known.faults.update(
                {name: faulty_days(tally.counts, intake.slot_s) for name, tally in intake.tallies.items()}
            )
        self._begin(known, list(intake.tallies), len(intake.days))

    def _begin(self, known: _Known, queues: list[str], stop: int) -> None:
        self._known, self._stop = known, stop
        self._hours: dict[str, OpeningHours] = {}
        self._reckonings: dict[str, Reckoning] = {}
        self.matrices: dict[str, DayMatrix] = {}
        for name in queues:
            if known.intake.tallies[name].first < stop:
                self.matrices[name] = self._history(name)

    @property
    def slot_s(self) -> int:
        """Length of a slot in seconds."""
        return self._known.intake.slot_s

    @property
    def timezone(self) -> str:
        """Where days begin."""
        return self._known.intake.timezone

    @property
    def queues(self) -> list[str]:
        """The queues' names."""
        return list(self.matrices)

    @property
    def last_day(self) -> pd.Timestamp:
        """The last local day of the history."""
        return self._known.intake.days[self._stop - 1]

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
        found = [f for f in self._known.intake.findings if f.queue in ("", *self.matrices) and f.start <= self.last_day]
        for name, matrix in self.matrices.items():
            found += self._notes(name, matrix)
            found += state_findings(name, matrix.days, self._reckonings[name], matrix.features)
            found += examine(matrix)
        frame = pd.DataFrame([vars(f) for f in found], columns=["queue", "start", "end", "what", "detail", "done"])
        return frame.sort_values(["queue", "start", "what"], ignore_index=True)

    def upto(self, day: Any) -> Arrivals:
        """Return the history before a local day as it was known then; nothing from that day on is looked at."""
        stop = int(self._known.intake.days.searchsorted(pd.Timestamp(day)))
        if stop < 1 or not any(self._known.intake.tallies[name].first < stop for name in self.matrices):
            raise DemandError("there is no history before this day", where=str(day), fix="choose a later day")
        other = object.__new__(Arrivals)
        other._begin(self._known, list(self.matrices), min(stop, self._stop))
        return other

    def only(self, queue: str) -> Arrivals:
        """Return one queue's arrivals."""
        if queue not in self.matrices:
            raise DemandError(f"there is no queue {queue!r}", fix=f"use one of {', '.join(map(repr, self.queues))}")
        other = object.__new__(Arrivals)
        other._begin(self._known.only(queue), [queue], self._stop)
        return other

    def future(self, days: int = 10) -> dict[str, DayMatrix]:
        """Return the next `days` open days of each queue after the history, closed days between included.

        A queue that is never open again within `days` and two months is given those days, all closed.
        """
        return {name: self._ahead(name, days) for name in self.matrices}

    def following(self, day: Any, days: int = 10) -> dict[str, DayMatrix]:
        """Return what came from a local day on, until each queue has `days` days on record.

        Closures that came count as announced: an open day without a full record is closed in the result. Counts are
        those that came. Queues with fewer days on record are left out.
        """
        found = {}
        for name, matrix in self.matrices.items():
            start = int(matrix.days.searchsorted(pd.Timestamp(day)))
            recorded = np.flatnonzero(matrix.recorded[start:])
            if len(recorded) < days:
                continue
            part = matrix.rows(start, start + int(recorded[days - 1]) + 1)
            exposure = np.where(part.recorded[:, None], part.exposure, 0.0)
            counts = np.where(exposure > 0, part.counts, np.nan)
            # Not the history's features: what was faulty about these days is not known before them.
            first = self._known.intake.tallies[name].first + start
            features = self._known.unseen(self._known.features_of(name).iloc[first : first + len(counts)], 0)
            found[name] = replace(part, exposure=exposure, counts=counts, features=features)
        return found

    def _history(self, name: str) -> DayMatrix:
        known = self._known
        tally = known.intake.tallies[name]
        rows = slice(tally.first, self._stop)
        counts = tally.counts[: self._stop - tally.first]
        features = known.features_of(name).iloc[rows]
        hours = known.hours[name] or infer_hours(counts, features)
        whole = self._stop == len(known.intake.days)
        cut = (
            known.intake.cut[0] if tally.first == 0 else 0,
            known.intake.cut[1] if whole else counts.shape[1] - 1,
        )
        reckoning = reckon(counts, features, hours, absent_is_zero=known.absent_is_zero[name], cut=cut)
        self._hours[name], self._reckonings[name] = hours, reckoning
        if name not in known.columns:
            known.columns[name] = _extent(reckoning.open_slots.any(axis=0) | hours.week.any(axis=0))
        columns = known.columns[name]
        if name in known.faults and (faulty := known.faults[name][: len(counts)]).any():
            features = features.assign(excluded=features["excluded"].to_numpy() | faulty)
        exposure = known.exposure(reckoning.open_slots, tally.first)[:, columns]
        return self._matrix(name, features, np.where(exposure > 0, reckoning.counts[:, columns], np.nan), exposure)

    def _ahead(self, name: str, days: int) -> DayMatrix:
        known, hours = self._known, self._hours[name]
        known.look_ahead(self._stop - len(known.intake.days) + days * 7 + 60)
        features = known.features_of(name).iloc[self._stop :]
        pattern = hours.open_slots(features)
        opened = np.flatnonzero(pattern.any(axis=1))
        length = int(opened[days - 1]) + 1 if len(opened) >= days else days + 60
        exposure = known.exposure(pattern[:length], self._stop)[:, known.columns[name]]
        features = known.unseen(features.iloc[:length], 0)
        return self._matrix(name, features, np.full(exposure.shape, np.nan), exposure)

    def _matrix(self, name: str, features: pd.DataFrame, counts: np.ndarray, exposure: np.ndarray) -> DayMatrix:
        slots = np.arange(0, DAY_S, self.slot_s, dtype=np.int64)[self._known.columns[name]]
        return DayMatrix(name, features.index, slots, self.slot_s, self.timezone, counts, exposure, features)

    def _notes(self, name: str, matrix: DayMatrix) -> list[Finding]:
        hours, first, last = self._hours[name], matrix.days[0], matrix.days[-1]
        found = []
        if matrix.recorded.sum() < _SHORT_HISTORY:
            n = int(matrix.recorded.sum())
            found.append(Finding(name, first, last, "short history", f"{n} days on record", "taken as it is"))
        if not np.nansum(matrix.counts):
            found.append(Finding(name, first, last, "no arrivals", "all counts are zero", "open where rows stand"))
        elif hours.unseen:
            names = ", ".join(_WEEKDAY_KEYS[day] for day in hours.unseen)
            done = "hours borrowed from like weekdays, closed if there are none"
            found.append(Finding(name, first, last, "weekdays not seen", names, done))
        if hours.inferred and not hours.holidays and self._known.calendar.country:
            done = "those to come are taken as open; give hours or events to close them"
            found.append(Finding(name, first, last, "no public holiday seen", self._known.calendar.country, done))
        if (days := matrix.features["provisional"].to_numpy()).any():
            where = matrix.days[days]
            found.append(
                Finding(name, where[0], where[-1], "provisional calendar", "not announced", "statutory days only")
            )
        unknown = [c for c in matrix.features if c.startswith("x_") and matrix.features[c].isna().any()]
        for column in unknown:
            lacking = matrix.days[matrix.features[column].isna().to_numpy()]
            detail = f"{column[2:]} lacks {len(lacking)} days"
            found.append(Finding(name, lacking[0], lacking[-1], "regressor unknown", detail, "left missing"))
        return found


@dataclass(eq=False)
class _Known:
    # What all parts of the same arrivals share; features are described once and sliced.
    intake: Intake
    calendar: HolidayCalendar
    events: pd.DataFrame
    regressors: pd.DataFrame
    month_days: tuple[tuple[int, ...], tuple[int, ...]]
    hours: dict[str, OpeningHours | None]
    absent_is_zero: dict[str, bool]
    columns: dict[str, slice] = field(default_factory=dict)
    faults: dict[str, np.ndarray] = field(default_factory=dict)
    features: pd.DataFrame = field(default_factory=pd.DataFrame)
    own: dict[str, pd.DataFrame] = field(default_factory=dict)
    clock: dict[int, np.ndarray] = field(default_factory=dict)

    def look_ahead(self, days: int) -> None:
        # Describes days up to so many after the frame's last.
        first, n = self.intake.days[0], len(self.intake.days) + days
        if n <= len(self.features):
            return
        span = pd.date_range(first, periods=n, unit="s")
        pay, billing = self.month_days
        self.features = describe_days(span, self.calendar, pay_days=pay, billing_days=billing)
        self.clock = clock_exposure(span, self.intake.slot_s, self.intake.timezone)
        self.own = {}

    def only(self, queue: str) -> _Known:
        # Small enough to be sent to another process.
        intake = replace(self.intake, tallies={queue: self.intake.tallies[queue]})
        mine = {name: {k: v for k, v in getattr(self, name).items() if k == queue} for name in ("columns", "faults")}
        return replace(self, intake=intake, own={"": self.own[""]} if "" in self.own else {}, **mine)

    def features_of(self, queue: str) -> pd.DataFrame:
        special = {*self.events["queue"], *self.regressors["queue"]} - {""}
        key = queue if queue in special else ""
        if key not in self.own:
            described = add_events(self.features, self.events, key)
            self.own[key] = add_regressors(described, self.regressors, key)
        return self.own[key]

    def unseen(self, features: pd.DataFrame, row: int) -> pd.DataFrame:
        # Hides, from a row on, regressors that nobody knows beforehand.
        hidden = [name for name in self.regressors.attrs.get("unknown_ahead", ()) if name in features]
        if not hidden:
            return features
        late = np.arange(len(features)) >= row
        return features.assign(**{name: np.where(late, np.nan, features[name]) for name in hidden})

    def exposure(self, open_slots: np.ndarray, first: int) -> np.ndarray:
        exposure = open_slots.astype(np.float64)
        for row, times in self.clock.items():
            if first <= row < first + len(exposure):
                exposure[row - first] *= times
        return exposure


def _given(hours: Any, queue: str, slot_s: int, country: str) -> OpeningHours | None:
    if isinstance(hours, Mapping) and queue in hours and not _is_definition(hours):
        hours = hours[queue]
    elif isinstance(hours, Mapping) and not _is_definition(hours):
        raise DemandError("the queue has no hours", where=f"queue {queue!r}", fix='give it some, or "infer"')
    if isinstance(hours, str) and hours == "infer":
        return None
    if not isinstance(hours, str | Mapping | Calendar):
        raise DemandError("these are no hours", where=repr(hours), fix='use "infer", spans by weekday or a calendar')
    return give_hours(hours, slot_s, country)


def _is_definition(hours: Mapping[str, Any]) -> bool:
    return "hours" in hours or any(str(key).partition("-")[0] in _WEEKDAY_KEYS for key in hours)


def _absent_is_zero(intake: Intake, queue: str, absent: str) -> bool:
    if absent != "infer":
        return absent == "zero"
    if intake.slot_s == DAY_S or intake.lists_zeros:
        return False
    counts = intake.tallies[queue].counts
    rows, columns = (counts > 0).any(axis=1), (counts > 0).any(axis=0)
    return bool(np.isnan(counts[np.ix_(rows, columns)]).mean() > 0.02)


def _extent(used: np.ndarray) -> slice:
    columns = np.flatnonzero(used)
    return slice(int(columns[0]), int(columns[-1]) + 1) if len(columns) else slice(0, len(used))
