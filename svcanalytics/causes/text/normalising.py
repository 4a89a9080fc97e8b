"""Texts as plain words: one spelling, no numbers, Chinese runs and other words kept apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

import pandas as pd

from svcanalytics.errors import CauseError

__all__ = ["HAN", "LONGEST", "content_hash", "list_texts", "normalise"]

HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters, as the inside of a regular expression's class."""

LONGEST = 1000
"""Characters of a text that are read; a message says what it is about before that."""

_PLACEHOLDER = re.compile(r"\[(?:email|id_card|bank_card|phone|passport|plate|name|agent)\]")
_ADDRESS = re.compile(r"(?:https?://|www\.)[!-~]+|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+", re.ASCII)
# A run of Chinese characters, or a word of letters that may hold an apostrophe or digits but does not begin with one.
_TOKEN = re.compile(rf"[{HAN}]+|[^\W\d_{HAN}](?:[^\W_{HAN}]|['\u2019](?=[^\W\d_{HAN}]))*")


def normalise(text: object) -> str:
    """Return a text's words in one spelling, one space between them; "" when there are none or it is no text.

    Full-width characters become narrow (NFKC), capitals small, and numbers, punctuation, addresses and the
    placeholders of masking go, so that texts that differ only in these are the same.

    Examples
    --------
    >>> normalise("APP\u767b\u5f55\u5931\u8d25!! Error 404, see https://x.cn")
    'app \u767b\u5f55\u5931\u8d25 error see'
    """
    if not isinstance(text, str):
        return ""
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).lower()
    return " ".join(_TOKEN.findall(_ADDRESS.sub(" ", _PLACEHOLDER.sub(" ", plain))))


def list_texts(texts: Iterable[object]) -> list[object]:
    """Return the texts given as a list.

    Raises
    ------
    CauseError
        When it is one text, a frame or a mapping (whose names would be taken for texts), or nothing to go through.
    """
    if isinstance(texts, str | bytes):
        raise CauseError("one text was given where many are wanted", where="texts", fix="give a list of texts")
    if isinstance(texts, pd.DataFrame | Mapping) or not isinstance(texts, Iterable):
        raise CauseError(
            f"{type(texts).__name__} is no list of texts", where="texts", fix="give a list, a Series or an array"
        )
    return list(texts)


def content_hash(text: str) -> int:
    """Return a number that depends on nothing but the text (64 bits): the order in which texts are worked on."""
    import hashlib

    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
