"""Forecasts made again inside a training window: what selection, weights and intervals are learned from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models import Fitted, Model
from svcanalytics.errors import DemandError

__all__ = ["Trials", "fit_at", "run_trials"]

SHORTEST = 12
"""Days on record before the first trial."""
_FARTHEST = 28
"""Days on record that a trial forecasts at most."""
_GROWTH = 1.25
"""By how much a history grows until settings are learned anew."""

Memory = dict[tuple, Any]
"""What earlier calls on the same arrivals found; see `run_trials`."""


@dataclass(frozen=True)
class Trials:
    """`K` trials of `M` models over horizons of `H` days on record.

    Attributes
    ----------
    names : tuple[str, ...]
        The models.
    rows : numpy.ndarray of int, shape ``(K, H)``
        Rows of the history that were forecast.
    actual : numpy.ndarray, shape ``(K, H, S)``
        NaN where closed.
    means : numpy.ndarray, shape ``(M, K, H, S)``
    covariance : numpy.ndarray, shape ``(K, H, H)``
        Of the log day totals, as the day regression expected it; NaN where it was not tried.
    """

    names: tuple[str, ...]
    rows: NDArray[np.intp]
    actual: NDArray[np.float64]
    means: NDArray[np.float64]
    covariance: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rows)


def run_trials(
    history: DayMatrix,
    models: Sequence[Model],
    days: int,
    *,
    count: int = 12,
    step: int = 4,
    memory: Memory | None = None,
) -> Trials:
    """Forecast the last stretches of a history from what came before each.

    Origins stand on a grid of days on record, so that the trials of a later call on the same queue are mostly those of
    an earlier one; `memory` keeps them. That is no leak: a trial never sees a day after its own origin.

    Parameters
    ----------
    history : DayMatrix
    models : sequence of Model
    days : int
        Days on record that each trial forecasts; at most four weeks, and fewer where the history is short.
    count : int
        At most how many trials.
    step : int
        Days on record from one origin to the next.
    memory : dict, optional
        Of one queue; filled and read.
    """
    memory = {} if memory is None else memory
    recorded = np.flatnonzero(history.recorded)
    horizon = min(days, _FARTHEST, max(len(recorded) - SHORTEST, 0))
    last = len(recorded) - horizon
    first = max(SHORTEST, last - step * count)
    starts = [i for i in range(last, first - 1, -1) if i % step == 0][:count][::-1] if horizon else []
    rows, means, covariance = [], [], []
    known = _fingerprints(history)
    for start in starts:
        at = recorded[start : start + horizon]
        future = _announced(history.rows(at[0], at[-1] + 1))
        mean = np.full((len(models), horizon, len(history.slots)), np.nan)
        spread = np.full((horizon, horizon), np.nan)
        for m, model in enumerate(models):
            key = (history.queue, model.name, at.tobytes(), known[at[0]], known[at[-1] + 1])
            if key not in memory:
                memory[key] = _try(history, model, start, recorded, future, memory)
            found, own = memory[key]
            if found is not None:
                mean[m] = found[at - at[0]]
            spread = own if own is not None else spread
        rows.append(at)
        means.append(mean)
        covariance.append(spread)
    shape = (len(starts), horizon)
    index = np.array(rows, dtype=int).reshape(shape)
    return Trials(
        tuple(model.name for model in models),
        index,
        np.where(history.open_slots[index], history.counts[index], np.nan),
        np.array(means).reshape(*shape[:1], len(models), horizon, len(history.slots)).swapaxes(0, 1),
        np.array(covariance).reshape(*shape, horizon),
    )


def fit_at(history: DayMatrix, model: Model, memory: Memory | None = None, *, fresh: bool = False) -> Fitted:
    """Fit a model, its settings learned when the history was at most a fifth shorter, or, if `fresh`, now."""
    recorded = np.flatnonzero(history.recorded)
    return _fit(history, model, len(recorded), recorded, {} if memory is None else memory, fresh)


def _try(history, model, start, recorded, future, memory):
    try:
        fitted = _fit(history.rows(0, int(recorded[start])), model, start, recorded, memory, False)
        if hasattr(fitted, "outlook"):
            return fitted.outlook(future)
        return fitted.mean(future), None
    except DemandError:
        return None, None


def _fit(history, model, start, recorded, memory, fresh):
    if not hasattr(model, "tuned"):
        return model.fit(history)
    anchor = start if fresh else _anchor(start)
    end = int(recorded[anchor]) if anchor < len(recorded) else len(history.days)
    key = (history.queue, model.name, "tuned", anchor, _fingerprints(history)[end])
    if key not in memory:
        memory[key] = model.tuned(history.rows(0, end))
    return memory[key].fit(history)


def _fingerprints(history):
    # Of the days before each row: hours inferred from a longer history may open or close days of the past.
    opened = np.r_[0.0, np.cumsum(history.exposure.sum(axis=1))]
    came = np.r_[0.0, np.cumsum(np.nansum(history.counts, axis=1))]
    return list(zip(opened.tolist(), came.tolist(), strict=True))


def _anchor(start: int) -> int:
    # Always the same ones, whatever call asks: what is remembered is what would be learned again.
    anchor = SHORTEST
    while max(int(anchor * _GROWTH), anchor + 1) <= start:
        anchor = max(int(anchor * _GROWTH), anchor + 1)
    return min(anchor, start)


def _announced(came: DayMatrix) -> DayMatrix:
    exposure = np.where(came.recorded[:, None], came.exposure, 0.0)
    return replace(came, exposure=exposure, counts=np.full(came.counts.shape, np.nan))
