"""How findings read: dimensions, steps, layers, courses, and the three layers' evidence, in Chinese and in English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.causes.tracing.phrases import say_circumstance
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections.reasons import measure_name
from svcanalytics.report.words.formats import is_missing
from svcanalytics.report.words.vocabulary import dimension_name, group_name, shorten

__all__ = [
    "LAYERS",
    "condition_name",
    "evidence_text",
    "finding_name",
    "follow_words",
    "layer_name",
    "layer_text",
    "place_name",
    "trend_name",
]

LAYERS = ("data", "process", "people")
"""The three layers that evidence is looked for on."""

_DIMENSIONS = {
    "complaint_level": ("投诉级别", "Complaint level"),
    "system": ("系统", "System"),
    "source": ("数据来源", "Source"),
    "complexity": ("难易", "Complexity"),
    "grade": ("等级", "Grade"),
    "language": ("语言", "Language"),
    "weekday": ("星期", "Weekday"),
    "day_class": ("日类型", "Kind of day"),
    "hour": ("时段", "Hours"),
    "tenure": ("坐席在岗", "Agents in post"),
    "product": ("产品", "Product"),
    "product_version": ("产品版本", "Product version"),
    "version": ("版本", "Version"),
    "device": ("设备", "Device"),
    "tier": ("客户等级", "Customer tier"),
    "window": ("窗口", "Window"),
    "priority": ("优先级", "Priority"),
    "route": ("途径", "Route"),
    "scene": ("场景", "Scene"),
    "item": ("项目", "Item"),
    "kind": ("种类", "Kind"),
    "direction": ("呼叫方向", "Direction"),
    "agent": ("坐席", "Agent"),
    "role": ("岗位", "Role"),
}
_VALUES = {
    **{
        name: (chinese, english)
        for name, chinese, english in (
            ("1 Mon", "星期一", "Monday"),
            ("2 Tue", "星期二", "Tuesday"),
            ("3 Wed", "星期三", "Wednesday"),
            ("4 Thu", "星期四", "Thursday"),
            ("5 Fri", "星期五", "Friday"),
            ("6 Sat", "星期六", "Saturday"),
            ("7 Sun", "星期日", "Sunday"),
        )
    },
    "ordinary": ("工作日", "working day"),
    "weekend": ("周末", "weekend"),
    "eve": ("节前", "eve of a holiday"),
    "holiday": ("节假日", "holiday"),
    "make_up": ("调休上班日", "make-up day"),
    "substituted": ("调休日", "substituted day"),
    "under 60 days": ("不足60天", "under 60 days"),
    "under a year": ("不足一年", "under a year"),
    "a year or more": ("一年以上", "a year or more"),
    "simple": ("简单", "simple"),
    "complex": ("复杂", "complex"),
}
_SPECIAL = {
    "step": ("经过“{}”环节", "With the step “{}”"),
    "skipped": ("跳过“{}”环节", "Without the step “{}”"),
    "rework": ("“{}”环节反复", "Step “{}” done again"),
    "order": ("环节次序“{}”", "In the order “{}”"),
    "theme": ("反映“{}”", "About “{}”"),
}
_LAYERS = {
    "data": ("数据与系统", "data, systems"),
    "process": ("流程", "process"),
    "people": ("人员", "people"),
    "demand": ("需求", "demand"),
    "": ("未定", "open"),
}
_TRENDS = {
    "new": ("新出现", "new"),
    "larger": ("加重", "worse"),
    "steady": ("依然存在", "still there"),
    "smaller": ("减轻", "smaller"),
    "gone": ("消失", "gone"),
    "": ("–", "–"),
}
_DECIMALS = re.compile(r"\d+\.\d{2,}")
_LEVEL = 0.05
_LEAST_SHARE = 0.05
# A circumstance and how many cases it explains, as `Trace.layers` writes them: "tenure=new (61), load=4-5 (4)".
_EVIDENCE = re.compile(r"(?:^|, )([^,=&]+)=([^&,]*?) \(\d[\d,]*\)(?:, |$)")


def condition_name(column: str, value: str, language: str) -> str:
    """Return one condition as readers say it: a dimension and its value, a step, a theme or a circumstance."""
    place = 0 if language == "zh" else 1
    if column in _SPECIAL:
        return _SPECIAL[column][place].format(shorten(value))
    name = _DIMENSIONS[column][place] if column in _DIMENSIONS else dimension_name(column, language)
    if name == column and say_circumstance(column, value, language) != f"{column} = {value}":
        return _DECIMALS.sub(lambda found: f"{float(found[0]):.1f}", say_circumstance(column, value, language))
    shown = _VALUES[value][place] if value in _VALUES else group_name(value, language)
    return f"{name}“{shown}”" if language == "zh" else f"{name} “{shown}”"


def place_name(finding: Mapping[str, Any], language: str) -> str:
    """Return which cases a finding is about."""
    told = finding.get("details") or {}
    said = []
    for column, value in conditions_of(finding["where"]):
        if column == "theme":
            value = str(told.get(f"label_{language}") or told.get("label") or value)
        said.append(condition_name(column, value, language))
    if not said:
        return "全部" if language == "zh" else "All cases"
    if language == "zh":
        return "、".join(said)
    return ", ".join([said[0], *(part[0].lower() + part[1:] for part in said[1:])])


def finding_name(e: Evaluation, finding: Mapping[str, Any]) -> str:
    """Return what went wrong and where, in a line: the place, then the measure."""
    place, measure = place_name(finding, e.language), measure_name(e, finding["measure"])
    return f"{place}：{measure}" if e.language == "zh" else f"{place}: {measure}"


def layer_name(finding: Mapping[str, Any], language: str) -> str:
    """Return the layer a finding lies on; of an artefact that it is none of the service's."""
    if finding["kind"] == "artefact":
        return "数据变化，非服务变化" if language == "zh" else "the data changed, not the service"
    return layer_text(finding["layer"], language)


def layer_text(layer: str, language: str) -> str:
    """Return how readers call a layer."""
    return _LAYERS.get(layer, _LAYERS[""])[0 if language == "zh" else 1]


def trend_name(trend: str, language: str) -> str:
    """Return what became of a finding since last period."""
    return _TRENDS.get(trend, _TRENDS[""])[0 if language == "zh" else 1]


def evidence_text(finding: Mapping[str, Any], layer: str, language: str) -> str:
    """Return what a layer's circumstances explain of a finding's excess, and by what; "–" where that may be chance."""
    traced = (finding.get("details") or {}).get("layers") or {}
    part, excess = (traced.get("layers") or {}).get(layer), traced.get("excess")
    if not part or is_missing(excess) or excess <= 0 or is_missing(part["p_value"]) or part["p_value"] >= _LEVEL:
        return "–"
    if part["low"] <= 0 or part["amount"] < _LEAST_SHARE * excess:
        return "–"
    share = f"{min(part['amount'] / excess, 1.0):.0%}"
    names = [condition_name(*found.groups(), language) for found in _EVIDENCE.finditer(part["evidence"])][:2]
    if language == "zh":
        return share + (f"：{'、'.join(names)}" if names else "")
    return share + (f": {', '.join(names)}" if names else "")


def follow_words(followed: pd.DataFrame) -> dict[str, str]:
    """Return by finding what became of it since last period."""
    return dict(zip(followed["finding_id"], followed["trend"], strict=True)) if len(followed) else {}
