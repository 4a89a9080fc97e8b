"""Weights over time: what each metric weighs on every day, and over a month or quarter as the mean of its days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError, PeriodError
from svcanalytics.periods import Period, parse_period, period_keys, periods_between
from svcanalytics.quality.weighting.pinning import pin
from svcanalytics.quality.weighting.situations import LEAST_PAST, Load, strengths

if TYPE_CHECKING:
    from svcanalytics.quality.profiles import Profile

__all__ = ["follow_load", "high_days", "named_weights", "period_weights", "weights_in", "weights_over"]


def weights_over(
    profile: Profile,
    start: date | str,
    end: date | str,
    *,
    every: str = "day",
    volume: pd.Series | None = None,
    month_start: int = 1,
) -> pd.DataFrame:
    """Return what each metric weighs over time.

    Parameters
    ----------
    profile : Profile
    start, end : date or str
        First and last local day or written period, both inclusive.
    every : str
        ``day`` or a longer period; the weights of a period are the mean over all its days.
    volume : pandas.Series, optional
        Contacts or cases by local day: a period's days then count by volume, and alike where all of it is 0. The frame
        can be given to `score` as its weights.
    month_start : int
        Day on which months begin.

    Returns
    -------
    pandas.DataFrame
        period, start, situation (the one that counts most, "" for the usual weights), family, metric, weight (share of
        the index, 0-1).

    Raises
    ------
    CatalogueError
        When two situations cover one day, or one follows measured load that is not known.
    PeriodError
        When `start`, `end` or `every` isn't a period.
    """
    chosen = periods_between(start, end, every, month_start)
    if not chosen:
        raise PeriodError("there is no day between start and end", where=f"{start}, {end}", fix="turn them round")
    days = pd.date_range(chosen[0].start, chosen[-1].last)
    counts = strengths(profile.situations, days)
    counts = np.column_stack([1 - counts.sum(axis=1), counts])
    keys = period_keys(days, every, month_start)
    mean = _means(counts, keys, [p.key for p in chosen], volume, days)
    ids = np.array(["", *(s.id for s in profile.situations)], dtype=object)
    size = len(profile.metrics)
    return pd.DataFrame(
        {
            "period": np.repeat([p.key for p in chosen], size),
            "start": np.repeat(pd.to_datetime([p.start for p in chosen]), size),
            "situation": np.repeat(ids[mean.argmax(axis=1)], size),
            "family": [m.family for m in profile.metrics] * len(chosen),
            "metric": [m.metric for m in profile.metrics] * len(chosen),
            "weight": (mean @ _states(profile)).ravel(),
        }
    )


def weights_in(profile: Profile, situation: str = "") -> pd.Series:
    """Return each metric's share of the index while one situation counts in full; "" for the usual weights.

    Raises
    ------
    CatalogueError
        When the profile has no such situation.
    """
    ids = ["", *(s.id for s in profile.situations)]
    if situation not in ids:
        raise CatalogueError(
            f"there is no situation {situation!r}",
            where=f"profile {profile.id}",
            fix=f"use one of: {', '.join(ids[1:]) or '(it has none)'}",
        )
    metrics = pd.Index([m.metric for m in profile.metrics], name="metric")
    return pd.Series(_states(profile)[ids.index(situation)], index=metrics, name="weight")


def follow_load(profile: Profile, daily: pd.DataFrame) -> Profile:
    """Return the profile with its load situations tied to the days on which the measured load was high.

    Parameters
    ----------
    profile : Profile
    daily : pandas.DataFrame
        Measures by day, as ``measure(lake, metric, every="day")`` gives them: metric, start, value. Days without a row
        were closed and are passed over.

    Raises
    ------
    CatalogueError
        When a load's metric is not in `daily`.
    """

    def follow(load: Load) -> frozenset[date]:
        rows = daily[daily["metric"] == load.metric]
        if rows.empty:
            raise CatalogueError(
                f"a situation follows {load.metric}, which was not measured",
                where=f"profile {profile.id}",
                fix='measure it with every="day"',
            )
        values = rows.groupby("start")["value"].sum(min_count=1)
        return frozenset(high_days(values, load).index.date)

    situations = [replace(s, measured=follow(s.load)) if s.load else s for s in profile.situations]
    return replace(profile, situations=tuple(situations))


def high_days(values: pd.Series, load: Load) -> pd.Series:
    """Return the days whose load is above the quantile of their own past; a day never takes part in its own past.

    Parameters
    ----------
    values : pandas.Series
        Load by local day; a missing day was closed.
    load : Load
        With fewer than `LEAST_PAST` known days among the past ones no day is high.
    """
    known = values.astype("float64").dropna()
    known.index = pd.DatetimeIndex(known.index).normalize()
    past = known.sort_index().asfreq("D").shift(1).rolling(load.past_days, min_periods=LEAST_PAST)
    limit = past.quantile(load.above).reindex(known.index)
    return known[known > limit]


def period_weights(profile: Profile, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Return the given shares of the index for every row of unit and period, by the profile's situations.

    Parameters
    ----------
    profile : Profile
    rows : pandas.DataFrame
        period and, for months that begin on another day than the 1st, start.

    Returns
    -------
    numpy.ndarray, shape (rows, metrics)
    """
    states = _states(profile)
    if not profile.situations:
        return np.broadcast_to(states[0], (len(rows), states.shape[1]))
    keys, index = np.unique(rows["period"].to_numpy(dtype="object"), return_inverse=True)
    starts = dict(zip(rows["period"], rows["start"], strict=True)) if "start" in rows else {}
    periods = [_period(key, starts.get(key)) for key in keys]
    if not periods:
        return np.empty((0, states.shape[1]))
    days = pd.date_range(min(p.start for p in periods), max(p.last for p in periods))
    daily = strengths(profile.situations, days)
    edges = [((p.start - days[0].date()).days, (p.end - days[0].date()).days) for p in periods]
    mean = np.array([daily[first:after].mean(axis=0) for first, after in edges])
    return (np.column_stack([1 - mean.sum(axis=1), mean]) @ states)[index]


