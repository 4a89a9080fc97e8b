"""The head of a report: its title, its particulars and what holds for all of it."""

from __future__ import annotations

from svcanalytics.report.blocks import Document
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.scopes import name_scope
from svcanalytics.report.words.formats import format_date

__all__ = ["opening"]

_TITLES = {
    "weekly": ("服务质量周报", "Weekly service quality report"),
    "monthly": ("服务质量月度评价报告", "Monthly service quality evaluation"),
    "quarterly": ("服务质量季度评价报告", "Quarterly service quality evaluation"),
    "half_yearly": ("服务质量半年度评价报告", "Half-yearly service quality evaluation"),
    "yearly": ("服务质量年度评价报告", "Yearly service quality evaluation"),
}


def opening(evaluation: Evaluation) -> Document:
    """Return the head of the report: its title, what the data reach to, and what holds for all of it."""
    e, zh = evaluation, evaluation.language == "zh"
    facts = [("数据覆盖至" if zh else "Records reach", format_date(e.data_until, e.language))] if e.data_until else []
    warnings = [_incomplete_warning(e)] if e.incomplete else []
    title = _TITLES[e.report][0 if zh else 1]
    return Document(title, e.language, _subtitle(e), tuple(facts), tuple(warnings))


def _subtitle(e: Evaluation) -> str:
    parts = (e.organisation, name_scope(e.scope, e.language), e.period.label(e.language))
    return " · ".join(part for part in parts if part)


def _incomplete_warning(e: Evaluation) -> str:
    label = e.period.label(e.language)
    if e.data_until and e.data_until > e.period.last:
        # Records go on after the period, but somewhere in it they are but stragglers.
        if e.language == "zh":
            why = f"{label}的数据未完整覆盖整个期间，部分时段只有零星记录或没有记录"
        else:
            why = f"part of {label} holds only stray records or none"
    else:
        until = format_date(e.data_until, e.language) if e.data_until else "–"
        if e.language == "zh":
            why = f"{label}的数据未覆盖整个期间（最后一条记录：{until}）"
        else:
            why = f"the data do not cover all of {label} (last record: {until})"
    if e.language == "zh":
        return f"数据不完整：{why}。本报告全部数字仅供参考，不得用于考核。"
    return f"Incomplete data: {why}. Every figure here is provisional and must not be used for appraisal."
