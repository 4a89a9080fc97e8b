"""Taking in a frame of counts: checked, brought to local time and summed into days by slots."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.history.findings import Finding, place
from svcanalytics.demand.history.walltime import put_on_the_wall
from svcanalytics.errors import DemandError

__all__ = ["DAY_S", "SLOTS", "Intake", "Tally", "check_counts", "take_in"]

DAY_S = 86400
SLOTS = {"5min": 300, "10min": 600, "15min": 900, "30min": 1800, "60min": 3600, "1h": 3600, "day": DAY_S, "1D": DAY_S}
"""Lengths a slot can have, in seconds."""

_ENOUGH_ROWS, _ENOUGH_DAYS, _TELLING_ROWS = 6, 3, 12
_FAR_DAYS, _FAR_SHARE = 400, 0.01
_GRID_S = 300
_DENSE = 0.98


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
    rows = check_counts(frame)
    findings: list[Finding] = []
    rows, zone = put_on_the_wall(rows, timezone, findings)
    rows = _without_copies(_without_far_dates(rows, findings), findings)
    stamp = rows["start"].to_numpy().astype("datetime64[s]").astype(np.int64)
    day, second = stamp // DAY_S, stamp % DAY_S
    step = _step_of(second, slot_s)
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
        tally = tallies[str(name)] = Tally(first, counts.reshape(-1, n_slots))
        if step:
            _check_lengths(day[mine], second[mine], slot_s, step, str(name), findings)
            # How many rows a day should have depends on its hours; only its edges are looked at, below.
            full = 1 if slot_s == DAY_S else slot_s // step
            _drop_partial(tally, seen.reshape(-1, n_slots), full, str(name), days, findings)
    if slot_s == DAY_S and step != DAY_S:
        _drop_unfinished_days(tallies, day - day.min(), second, days, findings)
    lists_zeros = bool((arrivals == 0).any())
    cut = (int(cell.min() % n_slots), int(cell.max() % n_slots))
    return Intake(days, slot_s, zone, tallies, lists_zeros, cut, findings)


def check_counts(frame: pd.DataFrame) -> pd.DataFrame:
    """Return queue, start and arrivals of a frame; see `take_in` for what is refused."""
    if not isinstance(frame, pd.DataFrame):
        raise DemandError(
            f"arrivals come as a DataFrame, not as {type(frame).__name__}",
            fix="give the columns queue, start, arrivals",
        )
    if not frame.columns.is_unique:
        twice = sorted({str(name) for name in frame.columns[frame.columns.duplicated()]})
        raise DemandError("a column stands there twice", where=", ".join(twice), fix="keep one of them")
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
        raise DemandError("a row has no queue", where=place(rows, frame["queue"].isna().to_numpy()), fix="name it")
    counts = pd.to_numeric(rows["arrivals"], errors="coerce")
    if (unread := counts.isna() & rows["arrivals"].notna()).any():
        raise DemandError("a count is not a number", where=place(rows, unread), fix="give whole numbers")
    if (wrong := counts < 0).any():
        raise DemandError("a count is negative", where=place(rows, wrong), fix="correct it, or leave it empty")
    if (wrong := counts.notna() & (counts % 1 != 0)).any():
        raise DemandError(
            "a count is not a whole number",
            where=place(rows, wrong),
            fix="give counts, not rates or shares; round them if they were weighted",
        )
    rows["arrivals"] = counts.astype("float64")
    return rows


def _without_far_dates(rows: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    # A handful of rows years away from all others are wrong dates (1970, 2059), not a history with a gap.
    days = rows["start"].dt.normalize()
    found = days.drop_duplicates().sort_values()
    breaks = found.diff() > pd.Timedelta(days=_FAR_DAYS)
    if not breaks.any():
        return rows
    stretch = np.searchsorted(found[breaks].to_numpy(), days.to_numpy(), side="right")
    size = np.bincount(stretch)
    far = (size < _FAR_SHARE * size.max())[stretch]
    last = days[~far].max()
    for which in np.unique(stretch[far]):
        mine = days[stretch == which]
        detail = f"{len(mine)} rows from {mine.min():%Y-%m-%d} to {mine.max():%Y-%m-%d}, years away from all others"
        findings.append(Finding("", min(mine.min(), last), min(mine.max(), last), "dates far off", detail, "left out"))
    return rows[~far]


def _without_copies(rows: pd.DataFrame, findings: list[Finding]) -> pd.DataFrame:
    same = ["queue", "start", "fold"]
    twice = rows.duplicated(same)
    if not twice.any():
        return rows
    copies = rows.duplicated([*same, "arrivals"])
    other = rows[~copies].duplicated(same)
    if other.any():
        raise DemandError(
            "a slot stands there twice with different counts",
            where=place(rows[~copies], other),
            fix="sum the rows that belong together, or tell them apart in the column queue",
        )
    for queue, starts in rows[copies].groupby("queue")["start"]:
        days, detail = starts.dt.normalize(), f"{len(starts)} rows stand there again with the same count"
        findings.append(Finding(str(queue), days.min(), days.max(), "duplicated rows", detail, "one of each kept"))
    return rows[~copies]


def _step_of(second: NDArray, slot_s: int) -> int:
    # The length of the input's slots where it is a regular grid, 0 where rows stand at any time.
    step = int(np.gcd.reduce(np.append(second, DAY_S)))
    if step < _GRID_S:
        return 0
    if slot_s % step:
        # A handful of contacts lie far apart by chance.
        if len(second) < _TELLING_ROWS:
            return 0
        raise DemandError(
            f"rows {step // 60} minutes apart do not fill slots of {slot_s // 60} minutes",
            fix="choose a slot that is a multiple of the rows' length",
        )
    return step


def _check_lengths(day: NDArray, second: NDArray, slot_s: int, step: int, queue: str, findings: list[Finding]) -> None:
    # A day's rows show their length when all of them are equally far apart.
    order = np.lexsort((second, day))
    day, gap = day[order], np.diff(second[order], append=0)
    inside = np.r_[day[1:] == day[:-1], False]
    days, at = np.unique(day[inside], return_index=True)
    if not len(days):
        return
    gap = gap[inside]
    low, high = np.minimum.reduceat(gap, at), np.maximum.reduceat(gap, at)
    regular = (low == high) & (np.diff(np.r_[at, len(gap)]) >= _ENOUGH_ROWS - 1)
    lengths, n = np.unique(low[regular], return_counts=True)
    lengths = lengths[n >= np.maximum(_ENOUGH_DAYS, 0.05 * len(days))]
    if len(lengths) < 2 or lengths[-1] <= step:
        return
    longer = days[regular & (low == lengths[-1])].astype("datetime64[D]")
    said = f"rows are {lengths[0] // 60} minutes apart on some days and {lengths[-1] // 60} on others"
    if slot_s % lengths[-1]:
        raise DemandError(
            f"slots are of mixed lengths: {said}",
            where=f"{f'queue {queue!r}, ' if queue else ''}{longer[0]}",
            fix=f"choose slots of {lengths[-1] // 60} minutes, or cut the history",
        )
    first, last = (pd.Timestamp(end).as_unit("s") for end in (longer[0], longer[-1]))
    findings.append(Finding(queue, first, last, "mixed slot lengths", said, f"summed to {slot_s // 60} minutes"))


def _drop_partial(
    tally: Tally, seen: NDArray, full: int, queue: str, days: pd.DatetimeIndex, findings: list[Finding]
) -> None:
    # Some of a slot's rows are not the slot's count. That can be told where rows are listed without a gap.
    most = seen.max(axis=0)
    partial = (most > 0) & (most < full)
    whole = seen[:, ~partial & (most > 0)]
    if full <= 1 or not whole.any() or whole.sum() < _DENSE * full * (whole > 0).sum():
        return
    if partial.any():
        times = ", ".join(_time(column * DAY_S // len(most)) for column in np.flatnonzero(partial))
        detail = f"{times} never holds all {full} of its rows, {np.nansum(tally.counts[:, partial]):.0f} arrivals"
        findings.append(Finding(queue, days[tally.first], days[-1], "slot recorded in part", detail, "slot dropped"))
    tally.counts[(seen > 0) & (seen < full)] = np.nan


def _drop_unfinished_days(
    tallies: dict[str, Tally], day: NDArray, second: NDArray, days: pd.DatetimeIndex, findings: list[Finding]
) -> None:
    # The first day begins later, or the last ends earlier, than the same weekday did in any week near by.
    latest, earliest = np.full(len(days), -1), np.full(len(days), DAY_S)
    np.maximum.at(latest, day, second)
    np.minimum.at(earliest, day, second)
    last, first = len(days) - 1, 0
    before = [latest[last - lag] for lag in range(7, 57, 7) if lag <= last and latest[last - lag] >= 0]
    after = [earliest[lag] for lag in range(7, 57, 7) if lag <= last and latest[lag] >= 0]
    unfinished = [last] if len(before) >= 4 and latest[last] < min(before) else []
    unfinished += [first] if len(after) >= 4 and earliest[first] > max(after) else []
    for row in unfinished:
        said = f"rows from {_time(int(earliest[row]))} to {_time(int(latest[row]))} only"
        findings.append(Finding("", days[row], days[row], "day recorded in part", said, "left missing"))
        for tally in tallies.values():
            if row >= tally.first:
                tally.counts[row - tally.first] = np.nan


def _time(second: int) -> str:
    return f"{second // 3600:02d}:{second % 3600 // 60:02d}"
