"""How the cases of a finding are called, in Chinese and in English: columns, values, steps, themes and lags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from svcanalytics import metrics
from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.causes.tracing.phrases import say_circumstance
from svcanalytics.errors import CauseError
from svcanalytics.store.contract import contract
from svcanalytics.store.words import translate, translations

__all__ = ["measure_name", "place_name", "view_of"]

# Where the contract's column says less in English than a reader needs, and what the contract hasn't.
_COLUMNS = {
    "owner_team": ("responsible team", "责任团队"),
    "business_type": ("kind of request", "业务类型"),
    "customer_type": ("customers", "客户类型"),
    "weekday": ("weekday", "星期"),
    "day_class": ("kind of day", "日类型"),
    "hour": ("hours", "时段"),
    "tenure": ("agents in post", "坐席在岗"),
    "version": ("version", "版本"),
    "product": ("product", "产品"),
    "product_version": ("product version", "产品版本"),
    "device": ("device", "设备"),
    "tier": ("customer tier", "客户等级"),
    "line": ("line of support", "支持层级"),
}
_VALUES = {
    "1 Mon": ("Monday", "星期一"),
    "2 Tue": ("Tuesday", "星期二"),
    "3 Wed": ("Wednesday", "星期三"),
    "4 Thu": ("Thursday", "星期四"),
    "5 Fri": ("Friday", "星期五"),
    "6 Sat": ("Saturday", "星期六"),
    "7 Sun": ("Sunday", "星期日"),
    "ordinary": ("working day", "工作日"),
    "weekend": ("weekend", "周末"),
    "eve": ("eve of a holiday", "节前"),
    "holiday": ("holiday", "节假日"),
    "make_up": ("make-up working day", "调休上班日"),
    "substituted": ("substituted day off", "调休休息日"),
    "under 60 days": ("under 60 days", "不足60天"),
    "under a year": ("under a year", "不足一年"),
    "a year or more": ("a year or more", "一年以上"),
    "": ("not filled in", "未填写"),
}
_TIMES = {"weekday": "{}", "day_class": "{}", "hour": "{}时", "tenure": "坐席在岗{}"}
_SPECIAL = {
    "step": ("with the step '{}'", "经过“{}”环节"),
    "skipped": ("without the step '{}'", "跳过“{}”环节"),
    "rework": ("where the step '{}' is repeated", "“{}”环节反复"),
    "order": ("in the order '{}'", "环节次序为“{}”"),
    "theme": ("about '{}'", "反映“{}”"),
}
# A name that a source gives in both languages: "技术组 Technical".
_BOTH = re.compile(r"^([\u3400-\u9fff][^ ]*) ([A-Za-z].*)$")


def measure_name(measure: str, language: str) -> str:
    """Return a shipped metric's name; of one that isn't shipped its id."""
    shipped = metrics.catalogue()
    return getattr(shipped[measure].name, _key(language)) if measure in shipped.metrics else measure


def view_of(measure: str) -> str:
    """Return what a shipped metric's rows are: "cases", "contacts", "surveys" or "audits"; of any other "cases"."""
    shipped = metrics.catalogue()
    view = shipped[measure].view if measure in shipped.metrics else "cases"
    return view if view in ("contacts", "surveys", "audits") else "cases"


def place_name(where: str, language: str, details: Mapping[str, object] | None = None) -> str:
    """Return which cases a finding is about.

    Parameters
    ----------
    where : str
        As `Finding` has it; what can't be read so is shown as it is.
    language : str
        "en" or "zh".
    details : mapping, optional
        The finding's, with the label of its theme.
    """
    key = _key(language)
    try:
        conditions = conditions_of(where)
    except CauseError:
        return where
    if not conditions:
        return "全部事项" if key == "zh" else "all cases"
    known = dict(conditions)
    if "with" in known:
        return _relation(measure_name(known["with"], key), known.get("lag", "0"), key)
    said = [_condition(column, value, key, details or {}) for column, value in conditions]
    return "\u3001".join(said) if key == "zh" else ", ".join(said)


def _condition(column: str, value: str, key: str, details: Mapping[str, object]) -> str:
    place = int(key == "zh")
    if column in _SPECIAL:
        label = details.get(f"label_{key}") or details.get("label") if column == "theme" else None
        return _SPECIAL[column][place].format(label or _value(column, value, key))
    if column not in _COLUMNS and column not in _contract_names():
        said = say_circumstance(column, value, key)
        if said != f"{column} = {value}":
            return said
    name = _column(column, key)
    shown = _value(column, value, key)
    if key == "zh" and column in _TIMES:  # a Sunday needs no word for what kind of thing it is
        return _TIMES[column].format(shown)
    if key == "zh" and value == "":
        return f"未填写{name}"
    return f"{name}“{shown}”" if key == "zh" else f"{name} {shown}"


def _column(column: str, key: str) -> str:
    if column in _COLUMNS:
        return _COLUMNS[column][int(key == "zh")]
    return _contract_names().get(column, column) if key == "zh" else column.replace("_", " ")


def _value(column: str, value: str, key: str) -> str:
    if value in _VALUES:
        return _VALUES[value][int(key == "zh")]
    if value in translations() or f"{column}.{value}" in translations():
        return translate(value, key, column)
    both = _BOTH.match(value)
    return both.group(1 if key == "zh" else 2) if both else value


def _relation(leading: str, lag: str, key: str) -> str:
    if lag == "0":
        return f"与“{leading}”同步变化" if key == "zh" else f"together with '{leading}'"
    if key == "zh":
        return f"滞后于“{leading}”{lag}周"
    return f"{lag} {'week' if lag == '1' else 'weeks'} after '{leading}'"


@cache
def _contract_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for table in contract().tables.values():
        for column in (*table.columns.values(), *table.common.values()):
            names.setdefault(column.name, column.zh_name)
    return names


def _key(language: str) -> str:
    return "zh" if language.startswith("zh") else "en"
