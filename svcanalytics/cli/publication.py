"""The command that publishes what is due: run by hand, by cron or by a scheduler, as often as one likes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from svcanalytics.cli.console import complain, console, context, progress, table

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(due)


def due(
    publish: Annotated[bool, typer.Option("--publish", help="Publish what is due and not late.")] = False,
    since: Annotated[
        str | None, typer.Option(help="First period to look at, such as 2025-01: catches up from there.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last period to look at.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the reports; default: as in svcanalytics.toml.")] = None,
) -> None:
    """List the reports whose period has ended and that are not published yet, and what they wait for.

    With --publish they are published, and whoever [notify] names is told. Doing it twice publishes once. Status 1 when
    one failed.
    """
    from svcanalytics.report.agenda import list_due, publish_due
    from svcanalytics.report.labels import report_name
    from svcanalytics.report.notices import compose_notice, send_notice
    from svcanalytics.report.timetable import read_notify, read_timetable

    lake, timetable, notify = context.lake(), read_timetable(), read_notify()
    folder = out or context.path(lake.settings.reports)
    today = datetime.now(ZoneInfo(lake.timezone)).date()
    found = list_due(lake, folder, timetable, today, since=since, until=until)
    language = context.settings.language
    if not found:
        console().print(context.say("Nothing is due.", "没有待发布的报告。"))
        return
    words = {"due": context.say("due", "待发布"), "late": context.say("late", "数据未齐")}
    heads = context.say("report|period|language|state|missing", "报告|期间|语言|状态|缺少").split("|")
    rows = [
        (report_name(d.report, language), d.period.key, d.language, words[d.state], "; ".join(d.missing)) for d in found
    ]
    table(heads, rows)
    if not publish:
        return
    failed = False
    with progress(context.say("publishing", "发布")) as step:
        for outcome in publish_due(found, lake, folder, timetable, progress=step):
            if outcome.edition:
                console().print(f"{outcome.edition.status}: {outcome.edition.path}", soft_wrap=True)
            else:
                failed = True
                complain(outcome.error)
            for trouble in send_notice(compose_notice(outcome, folder, notify.link), notify, Path(folder, ".notices")):
                console(stderr=True).print(context.say(f"not told: {trouble}", f"未能通知:{trouble}"))
    if failed:
        raise typer.Exit(1)
