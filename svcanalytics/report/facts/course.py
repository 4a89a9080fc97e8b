"""The course of the cases of a period: which step followed which, how often and after how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.periods import Period

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Course", "read_course"]

#: Fewer cases with steps than this make no map.
LEAST_CASES = 30


@dataclass(frozen=True)
class Course:
    """Steps and what follows them.

    Attributes
    ----------
    activities : DataFrame
        activity, n (times done), starts, ends (cases that begin and end with it).
    transitions : DataFrame
        source, target, n, median_s (usual time from one to the other, seconds).
    cases : int
        Cases opened in the period that have steps.
    """

    activities: pd.DataFrame
    transitions: pd.DataFrame
    cases: int


def read_course(lake: Lake, period: Period) -> Course | None:
    """Return the course of the cases opened in a period; None for a lake without enough steps of them.

    Parameters
    ----------
    lake : Lake
    period : Period
    """
    if not (lake.has("events") and lake.has("cases")):
        return None
    first, last = (int(day.strftime("%Y%m%d")) for day in (period.start, period.last))
    steps = (
        'with steps as (select case_id, coalesce(activity, milestone) as step, epoch("at") as moment, '
        'row_number() over (partition by case_id order by "at", seq, coalesce(activity, milestone)) as place '
        'from events where "at" is not null and coalesce(activity, milestone) is not null and case_id in '
        f"(select case_id from cases where day_key between {first} and {last})), "
        "paired as (select *, lead(step) over own as target, lead(moment) over own - moment as wait_s from steps "
        "window own as (partition by case_id order by place)) "
    )
    activities = lake.sql(
        steps + "select step as activity, count(*) as n, count(*) filter (where place = 1) as starts, "
        "count(*) filter (where target is null) as ends from paired group by 1 order by 2 desc, 1"
    )
    cases = int(activities["starts"].sum())
    if cases < LEAST_CASES or len(activities) < 2:
        return None
    transitions = lake.sql(
        steps + "select step as source, target, count(*) as n, quantile_disc(wait_s, 0.5) as median_s from paired "
        "where target is not null group by 1, 2 order by 3 desc, 1, 2"
    )
    return Course(activities, transitions, cases)
