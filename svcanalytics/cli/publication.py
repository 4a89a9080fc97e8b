"""Commands about editions: what is due, what a published figure is made of, the notebook behind one."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from svcanalytics.cli.console import complain, console, context, frame, progress, table

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (due, explain):
        app.command()(command)
    app.command("open")(open_edition)


def due(
    publish: Annotated[bool, typer.Option("--publish", help="Publish what is due and not late.")] = False,
    since: Annotated[
        str | None, typer.Option(help="First period to look at, such as 2025-01: catches up from there.")
    ] = None,
    until: Annotated[str | None, typer.Option(help="Last period to look at.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the reports; default: as in svcanalytics.toml.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=32, help="How many are published at a time.")] = 1,
) -> None:
    """List the reports whose period has ended and that are not published yet, and what they wait for.

    With --publish they are published, and whoever [notify] names is told. Doing it twice publishes once. Status 1 when
    one failed.
    """
    from svcanalytics.report.scheduling.agenda import list_due, publish_due
    from svcanalytics.report.scheduling.news import expect_news, tell_missed_news, tell_news
    from svcanalytics.report.scheduling.timetable import read_notify, read_timetable
    from svcanalytics.report.words.labels import report_name

    lake, timetable, notify = context.lake(), read_timetable(), read_notify()
    folder = out or context.path(lake.settings.reports)
    today = datetime.now(ZoneInfo(lake.timezone)).date()

    def complain_of(troubles: list[str]) -> None:
        for trouble in troubles:
            console(stderr=True).print(context.say(f"not told: {trouble}", f"未能通知：{trouble}"))

    if publish:
        complain_of(tell_missed_news(folder, notify))
    found = list_due(lake, folder, timetable, today, since=since, until=until)
    language = context.settings.language
    if not found:
        console().print(context.say("Nothing is due.", "没有待发布的报告。"))
        return
    words = {"due": context.say("due", "待发布"), "late": context.say("late", "数据未齐")}
    heads = context.say("report|period|scope|language|state|missing", "报告|期间|范围|语言|状态|缺少").split("|")
    rows = [
        (report_name(d.report, language), d.period.key, d.scope, d.language, words[d.state], "; ".join(d.missing))
        for d in found
    ]
    table(heads, rows)
    if not publish:
        return
    failed = False
    expect_news(found, folder)
    with progress(context.say("publishing", "发布")) as step:
        for outcome in publish_due(found, lake, folder, timetable, progress=step, workers=workers):
            if outcome.edition:
                console().print(f"{outcome.edition.status}: {outcome.edition.path}", soft_wrap=True)
            else:
                failed = True
                complain(outcome.error)
            complain_of(tell_news(outcome, folder, notify))
    if failed:
        raise typer.Exit(1)


def explain(
    edition: Annotated[
        str, typer.Argument(metavar="EDITION", help="Such as quarterly/2026Q3/all-zh/2 or monthly/2026-10/team:NAME.")
    ],
    figure: Annotated[str, typer.Argument(metavar="ID", help="The measure's id, as the report's definitions give it.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the reports; default: as in svcanalytics.toml.")] = None,
) -> None:
    """Compute a published figure again from its snapshot and show what it is made of. Status 1 when it differs."""
    from svcanalytics.report.publication.proof import explain_figure, find_edition

    found = find_edition(out or context.path(context.settings.reports), edition)
    e = explain_figure(found, figure)
    verdict = context.say("✓ equal", "✓ 一致") if e.equal else context.say("✗ differs", "✗ 不一致")
    heads = context.say(
        "figure|definition|published|computed again|numerator|denominator|counts|among|by the time|snapshot",
        "指标|口径|已发布|复算|分子|分母|分子条件|分母条件|按时间|快照",
    ).split("|")
    values = (
        f"{e.name} ({e.id}), {e.period} {e.unit}".rstrip(),
        *(e.definition, repr(e.published), f"{e.recomputed!r}  {verdict}"),
        *(f"{e.numerator:,}", f"{e.denominator:,}", e.counted, e.among, e.at, str(e.snapshot)),
    )
    table(["", ""], list(zip(heads, values, strict=True)))
    sources = e.sources
    if "at" in sources:
        sources = sources.assign(at=sources["at"].dt.strftime("%Y-%m-%d %H:%M"))
    frame(sources, title=context.say("Loads it rests on", "所依据的装载"), limit=20)
    console().print(context.say("Query:", "查询语句:"))
    console().print(e.query, markup=False, soft_wrap=True)
    if not e.equal:
        raise typer.Exit(1)


def open_edition(
    edition: Annotated[str, typer.Argument(metavar="EDITION", help="Such as quarterly/2026Q3.")],
    out: Annotated[Path | None, typer.Option(help="Folder of the reports; default: as in svcanalytics.toml.")] = None,
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8888,
    check: Annotated[bool, typer.Option("--check", help="Start, see that it answers, stop.")] = False,
) -> None:
    """Open JupyterLab on a copy of an edition's notebook, bound to exactly its snapshot and parameters."""
    import shutil

    from svcanalytics.cli.jupyter import check_lab, start_lab
    from svcanalytics.report.publication.proof import find_edition, lake_of

    found = find_edition(out or context.path(context.settings.reports), edition)
    lake_of(found)  # says so when the snapshot is gone
    folder = context.path("data/opened").absolute() / "_".join(found.path.parts[-4:])
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "report.ipynb"
    if not copy.exists():
        shutil.copyfile(found.notebook, copy)
        copy.chmod(0o644)
    console().print(str(copy), soft_wrap=True)
    if not check:
        raise typer.Exit(start_lab(port, folder))
    address = check_lab(folder)
    console().print(context.say(f"✓ JupyterLab answered at {address}", f"✓ JupyterLab 已在 {address} 应答"))
