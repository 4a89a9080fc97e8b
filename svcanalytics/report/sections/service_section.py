"""Whether people got through, and what quality checks of their contacts found."""

from __future__ import annotations

import pandas as pd

from svcanalytics.report.blocks import Blocks, Cell, Column, Heading, Table, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import Reading, kind_of
from svcanalytics.report.facts.topics import ACCESS
from svcanalytics.report.sections import narrative
from svcanalytics.report.words.formats import format_integer, is_missing
from svcanalytics.report.words.vocabulary import dimension_name, group_name

__all__ = ["access", "quality_checks"]

MOST_ROWS = 12
_CHECKS = ("qa_score", "fatal_error_rate")


def access(evaluation: Evaluation) -> Blocks:
    """Return how many got through to a person and how fast, by queue; without contacts it is nothing at all."""
    e, zh = evaluation, evaluation.language == "zh"
    told = _told(e, ACCESS)
    if not told:
        return Blocks(())
    head = Heading("接通情况" if zh else "Getting through", 2, "access")
    items: list = [head, *(_statement(e, reading) for reading in told[:3])]
    if len(e.topics.access):
        title = "各队列接通情况" if zh else "Getting through, by queue"
        items += _split(e, e.topics.access, "queue", [reading.id for reading in told], "access_queues", title)
    return Blocks(tuple(items))


def quality_checks(evaluation: Evaluation) -> Blocks:
    """Return what QA found, by item; without checks it is nothing at all."""
    e, zh = evaluation, evaluation.language == "zh"
    told = _told(e, _CHECKS)
    if not told:
        return Blocks(())
    items: list = [Heading("质检情况" if zh else "Quality checks", 2, "quality_checks")]
    items += [_statement(e, reading) for reading in told]
    if len(e.topics.checks):
        title = "各质检项目" if zh else "Checks by item"
        items += _split(e, e.topics.checks, "item", [reading.id for reading in told], "check_items", title)
    return Blocks(tuple(items))


def _told(e: Evaluation, names: tuple[str, ...]) -> list[Reading]:
    return [reading for reading in map(e.reading, names) if reading is not None and not is_missing(reading.value)]


def _statement(e: Evaluation, reading: Reading) -> Text:
    said = narrative.describe(reading, e.language, e.every)
    value = reading.value_text(e.language)
    n = format_integer(reading.n, e.language)
    if e.language == "zh":
        return Text(f"{reading.name}{value}（n={n}）：{said}")
    return Text(f"{reading.name} {value} (n = {n}): {said[0].lower()}{said[1:]}")


def _split(e: Evaluation, frame: pd.DataFrame, by: str, names: list[str], id: str, title: str) -> list[Table]:
    """Return one table: a row per group, and of each measure its value and how it changed where that is certain."""
    zh = e.language == "zh"
    now = frame[(frame["period"] == e.period.key) & (frame["n"].fillna(0) > 0)]
    names = [name for name in names if name in set(now["metric"])]
    if now[by].nunique() < 2 or not names:
        return []
    before = frame[frame["period"] == e.period.previous().key]
    cells = {(row["metric"], row[by]): row for row in now.to_dict("records")}
    last = {(row["metric"], row[by]): row for row in before.to_dict("records")}
    order = now[now["metric"] == names[0]].sort_values(["n", by], ascending=[False, True])[by].head(MOST_ROWS)
    columns = [Column("group", {"item": "质检项目" if zh else "Item"}.get(by, dimension_name(by, e.language)))]
    columns.append(Column("n", "样本量" if zh else "n", "integer"))
    columns += [Column(name, e.reading(name).name) for name in names]
    records = []
    for group in order:
        first = cells[names[0], group]
        record = {"group": group_name(group, e.language), "n": int(first["n"])}
        for name in names:
            record[name] = _cell(e, name, cells.get((name, group)), last.get((name, group)))
        records.append(record)
    note = (
        "箭头为与上期相比两个95%区间互不重叠的变化；着色按目标和区间判断，规则同指标表。" if zh
        else "An arrow marks a change on the last period whose two 95% intervals don't overlap; colours follow the "
        "rule of the table of measures."
    )  # fmt: skip
    return [tabulate(id, title, columns, records, e.language, note)]


def _cell(e: Evaluation, name: str, row: dict | None, before: dict | None) -> Cell:
    from svcanalytics.metrics.comparison import lights

    if row is None or is_missing(row["value"]):
        return Cell(None, "–")
    metric = e.metrics[name]
    kind = kind_of(metric.unit, metric.kind)
    reading = Reading(name, "", kind, metric.direction, float(row["value"]))
    arrow = ""
    if before is not None and not is_missing(before["low"]) and not is_missing(row["low"]):
        arrow = " ↑" if row["low"] > before["high"] else " ↓" if row["high"] < before["low"] else ""
    light = str(lights(pd.DataFrame([row]))[0]) if not is_missing(row["target"]) else ""
    return Cell(reading.value, reading.value_text(e.language) + arrow, light or None, kind)
