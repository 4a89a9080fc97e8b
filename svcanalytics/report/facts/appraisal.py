"""What a staff appraisal rests on: each agent's measures adjusted for the kind of work, training and attendance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import metrics, quality
from svcanalytics.errors import CatalogueError, PublishError
from svcanalytics.metrics.measures import measure_definitions
from svcanalytics.metrics.views import view
from svcanalytics.report.facts import gathering
from svcanalytics.report.facts.development import find_needs, read_presence, read_training
from svcanalytics.report.facts.occasion import Occasion, open_occasion
from svcanalytics.report.facts.places import SMALLEST

if TYPE_CHECKING:
    from svcanalytics.metrics import Metric
    from svcanalytics.periods import Period
    from svcanalytics.quality import Profile
    from svcanalytics.store import Lake

__all__ = ["ATTRIBUTABLE", "PEERS", "Appraisal", "appraise", "narrow_profile"]

#: What one person can be held to; not how long a queue waits, or whether a case that reaches an expert is the first
#: contact.
ATTRIBUTABLE = (
    *("resolution_rate", "contact_resolution", "reopen_rate", "responded_15min"),
    *("csat", "attitude_score", "skill_score", "qa_score", "courtesy_score"),
)
#: The column that says what kind of work it was, by view.
_MIX = {"cases": "business_type", "contacts": "queue", "surveys": "queue", "audits": "scene"}
#: Fewest people of a team to compare them with one another.
PEERS = 3
LEVEL = 0.95
#: Records below which a measure of somebody is not shown.
SMALLEST_MEASURE = 10


@dataclass(frozen=True)
class Appraisal:
    """Agents of a period side by side; no customer, no text.

    Attributes
    ----------
    occasion : Occasion
    agents : DataFrame
        agent, team, role: those with a record of their own in the period; team ("" where not known) and role.
    overall : DataFrame
        As `quality.compare` gives it of the appraisal's score (0-100), within each team, with team. Nobody in a team of
        fewer than `PEERS` is here.
    measured : DataFrame
        As `quality.compare` gives it of each measure, within each team, with team; where there are no peers as
        `measure` gives it, with flag few_peers.
    measures : tuple of Metric
        What was measured, the heaviest first.
    weights : mapping of str to float
        Their weights in the score.
    training : DataFrame
        agent, hours, courses, mark (mean), required (hours); missing columns where there is no record of training.
    presence : DataFrame
        agent, adherence, low, high, overtime_h; empty without rosters.
    needs : DataFrame
        agent, kind ("measure", "item", "hours", "exam"), what, detail (hours missing): what to train.
    stars : DataFrame
        Those better than their team for sure, as rows of `overall`; without those a fatal error rules out.
    """

    occasion: Occasion
    agents: pd.DataFrame
    overall: pd.DataFrame
    measured: pd.DataFrame
    measures: tuple[Metric, ...]
    weights: dict[str, float]
    training: pd.DataFrame
    presence: pd.DataFrame
    needs: pd.DataFrame
    stars: pd.DataFrame


def appraise(
    lake: Lake | str, *, period: str, report: str = "staff_appraisal", language: str = "zh", scope: str = "all",
    snapshot: int | None = None,
) -> Appraisal:  # fmt: skip
    """Gather what the appraisal of a quarter rests on.

    People are compared within their team, where the work is alike, and each measure is adjusted for what is left of
    differences in the kind of work (type of request, queue, scene). The 5 % of false alarms are shared by all teams.

    Parameters
    ----------
    lake : Lake or str
        The lake or its folder.
    period : str
        Such as "2026Q3".
    report, language, scope, snapshot
        As `evaluate` takes them.

    Raises
    ------
    PublishError
        When the data name fewer than two agents in the period. Otherwise as `open_occasion`.
    """
    lake, occasion = open_occasion(lake, period, report, language, scope, snapshot)
    span = occasion.period
    profile = gathering.choose_profile(lake)
    chosen = _choose(lake, profile)
    parts = _measure(lake, chosen, span)
    if profile is None or parts.empty or parts["agent"].nunique() < 2:
        raise PublishError(
            f"the data of {span.key} name no two agents with anything to compare",
            where="column agent of cases, contacts, surveys and audits",
            fix="load them with the column agent filled in",
        )
    held = set(parts["metric"])
    chosen = tuple(metric for metric in chosen if metric.id in held)
    own = narrow_profile(profile, [metric.id for metric in chosen])
    people = _people(lake, parts["agent"])
    overall, measured = _compare_teams(lake, span, parts, people, own, chosen, profile)
    training = read_training(lake, span)
    barred = quality.barred_units(
        metrics.measure(lake, ["fatal_error_rate"], ["agent"], span.kind, span.start, span.last), "agent"
    )
    return Appraisal(
        occasion=occasion,
        agents=people,
        overall=overall,
        measured=measured,
        measures=chosen,
        weights=own.shares,
        training=training,
        presence=read_presence(lake, span),
        needs=find_needs(lake, span, people, measured, training),
        stars=overall[(overall["stands_out"] == "better") & ~overall["unit"].isin(barred)].reset_index(drop=True),
    )


def narrow_profile(profile: Profile, measures: Sequence[str]) -> Profile:
    """Return a profile of some of its measures alone; their weights keep their proportions.

    Parameters
    ----------
    profile : Profile
    measures : sequence of str
        Metrics of the profile, at least one.
    """
    kept = [metric for metric in profile.metrics if metric.metric in set(measures)]
    sums: dict[str, float] = {}
    for metric in kept:
        sums[metric.family] = sums.get(metric.family, 0.0) + metric.weight
    shares = {family: profile.families[family] * weight for family, weight in sums.items()}
    whole = sum(shares.values())
    return replace(
        profile,
        families={family: share / whole for family, share in shares.items()},
        metrics=tuple(replace(metric, weight=metric.weight / sums[metric.family]) for metric in kept),
        caps=(),
        situations=(),
    )


def _choose(lake: Lake, profile: Profile | None) -> tuple[Metric, ...]:
    if profile is None:
        return ()
    known, shares = metrics.catalogue(lake).metrics, profile.shares
    held = [known[name] for name in ATTRIBUTABLE if name in shares]
    held = [metric for metric in held if all(lake.has(table) for table in view(metric.view).needs)]
    return tuple(sorted(held, key=lambda metric: -shares[metric.id]))


def _measure(lake: Lake, chosen: Sequence[Metric], period: Period) -> pd.DataFrame:
    """Measure by agent and kind of work; small cells are kept, since they are added up again."""
    parts = []
    for mix in dict.fromkeys(_MIX[metric.view] for metric in chosen):
        own = [metric.model_copy(update={"min_n": 0}) for metric in chosen if _MIX[metric.view] == mix]
        found = measure_definitions(lake, own, ["agent", mix], period.kind, period.start, period.last)
        if len(found):
            parts.append(found.rename(columns={mix: "mix"}))
    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["agent", "metric"])
    return frame[frame["agent"].notna()].reset_index(drop=True)


def _compare_teams(
    lake: Lake,
    period: Period,
    parts: pd.DataFrame,
    people: pd.DataFrame,
    own: Profile,
    chosen: Sequence[Metric],
    profile: Profile,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    dependence = gathering.estimate_dependence(lake, profile, period)
    sizes = people.groupby("team")["agent"].size()
    teams = sizes.index[sizes >= PEERS]
    level = 1 - (1 - LEVEL) / max(len(teams), 1)
    overall, measured = [], []
    for team in teams:
        rows = parts[parts["agent"].isin(people.loc[people["team"] == team, "agent"])]
        counts = rows.groupby("metric")["agent"].nunique()
        held = [metric.id for metric in chosen if counts.get(metric.id, 0) >= 2]
        for of, smallest, found in ((["index"], SMALLEST, overall), (held, SMALLEST_MEASURE, measured)):
            try:
                compared = quality.compare(
                    rows, own, "agent", of=of, period=period.key, level=level, smallest=smallest, dependence=dependence
                )
            except CatalogueError:  # people of the team have no kind of work in common
                continue
            found.append(compared.assign(team=team))
    alone = people.loc[~people["team"].isin(teams), "agent"]
    if len(alone):
        names, where = [metric.id for metric in chosen], {"agent": list(alone)}
        plain = metrics.measure(lake, names, ["agent"], period.kind, period.start, period.last, where)
        plain = plain.merge(people[["agent", "team"]], on="agent")
        shown = plain[["metric", "agent", "period", "value", "low", "high", "n", "team"]]
        shown = shown.rename(columns={"metric": "of", "agent": "unit"})
        measured.append(shown.assign(stands_out="", flag="few_peers"))
    empty = pd.DataFrame(columns=["of", "unit", "value", "low", "high", "n", "stands_out", "flag", "team"])
    return tuple(pd.concat(found, ignore_index=True) if found else empty for found in (overall, measured))


def _people(lake: Lake, named: pd.Series) -> pd.DataFrame:
    """Return who has records in the period, and the team each is in: as the staff list says, else where they work."""
    frame = pd.DataFrame({"agent": sorted(named.unique())})
    parts = [
        f"select agent, team, count(*) as n from {table} where agent is not null and team is not null group by all"
        for table in ("contacts", "cases")
        if lake.has(table)
    ]
    worked = lake.sql(
        f"select agent, arg_max(team, n) as worked from (select agent, team, sum(n) as n from "
        f"({' union all '.join(parts)}) group by all) group by 1"
    )
    frame = frame.merge(worked, on="agent", how="left")
    if lake.has("agents"):
        frame = frame.merge(lake.sql("select agent, team, role from agents"), on="agent", how="left")
    else:
        frame = frame.assign(team=None, role=None)
    frame["team"] = frame["team"].where(frame["team"].notna(), frame["worked"]).fillna("")
    return frame.drop(columns="worked").sort_values(["team", "agent"], ignore_index=True)
