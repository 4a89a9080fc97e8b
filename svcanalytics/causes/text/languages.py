"""Texts of two languages: themes are looked for in each, since no piece of a word is in both, and linked after."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.text.normalising import HAN

__all__ = ["part_by_language", "speaks_chinese", "widest_first"]

_FEWEST = 30  # texts of a language, below which it has no themes of its own
_HAN = re.compile(f"[{HAN}]")
_LETTER = re.compile("[a-z]")
_WORTH = 2  # letters that a Chinese character says as much as


def speaks_chinese(plain: Sequence[str]) -> NDArray[np.bool_]:
    """Return which texts are mostly Chinese, as `normalise` returns them; "app 闪退" is."""
    return np.array([_WORTH * len(_HAN.findall(text)) >= len(_LETTER.findall(text)) for text in plain], dtype=bool)


def part_by_language(plain: Sequence[str]) -> list[NDArray[np.int64]]:
    """Return the places of the texts of each language; all in one where one language has fewer than 30.

    Parameters
    ----------
    plain : sequence of str
        As `normalise` returns them.
    """
    chinese = speaks_chinese(plain)
    parts = [np.flatnonzero(chinese), np.flatnonzero(~chinese)]
    return parts if min(map(len, parts)) >= _FEWEST else [np.arange(len(plain))]


def widest_first(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return coordinates with the axes in the order of how far these texts spread along them."""
    return vectors[:, np.argsort(-(vectors**2).sum(axis=0), kind="stable")]