def named_weights(
    weights: Mapping[str, float] | pd.Series | pd.DataFrame, rows: pd.DataFrame, metrics: Sequence[str]
) -> NDArray[np.float64]:
    """Lay given weights out by row and metric.

    Parameters
    ----------
    weights : mapping, pandas.Series or DataFrame
        Shares of the index by metric; a frame has metric, weight and may have unit and period.
    rows : pandas.DataFrame
        unit, period.
    metrics : sequence of str
        All that must have a weight.

    Raises
    ------
    CatalogueError
        For an unknown metric, one without a weight, and weights of a row that are negative or don't add up to 1.
    """
    if isinstance(weights, Mapping):
        weights = pd.Series(weights, dtype="float64")
    if isinstance(weights, pd.Series):
        weights = weights.rename("weight").rename_axis("metric").reset_index()
    if not isinstance(weights, pd.DataFrame):
        raise CatalogueError("these are no weights by metric", where="weights", fix='give {"metric": weight, ...}')
    absent = {"metric", "weight"} - set(weights.columns)
    if absent:
        raise CatalogueError(f"the weights have no column {min(absent)}", where="weights", fix="give metric and weight")
    strangers = sorted(set(weights["metric"]) - set(metrics))
    if strangers:
        raise CatalogueError(
            f"metric {strangers[0]!r} has a weight but is not in the profile",
            where="weights",
            fix=f"use the metrics of the profile: {', '.join(metrics)}",
        )
    by = [name for name in ("unit", "period") if name in weights.columns]
    if weights.duplicated([*by, "metric"]).any():
        twice = weights.loc[weights.duplicated([*by, "metric"]), "metric"].iloc[0]
        raise CatalogueError(f"metric {twice} has two weights", where="weights", fix="give it one per unit and period")
    if by:
        wide = weights.pivot_table(index=by, columns="metric", values="weight", aggfunc="first")
        wide = wide.reindex(columns=list(metrics))
        wanted = pd.MultiIndex.from_frame(rows[by]) if len(by) > 1 else pd.Index(rows[by[0]])
        out = wide.reindex(wanted).to_numpy(dtype="float64")
    else:
        out = weights.set_index("metric")["weight"].reindex(list(metrics)).to_numpy(dtype="float64")
        out = np.broadcast_to(out, (len(rows), len(metrics)))
    bad = np.isnan(out).any(axis=1) | (out < 0).any(axis=1) | (np.abs(out.sum(axis=1) - 1) > 1e-9)
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        missing = [m for m, w in zip(metrics, out[first], strict=True) if np.isnan(w)]
        raise CatalogueError(
            f"{missing[0]} has no weight" if missing else f"weights add up to {out[first].sum():.9g} or are negative",
            where=f"weights {rows['unit'].iloc[first]} {rows['period'].iloc[first]}".replace("  ", " "),
            fix="give every metric of the profile a weight from 0 up, 1 in all",
        )
    return out


def _states(profile: Profile) -> NDArray[np.float64]:
    """Return the usual weights, then those of each situation, shape (1 + situations, metrics)."""
    metrics, families = [m.metric for m in profile.metrics], [m.family for m in profile.metrics]
    base = np.array(list(profile.shares.values()))
    rows = [pin(base, metrics, families, s.pins, f"profile {profile.id}, situation {s.id}") for s in profile.situations]
    return np.array([base, *rows])


def _means(
    counts: NDArray[np.float64],
    keys: NDArray[np.object_],
    order: Sequence[str],
    volume: pd.Series | None,
    days: pd.DatetimeIndex,
) -> NDArray[np.float64]:
    amount = pd.Series(1.0, index=days)
    if volume is not None:
        amount = volume.set_axis(pd.DatetimeIndex(volume.index).normalize()).reindex(days).fillna(0.0).astype("float64")
        amount = amount.where(amount.groupby(keys).transform("sum").to_numpy() > 0, 1.0)
    frame = pd.DataFrame(counts * amount.to_numpy()[:, None])
    return (frame.groupby(keys).sum().div(amount.groupby(keys).sum(), axis=0)).loc[list(order)].to_numpy()


def _period(key: str, start: pd.Timestamp | None) -> Period:
    period = parse_period(key)
    if start is None or period.kind in ("day", "week"):
        return period
    return parse_period(key, pd.Timestamp(start).day)
