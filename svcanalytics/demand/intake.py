"""Taking in a frame of counts: checked, brought to local time and summed into days by slots."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import DemandError

__all__ = ["DAY_S", "SLOTS", "Finding", "Intake", "Tally", "take_in"]

DAY_S = 86400
SLOTS = {"5min": 300, "10min": 600, "15min": 900, "30min": 1800, "60min": 3600, "1h": 3600, "day": DAY_S, "1D": DAY_S}
"""Lengths a slot can have, in seconds."""

_ENOUGH_ROWS = 4
_GRID_S = 300


@dataclass(frozen=True)
class Finding:
    """One thing noticed about the data: the days it concerns, what it is, and what was done about it."""

    queue: str
    start: pd.Timestamp
    end: pd.Timestamp
    what: str
    detail: str
    done: str


@dataclass(frozen=True, eq=False)
class Tally:
    """What one queue's rows say.

    Attributes
    ----------
    first : int
        Row of the intake's days at which the queue's first row lies.
    counts : numpy.ndarray of float64, shape ``(D, S)``
        Sums from the queue's first day to the last of all queues over all slots of the day; NaN where there is no row.
    """

    first: int
    counts: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Intake:
    """A frame's counts by queue.

    Attributes
    ----------
    days : pandas.DatetimeIndex
        Local midnights from the first day of any queue to the last.
    slot_s : int
    timezone : str
    tallies : dict[str, Tally]
    lists_zeros : bool
        Whether any row says zero.
    cut : tuple of int
        Slot of the first row on the first day, and of the last row on the last day.
    findings : list[Finding]
        What had to be repaired.
    """

    days: pd.DatetimeIndex
    slot_s: int
    timezone: str
    tallies: dict[str, Tally]
    lists_zeros: bool
    cut: tuple[int, int]
    findings: list[Finding] = field(default_factory=list)


def take_in(frame: pd.DataFrame, slot: str, timezone: str | None) -> Intake:
    """Sum a frame of counts into local days by slots.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``queue`` (may be left out), ``start`` (aware, or local without a zone), ``arrivals`` (whole, not negative; NaN
        is a slot that was not recorded).
    slot : str
        One of `SLOTS`. Finer rows are summed.
    timezone : str, optional
        Where the days are; by default that of an aware `start`, and no clock changes for one without.

    Raises
    ------
    DemandError
        When a column is missing, a count is negative or no whole number, a time can't be read or does not exist, a slot
        stands there twice with different counts, or rows are coarser than the slot or of mixed lengths.
    """
    if slot not in SLOTS:
        raise DemandError(f"there is no slot {slot!r}", fix=f"use {', '.join(SLOTS)}")
    slot_s = SLOTS[slot]
    rows = _checked(frame)
    findings: list[Finding] = []
    rows, zone = _localised(rows, timezone, findings)
    rows = _without_copies(rows, findings)
    stamp = rows["start"].to_numpy().astype("datetime64[s]").astype(np.int64)
    day, second = stamp // DAY_S, stamp % DAY_S
    step = _step_of(rows, day, second, slot_s)
    days = pd.DatetimeIndex(np.arange(day.min(), day.max() + 1).astype("datetime64[D]").astype("datetime64[s]"))
    n_slots = DAY_S // slot_s
    cell = (day - day.min()) * n_slots + second // slot_s
    codes, names = pd.factorize(rows["queue"], sort=True)
    arrivals = rows["arrivals"].to_numpy(dtype=np.float64)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(names) + 1))
    tallies: dict[str, Tally] = {}
    for k, name in enumerate(names):
        mine = order[bounds[k] : bounds[k + 1]]
        first = int(cell[mine].min() // n_slots)
        flat = cell[mine] - first * n_slots
        size = (len(days) - first) * n_slots
        counts = np.bincount(flat, arrivals[mine], size)
        seen = np.bincount(flat, minlength=size)
        counts[seen == 0] = np.nan
        tallies[str(name)] = Tally(first, counts.reshape(-1, n_slots))
        if step:
            _drop_partial(tallies[str(name)], seen.reshape(-1, n_slots), slot_s // step, str(name), days, findings)
    lists_zeros = bool((arrivals == 0).any())
    cut = (int(cell.min() % n_slots), int(cell.max() % n_slots))
    return Intake(days, slot_s, zone, tallies, lists_zeros, cut, findings)


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    for name in ("start", "arrivals"):
        if name not in frame.columns:
            raise DemandError(
                f"the frame has no column {name!r}",
                where=", ".join(map(str, frame.columns)),
                fix="give start, arrivals",
            )
    if frame.empty:
        raise DemandError("the frame has no rows", fix="give at least a few weeks of arrivals")
    queue = frame["queue"].astype("str") if "queue" in frame.columns else ""
    rows = pd.DataFrame({"queue": queue, "start": frame["start"], "arrivals": frame["arrivals"]}).reset_index(drop=True)
    if "queue" in frame.columns and frame["queue"].isna().any():
        raise DemandError("a row has no queue", where=_place(rows, frame["queue"].isna().to_numpy()), fix="name it")
    counts = pd.to_numeric(rows["arrivals"], errors="coerce")
    if (unread := counts.isna() & rows["arrivals"].notna()).any():
        raise DemandError("a count is not a number", where=_place(rows, unread), fix="give whole numbers")
    if (wrong := counts < 0).any():
        raise DemandError("a count is negative", where=_place(rows, wrong), fix="correct it, or leave it empty")
    if (wrong := counts.notna() & (counts % 1 != 0)).any():
        raise DemandError(
            "a count is not a whole number",
            where=_place(rows, wrong),
            fix="give counts, not rates or shares; round them if they were weighted",
        )
    rows["arrivals"] = counts.astype("float64")
    return rows


def _localised(rows: pd.DataFrame, timezone: str | None, findings: list[Finding]) -> tuple[pd.DataFrame, str]:
    from zoneinfo import ZoneInfo

    try:
        start = pd.to_datetime(rows["start"])
    except (ValueError, TypeError) as error:
        raise DemandError(
            "the starts can't be read as times", where=str(error), fix="give times, all aware or all local"
        ) from None
    if start.isna().any():
        raise DemandError("a row has no start", where=_place(rows, start.isna()), fix="remove it or give its time")
    if timezone is not None:
        try:
            ZoneInfo(timezone)
        except Exception:
            raise DemandError(f"there is no time zone {timezone!r}", fix="use a name such as Asia/Shanghai") from None
    if start.dt.tz is not None:
        zone = timezone or str(start.dt.tz)
        return rows.assign(start=start.dt.tz_convert(zone).dt.tz_localize(None)), zone
    rows = rows.assign(start=start)
    return (_existing(rows, timezone, findings), timezone) if timezone else (rows, "UTC")


def _existing(rows: pd.DataFrame, timezone: str, findings: list[Finding]) -> pd.DataFrame:
    # A grid of local times often lists the hour that clocks skip, with nothing in it: that row is no fault.
    distinct = pd.DatetimeIndex(rows["start"].unique())
    known = distinct.tz_localize(timezone, ambiguous=np.ones(len(distinct), bool), nonexistent="NaT")
    if not known.isna().any():
        return rows
    skipped = rows["start"].isin(distinct[known.isna()])
    if (rows.loc[skipped, "arrivals"] > 0).any():
        raise DemandError(
            f"a local time does not exist in {timezone}: clocks go forward over it",
            where=_place(rows, skipped & (rows["arrivals"] > 0)),
            fix="give aware times, or the time zone that the times were recorded in",
        )
    days = rows.loc[skipped, "start"].dt.normalize()
    findings.append(
        Finding(
            "", days.min(), days.max(), "skipped hour", f"{skipped.sum()} empty rows", "left out: it does not exist"
        )
    )
    return rows[~skipped]


def _without_copies(rows: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    twice = rows.duplicated(["queue", "start"], keep=False)
    if not twice.any():
        return rows
    copies = rows.duplicated(["queue", "start", "arrivals"])
    other = rows[~copies].duplicated(["queue", "start"])
    if other.any():
        raise DemandError(
            "a slot stands there twice with different counts",
            where=_place(rows[~copies], other),
            fix="sum the rows that belong together, or tell them apart in the column queue",
        )
    for queue, starts in rows[copies].groupby("queue")["start"]:
        findings.append(
            Finding(
                str(queue),
                starts.min().normalize(),
                starts.max().normalize(),
                "duplicated rows",
                f"{len(starts)} rows stand there again with the same count",
                "one of each kept",
            )
        )
    return rows[~copies]


def _step_of(rows: pd.DataFrame, day: NDArray, second: NDArray, slot_s: int) -> int:
    # The length of the input's slots where it is a regular grid, 0 where rows stand at any time.
    step = int(np.gcd.reduce(np.append(second, DAY_S)))
    if step < _GRID_S:
        return 0
    if slot_s % step:
        raise DemandError(
            f"rows every {step // 60} minutes do not fill slots of {slot_s // 60} minutes",
            fix="choose a slot that is a multiple of the rows' length",
        )
    return step


def _drop_partial(tally: Tally, seen: NDArray, full: int, queue: str, days: pd.DatetimeIndex, findings: list) -> None:
    if full <= 1:
        return
    most = seen.max(axis=0)
    partial = (most > 0) & (most < full)
    if not partial.any():
        partial = np.zeros_like(partial)
    lost = int(np.nansum(tally.counts[:, partial]))
    if partial.any():
        times = ", ".join(
            f"{s * DAY_S // len(most) // 3600:02d}:{s * DAY_S // len(most) % 3600 // 60:02d}"
            for s in np.flatnonzero(partial)
        )
        findings.append(
            Finding(
                queue,
                days[tally.first],
                days[-1],
                "slot recorded in part",
                f"{times} never holds all {full} of its rows, {lost} arrivals",
                "slot dropped",
            )
        )
        tally.counts[:, partial] = np.nan
    # Some of a slot's rows are not the slot's count.
    broken = (seen > 0) & (seen < full)
    tally.counts[broken & ~partial] = np.nan


def _place(rows: pd.DataFrame, chosen: Any) -> str:
    found = rows[np.asarray(chosen)]
    first = found.iloc[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{'queue ' + repr(first['queue']) + ', ' if first['queue'] else ''}{first['start']}{more}"


def clock_exposure(days: pd.DatetimeIndex, slot_s: int, timezone: str) -> dict[int, NDArray[np.float64]]:
    """Return how often each wall-clock slot comes on the days on which clocks change, by row of `days`.

    Returns
    -------
    dict[int, numpy.ndarray of float64, shape ``(86400 / slot_s,)``]
        0 for a slot that is skipped, 2 for one that comes twice; days of 24 hours are left out.
    """
    if slot_s == DAY_S or timezone == "UTC" or not len(days):
        return {}
    edges = days.append(pd.DatetimeIndex([days[-1] + pd.Timedelta(days=1)]))
    first = np.ones(len(edges), dtype=bool)
    utc = edges.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward").tz_convert("UTC")
    length = np.diff(utc.as_unit("s").asi8)
    found = {}
    for row in np.flatnonzero(length != DAY_S):
        step = math.gcd(slot_s, 300)
        instants = pd.date_range(utc[row], utc[row + 1], freq=f"{step}s", inclusive="left").tz_convert(timezone)
        second = instants.hour * 3600 + instants.minute * 60 + instants.second
        found[int(row)] = np.bincount(second // slot_s, minlength=DAY_S // slot_s) * step / slot_s
    return found
