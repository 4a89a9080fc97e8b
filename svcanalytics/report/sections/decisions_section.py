"""Decisions: what became of last period's, and what management is asked for now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from svcanalytics.report.blocks import Blocks, Cell, Column, Heading, Table, Text, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.readings import kind_of
from svcanalytics.report.facts.risks import list_risks
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.cause_words import finding_name
from svcanalytics.report.sections.reasons import measure_name
from svcanalytics.report.words.formats import format_change, format_integer, format_number, format_rate, is_missing
from svcanalytics.report.words.vocabulary import shorten

__all__ = ["carried_out", "decisions"]

MOST_LINES = 12
#: Most decisions of one kind: a meeting that is asked for everything decides nothing.
MOST_OF_A_KIND = 3
#: From this chance on a shortage of agents is put before management.
_LIKELY = 0.3
_STATES = {
    "closed": ("已销号", "closed", "green"),
    "accepted": ("待回访", "accepted, not followed up", "yellow"),
    "done": ("待验收", "done, not accepted", "yellow"),
    "open": ("整改中", "in hand", None),
    "overdue": ("超期", "overdue", "red"),
    "dropped": ("已撤销", "dropped", None),
}
_EFFECTS = {"better": ("有效", "better"), "same": ("无变化", "no change"), "worse": ("变差", "worse")}


def carried_out(evaluation: Evaluation) -> Blocks:
    """Return what was decided last period and what became of it; without a ledger it is nothing at all."""
    e, zh = evaluation, evaluation.language == "zh"
    if e.topics.lines.empty:
        return Blocks(())
    last = narrative.period_word(e.every, e.language, last=True)
    head = Heading(f"{last}决策落实情况" if zh else f"What became of {last}'s decisions", 2, "carried_out")
    lines = e.topics.carried
    if lines.empty:
        text = f"{last}没有列入台账的决策事项。" if zh else f"Nothing was put on the ledger {last}."
        return Blocks((head, Text(text)))
    return Blocks((head, Text(_progress(e, lines, last)), _carried_table(e, lines)))


def decisions(evaluation: Evaluation) -> Blocks:
    """Return what management is asked to decide: from measures missed for long, causes, the ledger and demand."""
    e, zh = evaluation, evaluation.language == "zh"
    monthly = e.every in ("week", "month")
    titles = ("提请协调事项", "Matters to settle") if monthly else ("提请决策事项", "Decisions to take")
    head = Heading(titles[not zh], 2, "decisions")
    asked = [*_of_findings(e), *_of_measures(e), *_of_ledger(e), *_of_demand(e), *_of_data(e)]
    if not asked:
        text = (
            "本期没有需要提请的事项：没有连续3期未达标或未达标且显著变差的指标，没有待列入台账的原因，也没有超期的整改事项。"
            if zh
            else "Nothing calls for a decision: no measure was missed three periods running, or missed and "
            "significantly worse; no cause waits for an owner, and no line of the ledger is past its date."
        )
        return Blocks((head, Text(text)))
    columns = [
        Column("number", "序号" if zh else "No.", "integer"),
        Column("what", "提请事项" if zh else "To decide"),
        Column("why", "依据" if zh else "Because"),
        Column("worth", "涉及" if zh else "At stake"),
    ]
    records = [{"number": number, **each} for number, each in enumerate(asked, 1)]
    count = f"以下{len(asked)}项提请会议研究。" if zh else (
        f"{len(asked)} {'matter needs' if len(asked) == 1 else 'matters need'} a decision.")  # fmt: skip
    return Blocks((head, Text(count), tabulate("decisions", head.text, columns, records, e.language)))


def _progress(e: Evaluation, lines: pd.DataFrame, last: str) -> str:
    zh = e.language == "zh"
    n = lines["state"].value_counts()
    waiting, running = int(n.get("done", 0) + n.get("accepted", 0)), int(n.get("open", 0))
    late, closed = int(n.get("overdue", 0)), int(n.get("closed", 0))
    judged = lines["effect"].value_counts()
    effects = {name: int(judged.get(name, 0)) for name in _EFFECTS}
    known = sum(effects.values())
    if zh:
        text = f"{last}列入台账的决策事项{len(lines)}项："
        text += f"销号{closed}项、待验收或待回访{waiting}项、整改中{running}项、超期{late}项。"
        if known:
            told = "、".join(f"{_EFFECTS[name][0]}{count}项" for name, count in effects.items() if count)
            return text + f"经回访判定效果的{known}项中，{told}。"
        return text + "尚无一项经回访判定效果。"
    noun = "decision" if len(lines) == 1 else "decisions"
    text = (
        f"{len(lines)} {noun} of {last} stood on the ledger: {closed} closed, {waiting} waiting to be accepted or "
        f"followed up, {running} in hand, {late} overdue."
    )
    if known:
        told = ", ".join(f"{count} {_EFFECTS[name][1]}" for name, count in effects.items() if count)
        return text + f" Of {known} whose effect was judged on follow-up: {told}."
    return text + " The effect of none was judged on follow-up yet."


def _carried_table(e: Evaluation, lines: pd.DataFrame) -> Table:
    zh = e.language == "zh"
    columns = [
        Column("action_id", "编号" if zh else "No."),
        Column("problem", "决策事项" if zh else "Decided about"),
        Column("department", "责任部门" if zh else "Department"),
        Column("state", "进展" if zh else "State"),
        Column("effect", "回访结论" if zh else "Follow-up says"),
        Column("measured", "数据前后对比" if zh else "Before and after"),
    ]
    order = {state: place for place, state in enumerate(("overdue", "open", "done", "accepted", "closed", "dropped"))}
    shown = lines.sort_values("state", key=lambda states: states.map(order), kind="stable").head(MOST_LINES)
    records = []
    for row in shown.to_dict("records"):
        chinese, english, light = _STATES[row["state"]]
        text = chinese if zh else english
        effect = _EFFECTS.get(str(row["effect"]))
        records.append(
            {
                "action_id": row["action_id"],
                "problem": "–" if is_missing(row["problem"]) else shorten(str(row["problem"])),
                "department": "–" if is_missing(row["department"]) else shorten(str(row["department"])),
                "state": Cell(text, text, light),
                "effect": effect[not zh] if effect else ("未判定" if zh else "not judged"),
                "measured": _measured(e, row),
            }
        )
    note = (
        "数据前后对比：事项写明的指标上期与本期之值及变化的95%区间；未写明指标的无从对比。" if zh
        else "Before and after: the measure that a line names, last period and this one, with the 95% interval of its "
        "change; a line that names none has nothing to compare."
    )  # fmt: skip
    if len(lines) > len(shown):
        note += f"另有{len(lines) - len(shown)}项未列。" if zh else f" {len(lines) - len(shown)} more are not listed."
    return tabulate("carried_out", "决策落实情况" if zh else "What became of them", columns, records, e.language, note)


def _measured(e: Evaluation, row: dict[str, Any]) -> str:
    if not row["metric"] or is_missing(row["after"]):
        return "–"
    metric = e.metrics[row["metric"]]
    kind = kind_of(metric.unit, metric.kind)
    name = measure_name(e, metric.id)
    reading = e.reading(metric.id)
    after = reading.written(row["after"], e.language) if reading else format_number(row["after"], e.language)
    if is_missing(row["before"]) or is_missing(row["change_low"]):
        return f"{name}{after}" if e.language == "zh" else f"{name} {after}"
    before = reading.written(row["before"], e.language) if reading else format_number(row["before"], e.language)
    low, high = (format_change(row[each], kind, e.language) for each in ("change_low", "change_high"))
    if e.language == "zh":
        return f"{name}{before}→{after}（变化{low.removesuffix('个百分点')}至{high}）"
    return f"{name} {before} → {after} (change {low.removesuffix(' pp')} to {high})"


def _of_findings(e: Evaluation) -> Iterator[dict[str, str]]:
    """Yield causes that nobody deals with yet, or that are back though their line was closed."""
    if e.causes is None or e.causes.links.empty:
        return
    zh, states = e.language == "zh", e.causes.links.set_index("finding_id")["state"]
    told = 0
    for row in e.causes.service.to_dict("records"):
        state = states.get(row["finding_id"])
        if state not in ("proposed", "back") or told >= MOST_OF_A_KIND:
            continue
        told += 1
        name = finding_name(e, row)
        points = row["points"]
        worth = "–" if is_missing(points) else _points(points, e.language)
        if state == "back":
            what = f"重新整改：{name}" if zh else f"Take up again: {name}"
            why = "原整改事项已销号，问题再次出现" if zh else "its line was closed, and it is back"
        else:
            what = f"列入台账并明确责任部门和时限：{name}" if zh else f"Name an owner and a date for: {name}"
            why = "超出偶然的原因，尚无整改事项" if zh else "beyond chance, and not on the ledger yet"
        yield {"what": what, "why": why, "worth": worth}


def _of_measures(e: Evaluation) -> Iterator[dict[str, str]]:
    """Yield measures missed for long, or missed and significantly worse; the heaviest of the index by name."""
    zh = e.language == "zh"
    shares = {} if e.profile is None else e.profile.shares
    red = sorted((r for r in e.readings if r.light == "red"), key=lambda r: -shares.get(r.id, 0.0))
    long = [reading for reading in red if -reading.streak >= narrative.FOLLOW_UP_AFTER]
    worse = [reading for reading in red if reading.better is False and reading not in long]
    for reading in [*long[:MOST_OF_A_KIND], *worse[:MOST_OF_A_KIND]]:
        least = ("至少" if zh else "at least ") if reading.streak_open else ""
        periods, word = max(1, -reading.streak), narrative.period_word(e.every, e.language)
        if reading in long:
            what = f"{reading.name}列入督办，明确责任部门和完成时限" if zh else (
                f"Put {reading.name} under supervision: who answers for it, by when")  # fmt: skip
            why = f"连续{least}{periods}{word}未达标" if zh else f"missed for {least}{periods} {word}s running"
        else:
            what = (
                f"查明{reading.name}变差的原因，制定整改措施" if zh else f"Have {reading.name} looked into and mended"
            )
            why = "未达标且显著变差" if zh else "missed and significantly worse"
        value, target = reading.value_text(e.language), reading.target_text(e.language)
        yield {"what": what, "why": why, "worth": f"{value}（目标{target}）" if zh else f"{value} (target {target})"}
    rest = long[MOST_OF_A_KIND:]
    if rest:
        names = narrative.enumerate_names([reading.name for reading in rest], e.language, 4)
        yield {
            "what": f"其余{len(rest)}项长期未达标的指标：调整措施或重新核定目标" if zh else
            f"Other measures missed for long ({len(rest)}): another remedy, or another target",
            "why": f"连续{narrative.FOLLOW_UP_AFTER}期以上未达标" if zh else "missed three periods running or more",
            "worth": names,
        }  # fmt: skip


def _of_ledger(e: Evaluation) -> Iterator[dict[str, str]]:
    late = 0 if e.ledger is None else len(e.ledger.overdue)
    if late:
        zh = e.language == "zh"
        departments = e.ledger.overdue["department"].dropna().unique()
        names = narrative.enumerate_names([shorten(str(name)) for name in departments], e.language, 3, "个")
        yield {
            "what": f"督办超期整改事项{late}项" if zh else f"Call in {late} overdue line{'' if late == 1 else 's'}",
            "why": "已过完成时限" if zh else "past the date agreed",
            "worth": names or "–",
        }


def _of_demand(e: Evaluation) -> Iterator[dict[str, str]]:
    risk = next((risk for risk in list_risks(e) if risk.kind == "demand"), None)
    if risk is None or risk.probability < _LIKELY:
        return
    zh, staff = e.language == "zh", e.ahead.staff
    chance = format_rate(risk.probability, e.language, digits=0)
    short = staff.upper - staff.rostered
    hours = format_integer(short, e.language)
    amount = format_integer(risk.amount, e.language)
    yield {
        "what": f"下期每周预留约{hours}个机动坐席小时" if zh else f"Hold about {hours} agent-hours a week in reserve",
        "why": f"下期需求超出现有排班的可能性为{chance}"
        if zh
        else f"chance of {chance} that demand exceeds the roster",
        "worth": f"约{amount}件" if zh else f"about {amount} contacts",
    }


def _of_data(e: Evaluation) -> Iterator[dict[str, str]]:
    if e.causes is None or e.causes.artefacts.empty:
        return
    zh, data = e.language == "zh", e.causes.artefacts
    names = narrative.enumerate_names([finding_name(e, row) for row in data.to_dict("records")], e.language, 2, "处")
    yield {
        "what": "考核前先核对记录口径" if zh else "Have the recording checked before anyone is judged by it",
        "why": "数据变了，不是服务变了" if zh else "the data changed, not the service",
        "worth": names,
    }


def _points(points: float, language: str) -> str:
    number = format_number(points, language, digits=2 if points < 0.2 else 1)
    return f"指数{number}分" if language == "zh" else f"{number} index points"
