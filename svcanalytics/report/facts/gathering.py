"""Fetch what an evaluation holds: a handful of measurements of one snapshot, turned into readings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pandas as pd

from svcanalytics import metrics, quality, store
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.views import view
from svcanalytics.periods import Period
from svcanalytics.report.facts.divisions import divisions_of
from svcanalytics.report.facts.readings import Clock, Reading, kind_of
from svcanalytics.report.scopes import narrow_lake
from svcanalytics.report.words.formats import is_missing, typeset
from svcanalytics.store.contract import contract
from svcanalytics.store.units import case_column

if TYPE_CHECKING:
    from svcanalytics.metrics import Metric
    from svcanalytics.quality import Dependence, IndexResult, Profile
    from svcanalytics.store import Lake

__all__ = [
    "Books",
    "Measured",
    "age_backlog",
    "choose_profile",
    "count_volumes",
    "estimate_dependence",
    "main_measures",
    "measure_months",
    "measure_periods",
    "measure_units",
    "measure_whole",
    "open_lake",
    "read_books",
    "read_clocks",
    "read_metrics",
    "score_periods",
]

#: Ages of open cases, in days: [from, to).
AGES = ((0, 1), (1, 3), (3, 7), (7, 30), (30, None))
#: Rows of a period loaded later than this after its end are late.
LATE_DAYS = 5
#: Days from which it is estimated how errors of measures go together.
DEPENDENCE_DAYS = 365
#: How many measures teams and channels are compared by.
MOST_MEASURES = 2


@dataclass(frozen=True)
class Measured:
    """The measurement of all metrics over the periods up to the reported one."""

    history: pd.DataFrame
    left_out: Mapping[str, str]
    metrics: Mapping[str, Metric]
    incomplete: bool


@dataclass(frozen=True)
class Books:
    """What a lake says about itself: rows per table, loads, and the local day of the newest case or contact."""

    tables: pd.DataFrame
    loads: pd.DataFrame
    until: date | None


def open_lake(lake: Lake | str | Path, snapshot: int | None, scope: str = "all") -> Lake:
    """Return the lake at the snapshot and with the rows of the unit asked for; a folder is opened, never made."""
    if isinstance(lake, str | Path):
        lake = store.open(lake, create=False)
    return narrow_lake(lake if snapshot is None or snapshot == lake.snapshot.id else lake.at(snapshot), scope)


def measure_periods(lake: Lake, period: Period, start: date, end: date) -> Measured:
    """Measure the whole catalogue over all periods from `start` to `end`."""
    history = metrics.measure(lake, every=period.kind, start=start, end=end)
    known = metrics.catalogue(lake).metrics
    now = history[history["period"] == period.key]
    # Cases or contacts decide: a survey that comes once a quarter doesn't make a month incomplete.
    main = [name for name, metric in known.items() if metric.kind == "count" and metric.view in ("cases", "contacts")]
    flags = now.loc[now["metric"].isin(main), "flag"]
    incomplete = bool((flags == "incomplete").any()) if len(flags) else bool((now["flag"] == "incomplete").any())
    return Measured(history, history.attrs.get("left_out", {}), known, incomplete or now.empty)


def read_metrics(lake: Lake, found: Measured, period: Period, language: str) -> tuple[Reading, ...]:
    """Return one reading per metric with data in the period, in the catalogue's order."""
    if not (found.history["period"] == period.key).any():
        return ()
    compared = metrics.compare(found.history, period, month_start=lake.month_start, country=lake.country)
    looked_at = found.history["period"].nunique()
    readings = []
    for row in compared.to_dict("records"):
        metric = found.metrics[row["metric"]]
        if is_missing(row["n"]):
            continue
        name, kind = typeset(metric.name[language], language), kind_of(metric.unit, metric.kind)
        if metric.unit == "minor":
            name += "（分）" if language == "zh" else " (minor units)"
        readings.append(
            _reading(row, name, kind, metric.direction, looked_at=looked_at, family=metric.family, unit=metric.unit)
        )
    return tuple(readings)


def choose_profile(lake: Lake) -> Profile | None:
    """Return the index profile made for the tables the lake holds, or None when none fits."""
    try:
        return quality.profile(None, lake)
    except CatalogueError:
        return None


def estimate_dependence(lake: Lake, profile: Profile | None, period: Period) -> Dependence | None:
    """Estimate from the year's days how errors of measures go together; None from fewer days than can tell."""
    if profile is None:
        return None
    start = min(period.start, period.last - timedelta(days=DEPENDENCE_DAYS - 1))
    try:
        return quality.measure_dependence(lake, profile, start=start, end=period.last)
    except CatalogueError:
        return None


def score_periods(
    lake: Lake, history: pd.DataFrame, profile: Profile | None, dependence: Dependence | None, period: Period
) -> IndexResult | None:
    """Return the index over all periods of the history; None without a profile.

    A floor rule may name a time standard, which is measured for that.
    """
    if profile is None:
        return None
    named = {cap.metric for cap in profile.caps} & set(metrics.rulebook(lake).standards) - set(history["metric"])
    if named and len(history):
        clocks = metrics.standards(lake, every=period.kind, start=history["start"].min().date(), end=period.last)
        history = pd.concat([history, clocks.loc[clocks["metric"].isin(named), history.columns]], ignore_index=True)
    return quality.score(history, profile, dependence=dependence)


