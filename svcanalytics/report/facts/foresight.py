"""Demand of the period after the reported one, by its largest queues, and how good earlier forecasts were."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.errors import DemandError
from svcanalytics.report.facts.staff_ahead import StaffAhead, weigh_staff

if TYPE_CHECKING:
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["REST", "Ahead", "foresee"]

_HISTORY_DAYS = 420
_LEAST_DAYS = 56
_QUEUES = 3
#: Takes the smaller queues together.
REST = "*"


@dataclass(frozen=True)
class Ahead:
    """Demand to come.

    Attributes
    ----------
    period : str
        Key of the period to come.
    table, by : str
        What is counted and what makes a queue.
    totals : DataFrame
        queue ("" for all, "*" for the smaller ones together), last (arrivals of the reported period), mean, lower,
        upper (95 %); empty where the history is too short or stops before the period's end.
    holidays : tuple of str
        Names of public holidays in the period to come.
    provisional : tuple of int
        Years whose working days are not announced yet.
    days : int
        Days of history on record.
    accuracy : Series or None
        What `svcanalytics.demand.scores` says of the forecasts kept for the reported period.
    staff : StaffAhead or None
        Agents that it needs.
    """

    period: str
    table: str
    by: str
    totals: pd.DataFrame
    holidays: tuple[str, ...] = ()
    provisional: tuple[int, ...] = ()
    days: int = 0
    accuracy: pd.Series | None = None
    staff: StaffAhead | None = None


def foresee(lake: Lake, period: Period) -> Ahead | None:
    """Forecast the period after a reported one by its largest queues; None when nothing arrives in this lake."""
    from svcanalytics import demand

    table, by = ("contacts", "queue") if lake.has("contacts") else ("cases", "channel")
    following, end = period.next(), period.last + timedelta(days=1)
    try:
        counted = demand.count(lake, table, by, "day", start=end - timedelta(days=_HISTORY_DAYS), end=end)
        arrivals = demand.Arrivals(_largest(counted), "day", holidays=lake.country, timezone=lake.timezone)
    except DemandError:
        return None
    days = max(int(matrix.recorded.sum()) for matrix in arrivals.matrices.values())
    ahead = (pd.Timestamp(following.last) - arrivals.last_day).days
    empty = Ahead(following.key, table, by, pd.DataFrame(), days=days)
    if days < _LEAST_DAYS or arrivals.last_day < pd.Timestamp(period.start):
        return empty
    future = {name: matrix.rows(0, ahead) for name, matrix in arrivals.future(ahead).items()}
    future = {name: matrix for name, matrix in future.items() if matrix.open_days.any()}
    if not future or any(m.open_days[m.days < pd.Timestamp(following.start)].any() for m in future.values()):
        return empty
    try:
        forecast = demand.forecast(arrivals, ahead, (0.95,), light=True, future=future)
    except DemandError:
        return empty
    parts = forecast.totals("horizon").sort_values("mean", ascending=False)
    parts = parts.sort_values("queue", key=lambda names: names == REST, kind="stable")
    totals = pd.concat([forecast.totals("horizon", queues=""), parts], ignore_index=True)
    came = arrivals.table[arrivals.table["start"].dt.tz_localize(None) >= pd.Timestamp(period.start)]
    last = came.groupby("queue")["arrivals"].sum()
    last[""] = last.sum()
    totals = totals.assign(last=totals["queue"].map(last)).rename(columns={"lower_95": "lower", "upper_95": "upper"})
    features = pd.concat([matrix.features for matrix in future.values()])
    return Ahead(
        following.key,
        table,
        by,
        totals[["queue", "last", "mean", "lower", "upper"]],
        tuple(dict.fromkeys(name for name in features["holiday"] if name)),
        tuple(sorted(set(features.index[features["provisional"].to_numpy(bool)].year))),
        days,
        _accuracy(lake, table, by, period),
        weigh_staff(lake, period, totals) if table == "contacts" else None,
    )


def _largest(counted: pd.DataFrame) -> pd.DataFrame:
    """Take all but the largest queues together."""
    sizes = counted.groupby("queue")["arrivals"].sum().sort_values(ascending=False)
    kept = set(sizes.index[: _QUEUES if len(sizes) > _QUEUES + 1 else _QUEUES + 1])
    names = counted["queue"].where(counted["queue"].isin(kept), REST)
    return counted.assign(queue=names).groupby(["queue", "start"], as_index=False)["arrivals"].sum()


def _accuracy(lake: Lake, table: str, by: str, period: Period) -> pd.Series | None:
    from svcanalytics import demand

    if not lake.has("forecasts"):
        return None
    try:
        tracking = demand.track(lake, table, by, start=period.start, end=period.last + timedelta(days=1))
    except DemandError:
        return None
    return tracking.scores().iloc[0]
