"""The staffing report: will the promise be kept, what is planned for what is required, where is the risk, who works."""

from __future__ import annotations

import pandas as pd

from svcanalytics import charts, staffing
from svcanalytics.report.blocks import Blocks, Cell, Column, Document, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.facts.staffing_review import StaffingReview
from svcanalytics.report.sections.narrative import describe_alternative
from svcanalytics.report.words.formats import format_date, format_number

__all__ = [
    "staffing_coverage",
    "staffing_opening",
    "staffing_people",
    "staffing_risk",
    "staffing_verdict",
]

_QUEUES_DRAWN, _WINDOWS_SHOWN = 4, 12
_MISSES_SHOWN = 3
_SOURCES = {
    "chance": ("偶然波动", "chance"),
    "forecast": ("预测误差", "forecast"),
    "handle time": ("处理时长波动", "handle time"),
    "shrinkage": ("缺勤", "absence"),
    "staffing": ("人手", "hours planned"),
    "shift fit": ("班次贴合", "fit of shifts"),
}


def staffing_opening(review: StaffingReview) -> Document:
    """Return the head of the report."""
    zh = review.language == "zh"
    title = "人力需求与排班报告" if zh else "Staffing report"
    facts = [("数据覆盖至" if zh else "Records reach", format_date(review.data_until, review.language))]
    facts.append(("承诺" if zh else "Promise", staffing.describe_goal(review.plan, review.language)))
    label = review.period.label(review.language)
    name = review.organisation
    return Document(title, review.language, f"{name} · {label}" if name else label, tuple(facts))


def staffing_verdict(review: StaffingReview) -> Blocks:
    """Return the first screen: how sure it is that the promise is kept, where the risk sits, what it costs."""
    zh, plan = review.language == "zh", review.plan
    first, *rest = staffing.describe_verdict(plan, review.language)
    draws = f"{plan.lived.draws['draw'].nunique():,}"
    note = (
        f"“这样的周”是指{draws}个模拟周：到达量按预测的样本路径抽取，客户逐个到达、等待、放弃或被服务，"
        "处理时长和缺勤随机，坐席按本计划上班和休息。"
        if zh
        else f"“Such weeks” are {draws} simulated ones: arrivals drawn from the forecast's sample paths, customers who "
        "come, wait, give up or are served one by one, random handle times and absences, and people who work and rest "
        "by this plan."
    )
    head = Heading("结论" if zh else "Will we keep it?", 2, "verdict")
    return Blocks((head, Text(first, "lead"), *(Text(each) for each in rest), _queues(review), Text(note, "note")))


def staffing_coverage(review: StaffingReview) -> Blocks:
    """Return the requirement against the plan, in pictures of the largest queues."""
    zh, plan = review.language == "zh", review.plan
    items: list = [Heading("需求与覆盖" if zh else "Requirement and coverage", 2, "coverage")]
    items.append(
        Text(
            "所需坐席按预测分布和达标风险计算；计划坐席为在班且不在休息的人数。"
            if zh
            else "Agents required follow from the forecast's distribution and the risk taken; agents planned are those "
            "on shift and not at a break."
        )
    )
    hours = plan.shifts.interval_s / 3600
    sizes = plan.coverage.groupby("queue")["required"].sum().sort_values(ascending=False)
    for number, queue in enumerate(sizes.index[:_QUEUES_DRAWN]):
        own = plan.coverage[plan.coverage["queue"] == queue]
        short = own["shortfall"].sum() * hours
        items += [_course(review, str(queue), own, short, number), _heat(review, str(queue), own, short, number)]
    return Blocks(tuple(items))


def staffing_risk(review: StaffingReview) -> Blocks:
    """Return where weeks that miss fall short: windows of all queues, and the slots of the queue with the worst."""
    zh, plan = review.language == "zh", review.plan
    head = Heading("风险时段" if zh else "Where the risk sits", 2, "risk")
    windows = staffing.worst_windows(plan)
    if windows.empty:
        text = "模拟的每一周都达标。" if zh else "Every simulated week keeps the promise."
        return Blocks((head, Text(text)))
    columns = [
        Column("queue", "队列" if zh else "Queue"),
        Column("window", "时段" if zh else "Window"),
        Column("share", "占该队列未达标人次的比重" if zh else "Share of what the queue misses", "rate"),
        Column("kept", "该时段达标的概率" if zh else "Slot keeps its target", "rate"),
    ]
    worst = windows.head(_WINDOWS_SHOWN).to_dict("records")
    records = [row | {"window": _window(row["start"], row["end"], review.language)} for row in worst]
    title = "未达标周的缺口时段" if zh else "Windows in which weeks that miss fall short"
    table = tabulate("risk_windows", title, columns, records, review.language)
    queue = str(windows["queue"].iloc[0])
    told = Text(staffing.describe_windows(plan, review.language))
    return Blocks((head, told, _risk_figure(review, queue), table, _misses(review)))


