"""What staffing reads: each queue's open slots with their expected arrivals, sample paths and handle times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError

__all__ = ["Demand", "PathSource", "Volume", "for_queue", "read_volumes"]


class PathSource(Protocol):
    """Anything with a table of means and sample paths, as `demand.Forecast` is."""

    @property
    def table(self) -> pd.DataFrame:
        """Queue, start, mean."""
        ...

    def paths(self, n: int, seed: int = 0) -> pd.DataFrame:
        """Courses indexed by (queue, start), a column each."""
        ...


Demand = PathSource | pd.DataFrame
Times = float | Mapping[str, float] | pd.DataFrame


@dataclass(frozen=True, eq=False)
class Volume:
    """One queue's open slots in order of time.

    Attributes
    ----------
    queue : str
    start : pandas.DatetimeIndex, shape ``(S,)``
    second : numpy.ndarray, shape ``(S,)``
        Elapsed seconds since the first slot, so that a day on which clocks change has its true length.
    interval_s : float
    mean, handle_s : numpy.ndarray, shape ``(S,)``
        Expected arrivals, and mean handle time in seconds.
    paths : numpy.ndarray or None, shape ``(S, P)``
        Equally likely arrivals.
    """

    queue: str
    start: pd.DatetimeIndex
    second: NDArray[np.float64]
    interval_s: float
    mean: NDArray[np.float64]
    handle_s: NDArray[np.float64]
    paths: NDArray[np.float64] | None

    @property
    def days(self) -> pd.DatetimeIndex:
        """The local day of each slot, as a midnight without time zone."""
        return self.start.tz_localize(None).normalize()

    @property
    def opens(self) -> NDArray[np.bool_]:
        """Which slots follow a closed time."""
        return np.concatenate([[True], np.diff(self.second) > 1.001 * self.interval_s])


def read_volumes(
    demand: Demand, handle_s: Times, *, paths: int = 0, seed: int = 0, interval_s: float | None = None
) -> list[Volume]:
    """Return the queues of a forecast or of a plain table, in the table's order.

    Parameters
    ----------
    demand : Forecast or DataFrame
        Anything with ``.table`` and ``.paths(n, seed)``, or a frame of queue, start and mean (or arrivals).
    handle_s : float, mapping by queue, or DataFrame
        Mean handle time in seconds; a frame has queue, handle_s and, when it differs by slot, start.
    paths : int
        How many sample paths to take; none of a plain table.
    seed : int
    interval_s : float, optional
        Length of a slot; by default the shortest distance between two starts of a queue.

    Raises
    ------
    StaffingError
        A column is missing, a number negative or missing, a slot given twice, or a queue unknown.
    """
    frame = demand if isinstance(demand, pd.DataFrame) else getattr(demand, "table", None)
    if not isinstance(frame, pd.DataFrame):
        raise StaffingError(
            f"a {type(demand).__name__} is no forecast", fix="give a forecast, or a table of queue, start and mean"
        )
    table = _checked(frame)
    table["handle_s"] = _handle_times(table, handle_s)
    courses = None
    if paths and not isinstance(demand, pd.DataFrame):
        drawn = demand.paths(paths, seed)
        courses = drawn.to_numpy(dtype="float64")[_places(drawn.index, table)]
    volumes = []
    for queue, rows in table.groupby("queue", sort=False, observed=True).indices.items():
        part = table.iloc[rows]
        start = pd.DatetimeIndex(part["start"])
        order = np.argsort(start.asi8, kind="stable")
        start, rows = start[order], rows[order]
        second = (start - start[0]).total_seconds().to_numpy()
        gaps = np.diff(second)
        if (gaps == 0).any():
            raise StaffingError(f"{start[1:][gaps == 0][0]} is given twice", where=str(queue), fix="add the rows up")
        if interval_s is None and not len(gaps):
            raise StaffingError("one slot alone has no length", where=str(queue), fix="give interval_s")
        mean, handle = (table[name].to_numpy(dtype="float64")[rows] for name in ("mean", "handle_s"))
        length = float(gaps.min() if interval_s is None else interval_s)
        volumes.append(
            Volume(str(queue), start, second, length, mean, handle, None if courses is None else courses[rows])
        )
    return volumes


def for_queue(name: str, value: Any, queues: list[str]) -> Callable[[str], Any]:
    """Return how to look up a setting that is one value for all queues or a mapping by queue.

    Raises
    ------
    StaffingError
        The mapping leaves a queue out or names one that does not exist.
    """
    if not isinstance(value, Mapping):
        return lambda queue: value
    strange, left = [key for key in value if key not in queues], [key for key in queues if key not in value]
    if strange or left:
        what = f"there is no queue {strange[0]!r}" if strange else f"the queue {left[0]!r} is left out"
        raise StaffingError(what, where=name, fix=f"give one value for each of {', '.join(queues)}, or one for all")
    return lambda queue: value[queue]


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    count = "arrivals" if "arrivals" in frame and "mean" not in frame else "mean"
    missing = [name for name in ("queue", "start", count) if name not in frame]
    if missing:
        raise StaffingError(f"the table has no column {missing[0]!r}", fix="give queue, start and mean")
    if frame.empty:
        raise StaffingError("the table has no rows", fix="give a row per queue and slot")
    table = frame[["queue", "start", count]].rename(columns={count: "mean"}).reset_index(drop=True)
    if not isinstance(table["start"].dtype, pd.DatetimeTZDtype | np.dtypes.DateTime64DType):
        raise StaffingError("start is no time", where="start", fix="turn it into times with pandas.to_datetime")
    if table["start"].isna().any():
        raise StaffingError(
            "a start is missing", where=str(table["queue"][table["start"].isna()].iloc[0]), fix="fill it in"
        )
    _require("mean", table, least=0.0)
    return table


def _handle_times(table: pd.DataFrame, handle_s: Times) -> NDArray[np.float64]:
    queues = [str(name) for name in table["queue"].unique()]
    if isinstance(handle_s, pd.DataFrame):
        keys = ["queue", "start"] if "start" in handle_s else ["queue"]
        if "handle_s" not in handle_s or "queue" not in handle_s:
            raise StaffingError("a frame of handle times has queue and handle_s", where="handle_s")
        found = table[keys].merge(handle_s[[*keys, "handle_s"]], on=keys, how="left")["handle_s"]
        if len(found) != len(table):
            raise StaffingError("a handle time is given twice", where="handle_s", fix="give one row per key")
    else:
        of = for_queue("handle_s", handle_s, queues)
        found = table["queue"].astype(str).map(of)
    frame = table.assign(handle_s=found.to_numpy())
    _require("handle_s", frame, least=np.nextafter(0, 1))
    return frame["handle_s"].to_numpy(dtype="float64")


def _require(name: str, table: pd.DataFrame, least: float) -> None:
    values = table[name].to_numpy(dtype="float64")
    bad = ~((values >= least) & np.isfinite(values))
    if bad.any():
        row = table[bad].iloc[0]
        bound = "from 0 up" if least == 0 else "above 0"
        raise StaffingError(
            f"{name} is {row[name]}", where=f"{row['queue']}, {row['start']}", fix=f"give a number {bound}"
        )


def _places(index: pd.Index, table: pd.DataFrame) -> NDArray[np.intp]:
    wanted = pd.MultiIndex.from_frame(table[["queue", "start"]])
    if len(index) == len(wanted) and index.equals(wanted):
        return np.arange(len(wanted))
    found = index.get_indexer(wanted)
    if (found < 0).any():
        raise StaffingError("the paths have other slots than the table", fix="index them by queue and start")
    return found
