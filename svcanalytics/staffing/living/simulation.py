"""A plan lived through on sample days: what service comes of it and how often each promise is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.formulas.sizing import Definition
from svcanalytics.staffing.living.presence import Attendance, read_teams
from svcanalytics.staffing.living.scene import Scene
from svcanalytics.staffing.living.summary import count_kept, rows_of_days, shortfall, summarise
from svcanalytics.staffing.promise import Setting, promises
from svcanalytics.staffing.volumes import Demand, Times, Volume, for_queue, read_volumes

if TYPE_CHECKING:
    from svcanalytics.staffing.shifting.shiftplan import ShiftPlan

__all__ = ["Simulation", "live", "simulate"]


@dataclass(frozen=True, eq=False)
class Simulation:
    """What came of a plan; intervals of confidence (95 %) are about the number of draws, not about the world.

    Attributes
    ----------
    intervals : pandas.DataFrame
        queue, start, agents (planned, who know the queue), arrivals, service_level, low, high, abandonment, asa_s,
        occupancy, kept: the share of draws in which all targets were met, with kept_low and kept_high; short and
        short_week: by how many customers the interval adds to days, or weeks, that miss (mean of all draws; below 0
        where it makes up for others). Customers belong to the interval they came in.
    days, weeks : pandas.DataFrame
        The same by queue and day, or by the week's Monday, without the last two.
    promises : pandas.DataFrame
        queue, period (interval, day, week), target (service_level, asa_s, abandonment, occupancy, all), probability
        that it is kept in such a period, low, high.
    draws : pandas.DataFrame
        A row per queue, day and draw: offered, answered, base (who counts for the service level), within, wait_s,
        busy_s, paid_s, the measures, and kept.
    seed : int
    scene : Scene
        What it rests on, for `compare`, `relive`, `what_if` and `trace_misses`.
    """

    intervals: pd.DataFrame
    days: pd.DataFrame
    weeks: pd.DataFrame
    promises: pd.DataFrame
    draws: pd.DataFrame
    seed: int
    scene: Scene


def simulate(
    plan: pd.DataFrame | ShiftPlan,
    forecast: Demand,
    handle_s: Times,
    *,
    service_level: Setting = 0.8,
    within_s: float | Mapping[str, float] = 20,
    patience_s: Setting = None,
    max_occupancy: Setting = None,
    max_abandonment: Setting = None,
    max_asa_s: Setting = None,
    definition: Definition = "offered",
    short_abandon_s: float | Mapping[str, float] = 0,
    concurrency: float | Mapping[str, float] = 1,
    crews: Mapping[str, Sequence[str]] | None = None,
    priority: int | Mapping[str, int] = 0,
    retry: float | Mapping[str, float] = 0.0,
    retry_after_s: float = 300.0,
    absence: float = 0.0,
    late: float = 0.0,
    late_s: float = 600.0,
    handle_noise: float = 0.0,
    handle_cv: float = 1.0,
    interval_s: float | None = None,
    draws: int = 200,
    seed: int = 1,
) -> Simulation:
    """Live through the plan's days again and again and return what came of them.

    Each draw takes one sample path of demand (Poisson counts about the means of a plain table; what really came, when
    the table has whole `arrivals` and no mean), serves every customer by the people of the plan, and counts. People
    finish their call before they leave or take a break. With the same seed, two plans meet the same days, customers
    and absences: `compare` then sees what the plans do and not luck. Queues with people of their own go through a fast
    recursion; those that share people, or whose customers try again, event by event (some twenty times slower).

    Parameters
    ----------
    plan : DataFrame or ShiftPlan
        queue (or crew), start, agents (others are ignored), such as `requirement` returns: open slots that it leaves
        out have nobody, and fractions of agents are made whole within each opening, so that hours add up. Or shifts,
        with every person's hours and breaks as they are; where these allow for shrinkage, by slots and with those at
        work.
    forecast, handle_s, interval_s
        As in `requirement`.
    service_level, within_s, patience_s, max_occupancy, max_abandonment, max_asa_s, definition, short_abandon_s
        What is promised, as in `requirement`.
    concurrency : float or mapping
        Chats an agent holds at once, as in `requirement`; fractions are rounded down to what all agents together hold.
    crews : mapping, optional
        Which queues each crew of the plan knows, as in `skilled_requirement`; a crew that is left out is named as the
        one queue it knows.
    priority : int or mapping by queue
        Where people know several queues: lower goes first, among equals who came first.
    retry : float or mapping by queue
        Share of those who hang up that try again, after `retry_after_s` in the mean.
    absence : float
        Probability that an agent of the plan is away for the day, beyond what shrinkage covers.
    late : float
        Probability that an agent comes late, by `late_s` in the mean (exponential).
    handle_noise : float
        Coefficient of variation of a day's mean handle time (log-normal): some days everything takes longer.
    handle_cv : float
        Coefficient of variation of one handle time: 1 is exponential, else log-normal.
    draws, seed : int
        How many sample paths, and which: by default others than those a requirement was made from.

    Raises
    ------
    StaffingError
        A number is out of its range, or the plan names a queue that the forecast does not.
    """
    for name, value, high in (
        ("absence", absence, 1.0), ("late", late, 1.0), ("late_s", late_s, np.inf),
        ("handle_noise", handle_noise, np.inf), ("handle_cv", handle_cv, np.inf),
    ):  # fmt: skip
        if not 0 <= value < high:
            raise StaffingError(f"{name} is {value}", where=name, fix="give 0.05 for 5 %")
    if draws < 2:
        raise StaffingError("one draw says nothing about chance", where="draws", fix="give 200 or more")
    volumes = read_volumes(forecast, handle_s, paths=draws, seed=seed, interval_s=interval_s)
    promised = promises(
        volumes, service_level=service_level, within_s=within_s, definition=definition, patience_s=patience_s,
        max_asa_s=max_asa_s, max_abandonment=max_abandonment, max_occupancy=max_occupancy,
        short_abandon_s=short_abandon_s,
    )  # fmt: skip
    known = None if crews is None else {name: tuple(skills) for name, skills in crews.items()}
    queues = [volume.queue for volume in volumes]
    own = {
        name: {queue: look(queue) for queue in queues}
        for name, look in (
            ("hands", for_queue("concurrency", concurrency, queues)),
            ("priority", for_queue("priority", priority, queues)),
            ("retry", for_queue("retry", retry, queues)),
        )
    }
    _check_queues(own, retry_after_s)
    counted = isinstance(forecast, pd.DataFrame) and "mean" not in forecast
    return live(
        Scene(
            tuple(volumes), tuple(_arrivals(volume, draws, seed, counted) for volume in volumes), promised,
            read_teams(plan, volumes, known), Attendance(absence, late, late_s), own["hands"], handle_noise, handle_cv,
            own["priority"], own["retry"], retry_after_s, known, draws, seed,
        )
    )  # fmt: skip


def live(scene: Scene) -> Simulation:
    """Live through a scene and return what came of it."""
    parts: dict[str, list[pd.DataFrame]] = {name: [] for name in ("interval", "day", "week", "draws", "promises")}
    for volume, tally in zip(scene.volumes, scene.tallies(), strict=True):
        promise, queue = scene.promises[volume.queue], volume.queue
        weeks = volume.days - pd.to_timedelta(volume.days.day_of_week, unit="D")
        for period, keys in (("interval", volume.start), ("day", volume.days), ("week", weeks)):
            names, group = np.unique(keys.asi8, return_inverse=True)
            label = keys[np.searchsorted(keys.asi8, names)]
            sums = tally if period == "interval" else tally.by(group)
            table = summarise(sums, promise, label.rename("start" if period == "interval" else period), queue)
            if period == "interval":
                table.insert(2, "agents", scene.planned(volume))
            else:
                short = "short" if period == "day" else "short_week"
                parts["interval"][-1][short] = shortfall(tally, promise, group)
            parts[period].append(table)
            parts["promises"].append(count_kept(sums, promise, period, queue))
            if period == "day":
                parts["draws"].append(rows_of_days(sums, promise, label, queue))
    made = {name: pd.concat(tables, ignore_index=True) for name, tables in parts.items()}
    return Simulation(made["interval"], made["day"], made["week"], made["promises"], made["draws"], scene.seed, scene)


def _arrivals(volume: Volume, draws: int, seed: int, counted: bool) -> NDArray[np.float64]:
    if volume.paths is not None:
        return np.maximum(np.round(volume.paths), 0.0)
    if counted and (volume.mean == np.round(volume.mean)).all():
        return np.repeat(volume.mean[:, None], draws, axis=1)
    rng = np.random.default_rng([seed, crc32(volume.queue.encode())])
    return rng.poisson(volume.mean[:, None], (len(volume.mean), draws)).astype("float64")


def _check_queues(own: Mapping[str, Mapping[str, float]], retry_after_s: float) -> None:
    for queue, hands in own["hands"].items():
        if not 1 <= hands < np.inf:
            raise StaffingError(f"concurrency is {hands:g}", where=queue, fix="give a number from 1 up")
    for queue, share in own["retry"].items():
        if not 0 <= share <= 1 or not retry_after_s > 0:
            raise StaffingError("retry is a share, retry_after_s above 0", where=queue, fix="give 0.3 for 30 %")
