"""Causes: what went wrong beyond chance, where, what it costs, on which layer, and what became of the last findings."""

from __future__ import annotations

from typing import Any

import pandas as pd

from svcanalytics import charts
from svcanalytics.charts.axes import text_width
from svcanalytics.report import narrative
from svcanalytics.report.blocks import Blocks, Cell, Column, Figure, Heading, Table, Text, tabulate
from svcanalytics.report.cause_words import (
    condition_name,
    evidence_text,
    finding_name,
    follow_words,
    layer_name,
    layer_text,
    place_name,
    trend_name,
)
from svcanalytics.report.diagnosis import Diagnosis, amounts, sum_points
from svcanalytics.report.evaluation import Evaluation
from svcanalytics.report.formats import format_integer, format_number, format_rate, is_missing
from svcanalytics.report.reasons import measure_name

__all__ = ["root_causes", "top_causes"]

MOST_DRAWN = 8
MOST_ROWS = 15
MOST_TRACED = 5
MOST_NAMED = 3
_LAYERS = ("data", "process", "people")
#: Pixels a picture has for a finding's name.
_WIDEST = 420
_STATES = {
    "proposed": ("建议列入", "to be added"),
    "in hand": ("整改中", "in hand"),
    "back": ("已销号，再次出现", "closed, but back"),
}


def root_causes(evaluation: Evaluation) -> Blocks:
    """Return the section of causes: how many, what they cost, each with its layer; why; quotes; those of last time."""
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("原因分析" if zh else "Causes", 2, "causes")
    found = e.causes
    if found is None or found.why_not:
        return Blocks((head, Text(_not_looked(found, zh), "note")))
    items: list = [head, Text(_lead(e, found), "lead")]
    if len(found.findings):
        items += [_picture(e, found)]
        items += _why(e, found)
        items += _quotes(e, found)
        items += _layers(e, found)
    items += _followed(e, found)
    return Blocks(tuple(items))


def top_causes(evaluation: Evaluation, most: int = MOST_NAMED) -> list[str]:
    """Return the findings most worth acting on, each in a line with what it costs and its layer."""
    e, zh = evaluation, evaluation.language == "zh"
    if e.causes is None or e.causes.service.empty:
        return []
    chosen = e.causes.service.head(most)
    lines = []
    for row, cost in zip(chosen.to_dict("records"), amounts(chosen).to_dict("records"), strict=True):
        layer = layer_text(row["layer"], e.language) if row["layer"] else ""
        if is_missing(cost["points"]):
            size = f"{format_integer(row['n'], e.language)}件" if zh else f"{format_integer(row['n'], 'en')} cases"
        else:
            half = _points((cost["high"] - cost["low"]) / 2)
            size = f"{_points(cost['points'])}±{half}" + ("分" if zh else " points")
        inside = [size, *([layer] if layer else [])]
        name = finding_name(e, row)
        lines.append(f"{name}（{'，'.join(inside)}）" if zh else f"{name} ({', '.join(inside)})")
    return lines


def _not_looked(found: Diagnosis | None, zh: bool) -> str:
    if zh:
        return "本期数据不足以逐件比较，未能查找原因。"
    why = f": {found.why_not}" if found is not None and found.why_not else ""
    return f"Causes could not be looked for{why}."


