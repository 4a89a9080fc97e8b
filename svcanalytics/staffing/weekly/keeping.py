"""A plan's requirement kept in the lake, as it was published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from svcanalytics.store.commit import write

if TYPE_CHECKING:
    from svcanalytics.staffing.weekly.weekplan import StaffingPlan
    from svcanalytics.store import Lake

__all__ = ["keep_requirement"]


def keep_requirement(lake: Lake, plan: StaffingPlan) -> str:
    """Keep the agents to be scheduled, in whole people, in the lake's ``requirements``; return the id.

    A plan that begins on the same day in slots of the same length takes the place of the one before.
    """
    rows = plan.requirement
    plan_id = f"{rows['start'].min():%Y-%m-%d} staffing {plan.shifts.interval_s / 60:g}min"
    kept = rows[["queue", "start"]].rename(columns={"start": "start_at"})
    kept = kept.assign(
        forecast_id=plan_id,
        start_at=kept["start_at"].dt.tz_convert("UTC"),
        agents=np.ceil(rows["scheduled"] - 1e-9).astype("int64"),
    )
    write(lake, {"requirements": kept}, source="staffing", load_id=f"staffing {plan_id}")
    return plan_id
