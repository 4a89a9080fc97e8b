"""The improvement list in sentences and tables: suggestions, findings, new lines of the ledger."""

from __future__ import annotations

import pandas as pd

from svcanalytics.report.blocks import Blocks, Cell, Column, Heading, Table, Text, tabulate
from svcanalytics.report.facts.improvement_list import MOST_SUGGESTIONS, ImprovementList
from svcanalytics.report.words.formats import is_missing
from svcanalytics.report.words.vocabulary import group_name, origin_name

__all__ = ["improvements"]

_STATES = {
    "received": ("未列入清单", "not listed yet", "yellow"),
    "listed": ("已列入，待定", "listed, undecided", None),
    "declined": ("未采纳", "not adopted", None),
    "adopted": ("已采纳", "adopted", "green"),
}
_KINDS = {
    "qa": ("质检", "QA"),
    "third_party": ("第三方测评", "third party"),
    "mystery_shopper": ("神秘顾客", "mystery shopper"),
    "patrol": ("巡检", "patrol"),
    "compliance": ("合规检查", "compliance"),
}
_LONGEST = 80


def improvements(found: ImprovementList) -> Blocks:
    """Return the improvement list: suggestions adopted or not, findings to put right, new problems."""
    zh = found.occasion.language == "zh"
    head = Heading("改进清单" if zh else "Improvement list", 2, "improvement_list")
    return Blocks((head, *_suggestions(found), *_findings(found), *_lines(found)))


def _suggestions(found: ImprovementList) -> list:
    language = found.occasion.language
    zh = language == "zh"
    title = Heading("建议" if zh else "Suggestions", 3)
    rows = found.suggestions
    if rows.empty and found.decided.empty and not found.undecided:
        return [title, Text("本周没有收到建议。" if zh else "No suggestion came in this week.", "note")]
    n, taken = rows["state"].value_counts(), int((found.decided["state"] == "adopted").sum())
    if zh:
        text = f"本周收到建议{len(rows)}条"
        if found.known:
            text += f"：已采纳{n.get('adopted', 0)}条，未采纳{n.get('declined', 0)}条，"
            text += f"已列入待定{n.get('listed', 0)}条，未列入{n.get('received', 0)}条。"
            text += f"往期建议本周作出决定{len(found.decided)}条（采纳{taken}条），近90天仍待定{found.undecided}条。"
        else:
            text += "。数据中没有建议的办理步骤（列入、采纳、告知），无法说明是否采纳。"
    else:
        text = f"{len(rows)} suggestions came in this week"
        if found.known:
            text += f": {n.get('adopted', 0)} adopted, {n.get('declined', 0)} not adopted, "
            text += (
                f"{n.get('listed', 0)} listed and undecided, {n.get('received', 0)} not listed yet. Of earlier ones "
            )
            text += f"{len(found.decided)} were decided ({taken} adopted); "
            text += f"{found.undecided} of the last 90 days are still undecided."
        else:
            text += ". The data don't hold their steps (listed, adopted, told), so what became of them is not known."
    items: list = [title, Text(text)]
    if len(rows):
        name = "本周收到的建议" if zh else "Suggestions of the week"
        items.append(_table(rows, "suggestions", name, language, found.known))
    adopted = found.decided[found.decided["state"] == "adopted"]
    if len(adopted):
        name = "本周采纳的往期建议" if zh else "Earlier suggestions adopted this week"
        items.append(_table(adopted, "adopted", name, language, known=True))
    return items


def _table(rows: pd.DataFrame, id: str, title: str, language: str, known: bool) -> Table:
    zh = language == "zh"
    columns = [
        Column("id", "编号" if zh else "No."),
        Column("day", "日期" if zh else "Day", "date"),
        Column("category", "类别" if zh else "Subject"),
        Column("words", "内容（已脱敏）" if zh else "What was said (masked)"),
        *([Column("state", "状态" if zh else "State")] if known else []),
    ]
    records = []
    for row in rows.head(MOST_SUGGESTIONS).to_dict("records"):
        chinese, english, light = _STATES[row["state"]]
        state = Cell(row["state"], chinese if zh else english, light)
        words = _cut(row["words"])
        records.append(row | {"category": group_name(row["category"], language), "state": state, "words": words})
    more = len(rows) - len(records)
    note = "" if more <= 0 else f"另有{more}条未列出。" if zh else f"{more} more are not listed."
    return tabulate(id, title, columns, records, language, note)


def _findings(found: ImprovementList) -> list:
    language = found.occasion.language
    zh = language == "zh"
    title = Heading("检查发现的问题" if zh else "Findings", 3)
    if not found.checked:
        return [title, Text("本周没有质检和检查记录。" if zh else "Nothing was audited this week.", "note")]
    rows = found.findings
    fatal, due = int(rows["fatal"].sum()), int(rows["to_rectify"].sum())
    if zh:
        text = f"本周检查{found.checked:,}项次，需整改{due}项次（已整改{int(rows['rectified'].sum())}项次），"
        text += f"致命差错{fatal}项次。" if fatal else "没有致命差错。"
    else:
        text = f"{found.checked:,} items were checked this week; {due} have to be put right "
        text += f"({int(rows['rectified'].sum())} are), " + (f"{fatal} were fatal." if fatal else "none was fatal.")
    if rows.empty:
        return [title, Text(text)]
    columns = [
        Column("kind", "来源" if zh else "From"),
        Column("item", "检查项" if zh else "Item"),
        Column("n", "检查" if zh else "Checked", "integer"),
        Column("lost", "扣分" if zh else "Lost points", "integer"),
        Column("fatal", "致命差错" if zh else "Fatal", "integer"),
        Column("to_rectify", "需整改" if zh else "To put right", "integer"),
        Column("rectified", "已整改" if zh else "Put right", "integer"),
    ]
    records = [
        row
        | {"kind": _KINDS.get(row["kind"], (row["kind"],) * 2)[0 if zh else 1]}
        | {"item": group_name(row["item"], language)}
        for row in rows.to_dict("records")
    ]
    name = "需整改的检查项" if zh else "Items to put right"
    return [title, Text(text), tabulate("findings_week", name, columns, records, language)]


def _lines(found: ImprovementList) -> list:
    language = found.occasion.language
    zh = language == "zh"
    title = Heading("本周新立项的问题" if zh else "Problems newly in the ledger", 3)
    if found.lines is None:
        return [title, Text("未提供整改台账。" if zh else "No rectification ledger was supplied.", "note")]
    if found.lines.empty:
        return [title, Text("本周没有新立项。" if zh else "None this week.")]
    columns = [
        Column("action_id", "编号" if zh else "No."),
        Column("origin", "来源" if zh else "From"),
        Column("problem", "问题" if zh else "Problem"),
        Column("department", "责任部门" if zh else "Department"),
        Column("measure", "措施" if zh else "Measure"),
        Column("due", "完成时限" if zh else "Due", "date"),
    ]
    records = [
        {"action_id": row["action_id"], "origin": origin_name(row["origin"], language)}
        | {name: _cut(row[name]) for name in ("problem", "department", "measure")}
        | {"due": None if pd.isna(row["due_at"]) else row["due_at"].date()}
        for row in found.lines.to_dict("records")
    ]
    return [title, tabulate("ledger_new", title.text, columns, records, language)]


def _cut(text: object) -> str:
    if is_missing(text) or not str(text):
        return "–"
    words = str(text)
    return words if len(words) <= _LONGEST else words[: _LONGEST - 1] + "…"
