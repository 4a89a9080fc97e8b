"""Training, attendance and what to train: the part of an appraisal that looks ahead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics import metrics
from svcanalytics.errors import CatalogueError
from svcanalytics.quality.comparison.agreement import find_weak

if TYPE_CHECKING:
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["TRAINING_H", "find_needs", "read_presence", "read_training"]

#: Hours of training a month that the standards ask for.
TRAINING_H = 4.0


def read_training(lake: Lake, period: Period) -> pd.DataFrame:
    """Return the training of a period but for that before a first shift: agent, hours, courses, mark, required."""
    columns = ["agent", "hours", "courses", "mark", "required"]
    if not lake.has("training"):
        return pd.DataFrame(columns=columns)
    first, last = (int(day.strftime("%Y%m%d")) for day in (period.start, period.last))
    rows = lake.sql(
        "select agent, coalesce(sum(duration_s), 0) / 3600.0 as hours, count(*) as courses, avg(score) as mark "
        f"from training where day_key between {first} and {last} and before_first_shift is not true group by 1"
    )
    months = round((period.end - period.start).days / 30.44)
    return rows.assign(required=TRAINING_H * months)[columns]


def read_presence(lake: Lake, period: Period) -> pd.DataFrame:
    """Return how well rosters were kept: agent, adherence, low, high, overtime_h.

    Sick leave is nobody's fault and is not looked at.
    """
    columns = ["agent", "adherence", "low", "high", "overtime_h"]
    if not lake.has("roster"):
        return pd.DataFrame(columns=columns)
    first, last = (int(day.strftime("%Y%m%d")) for day in (period.start, period.last))
    over = lake.sql(
        'select agent, sum(epoch(end_at) - epoch(start_at)) / 3600.0 as overtime_h from roster '
        f"where kind = 'overtime' and status = 'worked' and day_key between {first} and {last} group by 1"
    )  # fmt: skip
    kept = metrics.measure(lake, ["adherence"], by=["agent"], every=period.kind, start=period.start, end=period.last)
    if kept.empty:
        return pd.DataFrame(columns=columns)
    kept = kept.rename(columns={"value": "adherence"})[["agent", "adherence", "low", "high"]]
    return kept.merge(over, on="agent", how="left").fillna({"overtime_h": 0.0})[columns]


def find_needs(
    lake: Lake, period: Period, people: pd.DataFrame, measured: pd.DataFrame, training: pd.DataFrame
) -> pd.DataFrame:
    """Return what to train: where somebody is worse for sure, hours missing, an exam not passed.

    Parameters
    ----------
    lake : Lake
    period : Period
    people : DataFrame
        agent.
    measured : DataFrame
        unit, of, stands_out, as `quality.compare` gives them.
    training : DataFrame
        As `read_training` gives it.

    Returns
    -------
    DataFrame
        agent, kind ("measure", "item", "hours", "exam"), what (a metric, an item of QA), detail (hours missing).
    """
    rows = [
        {"agent": row["unit"], "kind": "measure", "what": row["of"], "detail": np.nan}
        for row in measured[measured["stands_out"] == "worse"].to_dict("records")
    ]
    rows += [
        {"agent": agent, "kind": "item", "what": item, "detail": np.nan} for agent, item in _weak_items(lake, period)
    ]
    if len(training):
        short = people[["agent"]].merge(training, on="agent", how="left").fillna({"hours": 0.0})
        short = short.fillna({"required": float(training["required"].iloc[0])})
        short = short[short["hours"] < short["required"]]
        rows += [
            {"agent": row["agent"], "kind": "hours", "what": "", "detail": row["required"] - row["hours"]}
            for row in short.to_dict("records")
        ]
    if lake.has("agents"):
        failed = lake.sql("select agent from agents where exam_passed is false")["agent"]
        rows += [
            {"agent": agent, "kind": "exam", "what": "", "detail": np.nan}
            for agent in people["agent"]
            if agent in set(failed)
        ]
    return pd.DataFrame(rows, columns=["agent", "kind", "what", "detail"])


def _weak_items(lake: Lake, period: Period) -> list[tuple[str, str]]:
    """Return agents and the items of QA in which they are below the others for sure, corrected for agents and items."""
    if not lake.has("audits"):
        return []
    first, last = (int(day.strftime("%Y%m%d")) for day in (period.start, period.last))
    rows = lake.sql(
        "select agent, trim(item) as item, score / max_score as score from audits where kind = 'qa' "
        "and agent is not null and item is not null and score is not null and max_score > 0 "
        f"and day_key between {first} and {last}"
    )
    items = rows["item"].unique()
    found = []
    for item in sorted(items):
        try:
            weak = find_weak(rows[rows["item"] == item], "agent", level=1 - 0.05 / len(items))
        except CatalogueError:
            continue
        found += [(agent, item) for agent in weak.loc[weak["weak"].astype(bool), "agent"]]
    return sorted(found)
