"""Work that may wait for hours or days (mail, tickets): the evenest staffing that meets its clock, backlog included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.volumes import Demand, Times, Volume, for_queue, read_volumes

__all__ = ["deferred_requirement"]

_HALVINGS = 12
Clock = Literal["wall", "working"]


def deferred_requirement(
    forecast: Demand,
    handle_s: Times,
    within_s: float | Mapping[str, float],
    *,
    working: pd.DatetimeIndex | None = None,
    clock: Clock = "working",
    on_time: float = 0.95,
    risk: float | None = None,
    backlog: float | Mapping[str, float] = 0.0,
    utilisation: float = 1.0,
    shrinkage: float = 0.0,
    interval_s: float | None = None,
    paths: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the agents that deferred work needs in each interval.

    Work is a fluid served in order of arrival, from the interval after the one it came in; that is right when limits
    are long against one handle time. Between what has come and what is due, the evenest way to get through it is a taut
    string (Modigliani and Hohn 1955): no plan has a lower peak. It ends with the backlog it began with where limits
    allow. A plain table is taken for certain: all is on time. Of a forecast with sample paths, all intervals are
    staffed for the lowest common quantile of their arrivals with which the share on time holds on average, or, with
    `risk`, on a day with probability 1 - `risk`.

    Parameters
    ----------
    forecast : Forecast or DataFrame
        As in `requirement`; rows for every interval in which work can come, nights included.
    handle_s : float, mapping by queue, or DataFrame
        Mean handle time in seconds.
    within_s : float or mapping
        Limit from arrival to completion, in seconds.
    working : pandas.DatetimeIndex, optional
        Starts of the intervals in which people work; by default all.
    clock : {"working", "wall"}
        Whether the limit counts working intervals only or runs through the night.
    on_time : float
        Share of a day's work to be completed within the limit; ignored of a plain table.
    risk : float, optional
    backlog : float or mapping
        Contacts waiting at the start, as old as can be: due first, within one limit from the start.
    utilisation : float
        Share of their time that agents at work can give to this work.
    shrinkage : float
    interval_s, paths, seed
        As in `requirement`.

    Returns
    -------
    pandas.DataFrame
        queue, start, arrivals, agents (fractional, at work), scheduled, backlog (contacts expected at the end of the
        interval), on_time (expected share of what came in the interval; work due beyond the last interval counts as on
        time).

    Raises
    ------
    StaffingError
        Work is due before anybody works, or a number is out of its range.
    """
    _check(on_time, risk, utilisation, shrinkage, clock, forecast)
    volumes = read_volumes(
        forecast, handle_s, paths=0 if isinstance(forecast, pd.DataFrame) else paths, seed=seed, interval_s=interval_s
    )
    queues = [volume.queue for volume in volumes]
    limit, waiting = for_queue("within_s", within_s, queues), for_queue("backlog", backlog, queues)
    parts = []
    for volume in volumes:
        longest, left = float(limit(volume.queue)), float(waiting(volume.queue))
        if not longest > 0 or not left >= 0:
            name = "backlog" if longest > 0 else "within_s"
            raise StaffingError(f"{name} is out of range", where=volume.queue, fix="give a number above 0")
        at_work = np.ones(len(volume.mean), bool) if working is None else volume.start.isin(working)
        desk = _Desk(volume, at_work, longest, clock, left, utilisation)
        parts.append(desk.table(desk.staff(on_time, risk)).assign(scheduled=lambda t: t["agents"] / (1 - shrinkage)))
    columns = ["queue", "start", "arrivals", "agents", "scheduled", "backlog", "on_time"]
    return pd.concat(parts, ignore_index=True)[columns]


