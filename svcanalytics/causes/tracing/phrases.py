"""The words of traces, chains and artefacts, in both languages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from svcanalytics.causes.tracing.traces import Trace

__all__ = ["LAYER_WORDS", "say_circumstance", "say_link", "say_stop", "say_trace"]

LAYER_WORDS = {
    "en": {
        "data": "system and technology",
        "process": "operating rules",
        "people": "people",
        "demand": "demand",
        "mix": "other places and kinds of cases",
        "rest": "not explained",
    },
    "zh": {
        "data": "系统与技术",
        "process": "操作规则",
        "people": "人员",
        "demand": "需求",
        "mix": "其他部门与类型",
        "rest": "未解释",
    },
}
"""How a layer is called; the keys are those of `Trace.layers`."""

_SAID = {
    "en": {
        "explains": "{where}: {layer} explain {share} of the {excess} beyond the expected, by {by}",
        "named": "{where} is on the layer of {layer}; nothing else explains the {excess} beyond the expected",
        "changed": "{where}: the {excess} beyond the expected go with a change in {layer} there: {changed}",
        "coincides": "{where}: nothing explains the {excess} beyond the expected; they coincide with a change in "
        "{layer} there that makes no such difference elsewhere: {changed}",
        "within": "{where}: of the {excess} beyond the expected most lie with {within}, which speaks for {layer}; "
        "elsewhere it makes no such difference",
        "team": "{where}: the {excess} beyond the expected lie with all kinds of its cases alike, and nothing on "
        "record says why; what they share is who works them",
        "alike": "{where} is nearly the same as {alike}, which speaks for {layer}",
        "": "{where}: the evidence does not say which layer the {excess} beyond the expected are on",
    },
    "zh": {
        "explains": "{where}\uff1a超出预期的{excess}中\uff0c{share}可由{layer}解释\uff0c主要是{by}",
        "named": "{where}本身属于{layer}层\uff0c超出预期的{excess}没有其他解释",
        "changed": "{where}\uff1a超出预期的{excess}与其{layer}的变化同时出现\uff1a{changed}",
        "coincides": "{where}\uff1a超出预期的{excess}没有直接解释\uff0c只与其{layer}的变化同时出现"
        "\uff08该变化在别处并无此影响\uff09\uff1a{changed}",
        "within": "{where}\uff1a超出预期的{excess}主要集中在{within}\uff0c属于{layer}层\uff1b别处并无此影响",
        "team": "{where}\uff1a超出预期的{excess}遍及各类事项\uff0c现有记录不能说明原因\uff1b共同点是由同一班组办理",
        "alike": "{where}与{alike}几乎重合\uff0c属于{layer}层",
        "": "{where}\uff1a证据不足以判断超出预期的{excess}属于哪一层",
    },
}


def say_trace(trace: Trace, language: str = "en") -> str:
    """Say which layer explains a set of cases, and by what.

    Parameters
    ----------
    trace : Trace
    language : str
        "en" or "zh".
    """
    key = "zh" if language.startswith("zh") else "en"
    rows = trace.layers.set_index("layer")
    amount = float(rows.loc[trace.verdict, "amount"]) if trace.verdict in rows.index else 0.0
    share = min(max(amount / trace.excess, 0.0), 1.0) if trace.excess > 0 else 0.0
    comma, stop = ("\u3001", "\u3002") if key == "zh" else (", ", ".")
    said = _SAID[key][trace.basis].format(
        where=trace.where or ("全部" if key == "zh" else "all cases"),
        layer=LAYER_WORDS[key].get(trace.verdict, ""),
        share=f"{share:.0%}",
        excess=f"{trace.excess:.0f}",
        by=rows.loc[trace.verdict, "evidence"] if trace.verdict in rows.index else "",
        changed=comma.join(
            f"{say_circumstance(*_parted(name), key)} {_points(shift, key)}" for name, shift in trace.changed
        ),
        alike=comma.join(trace.alike),
        within=say_circumstance(*_parted(trace.within), key) if trace.within else "",
    )
    return said + stop


def _parted(name: str) -> tuple[str, str]:
    column, _, value = name.partition("=")
    return column, value


def _points(shift: float, key: str) -> str:
    unit = "个百分点" if key == "zh" else " points"
    return f"{100 * shift:+.0f}{unit}".replace("-", "\u2212")


_LINKS = {
    "en": {
        "measure": "Did {measure} get worse? Yes: {amount} more went wrong than at the earlier rate ({low} to {high})",
        "split": "Why? Because of {what}{share}: {amount} beyond the expected ({low} to {high}), {n} cases",
        "course": "Why there? It shows in {what}, and the like: {amount}{share} ({low} to {high})",
        "circumstance": "Why that? Because of {layer}, above all {what}: {amount}{share} ({low} to {high})",
        "share": " \u2014 {share:.0%} of it",
    },
    "zh": {
        "measure": "\u201c{measure}\u201d变差了吗\uff1f是\uff1a按此前水平推算\uff0c"
        "多出{amount}件\uff08{low}至{high}\uff09",
        "split": "为什么\uff1f主要集中在{what}{share}\uff1a超出预期{amount}件\uff08{low}至{high}\uff09\uff0c涉及{n}件",
        "course": "为什么是这里\uff1f表现在{what}等环节\uff1a{amount}{share}\uff08{low}至{high}\uff09",
        "circumstance": "再问为什么\uff1f原因在{layer}\uff0c首先是{what}\uff1a{amount}{share}\uff08{low}至{high}\uff09",
        "share": "\uff0c占其中{share:.0%}",
    },
}
_LINKS_OF_MEANS = {
    "en": {
        "measure": "Did {measure} get worse? Yes: by {amount} a case on average ({low} to {high})",
        "split": "Why? Because of {what}{share}: {amount} a case beyond the expected ({low} to {high}), {n} cases",
    },
    "zh": {
        "measure": "\u201c{measure}\u201d变差了吗\uff1f是\uff1a平均每件增加{amount}\uff08{low}至{high}\uff09",
        "split": "为什么\uff1f主要集中在{what}{share}\uff1a平均每件超出预期{amount}\uff08{low}至{high}\uff09\uff0c"
        "涉及{n}件",
    },
}
"""Of what is no share of cases, amounts are said by the case."""
_STOPS = {
    "en": {
        "nothing": "Nothing is significant: there is nothing to ask about.",
        "alike": "No part of the cases stands out for sure: as far as can be told, it got worse everywhere.",
        "told": "Nothing further is significant; the last answer can be acted on.",
        "unexplained": "We know which cases, but nothing on record says why: ask those who work on them.",
    },
    "zh": {
        "nothing": "没有显著变化\uff0c无需追问\u3002",
        "alike": "没有哪一部分的变化足够显著\uff1b就现有数据看\uff0c属于普遍变差\u3002",
        "told": "继续追问已无显著结果\uff1b可针对最后一个原因采取措施\u3002",
        "unexplained": "已定位到具体事项\uff0c但现有记录不足以说明原因\uff0c建议向经办人员了解\u3002",
    },
}


def say_link(link: Mapping[str, Any], measure: str, what: str, language: str = "en", *, unit: str = "") -> str:
    """Say one answer of a chain of whys.

    Parameters
    ----------
    link : mapping
        A row of `WhyChain.links`.
    measure, what : str
        How the measure and the condition of the answer are called.
    language : str
        "en" or "zh".
    unit : str
        "" when the amount is a count of cases that went wrong, else what the measure is in: "s" for seconds, or other.
    """
    key = "zh" if language.startswith("zh") else "en"
    share, kind = link["share"], str(link["kind"])
    by_case = unit != "" and kind in _LINKS_OF_MEANS[key]
    size = max(int(link["n"]), 1) if unit else 1
    said = (_LINKS_OF_MEANS if by_case else _LINKS)[key][kind].format(
        measure=measure,
        what=what,
        layer=LAYER_WORDS[key].get(link["layer"], ""),
        share="" if share != share or kind == "measure" else _LINKS[key]["share"].format(share=share),
        n=link["n"],
        **{name: _amount(link[name] / size, unit, key) for name in ("amount", "low", "high")},
    )
    return said + ("\u3002" if key == "zh" else ".")


def _amount(number: float, unit: str, key: str) -> str:
    if unit == "s":
        from svcanalytics.charts.durations import duration_text

        written = duration_text(abs(number), key)
    else:
        written = f"{abs(number):,.2f}" if unit and abs(number) < 10 else f"{abs(number):,.0f}"
    return ("\u2212" if number < 0 and written.strip("0.") else "") + written


def say_stop(stopped: str, language: str = "en") -> str:
    """Say why a chain of whys ends; `stopped` is that of `WhyChain`, `language` "en" or "zh"."""
    return _STOPS["zh" if language.startswith("zh") else "en"][stopped]


_NAMES = {
    "en": {
        "tenure_days": "days in post",
        "load_day": "cases a day of the agent",
        "training_hours": "hours trained in 90 days",
        "certificates_n": "certificates",
        "handovers_n": "hand-overs",
        "rework_n": "steps done again",
        "steps_n": "steps",
        "from_other_team": "agents from other teams",
        "shift_kind": "shift",
        "missing": "{} not recorded",
        "wait_": "wait for \u201c{}\u201d (hours)",
        "skips_": "\u201c{}\u201d skipped",
    },
    "zh": {
        "tenure_days": "在岗天数",
        "load_day": "当日人均受理量",
        "training_hours": "近90天培训学时",
        "certificates_n": "持证数",
        "handovers_n": "转派次数",
        "rework_n": "重复环节数",
        "steps_n": "环节数",
        "from_other_team": "来自其他班组的人员",
        "shift_kind": "班次",
        "missing": "{}未记录",
        "wait_": "等待\u201c{}\u201d\uff08小时\uff09",
        "skips_": "跳过\u201c{}\u201d",
    },
}


def say_circumstance(column: str, value: str, language: str = "en") -> str:
    """Say a circumstance and its value ("wait for “approve” (hours) > 12"), a column of one's own as it is.

    Parameters
    ----------
    column, value : str
        As `WhyChain.links` and `Trace` have them.
    language : str
        "en" or "zh".
    """
    names = _NAMES["zh" if language.startswith("zh") else "en"]
    begin = next((each for each in ("wait_", "skips_") if column.startswith(each)), "")
    name = names[begin].format(column.removeprefix(begin)) if begin else names.get(column, column)
    if value == "True":
        return name
    for sign, shown in (("<=", "\u2264"), (">", ">")):
        if value.startswith(sign):
            return f"{name} {shown} {value.removeprefix(sign)}"
    return f"{name} = {value}" if value else names["missing"].format(name)
