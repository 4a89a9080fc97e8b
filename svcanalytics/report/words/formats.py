"""How a value reads in Chinese and in English: one place, so that page, workbook, pictures and sentences agree."""

from __future__ import annotations

import math
import re
from datetime import date, datetime
from typing import Any

__all__ = [
    "LIGHTS",
    "format_change",
    "format_date",
    "format_duration",
    "format_integer",
    "format_light",
    "format_number",
    "format_percent",
    "format_points",
    "format_rate",
    "format_value",
    "is_missing",
    "light_rule",
    "no_base",
    "typeset",
    "word",
]

_HAN = re.compile("[\u4e00-\u9fff]")
_BRACKETS = re.compile(r"\(([^()]*)\)")
_MARKS = re.compile("(?<=[\u4e00-\u9fff）”%])[,;:]|[,;:](?=[\u4e00-\u9fff（“])")
_FULL_WIDTH = {",": "，", ";": "；", ":": "："}

MINUS = "\N{MINUS SIGN}"
NOTHING = "–"

# Colour is never the only sign: every light has a shape of its own and a word (WCAG 1.4.1).
LIGHTS: dict[str, dict[str, str]] = {
    "green": {"shape": "●", "zh": "达标", "en": "Met"},
    "yellow": {"shape": "▲", "zh": "临界", "en": "Borderline"},
    "red": {"shape": "■", "zh": "未达标", "en": "Missed"},
    "grey": {"shape": "○", "zh": "样本不足", "en": "Too few"},
}

WORDS: dict[str, tuple[str, str]] = {
    "no_base": ("无同期数据", "no base"),
    "no_previous": ("无上期数据", "no base"),
    "suppressed": ("样本不足", "too few"),
    "incomplete": ("数据不完整", "incomplete"),
    "provisional": ("暂定", "provisional"),
    "other": ("其他", "Other"),
    "unknown": ("（未填）", "(not recorded)"),
    "yes": ("是", "yes"),
    "no": ("否", "no"),
}


def word(key: str, language: str) -> str:
    """Return a fixed word of reports in `language` ("zh" or "en")."""
    chinese, english = WORDS[key]
    return chinese if language == "zh" else english


def typeset(text: str, language: str) -> str:
    """Return Chinese text with Chinese punctuation: marks and brackets beside Chinese characters are full width.

    Catalogues are typed with either; a page that mixes both looks careless. Other languages come back as they are.
    """
    if language != "zh":
        return text
    text = _BRACKETS.sub(lambda m: f"（{m[1]}）" if _HAN.search(m.string[: m.start()][-1:] + m[1]) else m[0], text)
    return _MARKS.sub(lambda m: _FULL_WIDTH[m[0]], text)


def no_base(language: str, *, last: bool = False) -> str:
    """Return what stands where a comparison has nothing to compare with; never a zero. `last`: of the period before."""
    return word("no_previous" if last else "no_base", language)


def is_missing(value: Any) -> bool:
    """Tell whether a cell's value is absent: None, NaN, NaT or pandas' NA."""
    if value is None:
        return True
    if isinstance(value, str | bool):
        return False
    try:
        return bool(value != value)
    except TypeError:  # pandas.NA refuses to be a truth value
        return True


def format_integer(value: float | None, language: str, *, signed: bool = False) -> str:
    """Return a count with thousands separators: "24,918"."""
    return NOTHING if is_missing(value) else _sign(value, f"{abs(round(value)):,}", signed)


def format_number(value: float | None, language: str, *, digits: int | None = None, signed: bool = False) -> str:
    """Return a number with thousands separators; by default small ones keep two decimals, others one."""
    if digits is None:
        digits = 1 if is_missing(value) or abs(value) >= 10 else 2
    return NOTHING if is_missing(value) else _sign(value, f"{abs(value):,.{digits}f}", signed)


def format_rate(value: float | None, language: str, *, digits: int | None = None) -> str:
    """Return a share of 0-1 as a percentage; rates under 2 % keep two decimals (a target may be 0.5 %)."""
    if is_missing(value):
        return NOTHING
    if digits is None:
        digits = 2 if 0 < abs(value) < 0.02 else 1
    return _sign(value, f"{abs(value) * 100:,.{digits}f}%", False)


