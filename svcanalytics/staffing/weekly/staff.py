"""The people a lake knows: skills, hours, leave and what they worked, as `plan_roster` takes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics.staffing.shifting.rules import ShiftRules
from svcanalytics.staffing.weekly.columns import queue_of

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Staff", "known_staff"]

_DAYS = 56
_SKILLED = 0.1  # of what a person handles: less was help on one busy day
_CARRIES = 0.05  # of what a queue brings: who takes that much of a small queue knows it
_SERVED = """
select agent, {queue} as queue, count(*) as n from {table}
where agent is not null and {at} >= timestamptz '{since}' and {at} < timestamptz '{before}' group by all
"""
_ROSTER = """
select agent, queue, kind, status, start_at, end_at from roster
where start_at >= timestamptz '{since}' and start_at < timestamptz '{until}'
"""


@dataclass(frozen=True, eq=False)
class Staff:
    """Who there is.

    Attributes
    ----------
    agents : pandas.DataFrame
        agent, skills (queues, the one served most first), hours (a week).
    leave : pandas.DataFrame
        agent, start, end.
    history : pandas.DataFrame
        agent, pattern, start, end, of the four weeks before.
    """

    agents: pd.DataFrame
    leave: pd.DataFrame
    history: pd.DataFrame

    def share_out(self, hours: Mapping[str, float]) -> dict[str, int]:
        """Return how many people each queue can count on when all are shared out among the queues they know.

        Whoever knows fewest goes first, each to the queue that then lacks most.

        Parameters
        ----------
        hours : mapping
            Hours that each queue needs.
        """
        left, people = dict(hours), dict.fromkeys(hours, 0)
        knows = [[queue for queue in skills if queue in left] for skills in self.agents["skills"]]
        for place in sorted(range(len(knows)), key=lambda place: (len(knows[place]), place)):
            if knows[place]:
                queue = max(knows[place], key=lambda queue: left[queue])
                left[queue] -= float(self.agents["hours"].iloc[place])
                people[queue] += 1
        return people


def known_staff(
    lake: Lake, queues: Sequence[str], start: pd.Timestamp, end: pd.Timestamp, rules: ShiftRules, *,
    table: str = "contacts", by: str = "queue",
) -> Staff | None:  # fmt: skip
    """Return who has served these queues in the eight weeks before and has not left; None when nobody is known.

    Hours a week are those of the roster, where there is one: of weeks that a person was planned or paid for.

    Parameters
    ----------
    lake : Lake
    queues : sequence of str
    start, end : pandas.Timestamp
        Aware: the time to be planned.
    rules : ShiftRules
        Whose patterns give what was worked its names.
    table, by : str
        What is served, and the column that makes a queue.
    """
    spans = {"since": (start - pd.Timedelta(days=_DAYS)).isoformat(), "before": start.isoformat()}
    at = "offered_at" if table == "contacts" else "opened_at"
    served = lake.sql(_SERVED.format(table=table, queue=queue_of(table, by), at=at, **spans))
    served = served[served["queue"].isin(queues)]
    served = served[~served["agent"].isin(_gone(lake, start))]
    if served.empty:
        return None
    shares = [served["n"] / served.groupby(name)["n"].transform("sum") for name in ("agent", "queue")]
    served = served[(shares[0] >= _SKILLED) | (shares[1] >= _CARRIES)].sort_values("n", ascending=False)
    skills = served.groupby("agent")["queue"].agg(list)
    agents = pd.DataFrame({"agent": skills.index, "skills": skills.to_numpy()})
    agents["hours"] = rules.people.hours_a_week
    nothing = pd.DataFrame(columns=["agent", "start", "end"])
    if not lake.has("roster"):
        return Staff(agents, nothing, nothing.assign(pattern=""))
    rows = lake.sql(_ROSTER.format(since=spans["since"], until=end.isoformat()))
    rows = rows[rows["agent"].isin(agents["agent"]) & rows["end_at"].notna()]
    for name in ("start_at", "end_at"):
        rows[name] = rows[name].dt.tz_convert(lake.timezone)
    hours = _weekly_hours(rows[rows["start_at"] < start])
    agents["hours"] = agents["agent"].map(hours).fillna(rules.people.hours_a_week).clip(upper=rules.people.hours_a_week)
    leave = rows[(rows["kind"] == "leave") & (rows["end_at"] > start)]
    leave = leave[["agent", "start_at", "end_at"]].drop_duplicates().set_axis(["agent", "start", "end"], axis="columns")
    return Staff(agents, leave, _worked(rows[rows["start_at"] < start], start, rules))


def _gone(lake: Lake, start: pd.Timestamp) -> list[str]:
    if not lake.has("agents"):
        return []
    known = lake.sql("select agent, left_on from agents where left_on is not null")
    left = pd.to_datetime(known["left_on"]) <= start.tz_localize(None)
    return known.loc[left, "agent"].tolist()


def _weekly_hours(rows: pd.DataFrame) -> pd.Series:
    """Median of the hours of full weeks that a person was planned for, to the quarter of an hour."""
    own = rows[(rows["status"] == "planned") & rows["kind"].isin(("work", "training", "meeting", "leave"))]
    hours = (own["end_at"] - own["start_at"]).dt.total_seconds() / 3600
    week = own["start_at"].dt.tz_localize(None).dt.to_period("W-SUN")
    return (hours.groupby([own["agent"], week]).sum().groupby("agent").median() * 4).round() / 4


def _worked(rows: pd.DataFrame, start: pd.Timestamp, rules: ShiftRules) -> pd.DataFrame:
    """Join what was worked on a day to one shift, named as the pattern that starts nearest."""
    own = rows[rows["kind"].isin(("work", "overtime")) & (rows["start_at"] >= start - pd.Timedelta(days=28))]
    worked = own[own["status"] == "worked"] if (own["status"] == "worked").any() else own
    day = (worked["start_at"] - pd.Timedelta(hours=4)).dt.tz_localize(None).dt.normalize()
    found = worked.groupby([worked["agent"], day.rename("day")]).agg(start=("start_at", "min"), end=("end_at", "max"))
    found = found.reset_index().drop(columns="day")
    minute = (found["start"].dt.hour * 60 + found["start"].dt.minute).to_numpy()
    starts = [
        (each, name) for name, pattern in rules.patterns.items() if not pattern.on_call for each in pattern.starts
    ]
    if not len(found) or not starts:
        return found.assign(pattern="")
    off = np.abs(minute[:, None] - np.array([each for each, _ in starts])[None, :])
    nearest = np.minimum(off, 24 * 60 - off).argmin(axis=1)
    return found.assign(pattern=[starts[place][1] for place in nearest])
