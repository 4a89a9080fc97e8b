"""The standards: for each clock what fell due, on time, late, still running, and its share against what is promised."""

from __future__ import annotations

from svcanalytics.report.blocks import Blocks, Cell, Column, Heading, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import Clock
from svcanalytics.report.sections.indicator_table import band_text
from svcanalytics.report.sections.late_tables import late_cases, late_teams
from svcanalytics.report.words.formats import format_duration, format_integer, is_missing, light_rule, no_base

__all__ = ["standards"]


def standards(evaluation: Evaluation) -> Blocks:
    """Return the time standards: 应办, 按时, 超时, 在办未到期, 达标率 and mean overrun; then late teams and cases."""
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("服务标准执行情况" if zh else "Service standards", 2, "standards")
    if not e.clocks:
        text = (
            "本期没有适用的时限标准（缺少事项时间或里程碑数据）。"
            if zh
            else ("No time standard applies in this period: there are no case times or milestones to measure.")
        )
        return Blocks((head, Text(text, "note")))
    columns = [
        Column("name", "标准" if zh else "Standard"),
        Column("due", "应办" if zh else "Due", "integer"),
        Column("on_time", "按时" if zh else "On time", "integer"),
        Column("late", "超时" if zh else "Late", "integer"),
        Column("running", "在办未到期" if zh else "Running, not due", "integer"),
        Column("share", "达标率" if zh else "On-time share", "rate"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("target", "目标" if zh else "Target", "rate"),
        Column("change", "环比" if zh else "Change", "points"),
        Column("overrun", "平均超时" if zh else "Mean overrun", "duration"),
        Column("light", "灯" if zh else "Light", "light"),
    ]
    if zh:
        note = "应办=按时+超时；未到期的在办事项不计入达标率；平均超时只对超时事项计算；*为变化显著（95%）。"
    else:
        note = (
            "Due = on time + late; what is still running within its limit counts neither way; mean overrun is over "
            "late ones only. * marks a significant change (95%)."
        )
    records = [_record(clock, e.language) for clock in e.clocks]
    title = "时限标准" if zh else "Time standards"
    table = tabulate(
        "standards", title, columns, records, e.language, note + ("" if zh else " ") + light_rule(e.language)
    )
    late = [found for found in (late_teams(e), late_cases(e)) if found]
    return Blocks((head, Text(_sentence(e)), table, *late))


def _record(clock: Clock, language: str) -> dict:
    reading = clock.reading
    suppressed = reading.flag == "suppressed" or is_missing(reading.value)
    share = Cell(None if suppressed else reading.value, reading.value_text(language), kind="rate")
    change = Cell(None, "–")
    if not suppressed:
        value, kind = reading.change_value(reading.change, reading.previous)
        star = "*" if reading.significant else ""
        text = reading.change_text(language, reading.change, reading.previous) + star
        if value is None:  # there may be a last period that is suppressed: no base to show, but not for want of data
            text = "–" if reading.previous_base == "suppressed" else no_base(language, last=True)
        change = Cell(value, text, kind=kind)
    overrun = clock.overrun_s
    return {
        "name": reading.name,
        **{name: Cell(getattr(clock, name), format_integer(getattr(clock, name), language)) for name in _COUNTS},
        "share": share,
        "band": Cell(None, "–") if suppressed else Cell(band_text(reading, language), band_text(reading, language)),
        "target": Cell(reading.target, reading.target_text(language), kind="rate"),
        "change": change,
        "overrun": Cell(None, "–")
        if is_missing(overrun) or not clock.late
        else Cell(overrun, format_duration(overrun, language)),
        "light": reading.light,
    }


_COUNTS = ("due", "on_time", "late", "running")


def _sentence(e: Evaluation) -> str:
    single = [clock for clock in e.clocks if not clock.composite]
    due, late = sum(clock.due for clock in single), sum(clock.late or 0 for clock in single)
    judged = [clock for clock in e.clocks if clock.reading.judged]
    red = [clock.reading.name for clock in judged if clock.reading.light == "red"]
    worst = max((clock for clock in single if clock.late), key=lambda clock: clock.late, default=None)
    if all(clock.late is None for clock in single):
        n = format_integer(due, e.language)
        return (
            f"各项标准共应办{n}件次，样本不足，不作评价。"
            if e.language == "zh"
            else (f"Standards fell due {n} times in all: too few to judge.")
        )
    if e.language == "zh":
        text = f"{len(single)}项标准共应办{due:,}件次，超时{late:,}件次。"
        if judged:
            text += (
                f"设有目标的{len(judged)}项中，{f'{len(red)}项未达标：' + '、'.join(red) if red else '没有未达标的'}。"
            )
        if worst:
            overrun = "" if is_missing(worst.overrun_s) else f"，平均超时{format_duration(worst.overrun_s, 'zh')}"
            text += f"超时最多的是“{worst.reading.name}”（{worst.late:,}件{overrun}）。"
        return text
    noun = "standard" if len(single) == 1 else "standards"
    text = f"{len(single)} {noun} fell due {due:,} times in all, {late:,} times too late."
    if judged:
        missed = f"{len(red)} missed: {'; '.join(red)}" if red else "none missed"
        text += f" Of {len(judged)} with a target, {missed}."
    if worst:
        overrun = "" if is_missing(worst.overrun_s) else f", by {format_duration(worst.overrun_s, 'en')} on average"
        text += f" Most often late: {worst.reading.name} ({worst.late:,} times{overrun})."
    return text
