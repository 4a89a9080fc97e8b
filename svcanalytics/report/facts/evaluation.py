"""The evaluation of one period: everything its report says, computed once from one snapshot of the lake."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import quality
from svcanalytics.errors import CatalogueError, PublishError
from svcanalytics.periods import Period, parse_period
from svcanalytics.report.facts import gathering, lateness
from svcanalytics.report.facts.carried import read_standing
from svcanalytics.report.facts.diagnosis import Diagnosis, diagnose
from svcanalytics.report.facts.divisions import divide_measures, divisions_of
from svcanalytics.report.facts.foresight import Ahead, foresee
from svcanalytics.report.facts.movement import Movement, explain_index, explain_measure
from svcanalytics.report.facts.places import Places, Stars, choose_stars, compare_places
from svcanalytics.report.facts.readings import Clock, Reading
from svcanalytics.report.facts.topics import Topics, read_topics

if TYPE_CHECKING:
    from svcanalytics.improve import LedgerStanding
    from svcanalytics.metrics import Metric
    from svcanalytics.quality import Dependence, IndexResult, Profile
    from svcanalytics.store import Lake

__all__ = ["LOOK_BACK", "REPORTS", "Evaluation", "evaluate"]

#: Kind of period each report is about.
REPORTS = {"weekly": "week", "monthly": "month", "quarterly": "quarter", "half_yearly": "half_year", "yearly": "year"}

#: Periods shown before the reported one; never fewer than lead to the same period last year.
LOOK_BACK = {"day": 28, "week": 26, "month": 12, "quarter": 8, "half_year": 4, "year": 2}

#: Kinds of period whose report asks for causes: a week has too few cases, of a year they were told.
DIAGNOSED = ("month", "quarter", "half_year")

#: Measures tried one after the other where there is no index to explain or to compare on.
MOST_TRIED = 4


@dataclass(frozen=True)
class Evaluation:
    """What a report is written from. Frames are tidy; nothing in here is text for readers but names.

    Attributes
    ----------
    report, period, language, scope
        What was asked for.
    organisation : str
        Its name; "" when `svcanalytics.toml` gives none.
    made_up : bool
        The lake holds the demonstration's data.
    snapshot : int
        The lake's snapshot that was read.
    data_until : date or None
        Local day of the newest case or contact.
    incomplete : bool
        The data stop inside the period, or begin in it.
    whole : mapping of str to float
        In the report of a unit what the whole organisation has in the period, by measure; else empty.
    readings : tuple of Reading
        One per metric with data in the period, in the catalogue's order.
    clocks : tuple of Clock
        One per standard with anything due or running.
    history : DataFrame
        `measure` over the periods up to this one.
    index : IndexResult or None
        Scores over the same periods.
    profile : Profile or None
        The index profile.
    dependence : Dependence or None
        How errors of measures go together; the index's band knows it. None from too few days.
    movement : Movement or None
        Why the index moved since last period, or the heaviest measure that can be explained.
    causes : Diagnosis or None
        What went wrong beyond chance and why; None for a report that doesn't ask (a week, a year).
    places : Places or None
        Teams, or channels, compared on the index or the heaviest measure.
    stars : Stars or None
        Agents that stand out; None where the data name none.
    weights, chained : DataFrame
        Weights by day over the year up to the period's end, and the index as scored, chained and with constant weights;
        empty for a profile without situations.
    volumes : mapping of str to DataFrame
        For each dimension (channel, business_type): period, group, count.
    units : mapping of str to DataFrame
        For each dimension (team, channel): `measure` of this period by it.
    months : DataFrame
        `measure` by month inside the period; empty for a report about one month or less.
    late_teams, late_cases : DataFrame
        Teams behind the missed standards, and the cases late by most, as `lateness` gives them.
    backlog : DataFrame
        age (label key), count, overdue; empty without cases.
    backlog_before : int or None
        Open cases at the end of last period.
    ledger : LedgerStanding or None
        The rectification ledger at the end of the period; None where there is none.
    ahead : Ahead or None
        Demand of the next period; None where nothing arrives.
    topics : Topics
        What sections of their own are written from: access, complaints, quality checks, the risk register, the ledger.
    tables, loads : DataFrame
        Rows per table; loads with rows read, new, updated, unchanged, quarantined.
    undivided : tuple of str
        In the report of a unit the tables that say nothing about such units.
    left_out : mapping of str to str
        Metrics without data in this lake and why.
    metrics : mapping of str to Metric
        The catalogue.
    """

    report: str
    period: Period
    language: str
    scope: str = "all"
    organisation: str = ""
    made_up: bool = False
    snapshot: int = 0
    data_until: date | None = None
    incomplete: bool = False
    whole: Mapping[str, float] = field(default_factory=dict)
    readings: tuple[Reading, ...] = ()
    clocks: tuple[Clock, ...] = ()
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    index: IndexResult | None = None
    profile: Profile | None = None
    dependence: Dependence | None = None
    movement: Movement | None = None
    causes: Diagnosis | None = None
    places: Places | None = None
    stars: Stars | None = None
    weights: pd.DataFrame = field(default_factory=pd.DataFrame)
    chained: pd.DataFrame = field(default_factory=pd.DataFrame)
    volumes: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    units: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    months: pd.DataFrame = field(default_factory=pd.DataFrame)
    late_teams: pd.DataFrame = field(default_factory=pd.DataFrame)
    late_cases: pd.DataFrame = field(default_factory=pd.DataFrame)
    backlog: pd.DataFrame = field(default_factory=pd.DataFrame)
    backlog_before: int | None = None
    ledger: LedgerStanding | None = None
    ahead: Ahead | None = None
    topics: Topics = field(default_factory=Topics)
    tables: pd.DataFrame = field(default_factory=pd.DataFrame)
    loads: pd.DataFrame = field(default_factory=pd.DataFrame)
    undivided: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, Metric] = field(default_factory=dict)

    @property
    def every(self) -> str:
        """Kind of the report's period."""
        return self.period.kind

    def reading(self, metric: str) -> Reading | None:
        """Return the reading of one metric, or None without data."""
        return next((reading for reading in self.readings if reading.id == metric), None)

    def periods(self) -> list[Period]:
        """Return the periods of the history in order of time, this one last."""
        return _look_back(self.period)