def read_clocks(lake: Lake, period: Period, language: str) -> list[Clock]:
    """Return one clock per standard that has anything due or running in the period, with its change on the last."""
    measured = metrics.standards(lake, every=period.kind, start=period.previous().start, end=period.last)
    now = measured[measured["period"] == period.key].set_index("metric")
    if now.empty:
        return []
    rules = metrics.rulebook(lake).standards
    compared = metrics.compare(
        measured.drop(columns=["due", "on_time", "late", "running", "overrun_s"]),
        period,
        month_start=lake.month_start,
        country=lake.country,
    )
    clocks = []
    for row in compared.to_dict("records"):
        counts = now.loc[row["metric"]]
        hidden = row["flag"] == "suppressed"
        on_time, late = (
            None if hidden or is_missing(counts[name]) else int(counts[name]) for name in ("on_time", "late")
        )
        due, running = (0 if is_missing(counts[name]) else int(counts[name]) for name in ("due", "running"))
        overrun = None if is_missing(counts["overrun_s"]) else float(counts["overrun_s"])
        rule = rules[row["metric"]]
        reading = _reading(row, typeset(rule.name[language], language), "rate", "up", looked_at=2, unit="share")
        clocks.append(Clock(reading, due, on_time, late, running, overrun, bool(rule.of)))
    return clocks


def count_volumes(lake: Lake, every: str, start: date, end: date) -> dict[str, pd.DataFrame]:
    """Count what came in by channel and by type: period, group, count; contacts count where there are no cases."""
    counted = {}
    metric = "cases_opened" if lake.has("cases") else "contacts_offered"
    for dimension in ("channel", "business_type") if metric == "cases_opened" else ("channel", "queue"):
        frame = metrics.measure(lake, [metric], by=[dimension], every=every, start=start, end=end)
        if frame[dimension].notna().any():  # a dimension nobody filled in tells nothing
            counted[dimension] = frame.rename(columns={dimension: "group"}).assign(
                count=frame["numerator"].fillna(0).astype(int)
            )[["period", "group", "count"]]
    if not counted:
        frame = metrics.measure(lake, [metric], every=every, start=start, end=end)
        counted["all"] = frame.assign(group="all", count=frame["numerator"].fillna(0).astype(int))[
            ["period", "group", "count"]
        ]
    return counted


def measure_whole(lake: Lake, period: Period, readings: tuple[Reading, ...]) -> dict[str, float]:
    """Return what the whole organisation has in the period where the lake shows one unit of it; empty elsewhere."""
    shown = [reading.id for reading in readings]
    if not lake.unit or not shown:
        return {}
    found = metrics.measure(lake.whole, shown, every=period.kind, start=period.start, end=period.last)
    return {name: float(value) for name, value in zip(found["metric"], found["value"], strict=True) if value == value}


def main_measures(readings: tuple[Reading, ...], profile: Profile | None) -> list[str]:
    """Return the ids of the measures that matter most: by weight in the index, then those with a target."""
    weights = {} if profile is None else {m.metric: m.weight * profile.families[m.family] for m in profile.metrics}
    shown = [
        reading
        for reading in readings
        if not is_missing(reading.value) and reading.kind in ("rate", "duration", "number")
    ]
    order = sorted(shown, key=lambda reading: (-weights.get(reading.id, 0.0), is_missing(reading.target)))
    return [reading.id for reading in order]


def measure_units(
    lake: Lake, period: Period, readings: tuple[Reading, ...], profile: Profile | None
) -> dict[str, pd.DataFrame]:
    """Measure the main indicators of the period by team and by channel, where there are two or more of these."""
    found = {}
    for dimension in divisions_of(lake):
        column = case_column(lake, dimension) or dimension
        chosen = [name for name in main_measures(readings, profile) if _splits(lake, name, column)][:MOST_MEASURES]
        if not chosen:
            continue
        frame = metrics.measure(lake, chosen, by=[column], every=period.kind, start=period.start, end=period.last)
        frame = frame[frame[column].notna()].rename(columns={column: dimension})
        if frame[dimension].nunique() >= 2:
            found[dimension] = frame
    return found


def measure_months(lake: Lake, period: Period, readings: tuple[Reading, ...], profile: Profile | None) -> pd.DataFrame:
    """Measure the main indicators by month inside a longer period."""
    if period.kind not in ("quarter", "half_year", "year"):
        return pd.DataFrame()
    chosen = [reading.id for reading in readings if not is_missing(reading.target)] or main_measures(readings, profile)[
        :8
    ]
    if not chosen:
        return pd.DataFrame()
    return metrics.measure(lake, chosen, every="month", start=period.start, end=period.last)


