"""SQL that turns one text into one value, beside the condition under which the text was not understood."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from svcanalytics.store.contract import Column
from svcanalytics.store.engine import literal
from svcanalytics.store.times import duration_sql

__all__ = ["Cast", "among_sql", "boolean_cast", "clean_sql", "failed_sql", "mapped_cast", "number_cast"]

Cast = tuple[str, str | None, str]
"""SQL of the value; SQL that is true when the text was not understood, None when it always is; the reason then."""

_TRUE = ("true", "t", "1", "yes", "y", "是", "有", "已", "对")
_FALSE = ("false", "f", "0", "no", "n", "否", "无", "未", "错")
_NULL_WORDS = ("null", "(null)", "nan", "n/a", "#n/a", "none")
_BLANKS = " \t\n\v\f\r\u00a0\u3000\ufeff"


def clean_sql(name: str, null_words: Iterable[str]) -> str:
    """Return SQL of a column's text, trimmed, with null words as null."""
    words = {word.casefold() for word in (*_NULL_WORDS, *null_words)}
    longest = max(len(word.encode()) for word in words) + 4
    # Null words are short and most values need no trimming: looking is much cheaper than doing.
    word = f"strlen({name}) <= {longest} and {among_sql(name, words)}"
    blanks = literal(_BLANKS)
    padded = f"(contains({blanks}, left({name}, 1)) or contains({blanks}, right({name}, 1)))"
    trimmed = f"case when {padded} then trim({name}, {blanks}) else {name} end"
    return f"nullif(case when {word} then null else {trimmed} end, '')"


def among_sql(text: str, words: Iterable[str]) -> str:
    """Return SQL that tells whether a text is one of some words, case and blanks aside."""
    # Not IN: DuckDB makes a join of a list of constants, and a join does not stop at the first part of an AND.
    pattern = rf"(?i)\s*(?:{'|'.join(re.escape(word) for word in sorted(words))})\s*"
    return f"regexp_full_match({text}, {literal(pattern)})"


def failed_sql(text: str, value: str) -> str:
    """Return SQL that tells whether a text gave no value."""
    return f"({text} is not null and {value} is null)"


def boolean_cast(text: str) -> Cast:
    """Read yes and no in the words of both languages."""
    words = [(word, "true") for word in _TRUE] + [(word, "false") for word in _FALSE]
    value = f"case lower({text}) {' '.join(f'when {literal(w)} then {v}' for w, v in words)} end"
    return value, failed_sql(text, value), "neither yes nor no"


def number_cast(text: str, column: Column, unit: str, scale: float) -> Cast:
    """Read a number, or a duration where the column holds seconds."""
    if column.unit == "s":
        value = duration_sql(text, unit)
        return value, failed_sql(text, value), "no duration: a number or H:MM:SS"
    # A decimal comma would be a guess: only commas in groups of three are taken out.
    grouped = f"regexp_full_match({text}, '[-+]?[0-9]{{1,3}}(,[0-9]{{3}})+(\\.[0-9]+)?')"
    plain = f"(case when contains({text}, ',') and {grouped} then replace({text}, ',', '') else {text} end)"
    if column.type == "number" or scale != 1:
        value = f"(try_cast({plain} as double) * {scale!r})"
        value = value if column.type == "number" else f"cast(round({value}) as bigint)"
        return value, failed_sql(text, value), "not a number"
    # DuckDB would round 3.7 to 4.
    whole = f"regexp_full_match({plain}, '[-+]?[0-9]{{1,18}}(\\.0*)?')"
    careful = f"case when {whole} then try_cast(split_part({plain}, '.', 1) as bigint) end"
    simple = f"regexp_full_match({text}, '[0-9]{{1,18}}')"
    value = f"(case when {simple} then try_cast({text} as bigint) else {careful} end)"
    return value, failed_sql(text, value), "not a whole number"


def mapped_cast(text: str, column: Column, words: Mapping[str, object], otherwise: str | None) -> Cast:
    """Translate words by a value map; other words are kept, refused or dropped."""
    known = {str(word).casefold(): _word(to) for word, to in words.items()}
    whens = " ".join(f"when {literal(word)} then {literal(to)}" for word, to in known.items())
    otherwise = otherwise or ("refuse" if column.allowed or column.type != "text" else "keep")
    value = f"case lower({text}) {whens} else {text if otherwise == 'keep' else 'null'} end"
    bad = failed_sql(text, value) if otherwise == "refuse" else None
    return f"try_cast({value} as {column.sql_type})", bad, "a word that the mapping's value map does not have"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
