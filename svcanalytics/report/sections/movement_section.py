"""Why it moved: the index's change taken apart by measure, and the measures' by team, with how sure each part is."""

from __future__ import annotations

import pandas as pd

from svcanalytics import charts
from svcanalytics.charts.axes import text_width
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.movement import SHIFTS, Movement, fold_lines
from svcanalytics.report.facts.readings import Reading
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.measure_section import measure_movement
from svcanalytics.report.sections.reasons import LEAST, band, cause_label, measure_name, part_label, signed, sureness
from svcanalytics.report.sections.standing import index_incomplete
from svcanalytics.report.words.formats import format_number, is_missing
from svcanalytics.report.words.vocabulary import dimension_name

__all__ = ["why_it_moved"]

MOST_LINES = 7
MOST_PARTS = 10
#: Pixels a picture has for the name of a cause.
WIDEST = 280


def why_it_moved(evaluation: Evaluation) -> Blocks:
    """Return the waterfall from last period's index to this one's, and in which teams measures moved.

    Without an index in both periods the heaviest measure is explained by team or channel; where nothing can be
    explained the section says why.
    """
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("变动原因" if zh else "Why it moved", 2, "movement")
    if e.movement is None:
        return Blocks((head, Text(_nothing(e), "note")))
    if e.movement.metric:
        return Blocks((head, *measure_movement(e)))
    return Blocks((head, *_index(e, e.movement)))


def _nothing(e: Evaluation) -> str:
    last = e.period.previous()
    if not (e.history["period"] == last.key).any() if len(e.history) else True:
        label = last.label(e.language)
        return (
            f"没有{label}的数据，无从比较。" if e.language == "zh" else f"There are no data of {label} to compare with."
        )
    if e.language == "zh":
        return "指标权重不足，不计算指数；也没有按团队或渠道记录的主要指标可供分解。"
    return "There is no index to explain, and no main measure is recorded by team or channel to explain in its place."


def _index(e: Evaluation, found: Movement) -> list:
    lines = found.lines
    scored = lines[lines["source"] == "score"]
    shown = fold_lines(lines, MOST_LINES, LEAST)
    items: list = [Text(_index_sentence(e, found, scored))]
    if index_incomplete(e):
        items.append(
            Text(
                "两期中有数据不完整的：以下各项只说明数字由何而来，不能断定服务有无变化。"
                if e.language == "zh"
                else "One of the two periods has incomplete data: what follows says what the numbers are made of, not "
                "whether the service changed.",
                "note",
            )
        )
    labels = [cause_label(e, row) for row in shown.to_dict("records")]
    frame = pd.DataFrame(
        {
            "label": [_fitting(e, row, label) for row, label in zip(shown.to_dict("records"), labels, strict=True)],
            **{name: shown[name].to_numpy() for name in ("contribution", "low", "high", "certain")},
            "neutral": shown["source"].isin(SHIFTS).to_numpy(),
        }
    )
    ends = [(p.label(e.language), value) for p, value in ((e.period.previous(), found.before), (e.period, found.after))]
    svg = charts.svg(charts.draw_contributions(frame, language=e.language, before=ends[0], after=ends[1]), e.language)
    table = _causes_table(e, found, shown, labels)
    course = _course(found, e)
    if e.language == "zh":
        title, what = f"指数{course}", f"指数从{ends[0][0]}到{ends[1][0]}的变动由哪些指标造成"
    else:
        title, what = f"Index: {course}", f"What led from the index of {ends[0][0]} to that of {ends[1][0]}"
    told = "；".join if e.language == "zh" else "; ".join
    listed = told(
        f"{label} {signed(value, e.language)}" for label, value in zip(labels, shown["contribution"], strict=True)
    )
    alt = narrative.describe_alternative(what, f"{listed}{'。' if e.language == 'zh' else '.'}", e.language)
    items.append(Figure("movement_figure", title, alt, svg, table))
    return items + _parts(e, found, shown)


def _fitting(e: Evaluation, line: dict, label: str) -> str:
    return label if text_width(label, 13) <= WIDEST else cause_label(e, line, brief=True)


def _index_sentence(e: Evaluation, found: Movement, scored: pd.DataFrame) -> str:
    sure = int((scored["certain"] & (scored["contribution"].abs() >= LEAST)).sum())
    shifts = found.lines.loc[found.lines["source"].isin(SHIFTS), "contribution"].sum()
    last = narrative.period_word(e.every, e.language, last=True)
    before, after = f"{found.before:.1f}", f"{found.after:.1f}"
    moved, low, high = (signed(value, e.language) for value in (found.change, found.low, found.high))
    if e.language == "zh":
        verdict = "变化显著" if found.certain else "未超出抽样误差，视为无显著变化"
        text = f"指数由{last}的{before}分变为{after}分（{moved}分，95%区间{low}至{high}），{verdict}。"
        text += f"参与比较的{len(scored)}项指标中，{f'{sure}项的贡献是确定的' if sure else '没有一项的贡献是确定的'}。"
        if abs(shifts) >= LEAST:
            text += f"其中{signed(shifts, 'zh')}分来自权重或计分指标的变动，不是质量变化。"
        return text
    verdict = "a significant change" if found.certain else "no more than sampling error can explain"
    text = f"The index went from {before} {last} to {after} ({moved}, 95% interval {low} to {high}): {verdict}. "
    text += f"Of {len(scored)} measures compared, {sure if sure else 'none'} moved it for certain."
    if abs(shifts) >= LEAST:
        text += f" {signed(shifts, 'en')} of it is no change of quality but of weights or of what was measured."
    return text