def staffing_people(review: StaffingReview) -> Blocks:
    """Return who works how much, and which shifts nobody could be found for, with the reasons."""
    zh, plan = review.language == "zh", review.plan
    head = Heading("排班与缺口" if zh else "Who works, and what is missing", 2, "people")
    missing = staffing.missing_sentences(plan, review.language)
    items: list = [head]
    if plan.roster is None:
        text = (
            "数据中没有坐席信息，班次未分配到人。" if zh else "The data name no agents: shifts are not given to people."
        )
        items.append(Text(text, "note"))
    if missing:
        title = "缺口及原因" if zh else "What is missing, and why"
        columns = [Column("number", "序号" if zh else "No.", "integer"), Column("sentence", title)]
        records = [{"number": number, "sentence": each} for number, each in enumerate(missing, 1)]
        items.append(tabulate("missing", title, columns, records, review.language))
    else:
        items.append(Text("没有任何时段缺少整整一人。" if zh else "Nowhere is a whole agent missing."))
    if plan.roster is not None:
        items.append(_fairness(review))
    return Blocks(tuple(items))


def _queues(review: StaffingReview) -> Table:
    zh, plan = review.language == "zh", review.plan
    hours = plan.shifts.interval_s / 3600
    sums = plan.coverage.groupby("queue")[["required", "planned", "shortfall"]].sum() * hours
    columns = [
        Column("queue", "队列" if zh else "Queue"),
        Column("promise", "承诺" if zh else "Promise"),
        Column("service_level", "预期服务水平" if zh else "Expected service level", "rate"),
        Column("weeks", "100周中达标" if zh else "Weeks of 100 that keep it"),
        Column("day_kept", "达标天占比" if zh else "Days that keep it", "rate"),
        Column("required", "所需坐席小时" if zh else "Hours required", "integer"),
        Column("planned", "计划" if zh else "Planned", "integer"),
        Column("shortfall", "缺口" if zh else "Short", "integer"),
    ]
    records = []
    for row in plan.promises.to_dict("records"):
        own = sums.loc[row["queue"]] if row["queue"] else sums.sum()
        weeks = (100 * row[name] for name in ("week_kept", "week_low", "week_high"))
        kept = Cell(row["week_kept"], "{:.0f} ({:.0f}–{:.0f})".format(*weeks))
        records.append(
            row
            | {
                "queue": row["queue"] or ("合计" if zh else "All together"),
                "promise": staffing.describe_goal(plan, review.language, row["queue"] or None),
                "weeks": kept,
            }
            | {name: own[name] for name in ("required", "planned", "shortfall")}
        )
    title = "各队列达标的把握" if zh else "How sure each queue's promise is"
    return tabulate("promises", title, columns, records, review.language)


def _course(review: StaffingReview, queue: str, own: pd.DataFrame, short: float, number: int) -> Figure:
    zh = review.language == "zh"
    missing = format_number(short, review.language, digits=0)
    title = f"{queue}：缺{missing}个坐席小时" if zh else f"{queue}: {missing} agent-hours short"
    if short < 0.5:
        title = f"{queue}：需求全部覆盖" if zh else f"{queue}: the requirement is covered"
    what = f"{queue}所需坐席与计划坐席" if zh else f"agents required and planned of {queue}"
    svg = charts.svg(charts.draw_coverage(own, language=review.language), review.language)
    alt = describe_alternative(what, title, review.language)
    return Figure(f"course_{number}", title, alt, svg, _coverage_table(review, queue, own, number))


def _heat(review: StaffingReview, queue: str, own: pd.DataFrame, short: float, number: int) -> Figure:
    zh = review.language == "zh"
    worst = own.loc[own["shortfall"].idxmax()]
    if short < 0.5:
        title = f"{queue}：没有时段不足" if zh else f"{queue}: no slot is short"
    else:
        moment = _slot(review, worst["start"])
        lack = format_number(worst["shortfall"], review.language, digits=1)
        title = f"{queue}：缺口最大在{moment}（{lack}人）" if zh else f"{queue}: shortest on {moment}, by {lack} agents"
    what = f"{queue}各日各时段的富余与不足" if zh else f"spare and missing agents of {queue} by day and time"
    svg = charts.svg(charts.draw_coverage_heat(own, language=review.language), review.language)
    return Figure(f"heat_{number}", title, describe_alternative(what, title, review.language), svg)


