"""Durations as people say them, short enough to stand on a line, and classes of waiting with their colours."""

from __future__ import annotations

__all__ = ["WAITS", "duration_text", "wait_class"]

WAITS = (
    (15 * 60, {"en": "under 15 min", "zh": "15分钟内"}, "#8FA7BA"),
    (3600, {"en": "under 1 h", "zh": "1小时内"}, "#4F7CA3"),
    (4 * 3600, {"en": "under 4 h", "zh": "4小时内"}, "#E0A030"),
    (86400, {"en": "under 1 day", "zh": "1天内"}, "#E4672B"),
    (float("inf"), {"en": "1 day or more", "zh": "1天以上"}, "#8C1D40"),
)
"""Classes of waiting: seconds below which a wait belongs to it, name, colour; the darker the longer."""

_UNITS = ((86400, " d", "天"), (3600, " h", "小时"), (60, " min", "分"), (1, " s", "秒"))


def wait_class(seconds: float) -> int:
    """Return the place in `WAITS` of a wait."""
    return next(number for number, (below, _, _) in enumerate(WAITS) if seconds < below)


def duration_text(seconds: float, language: str) -> str:
    """Write a duration with two figures at most: 40 s, 2.5 h, 12 d.

    Parameters
    ----------
    seconds : float
        From 0 up.
    language : str
        "zh" or "en".
    """
    size, english, chinese = next((unit for unit in _UNITS if seconds >= unit[0]), _UNITS[-1])
    number = seconds / size
    written = f"{number:.1f}".removesuffix(".0") if number < 10 and size >= 3600 else f"{number:,.0f}"
    return written + (chinese if language == "zh" else english)
