"""Risks of the period to come: the matrix, and what each rests on."""

from __future__ import annotations

from typing import Any

import pandas as pd

from svcanalytics import charts
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.risks import Risk, list_risks
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.cause_words import finding_name
from svcanalytics.report.sections.reasons import measure_name
from svcanalytics.report.words.formats import format_integer, format_number, format_rate, is_missing

__all__ = ["risk_list", "risk_name"]

MOST_RISKS = 10
MOST_REGISTERED = 8
_GRADES = (
    (15, "重大", "grave", "red"),
    (8, "较大", "high", "yellow"),
    (4, "一般", "medium", None),
    (0, "低", "low", None),
)
_ANSWERS = {
    "avoid": ("规避", "avoid"), "reduce": ("降低", "reduce"), "transfer": ("转移", "transfer"),
    "accept": ("接受", "accept"),
}  # fmt: skip


def risk_list(evaluation: Evaluation) -> Blocks:
    """Return the risks of the next period: computed ones, those on the register, and where each stands."""
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("风险清单" if zh else "Risks ahead", 2, "risks")
    found, register = list_risks(e), e.topics.register
    if not found and register.empty:
        text = (
            "历史不足四期，也没有风险登记，无从估计下期风险。" if zh
            else "Fewer than four periods and no risk register: there is nothing to estimate risks from."
        )  # fmt: skip
        return Blocks((head, Text(text, "note")))
    shown, kept = found[:MOST_RISKS], register.head(MOST_REGISTERED)
    records = [_computed(e, number, risk) for number, risk in enumerate(shown, 1)]
    records += [_registered(e, place, row) for place, row in enumerate(kept.to_dict("records"))]
    items: list = [head, Text(_sentence(e, found), "paragraph"), _picture(e, records)]
    return Blocks((*items, _table(e, records, len(found) - len(shown))))


def risk_name(e: Evaluation, risk: Risk) -> str:
    """Return what may happen, in a few words."""
    zh = e.language == "zh"
    if risk.kind == "measure":
        name = measure_name(e, risk.subject)
        return f"{name}未达标" if zh else f"{name} misses its target"
    if risk.kind == "standard":
        name = next(clock.reading.name for clock in e.clocks if clock.reading.id == risk.subject)
        return f"标准“{name}”未达标" if zh else f"Standard “{name}” is missed"
    if risk.kind == "finding":
        rows = e.causes.service
        name = finding_name(e, rows[rows["finding_id"] == risk.subject].iloc[0].to_dict())
        return f"{name}持续存在" if zh else f"{name} goes on"
    if risk.kind == "ledger":
        return "到期整改事项逾期" if zh else "Lines of the ledger run late"
    return "需求超出现有排班" if zh else "Demand exceeds the rostered hours"


def _sentence(e: Evaluation, found: list[Risk]) -> str:
    zh = e.language == "zh"
    grave = [risk for risk in found if risk.severity >= _GRADES[0][0]]
    light = {reading.id: reading.light for reading in (*e.readings, *(clock.reading for clock in e.clocks))}
    turning = [risk for risk in found if light.get(risk.subject) in ("green", "yellow")]
    names = narrative.enumerate_names([risk_name(e, risk) for risk in turning], e.language, 3)
    following = e.period.next().label(e.language)
    if zh:
        text = f"{following}可能性在10%以上的风险{len(found)}项，其中重大{len(grave)}项。"
        if turning:
            return text + f"本期尚未失守而下期可能失守的：{names}。"
        return text + "本期达标的指标和标准下期没有明显的失守风险。"
    noun = "risk" if len(found) == 1 else "risks"
    text = f"{len(found)} {noun} of {following} with a chance of 10% or more, {len(grave)} of them grave. "
    if turning:
        return text + f"Not missed yet, but in danger: {names}."
    return text + "Nothing that is met now is in clear danger of being missed."


def _computed(e: Evaluation, number: int, risk: Risk) -> dict[str, Any]:
    chance, impact = risk.levels
    return {
        "mark": str(number),
        "risk": risk_name(e, risk),
        "probability": chance,
        "impact": impact,
        "chance": Cell(risk.probability, _chance(risk.probability)),
        "cost": _cost(e, risk),
        "grade": _grade(chance * impact, e.language),
        "basis": _basis(e, risk),
    }


def _registered(e: Evaluation, place: int, row: dict[str, Any]) -> dict[str, Any]:
    zh = e.language == "zh"
    chance, impact = (min(5, max(1, int(row[name]))) for name in ("probability", "impact"))
    answer = _ANSWERS.get(str(row["answer"]), (str(row["answer"]),) * 2)[not zh]
    day = row["at"].tz_convert(None) if row["at"].tzinfo else row["at"]
    unknown = is_missing(row["answer"])
    basis = f"登记于{day:%Y年%-m月}" if zh else f"On the register since {day:%Y-%m}"
    if not unknown:
        basis += f"，应对：{answer}" if zh else f"; answer: {answer}"
    return {
        "mark": chr(ord("A") + place),
        "risk": str(row["risk"]),
        "probability": chance,
        "impact": impact,
        "chance": Cell(None, f"{chance}级" if zh else f"level {chance}"),
        "cost": f"{impact}级" if zh else f"level {impact}",
        "grade": _grade(chance * impact, e.language),
        "basis": basis,
    }


