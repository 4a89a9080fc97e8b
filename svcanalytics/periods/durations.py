"""Durations as people write them in a catalogue or on the command line."""

from __future__ import annotations

import re

from svcanalytics.errors import PeriodError

__all__ = ["parse_duration"]

_SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "day": 86400, "days": 86400, "week": 604800, "weeks": 604800}
_PART = re.compile(r"(\d+)\s*(s|min|h|days|day|d|weeks|week)(?![a-z])\s*")


def parse_duration(text: str | int) -> int:
    """Read a duration in whole seconds: ``30 s``, ``15 min``, ``2 h``, ``2 h 30 min``, ``7 days``.

    Days here are spans of 24 hours; a limit in working days belongs to a calendar.

    Raises
    ------
    PeriodError
        When the text is not a duration.
    """
    if isinstance(text, int):
        return text
    position, seconds = 0, 0
    written = text.strip()
    while match := _PART.match(written, position):
        seconds += int(match[1]) * _SECONDS[match[2]]
        position = match.end()
    if position == 0 or position != len(written):
        raise PeriodError(
            "this is not a duration", where=repr(text), fix="write 30 s, 15 min, 2 h, 2 h 30 min or 7 days"
        )
    return seconds
