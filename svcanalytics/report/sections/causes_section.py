"""Causes: what went wrong beyond chance, where, what it costs, on which layer, and what became of the last findings."""

from __future__ import annotations

import pandas as pd

from svcanalytics import charts
from svcanalytics.report.blocks import Blocks, Column, Figure, Heading, Text, tabulate
from svcanalytics.report.facts.diagnosis import Diagnosis, amounts, sum_points, too_many
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.cause_tables import (
    describe_wrong,
    format_cost,
    ledger_state,
    tabulate_costs,
    tabulate_evidence,
    tabulate_findings,
)
from svcanalytics.report.sections.cause_words import (
    LAYERS,
    condition_name,
    finding_name,
    layer_name,
    layer_text,
    trend_name,
)
from svcanalytics.report.sections.course_section import draw_course
from svcanalytics.report.sections.reasons import measure_name
from svcanalytics.report.words.formats import format_integer, is_missing

__all__ = ["data_changes", "root_causes", "top_causes"]

MOST_DRAWN = 8
MOST_NAMED = 3


def root_causes(evaluation: Evaluation) -> Blocks:
    """Return the section of causes: how many, what they cost, each with its layer; why; quotes; those of last time."""
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("原因分析" if zh else "Causes", 2, "causes")
    found = e.causes
    if found is None or found.why_not:
        return Blocks((head, Text(_not_looked(found, zh), "note")))
    items: list = [head, Text(_lead(e, found), "lead")]
    if len(found.findings):
        items += [_picture(e, found), tabulate_findings(e, found)]
        items += _why(e, found)
        items += _quotes(e, found)
        items += tabulate_evidence(e, found)
    items += _followed(e, found)
    course = draw_course(e)
    if course is not None:
        items += [Heading("事项流转" if zh else "The ways cases take", 3), course]
    return Blocks(tuple(items))


def top_causes(evaluation: Evaluation, most: int = MOST_NAMED) -> list[str]:
    """Return the findings most worth acting on: what went wrong, what it costs, on which layer, who deals with it."""
    e, zh = evaluation, evaluation.language == "zh"
    if e.causes is None or e.causes.service.empty:
        return []
    chosen = e.causes.service.head(most)
    links = e.causes.links.set_index("finding_id") if len(e.causes.links) else pd.DataFrame()
    lines = []
    for row, cost in zip(chosen.to_dict("records"), amounts(chosen).to_dict("records"), strict=True):
        if is_missing(cost["points"]):
            beyond = format_integer(min(row["excess"], row["n"]), e.language)
            size = f"超出预期{beyond}件" if zh else f"{beyond} cases beyond the expected"
        else:
            half = (cost["high"] - cost["low"]) / 2
            digits = 2 if min(cost["points"], half) < 0.2 else 1
            number = f"{cost['points']:.{digits}f}±{half:.{digits}f}"
            size = f"损失指数{number}分" if zh else f"costs {number} index points"
        wrong = describe_wrong(e, row)
        told = [wrong] if wrong != "–" and not is_missing(cost["points"]) else []
        told.append(size)
        if row["layer"]:
            layer = layer_text(row["layer"], e.language)
            told.append(f"{layer}层面" if zh else f"on the layer of {layer}")
        state = ledger_state(row, links, e.language)
        told += [] if state == "–" else [f"台账：{state}" if zh else f"ledger: {state}"]
        name = finding_name(e, row)
        lines.append(f"{name}（{'；'.join(told)}）" if zh else f"{name} ({'; '.join(told)})")
    return lines


