"""Characters that neither HTML nor XML can hold, replaced by visible ones: a picture or page with them can't be drawn.

One control character in a channel's name is enough to abort the process that draws the chart.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

__all__ = ["readable", "readable_json"]

# Control characters have pictures of their own, so that nothing a customer wrote is lost; the rest becomes a mark.
_VISIBLE = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {127: 0x2421}
_VISIBLE |= dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF), 0xFFFD)


def readable(text: str) -> str:
    """Return text in which control characters are replaced by their visible pictures; line ends become newlines."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def readable_json(value: Any, leave: Collection[str] = ()) -> Any:
    """Return JSON data with every text in it made readable; values under the keys in `leave` stay as they are."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, list | tuple):
        return [readable_json(item, leave) for item in value]
    if isinstance(value, dict):
        return {key: item if key in leave else readable_json(item, leave) for key, item in value.items()}
    return value