def format_percent(value: float | None, language: str) -> str:
    """Return a relative change: 0.034 is "+3.4%"; what grew tenfold and more reads as a multiple."""
    if not is_missing(value) and value >= 10:
        return f"{value + 1:,.0f}倍" if language == "zh" else f"×{value + 1:,.0f}"
    return NOTHING if is_missing(value) else _sign(value, f"{abs(value) * 100:,.1f}%", True)


def format_points(value: float | None, language: str, *, digits: int | None = None) -> str:
    """Return the difference of two shares in percentage points: 0.012 is "+1.2个百分点" or "+1.2 pp"."""
    if is_missing(value):
        return NOTHING
    if digits is None:
        digits = 2 if 0 < abs(value) < 0.001 else 1
    return _sign(value, f"{abs(value) * 100:,.{digits}f}", True) + ("个百分点" if language == "zh" else " pp")


def format_duration(seconds: float | None, language: str, *, signed: bool = False) -> str:
    """Return whole seconds as their two largest units: 7,980 s is "2小时13分" or "2 h 13 min".

    Rounding happens before splitting, so nothing ever reads "1小时60分".
    """
    if is_missing(seconds):
        return NOTHING
    names = ("天", "小时", "分", "秒") if language == "zh" else (" d", " h", " min", " s")
    left = abs(seconds)
    for size, rest, big, small in ((86400, 3600, 0, 1), (3600, 60, 1, 2), (60, 1, 2, 3)):
        whole = round(left / rest) * rest
        if whole >= size:
            first, second = divmod(whole, size)
            text = f"{first:,.0f}{names[big]}"
            if second:
                text += ("" if language == "zh" else " ") + f"{second // rest:.0f}{names[small]}"
            return _sign(seconds, text, signed)
    digits = 1 if 0 < left < 10 and left != round(left) else 0
    return _sign(seconds, f"{left:.{digits}f}{names[3]}", signed)


def format_date(value: date | datetime | str | None, language: str) -> str:
    """Return a day: "2026年10月31日" or "31 Oct 2026"."""
    if is_missing(value):
        return NOTHING
    day = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return f"{day.day} {months[day.month - 1]} {day.year}"


def format_light(light: str | None, language: str) -> str:
    """Return a light as shape and word: "● 达标"; nothing when there is no target to judge by."""
    return NOTHING if is_missing(light) else f"{LIGHTS[light]['shape']} {LIGHTS[light][language]}"


def light_rule(language: str) -> str:
    """Return the rule of the lights, printed under every table that shows them."""
    mark = {colour: f"{entry['shape']} {entry[language]}" for colour, entry in LIGHTS.items()}
    if language == "zh":
        return (
            f"亮灯规则：{mark['green']}（绿）=95%区间整体达到目标；{mark['yellow']}（黄）=区间跨越目标，尚不能断定；"
            f"{mark['red']}（红）=区间整体未达目标；{mark['grey']}（灰）=样本量低于最小公布量。"
        )
    return (
        f"How the lights are set: {mark['green']} (green): the whole 95% interval reaches the target; "
        f"{mark['yellow']} (yellow): the interval straddles the target, so it is too close to call; "
        f"{mark['red']} (red): the whole interval misses it; "
        f"{mark['grey']} (grey): fewer records than the smallest n to publish."
    )


def format_value(value: Any, kind: str, language: str) -> str:
    """Return a value as its kind of column reads; see `blocks.KINDS` for the kinds."""
    if is_missing(value):
        return NOTHING
    if kind == "light":
        return format_light(value, language)
    formatter = {
        "integer": format_integer,
        "number": format_number,
        "rate": format_rate,
        "percent": format_percent,
        "points": format_points,
        "duration": format_duration,
        "date": format_date,
    }.get(kind)
    return formatter(value, language) if formatter else str(value)


def format_change(value: float | None, kind: str, language: str) -> str:
    """Return a difference in the units of `kind`, with its sign: shares in points, times in time, others plainly."""
    if is_missing(value):
        return no_base(language)
    if kind in ("rate", "points"):
        return format_points(value, language)
    if kind == "percent":
        return format_percent(value, language)
    if kind == "duration":
        return format_duration(value, language, signed=True)
    if kind == "integer":
        return format_integer(value, language, signed=True)
    return format_number(value, language, signed=True)


def _sign(value: float, text: str, signed: bool) -> str:
    if not any(digit in text for digit in "123456789"):  # what rounds to zero has no sign
        return text
    if value < 0 or math.copysign(1.0, value) < 0:
        return MINUS + text
    return "+" + text if signed else text
