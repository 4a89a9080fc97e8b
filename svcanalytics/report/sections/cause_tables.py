"""The tables of causes: what findings cost, what went wrong in them, and what each layer explains."""

from __future__ import annotations

from typing import Any

import pandas as pd

from svcanalytics.report.blocks import Cell, Column, Table, tabulate
from svcanalytics.report.facts.diagnosis import Diagnosis, amounts
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections.cause_words import (
    LAYERS,
    evidence_text,
    finding_name,
    follow_words,
    layer_name,
    layer_text,
    trend_name,
)
from svcanalytics.report.words.formats import format_integer, format_number, format_rate, is_missing

__all__ = ["describe_wrong", "format_cost", "ledger_state", "tabulate_costs", "tabulate_evidence", "tabulate_findings"]

MOST_ROWS = 15
MOST_TRACED = 5
_STATES = {
    "proposed": ("建议列入", "to be added"),
    "in hand": ("整改中", "in hand"),
    "back": ("已销号，再次出现", "closed, but back"),
}


def tabulate_costs(e: Evaluation, found: Diagnosis, drawn: pd.DataFrame) -> Table:
    """Return what the picture shows, as numbers."""
    zh = e.language == "zh"
    columns = [
        Column("finding", "发现" if zh else "Finding"),
        Column("n", "件数" if zh else "Cases", "integer"),
        Column("points", "影响（指数分）" if zh else "Cost (index points)", "number"),
        Column("low", "区间下限" if zh else "Low (95%)", "number"),
        Column("high", "区间上限" if zh else "High (95%)", "number"),
        Column("layer", "层面" if zh else "Layer"),
    ]
    if not found.priced:
        columns = [column for column in columns if column.key not in ("points", "low", "high")]
    records = [
        {
            "finding": finding_name(e, row),
            "n": int(row["n"]),
            "layer": layer_name(row, e.language),
            **{name: _cell(cost[name]) for name in ("points", "low", "high")},
        }
        for row, cost in zip(drawn.to_dict("records"), amounts(drawn).to_dict("records"), strict=True)
    ]
    return tabulate("causes_drawn", "发现的影响" if zh else "What findings cost", columns, records, e.language)


def tabulate_findings(e: Evaluation, found: Diagnosis) -> Table:
    """Return the findings, those about the service first: what went wrong, since when, and who deals with it."""
    zh, every = e.language == "zh", pd.concat([found.service, found.artefacts])
    columns = [
        Column("finding", "发现" if zh else "Finding"),
        Column("wrong", "出错情况" if zh else "What went wrong"),
        Column("n", "件数" if zh else "Cases", "integer"),
        Column("cost", "影响（指数分）" if zh else "Cost (index points)", "number"),
        Column("layer", "层面" if zh else "Layer"),
        Column("since", "起始日" if zh else "Since", "date"),
        Column("trend", "与上期相比" if zh else "Since last period"),
        Column("ledger", "整改台账" if zh else "Ledger"),
    ]
    if not found.priced:
        columns = [column for column in columns if column.key != "cost"]
    followed = follow_words(found.followed)
    links = found.links.set_index("finding_id") if len(found.links) else pd.DataFrame()
    shown = every.head(MOST_ROWS)
    records = []
    for row, cost in zip(shown.to_dict("records"), amounts(shown).to_dict("records"), strict=True):
        trend = followed.get(row["finding_id"], row["trend"])
        # What the finding itself knows of the time before is finer than that it was not found then.
        trend = row["trend"] if trend == "new" and row["trend"] else trend
        size = _cell(cost["points"])
        if not is_missing(cost["low"]):
            size = Cell(size.value, f"{size.text} ({format_cost(cost['low'])}–{format_cost(cost['high'])})")
        records.append(
            {
                "finding": finding_name(e, row),
                "wrong": describe_wrong(e, row),
                "n": int(row["n"]),
                "cost": size,
                "layer": layer_name(row, e.language),
                "since": None if is_missing(row["since"]) else row["since"].date(),
                "trend": trend_name(trend, e.language),
                "ledger": ledger_state(row, links, e.language),
            }
        )
    title, note = "发现一览" if zh else "Findings", _note(e, len(every) - len(shown))
    return tabulate("causes", title, columns, records, e.language, note)


