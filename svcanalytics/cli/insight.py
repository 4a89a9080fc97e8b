"""Commands that answer questions: measure, standards, overdue, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from svcanalytics.cli.console import console, context, frame, progress

if TYPE_CHECKING:
    import pandas as pd

    from svcanalytics.store import Lake

__all__ = ["register"]

_MOST_NAMED = 12

By = Annotated[list[str] | None, typer.Option("--by", help="Split by this column; may be repeated.")]
Every = Annotated[str, typer.Option(help="day, week, month, quarter, half_year or year.")]
Start = Annotated[str | None, typer.Option(help="First day or period, such as 2026-10.")]
End = Annotated[str | None, typer.Option(help="Last day or period, included.")]
Csv = Annotated[Path | None, typer.Option("--csv", help="Write to this CSV file instead of showing a table.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (measure, standards, overdue, report):
        app.command()(command)


def measure(
    metrics: Annotated[
        list[str] | None, typer.Argument(help="Metrics by id; none means all that the lake can give.")
    ] = None,
    by: By = None,
    every: Every = "month",
    start: Start = None,
    end: End = None,
    csv: Csv = None,
) -> None:
    """Measure: value, 95 % interval and n of each metric, by period and group."""
    from svcanalytics import metrics as measuring

    rows = measuring.measure(context.lake(), metrics or None, by=by or (), every=every, start=start, end=end)
    _give(rows, ["metric", "period", *(by or ()), "value", "low", "high", "n", "unit", "target", "met", "flag"], csv)


def standards(
    names: Annotated[list[str] | None, typer.Argument(metavar="[STANDARDS]...", help="By id; none means all.")] = None,
    by: By = None,
    every: Every = "month",
    start: Start = None,
    end: End = None,
    csv: Csv = None,
) -> None:
    """Measure time standards: due, on time, late, still running, and the share with its interval."""
    from svcanalytics import metrics as measuring

    rows = measuring.standards(context.lake(), names or None, by=by or (), every=every, start=start, end=end)
    shown = ["metric", "period", *(by or ()), "due", "on_time", "late", "running", "value", "low", "high", "overrun_s"]
    _give(rows, [*shown, "target", "met", "flag"], csv)


def overdue(
    at: Annotated[str | None, typer.Option(help="As of this local time; default: when the data stop.")] = None,
    within: Annotated[float, typer.Option(help="Also show what falls due within this many hours.")] = 24.0,
    csv: Csv = None,
) -> None:
    """List what is overdue or due soon: worst first, by the team that owns it."""
    from svcanalytics import metrics as measuring

    rows = measuring.overdue(context.lake(), at=at, within_s=int(within * 3600))
    for name in ("start", "due") if len(rows) else ():
        rows[name] = rows[name].dt.strftime("%Y-%m-%d %H:%M")
    if csv is not None:
        _give(rows, [], csv)
    elif rows.empty:
        console().print(context.say("Nothing is overdue or due soon.", "没有超时或即将到期的事项。"))
    else:
        _show_worklist(rows)


def _show_worklist(rows: pd.DataFrame) -> None:
    """Show open work past or near its limit, with durations that people read."""
    from svcanalytics.report.words.formats import format_duration

    language = context.settings.language
    late = rows["state"] == "overdue"
    lasts = [format_duration(s, language) for s in rows["overrun_s"].where(late, rows["left_s"])]
    told = late.map({True: context.say("overdue by", "已超时"), False: context.say("due in", "剩余")}) + " " + lasts
    headings = context.say("team|standard|id|due|state", "团队|标准|编号|到期|状态").split("|")
    shown = rows[["team", "name", "id", "due"]].assign(state=told).set_axis(headings, axis="columns")
    frame(shown, limit=200)


def report(
    name: Annotated[str, typer.Argument(metavar="REPORT", help="Such as monthly, quarterly, public_notice.")],
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="Such as 2026-10 or 2026Q3.")],
    language: Annotated[str | None, typer.Option(help="zh or en; default: as in svcanalytics.toml.")] = None,
    scope: Annotated[
        str, typer.Option(help="all, or one unit: team:NAME, site:NAME, queue:NAME, channel:NAME, business_type:NAME.")
    ] = "all",
    each: Annotated[str, typer.Option(help="One report for each team, site, queue, channel or business_type.")] = "",
    out: Annotated[Path | None, typer.Option(help="Folder of the reports; default: as in svcanalytics.toml.")] = None,
    pdf: Annotated[bool, typer.Option("--pdf", help="Write it as PDF too.")] = False,
    word: Annotated[bool, typer.Option("--word", help="Write it as a Word document too.")] = False,
    issue: Annotated[str, typer.Option(help="The issue's number; default: the period's within its year.")] = "",
    author: Annotated[str, typer.Option(help="Who prepared it.")] = "",
    reviewer: Annotated[str, typer.Option(help="Who reviewed it.")] = "",
    approver: Annotated[str, typer.Option(help="Who approved it.")] = "",
    cut_off: Annotated[
        str, typer.Option(help="Leave out what was loaded later: 2026-11-05, '2026-11-05 18:00', or +5d after the end.")
    ] = "",
    confidentiality: Annotated[str, typer.Option(help="internal, public, personnel, none, or an own mark.")] = "",
) -> None:
    """Publish a report: runs its notebook and writes page and workbook; unchanged inputs run nothing.

    What is left out of issue, author, reviewer, approver, cut-off and mark comes from [report] in svcanalytics.toml.
    """
    from svcanalytics.report import publish
    from svcanalytics.report.publication.masthead import Masthead

    head = Masthead(issue, author, reviewer, approver, cut_off, confidentiality)
    lake = context.lake()
    folder = out or context.path(lake.settings.reports)
    formats = [kind for kind, asked in (("pdf", pdf), ("docx", word)) if asked]
    for about in _each(lake, each, period) if each else [scope]:
        with progress(f"{name} {period} {about}") as step:
            edition = publish(
                name, period, lake, folder, language or lake.language, about, step, formats=formats, masthead=head
            )
        console().print(f"{edition.status}: {edition.path}", soft_wrap=True, markup=False)


def _each(lake: Lake, kind: str, period: str) -> list[str]:
    """Return the scopes of all units of a kind, saying which have too little for a report."""
    from svcanalytics.periods import parse_period
    from svcanalytics.report.scopes import EVERY, FEWEST, list_scopes

    enough, too_few = list_scopes(lake, f"{kind}:{EVERY}", parse_period(period, lake.month_start))
    if too_few:
        named = too_few[:_MOST_NAMED]
        rest = f" … +{len(too_few) - len(named)}" if len(named) < len(too_few) else ""
        text = context.say(
            f"{len(too_few)} with fewer than {FEWEST} cases or contacts get no report, their measures would be "
            f"suppressed: {', '.join(named)}{rest}",
            f"{len(too_few)}个单元本期不足{FEWEST}件，指标大多不予公布，不出报告：{'、'.join(named)}{rest}",
        )
        console().print(text, soft_wrap=True, markup=False)
    return enough


def _explain(left_out: dict[str, str]) -> None:
    """Say why nothing could be measured, each reason once with what it holds for."""
    console(stderr=True).print(context.say("Nothing could be measured:", "没有可以测算的内容:"))
    for reason in dict.fromkeys(left_out.values()):
        names = ", ".join(name for name, given in left_out.items() if given == reason)
        console(stderr=True).print(f"  {reason}: {names}", markup=False)


def _give(rows: pd.DataFrame, shown: list[str], csv: Path | None) -> None:
    """Show some columns as a table, or write them all to a file."""
    if rows.empty and (reasons := rows.attrs.get("left_out")):
        _explain(reasons)
    elif csv is None:
        frame(rows[shown], limit=200)
    if csv is None:
        return
    csv.parent.mkdir(parents=True, exist_ok=True)
    # A byte order mark, so that spreadsheets read Chinese names.
    rows.to_csv(csv, index=False, encoding="utf-8-sig")
    console().print(context.say(f"{len(rows)} rows written to {csv}", f"已将 {len(rows)} 行写入 {csv}"))