def evaluate(
    lake: Lake | str, *, period: str, report: str = "monthly", language: str = "zh", scope: str = "all",
    snapshot: int | None = None,
) -> Evaluation:  # fmt: skip
    """Compute everything a report says about one period.

    Parameters
    ----------
    lake : Lake or str
        The lake or its folder.
    period : str
        "2026-10", "2026Q3", "2026H2" …
    report : str
        monthly, quarterly, half_yearly, weekly or yearly.
    language : str
        "zh" or "en": the language of names in it.
    scope : str
        "all": the whole organisation; "team:NAME" and the like: one unit of it.
    snapshot : int, optional
        Read the lake as it stood then; default: the lake's own snapshot.

    Raises
    ------
    PublishError
        When the report is unknown, the period is of another kind, or the lake holds neither cases nor contacts.
    """
    opened = gathering.open_lake(lake, snapshot, scope)
    asked = parse_period(period, opened.month_start)
    _check(opened, asked, report, language)
    with opened.held() as held, ThreadPoolExecutor(1, "diagnose") as beside:
        return _computed(held, beside, asked, report, language, scope)


def _computed(lake: Lake, beside: Executor, asked: Period, report: str, language: str, scope: str) -> Evaluation:
    periods = _look_back(asked)
    start, end = periods[0].start, asked.last
    # Causes are looked for by one core while the engine answers everything else on the other.
    causes = beside.submit(diagnose, lake, asked) if asked.kind in DIAGNOSED else None
    found = gathering.measure_periods(lake, asked, start, end)
    readings = gathering.read_metrics(lake, found, asked, language)
    books = gathering.read_books(lake, asked)
    ages, before = gathering.age_backlog(lake, asked)
    clocks = tuple(gathering.read_clocks(lake, asked, language))
    late_teams, late_cases = lateness.read_late(lake, asked, [clock.reading.id for clock in clocks if clock.missed])
    profile = gathering.choose_profile(lake)
    dependence = gathering.estimate_dependence(lake, profile, asked)
    index = gathering.score_periods(lake, found.history, profile, dependence, asked)
    weights, chained = _follow_weights(found.history, profile, asked)
    movement, places = _compare(lake, asked, found.history, readings, index, profile, dependence)
    return Evaluation(
        report=report,
        period=asked,
        language=language,
        scope=scope,
        organisation=lake.settings.organisation,
        made_up=lake.made_up,
        snapshot=lake.snapshot.id,
        data_until=books.until,
        incomplete=found.incomplete or _stops_inside(books.until, asked),
        whole=gathering.measure_whole(lake, asked, readings),
        readings=readings,
        clocks=clocks,
        history=found.history,
        index=index,
        profile=profile,
        dependence=dependence,
        movement=movement,
        places=places,
        stars=_choose_stars(lake, asked, readings, profile, dependence),
        weights=weights,
        chained=chained,
        volumes=gathering.count_volumes(lake, asked.kind, start, end),
        units=gathering.measure_units(lake, asked, readings, profile),
        months=gathering.measure_months(lake, asked, readings, profile),
        late_teams=late_teams,
        late_cases=late_cases,
        backlog=ages,
        backlog_before=before,
        ledger=read_standing(lake, asked),
        ahead=foresee(lake, asked),
        topics=read_topics(lake, asked),
        tables=books.tables,
        loads=books.loads,
        undivided=lake.unit.left_out if lake.unit else (),
        left_out=found.left_out,
        metrics=found.metrics,
        causes=causes.result() if causes else None,  # waited for when all else is there
    )


