"""The indicator table: target, this period, last period, last year, the year so far, and lights with their rule."""

from __future__ import annotations

from collections.abc import Iterable

from svcanalytics.report.blocks import Blocks, Cell, Column, Heading, Table, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import Reading
from svcanalytics.report.sections import narrative
from svcanalytics.report.words.formats import format_integer, is_missing, light_rule, no_base, word

__all__ = ["band_text", "indicators"]

#: Marks of changes whose base is not a whole, comparable period; explained under the table where they occur.
_MARKS = {"incomplete": "†", "january_february": "‡", "january_alone": "‡"}
_MEANINGS = {
    "§": ("§本期数据不完整。", "§ The data of this period are incomplete."),
    "†": ("†对比期数据不完整。", "† The period compared with is incomplete."),
    "‡": (
        "‡春节错期：2月按1–2月合计同比，1月单月同比仅供参考。",
        "‡ The Spring Festival moves: February's change on the year compares January and February together; January's "
        "alone is not comparable.",
    ),
}

_PROGRESS = (
    "年度目标进度=本年累计对目标值的完成程度：越高越好的指标为本年累计÷目标值，越低越好的为目标值÷本年累计；"
    "达到或超过100%即累计达到目标，可大于100%；没有本年累计值或其为0的不计算。",
    "Progress to the year's target is how far the year to date attains the target: year to date ÷ target where more is "
    "better, target ÷ year to date where less is. From 100% on the target is reached; it can be more. Where "
    "the year to date is 0 or not known there is none.",
)


def indicators(evaluation: Evaluation) -> Blocks:
    """Return the indicators: those with a target as one table with lights, then those that are only watched."""
    e, zh = evaluation, evaluation.language == "zh"
    items: list = [Heading("指标完成情况" if zh else "Measures", 2, "indicators")]
    if not e.readings:
        text = "本期没有可公布的指标。" if zh else "There is no measure to publish in this period."
        return Blocks((*items, Text(text, "note")))
    aimed = [reading for reading in e.readings if not is_missing(reading.target)]
    watched = [reading for reading in e.readings if is_missing(reading.target) and not is_missing(reading.value)]
    if aimed:
        items.append(Text(narrative.describe_lights(aimed, e.language)))
        items.append(_table(e, "indicators", "有目标的指标" if zh else "Measures with a target", aimed, judged=True))
    if watched:
        items.append(
            _table(e, "watched", "监测指标（未设目标）" if zh else "Measures watched, without a target", watched)
        )
    return Blocks(tuple(items))


def _columns(e: Evaluation, judged: bool) -> list[Column]:
    zh = e.language == "zh"
    found = [Column("name", "指标" if zh else "Measure")]
    found += [Column("target", "目标值" if zh else "Target")] if judged else []
    found += [Column("value", "本期" if zh else "This period")]
    found += [Column("whole", "全机构" if zh else "Whole organisation")] if e.whole else []
    found += [Column("met", "达标" if zh else "Met")] if judged else []
    found += [
        Column("previous", "上期" if zh else "Last period"),
        Column("change", "环比" if zh else "Change"),
        Column("last_year", "去年同期" if zh else "Same period last year"),
        Column("yoy", "同比" if zh else "Change on the year"),
        Column("ytd", "本年累计" if zh else "Year to date"),
    ]
    found += [Column("progress", "年度目标进度" if zh else "Progress to the year's target", "rate")] if judged else []
    found += [Column("light", "灯" if zh else "Light", "light")] if judged else []
    return [
        *found,
        Column("band", "95%区间" if zh else "95% interval"),
        Column("n", "样本量" if zh else "n", "integer"),
    ]


