"""The door: how many contacts each slot of the next days will bring, and how sure that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from svcanalytics.demand.ahead.borrowing import borrow_past, is_new
from svcanalytics.demand.ahead.fanout import run_side_by_side
from svcanalytics.demand.ahead.outlook import Outlook, look_ahead
from svcanalytics.demand.ahead.trials import Memory
from svcanalytics.demand.history.arrivals import Arrivals
from svcanalytics.demand.history.patching import fill_gaps
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models import Model
from svcanalytics.demand.result import Forecast, bounds_of, open_slots
from svcanalytics.errors import DemandError

__all__ = ["forecast", "tabulate"]

MANY = 100
"""Queues from which on the lighter ladder is used."""
_PATHS = 1000
_SIDE_BY_SIDE = 16


def forecast(
    arrivals: Arrivals,
    days: int = 10,
    levels: Sequence[float] = (0.8, 0.95),
    model: str | Model = "auto",
    thorough: bool = False,
    *,
    light: bool | None = None,
    future: Mapping[str, DayMatrix] | None = None,
    seed: int = 0,
    memory: Memory | None = None,
    n_jobs: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Forecast:
    """Forecast the next days of all queues.

    Parameters
    ----------
    arrivals : Arrivals
    days : int
        Open days to forecast, of each queue.
    levels : sequence of float
        Of the central intervals, between 0 and 1.
    model : str or Model
        ``"auto"`` tries models on the last stretches of each queue's own history, each from what came before it, and
        weighs them by their errors; or a model's name, or a model.
    thorough : bool
        Let ``"auto"`` try the slow models too.
    light : bool, optional
        Fewer models and trials. By default with a hundred queues or more; the forecast's notes say so.
    future : mapping, optional
        The days to come by queue, where they are known better than ``arrivals.future(days)`` knows them.
    seed : int
        Of the sample paths behind the bounds.
    memory : dict, optional
        Pass the same one to every origin of a rolling backtest to save time; see `run_trials`. Queues then run one
        after the other.
    n_jobs : int, optional
        Processes that share the queues; by default one for less than sixteen queues, else what the enclosing
        ``joblib.parallel_config`` says (which may name Dask, Ray or Spark), or all cores.
    progress : callable, optional
        Called before each queue with its name, how many are done and how many there are.

    Raises
    ------
    DemandError
        `days` or `levels` make no sense, a queue has no recorded day, or there is no such model.
    """
    if not isinstance(days, int | np.integer) or days < 1:
        raise DemandError("at least one day must be forecast", where=f"days={days!r}", fix="use days=1 or more")
    if isinstance(levels, int | float):
        raise DemandError("levels are several", where=f"levels={levels}", fix=f"use levels=({levels},)")
    if not levels or not all(0 < level < 1 for level in levels):
        raise DemandError("levels lie between 0 and 1", where=f"levels={tuple(levels)}", fix="use levels=(0.8, 0.95)")
    ahead = arrivals.future(days) if future is None else future
    light = len(arrivals.matrices) >= MANY if light is None else light
    queues = [queue for queue in arrivals.matrices if queue in ahead]
    tasks = [(*_past(arrivals, queue), ahead[queue], model, thorough, light) for queue in queues]
    alone = memory is not None or n_jobs == 1 or (n_jobs is None and len(tasks) < _SIDE_BY_SIDE)
    found = iter((_look(*t, memory) for t in tasks) if alone else run_side_by_side(_look, tasks, n_jobs=n_jobs))
    outlooks = []
    for done, queue in enumerate(queues):
        if progress is not None:
            progress(queue, done, len(queues))
        outlooks.append(next(found))
    named = model if isinstance(model, str) else model.name
    table = pd.concat([tabulate(o, tuple(levels), seed) for o in outlooks], ignore_index=True)
    return Forecast(table, named, _selection(outlooks), _notes(outlooks), tuple(levels), tuple(outlooks), seed)


def _past(arrivals: Arrivals, queue: str) -> tuple[DayMatrix, tuple[str, ...]]:
    """Return a queue's history, a new one's with a past that others lend, and the lenders."""
    history = fill_gaps(arrivals.matrices[queue])
    if not is_new(history):
        return history, ()
    others = [other for name, other in arrivals.matrices.items() if name != queue and not is_new(other)]
    return borrow_past(history, others)


def _look(
    history: DayMatrix,
    lenders: tuple[str, ...],
    future: DayMatrix,
    model: str | Model,
    thorough: bool,
    light: bool,
    memory: Memory | None = None,
) -> Outlook:
    outlook = look_ahead(history, future, model, thorough=thorough, light=light, memory=memory)
    if not lenders:
        return outlook
    named = ", ".join(lenders[:3]) + (f" and {len(lenders) - 3} more" if len(lenders) > 3 else "")
    return replace(outlook, notes=(*outlook.notes, f"new queue: its week and day are borrowed from {named}"))


def tabulate(outlook: Outlook, levels: tuple[float, ...], seed: int) -> pd.DataFrame:
    """Return one queue's rows of a forecast's table."""
    at = open_slots(outlook.future)
    bounds = bounds_of(outlook.sample(_PATHS, seed), levels)
    columns = {"mean": outlook.mean, **bounds}
    frame = pd.DataFrame({name: values[at.day, at.slot] / at.times for name, values in columns.items()})
    frame.insert(0, "start", at.start)
    frame.insert(0, "queue", outlook.queue)
    return frame


def _selection(outlooks: Sequence[Outlook]) -> pd.DataFrame:
    rows = [
        (outlook.queue, name, outlook.losses.get(name, np.nan), weight)
        for outlook in outlooks
        for name, weight in outlook.weights.items()
    ]
    return pd.DataFrame(rows, columns=["queue", "model", "loss", "weight"])


def _notes(outlooks: Sequence[Outlook]) -> pd.DataFrame:
    return pd.DataFrame([(o.queue, note) for o in outlooks for note in o.notes], columns=["queue", "note"])
