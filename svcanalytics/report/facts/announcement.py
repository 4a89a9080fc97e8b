"""What is told to customers once a month: what gets better, which promises were kept, how satisfied they were."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import improve, metrics
from svcanalytics.report.facts import gathering
from svcanalytics.report.facts.contact import Contact, read_contact
from svcanalytics.report.facts.occasion import Occasion, open_occasion
from svcanalytics.report.facts.readings import Clock, Reading
from svcanalytics.report.words.discretion import is_public, read_names

if TYPE_CHECKING:
    from svcanalytics.metrics import Standard
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["TOP", "Announcement", "announce", "choose_improvements", "choose_suggestion"]

#: Improvements told.
TOP = 3
#: Fewest records behind anything that is told.
SMALLEST = 10
#: Kinds of request told.
MOST_TYPES = 6
_TOLD = (
    *("csat", "complaint_resolution", "resolution_rate", "answer_rate"),
    *("cases_opened", "contacts_offered", "suggestions_received", "suggestion_adopted"),
)
# Steps inside the organisation: nobody outside can notice whether they came in time.
_INSIDE = frozenset(
    (
        *("handed_to_experts", "cross_team_opened", "plan", "joint_meeting", "escalated", "escalation_handled"),
        *("investigated", "listed", "response_started", "assessed", "switched_over", "restored"),
    )
)


@dataclass(frozen=True)
class Announcement:
    """What a public notice is written from; nothing in it names a person or a team.

    Attributes
    ----------
    occasion : Occasion
    improvements : DataFrame
        problem, measure (missing: not fit to be shown), lines, done (work finished), verified (found better by those
        concerned), due (last local day; missing without one); at most `TOP`, those with the most lines first.
    withheld : int
        Problems of the ledger in the period whose text isn't fit to be shown.
    promises : tuple of Clock
        Standards that a customer notices, those with a promised share first.
    readings : tuple of Reading
        Satisfaction, resolution, volumes.
    types : DataFrame
        group, count: what came in by type; types too few to show stand under "other".
    suggestion : mapping or None
        problem, measure, standard (bool) of the best proposal adopted.
    no_suggestion : str
        Why there is none: "no_ledger", "none_adopted", "withheld"; "" when there is one.
    contact : Contact
        How to reach the organisation.
    """

    occasion: Occasion
    improvements: pd.DataFrame
    withheld: int
    promises: tuple[Clock, ...]
    readings: tuple[Reading, ...]
    types: pd.DataFrame
    suggestion: dict | None
    no_suggestion: str
    contact: Contact

    def reading(self, metric: str) -> Reading | None:
        """Return the reading of one metric, or None without one to show."""
        found = (each for each in self.readings if each.id == metric and each.value is not None)
        return next((each for each in found if each.flag != "suppressed"), None)


def announce(
    lake: Lake | str, *, period: str, report: str = "public_notice", language: str = "zh", scope: str = "all",
    snapshot: int | None = None,
) -> Announcement:  # fmt: skip
    """Gather what a public notice about a month says.

    Parameters
    ----------
    lake : Lake or str
        The lake or its folder.
    period : str
        Such as "2026-10".
    report, language, scope, snapshot
        As `evaluate` takes them.

    Raises
    ------
    PublishError
        As `open_occasion` says.
    """
    lake, occasion = open_occasion(lake, period, report, language, scope, snapshot)
    month = occasion.period
    names = read_names(lake)
    lines = improve.read_actions(lake) if lake.has("actions") else None
    improvements, withheld = choose_improvements(lines, month, names, language)
    suggestion, reason = choose_suggestion(lines, month, names, language)
    history = metrics.measure(lake, _TOLD, every=month.kind, start=month.previous().start, end=month.last)
    measured = gathering.Measured(history, {}, metrics.catalogue(lake).metrics, False)
    counted = gathering.count_volumes(lake, month.kind, month.start, month.last)
    return Announcement(
        occasion=occasion,
        improvements=improvements,
        withheld=withheld,
        promises=_promises(lake, month, language),
        readings=gathering.read_metrics(lake, measured, month, language),
        types=_types(counted.get("business_type", pd.DataFrame())),
        suggestion=suggestion,
        no_suggestion=reason,
        contact=read_contact(lake.path),
    )


def choose_improvements(
    lines: pd.DataFrame | None, period: Period, names: frozenset[str], language: str
) -> tuple[pd.DataFrame, int]:
    """Choose the improvements to tell: problems the most lines of the ledger were about in a period.

    A line counts when it was open at some time in the period. Problems in the reader's language come first, then those
    that came from customers or were approved for publication, then those with the most lines.

    Parameters
    ----------
    lines : DataFrame or None
        As `improve.read_actions` gives them; None without a ledger.
    period : Period
    names : frozenset of str
        Names that may not be shown.
    language : str

    Returns
    -------
    chosen : DataFrame
        See `Announcement.improvements`.
    withheld : int
        Problems whose text can't be shown.
    """
    columns = ["problem", "measure", "lines", "done", "verified", "due"]
    if lines is None or lines.empty:
        return pd.DataFrame(columns=columns), 0
    begin, end = (pd.Timestamp(day).tz_localize(lines["found_at"].dt.tz) for day in (period.start, period.end))
    lines = lines[(lines["status"] != "dropped") & (lines["found_at"] < end) & ~(lines["closed_at"] < begin)]
    if lines.empty:
        return pd.DataFrame(columns=columns), 0
    shown = lines["problem"].map(lambda text: is_public(text, names))
    withheld = int(lines.loc[~shown, "problem"].nunique())
    rows = []
    for problem, own in lines[shown].groupby("problem", sort=True):
        measures = [text for text in own["measure"] if is_public(text, names)]
        rows.append(
            {
                "problem": problem,
                "measure": max(measures, key=measures.count) if measures else None,
                "lines": len(own),
                "done": int((own["done_at"] < end).sum()),
                "verified": int(((own["verified_at"] < end) & (own["effect"] == "better")).sum()),
                "due": own.loc[~(own["done_at"] < end), "due_at"].max(),
                "readable": _readable(str(problem), language),
                "asked": int((own["origin"].isin(["complaint", "suggestion"]) | own["published_at"].notna()).sum()),
            }
        )
    if not rows:
        return pd.DataFrame(columns=columns), withheld
    order = ["readable", "asked", "lines", "problem"]
    found = pd.DataFrame(rows).sort_values(order, ascending=[False, False, False, True], ignore_index=True)
    return found.head(TOP)[columns], withheld


def choose_suggestion(
    lines: pd.DataFrame | None, period: Period, names: frozenset[str], language: str
) -> tuple[dict | None, str]:
    """Choose the best proposal adopted in a period: one accepted in it, a new standard before a proven effect.

    Parameters
    ----------
    lines, period, names, language
        As `choose_improvements` takes them.

    Returns
    -------
    suggestion : mapping or None
        problem, measure, standard.
    reason : str
        Why there is none; see `Announcement.no_suggestion`.
    """
    if lines is None or lines.empty:
        return None, "no_ledger"
    begin, end = (pd.Timestamp(day).tz_localize(lines["found_at"].dt.tz) for day in (period.start, period.end))
    own = lines[(lines["origin"] == "suggestion") & (lines["status"] != "dropped")]
    own = own[(own["accepted_at"] >= begin) & (own["accepted_at"] < end)]
    if own.empty:
        return None, "none_adopted"
    fit = own["problem"].map(lambda text: is_public(text, names)) & own["measure"].map(lambda t: is_public(t, names))
    if not fit.any():
        return None, "withheld"
    own = own[fit].assign(
        standard=own["became_standard"].fillna(False).astype(bool),
        proven=(own["effect"] == "better") & (own["verified_at"] < end),
        readable=own["problem"].map(lambda text: _readable(str(text), language)),
    )
    best = own.sort_values(["readable", "standard", "proven", "accepted_at"], ascending=False, kind="stable").iloc[0]
    return {"problem": best["problem"], "measure": best["measure"], "standard": bool(best["standard"])}, ""


def _readable(text: str, language: str) -> bool:
    return any("\u4e00" <= mark <= "\u9fff" for mark in text) == (language == "zh")


def _promises(lake: Lake, period: Period, language: str) -> tuple[Clock, ...]:
    rules = metrics.rulebook(lake).standards
    shown: dict[tuple, Clock] = {}
    for clock in gathering.read_clocks(lake, period, language):
        rule = rules[clock.reading.id]
        if _noticed(rule) and clock.late is not None and clock.due >= SMALLEST:
            # Two readings of one promise, such as feedback once and every time, are one promise to a customer.
            shown.setdefault((*_timed(rule), rule.for_, bool(rule.pauses)), clock)
    whole = {key[:4] for key in shown if not key[-1]}
    kept = [clock for key, clock in shown.items() if not (key[-1] and key[:4] in whole)]  # no net time beside the gross
    return tuple(sorted(kept, key=lambda clock: (clock.reading.target is None, -clock.due)))


def _timed(rule: Standard) -> tuple:
    return rule.table, rule.from_, rule.to, rule.limit or rule.due


def _noticed(rule: Standard) -> bool:
    """Tell whether a customer notices that a standard is kept: one that is no composite and ends in a step outside."""
    return not rule.of and rule.table in ("cases", "contacts") and not _INSIDE.intersection(rule.to)


def _types(counted: pd.DataFrame) -> pd.DataFrame:
    if counted.empty:
        return pd.DataFrame(columns=["group", "count"])
    sums = counted.groupby("group", dropna=False)["count"].sum()
    sums.index = sums.index.fillna("unknown")
    sums = sums.sort_values(ascending=False, kind="stable")
    told = sums[sums >= SMALLEST].drop("other", errors="ignore").head(MOST_TYPES)
    few = sums.drop(told.index)
    if few.sum() >= SMALLEST:
        told["other"] = few.sum()
    return told.rename_axis("group").reset_index()
