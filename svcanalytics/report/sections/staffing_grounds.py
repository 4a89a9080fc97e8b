"""The staffing report's grounds: what the plan costs, what other targets would cost, and what it all rests on."""

from __future__ import annotations

import pandas as pd

from svcanalytics import charts, staffing
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Text, tabulate
from svcanalytics.report.facts.staffing_review import StaffingReview
from svcanalytics.report.sections.narrative import describe_alternative
from svcanalytics.report.words.formats import format_number, format_rate

__all__ = ["staffing_assumptions", "staffing_costs"]

_REASONS = {
    "measured": ("实测", "measured"),
    "given": ("给定", "given"),
    "other queues": ("取自其他队列", "from other queues"),
    "not known": ("数据中没有，按0计", "not in the data, taken as 0"),
}
_WHAT = {
    "handle_s": ("平均处理时长", "Mean handle time"),
    "handle_noise": ("处理时长的日间波动", "Handle time, spread of days"),
    "patience_s": ("平均耐心时长", "Mean patience"),
    "concurrency": ("并发会话数", "Contacts held at once"),
    "shrinkage": ("在班而不在线的时间（会议）", "On shift, away from the queue (meetings)"),
    "absence": ("临时缺勤（病假）", "Do not come (sickness)"),
}


def staffing_costs(review: StaffingReview) -> Blocks:
    """Return the shifts by pattern with their hours and what they cost."""
    zh, plan = review.language == "zh", review.plan
    rows = plan.lived_shifts
    rows = rows.assign(hours=rows["paid_s"] / 3600 * rows["count"], pay=rows["cost"] * rows["count"])
    sums = rows.groupby("pattern", sort=False)[["count", "hours", "pay"]].sum().sort_values("pay", ascending=False)
    sums.loc[""] = sums.sum()
    names = {
        name: pattern.name.get(review.language) or name  # type: ignore[call-overload]
        for name, pattern in plan.rules.patterns.items()
    }
    records = [
        {
            "name": names.get(str(name), "合计" if zh else "All"),
            "count": row["count"],
            "hours": row["hours"],
            "pay": row["pay"],
        }
        for name, row in sums.iterrows()
    ]
    unit = plan.rules.currency or ("普通工时" if zh else "hours of ordinary pay")
    columns = [
        Column("name", "班次" if zh else "Shift"),
        Column("count", "班次数" if zh else "Shifts", "integer"),
        Column("hours", "计薪小时" if zh else "Paid hours", "number"),
        Column("pay", f"费用（{unit}）" if zh else f"Cost ({unit})", "integer"),
    ]
    full = plan.hours / plan.rules.people.hours_a_week
    rules = plan.rules.name.get(review.language) or plan.rules.id  # type: ignore[call-overload]
    money = staffing.describe_cost(plan, review.language)
    text = (
        f"按班次规则“{rules}”，本周计薪{plan.hours:,.0f}小时，折合全职{full:,.1f}人，{money}。"
        if zh
        else f"By the shift rules “{rules}” the week takes {plan.hours:,.0f} paid hours, as many as {full:,.1f} people "
        f"work full time, and costs {money}."
    )
    gaps = {("班次" if zh else "shifts "): plan.shifts.gap}
    if plan.roster is not None:
        gaps["排班" if zh else "roster "] = plan.roster.gap
    proved = ("、" if zh else ", ").join(f"{name}{format_rate(gap, review.language)}" for name, gap in gaps.items())
    note = f"求解器未能排除的改进余地：{proved}。" if zh else f"Not ruled out by the solvers as better: {proved}."
    head = Heading("费用" if zh else "What it costs", 2, "costs")
    title = "各类班次的工时与费用" if zh else "Hours and cost by kind of shift"
    table = tabulate("costs", title, columns, records, review.language, note)
    return Blocks((head, Text(text), table, _frontier(review, unit)))


def staffing_assumptions(review: StaffingReview) -> Blocks:
    """Return what the plan rests on, each number with its n and interval."""
    zh = review.language == "zh"
    columns = [
        Column("what", "假设" if zh else "Assumption"),
        Column("queue", "队列" if zh else "Queue"),
        Column("value", "取值" if zh else "Value"),
        Column("between", "95%区间" if zh else "95% interval"),
        Column("n", "样本数" if zh else "n", "integer"),
        Column("source", "来源" if zh else "Source"),
    ]
    records = []
    for row in review.plan.assumptions.table.to_dict("records"):
        written = [_measure(row["what"], row[name], review.language) for name in ("value", "low", "high")]
        known = pd.notna(row["low"]) or pd.notna(row["high"])
        records.append(
            {
                "what": _WHAT[row["what"]][not zh],
                "queue": row["queue"] or ("全部" if zh else "all"),
                "value": Cell(float(row["value"]) if row["value"] != float("inf") else None, written[0]),
                "between": f"{written[1]}–{written[2]}" if known else "–",
                "n": row["n"] or None,
                "source": _REASONS[row["source"]][not zh],
            }
        )
    head = Heading("假设" if zh else "Assumptions", 2, "assumptions")
    title = "计划所依据的数字" if zh else "What the plan rests on"
    note = (
        "处理时长和耐心取自计划之前半年；耐心按删失数据估计（接通的等待只说明耐心更长）。"
        "休息、休假和培训已排入班表，不计入在班损耗。"
        if zh
        else "Handle times and patience are those of the half-year before; patience is estimated with answered waits "
        "taken as what they are: shorter than patience. Breaks, leave and training are planned, no part of shrinkage."
    )
    return Blocks((head, tabulate("assumptions", title, columns, records, review.language, note)))


def _frontier(review: StaffingReview, unit: str) -> Figure:
    zh, plan = review.language == "zh", review.plan
    targets = staffing.weigh_targets(plan)
    level = float(plan.promises["service_level"].iloc[0])
    own, above = targets.iloc[-2], targets.iloc[-1]
    higher, more = format_rate(above["target"], review.language, digits=0), f"{above['cost'] - own['cost']:,.0f} {unit}"
    title = f"目标提高到{higher}，费用约增加{more}" if zh else f"A target of {higher} would cost about {more} more"
    what = "各目标的费用与服务水平" if zh else "cost and service level of each target"
    columns = [
        Column("target", "目标" if zh else "Target", "rate"),
        Column("hours", "在班坐席小时" if zh else "Agent-hours", "integer"),
        Column("cost", f"费用（{unit}）" if zh else f"Cost ({unit})", "integer"),
        Column("service_level", "预期服务水平" if zh else "Expected service level", "rate"),
        Column("day_kept", "达标天占比" if zh else "Days that keep it", "rate"),
    ]
    data = tabulate("frontier", what, columns, targets.to_dict("records"), review.language)
    drawn = charts.draw_frontier(targets, plan.cost, level, unit=unit, language=review.language)
    alt = describe_alternative(what, title, review.language)
    return Figure("frontier_figure", title, alt, charts.svg(drawn, review.language), data)


def _measure(what: str, value: float, language: str) -> str:
    if value != value:
        return "–"
    if value == float("inf"):
        return "无人放弃" if language == "zh" else "nobody gives up"
    if what in ("handle_s", "patience_s"):
        return f"{value:,.0f}{'秒' if language == 'zh' else ' s'}"
    return format_number(value, language, digits=2) if what == "concurrency" else format_rate(value, language)
