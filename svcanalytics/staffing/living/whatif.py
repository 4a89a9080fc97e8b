"""What if: the same random days lived through again with one thing changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.living.comparison import compare
from svcanalytics.staffing.living.presence import prolong, read_teams
from svcanalytics.staffing.living.scene import Scene
from svcanalytics.staffing.living.simulation import Simulation, live
from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.volumes import Volume, for_queue

if TYPE_CHECKING:
    from svcanalytics.staffing.shifting.shiftplan import ShiftPlan

__all__ = ["relive", "what_if"]

Change = float | Mapping[str, float]


def what_if(
    before: Simulation,
    *,
    volume: Change = 1.0,
    handle_time: Change = 1.0,
    patience: Change = 1.0,
    absent: int = 0,
    absent_on: str | pd.Timestamp | None = None,
    until: str | None = None,
    swap: Sequence[tuple[str, str]] = (),
    plan: pd.DataFrame | ShiftPlan | None = None,
    service_level: float | None = None,
    within_s: float | None = None,
    by: Sequence[str] = ("queue",),
) -> pd.DataFrame:
    """Return what a change comes to, as differences on the same random days.

    Parameters
    ----------
    before : Simulation
        Of `simulate`, which is not run again.
    volume, handle_time, patience, absent, absent_on, until, swap, plan, service_level, within_s
        As in `relive`.
    by : sequence of str
        As in `compare`.

    Returns
    -------
    pandas.DataFrame
        As of `compare`: by columns, measure, before, after, change, low, high.

    Raises
    ------
    StaffingError
        As in `relive`.
    """
    after = relive(
        before, volume=volume, handle_time=handle_time, patience=patience, absent=absent, absent_on=absent_on,
        until=until, swap=swap, plan=plan, service_level=service_level, within_s=within_s,
    )  # fmt: skip
    return compare(before, after, by)


def relive(
    before: Simulation,
    *,
    volume: Change = 1.0,
    handle_time: Change = 1.0,
    patience: Change = 1.0,
    absent: int = 0,
    absent_on: str | pd.Timestamp | None = None,
    until: str | None = None,
    swap: Sequence[tuple[str, str]] = (),
    plan: pd.DataFrame | ShiftPlan | None = None,
    service_level: float | None = None,
    within_s: float | None = None,
) -> Simulation:
    """Live through the days of a simulation again with something changed and all else as it was.

    Parameters
    ----------
    before : Simulation
    volume, handle_time, patience : float or mapping by queue
        What arrivals, handle times and patience are multiplied by. More volume adds customers to those there were.
    absent : int
        People of each team, whoever they are, that are ill besides.
    absent_on : str or Timestamp, optional
        The day on which they are; by default all days.
    until : str
        Stay open until so late, such as "22:00", on every day that closes earlier: each added slot brings what the
        day's last one does, and those who are at work then stay.
    swap : sequence of (str, str)
        Pairs of days whose demand changes places: a campaign that comes early.
    plan : DataFrame or ShiftPlan, optional
        Another plan, as in `simulate`.
    service_level, within_s : float, optional
        Another promise to judge by.

    Raises
    ------
    StaffingError
        A number is out of its range, or a day or queue is not there.
    """
    scene = before.scene
    queues = [each.queue for each in scene.volumes]
    factor = {
        name: for_queue(name, value, queues)
        for name, value in (("volume", volume), ("handle_time", handle_time), ("patience", patience))
    }
    for name, of in factor.items():
        for queue in queues:
            if not (0 if name == "volume" else np.nextafter(0, 1)) <= of(queue) < np.inf:
                raise StaffingError(f"{name} is {of(queue)}", where=queue, fix="give 1.1 for 10 % more")
    if absent < 0 or absent != int(absent):
        raise StaffingError(f"absent is {absent}", where="absent", fix="give a whole number of people from 0 up")
    volumes, arrivals = [], []
    for one, count in zip(scene.volumes, scene.arrivals, strict=True):
        count = _scaled(count, factor["volume"](one.queue), scene.seed)
        for pair in swap:
            count = _swapped(one, count, pair)
        one = replace(one, handle_s=one.handle_s * factor["handle_time"](one.queue))
        if until is not None:
            one, count = _open_longer(one, count, _minutes(until))
        volumes.append(one)
        arrivals.append(count)
    promised = {
        queue: _promise(promise, factor["patience"](queue), service_level, within_s)
        for queue, promise in scene.promises.items()
    }
    teams = scene.teams if plan is None else read_teams(plan, volumes, scene.crews)
    if until is not None:
        teams = tuple(prolong(team, _closes(scene, team.queues), _minutes(until)) for team in teams)
    ill_on = () if absent_on is None else (np.datetime64(pd.Timestamp(absent_on).tz_localize(None).normalize(), "ns"),)
    if ill_on and not any((team.day == ill_on[0]).any() for team in teams):
        raise StaffingError(f"nobody works on {absent_on}", where="absent_on", fix="give a day of the plan")
    changed: Scene = replace(
        scene, volumes=tuple(volumes), arrivals=tuple(arrivals), promises=promised, teams=teams,
        attendance=replace(scene.attendance, ill=int(absent), ill_on=ill_on),
    )  # fmt: skip
    return live(changed)


def _scaled(count: NDArray[np.float64], factor: float, seed: int) -> NDArray[np.float64]:
    if factor == 1:
        return count
    return np.floor(count * factor + np.random.default_rng([seed, 7]).random(count.shape))


def _swapped(volume: Volume, count: NDArray[np.float64], pair: tuple[str, str]) -> NDArray[np.float64]:
    one, other = (np.flatnonzero(volume.days == pd.Timestamp(day)) for day in pair)
    clock = volume.start.tz_localize(None) - volume.days
    for rows, day in ((one, pair[0]), (other, pair[1])):
        if not len(rows):
            raise StaffingError(f"{day} is no day of the forecast", where=volume.queue, fix="give two of its days")
    if not clock[one].equals(clock[other]):
        raise StaffingError(
            f"{pair[0]} and {pair[1]} have different hours", where=volume.queue, fix="swap days that open alike"
        )
    count = count.copy()
    count[np.concatenate([one, other])] = count[np.concatenate([other, one])]
    return count


def _open_longer(volume: Volume, count: NDArray[np.float64], until: int) -> tuple[Volume, NDArray[np.float64]]:
    length = pd.Timedelta(seconds=volume.interval_s)
    last = np.flatnonzero(np.append(volume.days[1:] != volume.days[:-1], True))
    close = volume.days[last] + pd.Timedelta(minutes=until)
    room = ((close - volume.start[last].tz_localize(None)) / length).to_numpy()
    added = np.maximum(np.floor(room + 1e-9).astype(int) - 1, 0)
    source = np.repeat(last, added)
    step = np.arange(len(source)) - np.repeat(np.cumsum(added) - added, added) + 1
    start = volume.start.append(volume.start[source] + step * length)
    order = np.argsort(start.asi8, kind="stable")
    rows = np.concatenate([np.arange(len(volume.start)), source])[order]
    start = start[order].as_unit(volume.start.unit)  # of the same resolution, as days are compared by it
    second = (start - start[0]).total_seconds().to_numpy()
    longer = replace(
        volume, start=start, second=second, mean=volume.mean[rows], handle_s=volume.handle_s[rows],
        paths=None if volume.paths is None else volume.paths[rows],
    )  # fmt: skip
    return longer, count[rows]


def _closes(scene: Scene, queues: Sequence[str]) -> dict[pd.Timestamp, pd.Timestamp]:
    """The close of each day, of the queue that is open longest."""
    ends = [
        pd.Series(volume.start + pd.Timedelta(seconds=volume.interval_s)).groupby(volume.days).max()
        for volume in scene.volumes
        if volume.queue in queues
    ]
    return pd.concat(ends).groupby(level=0).max().to_dict()


def _promise(promise: Promise, patience: float, service_level: float | None, within_s: float | None) -> Promise:
    if service_level is not None and not 0 < service_level < 1:
        raise StaffingError(f"service_level is {service_level}", where="service_level", fix="give 0.8 for 80 %")
    if within_s is not None and not 0 <= within_s < np.inf:
        raise StaffingError(f"within_s is {within_s}", where="within_s", fix="give seconds from 0 up")
    if patience != 1 and promise.patience_s is None:
        raise StaffingError("customers of endless patience can't lose it", where="patience", fix="simulate with one")
    return replace(
        promise,
        patience_s=None if promise.patience_s is None else promise.patience_s * patience,
        service_level=promise.service_level if service_level is None else service_level,
        within_s=promise.within_s if within_s is None else within_s,
    )


def _minutes(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    if not (hours.isdigit() and (minutes or "0").isdigit() and int(hours) <= 24 and int(minutes or 0) < 60):
        raise StaffingError(f"{clock!r} is no time of day", where="until", fix='write "22:00"')
    return 60 * int(hours) + int(minutes or 0)
