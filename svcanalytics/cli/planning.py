"""Commands for planners: forecast."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from svcanalytics.cli.console import console, context, frame, progress

if TYPE_CHECKING:
    import pandas as pd

    from svcanalytics.demand import Forecast
    from svcanalytics.store import Lake

__all__ = ["register"]

_QUEUES_SHOWN = 12


def register(app: typer.Typer) -> None:
    """Add these commands to the program."""
    app.command()(forecast)


def forecast(
    table: Annotated[str, typer.Option(help="What arrives: contacts or cases.")] = "contacts",
    by: Annotated[
        list[str] | None, typer.Option("--by", help="Columns that make a queue; may be repeated. Default: queue.")
    ] = None,
    slot: Annotated[str, typer.Option(help="5min, 10min, 15min, 30min, 60min or day.")] = "30min",
    days: Annotated[int, typer.Option(help="Open days to forecast.")] = 10,
    level: Annotated[
        list[float] | None, typer.Option("--level", help="Of the intervals, such as 0.8; may be repeated.")
    ] = None,
    model: Annotated[str, typer.Option(help="auto, or one model's name.")] = "auto",
    thorough: Annotated[bool, typer.Option("--thorough", help="Let auto try the slow models too.")] = False,
    today: Annotated[
        bool, typer.Option("--today", help="The last day is not over: forecast the rest of it from what came so far.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write to this file: .xlsx with days, slots and findings, or .csv with slots.")
    ] = None,
    accuracy: Annotated[
        bool, typer.Option("--accuracy", help="Instead, compare forecasts kept before with what came.")
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep/--no-keep", help="Keep the forecast in the lake, to be compared with what comes.")
    ] = True,
) -> None:
    """Forecast arrivals per queue and slot, with intervals; kept in the lake and compared with what came later."""
    from svcanalytics import demand

    lake, say = context.lake(), context.say
    by = by or ["queue"]
    if accuracy:
        _compare(lake, table, by)
        return
    counted = demand.count(lake, table, by=by, slot=slot)
    arrivals = demand.Arrivals(counted, slot, holidays=lake.country, timezone=lake.timezone)
    history = arrivals.upto(arrivals.last_day) if today else arrivals
    with progress(say("forecast", "预测")) as step:
        found = demand.forecast(history, days, tuple(level or (0.8, 0.95)), model, thorough, progress=step)
    if today:
        found = demand.update(found, _so_far(counted, arrivals.last_day))
    _show_days(found)
    _show_findings(history.report)
    for queue, note in found.notes.itertuples(index=False):
        console().print(f"· {queue}: {note}", markup=False)
    if out is not None:
        written = demand.export(found, out, findings=history.report, language=context.settings.language)
        console().print(say(f"Written to {written}", f"已写入 {written}"), soft_wrap=True)
    if keep and not today:
        kept = demand.keep(lake, found, table=table, by=by)
        console().print(say(f"Kept in the lake as “{kept}”", f"已存入数据湖:{kept}"), markup=False)


def _so_far(counted: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """Return the last day's slots that are over: all but the one in which the data end."""
    start = counted["start"]
    return counted[(start.dt.tz_localize(None) >= day) & (start < start.max())]


def _show_days(found: Forecast) -> None:
    """Show the days of each queue; of many queues their sum alone."""
    from svcanalytics.demand import forecast_days

    say = context.say
    many = len(found.outlooks) > _QUEUES_SHOWN
    if many:
        everything = say("all queues", "全部队列")
        days = found.totals("day", queues=everything).rename(columns={"start": "day"})
    else:
        days = forecast_days(found, context.settings.language)
    days["day"] = days["day"].dt.strftime("%Y-%m-%d")
    for name in days.columns[days.columns.get_loc("mean") :]:
        days[name] = days[name].round().astype(int)
    words = say("queue|day|weekday|day_class|expected", "队列|日期|星期|日期类型|期望量").split("|")
    days = days.rename(columns=dict(zip(("queue", "day", "weekday", "day_class", "mean"), words, strict=True)))
    frame(days.rename(columns=_bound_name), limit=200)


def _bound_name(name: str) -> str:
    side, _, level = name.partition("_")
    if side not in ("lower", "upper"):
        return name
    return context.say(
        f"{level} % {'from' if side == 'lower' else 'to'}", f"{level}%{'下限' if side == 'lower' else '上限'}"
    )


def _show_findings(report: pd.DataFrame) -> None:
    """Show what was noticed in the arrivals, each kind once, the rarest first."""
    say = context.say
    if report.empty:
        return
    kinds = report.groupby("what", sort=False).agg(times=("what", "size"), first=("start", "min"), last=("end", "max"))
    kinds["queues"] = report.groupby("what")["queue"].nunique()
    kinds["done"] = report.groupby("what")["done"].first()
    kinds = kinds.sort_values("times").reset_index()
    for name in ("first", "last"):
        kinds[name] = kinds[name].dt.strftime("%Y-%m-%d")
    words = say("noticed|times|first|last|queues|what was done", "发现|次数|首次|末次|队列数|处理").split("|")
    frame(kinds.set_axis(words, axis="columns"), title=say("Noticed in the arrivals", "到达量数据检查"), limit=12)


def _compare(lake: Lake, table: str, by: list[str]) -> None:
    """Show how forecasts kept before came out, and what drifts."""
    from svcanalytics import demand

    say = context.say
    tracking = demand.track(lake, table, by)
    first, last = tracking.table["start"].min(), tracking.table["start"].max()
    scores = tracking.scores("queue")
    shown = ["queue", "n", "actual", "wape", "bias", "floor", *(name for name in scores if name.startswith("coverage"))]
    title = say(f"Forecasts kept, {first:%Y-%m-%d} to {last:%Y-%m-%d}", f"已存预测 {first:%Y-%m-%d} 至 {last:%Y-%m-%d}")
    frame(scores[shown], title=title, limit=200)
    alarms = tracking.alarms[tracking.alarms["alarm"]]
    if alarms.empty:
        console().print(say("Nothing drifts by more than chance.", "未发现超出偶然的偏移。"))
        return
    alarms = alarms.assign(since=alarms["since"].dt.strftime("%Y-%m-%d")).drop(columns="alarm")
    frame(alarms, title=say("Drifting: look at these forecasts", "出现偏移的预测"))
