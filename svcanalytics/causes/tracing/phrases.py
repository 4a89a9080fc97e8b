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
        "measure": "{measure}变差了吗\uff1f是\uff1a比此前的水平多出{amount}\uff08{low}至{high}\uff09",
        "split": "为什么\uff1f因为{what}{share}\uff1a超出预期{amount}\uff08{low}至{high}\uff09\uff0c涉及{n}件",
        "course": "为什么在那里\uff1f表现在{what}等环节\uff1a{amount}{share}\uff08{low}至{high}\uff09",
        "circumstance": "再问为什么\uff1f因为{layer}\uff0c首先是{what}\uff1a{amount}{share}\uff08{low}至{high}\uff09",
        "share": "\uff0c占其中{share:.0%}",
    },
}
_STOPS = {
    "en": {
        "nothing": "Nothing is significant: there is nothing to ask about.",
        "alike": "It got worse everywhere alike: no part of the cases stands out.",
        "told": "Nothing further is significant; the last answer can be acted on.",
        "unexplained": "The cases are told, but no circumstance on record explains them.",
    },
    "zh": {
        "nothing": "没有显著变化\uff0c无需追问\u3002",
        "alike": "各处同样变差\uff0c没有哪一部分特别突出\u3002",
        "told": "再往下没有显著的结果\uff1b最后一个原因可以采取措施\u3002",
        "unexplained": "已找到所在\uff0c但现有记录不能解释其原因\u3002",
    },
}


def say_link(link: Mapping[str, Any], measure: str, language: str = "en") -> str:
    """Say one answer of a chain of whys.

    Parameters
    ----------
    link : mapping
        A row of `WhyChain.links`.
    measure : str
    language : str
        "en" or "zh".
    """
    key = "zh" if language.startswith("zh") else "en"
    share = link["share"]
    what = say_circumstance(str(link["column"]), str(link["value"]), language)
    said = _LINKS[key][link["kind"]].format(
        measure=measure,
        what=what,
        layer=LAYER_WORDS[key].get(link["layer"], ""),
        share="" if share != share or link["kind"] == "measure" else _LINKS[key]["share"].format(share=share),
        n=link["n"],
        **{name: f"{link[name]:,.0f}".replace("-", "\u2212") for name in ("amount", "low", "high")},
    )
    return said + ("\u3002" if key == "zh" else ".")


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