def _coverage_table(review: StaffingReview, queue: str, own: pd.DataFrame, number: int) -> Table:
    zh = review.language == "zh"
    columns = [
        Column("start", "时段" if zh else "Slot"),
        Column("required", "所需" if zh else "Required", "number"),
        Column("planned", "计划" if zh else "Planned", "number"),
        Column("shortfall", "缺口" if zh else "Short", "number"),
    ]
    records = own.assign(start=own["start"].dt.strftime("%Y-%m-%d %H:%M")).to_dict("records")
    return tabulate(f"coverage_{number}", f"{queue}", columns, records, review.language)


def _risk_figure(review: StaffingReview, queue: str) -> Figure:
    zh, plan = review.language == "zh", review.plan
    rows = plan.lived.intervals[plan.lived.intervals["queue"] == queue]
    worst = rows.loc[rows["kept"].idxmin()]
    moment = _slot(review, worst["start"])
    kept = round(100 * worst["kept"])
    title = (
        f"{queue}：最险的时段是{moment}，100周中{kept}周达标"
        if zh
        else f"{queue}: the riskiest slot, {moment}, keeps its target in {kept} of 100 weeks"
    )
    what = f"{queue}各时段未达标的概率" if zh else f"how often each slot of {queue} misses its target"
    columns = [
        Column("start", "时段" if zh else "Slot"),
        Column("arrivals", "到达量" if zh else "Arrivals", "number"),
        Column("agents", "坐席" if zh else "Agents", "number"),
        Column("service_level", "预期服务水平" if zh else "Expected service level", "rate"),
        Column("kept", "达标概率" if zh else "Keeps its target", "rate"),
    ]
    records = rows.assign(start=rows["start"].dt.strftime("%Y-%m-%d %H:%M")).to_dict("records")
    data = tabulate("risk_slots", what, columns, records, review.language)
    svg = charts.svg(charts.draw_risk(rows, language=review.language), review.language)
    return Figure("risk_figure", title, describe_alternative(what, title, review.language), svg, data)


def _misses(review: StaffingReview) -> Table:
    """Of the queues that miss most days: what each source adds, one let in after the other."""
    zh, plan = review.language == "zh", review.plan
    traced = staffing.trace_misses(plan.lived, plan.requirement)
    added = traced.pivot_table(index="queue", columns="source", values="added")
    missed = traced.groupby("queue")["missed"].last().sort_values(ascending=False)
    columns = [
        Column("queue", "队列" if zh else "Queue"),
        Column("missed", "未达标天" if zh else "Days missed", "rate"),
    ]
    columns += [Column(source, names[not zh].capitalize(), "points") for source, names in _SOURCES.items()]
    records = [
        {"queue": queue, "missed": missed[queue]} | added.loc[queue].to_dict() for queue in missed.index[:_MISSES_SHOWN]
    ]
    title = "未达标天从何而来" if zh else "Where missed days come from"
    note = (
        "从恰好按需求配人、只有偶然波动开始，依次加入各项；每项为其增加的未达标天占比，负值为减少。"
        if zh
        else "From the agents required and nothing but chance, one source is let in after the other; each figure is "
        "what it adds to the share of days missed, below 0 what it takes off."
    )
    return tabulate("misses", title, columns, records, review.language, note)


def _fairness(review: StaffingReview) -> Table:
    zh, plan = review.language == "zh", review.plan
    columns = [
        Column("agent", "坐席" if zh else "Agent"),
        Column("days", "天数" if zh else "Days", "integer"),
        Column("hours", "排班小时" if zh else "Hours", "number"),
        Column("contract_h", "合同小时" if zh else "Contract", "number"),
        Column("overtime_h", "加班小时" if zh else "Overtime", "number"),
        Column("nights", "夜班" if zh else "Nights", "integer"),
        Column("weekends", "周末天数" if zh else "Weekend days", "integer"),
    ]
    assert plan.roster is not None
    records = plan.roster.fairness.to_dict("records")
    title = "每人工时、夜班和周末" if zh else "Hours, nights and weekends of each person"
    return tabulate("fairness", title, columns, records, review.language)


def _window(start: pd.Timestamp, end: pd.Timestamp, language: str) -> str:
    return staffing.describe_window(start, end, language)


def _slot(review: StaffingReview, start: pd.Timestamp) -> str:
    return _window(start, start + pd.Timedelta(seconds=review.plan.shifts.interval_s), review.language)
