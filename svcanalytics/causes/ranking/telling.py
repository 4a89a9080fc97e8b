"""A finding in a sentence that a manager reads."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.tracing.layers import conditions_of

__all__ = ["describe"]

_SHOWN = 3
# Chinese punctuation is written as escapes: keyboards and editors turn it into something else.
_COMMA, _STOP, _LIST, _COLON = "\uff0c", "\u3002", "\u3001", "\uff1a"
_LAYERS = {
    "data": ("data", "数据"),
    "process": ("process", "流程"),
    "people": ("people", "人员"),
    "demand": ("demand", "需求"),
}
_TRENDS = {
    "new": ("new", "新出现"),
    "larger": ("worse than before", "比以前更严重"),
    "steady": ("still there", "依然存在"),
    "smaller": ("smaller", "有所减轻"),
    "gone": ("gone", "已消失"),
}
_COLUMNS = {
    "team": ("team", "团队"),
    "owner_team": ("responsible team", "责任团队"),
    "first_team": ("first team", "首问团队"),
    "channel": ("channel", "渠道"),
    "category": ("category", "类别"),
    "business_type": ("type", "业务类型"),
    "queue": ("queue", "队列"),
    "site": ("site", "网点"),
    "system": ("system", "系统"),
    "customer_type": ("customers", "客户类型"),
    "urgency": ("urgency", "紧急程度"),
    "weekday": ("weekday", "星期"),
    "day_class": ("kind of day", "日类型"),
    "hour": ("hours", "时段"),
    "tenure": ("agents in post", "坐席在岗时长"),
    "version": ("version", "版本"),
    "device": ("device", "设备"),
    "route": ("route", "路由"),
    "source": ("source", "数据源"),
}
_SPECIAL = {
    "step": ("with the step '{}'", "经过“{}”环节"),
    "skipped": ("without the step '{}'", "跳过“{}”环节"),
    "rework": ("where the step '{}' is repeated", "“{}”环节反复"),
    "order": ("in the order '{}'", "环节次序为“{}”"),
    "theme": ("about '{}'", "反映“{}”"),
}


def describe(
    finding: Finding | Mapping[str, object], language: str = "en", *, measures: Mapping[str, str] | None = None
) -> str:
    """Say a finding in one sentence.

    Parameters
    ----------
    finding : Finding or mapping
        A finding, or a row of the table of findings.
    language : str
        "en" or "zh".
    measures : mapping of str to str, optional
        Names of metrics for readers, in the language; default their ids.

    Returns
    -------
    str
        Which cases, how many, what they cost, since when, on which layer, shown by which cases. Points are left out
        where there is no price.
    """
    if isinstance(finding, pd.Series):  # whose attribute `where` is a method
        finding = finding.to_dict()
    row = finding if isinstance(finding, Mapping) else {name: getattr(finding, name) for name in _FIELDS}
    zh = int(language.startswith("zh"))
    where, details = str(row["where"]), row["details"]
    told = details if isinstance(details, Mapping) else {}
    measure = (measures or {}).get(str(row["measure"]), str(row["measure"]))
    parts = [_amount(row, zh)]
    if not pd.isna(row["since"]):  # type: ignore[arg-type]
        day = pd.Timestamp(row["since"])  # type: ignore[arg-type]
        parts.append(f"自{day.month}月{day.day}日起" if zh else f"since {day.day} {day:%B}")
    if row["trend"]:
        parts.append(_TRENDS[str(row["trend"])][zh])
    tail = []
    if row["kind"] == "artefact":
        tail.append("是数据变化而非服务变化" if zh else "the data changed, not the service")
    if row["layer"]:
        layer = _LAYERS[str(row["layer"])][zh]
        tail.append(f"层面{_COLON}{layer}" if zh else f"layer: {layer}")
    cases = [str(each) for each in row["cases"]]  # type: ignore[union-attr]
    if cases:
        named = (_LIST if zh else ", ").join(cases[:_SHOWN])
        tail.append(f"典型事项{_COLON}{named}" if zh else f"shown by {named}")
    place = _place(where, told, zh)
    if zh:
        return f"{measure}{_COLON}{place}{_COLON}{_COMMA.join([*parts, *tail])}{_STOP}"
    return f"{measure}: {place}: {', '.join(parts)}{''.join(f'; {each}' for each in tail)}."


_FIELDS = (
    *("kind", "measure", "where", "n", "excess", "points", "low", "high"),
    *("layer", "since", "trend", "cases", "details"),
)


def _amount(row: Mapping[str, object], zh: int) -> str:
    n, points = int(row["n"]), float(row["points"])  # type: ignore[arg-type]
    said = f"{n:,}件" if zh else f"{n:,} cases"
    if points == points:
        low, high = float(row["low"]), float(row["high"])  # type: ignore[arg-type]
        cost = f"{points:.1f} ({low:.1f}-{high:.1f})"
        return f"{said}{_COMMA}影响指数{cost}分" if zh else f"{said}, {cost} index points"
    excess = f"{float(row['excess']):,.0f}"  # type: ignore[arg-type]
    return f"{said}{_COMMA}超出预期{excess}" if zh else f"{said}, {excess} beyond the expected"


def _place(where: str, details: Mapping[str, object], zh: int) -> str:
    conditions = conditions_of(where)
    if not conditions:
        return "全部" if zh else "all cases"
    said = []
    for column, value in conditions:
        if column in _SPECIAL:
            name = str(details.get("label_zh" if zh else "label_en", value)) if column == "theme" else value
            said.append(_SPECIAL[column][zh].format(name))
            continue
        name = _COLUMNS.get(column, (column, column))[zh]
        shown = value or ("未填写" if zh else "not filled in")
        said.append(f"{name}“{shown}”" if zh else f"{name} {shown}")
    return _LIST.join(said) if zh else ", ".join(said)
