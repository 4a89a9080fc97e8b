"""Agents that the next period's demand needs on duty, beside those that were rostered in this one.

A quick estimate for the reader of a report; the staffing report plans the week itself, with shifts and people.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.periods import Period

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["PROMISE", "WITHIN_S", "StaffAhead", "weigh_staff"]

#: What is promised: this share of all who ask for a person is answered within so many seconds.
PROMISE, WITHIN_S = 0.8, 20
_INTERVAL_S = 1800
_LEAST_HANDLED = 50
_ACTIVE_DAYS = 5


@dataclass(frozen=True)
class StaffAhead:
    """Agent-hours a week.

    Attributes
    ----------
    mean, lower, upper : float
        Needed for the expected volume and the ends of its 95 % interval.
    rostered : float or None
        Planned in the reported period, of those who took contacts in it; None where the roster is unknown.
    peak : int
        Agents on duty together in the busiest half-hour of an average week, all queues.
    queues : DataFrame
        queue, arrivals (a week, expected), handle_s, hours, peak.
    """

    mean: float
    lower: float
    upper: float
    rostered: float | None
    peak: int
    queues: pd.DataFrame


def weigh_staff(lake: Lake, period: Period, totals: pd.DataFrame) -> StaffAhead | None:
    """Return the agents needed next period: Erlang C per queue and half-hour of an average week of this one.

    Each queue has its own agents, so people who serve several are counted more than once and the sum errs upwards.

    Parameters
    ----------
    lake : Lake
    period : Period
        The period reported.
    totals : DataFrame
        Demand of the next period as `foresee` gives it: queue ("" is the whole), last, mean, lower, upper.

    Returns
    -------
    StaffAhead or None
        None for a lake without contacts that were answered by people.
    """
    if totals.empty or not lake.has("contacts"):
        return None
    weekly, handle = _read_week(lake, period)
    if weekly.empty:
        return None
    whole = totals.iloc[0]
    if not whole["last"]:
        return None
    factors = {name: float(whole[name]) / float(whole["last"]) for name in ("mean", "lower", "upper")}
    rows = weekly.assign(handle_s=weekly["queue"].map(handle))
    agents = {name: _agents(rows, factor) for name, factor in factors.items()}
    hours = {name: float(each.sum()) * _INTERVAL_S / 3600 for name, each in agents.items()}
    rows = rows.assign(agents=agents["mean"], wanted=rows["arrivals"] * factors["mean"])
    queues = rows.groupby("queue").agg(
        arrivals=("wanted", "sum"), handle_s=("handle_s", "first"), hours=("agents", "sum"), peak=("agents", "max")
    )
    queues["hours"] *= _INTERVAL_S / 3600
    peak = int(rows.groupby("slot")["agents"].sum().max())
    return StaffAhead(
        hours["mean"], hours["lower"], hours["upper"], _rostered(lake, period), peak,
        queues.sort_values("hours", ascending=False).reset_index(),
    )  # fmt: skip


def _agents(rows: pd.DataFrame, factor: float) -> np.ndarray:
    from svcanalytics.staffing import required_agents

    return required_agents(
        rows["arrivals"].to_numpy(float) * factor, rows["handle_s"].to_numpy(float),
        service_level=PROMISE, within_s=WITHIN_S, interval_s=_INTERVAL_S,
    )  # fmt: skip


def _read_week(lake: Lake, period: Period) -> tuple[pd.DataFrame, pd.Series]:
    """Return mean arrivals by queue and half-hour of the week, and seconds per handled contact by queue."""
    inside = _inside(period)
    asked = "offered_at is not null and direction is distinct from 'outbound' and handled_by is distinct from 'bot'"
    zone = lake.timezone.replace("'", "''")
    rows = lake.sql(
        f"with asked as (select queue, timezone('{zone}', offered_at) as at_, talk_s, hold_s, wrap_s, answered_at "
        f"from contacts where {inside} and queue is not null and {asked}) "
        "select queue, (isodow(at_) - 1) * 48 + hour(at_) * 2 + minute(at_) // 30 as slot, count(*) as n, "
        "count(*) filter (where answered_at is not null) as handled, "
        "sum(coalesce(talk_s, 0) + coalesce(hold_s, 0) + coalesce(wrap_s, 0)) "
        "filter (where answered_at is not null) as busy from asked group by 1, 2 order by 1, 2"
    )
    if rows.empty:
        return rows, pd.Series(dtype=float)
    sums = rows.groupby("queue")[["handled", "busy"]].sum()
    known = sums[(sums["handled"] >= _LEAST_HANDLED) & (sums["busy"] > 0)]
    weeks = ((period.last - period.start).days + 1) / 7
    rows = rows[rows["queue"].isin(known.index)]
    return rows.assign(arrivals=rows["n"] / weeks), (known["busy"] / known["handled"]).astype(float)


def _rostered(lake: Lake, period: Period) -> float | None:
    """Return the hours planned for work a week; None where the roster covers too little of the period."""
    if not lake.has("roster"):
        return None
    row = lake.sql(
        "select sum(epoch(end_at) - epoch(start_at)) / 3600 as hours, count(distinct day_key) as days from roster "
        f"where kind = 'work' and status = 'planned' and {_inside(period)} "
        f"and agent in (select agent from contacts where {_inside(period)})"
    ).iloc[0]
    days = (period.last - period.start).days + 1
    if not row["days"] or row["days"] < days * _ACTIVE_DAYS / 7 * 0.9:
        return None
    return float(row["hours"]) * 7 / days


def _inside(period: Period) -> str:
    first, last = (int(day.strftime("%Y%m%d")) for day in (period.start, period.last))
    return f"day_key between {first} and {last}"