def _lead(e: Evaluation, found: Diagnosis) -> str:
    zh, service, data = e.language == "zh", found.service, found.artefacts
    last = narrative.period_word(e.every, e.language, last=True)
    against = found.findings.attrs.get("baseline", "-")
    parts = []
    if service.empty:
        parts.append("未发现超出偶然的原因。" if zh else "No cause stands out from chance.")
    else:
        n, total = len(service), sum_points(service)
        top = finding_name(e, service.iloc[0].to_dict())
        if zh:
            with_ = f"与{last}相比，" if against else ""
            cost = f"，合计损失指数约{_points(total)}分（重复涉及的只计一次）" if found.priced else ""
            parts.append(f"{with_}共有{n}项超出偶然的原因{cost}；首要的是{top}。")
        else:
            against_ = f" against {last}" if against else ""
            cost = (
                f"; together they cost about {_points(total)} index points (what overlaps is counted once)"
                if found.priced
                else ""
            )
            causes = "1 cause stands" if n == 1 else f"{n} causes stand"
            parts.append(f"{causes} out from chance{against_}{cost}. The first: {top}.")
    if len(data):
        names = narrative.enumerate_names([finding_name(e, r) for r in data.to_dict("records")], e.language, 2)
        parts.append(
            f"另有{len(data)}处是数据变了而不是服务变了：{names}；先核对口径，再作评价。" if zh
            else f"Besides, in {len(data)} place{'' if len(data) == 1 else 's'} the data changed, not the service: "
            f"{names}; check how they are recorded before judging."
        )  # fmt: skip
    if len(service) and not found.priced:
        parts.append(
            "本期没有可用的指数，各项按涉及件数排序。" if zh
            else "There is no index to price them by, so they are ordered by the cases concerned."
        )  # fmt: skip
    return "".join(parts) if zh else " ".join(parts)


def _points(value: float) -> str:
    """Return points of the index with one digit, small ones with two."""
    return format_number(value, "en", digits=2 if abs(value) < 0.2 else 1)


def _all(found: Diagnosis) -> pd.DataFrame:
    return pd.concat([found.service, found.artefacts])


def _picture(e: Evaluation, found: Diagnosis) -> Figure:
    zh, every = e.language == "zh", _all(found)
    service, data = found.service, found.artefacts
    # Of the data's changes at least one is seen, however much the service did.
    drawn = pd.concat([service.head(MOST_DRAWN - min(len(data), 2)), data]).head(MOST_DRAWN)
    costs = amounts(drawn)
    frame = pd.DataFrame(
        {
            "label": [_fitting(e, row) for row in drawn.to_dict("records")],
            "amount": costs["points"] if found.priced else drawn["n"].astype("float64"),
            "low": costs["low"] if found.priced else float("nan"),
            "high": costs["high"] if found.priced else float("nan"),
            "layer": drawn["layer"],
            "artefact": drawn["kind"] == "artefact",
        }
    )
    frame["amount"] = frame["amount"].fillna(0.0)
    svg = charts.svg(charts.draw_findings(frame, language=e.language, unit="points" if found.priced else "cases"),
                     e.language)  # fmt: skip
    title, course = _title(e, found), _course(e, drawn)
    what = f"{len(drawn)}项发现的影响及其所在层面" if zh else f"What {len(drawn)} findings cost, by layer"
    return Figure("causes_figure", title, narrative.describe_alternative(what, course, e.language), svg,
                  _table(e, found, every))  # fmt: skip


def _fitting(e: Evaluation, row: dict[str, Any]) -> str:
    name = finding_name(e, row)
    if text_width(name, 13) <= _WIDEST:
        return name
    return place_name(row, e.language)


def _title(e: Evaluation, found: Diagnosis) -> str:
    zh, service = e.language == "zh", found.service
    if service.empty:
        return "只有数据变化，没有服务变化" if zh else "The data changed, the service did not"
    layers = service["layer"].value_counts()
    told = [(layer, int(layers[layer])) for layer in (*_LAYERS, "demand", "") if layer in layers.index]
    if zh:
        return f"{len(service)}项原因：" + "、".join(f"{layer_text(layer, 'zh')}{n}项" for layer, n in told)
    counted = ", ".join(f"{n} {'of an open layer' if layer == '' else layer_text(layer, 'en')}" for layer, n in told)
    return f"{len(service)} cause{'' if len(service) == 1 else 's'}: {counted}"


def _course(e: Evaluation, drawn: pd.DataFrame) -> str:
    zh = e.language == "zh"
    said = [f"{finding_name(e, row)} {layer_name(row, e.language)}" for row in drawn.to_dict("records")]
    return ("；" if zh else "; ").join(said) + ("。" if zh else ".")


