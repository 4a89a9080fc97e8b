"""Texts as they are worked on: each different one once, in an order of its own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.text.duplicates import group_duplicates
from svcanalytics.causes.text.normalising import content_hash, list_texts, normalise
from svcanalytics.errors import CauseError

__all__ = ["Corpus", "read_corpus"]


@dataclass(frozen=True)
class Corpus:
    """Different texts in the order of their hashes, so that nothing depends on the order they came in.

    Attributes
    ----------
    distinct, written : list of str
        Each different text with words, normalised, and as it was written.
    hashes : numpy.ndarray of uint64
        Ascending.
    counts : numpy.ndarray of int
        How often each came.
    head : numpy.ndarray of int
        The first text that each is a near-duplicate of, or itself.
    place : numpy.ndarray of int
        For each text that came its place in `distinct`; -1 without words.
    """

    distinct: list[str]
    written: list[str]
    hashes: NDArray[np.uint64]
    counts: NDArray[np.int64]
    head: NDArray[np.int64]
    place: NDArray[np.int64]

    @property
    def kinds(self) -> NDArray[np.int64]:
        """Places of texts that are no near-duplicate of an earlier one."""
        return np.flatnonzero(self.head == np.arange(len(self.head)))

    def typical(self, most: int) -> NDArray[np.int64]:
        """Return places of texts to look for themes in, of each kind of near-duplicate as many as are given at most."""
        order = np.argsort(self.head, kind="stable")
        _, first, size = np.unique(self.head[order], return_index=True, return_counts=True)
        rank = np.arange(len(order)) - np.repeat(first, size)
        return np.sort(order[rank < most])

    @property
    def heads(self) -> NDArray[np.int64]:
        """For each text that came, the row of the first one of its near-duplicates; its own row without words."""
        rows = np.arange(len(self.place))
        kind = np.where(self.place >= 0, self.head[self.place], len(self.head) + rows)
        _, first, group = np.unique(kind, return_index=True, return_inverse=True)
        return first[group]

    def pick(self, places: NDArray[np.int64]) -> tuple[list[str], list[str]]:
        """Return some texts, normalised and as written."""
        return [self.distinct[at] for at in places], [self.written[at] for at in places]


def read_corpus(texts: Iterable[object]) -> Corpus:
    """Normalise texts, and find equal ones and near-duplicates.

    Raises
    ------
    CauseError
        When it is no list of texts, or no text has words.
    """
    raw = list_texts(texts)
    plain = [normalise(text) for text in raw]
    # Of texts that are the same once normalised the first in the alphabet is shown, in whatever order they came.
    shown: dict[str, str] = {}
    for text, words in zip(raw, plain, strict=True):
        if words and (words not in shown or str(text) < shown[words]):
            shown[words] = str(text)
    if not shown:
        raise CauseError(f"none of the {len(raw)} texts has words", where="texts", fix="give texts with words in them")
    distinct = sorted(shown, key=lambda words: (content_hash(words), words))
    place = pd.Series(np.arange(len(distinct)), index=distinct).reindex(plain).fillna(-1).to_numpy("int64")
    return Corpus(
        distinct,
        [shown[words] for words in distinct],
        np.array([content_hash(words) for words in distinct], dtype=np.uint64),
        np.bincount(place[place >= 0], minlength=len(distinct)),
        group_duplicates(distinct),
        place,
    )
