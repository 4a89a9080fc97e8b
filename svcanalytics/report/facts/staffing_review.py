"""What the staffing report is written from: one week planned from one snapshot of the lake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from svcanalytics.errors import PublishError
from svcanalytics.periods import Period, parse_period
from svcanalytics.report.facts import gathering

if TYPE_CHECKING:
    from svcanalytics.staffing import StaffingPlan
    from svcanalytics.store import Lake

__all__ = ["StaffingReview", "review_staffing"]

_SHIFT_S, _ROSTER_S = 60.0, 60.0


@dataclass(frozen=True)
class StaffingReview:
    """A week's plan, and whose it is.

    Attributes
    ----------
    period : Period
        The week planned.
    language : str
    organisation : str
    data_until : date or None
        Local day of the newest record that was looked at.
    plan : StaffingPlan
    """

    period: Period
    language: str
    organisation: str
    data_until: date | None
    plan: StaffingPlan


def review_staffing(
    lake: Lake | str, *, period: str, report: str = "staffing", language: str = "zh", scope: str = "all",
    snapshot: int | None = None,
) -> StaffingReview:  # fmt: skip
    """Plan a week from what the lake knew before it.

    Parameters
    ----------
    lake : Lake or str
        The lake or its folder.
    period : str
        A week, such as "2026-W45".
    report : str
        "staffing", the only one.
    scope : str
        "all", or a unit such as "queue:hotline".
    language : str
        "zh" or "en".
    snapshot : int, optional
        Read the lake as it stood then.

    Raises
    ------
    PublishError
        When the period is no week, or report, language or scope are unknown.
    StaffingError, DemandError
        When the lake holds too little to plan from.
    """
    from svcanalytics import staffing

    lake = gathering.open_lake(lake, snapshot, scope)
    week = parse_period(period, lake.month_start)
    for name, value, known in (
        ("report", report, ("staffing",)), ("period", week.kind, ("week",)), ("language", language, ("zh", "en")),
    ):  # fmt: skip
        if value not in known:
            raise PublishError(f"no {name} {value!r} in the staffing report", fix=f"use {' or '.join(known)}")
    contacts = lake.has("contacts")
    plan = staffing.plan_week(
        lake, week.start, table="contacts" if contacts else "cases", by="queue" if contacts else "channel",
        shift_limit_s=_SHIFT_S, roster_limit_s=_ROSTER_S,
    )  # fmt: skip
    until = gathering.read_books(lake, week).until
    if until is not None:
        until = min(until, week.start - timedelta(days=1))
    return StaffingReview(week, language, lake.settings.organisation, until, plan)