def _table(e: Evaluation, found: Diagnosis, every: pd.DataFrame) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("no", "序号" if zh else "No.", "integer"),
        Column("finding", "发现" if zh else "Finding"),
        Column("wrong", "出错情况" if zh else "What went wrong"),
        Column("n", "件数" if zh else "Cases", "integer"),
        Column("points", "影响（指数分）" if zh else "Cost (index points)", "number"),
        Column("band", "95%区间" if zh else "95% interval"),
        Column("layer", "层面" if zh else "Layer"),
        Column("since", "起始日" if zh else "Since", "date"),
        Column("trend", "与上期相比" if zh else "Since last period"),
        Column("ledger", "整改台账" if zh else "Ledger"),
    ]
    if not found.priced:
        columns = [column for column in columns if column.key not in ("points", "band")]
    followed = follow_words(found.followed)
    links = found.links.set_index("finding_id") if len(found.links) else pd.DataFrame()
    shown = every.head(MOST_ROWS)
    records = []
    pairs = zip(shown.to_dict("records"), amounts(shown).to_dict("records"), strict=True)
    for number, (row, cost) in enumerate(pairs, 1):
        trend = followed.get(row["finding_id"], row["trend"])
        # What the finding itself knows of the time before is finer than that it was not found then.
        trend = row["trend"] if trend == "new" and row["trend"] else trend
        records.append(
            {
                "no": number,
                "finding": finding_name(e, row),
                "wrong": _wrong(e, row),
                "n": int(row["n"]),
                "points": Cell(None if is_missing(cost["points"]) else float(cost["points"]), _cost(cost["points"])),
                "band": "–" if is_missing(cost["low"]) else f"{_points(cost['low'])} – {_points(cost['high'])}",
                "layer": layer_name(row, e.language),
                "since": None if is_missing(row["since"]) else row["since"].date(),
                "trend": trend_name(trend, e.language),
                "ledger": _line(row, links, e.language),
            }
        )
    return tabulate("causes", "发现一览" if zh else "Findings", columns, records, e.language,
                    _note(e, len(every) - len(shown)))  # fmt: skip


def _cost(points: float) -> str:
    return "–" if is_missing(points) else _points(points)


def _wrong(e: Evaluation, row: dict[str, Any]) -> str:
    """Return the share that went wrong and what was expected; of what is no share, how many cases beyond it."""
    told, metric = row["details"], e.metrics.get(row["measure"])
    zh = e.language == "zh"
    if metric is None or metric.kind != "rate":
        return "–"
    if "value" in told and "expected" in told:
        value, usual = (format_rate(min(max(told[name], 0.0), 1.0), e.language) for name in ("value", "expected"))
        return f"{value}，预期{usual}" if zh else f"{value}, expected {usual}"
    beyond = format_integer(row["excess"], e.language)
    return f"超出预期{beyond}件" if zh else f"{beyond} beyond the expected"


def _line(row: dict[str, Any], links: pd.DataFrame, language: str) -> str:
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


def _why(e: Evaluation, found: Diagnosis) -> list:
    if found.chain is None:
        return []
    zh = e.language == "zh"
    row = found.findings[found.findings["finding_id"] == found.chained].iloc[0].to_dict()
    measure = measure_name(e, row["measure"])
    links = found.chain.picture(e.language)
    labels = [condition_name(str(c), str(v), e.language) if c else "" for c, v in
              zip(links["column"], links["value"], strict=True)]  # fmt: skip
    links = links.assign(label=labels)
    svg = charts.svg(charts.draw_why(links, language=e.language, measure=measure), e.language)
    ends = [name for name, kind in zip(labels, links["kind"], strict=True) if kind != "measure"]
    title = f"{measure}为什么变差：{'，'.join(ends)}" if zh else f"Why {measure} got worse: {', '.join(ends)}"
    columns = [
        Column("step", "步" if zh else "Step", "integer"),
        Column("what", "回答" if zh else "Answer"),
        Column("layer", "层面" if zh else "Layer"),
        Column("n", "件数" if zh else "Cases", "integer"),
        Column("amount", "超出预期" if zh else "Beyond the expected", "number"),
        Column("low", "区间下限" if zh else "Low (95%)", "number"),
        Column("high", "区间上限" if zh else "High (95%)", "number"),
        Column("share", "占上一步" if zh else "Of the step before", "rate"),
    ]
    records = [
        {**{name: row[name] for name in ("n", "low", "high", "amount", "share")}, "step": at,
         "what": row["label"] or (f"{measure}变差" if zh else f"{measure} got worse"),
         "layer": layer_text(row["layer"], e.language) if row["layer"] else "–"}
        for at, row in enumerate(links.to_dict("records"), 1)
    ]  # fmt: skip
    data = tabulate("causes_why", "五问" if zh else "Five times why", columns, records, e.language)
    stop = found.chain.sentences(e.language)[-1]
    course = (" → ".join(ends)) + ("。" if zh else ".") + ("" if zh else " ") + stop
    what = f"{measure}变差的原因逐层追问" if zh else f"Why {measure} got worse, and why that"
    head = Heading("逐层追问" if zh else "Why, and why that", 3)
    alt = narrative.describe_alternative(what, course, e.language)
    return [head, Figure("causes_why_figure", title, alt, svg, data), Text(stop, "note")]


