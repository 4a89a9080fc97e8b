"""Values of other formats as the text that a person would have typed."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal

__all__ = ["as_text"]


def as_text(value: object) -> str | None:
    """Write a cell's value as text: whole floats without ``.0``, times as ``H:MM:SS``, dates as ISO, nothing as None.

    Spreadsheets and data frames hold every number as a float: the id 1234 arrives as 1234.0 and has to go back.
    """
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        # NaT is a datetime that is not equal to itself.
        return None if value != value else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return f"{value.hour}:{value.minute:02d}:{value.second:02d}"
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, Decimal):
        return None if value.is_nan() else format(value, "f")
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return _scalar(value)


def _scalar(value: object) -> str | None:
    # numpy scalars know how to become plain Python; pandas' own missing values are not equal to themselves or refuse.
    item = getattr(value, "item", None)
    if callable(item):
        return as_text(item())
    text = str(value)
    return None if text in ("<NA>", "NaT", "nan") else text


def _number(value: float) -> str | None:
    if math.isnan(value):
        return None
    if value.is_integer() and abs(value) < 1e17:
        return str(int(value))
    shown = repr(value)
    # 0.1 + 0.2 is stored as 0.30000000000000004; a sheet shows, and means, 15 digits.
    return shown if len(shown) <= 17 else f"{value:.15g}"


def _duration(value: timedelta) -> str:
    if value != value:
        return ""
    seconds = round(value.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
