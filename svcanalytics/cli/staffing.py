"""The planners' second command: staff."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from svcanalytics.cli.console import console, context, frame, progress

if TYPE_CHECKING:
    import pandas as pd

    from svcanalytics.staffing import Goal, StaffingPlan
    from svcanalytics.store import Lake

__all__ = ["register"]

_MISSING_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add this command to the program."""
    app.command()(staff)


def staff(
    start: Annotated[
        str | None,
        typer.Option(help="First day or week, such as 2026-11-02 or 2026-W45. Default: after the data."),
    ] = None,
    days: Annotated[int, typer.Option(help="Calendar days to plan, such as 7 or 14.")] = 7,
    table: Annotated[str, typer.Option(help="What arrives: contacts or cases.")] = "contacts",
    by: Annotated[
        str | None, typer.Option(help="The column that makes a queue. Default: queue, of cases channel.")
    ] = None,
    slot: Annotated[str, typer.Option(help="5min, 10min, 15min, 30min or 60min.")] = "30min",
    target: Annotated[float, typer.Option(help="Share to be answered in time, such as 0.8.")] = 0.8,
    within: Annotated[
        list[str] | None,
        typer.Option(
            "--within",
            help="In time means so many seconds: 20, or chat=60 for one queue; may be repeated. Default: by channel "
            "(calls 20, chats 60, counters 600, written and cases 14400).",
        ),
    ] = None,
    risk: Annotated[float, typer.Option(help="Share of days that may miss the target.")] = 0.1,
    handle: Annotated[float | None, typer.Option(help="Handle time in seconds, not the measured one.")] = None,
    patience: Annotated[float | None, typer.Option(help="Mean patience in seconds, not the measured one.")] = None,
    shrinkage: Annotated[
        float | None, typer.Option(help="Share of time on shift that is away from the queue, such as 0.05.")
    ] = None,
    absence: Annotated[float | None, typer.Option(help="Share of people who do not come, such as 0.03.")] = None,
    least: Annotated[float, typer.Option("--floor", help="Agents never to go below while a queue is open.")] = 0,
    shifts: Annotated[Path | None, typer.Option(help="A TOML file of shift rules. Default: shifts.toml.")] = None,
    rules: Annotated[str | None, typer.Option(help="Which rules of the file, such as service_desk.")] = None,
    names: Annotated[
        bool, typer.Option("--names/--no-names", help="Give the shifts to the people the lake knows.")
    ] = True,
    wishes: Annotated[
        Path | None, typer.Option(help="A CSV file of wishes: agent, day, pattern (or off), strength.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Weeks to simulate.")] = 500,
    seconds: Annotated[float, typer.Option(help="Longest time for each solver; the best so far is taken.")] = 60,
    out: Annotated[Path | None, typer.Option(help="Write the plan to this .xlsx file.")] = None,
    calendars: Annotated[Path | None, typer.Option(help="Write a calendar (.ics) per person to this folder.")] = None,
    keep: Annotated[bool, typer.Option("--keep/--no-keep", help="Keep the requirement in the lake.")] = True,
) -> None:
    """Plan shifts and a roster from the forecast, and say how sure it is that the promise is kept."""
    from svcanalytics import staffing
    from svcanalytics.errors import StaffingError

    lake, say = context.lake(), context.say
    by = by or ("queue" if table == "contacts" else "channel")
    chosen = None if shifts is None and rules is None else staffing.read_shifts(shifts, rules, lake)
    with progress(say("staff", "排班")) as step:
        plan = staffing.plan_week(
            lake, _first_day(lake, start, table), days, goal=_goal(target, risk, within), table=table, by=by, slot=slot,
            rules=chosen, handle_s=handle, patience_s=patience, shrinkage=shrinkage, absence=absence, floor=least,
            named=names, wishes=_wishes(wishes), draws=draws, shift_limit_s=seconds, roster_limit_s=seconds,
            progress=step,
        )  # fmt: skip
    language = context.settings.language
    for number, sentence in enumerate(staffing.describe_verdict(plan, language)):
        console().print(sentence, style="bold" if number == 0 else None, markup=False, soft_wrap=True)
    name = plan.rules.name.get(language) or plan.rules.id
    example = chosen is None and staffing.read_shifts(lake=lake).id == staffing.read_shifts().id
    hint = say(" (an example; write yours into shifts.toml)", "（示例；请编写本单位的shifts.toml）") if example else ""
    console().print(say(f"Shift rules: {name}{hint}.", f"班次规则：{name}{hint}。"), markup=False)
    _show_queues(plan)
    _show_missing(plan)
    if out is not None:
        written = staffing.write_workbook(plan, out, language=language, organisation=lake.settings.organisation)
        console().print(say(f"Written to {written}", f"已写入 {written}"), soft_wrap=True)
    if calendars is not None:
        if plan.roster is None:
            raise StaffingError(
                "nobody is known to whom calendars could be given", where="--calendars", fix="load contacts with agents"
            )
        made = staffing.write_calendars(plan.roster, calendars, made=datetime.now(UTC), language=language)
        console().print(
            say(f"{len(made)} calendars in {calendars}", f"{len(made)} 份日历在 {calendars}"), soft_wrap=True
        )
    if keep:
        kept = staffing.keep_requirement(lake, plan)
        console().print(say(f"Requirement kept in the lake as “{kept}”", f"人力需求已存入数据湖：{kept}"), markup=False)


