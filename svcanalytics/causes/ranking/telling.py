"""A finding in a sentence that a manager reads."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.ranking.naming import measure_name, place_name, view_of

__all__ = ["describe"]

_SHOWN = 3
# Chinese punctuation is written as escapes: keyboards and editors turn it into something else.
_COMMA, _STOP, _LIST, _COLON, _SEMICOLON, _TO = "\uff0c", "\u3002", "\u3001", "\uff1a", "\uff1b", "\uff5e"
_LAYERS = {
    "data": ("layer: data and systems", "原因在数据与系统层面"),
    "process": ("layer: process", "原因在流程层面"),
    "people": ("layer: people", "原因在人员层面"),
    "demand": ("layer: demand", "原因在业务量变化"),
}
_TRENDS = {
    "new": ("new", "新出现"),
    "larger": ("worse than before", "较上期加重"),
    "steady": ("still there", "持续存在"),
    "smaller": ("smaller than before", "较上期减轻"),
    "gone": ("gone", "已消除"),
}
_ALWAYS = ("as it always was", "长期存在")
_COUNTED = {
    "cases": ("cases", "件"), "contacts": ("contacts", "次"), "surveys": ("answers", "份"), "audits": ("items", "项"),
}  # fmt: skip
"""What a metric's rows are called, by its view."""


def describe(
    finding: Finding | Mapping[str, object] | pd.Series,
    language: str = "en",
    *,
    measures: Mapping[str, str] | None = None,
) -> str:
    """Say a finding in one sentence.

    Parameters
    ----------
    finding : Finding, mapping or Series
        A finding, or a row of the table of findings.
    language : str
        "en" or "zh".
    measures : mapping of str to str, optional
        Names of metrics for readers, in the language; default those of the shipped catalogue, else their ids.

    Returns
    -------
    str
        Which cases, how many, what they cost, since when, on which layer, shown by which cases. Points are left out
        where there is no price.

    Examples
    --------
    >>> describe(Finding("segment", "reopen_rate", "channel=app", 160, 42.0, 0.31, 0.2, 0.42, 0.001, trend="new"))
    'Reopen rate: channel app: 160 cases, 42 beyond the expected, 0.31 (0.20 to 0.42) index points lost, new.'
    """
    if isinstance(finding, pd.Series):  # whose attribute `where` is a method
        finding = finding.to_dict()
    row = finding if isinstance(finding, Mapping) else {name: getattr(finding, name) for name in _FIELDS}
    zh = int(language.startswith("zh"))
    details = row["details"] if isinstance(row["details"], Mapping) else {}
    measure = str(row["measure"])
    named = (measures or {}).get(measure) or measure_name(measure, language)
    place = place_name(str(row["where"]), language, details)
    amount, time = _amount(row, zh), _time(row, zh)
    tail = []
    if row["kind"] == "artefact":
        tail.append("系数据变化\uff0c并非服务变差" if zh else "the data changed, not the service")
    elif row["layer"] in _LAYERS:
        tail.append(_LAYERS[str(row["layer"])][zh])
    cases = [str(each) for each in row["cases"]]  # type: ignore[union-attr]
    if cases:
        shown = (_LIST if zh else ", ").join(cases[:_SHOWN])
        tail.append(f"典型样例{_COLON}{shown}" if zh else f"shown by {shown}")
    if zh:
        return f"{named}{_COLON}{_SEMICOLON.join([_COMMA.join([place, *amount]), *time, *tail])}{_STOP}"
    return f"{named}: {place}: {'; '.join([', '.join([*amount, *time]), *tail])}."


_FIELDS = (
    *("kind", "measure", "where", "n", "excess", "points", "low", "high"),
    *("layer", "since", "trend", "cases", "details"),
)


def _amount(row: Mapping[str, object], zh: int) -> list[str]:
    n, points, excess = int(row["n"]), float(row["points"]), float(row["excess"])  # type: ignore[arg-type]
    one = _COUNTED[view_of(str(row["measure"]))][zh]
    said = [f"涉及{n:,}{one}" if zh else f"{n:,} {one}"]
    if 1 <= excess <= n:  # of a share these are cases, of another number units that say little
        said.append(f"不理想的比预期多{excess:,.0f}{one}" if zh else f"{excess:,.0f} beyond the expected")
    elif points != points:
        said.append(f"超出预期{excess:,.3g}" if zh else f"{excess:,.3g} beyond the expected")
    if points == points:
        digits = 1 if abs(points) >= 1 else 2
        low, high = float(row["low"]), float(row["high"])  # type: ignore[arg-type]
        shown = [f"{each:.{digits}f}" for each in (points, low, high)]
        if zh:
            said.append(f"拉低指数{shown[0]}分\uff08{shown[1]}{_TO}{shown[2]}\uff09")
        else:
            said.append("{} ({} to {}) index points lost".format(*shown))
    return said


def _time(row: Mapping[str, object], zh: int) -> list[str]:
    trend = str(row["trend"])
    if pd.isna(row["since"]):  # type: ignore[arg-type]
        return [_ALWAYS[zh]] if trend == "steady" else [_TRENDS[trend][zh]] if trend in _TRENDS else []
    day = pd.Timestamp(row["since"])  # type: ignore[arg-type]
    if zh:
        return [f"自{day.year}年{day.month}月{day.day}日起{_TRENDS[trend][zh] if trend in _TRENDS else '出现'}"]
    said = [f"since {day.day} {day:%B} {day.year}"]
    return [*said, _TRENDS[trend][zh]] if trend in _TRENDS else said