def _quotes(e: Evaluation, found: Diagnosis) -> list:
    if not found.quotes:
        return []
    zh = e.language == "zh"
    row = found.findings[found.findings["finding_id"] == found.quoted].iloc[0].to_dict()
    head = Heading("客户原话" if zh else "In customers' words", 3)
    what = f"{finding_name(e, row)}（已脱敏）" if zh else f"{finding_name(e, row)} (masked)"
    said = [Text(f"“{quote}”") for quote in found.quotes]
    return [head, Text(what, "note"), *said]


def _layers(e: Evaluation, found: Diagnosis) -> list:
    """Return what each layer explains of the first findings."""
    zh = e.language == "zh"
    rows = [row for row in found.service.head(MOST_TRACED).to_dict("records") if row["details"].get("layers")]
    if not rows:
        return []
    columns = [Column("finding", "发现" if zh else "Finding")]
    columns += [Column(layer, layer_text(layer, e.language).capitalize()) for layer in _LAYERS]
    columns += [Column("verdict", "判定" if zh else "Verdict")]
    records = [
        {
            "finding": finding_name(e, row),
            **{layer: evidence_text(row, layer, e.language) for layer in _LAYERS},
            "verdict": layer_text(row["layer"], e.language),
        }
        for row in rows
    ]
    note = (
        "百分数=该层情况能解释的超出部分；“–”=可能是偶然。判定还看该处由什么命名、同时还变了什么。" if zh
        else "Percentages: what a layer's circumstances explain of the excess; –: may be chance. The verdict also "
        "weighs what names the cases and what else changed there."
    )  # fmt: skip
    head = "三层证据" if zh else "Evidence on three layers"
    return [Heading(head, 3), tabulate("causes_layers", head, columns, records, e.language, note)]


def _followed(e: Evaluation, found: Diagnosis) -> list:
    """Say what became of last period's findings."""
    followed = found.followed
    if followed.empty:
        return []
    zh = e.language == "zh"
    old = followed[followed["trend"] != "new"]
    if old.empty:
        return []
    last = narrative.period_word(e.every, e.language, last=True)
    rows = {row["finding_id"]: row for frame in (found.before, found.findings) for row in frame.to_dict("records")}
    said = []
    for trend in ("larger", "steady", "smaller", "gone"):
        ids = old.loc[old["trend"] == trend, "finding_id"]
        if len(ids):
            names = narrative.enumerate_names([finding_name(e, rows[each]) for each in ids], e.language, MOST_NAMED)
            word = trend_name(trend, e.language)
            said.append(f"{word}{len(ids)}项（{names}）" if zh else f"{len(ids)} {word} ({names})")
    head = Heading("上期发现的去向" if zh else "What became of last period's findings", 3)
    if zh:
        return [head, Text(f"{last}的{len(old)}项发现：{'；'.join(said)}。")]
    return [head, Text(f"Of {len(old)} findings of {last}: {'; '.join(said)}.")]
