"""The head of a report: its name, its period, how far its records reach."""

from __future__ import annotations

from svcanalytics.report.blocks import Document
from svcanalytics.report.facts.occasion import Occasion
from svcanalytics.report.words.formats import format_date
from svcanalytics.report.words.labels import REPORTS

__all__ = ["write_head"]


def write_head(occasion: Occasion) -> Document:
    """Return the head of a report: its name, its period, how far its data reach."""
    o, zh = occasion, occasion.language == "zh"
    title = REPORTS[o.report][1 if zh else 2]
    label = o.period.label(o.language)
    until = format_date(o.data_until, o.language)
    facts = (("数据覆盖至" if zh else "Records reach", until),) if o.data_until else ()
    warnings: tuple[str, ...] = ()
    if o.incomplete:
        warnings = (
            f"数据不完整：{label}的数据未覆盖整个期间（最后一条记录：{until}）。本报告全部数字仅供参考。"
            if zh
            else f"Incomplete data: they do not cover all of {label} (last record: {until}). Every figure here is "
            "provisional.",
        )
    return Document(title, o.language, f"{o.organisation} · {label}" if o.organisation else label, facts, warnings)
