"""Forecasts kept in the lake, beside what came: how good they were, and whether they drift."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.history.counting import count
from svcanalytics.demand.history.intake import SLOTS
from svcanalytics.demand.result import Forecast
from svcanalytics.demand.verdict.scoring import levels_of, scores
from svcanalytics.errors import DemandError
from svcanalytics.store.commit import write

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Tracking", "drift_alarms", "keep", "track"]

_BOUNDS = ("lower_80", "upper_80", "lower_95", "upper_95")
_PUBLISHED = "published"
_FLIPS = 4999
_SLACK = 0.03
# With fewer arrivals a slot, no bounds between whole numbers hold a level to three points.
_COUNTABLE = 5.0


@dataclass(frozen=True, eq=False)
class Tracking:
    """Past forecasts beside what came.

    Attributes
    ----------
    table : pandas.DataFrame
        As `backtest` gives it: a row per forecast, queue and slot that is over: model, forecast_id, origin (first day
        forecast), queue, start, mean, the bounds that all of the forecasts have, actual, lead (day of the forecast,
        from 1, closed days counted). `scores` takes it, split by queue, lead, slot, weekday or day.
    alarms : pandas.DataFrame
        What `drift_alarms` says of it.
    """

    table: pd.DataFrame
    alarms: pd.DataFrame

    def scores(self, by: str | Sequence[str] = ()) -> pd.DataFrame:
        """Score the forecasts; see `svcanalytics.demand.scores`."""
        return scores(self.table, by)


def keep(lake: Lake, forecast: Forecast, *, table: str = "contacts", by: str | Sequence[str] = "queue") -> str:
    """Keep a forecast in the lake's ``forecasts``, to be compared with what comes; return its id.

    Parameters
    ----------
    lake : Lake
    forecast : Forecast
        Of what `count` counts in `table` by `by`. One that begins on the same day takes the place of the one before.
    """
    rows = forecast.table
    first = rows["start"].min()
    counted = _counted(table, by)
    slot_s = forecast.outlooks[0].future.slot_s
    forecast_id = f"{first:%Y-%m-%d} {counted} {_slot_name(slot_s)}"
    kept = rows[["queue", "start", "mean", *(name for name in _BOUNDS if name in rows)]]
    kept = kept.rename(columns={"start": "start_at"})
    kept = kept.assign(
        forecast_id=forecast_id, slot_s=slot_s, counted=counted, start_at=kept["start_at"].dt.tz_convert("UTC")
    )
    write(lake, {"forecasts": kept}, source="forecast", load_id=f"forecast {forecast_id}")
    return forecast_id


def track(
    lake: Lake,
    table: str = "contacts",
    by: str | Sequence[str] = "queue",
    *,
    slot: str | None = None,
    start: date | str | None = None,
    end: date | str | None = None,
    false_alarms: float = 0.05,
) -> Tracking:
    """Compare forecasts that were kept with what came.

    Parameters
    ----------
    lake : Lake
    table, by :
        What was forecast, as `count` takes them. Forecasts that do not say what they counted are taken for contacts by
        queue.
    slot : str, optional
        Of the forecasts; by default that of the latest one.
    start, end : date or str, optional
        First local day of the slots compared, and the day after the last.
    false_alarms : float
        Share of such comparisons in which any alarm may be raised though nothing drifts.

    Raises
    ------
    DemandError
        No such forecast is kept, or nothing came yet of what was forecast.
    """
    kept = lake.sql("select * from forecasts order by start_at, forecast_id")
    kept["counted"] = kept["counted"].fillna(_counted("contacts", "queue"))
    kept = kept[kept["counted"] == _counted(table, by)]
    if kept.empty:
        raise DemandError(
            f"no forecast of {_counted(table, by)} is kept in the lake", fix="make one with `svcanalytics forecast`"
        )
    kept["slot_s"] = kept["slot_s"].fillna(_usual_step(kept["start_at"])).astype(int)
    slot_s = SLOTS[slot] if slot else int(kept["slot_s"].iloc[-1])
    kept = kept[kept["slot_s"] == slot_s]
    origin = kept["start_at"].groupby(kept["forecast_id"]).transform("min")
    kept = kept.assign(origin=origin.dt.tz_convert(lake.timezone).dt.tz_localize(None).dt.normalize())
    if start is not None:
        kept = kept[kept["start_at"] >= pd.Timestamp(start).tz_localize(lake.timezone)]
    if end is not None:
        kept = kept[kept["start_at"] < pd.Timestamp(end).tz_localize(lake.timezone)]
    if kept.empty:
        raise DemandError("no forecast is kept of these days", where=f"from {start} to {end}", fix="widen them")
    start = kept["start_at"].dt.tz_convert(lake.timezone).rename("start")
    day = start.dt.tz_localize(None).dt.normalize()
    came = count(lake, table, by, _slot_name(slot_s), start=day.min(), end=day.max() + pd.Timedelta(days=1))
    frame = kept.assign(
        model=_PUBLISHED,
        start=start,
        lead=(day - kept["origin"]).dt.days + 1,
    ).merge(came.rename(columns={"arrivals": "actual"}), on=["queue", "start"])
    if frame.empty:
        raise DemandError("nothing came yet of what was forecast", where=f"from {start.min()}", fix="load newer data")
    bounds = [name for name in _BOUNDS if frame[name].notna().all()]
    columns = ["model", "forecast_id", "origin", "queue", "start", "mean", *bounds, "actual", "lead"]
    frame = frame[columns].sort_values(["origin", "queue", "start"], ignore_index=True)
    return Tracking(frame, drift_alarms(frame, false_alarms))


def drift_alarms(backtest: pd.DataFrame, false_alarms: float = 0.05, *, seed: int = 0) -> pd.DataFrame:
    """Tell which queues' forecasts have been off lately by more than chance: too high or low, or too narrow or wide.

    Weekly errors of the latest forecast of each slot are summed backwards from the last week (a cumulative sum: Page
    1954, Biometrika 41:100), over the root of their squares' sum, and the largest over all weeks that a drift could
    have begun in is taken. How large it gets by chance is learned by giving weeks random signs (Lehmann and Romano
    2005, section 15.2): exact when weeks are independent and as often too high as too low. Coverage within three points
    of its level is no drift, and slots of less than five arrivals are not judged by it. Holm's rule (1979) holds over
    all queues and measures together.

    Parameters
    ----------
    backtest : pandas.DataFrame
        As `backtest` or `track` give it.
    false_alarms : float
        Probability of any alarm when nothing drifts, 0-1.
    seed : int

    Returns
    -------
    pandas.DataFrame
        A row per queue and measure (``bias``; ``coverage_80`` ...): queue, measure, weeks, since (Monday of the week in
        which a drift would have begun), value (bias relative to the forecast, or coverage, since then), p_value
        (adjusted), alarm. A few weeks can't raise an alarm: two queues need about nine, ten queues eleven.
    """
    frame = backtest[backtest["actual"].notna()].sort_values("origin", kind="stable")
    frame = frame.drop_duplicates(["queue", "start"], keep="last")
    day = frame["start"].dt.tz_localize(None).dt.normalize()
    frame = frame.assign(week=day - pd.to_timedelta(day.dt.day_of_week, unit="D"))
    rng = np.random.default_rng(seed)
    rows = [
        (queue, measure, *_drift(*weekly, rng))
        for queue, own in frame.groupby("queue", sort=True, observed=True)
        for measure, *weekly in _weekly(own)
    ]
    found = pd.DataFrame(rows, columns=["queue", "measure", "weeks", "since", "value", "p_value"])
    found["p_value"] = _holm(found["p_value"].to_numpy(float))
    return found.assign(alarm=found["p_value"] <= false_alarms)


def _weekly(own: pd.DataFrame) -> Iterator[tuple[str, float, float, NDArray, NDArray, pd.DatetimeIndex]]:
    # By week: measure, its value without drift, how far off is no drift yet, sums of deviations and of their base.
    weeks = own.groupby("week")
    sums = weeks[["mean", "actual"]].sum()
    sums = sums[sums["mean"] > 0]
    yield "bias", 0.0, 0.0, (sums["mean"] - sums["actual"]).to_numpy(), sums["mean"].to_numpy(), sums.index
    for level in levels_of(own) if own["mean"].mean() >= _COUNTABLE else ():
        inside = own["actual"].between(own[f"lower_{level}"], own[f"upper_{level}"]) - level / 100
        share = inside.groupby(own["week"]).agg(["sum", "size"])
        sizes = share["size"].to_numpy(float)
        yield f"coverage_{level}", level / 100, _SLACK, share["sum"].to_numpy(), sizes, share.index


def _drift(
    base: float, slack: float, errors: NDArray, size: NDArray, weeks: pd.DatetimeIndex, rng: np.random.Generator
) -> tuple[int, pd.Timestamp, float, float]:
    signs = rng.choice([-1.0, 1.0], (_FLIPS, len(errors)))
    sides = []
    for side in (-1.0, 1.0):
        beyond = side * errors / size - slack
        seen = _strength(beyond[None])[0]
        begin = int(seen.argmax())
        chance = _strength(signs * beyond).max(axis=1)
        sides.append(((1 + int((chance >= seen[begin] - 1e-12).sum())) / (_FLIPS + 1), begin))
    p_value, begin = min(sides)
    return len(weeks), weeks[begin], base + errors[begin:].sum() / size[begin:].sum(), min(2 * p_value, 1.0)


def _strength(errors: NDArray) -> NDArray:
    """Return, for each week that a drift could have begun in, the sum since then over the root of the squares' sum."""
    back = errors[:, ::-1]
    return (back.cumsum(axis=1) / np.sqrt(np.maximum((back**2).cumsum(axis=1), 1e-300)))[:, ::-1]


def _holm(p_values: NDArray) -> NDArray:
    order = np.argsort(p_values)
    stepped = np.maximum.accumulate(p_values[order] * np.arange(len(order), 0, -1))
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _counted(table: str, by: str | Sequence[str]) -> str:
    return f"{table} by {by if isinstance(by, str) else ', '.join(by)}"


def _slot_name(slot_s: int) -> str:
    return next(name for name, seconds in SLOTS.items() if seconds == slot_s)


def _usual_step(starts: pd.Series) -> float:
    steps = starts.drop_duplicates().diff().dt.total_seconds()
    return float(steps[steps > 0].mode().iloc[0]) if len(steps) > 1 else float(SLOTS["30min"])
