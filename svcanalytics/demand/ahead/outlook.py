"""One queue's days to come: models tried on its past, weighed, and given the spread of their errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.ahead.calibration import calibrate, lead_groups
from svcanalytics.demand.ahead.combination import combine, loss_weights, trial_losses
from svcanalytics.demand.ahead.spread import Spread
from svcanalytics.demand.ahead.trials import Memory, Trials, fit_at, run_trials
from svcanalytics.demand.ahead.trust import Record
from svcanalytics.demand.history.patching import fill_gaps
from svcanalytics.demand.matrix import DayMatrix
from svcanalytics.demand.models import Model
from svcanalytics.demand.models.averages import WeekdayAverage
from svcanalytics.demand.models.dayregression import DayRegression
from svcanalytics.demand.models.ladder import fast_models, light_models, named_model, thorough_models
from svcanalytics.demand.models.shapes import fit_shapes, learnable
from svcanalytics.errors import DemandError

__all__ = ["Outlook", "look_ahead"]

_PATTERN_DAYS = 120
_TRIALS, _LIGHT_TRIALS = 12, 8
# Plain averages know no calendar, and trials seldom hold the holiday that comes next.
_HANDICAP = 1.1


@dataclass(frozen=True, eq=False)
class Outlook:
    """A queue's forecast.

    Attributes
    ----------
    future : DayMatrix
        The days to come, `D` rows; counts are missing.
    mean : numpy.ndarray, shape ``(D, S)``
        Expected arrivals; NaN where closed.
    spread : Spread
        Of the open days.
    weights : dict[str, float]
        Of the models.
    losses : dict[str, float]
        Absolute error of each model in the trials, relative to the arrivals; empty when the history was too short.
    surprises : pandas.Series
        By day of the past, the log of what came over what was expected in the trials, in standard deviations.
    record : Record
        The days of the trials, for updates to be judged by.
    notes : tuple[str, ...]
        What the reader should know.
    """

    future: DayMatrix
    mean: NDArray[np.float64]
    spread: Spread
    weights: dict[str, float]
    losses: dict[str, float]
    surprises: pd.Series
    record: Record
    notes: tuple[str, ...]

    @property
    def queue(self) -> str:
        """The queue's name."""
        return self.future.queue

    def courses(self, normal: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return sample paths ``(n, D, S)`` from standard normal numbers of the days ``(n, D)``."""
        opened = self.future.open_days
        counts = np.full((len(normal), *self.mean.shape), np.nan)
        counts[:, opened] = self.spread.courses(normal[:, opened], rng)
        return counts

    def sample(self, n: int, seed: int = 0) -> NDArray[np.float64]:
        """Return `n` sample paths, shape ``(n, D, S)``; the same for the same seed."""
        rng = np.random.default_rng(seed)
        return self.courses(rng.standard_normal((n, len(self.mean))), rng)


def look_ahead(
    history: DayMatrix,
    future: DayMatrix,
    model: str | Model = "auto",
    *,
    thorough: bool = False,
    light: bool = False,
    memory: Memory | None = None,
) -> Outlook:
    """Forecast one queue.

    Parameters
    ----------
    history : DayMatrix
        Every day up to the origin.
    future : DayMatrix
        The days to come; their counts are never read.
    model : str or Model
        ``"auto"`` weighs the models by their errors on the last stretches of the history, each forecast from what came
        before it; a name or a model uses that one alone.
    thorough : bool
        Let ``"auto"`` try all models.
    light : bool
        Fewer models and trials, settings learned less often.
    memory : dict, optional
        Keeps trials from one call to the next on the same queue (a rolling backtest); see `run_trials`.

    Raises
    ------
    DemandError
        No day of the history is recorded, or there is no such model.
    """
    memory = {} if memory is None else memory
    history = fill_gaps(history)
    if not learnable(history).any():
        raise DemandError(
            "no day of the history is recorded in full", where=f"queue {history.queue!r}", fix="give more history"
        )
    with _one_thread():
        return _look(history, future, _ladder(model, thorough, light), light, memory, chosen=model != "auto")


def _look(
    history: DayMatrix, future: DayMatrix, models: Sequence[Model], light: bool, memory: Memory, *, chosen: bool
) -> Outlook:
    base = DayRegression()
    names = [m.name for m in models]
    tried = models if base.name in names else (*models, base)
    days = int(future.open_days.sum())
    trials = run_trials(history, tried, days, count=_LIGHT_TRIALS if light else _TRIALS, memory=memory)
    losses = trial_losses(trials.means, trials.actual)[: len(models)]
    handicap = np.array([_HANDICAP if isinstance(m, WeekdayAverage) else 1.0 for m in models])
    weights = loss_weights(losses, handicap)
    mean, covariance = fit_at(history, base, memory, fresh=not light).outlook(future)
    means = np.full((len(models), *mean.shape), np.nan)
    for m, model in enumerate(models):
        if model.name == base.name:
            means[m] = mean
        elif weights[m] > 0:
            try:
                means[m] = fit_at(history, model, memory, fresh=not light).mean(future)
            except DemandError:
                # What was asked for by name must run; of many, those that can't are left out.
                if chosen:
                    raise
                weights[m] = 0.0
    if not weights.any():
        weights[names.index(base.name)] = 1.0
    weights = weights / weights.sum()
    opened = future.open_days
    mean = combine(means, weights)
    combined = combine(trials.means[: len(models)], weights)
    residuals = _residuals(history)
    return Outlook(
        future,
        mean,
        calibrate(mean[opened], covariance, trials, combined, residuals),
        dict(zip(names, weights.tolist(), strict=True)),
        dict(zip(names, losses.mean(axis=1).tolist(), strict=True)) if len(trials) else {},
        _surprises(history, trials, combined),
        _record(trials, combined, len(residuals[0])),
        _notes(history, future, trials, light),
    )


def _one_thread():
    # Matrices here are small: threads of the linear algebra library would only wait for one another.
    return _thread_pools().limit(limits=1)


@lru_cache(maxsize=1)
def _thread_pools():
    import scipy.linalg  # noqa: F401  its library must be loaded to be found
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _ladder(model: str | Model, thorough: bool, light: bool) -> Sequence[Model]:
    if not isinstance(model, str):
        return (model,)
    if model != "auto":
        return (named_model(model),)
    return thorough_models() if thorough else light_models() if light else fast_models()


def _residuals(history: DayMatrix) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rows = np.flatnonzero(learnable(history))[-_PATTERN_DAYS:]
    profile = fit_shapes(history).of(history)[rows]
    counts = history.counts[rows]
    total = np.nansum(counts, axis=1)
    return counts, profile * (total / np.maximum(profile.sum(axis=1), 1e-12))[:, None]


def _record(trials: Trials, combined: NDArray[np.float64], days: int) -> Record:
    slots = combined.shape[-1]
    lead = np.broadcast_to(lead_groups(trials.rows.shape[1]), trials.rows.shape)
    return Record(combined.reshape(-1, slots), trials.actual.reshape(-1, slots), lead.ravel(), days)


def _surprises(history: DayMatrix, trials: Trials, combined: NDArray[np.float64]) -> pd.Series:
    if not len(trials):
        return pd.Series(dtype=float)
    known = np.isfinite(trials.actual) & np.isfinite(combined)
    total = np.where(known, trials.actual, 0.0).sum(axis=2)
    expected = np.where(known, combined, 0.0).sum(axis=2)
    own = np.einsum("khh->kh", trials.covariance) + 1.0 / np.maximum(expected, 0.5)
    score = (np.log(total + 0.5) - np.log(expected + 0.5)) / np.sqrt(own)
    return pd.Series(score.ravel(), index=history.days[trials.rows.ravel()]).groupby(level=0).mean()


def _notes(history: DayMatrix, future: DayMatrix, trials: Trials, light: bool) -> tuple[str, ...]:
    notes = []
    if not len(trials):
        days = int(history.recorded.sum())
        notes.append(f"{days} days on record are too few to try models on: equal weights, widths as assumed")
    if not np.nansum(history.counts):
        notes.append("nothing ever came to this queue: nothing is expected")
    if "provisional" in future.features and future.features["provisional"].any():
        years = sorted(set(future.days[future.features["provisional"].to_numpy(bool)].year))
        notes.append(f"working days of {', '.join(map(str, years))} are not announced yet: its calendar is provisional")
    if light:
        notes.append("many queues: fewer models and trials, settings learned less often")
    return tuple(notes)
