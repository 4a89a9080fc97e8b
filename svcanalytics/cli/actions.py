"""The commands of the rectification ledger: actions list, add, update, export, import, propose."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from svcanalytics.cli.console import console, context, frame, table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["register"]

_SHOWN = ["action_id", "status", "problem", "department", "owner", "due_at", "done_at"]

actions = typer.Typer(help="The rectification ledger: what was found, who mends it by when, was it accepted.")

_Day = Annotated[str | None, typer.Option(help="A local time, such as 2026-10-31 or 2026-10-31 09:00.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    for command in (add, update, export, propose):
        actions.command()(command)
    actions.command("list")(show)
    actions.command("import")(take)
    app.add_typer(actions, name="actions")


def show(
    period: Annotated[
        str | None, typer.Argument(help="As it stood at the end of this period; none: what is open now.")
    ] = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="Only lines past their date.")] = False,
) -> None:
    """Show the open lines, those past their date first; with a period also what came and what was closed."""
    import pandas as pd

    from svcanalytics import improve
    from svcanalytics.periods import parse_period, period_of

    lake = context.lake()
    now = pd.Timestamp.now(lake.timezone)
    span = parse_period(period, lake.month_start) if period else period_of(now.date(), "day")
    standing = improve.stand(improve.read_actions(lake), span)
    names = context.say("carried over|new|done|closed|open|overdue", "上期结转|新增|完成|闭环销号|在办|超期").split("|")
    if period:
        table(names, [tuple(standing.counts().values())])
    lines = standing.overdue if overdue else standing.open
    if lines.empty:
        console().print(context.say("No line is open.", "没有在办事项。"))
        return
    late = lines["action_id"].isin(standing.overdue["action_id"])
    rows = lines.assign(status=lines["status"].where(~late, names[-1])).assign(_late=~late)
    _print(rows.sort_values(["_late", "due_at", "action_id"], na_position="last"))


def add(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help="What is wrong.")],
    origin: Annotated[str, typer.Option(help="evaluation, audit, complaint, qa, incident or suggestion.")],
    department: Annotated[str | None, typer.Option(help="Who is answerable.")] = None,
    owner: Annotated[str | None, typer.Option(help="Who does it.")] = None,
    measure: Annotated[str | None, typer.Option(help="What is done.")] = None,
    acceptance: Annotated[str | None, typer.Option(help="How it will be accepted.")] = None,
    due: _Day = None,
    urgent: Annotated[bool, typer.Option("--urgent", help="To be mended within 48 hours.")] = False,
    origin_id: Annotated[str | None, typer.Option(help="The number where it came from, such as a finding's.")] = None,
) -> None:
    """Add a line to the ledger and print its number."""
    from svcanalytics import improve

    lake = context.lake()
    line = {
        "problem": problem,
        "origin": origin,
        "department": department,
        "owner": owner,
        "measure": measure,
        "acceptance": acceptance,
        "due_at": _moment(due, lake.timezone),
        "class": "urgent" if urgent else "phased",
        "origin_id": origin_id,
    }
    console().print(improve.add_action(lake, {name: value for name, value in line.items() if value is not None}))


def update(
    action_id: Annotated[str, typer.Argument(metavar="NUMBER", help="The line's number.")],
    owner: Annotated[str | None, typer.Option(help="Who does it.")] = None,
    department: Annotated[str | None, typer.Option(help="Who is answerable.")] = None,
    measure: Annotated[str | None, typer.Option(help="What is done.")] = None,
    due: _Day = None,
    done: _Day = None,
    accepted: _Day = None,
    verified: _Day = None,
    effect: Annotated[str | None, typer.Option(help="better, same, worse or unknown.")] = None,
    status: Annotated[str | None, typer.Option(help="open, doing or dropped; the rest follows from the days.")] = None,
) -> None:
    """Change a line: done, accepted, followed up. It closes once it was both accepted and followed up."""
    from svcanalytics import improve

    lake = context.lake()
    words = {"owner": owner, "department": department, "measure": measure, "effect": effect, "status": status}
    days = {"due_at": due, "done_at": done, "accepted_at": accepted, "verified_at": verified}
    changes = {**words, **{name: _moment(day, lake.timezone) for name, day in days.items()}}
    line = improve.change_action(lake, action_id, {name: value for name, value in changes.items() if value is not None})
    _print(line.to_frame().T)


def export(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The workbook to write.")],
    department: Annotated[str | None, typer.Option(help="Only this department's lines.")] = None,
    language: Annotated[str | None, typer.Option(help="zh or en; default: as in svcanalytics.toml.")] = None,
) -> None:
    """Write the ledger as a workbook in which departments work; `actions import` takes it back."""
    from svcanalytics import improve

    lake = context.lake()
    console().print(str(improve.export_actions(lake, path, language or lake.language, department)), soft_wrap=True)


def take(path: Annotated[Path, typer.Argument(metavar="FILE", help="A workbook that `export` wrote.")]) -> None:
    """Take back a workbook: changed lines are updated, new ones added, wrong ones told and put into quarantine."""
    from svcanalytics import improve
    from svcanalytics.store.quarantine import quarantined

    lake = context.lake()
    result = improve.import_actions(lake, path)
    console().print(result)
    if result.quarantined:
        frame(quarantined(lake, result.load_id)[["line", "column", "reason"]])


def propose(
    period: Annotated[str, typer.Argument(metavar="PERIOD", help="Whose findings, such as 2026Q3.")],
    add: Annotated[bool, typer.Option("--add", help="Put the proposed ones into the ledger.")] = False,
) -> None:
    """Show which line of the ledger deals with each finding of a period, and propose lines for the others."""
    from svcanalytics import causes, improve

    lake = context.lake()
    findings = causes.findings(lake, period)
    proposed = improve.propose_actions(
        findings, improve.read_actions(lake), lambda finding: causes.describe(finding, lake.language)
    )
    if add:
        for place, row in proposed[proposed["state"] == "proposed"].iterrows():
            line = row[["origin", "origin_id", "problem", "class"]].to_dict()
            proposed.loc[place, "action_id"] = improve.add_action(lake, line)
    frame(proposed[["finding_id", "action_id", "state", "points", "problem"]])


def _print(lines: pd.DataFrame) -> None:
    rows = lines[_SHOWN].copy()
    for name in ("due_at", "done_at"):
        rows[name] = rows[name].map(lambda value: "" if value is None or value != value else f"{value:%Y-%m-%d}")
    heads = context.say(
        "number|status|problem|department|owner|due|done", "编号|状态|问题|责任部门|责任人|完成时限|完成"
    )
    frame(rows.set_axis(heads.split("|"), axis="columns"), limit=200)


def _moment(text: str | None, timezone: str) -> pd.Timestamp | None:
    import pandas as pd

    from svcanalytics.errors import LoadError

    if text is None:
        return None
    try:
        return pd.Timestamp(text).tz_localize(timezone)
    except (ValueError, TypeError):
        raise LoadError(f"{text!r} is no local time", fix="write it as 2026-10-31 or 2026-10-31 09:00") from None
