"""The forecasts ours are compared with, each run as its own documentation advises.

A peer is a function of a `Task` that returns a frame like `demand.forecast`'s: mean and bounds per start. Negative
forecasts are raised to 0, which helps the peers.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
import pandas as pd

__all__ = ["PEERS", "Task", "run_peer", "versions"]

LEVELS = (80, 95)


@dataclass(frozen=True)
class Task:
    """One forecast to make: what was counted (start, arrivals) in open slots, and the open slots to forecast."""

    history: pd.DataFrame
    starts: pd.DatetimeIndex
    country: str | None = None
    drivers: pd.DataFrame | None = None  # day, and columns known ahead

    @property
    def daily(self) -> bool:
        """Whether slots are whole days."""
        return not self.history["start"].dt.hour.any()

    @property
    def slots(self) -> int:
        """How many slots a usual day has."""
        return int(self.history.groupby(self.history["start"].dt.normalize()).size().median())


def eight_week_average(task: Task) -> pd.DataFrame:
    """Return the mean of the last eight counts of the same weekday and slot; bounds by Student's t of those eight.

    What Zendesk's workforce management lists first; the bounds are our addition, for it has none.
    """
    from scipy.stats import t

    history = task.history[task.history["start"] >= task.history["start"].iloc[-1] - pd.Timedelta("120D")]
    values = _by_weekday_and_slot(history).groupby(level=[0, 1]).tail(8).groupby(level=[0, 1])
    slots = _by_weekday_and_slot(history).groupby(level=1).tail(8).groupby(level=1).mean()  # for weekdays never seen
    keys = _keys(task.starts)
    mean = values.mean().reindex(keys)
    mean = mean.fillna(pd.Series(slots.reindex(keys.get_level_values(1)).to_numpy(), index=keys))
    n = values.size().reindex(keys).fillna(1).to_numpy(float)
    chance = np.sqrt(mean.to_numpy())  # where one count alone is known
    spread = values.std().reindex(keys).fillna(pd.Series(chance, keys)).to_numpy() * np.sqrt(1 + 1 / n)
    columns = {"mean": mean.to_numpy()}
    for level in LEVELS:
        reach = t.ppf(0.5 + level / 200, np.maximum(n - 1, 1)) * spread
        columns |= {f"lower_{level}": mean.to_numpy() - reach, f"upper_{level}": mean.to_numpy() + reach}
    return _table(task.starts, columns)


def prophet_default(task: Task) -> pd.DataFrame:
    """Run Prophet with its defaults, the country's holidays and, where there are some, drivers as regressors.

    Only open slots are fitted and forecast ("Non-Daily Data, Data with regular gaps" of its documentation).
    """
    return _prophet(task, "additive")


def prophet_multiplicative(task: Task) -> pd.DataFrame:
    """Run Prophet with seasons that grow with the trend ("Multiplicative Seasonality")."""
    return _prophet(task, "multiplicative")


def mstl_closed_up(task: Task) -> pd.DataFrame:
    """Run statsforecast's MSTL with AutoETS on the counts in a row, as users do who drop the days without data."""
    week = task.history["start"].dt.day_of_week
    open_days = int((week.value_counts() > 0.25 * len(week) / 7).sum())
    forecast = _mstl(task.history["arrivals"].to_numpy(float), task, open_days, len(task.starts))
    return _table(task.starts, forecast)