def data_changes(evaluation: Evaluation) -> str:
    """Return the sentence about what was but a change of the data; "" when there is none."""
    e, zh = evaluation, evaluation.language == "zh"
    if e.causes is None or e.causes.artefacts.empty:
        return ""
    data = e.causes.artefacts
    names = narrative.enumerate_names([finding_name(e, row) for row in data.to_dict("records")], e.language, 2)
    cost = format_cost(sum_points(data)) if e.causes.priced else ""
    if zh:
        size = f"，影响指数约{cost}分" if cost else ""
        return f"另有{len(data)}处是数据变了而不是服务变了{size}：{names}；先核对口径，再作评价。"
    size = f" (about {cost} index points)" if cost else ""
    places = f"{len(data)} place{'' if len(data) == 1 else 's'}"
    return (
        f"Besides, in {places} the data changed, not the service{size}: {names}; "
        "check how they are recorded before judging."
    )


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
        first = service.iloc[0].to_dict()
        top, wrong = finding_name(e, first), describe_wrong(e, first)
        if wrong != "–":
            top += f"（{wrong}）" if zh else f" ({wrong})"
        if zh:
            with_ = f"与{last}相比，" if against else ""
            cost = f"，合计损失指数约{format_cost(total)}分（重复涉及的只计一次）" if found.priced else ""
            parts.append(f"{with_}共有{n}项超出偶然的原因{cost}；首要的是{top}。")
        else:
            against_ = f" against {last}" if against else ""
            cost = (
                f"; together they cost about {format_cost(total)} index points (what overlaps is counted once)"
                if found.priced
                else ""
            )
            causes = "1 cause stands" if n == 1 else f"{n} causes stand"
            parts.append(f"{causes} out from chance{against_}{cost}. The first: {top}.")
    if len(data):
        parts.append(data_changes(e))
    if len(service) and not found.priced:
        parts.append(
            "本期没有可用的指数，各项按超出预期的件数排序。" if zh
            else "There is no index to price them by, so they are ordered by the cases beyond the expected."
        )  # fmt: skip
    return "".join(parts) if zh else " ".join(parts)


def _picture(e: Evaluation, found: Diagnosis) -> Figure:
    zh, service, data = e.language == "zh", found.service, found.artefacts
    # Of the data's changes at least one is seen, however much the service did.
    drawn = pd.concat([service.head(MOST_DRAWN - min(len(data), 2)), data]).head(MOST_DRAWN)
    costs = amounts(drawn)
    frame = pd.DataFrame(
        {
            "label": [finding_name(e, row) for row in drawn.to_dict("records")],
            "amount": costs["points"] if found.priced else too_many(drawn),
            "low": costs["low"] if found.priced else float("nan"),
            "high": costs["high"] if found.priced else float("nan"),
            "layer": drawn["layer"],
            "artefact": drawn["kind"] == "artefact",
        }
    )
    frame["amount"] = frame["amount"].fillna(0.0)
    chart = charts.draw_findings(frame, language=e.language, unit="points" if found.priced else "cases")
    what = f"{len(drawn)}项发现的影响及其所在层面" if zh else f"What {len(drawn)} findings cost, by layer"
    alt = narrative.describe_alternative(what, _course(e, drawn), e.language)
    data_table = tabulate_costs(e, found, drawn)
    return Figure("causes_figure", _title(e, found), alt, charts.svg(chart, e.language), data_table)


def _title(e: Evaluation, found: Diagnosis) -> str:
    zh, service = e.language == "zh", found.service
    if service.empty:
        return "只有数据变化，没有服务变化" if zh else "The data changed, the service did not"
    layers = service["layer"].value_counts()
    told = [(layer, int(layers[layer])) for layer in (*LAYERS, "demand", "") if layer in layers.index]
    if zh:
        return f"{len(service)}项原因：" + "、".join(f"{layer_text(layer, 'zh')}{n}项" for layer, n in told)
    counted = ", ".join(f"{n} {'of an open layer' if layer == '' else layer_text(layer, 'en')}" for layer, n in told)
    return f"{len(service)} cause{'' if len(service) == 1 else 's'}: {counted}"


def _course(e: Evaluation, drawn: pd.DataFrame) -> str:
    zh = e.language == "zh"
    said = [f"{finding_name(e, row)} {layer_name(row, e.language)}" for row in drawn.to_dict("records")]
    return ("；" if zh else "; ").join(said) + ("。" if zh else ".")


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
    unit = ("小时" if zh else "h") if found.chain.unit == "s" else ""
    svg = charts.svg(charts.draw_why(links, language=e.language, measure=measure, unit=unit), e.language)
    ends = [name for name, kind in zip(labels, links["kind"], strict=True) if kind != "measure"]
    title = f"{measure}为什么变差：{'，'.join(ends)}" if zh else f"Why {measure} got worse: {', '.join(ends)}"
    columns = [
        Column("step", "步" if zh else "Step", "integer"),
        Column("what", "回答" if zh else "Answer"),
        Column("layer", "层面" if zh else "Layer"),
        Column("n", "件数" if zh else "Cases", "integer"),
        Column(
            "amount",
            (f"超出预期（{unit}）" if unit else "超出预期") if zh else f"Beyond the expected{' (h)' if unit else ''}",
            "number",
        ),
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
