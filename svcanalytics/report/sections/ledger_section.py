"""The rectification ledger in a report: what was carried over, came, was done and closed, and what is past its date."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.report.blocks import Blocks, Cell, Column, Heading, Text, tabulate
from svcanalytics.report.words.formats import is_missing
from svcanalytics.report.words.vocabulary import origin_name

if TYPE_CHECKING:
    from svcanalytics.report.facts.evaluation import Evaluation

__all__ = ["rectification"]

MOST_LINES = 15
_PROBLEM = 60
_STATES = {
    "overdue": ("超期", "overdue", "red"),
    "open": ("未开始", "open", None),
    "doing": ("整改中", "in hand", None),
    "done": ("待验收", "done, not accepted", "yellow"),
    "accepted": ("待回访", "accepted, not followed up", "yellow"),
    "closed": ("待回访", "not followed up", "yellow"),
}


def rectification(evaluation: Evaluation) -> Blocks:
    """Return the ledger's section: how it stands, and the open lines, those past their date first.

    People who own a line are not named here; the workbook of the departments names them.
    """
    e, zh = evaluation, evaluation.language == "zh"
    head = Heading("整改台账" if zh else "Rectification ledger", 2, "ledger")
    if e.ledger is None:
        text = "未提供整改台账。" if zh else "No rectification ledger was supplied."
        return Blocks((head, Text(text, "note")))
    n = e.ledger.counts()
    if not any(n.values()):
        text = "本期台账无事项。" if zh else "The ledger has no line in this period."
        return Blocks((head, Text(text)))
    items: list = [head, Text(_sentence(n, zh), "lead" if n["overdue"] else "paragraph"), _counts(n, e.language)]
    if len(e.ledger.open):
        items.append(_open_lines(e))
    return Blocks(tuple(items))


def _sentence(n: dict[str, int], zh: bool) -> str:
    if zh:
        late = f"其中{n['overdue']}项超期，列入督办" if n["overdue"] else "没有超期事项"
        return (
            f"上期结转{n['carried_over']}项，本期新增{n['new']}项，完成{n['done']}项，"
            f"验收并回访后销号{n['closed']}项；期末在办{n['open']}项，{late}。"
        )
    late = f"{n['overdue']} of them past their date" if n["overdue"] else "none of them past its date"
    return (
        f"{n['carried_over']} lines carried over, {n['new']} new, {n['done']} done, {n['closed']} closed after "
        f"acceptance and follow-up; {n['open']} open at the end, {late}."
    )


def _counts(n: dict[str, int], language: str):  # type: ignore[no-untyped-def]
    zh = language == "zh"
    titles = ("上期结转", "新增", "完成", "销号", "期末在办", "超期") if zh else (
        "Carried over", "New", "Done", "Closed", "Open", "Overdue"
    )  # fmt: skip
    columns = [Column(name, title, "integer") for name, title in zip(n, titles, strict=True)]
    note = (
        "销号以验收和回访均完成为准；结转与新增之和等于销号与在办之和；撤销的不计。" if zh
        else "Closed: accepted and followed up. Carried over and new together are closed and open together; "
        "dropped lines are left out."
    )  # fmt: skip
    return tabulate("ledger", "整改台账情况" if zh else "The ledger", columns, [n], language, note)


def _open_lines(e: Evaluation):  # type: ignore[no-untyped-def]
    zh = e.language == "zh"
    standing = e.ledger
    late = set(standing.overdue["action_id"])
    lines = standing.open.assign(_late=~standing.open["action_id"].isin(late))
    lines = lines.sort_values(["_late", "due_at", "action_id"], na_position="last")
    columns = [
        Column("action_id", "编号" if zh else "No."),
        Column("origin", "来源" if zh else "From"),
        Column("problem", "问题" if zh else "Problem"),
        Column("department", "责任部门" if zh else "Department"),
        Column("measure", "措施" if zh else "Measure"),
        Column("due", "完成时限" if zh else "Due", "date"),
        Column("state", "状态" if zh else "State"),
    ]
    records = []
    for line in lines.head(MOST_LINES).to_dict("records"):
        status = "overdue" if line["action_id"] in late else line["status"]
        zh_state, en_state, light = _STATES.get(status, (status, status, None))
        records.append(
            {
                "action_id": line["action_id"],
                "origin": origin_name(line["origin"], e.language),
                "problem": _short(line["problem"]),
                "department": _short(line["department"]),
                "measure": _short(line["measure"]),
                "due": None if pd.isna(line["due_at"]) else line["due_at"].date(),
                "state": Cell(status, zh_state if zh else en_state, light),
            }
        )
    title = "在办整改事项" if zh else "Open lines"
    more = len(lines) - len(records)
    note = ""
    if more > 0:
        note = f"另有{more}项，见工作簿或台账。" if zh else f"{more} more in the ledger."
    return tabulate("ledger_open", title, columns, records, e.language, note)


def _short(text: object) -> str:
    if is_missing(text):
        return "–"
    words = str(text)
    return words if len(words) <= _PROBLEM else words[: _PROBLEM - 1] + "…"
