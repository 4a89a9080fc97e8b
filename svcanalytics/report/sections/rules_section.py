"""Rules to revise: what proved itself and could become a rule, and causes that lie in how work is ordered."""

from __future__ import annotations

from collections.abc import Iterator

from svcanalytics.report.blocks import Blocks, Column, Heading, tabulate
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections import narrative
from svcanalytics.report.sections.cause_words import finding_name
from svcanalytics.report.words.formats import format_number, is_missing
from svcanalytics.report.words.vocabulary import shorten

__all__ = ["rules_to_revise"]

#: Most proposals of one kind.
MOST_OF_A_KIND = 3


def rules_to_revise(evaluation: Evaluation) -> Blocks:
    """Return measures that proved themselves and could become rules, and causes that lie in how work is ordered."""
    e, zh = evaluation, evaluation.language == "zh"
    records = [*_proven(e), *_disordered(e)]
    if not records:
        return Blocks(())
    head = Heading("建议修订的制度" if zh else "Rules to revise", 2, "rules")
    columns = [
        Column("what", "建议" if zh else "Proposal"),
        Column("why", "依据" if zh else "Because"),
        Column("who", "责任部门" if zh else "Department"),
    ]
    return Blocks((head, tabulate("rules_to_revise", head.text, columns, records, e.language)))


def _proven(e: Evaluation) -> Iterator[dict[str, str]]:
    """Yield measures of lines closed in the period as effective that are no standard yet."""
    if e.ledger is None or e.ledger.closed.empty:
        return
    zh, closed = e.language == "zh", e.ledger.closed
    closed = closed[closed["effect"].eq("better") & ~closed["became_standard"].fillna(False).astype(bool)]
    closed = closed.dropna(subset=["measure"])
    for measure, part in sorted(closed.groupby("measure"), key=lambda item: -len(item[1]))[:MOST_OF_A_KIND]:
        name = shorten(str(measure))
        departments = [shorten(str(each)) for each in part["department"].dropna().unique()]
        yield {
            "what": f"固化为标准：{name}" if zh else f"Make a standing rule: {name}",
            "why": f"本期{len(part)}项整改采用后经回访有效" if zh else (
                f"proved itself on follow-up in {len(part)} line{'' if len(part) == 1 else 's'} closed in this period"),
            "who": narrative.enumerate_names(departments, e.language, 2, "个") or "–",
        }  # fmt: skip


def _disordered(e: Evaluation) -> Iterator[dict[str, str]]:
    """Yield causes on the layer of the process: how work is ordered, not who does it."""
    if e.causes is None or e.causes.service.empty:
        return
    zh, rows = e.language == "zh", e.causes.service
    for row in rows[rows["layer"] == "process"].head(MOST_OF_A_KIND).to_dict("records"):
        name = finding_name(e, row)
        cost = row["points"]
        number = "" if is_missing(cost) else format_number(cost, e.language, digits=2 if cost < 0.2 else 1)
        worth = number and (f"指数{number}分" if zh else f"{number} index points")
        yield {
            "what": f"修订相关流程：{name}" if zh else f"Revise the procedure behind: {name}",
            "why": (f"原因在流程层面，{worth}" if worth else "原因在流程层面") if zh else (
                f"the cause lies in the process{f', {worth}' if worth else ''}"),
            "who": "–",
        }  # fmt: skip