def age_backlog(lake: Lake, period: Period) -> tuple[pd.DataFrame, int | None]:
    """Count the cases open at the end of the period by age, and those open at its start.

    Returns
    -------
    ages : DataFrame
        from_d, to_d (days), count, overdue (past due_at; no such column where none is known). Empty without cases
        whose end is noted.
    before : int or None
        Open when the period began; None before the first case.
    """
    if not lake.has("cases"):
        return pd.DataFrame(), None
    start, end = _instant(lake, period.start), _instant(lake, period.end)
    # A source that never notes when a case ended would have all of its cases open for ever.
    noting = (
        "source in (select source from cases group by source "
        "having count(resolved_at) + count(closed_at) + count(resolution) > 0)"
    )
    rows = lake.sql(
        f"select case when {_open_at(end)} then floor((epoch({end}) - epoch(opened_at)) / 86400) end as age, "
        f"count(*) as n, count(due_at) as known, count(*) filter (where due_at < {end}) as late, "
        f"count(*) filter (where {_open_at(start)}) as before, min(opened_at) < {start} as begun "
        f"from cases where {noting} group by 1"
    )
    if rows.empty:
        return pd.DataFrame(), None
    still = rows[rows["age"].notna()]
    records = []
    for low, high in AGES:
        of_age = still[(still["age"] >= low) & (still["age"] < (float("inf") if high is None else high))]
        records.append(
            {"from_d": low, "to_d": high, "count": int(of_age["n"].sum()), "overdue": int(of_age["late"].sum())}
        )
    ages = pd.DataFrame(records)
    ages = ages if still["known"].sum() else ages.drop(columns="overdue")
    return ages, int(rows["before"].sum()) if rows["begun"].any() else None


def read_books(lake: Lake, period: Period) -> Books:
    """Return what the lake says about itself: tables, loads, newest day, rows of the period and how many came late."""
    first, last = (int(day.strftime("%Y%m%d")) for day in (period.start, period.last))
    tables = lake.tables()
    dated = [name for name in tables["table"] if lake.has(name) and contract()[name].time]
    con = lake.connection()
    try:
        loads = con.sql(
            'select load_id, "at", source, read, new, updated, unchanged, quarantined from loads '
            "where status = 'loaded' order by 2"
        ).df()
        each = " union all ".join(
            f"select '{name}' as name, load_id, "
            f"count(*) filter (where day_key between {first} and {last}) as n from {name} group by load_id"
            for name in dated
        )
        # A unit in which nothing happens for a while has no gap in its data.
        days = "select day_key from main.cases union all select day_key from main.contacts"
        newest = con.sql(f"select max(day_key) as day from ({days})").df()["day"].iloc[0]
        rows = con.sql(each).df() if dated else pd.DataFrame(columns=["name", "load_id", "n"])
    finally:
        con.close()
    limit = pd.Timestamp(period.end + timedelta(days=LATE_DAYS)).tz_localize(lake.timezone)
    rows = rows.merge(loads[["load_id", "at"]], on="load_id", how="left")
    # A table's first load brings its history: nothing in it is late.
    begun = rows.groupby("name")["at"].transform("min")
    late = rows["n"].where((rows["at"] > limit) & (rows["at"] > begun), 0)
    counted = rows.assign(late=late).groupby("name")[["n", "late"]].sum()
    tables = tables.assign(
        period_rows=tables["table"].map(counted["n"]).astype("Int64"),
        late=tables["table"].map(counted["late"]).astype("Int64"),
    )
    until = None if is_missing(newest) else date(int(newest) // 10_000, int(newest) // 100 % 100, int(newest) % 100)
    return Books(tables, loads, until)


def _reading(
    row: Mapping, name: str, kind: str, direction: str, *, looked_at: int, family: str = "", unit: str = ""
) -> Reading:
    def number(key: str) -> float | None:
        value = row.get(key)
        return None if is_missing(value) else float(value)

    def truth(key: str) -> bool | None:
        value = row.get(key)
        return None if is_missing(value) else bool(value)

    return Reading(
        id=row["metric"],
        name=name,
        kind=kind,
        direction=direction if direction in ("up", "down") else "",
        value=number("value"),
        low=number("low"),
        high=number("high"),
        n=int(row["n"]),
        target=number("target"),
        light=None if is_missing(row.get("target")) else row.get("light") or None,
        previous=number("previous"),
        change=number("change"),
        significant=truth("change_significant"),
        last_year=number("last_year"),
        yoy_change=number("yoy_change"),
        yoy_significant=truth("yoy_significant"),
        ytd=number("ytd"),
        previous_base=str(row.get("previous_base") or ""),
        yoy_base=str(row.get("yoy_base") or ""),
        streak=int(row.get("streak") or 0),
        streak_open=abs(int(row.get("streak") or 0)) >= looked_at,
        flag=row.get("flag") or "",
        family=family,
        unit=unit,
    )


def _splits(lake: Lake, metric: str, column: str) -> bool:
    return column in view(metrics.catalogue(lake).metrics[metric].view).columns()


def _instant(lake: Lake, day: date) -> str:
    local = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(lake.timezone))
    return f"to_timestamp({local.timestamp():.0f})"


def _open_at(at: str) -> str:
    ended = "coalesce(resolved_at, closed_at)"
    return f"opened_at < {at} and (({ended} is null and resolution is null) or {ended} >= {at})"
