"""What a longer report adds: months side by side, and the course of the main measures."""

from __future__ import annotations

import pandas as pd

from svcanalytics import charts
from svcanalytics.periods import periods_between
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import Reading, kind_of, target_number
from svcanalytics.report.sections import narrative
from svcanalytics.report.words.formats import is_missing, word

__all__ = ["courses", "months"]

MOST_COURSES = 4


def months(evaluation: Evaluation) -> Blocks:
    """Return the months of the period side by side."""
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("分月情况" if zh else "Month by month", 2, "months")
    if e.months.empty:
        return Blocks((head, Text("没有分月数据。" if zh else "There are no monthly figures.", "note")))
    inside = periods_between(e.period.start, e.period.last, "month", e.period.month_start)
    columns = [Column("name", "指标" if zh else "Measure"), Column("target", "目标值" if zh else "Target")]
    columns += [Column(month.key, month.label(e.language)) for month in inside]
    columns += [Column("value", "本期" if zh else "This period")]
    records = []
    for metric_id, part in e.months.groupby("metric", sort=False):
        reading, by_month = e.reading(str(metric_id)), part.set_index("period")
        if reading is None:
            continue
        record = {
            "name": reading.name,
            "target": Cell(reading.target, reading.target_text(e.language), kind=reading.kind),
        }
        for month in inside:
            record[month.key] = _month_cell(e, reading, by_month, month.key)
        value = None if is_missing(reading.value) else reading.value
        record["value"] = Cell(value, reading.value_text(e.language), kind=reading.kind)
        records.append(record)
    title = "核心指标分月完成情况" if zh else "Core measures by month"
    return Blocks((head, tabulate("months", title, columns, records, e.language)))


def courses(evaluation: Evaluation) -> Blocks:
    """Return the course of the main measures over the periods so far, with their intervals and targets."""
    e, zh = evaluation, evaluation.language == "zh"
    items: list = [Heading("主要指标走势" if zh else "Courses of the main measures", 2, "courses")]
    weights = (
        {} if e.profile is None else {m.metric: m.weight * e.profile.families[m.family] for m in e.profile.metrics}
    )
    order = {"red": 0, "yellow": 1, "green": 2}
    chosen = sorted(
        (reading for reading in e.readings if reading.judged),
        key=lambda reading: (order[reading.light], -weights.get(reading.id, 0.0)),
    )
    for reading in chosen[:MOST_COURSES]:
        figure = _course(e, reading)
        items += [figure] if figure else []
    if len(items) == 1:
        text = (
            "历史数据不足两期，暂无走势。" if zh else "There are fewer than two periods, so there is no course to show."
        )
        items.append(Text(text, "note"))
    return Blocks(tuple(items))


def _month_cell(e: Evaluation, reading: Reading, by_month: pd.DataFrame, key: str) -> Cell:
    if key not in by_month.index:
        return Cell(None, "–")
    row = by_month.loc[key]
    if row["flag"] == "suppressed":
        return Cell(None, word("suppressed", e.language))
    text = reading.written(row["value"], e.language)
    if row["flag"] == "incomplete":
        text += f"（{word('incomplete', 'zh')}）" if e.language == "zh" else f" ({word('incomplete', 'en')})"
    return Cell(None if is_missing(row["value"]) else float(row["value"]), text, kind=reading.kind)


def _course(e: Evaluation, reading: Reading) -> Figure | None:
    zh = e.language == "zh"
    rows = e.history[e.history["metric"] == reading.id].set_index("period")
    keys = [period.key for period in e.periods()]
    known = [key for key in keys if key in rows.index and not is_missing(rows.loc[key, "value"])]
    if len(known) < 2:
        return None
    keys = keys[keys.index(known[0]) :]
    frame = rows.reindex(keys)[["value", "low", "high", "flag"]].reset_index()
    frame["flag"] = frame["flag"].fillna("")
    sentence = narrative.describe(reading, e.language, e.every)
    target = target_number(reading.target, reading.kind, e.language)
    chart = charts.draw_trend(
        frame,
        language=e.language,
        kind=kind_of(e.metrics[reading.id].unit, e.metrics[reading.id].kind),
        target=reading.target,
        target_text=f"目标{target}" if zh else f"target {target}",
    )
    columns = [Column("period", "期间" if zh else "Period")]
    titles = ("数值", "区间下限", "区间上限") if zh else ("Value", "Low (95%)", "High (95%)")
    columns += [Column(key, title) for key, title in zip(("value", "low", "high"), titles, strict=True)]
    records = [
        {"period": row["period"]}
        | {
            name: Cell(
                None if is_missing(row[name]) else row[name],
                "–" if is_missing(row[name]) else reading.written(row[name], e.language),
                kind=reading.kind,
            )
            for name in ("value", "low", "high")
        }
        for row in frame.to_dict("records")
    ]
    title = (
        f"{reading.name}{reading.value_text('zh')}：{sentence.rstrip('。')}"
        if zh
        else f"{reading.name} {reading.value_text('en')}: {sentence.rstrip('.')}"
    )
    data = tabulate(f"course_{reading.id}", reading.name, columns, records, e.language)
    what = (
        f"{reading.name}{len(keys)}期走势及95%区间"
        if zh
        else f"{reading.name} over {len(keys)} periods with 95% intervals"
    )
    alt = narrative.describe_alternative(what, sentence, e.language)
    return Figure(f"course_{reading.id}_figure", title, alt, charts.svg(chart, e.language), data)
