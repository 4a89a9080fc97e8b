"""How values and periods stand on an axis: units people read, short labels, the year only where it changes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WEEKDAYS", "Unit", "axis_unit", "day_label", "period_expression", "period_label", "text_width"]

WEEKDAYS = {
    "zh": tuple(f"周{day}" for day in "一二三四五六日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_NAMES = {86400: ("天", "days"), 3600: ("小时", "hours"), 60: ("分钟", "minutes"), 1: ("秒", "seconds")}


@dataclass(frozen=True)
class Unit:
    """How one kind of value is drawn: values are divided by `divisor`, written with the d3 `format`, titled `title`."""

    divisor: float
    format: str
    title: str


def axis_unit(kind: str, values: Iterable[float], language: str) -> Unit:
    """Choose the unit of an axis.

    Parameters
    ----------
    kind : str
        "rate" (0-1), "duration" (seconds), "integer" or "number".
    values : iterable of float
        All that will be drawn; NaN is passed over.
    language : str
        "zh" or "en".
    """
    known = [abs(value) for value in values if value == value]
    highest = max(known, default=0.0)
    if kind == "rate":
        spread = highest - min(known, default=0.0)
        return Unit(1, ".1%" if spread < 0.05 else ".0%", "")
    if kind == "duration":
        size = next((size for size in _NAMES if highest >= 2 * size), 1)
        return Unit(size, _decimals(known, size), _NAMES[size][0 if language == "zh" else 1])
    return Unit(1, ",.0f" if kind == "integer" else _decimals(known, 1), "")


def _decimals(values: list[float], divisor: float) -> str:
    spread = (max(values, default=0.0) - min(values, default=0.0)) / divisor
    return ",.0f" if spread >= 4 else ",.1f" if spread >= 0.4 else ",.2f"


def period_label(key: str, language: str) -> tuple[str, str]:
    """Split a period's key into its short label and its year: "2026-10" gives ("10月", "2026") or ("Oct", "2026")."""
    year, rest = key[:4], key[4:].lstrip("-")
    if not rest:
        return key, ""
    if rest[0] in "QHW":
        number = rest[1:]
        if language == "zh":
            chinese = {"Q": f"{'一二三四'[int(number) - 1] if rest[0] == 'Q' else ''}季度", "W": f"{int(number)}周"}
            return chinese.get(rest[0], "上半年" if number == "1" else "下半年"), year
        return rest, year
    if len(rest) == 2:
        return (f"{int(rest)}月" if language == "zh" else _MONTHS[int(rest) - 1]), year
    return rest, year


def day_label(day: pd.Timestamp, language: str) -> str:
    """Name a day on an axis: "11月2日 周一" or "Mon 2 Nov"."""
    weekday = WEEKDAYS[language][day.day_of_week]
    if language == "zh":
        return f"{day.month}月{day.day}日 {weekday}"
    return f"{weekday} {day.day} {_MONTHS[day.month - 1]}"


def period_expression(keys: Iterable[str], language: str, room: int = 15) -> str:
    """Return a Vega expression of periods' labels: short ones, thinned to `room`, a year under its first."""
    keys = list(keys)
    step = -(-len(keys) // room) or 1
    labels: dict[str, list[str]] = {}
    shown_year = ""
    for place, key in enumerate(keys):
        if (len(keys) - 1 - place) % step:  # counted from the end: the last period always has its label
            labels[key] = [""]
            continue
        short, year = period_label(key, language)
        labels[key] = [short] if year == shown_year else [short, year]
        shown_year = year
    return f"{json.dumps(labels, ensure_ascii=False)}[datum.value]"


def text_width(text: str, size: float = 12) -> float:
    """Estimate how wide a text is, in pixels: Chinese characters are square, others about half as wide."""
    return sum(size if ord(character) >= 0x2E80 else 0.56 * size for character in text)
