"""What a plan rests on beside demand: handle times, patience, absence; measured in the lake or given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics import demand
from svcanalytics.errors import DemandError, StaffingError
from svcanalytics.staffing.weekly.columns import queue_of

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["LIMITS", "Assumptions", "assume", "usual_limits"]

LIMITS = {"phone": 20.0, "chat": 60.0, "counter": 600.0, "visit": 600.0, "mail": 14400.0, "email": 14400.0}
"""Seconds by channel."""
_DAYS = 182  # older handle times and waits tell little of next week
_SHARED = 1.05  # contacts held at once, from which on it is no slip of the clock
_CONTACTS = """
select {queue} as queue, coalesce(human_at, answered_at) as start,
       coalesce(talk_s, 0) + coalesce(hold_s, 0) + coalesce(wrap_s, 0) as handle_s
from contacts
where answered_at is not null and not coalesce(abandoned, false) and coalesce(direction, 'inbound') = 'inbound'
      and coalesce(handled_by, 'human') = 'human' and talk_s is not null and {span}
"""
_WAITS = """
select queue, abandoned, wait_s from (
    select {queue} as queue, coalesce(abandoned, false) as abandoned,
           epoch(case when coalesce(abandoned, false) then ended_at else coalesce(human_at, answered_at) end)
           - epoch(coalesce(queued_at, offered_at)) as wait_s
    from contacts where coalesce(direction, 'inbound') = 'inbound' and {span}
) where wait_s >= 0
"""
_HELD = """
select {queue} as queue, mode(channel) as channel, avg(concurrency) as held, count(*) as n
from contacts where {span} group by 1
"""
_ROSTER = """
select kind, status, start_at, end_at from roster
where start_at >= timestamptz '{since}' and start_at < timestamptz '{before}'
"""


@dataclass(frozen=True, eq=False)
class Assumptions:
    """What a plan rests on.

    Attributes
    ----------
    table : pandas.DataFrame
        queue ("" for all), what (handle_s, handle_noise, patience_s, concurrency, shrinkage, absence), value, low,
        high (95 %), n (contacts, or days), source ("measured", "given", "other queues", "not known").
    cells : pandas.DataFrame
        Handle times where they differ by time: queue, weekday, hour, mean_s.
    """

    table: pd.DataFrame
    cells: pd.DataFrame

    def value(self, what: str, queue: str = "") -> float:
        """Return one number; NaN when nothing is known."""
        rows = self.table[(self.table["what"] == what) & (self.table["queue"] == queue)]
        return float(rows["value"].iloc[0]) if len(rows) else np.nan

    def handle_times(self, slots: pd.DataFrame) -> pd.DataFrame:
        """Return the mean handle time of each slot: queue, start, handle_s."""
        found = slots[["queue", "start"]].copy()
        local = found["start"].dt.tz_localize(None)
        keys = found.assign(weekday=local.dt.day_of_week, hour=local.dt.hour)
        own = keys.merge(self.cells, on=["queue", "weekday", "hour"], how="left")["mean_s"].to_numpy()
        level = found["queue"].map({queue: self.value("handle_s", queue) for queue in found["queue"].unique()})
        return found.assign(handle_s=np.where(np.isnan(own), level.to_numpy(dtype=float), own))

    def patience(self, queues: Sequence[str]) -> dict[str, float | None]:
        """Return the mean patience by queue; None where nobody gives up."""
        known = {queue: self.value("patience_s", queue) for queue in queues}
        return {queue: value if np.isfinite(value) else None for queue, value in known.items()}

    def concurrency(self, queues: Sequence[str]) -> dict[str, float]:
        """Return how many contacts an agent holds at once, by queue."""
        return {queue: max(float(np.nan_to_num(self.value("concurrency", queue), nan=1.0)), 1.0) for queue in queues}


def usual_limits(lake: Lake, queues: Sequence[str], before: pd.Timestamp, *, table: str, by: str) -> dict[str, float]:
    """Return within how many seconds queues are usually to be answered, by the channel that most of their contacts use.

    A call 20 seconds, a chat a minute, a visitor at the counter ten minutes, what is written and every case four hours.
    """
    channels: dict[str, str] = {}
    if table == "contacts":
        found = _fetch(lake, _HELD, by, before - pd.Timedelta(days=_DAYS), before)
        channels = found.set_index("queue")["channel"].dropna().to_dict()
    other = LIMITS["phone"] if table == "contacts" else LIMITS["mail"]
    return {queue: LIMITS.get(channels.get(queue, ""), other) for queue in queues}


def assume(
    lake: Lake, queues: Sequence[str], before: pd.Timestamp, *, by: str = "queue", handle_s: float | None = None,
    patience_s: float | None = None, shrinkage: float | None = None, absence: float | None = None,
) -> Assumptions:  # fmt: skip
    """Measure what a plan rests on in the half-year before it; what is given is not measured.

    Parameters
    ----------
    lake : Lake
    queues : sequence of str
    before : pandas.Timestamp
        Aware; only what happened before counts.
    by : str
        The column of contacts that makes a queue.
    handle_s, patience_s : float, optional
        For all queues, in seconds.
    shrinkage, absence : float, optional
        Shares of 0 up to less than 1: of time on shift that is away from the queue (meetings), and of people who do not
        come (sickness). Breaks, leave and training are planned, so they are no part of either.

    Raises
    ------
    StaffingError
        No handle time is known and none is given.
    """
    since = before - pd.Timedelta(days=_DAYS)
    rows: list[tuple] = []
    cells = pd.DataFrame({"queue": [], "weekday": [], "hour": [], "mean_s": []}).astype({"queue": str})
    if handle_s is not None:
        rows += [(queue, "handle_s", handle_s, np.nan, np.nan, 0, "given") for queue in queues]
    else:
        cells = _measure_handling(lake, queues, by, since, before, rows)
    if patience_s is not None:
        rows += [(queue, "patience_s", patience_s, np.nan, np.nan, 0, "given") for queue in queues]
    elif lake.has("contacts"):
        _measure_patience(lake, queues, by, since, before, rows)
    if lake.has("contacts") and handle_s is None:
        held = _fetch(lake, _HELD, by, since, before).dropna(subset=["held"]).set_index("queue")
        for queue in held.index.intersection(list(queues)):
            if held.loc[queue, "held"] >= _SHARED:
                own = held.loc[queue]
                rows.append((queue, "concurrency", own["held"], np.nan, np.nan, int(own["n"]), "measured"))
    away = _measure_absence(lake, since, before)
    for what, given in (("shrinkage", shrinkage), ("absence", absence)):
        if given is not None:
            rows.append(("", what, given, np.nan, np.nan, 0, "given"))
        elif what in away:
            rows.append(("", what, *away[what], "measured"))
        else:
            rows.append(("", what, 0.0, np.nan, np.nan, 0, "not known"))
    table = pd.DataFrame(rows, columns=["queue", "what", "value", "low", "high", "n", "source"])
    return Assumptions(table, cells)


def _measure_handling(
    lake: Lake, queues: Sequence[str], by: str, since: pd.Timestamp, before: pd.Timestamp, rows: list[tuple]
) -> pd.DataFrame:
    try:
        found = demand.handle_times(_fetch(lake, _CONTACTS, by, since, before))
    except DemandError:
        raise StaffingError(
            "the data hold no handle times", where="contacts", fix="give one in seconds: --handle 300"
        ) from None
    levels = found.attrs["levels"].set_index("queue")
    n = found.groupby("queue")["contacts"].sum()
    everything = np.average(levels["mean_s"], weights=n.reindex(levels.index))
    noise = []
    for queue in queues:
        if queue not in levels.index:
            rows.append((queue, "handle_s", everything, np.nan, np.nan, int(n.sum()), "other queues"))
            continue
        own = levels.loc[queue]
        low, high = (value if np.isfinite(value) else np.nan for value in (own["lower"], own["upper"]))
        rows.append((queue, "handle_s", own["mean_s"], low, high, int(n[queue]), "measured"))
        # A day's mean of so many exponential times would differ by this much anyway.
        chance = own["days"] / n[queue]
        if np.isfinite(own["day_sd_s"]) and own["mean_s"] > 0:
            noise.append((max((own["day_sd_s"] / own["mean_s"]) ** 2 - chance, 0.0), n[queue]))
    if noise:
        value = float(np.sqrt(np.average([v for v, _ in noise], weights=[w for _, w in noise])))
        rows.append(("", "handle_noise", value, np.nan, np.nan, int(n.sum()), "measured"))
    return found[["queue", "weekday", "hour", "mean_s"]]


def _measure_patience(
    lake: Lake, queues: Sequence[str], by: str, since: pd.Timestamp, before: pd.Timestamp, rows: list[tuple]
) -> None:
    try:
        found = demand.patience(_fetch(lake, _WAITS, by, since, before)).set_index("group")
    except DemandError:
        return
    for queue in queues:
        if queue in found.index:
            own = found.loc[queue]
            high = own["upper"] if np.isfinite(own["upper"]) else np.nan
            rows.append((queue, "patience_s", own["mean_s"], own["lower"], high, int(own["contacts"]), "measured"))


def _measure_absence(lake: Lake, since: pd.Timestamp, before: pd.Timestamp) -> dict[str, tuple]:
    """Shares of time on shift: what is neither break, leave nor training is planned to be at work."""
    if not lake.has("roster"):
        return {}
    roster = lake.sql(_ROSTER.format(since=since.isoformat(), before=before.isoformat()))
    found = {}
    for what, kind in (("shrinkage", "meeting"), ("absence", "sick")):
        rows = roster[roster["kind"].isin(("work", "overtime", "meeting", "sick"))]
        try:
            own = demand.shrinkage(rows.assign(kind=rows["kind"].where(rows["kind"].isin((kind,)), "work"))).iloc[0]
        except DemandError:
            return {}
        found[what] = (own["shrinkage"], own["lower"], own["upper"], int(own["days"]))
    return found


def _fetch(lake: Lake, query: str, by: str, since: pd.Timestamp, before: pd.Timestamp) -> pd.DataFrame:
    if not lake.has("contacts"):
        raise DemandError("there are no contacts")
    span = f"offered_at >= timestamptz '{since.isoformat()}' and offered_at < timestamptz '{before.isoformat()}'"
    rows = lake.sql(query.format(queue=queue_of("contacts", by), span=span))
    if "start" in rows:
        rows["start"] = rows["start"].dt.tz_convert(lake.timezone)
    return rows