def _table(e: Evaluation, id: str, title: str, readings: Iterable[Reading], judged: bool = False) -> Table:
    from svcanalytics.metrics import families

    names = families()
    records = [_record(e, reading, names) for reading in readings]
    index, gap = (0, "") if e.language == "zh" else (1, " ")
    notes = [light_rule(e.language), _PROGRESS[index]] if judged else []
    notes.append(
        "*为变化显著（95%，已按比较次数校正）；占比的变化以个百分点计，数量的变化以%计；无数据可比时写“无上期数据”“无同期数据”。"
        if e.language == "zh"
        else "* marks a significant change (95%, corrected for the number of comparisons). Shares change in percentage "
        'points (pp), counts in %. "No base" stands where there is nothing to compare with.'
    )
    texts = [record[name].text for record in records for name in ("value", "change", "yoy")]
    notes += [meaning[index] for mark, meaning in _MEANINGS.items() if any(mark in text for text in texts)]
    return tabulate(id, title, _columns(e, judged), records, e.language, gap.join(notes))


def _record(e: Evaluation, reading: Reading, families: dict) -> dict:
    language = e.language
    text = reading.value_text(language)
    if reading.flag == "incomplete":
        text += "§"
    elif reading.flag == "provisional":
        note = word("provisional", language)
        text += f"（{note}）" if language == "zh" else f" ({note})"
    suppressed = reading.flag == "suppressed" or is_missing(reading.value)
    met = None
    if not suppressed and not is_missing(reading.target):
        met = reading.value <= reading.target if reading.direction == "down" else reading.value >= reading.target
    return {
        "family": families.get(reading.family, {}).get(language, reading.family),
        "name": reading.name,
        "target": Cell(reading.target, reading.target_text(language), kind=reading.kind),
        "value": Cell(None if suppressed else reading.value, text, kind=reading.kind),
        "whole": _cell(reading, e.whole.get(reading.id), language),
        "met": Cell(met, "–" if met is None else word("yes" if met else "no", language)),
        "previous": _of_last(_base(reading, reading.previous, reading.previous_base, language), language),
        "change": _of_last(
            _change(reading, reading.change, reading.previous, reading.significant, reading.previous_base, language),
            language,
        ),
        "last_year": _base(reading, reading.last_year, reading.yoy_base, language),
        "yoy": _change(
            reading, reading.yoy_change, reading.last_year, reading.yoy_significant, reading.yoy_base, language
        ),
        "ytd": Cell(None, "–") if is_missing(reading.ytd) else _cell(reading, reading.ytd, language),
        "progress": Cell(None, "–") if reading.attainment is None else reading.attainment,
        "light": reading.light,
        "band": Cell(None, "–") if suppressed else Cell(band_text(reading, language), band_text(reading, language)),
        "n": Cell(int(reading.n), format_integer(reading.n, language)),
    }


def band_text(reading: Reading, language: str) -> str:
    """Return how the 95 % interval of a reading reads; an en dash without one."""
    if is_missing(reading.low) or is_missing(reading.high):
        return "–"
    return f"{reading.written(reading.low, language)} – {reading.written(reading.high, language)}"


def _cell(reading: Reading, value: float | None, language: str) -> Cell:
    return Cell(None if is_missing(value) else value, reading.written(value, language), kind=reading.kind)


def _base(reading: Reading, value: float | None, basis: str, language: str) -> Cell:
    return Cell(None, word("suppressed", language)) if basis == "suppressed" else _cell(reading, value, language)


def _of_last(cell: Cell, language: str) -> Cell:
    """Say that it is last period that is missing, where last year is what the words without a base speak of."""
    return Cell(None, no_base(language, last=True)) if cell.text == no_base(language) else cell


def _change(
    reading: Reading, change: float | None, base: float | None, significant: bool | None, basis: str, language: str
) -> Cell:
    if is_missing(change):
        # There is a base, but the two can't be compared: one is suppressed, or a count of part of a period.
        return Cell(None, no_base(language) if is_missing(base) and basis != "suppressed" else "–")
    value, kind = reading.change_value(change, base)
    marks = ("*" if significant else "") + _MARKS.get(basis, "")
    return Cell(value, reading.change_text(language, change, base) + marks, kind=kind)
