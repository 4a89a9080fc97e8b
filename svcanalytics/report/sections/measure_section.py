"""Why one measure moved, where there is no index to explain: its groups' own values and their mix."""

from __future__ import annotations

from svcanalytics import charts
from svcanalytics.charts.axes import axis_unit
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.movement import fold_lines
from svcanalytics.report.facts.readings import Reading
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.reasons import part_label, sureness
from svcanalytics.report.words.formats import format_change
from svcanalytics.report.words.vocabulary import dimension_name

__all__ = ["measure_movement"]

MOST_LINES = 7
#: Lines below this share of the change go into the rest.
LEAST_SHARE = 0.05


def measure_movement(evaluation: Evaluation) -> Blocks:
    """Return how groups led from last period's value of the measure explained to this period's, in its own unit."""
    e, found = evaluation, evaluation.movement
    zh, reading, name = e.language == "zh", e.reading(found.metric), dimension_name(found.dimension, e.language)
    text = _sentence(e, reading)
    shown = fold_lines(found.lines, MOST_LINES, abs(found.change) * LEAST_SHARE)
    labels = [_label(row, e.language) for row in shown.to_dict("records")]
    unit = axis_unit(reading.kind, [found.before, found.after], e.language)
    scale = 100 if reading.kind == "rate" else 1 / unit.divisor
    frame = shown[["contribution", "low", "high"]].mul(scale).assign(label=labels, certain=shown["certain"])
    periods = e.period.previous(), e.period
    before, after = (
        (period.label(e.language), value * scale)
        for period, value in zip(periods, (found.before, found.after), strict=True)
    )
    picture = charts.draw_contributions(frame, language=e.language, before=before, after=after)
    moved = _written(found.change, reading, e.language)
    if zh:
        title = f"{reading.name}变动{moved}，{'变化显著' if found.certain else '无显著变化'}"
        what = f"{reading.name}的变动由哪些{name}造成"
    else:
        title = f"{reading.name}: {moved}, {'certain' if found.certain else 'no significant change'}"
        what = f"Which parts by {name.lower()} moved {reading.name}"
    columns = [
        Column("group", name),
        Column("contribution", "贡献" if zh else "Contribution"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("certain", "是否确定" if zh else "Certain"),
    ]
    kind = {"rate": "points", "integer": "number"}.get(reading.kind, reading.kind)
    records = [
        {
            "group": label,
            "contribution": Cell(row["contribution"], _written(row["contribution"], reading, e.language), kind=kind),
            "band": _band(row["low"], row["high"], reading, e.language),
            "certain": sureness(row["certain"], e.language),
        }
        for label, row in zip(labels, shown.to_dict("records"), strict=True)
    ]
    note = (
        "各行相加等于指标的变动（四舍五入前）；“确定”按错误发现率5%校正；“其余”为样本少或未填写的。" if zh
        else "The lines add up to the change of the measure (before rounding). Certain: false discovery rate 5%. The "
        "rest: groups too small to show, and rows without one."
    )  # fmt: skip
    data = tabulate("movement", title, columns, records, e.language, note)
    alt = narrative.describe_alternative(what, text, e.language)
    return Blocks((Text(text), Figure("movement_figure", title, alt, charts.svg(picture, e.language), data)))


def _sentence(e: Evaluation, reading: Reading) -> str:
    found = e.movement
    before, after = (reading.written(value, e.language) for value in (found.before, found.after))
    moved, last = _written(found.change, reading, e.language), narrative.period_word(e.every, e.language, last=True)
    if e.language == "zh":
        verdict = "变化显著" if found.certain else "无显著变化"
        return (
            f"没有两期可比的指数，改为解释能按组分解的最主要指标“{reading.name}”："
            f"由{last}的{before}变为{after}（{moved}），{verdict}。"
        )
    verdict = "a significant change" if found.certain else "no significant change"
    return (
        f"There is no index in both periods, so the heaviest measure that can be taken apart is explained: "
        f"{reading.name} went from {before} {last} to {after} ({moved}), {verdict}."
    )


def _written(value: float, reading: Reading, language: str) -> str:
    return format_change(value, reading.kind, language)


def _band(low: float, high: float, reading: Reading, language: str) -> str:
    """Return an interval with its unit said once."""
    texts = [_written(bound, reading, language) for bound in (low, high)]
    return f"{texts[0].removesuffix('个百分点').removesuffix(' pp')} – {texts[1]}"


def _label(row: dict, language: str) -> str:
    if row["source"] == "other" or not row["dimension"]:
        return "其余合计" if language == "zh" else "All the rest"
    group, part = part_label(row, language)
    return f"{group}（{part}）" if language == "zh" else f"{group} ({part})"
