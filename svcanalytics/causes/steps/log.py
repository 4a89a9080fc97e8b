"""The log of events, cleaned and put in order: which steps every case took, when, by whom, and after which."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CauseError

__all__ = ["NONE", "StepLog", "read_log"]

NONE = -1
"""Code of a missing agent, team or predecessor."""

_SENTINEL = np.datetime64("1971-01-01", "s").astype(np.int64)
_OUTSIDE = ("customer", "supplier")
_UNKNOWN = "(unknown)"


@dataclass(frozen=True, eq=False)
class StepLog:
    """Steps in order of case and completion. Times are whole seconds since 1970 UTC, names are codes.

    Attributes
    ----------
    row : numpy.ndarray of int64, shape ``(n,)``
        Where a step stands in the events given.
    case, activity, agent, team : numpy.ndarray of int64, shape ``(n,)``
        Codes into the names below; `NONE` where agent or team is missing.
    start, end : numpy.ndarray of int64, shape ``(n,)``
    before : numpy.ndarray of int64, shape ``(n,)``
        Place of the step that this one came after: the last of its case that was done when this one began; `NONE` for
        the first. Steps that overlap ran side by side and don't follow one another.
    outside : numpy.ndarray of bool, shape ``(n,)``
        The case waited for its customer or a supplier before this step.
    cases, activities, agents, teams : numpy.ndarray of str
        Names by code.
    timed : bool
        Whether the events tell when work began. Without it a step takes no time of its own and what looks like waiting
        holds the work.
    remarks : tuple of str
        What was left out or changed, with counts.
    """

    row: NDArray[np.int64]
    case: NDArray[np.int64]
    activity: NDArray[np.int64]
    agent: NDArray[np.int64]
    team: NDArray[np.int64]
    start: NDArray[np.int64]
    end: NDArray[np.int64]
    before: NDArray[np.int64]
    outside: NDArray[np.bool_]
    cases: NDArray[np.object_]
    activities: NDArray[np.object_]
    agents: NDArray[np.object_]
    teams: NDArray[np.object_]
    timed: bool
    remarks: tuple[str, ...]

    @property
    def enabled(self) -> NDArray[np.int64]:
        """When each step could have begun: at the end of the one before it; a first step when it began."""
        return np.where(self.before == NONE, self.start, self.end[self.before])

    @property
    def heads(self) -> NDArray[np.int64]:
        """Place of the first step of each case."""
        return np.flatnonzero(np.r_[True, self.case[1:] != self.case[:-1]])


def read_log(events: pd.DataFrame, timezone: str = "UTC", until: str | None = None) -> StepLog:
    """Read a frame of events into a log.

    Parameters
    ----------
    events : pandas.DataFrame
        One row per step: ``case_id``, ``at`` (when it was done), ``activity`` (or ``milestone``); optionally
        ``started_at``, ``agent``, ``team``, ``seq`` (the source's own order, which decides among equal times) and
        ``waits_for`` (us, customer or supplier, from this step on).
    timezone : str
        Zone that naive times are meant in.
    until : str, optional
        Activity or milestone that ends a case, the last time it is reached; what comes after is left out, and so are
        cases that never reach it.

    Raises
    ------
    CauseError
        When a column is missing or no event is left.
    """
    _check(events)
    remarks: list[str] = []
    end = _seconds(events["at"], timezone)
    started = "started_at" in events.columns and events["started_at"].notna().any()
    start = _seconds(events["started_at"], timezone) if started else end.copy()
    names = events["activity"] if "activity" in events.columns else pd.Series(pd.NA, index=events.index)
    if "milestone" in events.columns:
        names = names.astype("object").where(names.notna(), events["milestone"])
    kept = _usable(events, end, names, remarks)
    if not kept.any():
        raise CauseError("no event can be used", where="events", fix="; ".join(remarks) or "give events")
    if started:
        start = _begin(start, end, kept, remarks)
    number = events["seq"].to_numpy("float64", na_value=np.inf) if "seq" in events.columns else np.zeros(len(end))
    row = np.flatnonzero(kept)
    case, cases = pd.factorize(events["case_id"].to_numpy()[row], sort=True)
    order = np.lexsort((row, start[row], number[row], end[row], case))
    _count_disorder(row, case, number, order, remarks)
    if until is not None:
        order = order[_finished(events, names, until, row[order], case[order], remarks)]
    row, case = row[order], case[order]
    if until is not None:
        places, case = np.unique(case, return_inverse=True)
        cases = cases[places]
    activity, activities = pd.factorize(names.astype("object").fillna(_UNKNOWN).to_numpy()[row], sort=True)
    agent, agents = _codes(events, "agent", row)
    team, teams = _codes(events, "team", row)
    start, end = start[row], end[row]
    before = _predecessors(case, start, end)
    waits = events["waits_for"].isin(_OUTSIDE).to_numpy()[row] if "waits_for" in events.columns else np.zeros(len(row))
    log = StepLog(
        row, case, activity, agent, team, start, end, before, (before != NONE) & (waits[before] > 0),
        cases.astype("object"), activities, agents, teams, bool((end > start).any()), (),
    )  # fmt: skip
    return StepLog(**{**vars(log), "remarks": (*remarks, *_gaps(log))})


def _check(events: pd.DataFrame) -> None:
    if not isinstance(events, pd.DataFrame):
        raise CauseError(f"a {type(events).__name__} is no table", where="events", fix="give a DataFrame of events")
    absent = [name for name in ("case_id", "at") if name not in events.columns]
    if not {"activity", "milestone"} & set(events.columns):
        absent.append("activity")
    if absent:
        raise CauseError(
            f"there is no column {absent[0]!r}", where="events", fix="events need case_id, at and activity"
        )
    if events.empty:
        raise CauseError("there are no events", where="events", fix="check the period and the filter")


def _seconds(times: pd.Series, timezone: str) -> NDArray[np.int64]:
    try:
        moments = times if pd.api.types.is_datetime64_any_dtype(times) else _read_times(times)
    except (TypeError, ValueError) as error:
        why = str(error).partition(". ")[0]
        raise CauseError(f"a time can't be read: {why}", where=str(times.name), fix="write 2026-07-01 09:00") from error
    if moments.dt.tz is None:
        try:
            moments = moments.dt.tz_localize(timezone, ambiguous=False, nonexistent="shift_forward")
        except (KeyError, ValueError) as error:
            raise CauseError(
                f"there is no time zone {timezone!r}", where="timezone", fix="write one like Asia/Shanghai"
            ) from error
    return moments.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[s]").astype(np.int64)


def _read_times(times: pd.Series) -> pd.Series:
    # Offsets change with summer time: as soon as one is written, all times are moments.
    offset = times.astype("string").str.contains(r"\d(?:Z|[+-]\d\d:?\d\d)$", regex=True).fillna(False)
    if offset.any() and not offset[times.notna()].all():
        raise ValueError("some have an offset from UTC, some have none")
    return pd.to_datetime(times, format="ISO8601", utc=bool(offset.any()))


def _usable(events: pd.DataFrame, end: NDArray, names: pd.Series, remarks: list[str]) -> NDArray[np.bool_]:
    missing = np.iinfo(np.int64).min
    without = events["case_id"].isna().to_numpy() | (end == missing)
    sentinel = ~without & (end < _SENTINEL)
    kept = ~(without | sentinel)
    columns = [
        c for c in ("case_id", "seq", "at", "started_at", "activity", "milestone", "agent", "team") if c in events
    ]
    twice = events[columns].duplicated().to_numpy() & kept
    kept &= ~twice
    nameless = names.isna().to_numpy() & kept
    for what, said in (
        (without, "left out, because case or time is missing"),
        (sentinel, "left out, because they are stamped before 1971, which stands for no time"),
        (twice, "left out, because they are in the log twice"),
        (nameless, f"kept as {_UNKNOWN}, because they name no activity"),
    ):
        if what.any():
            remarks.append(f"{int(what.sum()):,} events {said}")
    return kept


def _begin(start: NDArray, end: NDArray, kept: NDArray[np.bool_], remarks: list[str]) -> NDArray[np.int64]:
    unknown = start < _SENTINEL
    late = (start > end) & ~unknown
    for what, said in (
        (unknown, "don't tell when work began; they count as done in no time"),
        (late, "end before they begin; they count as done in no time"),
    ):
        if (what & kept).any():
            remarks.append(f"{int((what & kept).sum()):,} events {said}")
    return np.where(unknown | late, end, start)


def _finished(
    events: pd.DataFrame, names: pd.Series, until: str, row: NDArray, case: NDArray, remarks: list[str]
) -> NDArray[np.bool_]:
    ends = names == until
    if "milestone" in events.columns:
        ends |= events["milestone"] == until
    reached = np.flatnonzero(ends.fillna(False).to_numpy(dtype=bool)[row])
    if not len(reached):
        raise CauseError(f"no case reaches {until!r}", where="until", fix="name an activity or milestone of the events")
    last = np.full(int(case.max()) + 1, NONE)
    last[case[reached]] = reached  # in order, so the last one stays
    never = int((last[np.unique(case)] == NONE).sum())
    if never:
        remarks.append(f"{never:,} cases left out, because they never reach {until!r}")
    after = int(((np.arange(len(case)) > last[case]) & (last[case] != NONE)).sum())
    if after:
        remarks.append(f"{after:,} events left out, because they come after {until!r}")
    return np.arange(len(case)) <= last[case]


def _count_disorder(row: NDArray, case: NDArray, number: NDArray, order: NDArray, remarks: list[str]) -> None:
    number, case = number[row][order], case[order]
    wrong = int(((number[1:] < number[:-1]) & (case[1:] == case[:-1])).sum())
    if wrong:
        remarks.append(f"{wrong:,} events stand out of order in the source; the order of time was taken")


def _codes(events: pd.DataFrame, name: str, row: NDArray) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    if name not in events.columns:
        return np.full(len(row), NONE), np.empty(0, dtype="object")
    code, names = pd.factorize(events[name].to_numpy("object", na_value=None)[row], sort=True)
    return code, names


def _predecessors(case: NDArray, start: NDArray, end: NDArray) -> NDArray[np.int64]:
    # Steps stand in order of case and end, so one search finds the last of the case that had ended.
    low = min(start.min(), end.min())
    span = max(start.max(), end.max()) - low + 1
    place = np.searchsorted(case * span + (end - low), case * span + (start - low), "right") - 1
    place = np.minimum(place, np.arange(len(case)) - 1)
    same = (place >= 0) & (case[place] == case)
    return np.where(same, place, NONE)


def _gaps(log: StepLog) -> tuple[str, ...]:
    said = []
    if not log.timed:
        said.append(
            "the events don't tell when work began: waiting between steps holds the work on the step that follows, and "
            "prioritisation and contention can't be told apart from it"
        )
    if not len(log.agents):
        said.append("the events don't tell who worked: waiting can't be split by what the agent did meanwhile")
    elif missing := int((log.agent == NONE).sum()):
        said.append(f"{missing:,} events don't tell who worked; waiting before them can't be split")
    if len(log.cases) == 1:
        said.append("there is one case only: shares and intervals say nothing")
    if alone := int((np.bincount(log.case) == 1).sum()):
        said.append(f"{alone:,} of {len(log.cases):,} cases have a single event: they say nothing about ways and waits")
    return tuple(said)
