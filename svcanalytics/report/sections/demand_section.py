"""What comes next: demand of the period after the reported one, and how good earlier forecasts were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from svcanalytics.report.blocks import Blocks, Column, Heading, Table, Text, tabulate
from svcanalytics.report.facts.foresight import REST, Ahead
from svcanalytics.report.facts.staff_ahead import PROMISE, WITHIN_S
from svcanalytics.report.words.formats import format_number, format_rate
from svcanalytics.report.words.vocabulary import group_name, holiday_name

if TYPE_CHECKING:
    from svcanalytics.report.facts.evaluation import Evaluation

__all__ = ["demand_ahead"]


def demand_ahead(evaluation: Evaluation) -> Blocks:
    """Return the next period's demand with its interval, by queue, and how good forecasts of this period were."""
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("下期需求预测" if zh else "Demand ahead", 2, "demand")
    ahead = e.ahead
    if ahead is None or ahead.totals.empty:
        text = (
            "可用的历史到达数据不足（不到八周，或未到期末），不作下期预测。"
            if zh
            else (
                "The history of arrivals is too short for a forecast (less than eight weeks, or it stops before the "
                "period's end)."
            )
        )
        return Blocks((head, Text(text, "note")))
    told = (
        Text(_expectation(ahead, e.period.next().label(e.language), e.language)),
        _table(ahead, e.language),
        *_remarks(ahead, e.language),
    )
    return Blocks((head, *told, *_staff(ahead, e.language)))


def _expectation(ahead: Ahead, label: str, language: str) -> str:
    whole = ahead.totals.iloc[0]
    mean, low, high = (format_number(whole[name], language, digits=0) for name in ("mean", "lower", "upper"))
    change = format_rate(abs(whole["mean"] / whole["last"] - 1), language, digits=1) if whole["last"] else None
    more = whole["mean"] >= whole["last"]
    if language == "zh":
        what = "接触" if ahead.table == "contacts" else "事项"
        moved = f"，比本期{'多' if more else '少'}{change}" if change else ""
        return f"预计{label}将有{mean}件{what}到达（95%区间{low}–{high}）{moved}。"
    what = "contacts" if ahead.table == "contacts" else "cases"
    moved = f", {change} {'more' if more else 'fewer'} than in this period" if change else ""
    return f"{mean} {what} are expected in {label} (95% interval {low}–{high}){moved}."


def _table(ahead: Ahead, language: str) -> Table:
    zh = language == "zh"
    columns = [
        Column("queue", ("队列" if ahead.by == "queue" else "渠道") if zh else ahead.by.capitalize()),
        Column("last", "本期实际" if zh else "This period", "integer"),
        Column("mean", "下期预计" if zh else "Expected", "integer"),
        Column("lower", "95%下限" if zh else "95% from", "integer"),
        Column("upper", "95%上限" if zh else "95% to", "integer"),
    ]
    names = {"": "合计" if zh else "All", REST: "其他" if zh else "Others"}
    records = [
        {"queue": names.get(row["queue"]) or group_name(row["queue"], language)}
        | {name: round(row[name]) for name in ("last", "mean", "lower", "upper")}
        for row in ahead.totals.to_dict("records")
    ]
    note = (
        "预测由各队列十四个月以内的每日到达量和工作日历得出；合计的区间不是各行区间之和。"
        if zh
        else "From up to fourteen months of daily arrivals and the calendar of working days. The interval of the whole "
        "is not the sum of the parts' intervals."
    )
    return tabulate("demand_ahead", "下期需求" if zh else "Demand of the next period", columns, records, language, note)


def _staff(ahead: Ahead, language: str) -> list:
    """Return the agents that the demand needs, beside those rostered in the reported period."""
    staff = ahead.staff
    if staff is None:
        return []
    zh = language == "zh"
    mean, low, high = (format_number(each, language, digits=0) for each in (staff.mean, staff.lower, staff.upper))
    if zh:
        text = f"按预计需求，每周约需{mean}坐席小时（随到达量区间为{low}–{high}），最忙半小时合计{staff.peak}人在岗"
    else:
        text = (
            f"That takes about {mean} agent-hours a week ({low}–{high} over the interval of arrivals), "
            f"{staff.peak} agents together in the busiest half-hour"
        )
    if staff.rostered is not None:
        rostered, gap = format_number(staff.rostered, language, digits=0), staff.mean - staff.rostered
        size = format_number(abs(gap), language, digits=0)
        if zh:
            text += f"；本期每周已排{rostered}小时，" + (f"缺{size}小时" if gap > 0 else f"富余{size}小时")
            text += "，但按区间上限仍不足" if gap <= 0 and staff.upper > staff.rostered else ""
        else:
            text += f"; {rostered} a week were rostered in this period, " + (
                f"{size} {'short' if gap > 0 else 'to spare'}"
            )
            text += ", yet too few at the interval's upper end" if gap <= 0 and staff.upper > staff.rostered else ""
    columns = [
        Column("queue", "队列" if zh else "Queue"),
        Column("arrivals", "每周到达" if zh else "Arrivals a week", "integer"),
        Column("handle_s", "平均处理时长" if zh else "Mean handle time", "duration"),
        Column("hours", "每周坐席小时" if zh else "Agent-hours a week", "integer"),
        Column("peak", "最忙半小时在岗" if zh else "Agents at the peak", "integer"),
    ]
    records = [row | {"queue": group_name(row["queue"], language)} for row in staff.queues.to_dict("records")]
    promise = format_rate(PROMISE, language, digits=0)
    note = (
        f"按{WITHIN_S}秒内接起{promise}的承诺，用Erlang C逐队列、逐半小时估算；"
        "各队列分开配人，一人兼顾多个队列时可更少。"
        "不含休息、休假和培训，班次安排见人力需求与排班报告。"
        if zh
        else f"By Erlang C for each queue and half-hour, {promise} answered within {WITHIN_S} s; queues staffed apart, "
        "so fewer do where people serve several. Breaks, leave and training come on top; the staffing report plans "
        "shifts."
    )
    title = "所需人力" if zh else "Agents needed"
    return [Text(text + ("。" if zh else ".")), tabulate("staff_ahead", title, columns, records, language, note)]


def _remarks(ahead: Ahead, language: str) -> list[Text]:
    zh = language == "zh"
    told = []
    if ahead.holidays:
        names = ("、" if zh else ", ").join(holiday_name(name, language) for name in ahead.holidays)
        told.append(f"下期含节假日：{names}。" if zh else f"Public holidays in it: {names}.")
    if ahead.provisional:
        years = ("、" if zh else ", ").join(map(str, ahead.provisional))
        told.append(
            f"{years}年的放假调休安排尚未公布，相关日期按法定节假日暂估。"
            if zh
            else f"Working days of {years} are not announced yet: moved days may differ."
        )
    if ahead.accuracy is not None:
        wape, floor = (format_rate(float(ahead.accuracy[name]), language, digits=1) for name in ("wape", "floor"))
        told.append(
            f"本期已发布的时段预测误差为{wape}（到达量随机波动本身约{floor}）。"
            if zh
            else f"Forecasts published for this period missed slots by {wape} of arrivals; chance alone makes {floor}."
        )
    return [Text("".join(told) if zh else " ".join(told), "note")] if told else []
