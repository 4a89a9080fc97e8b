"""How a customer feels, from -1 to 1, by words alone: no labels, no model to download.

Every word of the lexicon weighs what its group weighs. A negation before it turns it round, a degree word makes it
stronger or weaker; what stands after a "but" counts more than what stands before, and praise that is only wished for is
none (after Taboada et al. 2011, "Lexicon-based methods for sentiment analysis").
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from svcanalytics import resources
from svcanalytics.causes.language.matching import compile_words
from svcanalytics.causes.text.normalising import list_texts

__all__ = ["Lexicon", "read_lexicon", "sentiment"]

_LANGUAGES = ("zh", "en")
_GRAMMAR = ("negations", "stronger", "weaker", "but", "wished")
_REACH = {"zh": 4, "en": 22}  # characters between a word that changes another and the word it changes
_STRONGER, _WEAKER = 1.5, 0.6
_NO_PRAISE, _NO_COMPLAINT = -0.8, -0.4  # not to complain is less than to praise
_BEFORE_BUT, _AFTER_BUT = 0.8, 1.2
_WISHED = 0.2
_SOFT = 1.0  # how much evidence it takes to be half sure
_SENTENCE_ENDS = "\u3002\uff01\uff1f!?;\uff1b\n~\u2026."
_CLAUSE_ENDS = "\uff0c,\u3001:\uff1a "
_CHINESE, _LATIN = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{2}")
_ENDINGS = ("s", "es", "d", "ed", "ing", "ly")


@dataclass(frozen=True, eq=False)
class Lexicon:
    """The words of a language.

    Attributes
    ----------
    language : str
        "zh" or "en".
    weights : mapping of str to float
        By word, below 0 for complaint.
    roles : mapping of str to str
        By word of the grammar what it does: negations, stronger, weaker, but, wished; by mark what it ends: sentence,
        clause.
    pattern : re.Pattern
        Finds any of them, the longest first.
    """

    language: str
    weights: Mapping[str, float]
    roles: Mapping[str, str]
    pattern: re.Pattern[str]


@cache
def read_lexicon(language: str) -> Lexicon:
    """Read a shipped lexicon, "zh" or "en"."""
    table = resources.read_toml(f"language/sentiment_{language}.toml")
    weights = {
        word.replace("_", " "): float(table["weights"][group])
        for group, words in table["words"].items()
        for word in words.split()
    }
    roles = {word.replace("_", " "): role for role in _GRAMMAR for word in table["grammar"][role].split()}
    if language == "en":
        grown = {word + end: weight for word, weight in weights.items() for end in _ENDINGS if " " not in word}
        weights = {word: weight for word, weight in grown.items() if word not in roles} | weights
    clause_ends = _CLAUSE_ENDS if language == "zh" else _CLAUSE_ENDS.replace(" ", "")
    ends = dict.fromkeys(_SENTENCE_ENDS, "sentence") | dict.fromkeys(clause_ends, "clause")
    words = compile_words({*weights, *roles}, bounded=language == "en")
    pattern = re.compile(f"{words.pattern}|[{re.escape(''.join(ends))}]")
    return Lexicon(language, weights, roles | ends, pattern)


def sentiment(texts: Iterable[object]) -> NDArray[np.float64]:
    """Say how the writer of each text feels, without labels.

    Parameters
    ----------
    texts : iterable of str
        Chinese, English or mixed. Missing ones are neutral.

    Returns
    -------
    numpy.ndarray, shape ``(texts,)``
        From -1 (angry) to 1 (delighted); 0 when nothing tells.

    Raises
    ------
    CauseError
        When it is no list of texts.

    Examples
    --------
    >>> sentiment(["The agent was very helpful.", "Nobody answers, I am not satisfied.", ""]).round(1).tolist()
    [0.6, -0.4, 0.0]
    """
    return np.array([_feeling(text) if isinstance(text, str) else 0.0 for text in list_texts(texts)], dtype=np.float64)


def _feeling(text: str) -> float:
    total = size = 0.0
    for language, there in zip(_LANGUAGES, (_CHINESE, _LATIN), strict=True):
        if there.search(text):
            good, bad = _weigh(text.lower() if language == "en" else text, read_lexicon(language))
            total, size = total + good - bad, size + good + bad
    return total / (size + _SOFT) if size else 0.0


def _weigh(text: str, lexicon: Lexicon) -> tuple[float, float]:
    """Return how much praise and how much complaint is in a text."""
    roles, weights, reach, good, bad = lexicon.roles, lexicon.weights, _REACH[lexicon.language], 0.0, 0.0
    said: list[float] = []  # in this sentence, before a "but"
    after: list[float] | None = None
    turned, degree, wished, end = False, 1.0, False, 0
    for match in lexicon.pattern.finditer(text):
        word = match[0]
        if match.start() - end > reach:
            turned, degree = False, 1.0
        end = match.end()
        role, weight = roles.get(word), weights.get(word)
        if role == "negations":
            turned = not turned
        elif role == "stronger":
            degree *= _WEAKER if turned else _STRONGER
        elif role == "weaker":
            degree *= _WEAKER
        elif role == "wished":
            wished = True
        elif role is not None:  # a "but", an end
            turned, degree, wished = False, 1.0, False
            if role == "but" and said:
                said, after = (said if after is None else said + after), []
            elif role == "sentence":
                good, bad = _count(said, after, good, bad)
                said, after = [], None
        if weight is not None and role != "negations":
            if turned:
                weight *= _NO_PRAISE if weight > 0 else _NO_COMPLAINT
            weight *= degree
            (said if after is None else after).append(weight * _WISHED if wished and weight > 0 else weight)
            turned, degree = False, 1.0
    return _count(said, after, good, bad)


def _count(said: list[float], after: list[float] | None, good: float, bad: float) -> tuple[float, float]:
    for part, factor in ((said, 1.0),) if after is None else ((said, _BEFORE_BUT), (after, _AFTER_BUT)):
        for weight in part:
            if weight > 0:
                good += factor * weight
            else:
                bad -= factor * weight
    return good, bad
