"""Backtests: forecasts made again as they would have been made then, beside what came."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.ahead.fanout import run_side_by_side
from svcanalytics.demand.ahead.outlook import look_ahead
from svcanalytics.demand.ahead.trials import Memory
from svcanalytics.demand.forecasting import MANY
from svcanalytics.demand.history.arrivals import Arrivals
from svcanalytics.demand.history.patching import fill_gaps
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models.averages import WeekdayAverage
from svcanalytics.demand.result import bounds_of, open_slots
from svcanalytics.errors import DemandError

if TYPE_CHECKING:
    from svcanalytics.demand.models import Model

__all__ = ["backtest", "origins_of", "sample_crps"]

SHORTEST = 15
"""Days on record before the first origin. With fewer a queue is new: its forecasts borrow from others, which a backtest
of each queue by itself would not show."""
PATHS, LIGHT_PATHS = 1000, 300
"""Sample paths behind bounds and CRPS: as many as behind a forecast's table, and fewer when there are many queues."""


def backtest(
    arrivals: Arrivals,
    days: int = 10,
    origins: int = 26,
    step: int = 2,
    models: Sequence[str | Model] = ("auto",),
    *,
    levels: Sequence[float] = (0.8, 0.95),
    thorough: bool = False,
    light: bool | None = None,
    seed: int = 0,
    n_jobs: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Forecast from rolling origins, each with nothing but the history before it.

    Models are chosen, combined and calibrated inside each training window. The horizon is the next `days` days on which
    the queue has data: closures inside it count as announced. The last origin's horizon ends at the last day.

    Queues and origins run in parallel under joblib: on all cores, or wherever an enclosing ``joblib.parallel_config``
    says (Dask, Ray, Spark).

    Parameters
    ----------
    arrivals : Arrivals
    days : int
        Days on record that each origin forecasts.
    origins : int
        How many.
    step : int
        Days on record from one origin to the next.
    models : sequence of str or Model
        As `forecast` takes them.
    levels : sequence of float
        Of the intervals, 0-1.
    thorough : bool
        Let ``"auto"`` choose among all models, not the fast ones alone.
    light : bool, optional
        Fewer models, trials and paths; by default with a hundred queues or more, as in `forecast`. The frame says so in
        ``frame.attrs["light"]``.
    seed : int
        Of the sample paths.
    n_jobs : int, optional
        Processes; by default all cores, or what the enclosing ``joblib.parallel_config`` says.
    progress : bool
        Show a bar on a terminal.

    Returns
    -------
    pandas.DataFrame
        A row per model, origin, queue and open slot that was recorded: model, origin (first day forecast), queue,
        start, the columns of a forecast's table (mean, lower_80, upper_80, ...), actual, and what `scores` needs: lead
        (which of the `days`, from 1), crps (of the sample paths), baseline (the eight-week average's mean), scale (mean
        absolute change from a week before in the training window).

    Raises
    ------
    DemandError
        No queue has room for so many origins; says how many there is room for. Queues with less room than others are
        backtested from fewer origins, with a warning.
    """
    tasks = list(_tasks(arrivals, days, origins, step))
    names = [_name(model) for model in models]
    if len(set(names)) < len(names) or not names:
        raise DemandError(
            "models must be named, each once", where=f"models={names}", fix='for example models=("auto",)'
        )
    light = len(arrivals.queues) >= MANY if light is None else light
    run = Run(tuple(models), tuple(levels), days, thorough, light, seed)
    parts = _with_bar(run_side_by_side(run, tasks, n_jobs=n_jobs), len(tasks), progress)
    return _assemble([part for found in parts for part in found], names, arrivals, light)


def origins_of(matrix: DayMatrix, days: int, origins: int, step: int) -> list[pd.Timestamp]:
    """Return the days that rolling origins forecast first, the earliest first: at most `origins`, as there is room."""
    recorded = matrix.days[matrix.on_record]
    latest = len(recorded) - days
    room = max((latest - SHORTEST) // step + 1, 0)
    return [recorded[latest - step * back] for back in range(min(origins, room))][::-1]


@dataclass(frozen=True)
class Run:
    """What every task of a backtest has in common."""

    models: tuple[str | Model, ...]
    levels: tuple[float, ...]
    days: int
    thorough: bool
    light: bool
    seed: int

    def __call__(self, arrivals: Arrivals, queue: str, origins: Sequence[pd.Timestamp]) -> list[dict]:
        """Forecast one queue from some origins, the earliest first; columns of arrays per origin and model."""
        memory: Memory = {}  # trials that origins share; it changes how fast a forecast is made, never the forecast
        return [part for origin in origins for part in self._from(arrivals, queue, origin, memory)]

    def _from(self, arrivals: Arrivals, queue: str, origin: pd.Timestamp, memory: Memory) -> Iterator[dict]:
        history = fill_gaps(arrivals.upto(origin).matrices[queue])
        came = arrivals.following(origin, self.days)[queue]
        future = replace(came, counts=np.full(came.counts.shape, np.nan))
        at = open_slots(future)
        row, slot, share = at.day, at.slot, at.times
        shared = {
            "queue": queue,
            "origin": origin,
            "start": at.start.tz_convert(None).to_numpy(),
            "actual": came.counts[row, slot] / share,
            "lead": np.cumsum(came.open_days)[row],
            "baseline": WeekdayAverage(8).fit(history).mean(future)[row, slot] / share,
            "scale": np.full(len(row), _weekly_change(history)),
        }
        known = np.isfinite(shared["actual"])
        for model in self.models:
            outlook = look_ahead(history, future, model, thorough=self.thorough, light=self.light, memory=memory)
            paths = outlook.sample(LIGHT_PATHS if self.light else PATHS, self.seed)
            bounds = bounds_of(paths, self.levels)
            table = {name: values[row, slot] / share for name, values in ({"mean": outlook.mean} | bounds).items()}
            crps = sample_crps(paths[:, row, slot] / share, shared["actual"])
            columns = shared | table | {"crps": crps}
            yield {"model": _name(model)} | {
                name: values[known] if isinstance(values, np.ndarray) else values for name, values in columns.items()
            }


def _name(model: str | Model) -> str:
    return model if isinstance(model, str) else model.name


def _tasks(
    arrivals: Arrivals, days: int, origins: int, step: int
) -> Iterator[tuple[Arrivals, str, Sequence[pd.Timestamp]]]:
    """Cut the work, the same on any machine: a queue a task, or a stretch of its origins when there are few queues."""
    if min(days, origins, step) < 1:
        where = f"days={days}, origins={origins}, step={step}"
        raise DemandError("days, origins and step must be 1 or more", where=where)
    found = {queue: origins_of(matrix, days, origins, step) for queue, matrix in arrivals.matrices.items()}
    short = {queue: len(firsts) for queue, firsts in found.items() if len(firsts) < origins}
    if len(short) == len(found):
        queue, room = max(short.items(), key=lambda item: item[1])
        raise DemandError(
            f"the history has room for {room} origins, not {origins}: {SHORTEST} days on record come before the first",
            where=f"queue {queue!r}, days={days}, step={step}",
            fix=f"use origins={room}, a smaller step or fewer days"
            if room
            else "use fewer days, or wait for more data",
        )
    if short:
        named = ", ".join(f"{queue!r} {room}" for queue, room in list(short.items())[:5])
        more = f" and {len(short) - 5} more" if len(short) > 5 else ""
        text = f"{len(short)} queues have room for fewer than {origins} origins: {named}{more}"
        warnings.warn(text, UserWarning, stacklevel=3)
    cuts = math.ceil(4 / len(found))
    for queue, firsts in found.items():
        alone = arrivals.only(queue)
        for part in np.array_split(np.arange(len(firsts)), max(min(cuts, len(firsts)), 1)):
            yield alone, queue, [firsts[at] for at in part]


def _with_bar(results: Iterable, total: int, progress: bool) -> Iterator:
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    hidden = not (progress and console.is_terminal)
    return track(results, "Backtest", total, console=console, transient=True, disable=hidden)


def _assemble(parts: list[dict], names: list[str], arrivals: Arrivals, light: bool) -> pd.DataFrame:
    """Stack the parts, model by model and queue by queue."""
    queues = arrivals.queues
    place = {queue: at for at, queue in enumerate(queues)}
    parts.sort(key=lambda part: (names.index(part["model"]), place[part["queue"]], part["origin"]))
    lengths = [len(part["start"]) for part in parts]
    frame: dict[str, object] = {
        "model": pd.Categorical(np.repeat([part["model"] for part in parts], lengths), categories=names),
        "origin": np.repeat(pd.DatetimeIndex([part["origin"] for part in parts]).to_numpy(), lengths),
        "queue": pd.Categorical(np.repeat([part["queue"] for part in parts], lengths), categories=queues),
    }
    last = ("actual", "lead", "baseline", "scale", "crps")
    for name in sorted((name for name in parts[0] if name not in frame), key=lambda name: name in last):
        frame[name] = np.concatenate([part.pop(name) for part in parts])
    frame["start"] = pd.DatetimeIndex(frame["start"]).tz_localize("UTC").tz_convert(arrivals.timezone)
    table = pd.DataFrame(frame, copy=False)
    table.attrs["light"] = light
    return table


def _weekly_change(history: DayMatrix) -> float:
    """Return the mean absolute change from the same slot a week before."""
    change = np.abs(history.counts[7:] - history.counts[:-7])
    return float(np.nanmean(change)) if (~np.isnan(change)).any() else float("nan")


def sample_crps(paths: NDArray[np.float64], actual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return E|X - y| - E|X - X'| / 2 of sample paths ``(n, rows)`` (Gneiting and Raftery 2007, eq. 21)."""
    n = len(paths)
    ranked = np.sort(paths, axis=0)
    weights = (2 * np.arange(1, n + 1) - n - 1) / n**2
    return np.abs(ranked - actual).mean(axis=0) - weights @ ranked