def _first_day(lake: Lake, start: str | None, table: str) -> date:
    """Return the day asked for, or the Monday after the last day of the data."""
    from svcanalytics.errors import StaffingError
    from svcanalytics.periods import parse_period

    if start is not None:
        return parse_period(start, lake.month_start).start
    if table not in ("contacts", "cases") or not lake.has(table):
        raise StaffingError(f"the lake has no {table}", where="--table", fix="load contacts, or use --table cases")
    at = "offered_at" if table == "contacts" else "opened_at"
    last = lake.sql(f"select max({at}) as last from {table}")["last"].iloc[0].tz_convert(lake.timezone).date()
    return last + timedelta(days=7 - last.weekday())


def _goal(target: float, risk: float, within: list[str] | None) -> Goal:
    """Read "20" or "chat=60"."""
    from svcanalytics.errors import StaffingError
    from svcanalytics.staffing import Goal

    limits: dict[str, float] = {}
    every: float | None = None
    for text in within or ():
        queue, equals, number = text.rpartition("=")
        try:
            seconds = float(number)
        except ValueError:
            raise StaffingError(f"{text!r} is no limit", where="--within", fix="write 20, or chat=60") from None
        if equals:
            limits[queue] = seconds
        else:
            every = seconds
    if every is not None and limits:
        raise StaffingError(
            "a limit for all and limits for queues are given", where="--within", fix="name each queue, or none"
        )
    return Goal(target, limits if every is None else every, risk)


def _wishes(file: Path | None) -> pd.DataFrame | None:
    import pandas as pd

    from svcanalytics.errors import StaffingError

    if file is None:
        return None
    try:
        return pd.read_csv(file, dtype={"agent": str, "pattern": str}, parse_dates=["day"])
    except (OSError, ValueError) as error:
        raise StaffingError(
            f"the wishes can't be read: {error}", where=str(file), fix="give a CSV file with agent, day and pattern"
        ) from None


def _show_queues(plan: StaffingPlan) -> None:
    """Show each queue's expected service and how often it keeps its promise, and where its risk sits."""
    import pandas as pd

    from svcanalytics import staffing

    say, language = context.say, context.settings.language
    rows = plan.promises.copy()
    hours = plan.shifts.interval_s / 3600
    sums = plan.coverage.groupby("queue")[["required", "planned", "shortfall"]].sum() * hours
    worst = plan.windows.groupby("queue").first()
    shown = []
    for row in rows.to_dict("records"):
        queue = row["queue"]
        alone = queue != ""
        own = sums.loc[queue] if alone else sums.sum()
        window = ""
        if alone and queue in worst.index:
            window = staffing.describe_window(
                worst.loc[queue, "start"], worst.loc[queue, "end"], language, dated=staffing.spans_weeks(plan)
            )
        shown.append(
            {
                say("queue", "队列"): queue if alone else say("all together", "合计"),
                say("promise", "承诺"): staffing.describe_goal(plan, language, queue) if alone else "",
                say("expected", "预期"): f"{row['service_level']:.1%}",
                say("in 80 of 100 weeks", "80%的周"): f"{row['low']:.0%}–{row['high']:.0%}",
                say("days kept", "达成天"): f"{row['day_kept']:.0%}",
                say("weeks kept", "达成周"): f"{row['week_kept']:.0%}",
                say("hours required", "所需小时"): round(own["required"]),
                say("planned", "计划小时"): round(own["planned"]),
                say("short", "缺口小时"): round(own["shortfall"]),
                say("risk sits on", "风险时段"): window,
            }
        )
    frame(pd.DataFrame(shown), limit=60)


def _show_missing(plan: StaffingPlan) -> None:
    from svcanalytics import staffing

    say = context.say
    found = staffing.missing_sentences(plan, context.settings.language)
    for sentence in found[:_MISSING_SHOWN]:
        console().print(f"· {sentence}", markup=False, soft_wrap=True)
    if len(found) > _MISSING_SHOWN:
        more = len(found) - _MISSING_SHOWN
        console().print(say(f"… and {more} more", f"…… 另有 {more} 条"))