@dataclass(frozen=True, eq=False)
class _Desk:
    volume: Volume
    at_work: NDArray[np.bool_]
    limit: float
    clock: Clock
    backlog: float
    utilisation: float

    @property
    def effort(self) -> NDArray[np.float64]:
        """Agents that one contact of each interval keeps busy for an interval."""
        return self.volume.handle_s / self.volume.interval_s / self.utilisation

    @property
    def due(self) -> NDArray[np.intp]:
        """Last interval in which work of each interval is on time; the number of intervals when beyond the last one."""
        slots, length = len(self.at_work), self.volume.interval_s
        if self.clock == "wall":
            # Of the work of an interval the earliest comes at its start; it must be done by the end of the last one.
            ends = self.volume.second + length
            last = np.searchsorted(ends, self.volume.second + self.limit + 1e-6, side="right") - 1
            return np.where(self.volume.second + self.limit > ends[-1], slots, last)
        worked = np.cumsum(self.at_work)
        allowed = worked + int(self.limit // length)
        return np.where(allowed > worked[-1], slots, np.searchsorted(worked, np.minimum(allowed, worked[-1])))

    def staff(self, on_time: float, risk: float | None) -> NDArray[np.float64]:
        volume = self.volume
        if volume.paths is None:
            return self._even(volume.mean)
        ranked, days = np.sort(volume.paths, axis=1), pd.factorize(volume.days)[0]

        def enough(agents: NDArray[np.float64]) -> bool:
            done = self.run(volume.paths, agents)[0]  # type: ignore[arg-type]
            came = np.zeros((days.max() + 1, done.shape[1]))
            good = np.zeros_like(came)
            np.add.at(came, days, volume.paths)
            np.add.at(good, days, done)
            if risk is None:
                return good.sum() >= on_time * came.sum()
            return bool((good >= on_time * came - 1e-9).mean() >= 1 - risk)

        low, high, found = 0.0, 1.0, self._even(ranked[:, -1])
        if not enough(found):
            raise StaffingError("the promise can't be kept, whatever the agents", where=volume.queue)
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            tried = self._even(np.quantile(ranked, middle, axis=1))
            low, high, found = (low, middle, tried) if enough(tried) else (middle, high, found)
        return found

    def run(self, arrivals: NDArray[np.float64], agents: NDArray[np.float64]) -> tuple[NDArray, NDArray]:
        """Return contacts on time by the interval they came in, and the work left at each end, both ``(S, P)``."""
        work = arrivals * self.effort[:, None]
        before = self.backlog * self.effort[0] + np.cumsum(work, axis=0) - work
        done, total = np.empty_like(work), np.zeros(work.shape[1])
        for slot, capacity in enumerate(agents * self.at_work):
            total = np.minimum(before[slot], total + capacity)
            done[slot] = total
        by_due = np.vstack([done, np.full((1, work.shape[1]), np.inf)])[self.due]
        share = np.clip(by_due - before, 0.0, work)
        return share / self.effort[:, None], before + work - done

    def table(self, agents: NDArray[np.float64]) -> pd.DataFrame:
        volume = self.volume
        arrivals = volume.mean[:, None] if volume.paths is None else volume.paths
        good, left = self.run(arrivals, agents)
        came = arrivals.sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(came > 0, good.sum(axis=1) / came, 1.0)
        return pd.DataFrame(
            {
                "queue": volume.queue,
                "start": volume.start,
                "arrivals": volume.mean,
                "agents": agents,
                "backlog": left.mean(axis=1) / self.effort,
                "on_time": share,
            }
        )

    def _even(self, arrivals: NDArray[np.float64]) -> NDArray[np.float64]:
        work, first = arrivals * self.effort, self.backlog * self.effort[0]
        come = first + np.concatenate([[0.0], np.cumsum(work)[:-1]])  # there to be served in each interval
        owed = np.zeros(len(work) + 1)
        np.add.at(owed, self.due, work)
        owed[min(max(int(self._start_due()), 0), len(work))] += first
        owed = np.cumsum(owed[:-1])  # to be done by the end of each interval
        places = np.flatnonzero(self.at_work)
        if not len(places):
            raise StaffingError("nobody works in these hours", where=self.volume.queue, fix="check `working`")
        # What falls due while nobody works must be done before.
        ends = np.append(places[1:] - 1, len(work) - 1)
        low, high = owed[ends], come[places]
        late = np.flatnonzero(low > high + 1e-9)
        early = places[0] > 0 and owed[places[0] - 1] > 1e-9
        if early or len(late):
            when = self.volume.start[places[0 if early else min(late[0] + 1, len(places) - 1)]]
            raise StaffingError(
                f"some work is due before {when:%a %H:%M} and can't be begun by then",
                where=self.volume.queue,
                fix='lengthen the limit or the hours, shorten the intervals, or let the limit count clock="working"',
            )
        end = float(np.clip(work.sum(), low[-1], high[-1]))
        low[-1] = high[-1] = end
        agents = np.zeros(len(work))
        agents[places] = _taut(low, high)
        return agents

    def _start_due(self) -> int:
        if self.clock == "wall":
            return int(np.searchsorted(self.volume.second + self.volume.interval_s, self.limit + 1e-6, "right")) - 1
        worked = np.cumsum(self.at_work)
        allowed = int(self.limit // self.volume.interval_s)
        return len(worked) if allowed > worked[-1] else int(np.searchsorted(worked, max(allowed, 1)))


def _taut(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the steps of the shortest way from 0 at 0 to the last point, between `low` and `high` at 1, 2, ..."""
    steps, at, height = np.zeros(len(low)), 0, 0.0
    while at < len(low):
        ceiling, floor, to_ceiling, to_floor = np.inf, -np.inf, at, at
        target, slope = len(low), 0.0
        for point in range(at, len(low)):
            span = point - at + 1
            up, down = (high[point] - height) / span, (low[point] - height) / span
            if down > ceiling:
                target, slope = to_ceiling + 1, ceiling
                break
            if up < floor:
                target, slope = to_floor + 1, floor
                break
            if up <= ceiling:
                ceiling, to_ceiling = up, point
            if down >= floor:
                floor, to_floor = down, point
            slope = up
        steps[at:target] = slope
        height += slope * (target - at)
        at = target
    return np.maximum(steps, 0.0)


def _check(
    on_time: float, risk: float | None, utilisation: float, shrinkage: float, clock: str, forecast: Demand
) -> None:
    if not 0 < on_time <= 1 or not 0 < utilisation <= 1 or not 0 <= shrinkage < 1:
        raise StaffingError("on_time, utilisation and shrinkage are shares", fix="give 0.95 for 95 %")
    if risk is not None and (not 0 < risk < 1 or isinstance(forecast, pd.DataFrame)):
        raise StaffingError("a risk lies between 0 and 1 and needs a forecast with sample paths", where="risk")
    if clock not in ("working", "wall"):
        raise StaffingError(f"there is no clock named {clock!r}", where="clock", fix="use working or wall")
