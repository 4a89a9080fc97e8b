"""What the schedule makes: loads, forecast, and for each period measures, findings and reports."""

# Dagster reads the annotations of `context` when a function is decorated, so they must not be postponed.

import html
import re
import urllib.parse
from pathlib import Path

import dagster as dg
import pandas as pd
from pydantic import Field

import svcanalytics as sv
from pipelines.installation import Installation
from pipelines.partitions import partitions_of, period_of_key
from svcanalytics.charts.characters import readable
from svcanalytics.errors import PassingFaultError, SvcError
from svcanalytics.periods import Period
from svcanalytics.report.publication.edition import Edition
from svcanalytics.report.scheduling.agenda import Due, Outcome, list_period
from svcanalytics.report.scheduling.news import expect_news, tell_news
from svcanalytics.report.scheduling.readiness import examine_period

__all__ = ["DropFile", "build_forecast", "build_loads", "build_period_assets", "show_first"]

_SHOWN = 20
_LOADS = "One file loaded into the lake. Files in the drop folder start it; the same file again changes nothing."
_FORECAST = "The demand ahead, kept in the lake to be compared with what comes."
_MEASURES = "All measures of the period. Fails while the period runs or its data are late, and says what is missing."
_FINDINGS = "What costs the quality index most in the period: segments, themes, steps and habits, with their points."
_REPORTS = (
    "The editions that the timetable wants of the period: published once, the next edition only for other inputs."
)


class DropFile(dg.Config):
    """A file to load."""

    file: str = Field(description="Its path")
    source: str = Field(default="", description="Name of the source mapping; empty: the columns tell")


def build_loads(installation: Installation) -> dg.AssetsDefinition:
    """Return the asset of what has been loaded: one run loads one file; the same file again changes nothing."""

    @dg.asset(name="loads", group_name="data", description=_LOADS)
    def loads(context: dg.AssetExecutionContext, config: DropFile) -> dg.MaterializeResult:
        try:
            result = sv.load(installation.open_lake(), config.file, source=config.source or None)
        except SvcError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        counts = {name: getattr(result, name) for name in ("read", "new", "updated", "unchanged", "quarantined")}
        return dg.MaterializeResult(metadata={"file": Path(config.file).name, **counts})

    return loads


