"""Sentences about indicators, with rules of their own in Chinese and in English.

A sentence claims a change only where sampling error can't explain it; everything else is "no significant change".
Numbers in sentences are written by the same functions as in tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from svcanalytics.report.facts.readings import Reading, target_number
from svcanalytics.report.words.formats import format_duration, format_integer, format_number, format_percent, is_missing

__all__ = [
    "FOLLOW_UP_AFTER",
    "describe",
    "describe_alternative",
    "describe_changes",
    "describe_lights",
    "describe_missed",
    "enumerate_names",
    "period_word",
]

#: Missed so many periods running, an indicator is put under supervision (督办).
FOLLOW_UP_AFTER = 3

_PERIODS = {
    "zh": {"day": "天", "week": "周", "month": "个月", "quarter": "个季度", "half_year": "个半年", "year": "年"},
    "en": {
        "day": "day",
        "week": "week",
        "month": "month",
        "quarter": "quarter",
        "half_year": "half-year",
        "year": "year",
    },
}
_LAST = {
    "zh": {"day": "昨日", "week": "上周", "month": "上月", "quarter": "上季度", "half_year": "上期", "year": "上年"},
    "en": {kind: f"last {name}" for kind, name in _PERIODS["en"].items()} | {"day": "the day before"},
}


def period_word(kind: str, language: str, *, last: bool = False) -> str:
    """Return "个月" or "month" for a kind of period; with `last`, "上月" or "last month"."""
    return (_LAST if last else _PERIODS)[language][kind]


def describe(reading: Reading, language: str, every: str = "month") -> str:
    """Return the sentence about one indicator.

    Chinese follows the model 「环比提高1.2个百分点,达标(目标95%),连续3个月达标;变化显著」 or 「无显著变化,持平」.

    Parameters
    ----------
    reading : Reading
        The indicator.
    language : str
        "zh" or "en".
    every : str
        Kind of period.
    """
    if reading.flag == "suppressed" or reading.light == "grey":
        n = format_integer(reading.n, language)
        return f"样本不足（n={n}），不作评价。" if language == "zh" else f"Too few records (n = {n}) to judge."
    if is_missing(reading.value):
        return "本期无数据。" if language == "zh" else "No data in this period."
    parts = _chinese(reading, every) if language == "zh" else _english(reading, every)
    if reading.flag == "incomplete":
        parts += (
            "；数据不完整，仅供参考" if language == "zh" else "; the data are incomplete, so read it as provisional"
        )
    return parts + ("。" if language == "zh" else ".")


def describe_lights(readings: Iterable[Reading], language: str) -> str:
    """Return how many indicators with a target are met, too close to call, missed, or rest on too little."""
    readings = [reading for reading in readings if reading.light]
    count = {light: sum(reading.light == light for reading in readings) for light in ("green", "yellow", "red", "grey")}
    if not readings:
        return (
            "本期没有可与目标比较的指标。"
            if language == "zh"
            else "No measure of this period has a target to be held against."
        )
    words = {
        "green": ("项达标", " met"),
        "yellow": ("项临界", " too close to call"),
        "red": ("项未达标", " missed"),
        "grey": ("项样本不足", " resting on too few records"),
    }
    parts = [f"{n}{words[light][0 if language == 'zh' else 1]}" for light, n in count.items() if n]
    if language == "zh":
        return f"设有目标的{len(readings)}项指标中，{'、'.join(parts)}。"
    noun = "measure" if len(readings) == 1 else "measures"
    return f"Of {len(readings)} {noun} with a target: {', '.join(parts)}."


def describe_changes(readings: Sequence[Reading], language: str, every: str = "month", most: int = 3) -> str:
    """Return what got better and what got worse for sure, the largest first as given; says so when nothing did."""
    better = [reading for reading in readings if reading.better is True]
    worse = [reading for reading in readings if reading.better is False]
    last = period_word(every, language, last=True)
    known = any(not is_missing(reading.change) for reading in readings)
    if not known:
        return "没有上期数据可比。" if language == "zh" else "There is no earlier period to compare with."
    if not better and not worse:
        return (
            f"各项指标与{last}相比均无显著变化。"
            if language == "zh"
            else f"No measure changed significantly from {last}."
        )
    names = [_with_changes(group, language, most) for group in (better, worse)]
    if language == "zh":
        parts = [f"显著改善{len(better)}项：{names[0]}"] if better else ["没有指标显著改善"]
        parts += [f"显著变差{len(worse)}项：{names[1]}"] if worse else ["没有指标显著变差"]
        return f"与{last}相比，{'；'.join(parts)}。"
    parts = [f"{len(better)} significantly better ({names[0]})"] if better else ["none significantly better"]
    parts += [f"{len(worse)} significantly worse ({names[1]})"] if worse else ["none significantly worse"]
    return f"Compared with {last}: {'; '.join(parts)}."


def describe_missed(readings: Sequence[Reading], language: str, every: str = "month", most: int = 4) -> str:
    """Return what is missed and for how long; what is missed for long is put under supervision (督办).

    Parameters
    ----------
    readings : sequence of Reading
        Those with a red light, the most important first.
    language, every, most : str, str, int
        As in `describe_changes`.
    """
    if not readings:
        return "没有未达标的指标。" if language == "zh" else "No measure misses its target."
    parts = []
    for reading in readings[:most]:
        missed = max(1, -reading.streak)
        value, target = reading.value_text(language), reading.target_text(language)
        if language == "zh":
            least = "至少" if reading.streak_open else ""
            running = f"，连续{least}{missed}{period_word(every, language)}" if missed > 1 else ""
            order = "，列入督办" if missed >= FOLLOW_UP_AFTER else ""
            parts.append(f"{reading.name}{value}（目标{target}{running}{order}）")
        else:
            least = "at least " if reading.streak_open else ""
            running = f", missed for {least}{missed} {period_word(every, language)}s running" if missed > 1 else ""
            order = ", needs follow-up" if missed >= FOLLOW_UP_AFTER else ""
            parts.append(f"{reading.name} {value} (target {target}{running}{order})")
    rest = len(readings) - most
    if language == "zh":
        more = f"等{len(readings)}项" if rest > 0 else ""
        return f"未达标：{'、'.join(parts)}{more}。"
    more = f"; and {rest} more" if rest > 0 else ""
    return f"Missed: {'; '.join(parts)}{more}."


def describe_alternative(what: str, course: str, language: str) -> str:
    """Return the alternative text of a picture: what it shows, then what is to be seen in it."""
    return f"图：{what}。{course}" if language == "zh" else f"Chart: {what}. {course}"


def enumerate_names(names: Sequence[str], language: str, most: int = 6, counter: str = "项") -> str:
    """Return names as a list in prose, the rest counted; `counter` is the Chinese measure word."""
    shown, rest = list(names[:most]), len(names) - most
    if language == "zh":
        return "、".join(shown) + (f"等{len(names)}{counter}" if rest > 0 else "")
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else ""


def _with_changes(readings: Sequence[Reading], language: str, most: int) -> str:
    texts = []
    for reading in readings[:most]:
        text = reading.change_text(language, reading.change, reading.previous)
        texts.append(f"{reading.name}（{text}）" if language == "zh" else f"{reading.name} {text}")
    rest = len(readings) - most
    if language == "zh":
        return "、".join(texts) + ("等" if rest > 0 else "")
    return ", ".join(texts) + (f" and {rest} more" if rest > 0 else "")


def _amount(reading: Reading, language: str) -> str:
    """Return the size of the change without its sign."""
    value, kind = reading.change_value(reading.change, reading.previous)
    size = abs(value)
    if kind == "points":
        digits = 2 if size < 0.001 else 1
        return f"{size * 100:.{digits}f}" + ("个百分点" if language == "zh" else " percentage points")
    if kind == "percent":
        return format_percent(size, language).lstrip("+")
    if kind == "duration":
        return format_duration(size, language)
    return format_number(size, language)


def _verb(reading: Reading, language: str) -> str:
    up = reading.change > 0
    if language == "en":
        return {"duration": ("longer by", "shorter by")}.get(reading.kind, ("up", "down"))[0 if up else 1]
    verbs = {"rate": ("提高", "下降"), "duration": ("延长", "缩短"), "integer": ("增加", "减少")}
    return verbs.get(reading.kind, ("上升", "下降"))[0 if up else 1]


def _chinese(reading: Reading, every: str) -> str:
    if is_missing(reading.change):
        head, tail = "无上期数据可比", ""
    elif reading.significant:
        head, tail = f"环比{_verb(reading, 'zh')}{_amount(reading, 'zh')}", "；变化显著"
    else:
        head, tail = "环比无显著变化，持平", ""
    parts = [head]
    if not is_missing(reading.target) and reading.light:
        target = f"目标{target_number(reading.target, reading.kind, 'zh')}"
        verdict = {"green": "达标", "red": "未达标", "yellow": "临界"}[reading.light]
        parts.append(f"{verdict}（{target}）" if reading.light != "yellow" else f"是否达标尚不能断定（{target}）")
        if abs(reading.streak) > 1 and (reading.streak > 0) == (reading.light == "green") and reading.light != "yellow":
            least = "至少" if reading.streak_open else ""
            parts.append(f"连续{least}{abs(reading.streak)}{period_word(every, 'zh')}{verdict}")
    return "，".join(parts) + tail


def _english(reading: Reading, every: str) -> str:
    last = period_word(every, "en", last=True)
    if is_missing(reading.change):
        head = "Nothing earlier to compare with"
    elif reading.significant:
        verb = _verb(reading, "en")
        head = f"{verb[0].upper()}{verb[1:]} {_amount(reading, 'en')} on {last}, a significant change"
    else:
        head = f"No significant change from {last}"
    if is_missing(reading.target) or not reading.light:
        return head
    target = target_number(reading.target, reading.kind, "en")
    if reading.light == "yellow":
        return f"{head}; too close to the target of {target} to call"
    verdict = "meets" if reading.light == "green" else "misses"
    text = f"{head}; {verdict} the target of {target}"
    if abs(reading.streak) > 1 and (reading.streak > 0) == (reading.light == "green"):
        least = "at least " if reading.streak_open else ""
        text += f", for {least}the {_ordinal(abs(reading.streak))} {period_word(every, 'en')} running"
    return text


def _ordinal(number: int) -> str:
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"
