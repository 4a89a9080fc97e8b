"""Compliance over half a year: standards met, missed and not applicable, breaches and their remedies, duties."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import improve, metrics
from svcanalytics.report.facts import gathering
from svcanalytics.report.facts.contact import Contact, read_contact
from svcanalytics.report.facts.examiners import Examined, compare_examiners
from svcanalytics.report.facts.occasion import Occasion, open_occasion
from svcanalytics.report.facts.readings import Clock
from svcanalytics.report.words.formats import is_missing, typeset

if TYPE_CHECKING:
    from svcanalytics.metrics import Standard
    from svcanalytics.periods import Period
    from svcanalytics.store import Lake

__all__ = ["STATES", "Compliance", "Standing", "check_compliance", "judge_clock"]

#: What can be said of a standard, the gravest first.
STATES = ("missed", "unsure", "met", "few", "nothing_due", "no_data")


@dataclass(frozen=True)
class Standing:
    """One standard in a period: the standard's name, where it is written, what is said of it, and its clock.

    Attributes
    ----------
    id, name, document : str
    state : str
        One of `STATES`: "unsure" when the interval straddles what is promised; "few" when too few fell due to judge.
    clock : Clock or None
        None where nothing was due or nothing could be measured.
    """

    id: str
    name: str
    document: str
    state: str
    clock: Clock | None


@dataclass(frozen=True)
class Compliance:
    """What a compliance report is written from.

    Attributes
    ----------
    occasion : Occasion
    standings : tuple of Standing
        Every standard in force in the period, in the rulebook's order, composites left out.
    breaches : DataFrame
        standard, late, open (still not done at the end), overrun_s (mean), worst_s, in_ledger (cases with a line of the
        rectification ledger), done (of these lines): one row per standard that was missed.
    checks : DataFrame
        item, n, passed, share, low, high, put_right, light: compliance checks (data protection, privacy, security,
        contracts) by item.
    duties : DataFrame
        kind (id of the standard), name, times (in the period), last (local day, missing before the first), due (local
        day), state ("kept", "overdue").
    examined : Examined or None
        Outside scores against our own; None without outside audits.
    originals_days : int
        How long unmasked originals are kept; 0: for ever.
    contact : Contact
        How to reach the organisation.
    """

    occasion: Occasion
    standings: tuple[Standing, ...]
    breaches: pd.DataFrame
    checks: pd.DataFrame
    duties: pd.DataFrame
    examined: Examined | None
    originals_days: int
    contact: Contact

    def count(self, *states: str) -> int:
        """Return how many standards are in one of the states."""
        return sum(standing.state in states for standing in self.standings)


def check_compliance(
    lake: Lake | str, *, period: str, report: str = "half_yearly", language: str = "zh", scope: str = "all",
    snapshot: int | None = None,
) -> Compliance:  # fmt: skip
    """Check every standard over a half-year, and what else the organisation has to keep.

    Parameters
    ----------
    lake : Lake or str
        The lake or its folder.
    period : str
        Such as "2026H1".
    report, language, scope, snapshot
        As `evaluate` takes them.

    Raises
    ------
    PublishError
        As `open_occasion`.
    """
    lake, occasion = open_occasion(lake, period, report, language, scope, snapshot)
    span = occasion.period
    standings = _standings(lake, span, language)
    missed = [standing.id for standing in standings if standing.state == "missed"]
    return Compliance(
        occasion=occasion,
        standings=standings,
        breaches=_breaches(lake, span, missed),
        checks=_checks(lake, span),
        duties=_duties(lake, span),
        examined=compare_examiners(lake, span),
        originals_days=lake.settings.landing_days,
        contact=read_contact(lake.path),
    )


def judge_clock(clock: Clock) -> str:
    """Return what is said of a standard that has anything due or running; see `STATES`.

    Where no share is promised every single one has to be on time.
    """
    if not clock.due:
        return "nothing_due"
    if clock.late is None:
        return "few"
    if is_missing(clock.reading.target):
        return "missed" if clock.late else "met"
    return {"green": "met", "red": "missed", "yellow": "unsure"}.get(clock.reading.light or "", "few")


def _standings(lake: Lake, period: Period, language: str) -> tuple[Standing, ...]:
    clocks = {clock.reading.id: clock for clock in gathering.read_clocks(lake, period, language)}
    able = _measurable(lake, period)
    found = []
    for rule in metrics.rulebook(lake).standards.values():
        if rule.of or not _in_force(rule, period):
            continue
        clock = clocks.get(rule.id)
        state = judge_clock(clock) if clock else "nothing_due" if rule.id in able else "no_data"
        name = typeset(rule.name[language], language)
        found.append(Standing(rule.id, name, rule.document, state, clock))
    return tuple(found)


def _measurable(lake: Lake, period: Period) -> set[str]:
    left_out = metrics.standards(lake, every=period.kind, start=period.start, end=period.last).attrs["left_out"]
    return set(metrics.rulebook(lake).standards) - set(left_out)


def _in_force(rule: Standard, period: Period) -> bool:
    begun = rule.valid_from is None or rule.valid_from <= period.last
    return begun and (rule.valid_to is None or rule.valid_to >= period.start)


def _breaches(lake: Lake, period: Period, missed: list[str]) -> pd.DataFrame:
    columns = ["standard", "late", "open", "overrun_s", "worst_s", "in_ledger", "done"]
    if not missed:
        return pd.DataFrame(columns=columns)
    rows = metrics.clock_rows(lake, missed, start=period.start, end=period.last)
    late = rows[rows["state"] == "late"]
    lines = improve.read_actions(lake).dropna(subset=["origin_id"])
    lines = lines[lines["status"] != "dropped"]
    done = set(lines.loc[lines["done_at"].notna(), "origin_id"])
    late = late.assign(in_ledger=late["id"].isin(set(lines["origin_id"])), done=late["id"].isin(done))
    found = late.groupby("standard", sort=False).agg(
        late=("id", "size"), open=("is_open", "sum"), overrun_s=("overrun_s", "mean"), worst_s=("overrun_s", "max"),
        in_ledger=("in_ledger", "sum"), done=("done", "sum"),
    )  # fmt: skip
    found = found.sort_values("late", ascending=False, kind="stable").reset_index()
    return found.astype(dict.fromkeys(("late", "open", "in_ledger", "done"), "int64"))[columns]


def _checks(lake: Lake, period: Period) -> pd.DataFrame:
    from svcanalytics.metrics.intervals import wilson_interval

    columns = ["item", "n", "passed", "share", "low", "high", "put_right", "light"]
    if not lake.has("audits"):
        return pd.DataFrame(columns=columns)
    first, last = (int(day.strftime("%Y%m%d")) for day in (period.start, period.last))
    rows = lake.sql(
        "select trim(item) as item, count(*) as n, count(*) filter (where score = max_score) as passed, "
        "count(*) filter (where score < max_score and rectified_at is not null) as put_right from audits "
        f"where kind = 'compliance' and day_key between {first} and {last} and item is not null "
        "and score is not null and max_score > 0 group by 1 order by 1"
    )
    if rows.empty:
        return pd.DataFrame(columns=columns)
    target = metrics.catalogue(lake).metrics["conduct_compliance"].target
    smallest = metrics.catalogue(lake).metrics["conduct_compliance"].min_n
    low, high = wilson_interval(rows["passed"], rows["n"])
    rows = rows.assign(share=rows["passed"] / rows["n"], low=low, high=high, light="yellow")
    if target is not None:
        rows.loc[rows["low"] >= target, "light"] = "green"
        rows.loc[rows["high"] < target, "light"] = "red"
    rows.loc[rows["n"] < smallest, "light"] = "grey"
    return rows.sort_values(["share", "item"], ignore_index=True)[columns]


def _duties(lake: Lake, period: Period) -> pd.DataFrame:
    columns = ["kind", "name", "times", "last", "due", "state"]
    rules = [rule.id for rule in metrics.rulebook(lake).standards.values() if rule.table == "duties"]
    if not lake.has("duties") or not rules:
        return pd.DataFrame(columns=columns)
    stop = metrics.data_stop(lake)
    end = pd.Timestamp(period.end).tz_localize(lake.timezone)
    now = min(end.to_pydatetime(), stop) if stop is not None else end.to_pydatetime()
    clocks = metrics.clock_rows(lake, rules, end=period.last + timedelta(days=366), at=now)
    performed = lake.sql('select duty_id as id, name, "at" from duties')
    rows = clocks.merge(performed, on="id")
    rows = rows[rows["at"] < now]
    if rows.empty:
        return pd.DataFrame(columns=columns)
    begin = pd.Timestamp(datetime.combine(period.start, datetime.min.time())).tz_localize(lake.timezone)
    rows = rows.assign(inside=rows["at"] >= begin).sort_values("at", kind="stable")
    times = rows.groupby(["standard", "name"])["inside"].sum()
    last = rows.groupby(["standard", "name"]).tail(1).set_index(["standard", "name"])
    local = {name: last[name].dt.tz_convert(lake.timezone).dt.date for name in ("at", "due")}
    state = last["state"].map(lambda text: "overdue" if text == "late" else "kept")
    found = pd.DataFrame({"times": times, "last": local["at"], "due": local["due"], "state": state})
    order = {name: place for place, name in enumerate(rules)}
    found = found.reset_index(names=["kind", "name"])
    return found.sort_values(["kind", "name"], key=lambda own: own.map(order) if own.name == "kind" else own)[columns]