def _compare(
    lake: Lake,
    period: Period,
    history: pd.DataFrame,
    readings: tuple[Reading, ...],
    index: IndexResult | None,
    profile: Profile | None,
    dependence: Dependence | None,
) -> tuple[Movement | None, Places | None]:
    """Explain the change since last period and compare the units it is split by: teams, where there are none channels.

    Without an index in both periods the heaviest measure that can be split is explained.
    """
    weighed = _weighed(readings, profile)
    chosen = list(dict.fromkeys([*weighed, *gathering.main_measures(readings, profile)[:MOST_TRIED]]))
    unit, parts = "", pd.DataFrame()
    for unit in divisions_of(lake):
        parts = divide_measures(lake, chosen, unit, period, before=True)
        if len(parts):
            break
    keys = period.key, period.previous().key
    movement = explain_index(history, parts, unit, index, profile, *keys, dependence)
    if movement is None:
        tried = (reading for name in chosen[:MOST_TRIED] for reading in readings if reading.id == name)
        found = (explain_measure(history, parts, unit, reading, *keys, dependence) for reading in tried)
        movement = next((each for each in found if each is not None), None)
    return movement, compare_places(parts, unit, profile, weighed[:MOST_TRIED], *keys, dependence)


def _choose_stars(
    lake: Lake,
    period: Period,
    readings: tuple[Reading, ...],
    profile: Profile | None,
    dependence: Dependence | None,
) -> Stars | None:
    weighed = _weighed(readings, profile)
    if lake.unit:  # inside one unit people know one another too well for a contest
        return None
    parts = divide_measures(lake, weighed, "agent", period, before=False)
    return choose_stars(parts, profile, weighed[:MOST_TRIED], period.key, dependence)


def _weighed(readings: tuple[Reading, ...], profile: Profile | None) -> list[str]:
    """Return the measures of the index that have data in the period, the heaviest first."""
    if profile is None:
        return []
    shares, held = profile.shares, {reading.id for reading in readings}
    return sorted((name for name in shares if name in held), key=lambda name: -shares[name])


def _follow_weights(
    history: pd.DataFrame, profile: Profile | None, period: Period
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the weights of every day of the year up to the period's end, and the index free of them."""
    if profile is None or not profile.situations:
        return pd.DataFrame(), pd.DataFrame()
    weights = quality.weights_over(profile, period.last - timedelta(days=364), period.last)
    try:
        return weights, quality.chain(history, profile)
    except CatalogueError:  # no period has an index
        return weights, pd.DataFrame()


def _look_back(period: Period) -> list[Period]:
    earliest = min(period.previous(LOOK_BACK[period.kind]).start, period.same_last_year().start)
    if period.kind == "month" and period.last.month == 2:
        earliest = min(earliest, period.same_last_year().previous().start)  # January and February are compared together
    found = [period]
    while found[-1].start > earliest:
        found.append(found[-1].previous())
    return found[::-1]


def _stops_inside(until: date | None, period: Period) -> bool:
    """Tell whether no record is younger than a week before the period's end; no holiday closes a service for longer."""
    return until is None or (period.last - until).days > 7


def _check(lake: Lake, period: Period, report: str, language: str) -> None:
    if report not in REPORTS:
        raise PublishError(f"there is no report {report!r}", fix=f"use one of {', '.join(REPORTS)}")
    if period.kind != REPORTS[report]:
        raise PublishError(
            f"{period.key} is not the period of a {report} report",
            where="period",
            fix=f"name a {REPORTS[report].replace('_', '-')}",
        )
    if language not in ("zh", "en"):
        raise PublishError(f"no reports in language {language!r}", fix='use "zh" or "en"')
    if not (lake.has("cases") or lake.has("contacts")):
        raise PublishError("the lake holds neither cases nor contacts", where=str(lake.path), fix="load a file first")