def build_forecast(installation: Installation) -> dg.AssetsDefinition:
    """Return the asset of the newest forecast, kept in the lake to be compared with what comes."""

    @dg.asset(name="forecast", deps=["loads"], group_name="data", description=_FORECAST)
    def forecast(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        from svcanalytics import demand

        lake = installation.open_lake()
        table, by, slot = ("contacts", "queue", "30min") if lake.has("contacts") else ("cases", "channel", "day")
        try:
            counted = demand.count(lake, table, by=[by], slot=slot)
            arrivals = demand.Arrivals(counted, slot, holidays=lake.country, timezone=lake.timezone)
            kept = demand.keep(lake, demand.forecast(arrivals), table=table, by=[by])
        except SvcError as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
        return dg.MaterializeResult(metadata={"forecast": kept, "queues": int(counted["queue"].nunique())})

    return forecast


def build_period_assets(installation: Installation, kind: str, lake: sv.Lake) -> list[dg.AssetsDefinition]:
    """Return the assets of one kind of period: its measures, and after them its findings and its reports.

    Measures refuse a period whose data are not there, naming what is missing, so nothing after them runs.
    """
    partitions = partitions_of(kind, installation.first_day(), lake.timezone, lake.month_start)
    common = {"partitions_def": partitions, "group_name": kind}

    def period_of(context: dg.AssetExecutionContext) -> Period:
        return period_of_key(context.partition_key, kind, lake.month_start)

    @dg.asset(name=f"measures_{kind}", deps=["loads"], description=_MEASURES, **common)
    def measures(context: dg.AssetExecutionContext) -> pd.DataFrame:
        period, now = period_of(context), installation.open_lake()
        ready = examine_period(now, period, installation.today(now))
        if ready.state != "ready":
            missing = "; ".join(ready.missing) or f"it ends on {period.last}"
            raise dg.Failure(description=f"{period.key} is {ready.state}: {missing}", allow_retries=False)
        found = sv.measure(now, every=kind, start=period.key, end=period.key)
        context.add_output_metadata(
            {"snapshot": now.snapshot.id, "measures": len(found), "first": dg.MetadataValue.md(show_first(found))}
        )
        return found

    @dg.asset(name=f"findings_{kind}", deps=[measures], description=_FINDINGS, **common)
    def findings(context: dg.AssetExecutionContext) -> pd.DataFrame:
        from svcanalytics import causes

        found = causes.findings(installation.open_lake(), period_of(context).key)
        shown = found[["kind", "measure", "where", "n", "points", "low", "high", "layer"]]
        context.add_output_metadata({"findings": len(found), "first": dg.MetadataValue.md(show_first(shown))})
        return found.drop(columns=["cases", "details"])

    @dg.asset(name=f"reports_{kind}", deps=[measures], description=_REPORTS, **common)
    def reports(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        period, now = period_of(context), installation.open_lake()
        editions = {}
        for due in list_period(now, installation.timetable, period):
            edition = _publish(context, installation, now, due)
            editions["/".join(edition.path.parts[-4:-1])] = _link(installation, edition)
        return dg.MaterializeResult(metadata=editions or {"reports": "none in the timetable"})

    return [measures, findings, reports]


def _publish(context: dg.AssetExecutionContext, installation: Installation, lake: sv.Lake, due: Due):
    # One publication; what may pass by itself is tried again by Dagster, the last word is told once.
    timetable = installation.timetable
    expect_news([due], installation.reports)
    try:
        edition = sv.publish(
            due.report, due.period, lake, installation.reports, due.language, due.scope, formats=timetable.formats
        )
    except PassingFaultError as error:
        if context.retry_number < timetable.retries:
            wait = timetable.retry_wait_s * 2**context.retry_number
            raise dg.RetryRequested(max_retries=timetable.retries, seconds_to_wait=wait) from error
        _tell(context, installation, Outcome(due, None, error, context.retry_number + 1))
        raise dg.Failure(description=str(error), allow_retries=False) from None
    except SvcError as error:
        _tell(context, installation, Outcome(due, None, error, context.retry_number + 1))
        raise dg.Failure(description=str(error), allow_retries=False) from None
    _tell(context, installation, Outcome(due, edition, None, context.retry_number + 1))
    return edition


def _tell(context: dg.AssetExecutionContext, installation: Installation, outcome: Outcome) -> None:
    for trouble in tell_news(outcome, installation.reports, installation.notify):
        context.log.warning(f"not told: {trouble}")


def _link(installation: Installation, edition: Edition) -> dg.MetadataValue:
    # A browser follows no link from a web page to a file, so without an address the path is shown to be copied.
    if not installation.notify.link:
        return dg.MetadataValue.path(edition.page)
    page = edition.page.relative_to(installation.reports.absolute()).as_posix()
    return dg.MetadataValue.url(f"{installation.notify.link.rstrip('/')}/{urllib.parse.quote(page)}")


def show_first(frame: pd.DataFrame) -> str:
    """Return a table's first rows in Markdown; what the data hold is text in it."""
    columns = list(frame.columns)
    head = "| " + " | ".join(columns) + " |\n|" + "---|" * len(columns)
    rows = (" | ".join(map(_cell, row)) for row in frame.head(_SHOWN).itertuples(index=False))
    return "\n".join([head, *(f"| {row} |" for row in rows)])


def _cell(value: object) -> str:
    # Names come from the data; none of them may become markup on the page of the run.
    text = "" if pd.isna(value) else readable(" ".join(str(value).split()))
    return re.sub(r"([\\`*_{}\[\]()#+!|~-])", r"\\\1", html.escape(text))
