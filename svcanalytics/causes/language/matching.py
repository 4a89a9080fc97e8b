"""One compiled pattern for a list of thousands of words: the longest that fits is found, in one pass over a text."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["compile_words"]

_END = ""


def compile_words(words: Iterable[str], *, bounded: bool = False) -> re.Pattern[str]:
    """Compile words to a pattern that finds the longest one at each place.

    Words are put together by their beginnings (a trie), so time does not grow with their number.

    Parameters
    ----------
    words : iterable of str
        At least one.
    bounded : bool
        Whether a word must not begin or end inside a longer one, as where words are parted by spaces.
    """
    trie: dict[str, dict] = {}
    for word in words:
        place = trie
        for character in word:
            place = place.setdefault(character, {})
        place[_END] = {}
    pattern = _write(trie)
    return re.compile(rf"(?<![\w'])(?:{pattern})(?![\w'])" if bounded else pattern)


def _write(trie: dict[str, dict]) -> str:
    branches = [re.escape(character) + _write(below) for character, below in trie.items() if character != _END]
    if not branches:
        return ""
    whole = branches[0] if len(branches) == 1 and _END not in trie else f"(?:{'|'.join(branches)})"
    return whole + "?" if _END in trie else whole
