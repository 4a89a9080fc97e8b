"""The weekly improvement list: what was suggested and what became of it, and what checks found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import improve
from svcanalytics.report.facts.occasion import Occasion, open_occasion
from svcanalytics.store.masking import mask

if TYPE_CHECKING:
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["ImprovementList", "list_improvements"]

#: Suggestions listed one by one.
MOST_SUGGESTIONS = 20
_STEPS = ("listed", "adopted", "adoption_told", "published")


@dataclass(frozen=True)
class ImprovementList:
    """What the quality team goes through each week.

    Attributes
    ----------
    occasion : Occasion
    suggestions : DataFrame
        id, day (local), category, words (masked), state: "adopted", "declined" (told, and not adopted), "listed" or
        "received"; those received in the week, undecided ones first.
    decided : DataFrame
        The same, of suggestions received earlier and decided in the week.
    undecided : int
        Suggestions received before the week, of the last 90 days, that nobody decided on yet.
    known : bool
        Whether the data say what became of suggestions at all.
    findings : DataFrame
        kind, item, n (checked), lost (points taken off), fatal, to_rectify, rectified: checks of the week by item; only
        items in which something has to be put right or was fatal.
    checked : int
        Items checked in the week.
    lines : DataFrame or None
        Lines of the ledger found in the week, as `improve.read_actions` gives them; None without a ledger.
    """

    occasion: Occasion
    suggestions: pd.DataFrame
    decided: pd.DataFrame
    undecided: int
    known: bool
    findings: pd.DataFrame
    checked: int
    lines: pd.DataFrame | None


def list_improvements(
    lake: Lake | str, *, period: str, report: str = "weekly", language: str = "zh", scope: str = "all",
    snapshot: int | None = None,
) -> ImprovementList:  # fmt: skip
    """Gather the improvement list of a week.

    Parameters
    ----------
    lake : Lake or str
        The lake or its folder.
    period : str
        Such as "2026-W43".
    report, language, scope, snapshot
        As `evaluate` takes them.

    Raises
    ------
    PublishError
        As `open_occasion`.
    """
    lake, occasion = open_occasion(lake, period, report, language, scope, snapshot)
    week = occasion.period
    rows = _suggestions(lake, week)
    begin, end = (pd.Timestamp(day).tz_localize(lake.timezone) for day in (week.start, week.end))
    here = rows["at"] >= begin
    decided = rows["decided_at"].between(begin, end, inclusive="left")
    order = {"received": 0, "listed": 1, "declined": 2, "adopted": 3}
    suggestions = rows[here].sort_values(
        ["state", "at"], key=lambda own: own.map(order) if own.name == "state" else own
    )
    findings, checked = _findings(lake, week)
    lines = improve.read_actions(lake) if lake.has("actions") else None
    return ImprovementList(
        occasion=occasion,
        suggestions=_worded(lake, suggestions),
        decided=_worded(lake, rows[~here & decided]),
        undecided=int((~here & ~rows["decided_at"].lt(end)).sum()),
        known=bool(rows[["listed_at", "decided_at"]].notna().any(axis=None)),
        findings=findings,
        checked=checked,
        lines=None if lines is None else lines[lines["found_at"].between(begin, end, inclusive="left")],
    )


def _suggestions(lake: Lake, week: Period) -> pd.DataFrame:
    """Return the suggestions of the week and of the 90 days before it, with what had become of them by its end."""
    columns = ["id", "at", "category", "listed_at", "adopted_at", "told_at", "decided_at", "state"]
    if not lake.has("cases"):
        return pd.DataFrame(columns=columns)
    begin = pd.Timestamp(week.start).tz_localize(lake.timezone) - pd.Timedelta(days=90)
    end = pd.Timestamp(week.end).tz_localize(lake.timezone)
    steps = ", ".join(f"min(\"at\") filter (where milestone = '{step}') as {step}" for step in _STEPS)
    events = (
        f"left join (select case_id, {steps} from events group by 1) e using (case_id)" if lake.has("events") else ""
    )
    told = ", ".join(f"e.{step}" if events else f"null::timestamptz as {step}" for step in _STEPS)
    rows = lake.sql(
        f"select c.case_id as id, c.opened_at as at, c.category, {told} from cases c {events} "
        f"where c.business_type = 'suggestion' and c.opened_at >= '{begin.isoformat()}' "
        f"and c.opened_at < '{end.isoformat()}' order by 2, 1"
    )
    for name in ("at", *_STEPS):
        rows[name] = pd.to_datetime(rows[name], utc=True).dt.tz_convert(lake.timezone)
    # What came after the week is not known in it.
    by_then = {step: rows[step].where(rows[step] < end) for step in _STEPS}
    decided = pd.concat([by_then["adopted"], by_then["adoption_told"]], axis=1).min(axis=1)
    state = pd.Series("received", index=rows.index)
    state = state.mask(by_then["listed"].notna(), "listed").mask(by_then["adoption_told"].notna(), "declined")
    state = state.mask(by_then["adopted"].notna(), "adopted")
    return rows.assign(
        listed_at=by_then["listed"], adopted_at=by_then["adopted"], told_at=by_then["adoption_told"],
        decided_at=decided, state=state,
    )[columns]  # fmt: skip


def _worded(lake: Lake, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows to list with the customer's words, masked once more."""
    frame = rows.assign(day=rows["at"].dt.date if len(rows) else None)[["id", "day", "category", "state"]]
    shown = frame.head(MOST_SUGGESTIONS)["id"].tolist()
    words: dict[str, str] = {}
    if shown:
        con = lake.connection()
        try:
            found = con.execute(
                "select case_id, text from cases where list_contains($ids, case_id)", {"ids": shown}
            ).df()
        finally:
            con.close()
        for case, text in found.itertuples(index=False, name=None):
            words[case] = " ".join(mask(str(text)).split()) if text is not None and text == text else ""
    return frame.assign(words=frame["id"].map(words).fillna("")).reset_index(drop=True)


def _findings(lake: Lake, week: Period) -> tuple[pd.DataFrame, int]:
    columns = ["kind", "item", "n", "lost", "fatal", "to_rectify", "rectified"]
    if not lake.has("audits"):
        return pd.DataFrame(columns=columns), 0
    first, last = (int(day.strftime("%Y%m%d")) for day in (week.start, week.last))
    rows = lake.sql(
        "select kind, trim(item) as item, count(*) as n, count(*) filter (where score < max_score) as lost, "
        "count(*) filter (where fatal) as fatal, count(*) filter (where coalesce(plan_due, rectify_due) is not null) "
        "as to_rectify, count(*) filter (where coalesce(plan_due, rectify_due) is not null and rectified_at is not null"
        f") as rectified from audits where day_key between {first} and {last} and item is not null group by 1, 2"
    )
    checked = int(rows["n"].sum())
    found = rows[(rows["to_rectify"] > 0) | (rows["fatal"] > 0)]
    return found.sort_values(["fatal", "to_rectify", "kind", "item"], ascending=[False, False, True, True],
                             ignore_index=True)[columns], checked  # fmt: skip