def _grade(severity: int, language: str) -> Cell:
    _, chinese, english, light = next(grade for grade in _GRADES if severity >= grade[0])
    text = f"{chinese if language == 'zh' else english} {severity}"
    return Cell(text, text, light)


def _chance(probability: float) -> str:
    percent = round(100 * probability)
    return ">99%" if percent > 99 else f"{percent}%"


def _cost(e: Evaluation, risk: Risk) -> str:
    zh = e.language == "zh"
    if risk.points is not None:
        digits = 2 if risk.points < 0.1 else 1
        number = format_number(risk.points, e.language, digits=digits)
        return f"指数{number}分" if zh else f"{number} index points"
    amount = format_integer(risk.amount, e.language)
    units = {"ledger": ("项", " lines"), "demand": ("件", " contacts")}.get(risk.kind, ("件", " cases"))
    return f"{amount}{units[not zh]}"


def _basis(e: Evaluation, risk: Risk) -> str:
    zh = e.language == "zh"
    if risk.kind == "measure":
        reading, ahead = e.reading(risk.subject), risk.outlook
        target = reading.target_text(e.language)
        value = max(ahead.mean, 0.0) if reading.kind in ("rate", "duration", "integer") else ahead.mean
        value = min(value, 1.0) if reading.kind == "rate" else value
        text = reading.written(value, e.language)
        return f"预计下期{text}（目标{target}）" if zh else (
            f"{text} expected next (target {target})")  # fmt: skip
    if risk.kind == "standard":
        reading = next(clock.reading for clock in e.clocks if clock.reading.id == risk.subject)
        value, target = reading.value_text(e.language), reading.target_text(e.language)
        return f"本期{value}（目标{target}）及其波动" if zh else f"{value} now (target {target}) and how it varies"
    if risk.kind == "finding":
        old = e.causes.followed[e.causes.followed["trend"] != "new"]
        stayed = int((old["trend"] != "gone").sum())
        return (
            f"上期{len(old)}项发现中{stayed}项本期仍在"
            if zh
            else f"{stayed} of last period's {len(old)} findings stayed"
        )
    if risk.kind == "ledger":
        rate = format_rate(risk.share, e.language)
        return f"近一年到期事项逾期率{rate}" if zh else f"{rate} of last year's lines were late"
    staff = e.ahead.staff
    needed, rostered = (format_integer(each, e.language) for each in (staff.mean, staff.rostered))
    return f"预计每周需{needed}坐席小时，本期已排{rostered}小时" if zh else (
        f"{needed} agent-hours a week needed, {rostered} rostered in this period")  # fmt: skip


def _picture(e: Evaluation, records: list[dict[str, Any]]) -> Figure:
    zh = e.language == "zh"
    frame = pd.DataFrame(records)[["mark", "probability", "impact"]]
    grave = sum(record["probability"] * record["impact"] >= _GRADES[0][0] for record in records)
    title = f"风险矩阵：{grave}项重大" if zh else f"Risk matrix: {grave} grave"
    told = "；".join if zh else "; ".join
    course = told(f"{r['mark']} {r['risk']} {r['grade'].text}" for r in records) + ("。" if zh else ".")
    what = f"{len(records)}项风险的发生可能性和影响" if zh else f"Chance and impact of {len(records)} risks"
    svg = charts.svg(charts.draw_risk_matrix(frame, language=e.language), e.language)
    return Figure("risk_matrix", title, narrative.describe_alternative(what, course, e.language), svg)


def _table(e: Evaluation, records: list[dict[str, Any]], more: int) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("mark", "序号" if zh else "No."),
        Column("risk", "风险" if zh else "Risk"),
        Column("chance", "可能性" if zh else "Chance", "rate"),
        Column("cost", "发生时的影响" if zh else "Impact if it happens"),
        Column("grade", "等级（可能性×影响）" if zh else "Grade (chance × impact)"),
        Column("basis", "依据" if zh else "Rests on"),
    ]
    note = (
        "可能性和影响各分五级，乘积15以上为重大、8以上为较大、4以上为一般。可能性界限为10%、30%、60%、90%；"
        "影响按指数分（0.05、0.15、0.4、1分）划级，没有指数分的按受影响的比例（1%、3%、10%、25%）划级。"
        "可能性由历史推算：指标用指数平滑（趋势可预测时含阻尼趋势）；字母为风险登记册中的人工评分。"
        if zh
        else "Chance and impact have five levels each; a product of 15 is grave, of 8 high, of 4 medium. Chances "
        "part at 10, 30, 60 and 90%; impacts at 0.05, 0.15, 0.4 and 1 point of the index, else at 1, 3, 10 and "
        "25% of what is affected. Chances are computed from the past, those of measures by exponential smoothing (with "
        "a damped trend where that predicts better); letters are people's own ratings on the register."
    )
    if more > 0:
        note += f"另有{more}项较轻的未列。" if zh else f" {more} lesser ones are not listed."
    return tabulate("risks", "下期风险" if zh else "Risks of the next period", columns, records, e.language, note)
