"""A forecast: its table, its sample paths, and totals that agree with both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.ahead.outlook import Outlook
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.errors import DemandError

__all__ = ["Forecast", "OpenSlots", "bounds_of", "joint_courses", "open_slots"]

_TABLE_PATHS = 1000


@dataclass(frozen=True, eq=False)
class Forecast:
    """What is expected of the days to come, and how sure that is.

    Attributes
    ----------
    table : pandas.DataFrame
        A row per queue and open slot: queue, start (aware), mean, and for each level such as 0.8 the bounds lower_80
        and upper_80 of its central interval. Closed slots have no row.
    model : str
        What was asked for: ``"auto"``, or a model's name.
    selection : pandas.DataFrame
        A row per queue and model: queue, model, loss (absolute error relative to the arrivals in trials within the
        history; missing when it was too short), weight.
    notes : pandas.DataFrame
        queue, note: what the reader should know, such as a calendar not announced yet.
    levels : tuple[float, ...]
    outlooks : tuple[Outlook, ...]
        Mean and spread of each queue, as matrices of days by slots.
    seed : int
        Of the paths that the table's bounds were taken from.
    """

    table: pd.DataFrame
    model: str
    selection: pd.DataFrame
    notes: pd.DataFrame
    levels: tuple[float, ...]
    outlooks: tuple[Outlook, ...]
    seed: int = 0

    def paths(self, n: int, seed: int = 0) -> pd.DataFrame:
        """Return `n` equally likely courses of all queues together.

        Days share a busyness within a queue and, as far as past errors went together, across queues; so sums over
        slots, days and queues have the right width.

        Parameters
        ----------
        n : int
        seed : int
            The same seed gives the same paths; the first paths of a larger `n` are others.

        Returns
        -------
        pandas.DataFrame
            Indexed by (queue, start) as `table` is; columns 0 to n - 1, whole numbers.
        """
        values = np.vstack([_rows(o.future, c) for o, c in zip(self.outlooks, self._courses(n, seed), strict=True)])
        index = pd.MultiIndex.from_frame(self.table[["queue", "start"]])
        return pd.DataFrame(values, index=index)

    @property
    def day_variation(self) -> pd.DataFrame:
        """Return how much days vary beyond chance around what is expected of them: queue, cv.

        The coefficient of variation of a day's busyness, ``sqrt(exp(variance of its log) - 1)``, averaged over the days
        forecast: what no calendar explains, and what is not yet known of the day's level.
        """
        rows = [(o.queue, float(np.sqrt(np.expm1(o.spread.variance).mean()))) for o in self.outlooks]
        return pd.DataFrame(rows, columns=["queue", "cv"])

    def totals(
        self,
        by: str | Sequence[str] = "day",
        *,
        queues: Mapping[str, str] | str | None = None,
        levels: Sequence[float] | None = None,
        n: int = _TABLE_PATHS,
        seed: int = 0,
    ) -> pd.DataFrame:
        """Return sums with their own intervals, taken from sums of sample paths: bounds of slots must not be added.

        Parameters
        ----------
        by : str or sequence of str
            ``"slot"``, ``"day"``, ``"week"`` (Monday's date) or ``"horizon"``.
        queues : mapping or str, optional
            Which group (a channel, a site) each queue belongs to; a word takes all queues together under that name.
        levels : sequence of float, optional
            By default those of the forecast.
        n, seed : int
            Of the paths.

        Returns
        -------
        pandas.DataFrame
            queue (or group), the period's `start` (left out for the horizon), mean, lower_80, upper_80, ...

        Raises
        ------
        DemandError
            `by` is another word.
        """
        starts = self.table["start"]
        local = starts.dt.tz_localize(None)
        days = local.dt.normalize()
        periods = {
            "slot": starts,
            "day": days,
            "week": days - pd.to_timedelta(days.dt.day_of_week, unit="D"),
            "horizon": pd.Series("", index=starts.index),
        }
        if by not in periods:
            raise DemandError(f"totals by {by!r} are not known", fix=f"use one of {', '.join(periods)}")
        names = self.table["queue"].astype(str)
        if isinstance(queues, str):
            names = pd.Series(queues, index=names.index)
        elif queues is not None:
            names = names.map(lambda name: queues.get(name, name))
        keys = [names.rename("queue").to_numpy(), periods[by].rename("start").array]
        paths = self.paths(n, seed).reset_index(drop=True)
        sums = paths.groupby(keys, sort=True).sum()
        mean = self.table["mean"].groupby(keys, sort=True).sum()
        table = pd.DataFrame({"mean": mean} | bounds_of(sums.to_numpy().T, levels or self.levels))
        table.index.names = ["queue", "start"]
        table = table.reset_index()
        return table.drop(columns="start") if by == "horizon" else table

    def _courses(self, n: int, seed: int) -> list[NDArray[np.float64]]:
        return joint_courses(self.outlooks, n, seed)


def joint_courses(outlooks: Sequence[Outlook], n: int, seed: int) -> list[NDArray[np.float64]]:
    """Draw courses of several queues, whose days go together as their past errors did.

    Parameters
    ----------
    outlooks : sequence of Outlook
    n, seed : int

    Returns
    -------
    list of numpy.ndarray, each ``(n, D, S)``
        In the order of the outlooks.
    """
    streams = np.random.default_rng(seed).spawn(len(outlooks) + 1)
    first = min(o.future.days[0] for o in outlooks)
    last = max(o.future.days[-1] for o in outlooks)
    days = (last - first).days + 1
    normal = streams[0].standard_normal((days, n, len(outlooks)))
    if len(outlooks) > 1:
        normal = normal @ _root(_correlation([o.surprises for o in outlooks])).T
    courses = []
    for q, (outlook, rng) in enumerate(zip(outlooks, streams[1:], strict=True)):
        at = (outlook.future.days - first).days
        courses.append(outlook.courses(normal[at, :, q].T, rng))
    return courses


def _correlation(surprises: Sequence[pd.Series]) -> NDArray[np.float64]:
    # Correlations of few common days are drawn to none.
    frame = pd.concat(surprises, axis=1, sort=True)
    seen = frame.notna().to_numpy(float)
    value = frame.fillna(0.0).to_numpy()
    common = seen.T @ seen
    scale = np.sqrt((value**2).T @ seen)
    raw = (value.T @ value) / np.maximum(scale * scale.T, 1e-12)
    correlation = raw * common / (common + 15.0)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def _root(correlation: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return root / np.maximum(np.linalg.norm(root, axis=1, keepdims=True), 1e-12)


def bounds_of(paths: NDArray[np.float64], levels: Sequence[float]) -> dict[str, NDArray[np.float64]]:
    """Return bounds of central intervals from paths of counts.

    Counts are spread evenly over the unit around them, so that bounds are quantiles of the mid-distribution (Ma, Genton
    and Parzen 2011, Ann. Inst. Statist. Math. 63:227): with small counts, whole numbers as bounds would hold far more
    than the level says.

    Parameters
    ----------
    paths : numpy.ndarray, shape ``(n, ...)``
    levels : sequence of float
        Between 0 and 1.

    Returns
    -------
    dict of numpy.ndarray
        lower_80, upper_80, ... of shape ``(...)``, not below 0.
    """
    ends = np.array([end for level in levels for end in (0.5 - level / 2, 0.5 + level / 2)])
    # Evenly spaced jitter in the order of the draws, which is random itself: no generator is needed.
    jitter = ((np.arange(len(paths)) + 0.5) * 0.6180339887498949 % 1.0 - 0.5).reshape(-1, *(1,) * (paths.ndim - 1))
    ranked = np.sort(paths + jitter, axis=0)
    at = np.clip(ends * len(paths) - 0.5, 0, len(paths) - 1)
    low = np.floor(at).astype(int)
    high = np.minimum(low + 1, len(paths) - 1)
    share = (at - low).reshape(-1, *(1,) * (paths.ndim - 1))
    found = np.maximum(ranked[low] * (1 - share) + ranked[high] * share, 0.0)
    names = [f"{side}_{100 * level:g}" for level in levels for side in ("lower", "upper")]
    return dict(zip(names, found, strict=True))


@dataclass(frozen=True, eq=False)
class OpenSlots:
    """The open slots of days as they come, in order of time; a slot of the wall clock that comes twice is there twice.

    Attributes
    ----------
    day, slot : numpy.ndarray of int, shape ``(rows,)``
        Where each row is found in arrays ``(D, S)``.
    times : numpy.ndarray of int, shape ``(rows,)``
        How often its wall time comes on its day; a count of the wall time is split evenly over these.
    again : numpy.ndarray of bool, shape ``(rows,)``
        Whether its wall time has come before on its day.
    start : pandas.DatetimeIndex
        When it begins, aware.
    """

    day: NDArray[np.intp]
    slot: NDArray[np.intp]
    times: NDArray[np.int64]
    again: NDArray[np.bool_]
    start: pd.DatetimeIndex


def open_slots(future: DayMatrix) -> OpenSlots:
    """Lay the open slots of days out in order of time."""
    day, slot = np.nonzero(future.open_slots)
    # Where clocks go back by less than a slot, a slot is longer but begins once.
    times = np.where(future.exposure[day, slot] >= 2, 2, 1)
    again = np.arange(times.sum()) != np.repeat(np.cumsum(times) - times, times)
    day, slot, times = (np.repeat(each, times) for each in (day, slot, times))
    local = pd.DatetimeIndex(future.days.to_numpy()[day] + future.slots[slot].astype("timedelta64[s]"))
    start = local.tz_localize(future.timezone, ambiguous=~again, nonexistent="shift_forward")
    order = np.argsort(start.asi8, kind="stable")
    return OpenSlots(day[order], slot[order], times[order], again[order], start[order])


def _rows(future: DayMatrix, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn ``(n, D, S)`` into ``(rows, n)`` in the order of `open_slots`; a time that comes twice is split evenly."""
    at = open_slots(future)
    rows = values[:, at.day, at.slot].T
    twice = at.times > 1
    half = np.floor(rows[twice] / 2)
    rows[twice] = np.where(at.again[twice][:, None], half, rows[twice] - half)
    return rows