def _cell(points: float) -> Cell:
    return Cell(None, "–") if is_missing(points) else Cell(float(points), format_cost(points))


def describe_wrong(e: Evaluation, row: dict[str, Any]) -> str:
    """Return the share that went wrong and what was expected; of what is no share, how many cases beyond it."""
    told, metric = row["details"], e.metrics.get(row["measure"])
    zh = e.language == "zh"
    if metric is None or metric.kind != "rate":
        return "–"
    if "value" in told and "expected" in told:
        value, usual = (format_rate(min(max(told[name], 0.0), 1.0), e.language) for name in ("value", "expected"))
        return f"问题占比{value}，预期{usual}" if zh else f"{value} went wrong, expected {usual}"
    beyond = format_integer(row["excess"], e.language)
    return f"超出预期{beyond}件" if zh else f"{beyond} beyond the expected"


def ledger_state(row: dict[str, Any], links: pd.DataFrame, language: str) -> str:
    """Return which line of the ledger deals with a finding and how it stands; "–" for what needs none."""
    if row["kind"] == "artefact" or row["finding_id"] not in links.index:
        return "–"
    link = links.loc[row["finding_id"]]
    state = _STATES[link["state"]][0 if language == "zh" else 1]
    if is_missing(link["action_id"]):
        return state
    return f"{link['action_id']}（{state}）" if language == "zh" else f"{link['action_id']} ({state})"


def _note(e: Evaluation, hidden: int) -> str:
    zh = e.language == "zh"
    more = (f"另有{hidden}项未列出。" if zh else f" {hidden} more are not listed.") if hidden > 0 else ""
    if zh:
        return (
            "只列超出偶然的：每种查找按其看过的全部组合校正，合计错误发现率5%；少于20件的不列。"
            "影响=若恢复到预期水平，指数可回升的分数；同一批事项还影响其他指标的，分数相加，区间按主要指标的相对宽度计。层面由三层证据判定，证据不足的为“未定”。"
            + more
        )
    return (
        "Only what chance does not explain: each search is corrected for all it looked at, and 5% of all findings are "
        "false at most on average; nothing under 20 cases. Cost: what the index would win back at the expected level; "
        "where the same cases cost other measures too, points are added and the interval keeps its relative width. The "
        "layer rests on evidence of all three; it is open where that does not say." + more
    )


def tabulate_evidence(e: Evaluation, found: Diagnosis) -> list[Table]:
    """Return what each layer explains of the first findings; no table where no layer explains any."""
    zh = e.language == "zh"
    texts = [
        (row, {layer: evidence_text(row, layer, e.language) for layer in LAYERS})
        for row in found.service.head(MOST_TRACED).to_dict("records")
    ]
    texts = [(row, told) for row, told in texts if any(each != "–" for each in told.values())]
    if not texts:
        return []
    columns = [Column("finding", "发现" if zh else "Finding")]
    columns += [Column(layer, layer_text(layer, e.language).capitalize()) for layer in LAYERS]
    columns += [Column("verdict", "判定" if zh else "Verdict")]
    records = [
        {
            "finding": finding_name(e, row),
            **told,
            "verdict": layer_text(row["layer"], e.language),
        }
        for row, told in texts
    ]
    note = (
        "百分数=该层情况能解释的超出部分；“–”=可能是偶然。判定还看该处由什么命名、同时还变了什么。" if zh
        else "Percentages: what a layer's circumstances explain of the excess; –: may be chance. The verdict also "
        "weighs what names the cases and what else changed there."
    )  # fmt: skip
    title = "三层证据" if zh else "Evidence on three layers"
    return [tabulate("causes_layers", title, columns, records, e.language, note)]


def format_cost(value: float) -> str:
    """Return points of the index with one digit, small ones with two."""
    return format_number(value, "en", digits=2 if abs(value) < 0.2 else 1)