def mstl_imputed(task: Task) -> pd.DataFrame:
    """Run the same on a grid without gaps: missing days take the mean of the same slot a week before and after."""
    counts = pd.Series(task.history["arrivals"].to_numpy(float), task.history["start"])
    week = counts.groupby(counts.index.day_of_week).size()
    weekdays = set(week.index[week > 0.25 * len(counts) / 7]) | set(task.starts.day_of_week)
    offsets = (counts.index - counts.index.normalize()).value_counts()
    offsets = sorted(set(offsets.index) | set(task.starts - task.starts.normalize()))
    days = pd.date_range(counts.index[0].normalize(), task.starts[-1].normalize())
    days = days[days.day_of_week.isin(list(weekdays))]
    grid = pd.DatetimeIndex([day + offset for day in days for offset in offsets])
    cut = int(np.searchsorted(grid, counts.index[-1], side="right"))
    filled = counts.reindex(grid[:cut]).to_frame("y").assign(key=_keys(grid[:cut]).to_flat_index())
    by_key = filled.groupby("key")["y"]
    filled["y"] = (
        filled["y"].fillna((by_key.ffill() + by_key.bfill()) / 2).fillna(by_key.ffill()).fillna(by_key.bfill())
    )
    values = filled["y"].fillna(filled["y"].mean()).to_numpy()
    inner = Task(pd.DataFrame({"start": grid[:cut], "arrivals": values}), task.starts)
    forecast = _mstl(values, inner, len(weekdays), len(grid) - cut)
    wanted = np.searchsorted(grid[cut:], task.starts)
    return _table(task.starts, {name: column[wanted] for name, column in forecast.items()})


PEERS: dict[str, Callable[[Task], pd.DataFrame]] = {
    "eight-week average": eight_week_average,
    "Prophet": prophet_default,
    "Prophet multiplicative": prophet_multiplicative,
    "MSTL, gaps closed up": mstl_closed_up,
    "MSTL, gaps imputed": mstl_imputed,
}


def run_peer(name: str, task: Task, held: tuple) -> tuple[pd.DataFrame, float]:
    """Return a peer's table and the processor seconds it took, children's included; `held` is there to key a cache."""
    del held
    before = sum(os.times()[:4])
    table = PEERS[name](task)
    return table, sum(os.times()[:4]) - before


def versions() -> dict[str, str]:
    """Return the versions of what takes part."""
    return {name: version(name) for name in ("prophet", "statsforecast", "holidays", "svcanalytics")}


def _prophet(task: Task, mode: str) -> pd.DataFrame:
    from prophet import Prophet

    for name in ("prophet", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = Prophet(seasonality_mode=mode)
        if task.country:
            model.add_country_holidays(task.country)
        history = task.history.rename(columns={"start": "ds", "arrivals": "y"})[["ds", "y"]]
        future = pd.DataFrame({"ds": task.starts})
        if task.drivers is not None:
            for name in task.drivers.columns.drop("day"):
                model.add_regressor(name)
            history, future = (each.merge(task.drivers, left_on="ds", right_on="day") for each in (history, future))
        model.fit(history, seed=0)
        np.random.seed(0)  # noqa: NPY002  what Prophet draws from
        samples = model.predictive_samples(future)["yhat"]
        model.uncertainty_samples = 0
        columns = {"mean": model.predict(future)["yhat"].to_numpy()}
    for level in LEVELS:
        columns[f"lower_{level}"], columns[f"upper_{level}"] = np.quantile(
            samples, [0.5 - level / 200, 0.5 + level / 200], axis=1
        )
    return _table(task.starts, columns)


def _mstl(values: np.ndarray, task: Task, open_days: int, steps: int) -> dict[str, np.ndarray]:
    from statsforecast.models import MSTL, AutoETS

    seasons = [open_days] if task.daily else [task.slots, task.slots * open_days]
    year = round(open_days * 365.25 / 7)
    if task.daily and len(values) >= 2 * year:
        seasons.append(year)
    seasons = [season for season in seasons if 1 < season <= len(values) / 2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MSTL(seasons or [1], trend_forecaster=AutoETS(model="ZZN"))
        forecast = model.forecast(values, steps, level=list(LEVELS))
    columns = {"mean": forecast["mean"]}
    for level in LEVELS:
        columns |= {f"lower_{level}": forecast[f"lo-{level}"], f"upper_{level}": forecast[f"hi-{level}"]}
    return {name: np.asarray(column) for name, column in columns.items()}


def _by_weekday_and_slot(history: pd.DataFrame) -> pd.Series:
    return pd.Series(history["arrivals"].to_numpy(float), index=_keys(pd.DatetimeIndex(history["start"])))


def _keys(starts: pd.DatetimeIndex) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([starts.day_of_week, starts - starts.normalize()])


def _table(starts: pd.DatetimeIndex, columns: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame({"start": starts} | {name: np.maximum(column, 0) for name, column in columns.items()})