def _course(found: Movement, e: Evaluation) -> str:
    moved = signed(found.change, e.language)
    if e.language == "zh":
        return f"变动{moved}分，{'变化显著' if found.certain else '无显著变化'}"
    return f"{moved} points, {'certain' if found.certain else 'no significant change'}"


def _causes_table(e: Evaluation, found: Movement, shown: pd.DataFrame, labels: list[str]) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("cause", "原因" if zh else "Cause"),
        Column("previous", "上期值" if zh else "Last period"),
        Column("value", "本期值" if zh else "This period"),
        Column("contribution", "贡献（分）" if zh else "Contribution (points)", "number"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("certain", "是否确定" if zh else "Certain"),
    ]
    records = []
    for label, row in zip(labels, shown.to_dict("records"), strict=True):
        reading = e.reading(row["metric"]) if row["metric"] else None
        values = (None, None) if reading is None else (reading.previous, reading.value)
        records.append(
            {
                "cause": label,
                **{k: _value(reading, v, e.language) for k, v in zip(("previous", "value"), values, strict=True)},
                "contribution": Cell(row["contribution"], signed(row["contribution"], e.language)),
                "band": band(row["low"], row["high"], e.language),
                "certain": sureness(row["certain"], e.language),
            }
        )
    records.append(
        {
            "cause": "指数变动" if zh else "Change of the index",
            "previous": Cell(found.before, format_number(found.before, e.language, digits=1)),
            "value": Cell(found.after, format_number(found.after, e.language, digits=1)),
            "contribution": Cell(found.change, signed(found.change, e.language)),
            "band": band(found.low, found.high, e.language),
            "certain": sureness(found.certain, e.language),
        }
    )
    note = (
        "各行相加等于指数变动（四舍五入前）。“确定”按错误发现率5%（Benjamini–Hochberg）在全部指标间校正；"
        "合计行的区间按各行相互独立计算。权重和计分指标的变动不是质量变化。"
        if zh
        else "The lines add up to the change of the index (before rounding). Certain: corrected over all measures so "
        "that at most 5% of what is called certain is false on average (Benjamini–Hochberg). The interval of summed "
        "lines takes them as independent. Changed weights and what was measured are no change of quality."
    )
    return tabulate(
        "movement", "指数变动的构成" if zh else "What the change is made of", columns, records, e.language, note
    )


def _value(reading: Reading | None, value: float | None, language: str) -> Cell:
    if reading is None or is_missing(value):
        return Cell(None, "–")
    return Cell(value, reading.written(value, language), kind=reading.kind)


def _parts(e: Evaluation, found: Movement, shown: pd.DataFrame) -> list:
    """Return in which groups measures moved: those told from noise, and what every group contradicts the whole in."""
    if found.groups.empty:
        return []
    zh, groups = e.language == "zh", found.groups
    name = dimension_name(found.dimension, e.language)
    title = f"变动发生在哪些{name}" if zh else f"Where it happened, by {name.lower()}"
    items: list = [Heading(title, 3)]
    told = groups[groups["found"] & (groups["contribution"].abs() >= LEAST)]
    told = told.reindex(told["contribution"].abs().sort_values(ascending=False, kind="stable").index)
    if told.empty:
        text = (
            f"没有哪个{name}的变动大到能与波动区分开。" if zh
            else f"No single {name.lower()}'s part is large enough to be told from noise."
        )  # fmt: skip
        items.append(Text(text))
    else:
        items.append(_parts_table(e, told.head(MOST_PARTS), len(told)))
    reversed_ = groups.loc[groups["flag"].str.contains("simpson") & groups["metric"].isin(shown["metric"]), "metric"]
    names = [measure_name(e, metric) for metric in dict.fromkeys(reversed_)]
    if names:
        listed = narrative.enumerate_names(names, e.language)
        text = (
            f"注意：{listed}在每个{name}内的变化方向都与总体相反，总体变化来自构成（谁办了多少），不是水平。"
            if zh
            else f"Beware: in {listed} every {name.lower()} moved one way and the whole the other; the whole's change "
            "comes from who did how much of the work, not from how well it was done."
        )
        items.append(Text(text, "note"))
    return items


def _parts_table(e: Evaluation, told: pd.DataFrame, total: int) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("measure", "指标" if zh else "Measure"),
        Column("group", dimension_name(e.movement.dimension, e.language)),
        Column("part", "变化内容" if zh else "What changed"),
        Column("contribution", "对指数的贡献（分）" if zh else "Contribution (points of the index)", "number"),
        Column("band", "95%区间" if zh else "95% interval"),
    ]
    records = []
    for row in told.to_dict("records"):
        group, part = part_label(row, e.language)
        records.append(
            {
                "measure": measure_name(e, row["metric"]),
                "group": group,
                "part": part,
                "contribution": Cell(row["contribution"], _fine(row["contribution"], e.language)),
                "band": f"{_fine(row['low'], e.language)} – {_fine(row['high'], e.language)}",
            }
        )
    note = (
        "只列能与波动区分开的：先按指标、再在有变动的指标内按组检验，错误发现率5%。“自身水平”按该组的平均占比计，"
        "“占比变化”指好于总体的组份额增加为正。"
        if zh
        else "Only what is told from noise: measures are tested first, then groups within those that moved (false "
        "discovery rate 5%). Its own level counts by its mean share; its share of the work helps when a group better "
        "than the whole grows."
    )
    if total > len(told):
        note += (
            f"另有{total - len(told)}行较小的未列出。" if zh else f" {total - len(told)} smaller lines are not listed."
        )
    title = "能与波动区分开的变动" if zh else "Changes told from noise"
    return tabulate("movement_parts", title, columns, records, e.language, note)


def _fine(value: float, language: str) -> str:
    return format_number(value, language, digits=2, signed=True)
