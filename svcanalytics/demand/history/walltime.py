"""Local wall-clock time: where clocks go forward a time does not exist, where they go back it comes twice."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.history.findings import Finding, place
from svcanalytics.errors import DemandError

__all__ = ["clock_exposure", "put_on_the_wall"]

_DAY_S = 86400
_DAY = pd.Timedelta(days=1)
# Days before and after a change of clocks that are looked at, and the share that must begin alike.
_AROUND, _STEADY = 10, 0.8


def put_on_the_wall(rows: pd.DataFrame, timezone: str | None, findings: list[Finding]) -> tuple[pd.DataFrame, str]:
    """Return rows with local starts, and the time zone.

    Parameters
    ----------
    rows : pandas.DataFrame
        queue, start (aware, or local), arrivals.
    timezone : str, optional
        Aware starts are converted to it; local ones are its own. Without one, aware starts keep theirs, and local ones
        have no clock changes ("UTC").
    findings : list of Finding
        Repairs are added: empty rows of a skipped hour are left out; an hour that comes twice is taken together.

    Returns
    -------
    rows : pandas.DataFrame
        ``start`` local without a zone, and ``fold``: 1 for the second time that a wall time comes, else 0.
    timezone : str

    Raises
    ------
    DemandError
        When a start can't be read or does not exist, or there is no such zone.
    """
    start = rows["start"]
    if not pd.api.types.is_datetime64_any_dtype(start.dtype):
        try:
            # Numbers would be taken for nanoseconds since 1970, and 1-2-2026 for 2 January.
            start = pd.to_datetime(start.astype("str").where(start.notna()), format="ISO8601")
        except (ValueError, TypeError) as error:
            raise DemandError(
                "the starts can't be read as times",
                where=str(error),
                fix="give times, or texts such as 2026-02-05 09:30, all aware or all local",
            ) from None
    if start.isna().any():
        raise DemandError("a row has no start", where=place(rows, start.isna()), fix="remove it or give its time")
    if timezone is not None:
        try:
            ZoneInfo(timezone)
        except Exception:
            raise DemandError(f"there is no time zone {timezone!r}", fix="use a name such as Asia/Shanghai") from None
    if start.dt.tz is not None:
        zone = timezone or str(start.dt.tz)
        wall = start.dt.tz_convert(zone)
        local = wall.dt.tz_localize(None)
        findings += _local_after_all(local, rows["arrivals"].to_numpy() > 0, zone)
        return rows.assign(start=local, fold=_second_time(local, wall, zone)), zone
    rows = rows.assign(start=start, fold=np.int8(0))
    return (_existing(rows, timezone, findings), timezone) if timezone else (rows, "UTC")


def _local_after_all(local: pd.Series, some: NDArray[np.bool_], zone: str) -> list[Finding]:
    # Local times stamped as UTC give themselves away: the day's first arrivals move with the clocks instead of staying.
    firsts = local[some].groupby(local[some].dt.normalize()).min()
    if not len(firsts):
        return []
    days = pd.date_range(firsts.index[0], firsts.index[-1], unit="s")
    opens = (firsts - firsts.index).dt.total_seconds().to_numpy() // 60
    for change in days[list(clock_exposure(days, 1800, zone))]:
        shift = (change + _DAY).tz_localize(zone).utcoffset() - change.tz_localize(zone).utcoffset()
        row = int(firsts.index.searchsorted(change))
        before, after = opens[max(row - _AROUND, 0) : row], opens[row + 1 : row + 1 + _AROUND]
        if min(len(before), len(after)) < _AROUND:
            continue
        moved = np.median(after) - np.median(before)
        steady = min(np.mean(before == np.median(before)), np.mean(after == np.median(after)))
        if moved == shift.total_seconds() / 60 and steady >= _STEADY:
            detail = (
                f"days begin {abs(moved):.0f} minutes {'later' if moved > 0 else 'earlier'} from here on, as clocks do"
            )
            done = "kept: if the times are local, take their zone away"
            return [Finding("", change, change, "local times stamped as UTC", detail, done)]
    return []


def _second_time(local: pd.Series, wall: pd.Series, zone: str) -> NDArray[np.int8]:
    # Whether each instant is the later of two with the same wall time; few days have any.
    fold = np.zeros(len(local), dtype=np.int8)
    days = pd.date_range(local.min().normalize(), local.max().normalize(), unit="s")
    changes = days[list(clock_exposure(days, 1800, zone))]
    if len(changes):
        near = np.flatnonzero(local.dt.normalize().isin(changes))
        first = pd.DatetimeIndex(local.iloc[near]).tz_localize(
            zone, ambiguous=np.ones(len(near), dtype=bool), nonexistent="shift_forward"
        )
        fold[near] = first != pd.DatetimeIndex(wall.iloc[near])
    return fold


def _existing(rows: pd.DataFrame, timezone: str, findings: list[Finding]) -> pd.DataFrame:
    distinct = pd.DatetimeIndex(rows["start"].unique())
    earlier = distinct.tz_localize(timezone, ambiguous=np.ones(len(distinct), bool), nonexistent="NaT")
    later = distinct.tz_localize(timezone, ambiguous=np.zeros(len(distinct), bool), nonexistent="NaT")
    if (earlier.notna() & (earlier != later)).any():
        rows = _paired(rows, distinct[earlier.notna() & (earlier != later)], findings)
    if not earlier.isna().any():
        return rows
    skipped = rows["start"].isin(distinct[earlier.isna()])
    if (rows.loc[skipped, "arrivals"] > 0).any():
        raise DemandError(
            f"a local time does not exist in {timezone}: clocks go forward over it",
            where=place(rows, skipped & (rows["arrivals"] > 0)),
            fix="give aware times, or the time zone that the times were recorded in",
        )
    # A grid of local times often lists the hour that clocks skip, with nothing in it: that row is no fault.
    days = rows.loc[skipped, "start"].dt.normalize()
    detail = f"{skipped.sum()} empty rows at times that do not exist"
    findings.append(Finding("", days.min(), days.max(), "skipped hour", detail, "left out"))
    return rows[~skipped]


def _paired(rows: pd.DataFrame, twice: pd.DatetimeIndex, findings: list[Finding]) -> pd.DataFrame:
    there = rows["start"].isin(twice)
    nth = rows[there].groupby(["queue", "start"]).cumcount()
    fold = rows["fold"].to_numpy().copy()
    fold[np.flatnonzero(there)] = np.minimum(nth, 1)
    days = rows.loc[there, "start"].dt.normalize()
    detail = "local times that come twice" + (" stand there once" if not nth.any() else "")
    done = "each pair summed" if nth.any() else "taken as the counts of both hours"
    findings.append(Finding("", days.min(), days.max(), "repeated hour", detail, done))
    return rows.assign(fold=fold)


def clock_exposure(days: pd.DatetimeIndex, slot_s: int, timezone: str) -> dict[int, NDArray[np.float64]]:
    """Return how often each wall-clock slot comes on the days on which clocks change, by row of `days`.

    Returns
    -------
    dict[int, numpy.ndarray of float64, shape ``(86400 / slot_s,)``]
        0 for a slot that is skipped, 2 for one that comes twice; days of 24 hours are left out.
    """
    if slot_s == _DAY_S or timezone == "UTC" or not len(days):
        return {}
    edges = days.append(pd.DatetimeIndex([days[-1] + pd.Timedelta(days=1)]))
    first = np.ones(len(edges), dtype=bool)
    utc = edges.tz_localize(timezone, ambiguous=first, nonexistent="shift_forward").tz_convert("UTC")
    length = np.diff(utc.as_unit("s").asi8)
    found = {}
    for row in np.flatnonzero(length != _DAY_S):
        step = math.gcd(slot_s, 300)
        instants = pd.date_range(utc[row], utc[row + 1], freq=f"{step}s", inclusive="left").tz_convert(timezone)
        second = instants.hour * 3600 + instants.minute * 60 + instants.second
        found[int(row)] = np.bincount(second // slot_s, minlength=_DAY_S // slot_s) * step / slot_s
    return found
