"""The contract's closed words in Chinese, for fill-in workbooks and for files that come back from them."""

from __future__ import annotations

from functools import cache
from typing import Any

from svcanalytics import resources
from svcanalytics.store.contract import Column

__all__ = ["rule_for", "translate", "translations"]


@cache
def translations() -> dict[str, str]:
    """Return the Chinese word for every allowed value of the contract, and for yes and no."""
    return resources.read_toml("words.toml")["zh"]


def translate(word: str, language: str, column: str = "") -> str:
    """Return a closed word as people of the language read it, in a column where it matters."""
    if language != "zh":
        return word.replace("_", " ")
    known = translations()
    return known.get(f"{column}.{word}") or known.get(word, word)


def rule_for(column: Column, heading: str) -> dict[str, Any]:
    """Return the mapping rule of a column that arrives under its own name: closed words in either language."""
    rule: dict[str, Any] = {"column": heading}
    if column.allowed:
        # Words the contract doesn't have stay as they are, for the contract check to name.
        rule["values"] = {spelling: word for word in column.allowed for spelling in _spellings(word, column.name)}
        rule["otherwise"] = "keep"
    return rule


def _spellings(word: str, column: str) -> list[str]:
    return list(dict.fromkeys([word, translate(word, "en"), translate(word, "zh", column)]))
