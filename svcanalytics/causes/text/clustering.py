"""Themes: what texts are about, found in the texts alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.text.labelling import describe
from svcanalytics.causes.text.normalising import content_hash, read_texts
from svcanalytics.causes.text.partitioning import nearest, partition
from svcanalytics.causes.text.space import Space, fit_space
from svcanalytics.errors import CauseError

__all__ = ["Clusters", "cluster"]


@dataclass(frozen=True)
class Clusters:
    """Texts sorted into themes.

    Attributes
    ----------
    labels : numpy.ndarray of int
        For each text the row of its theme in `table`; -1 for a text without words.
    table : pandas.DataFrame
        One row per theme, the largest first: theme (its id), label, size, distinct (without near-duplicates), share,
        terms_zh, terms_en, quotes.
    """

    labels: NDArray[np.int64]
    table: pd.DataFrame
    space: Space = field(repr=False)
    centres: NDArray[np.float64] = field(repr=False)

    def assign(self, texts: Iterable[object]) -> NDArray[np.int64]:
        """Return the row of the theme in `table` for each text; -1 for a text without words."""
        plain = pd.Series(read_texts(texts), dtype=object)
        codes, distinct = pd.factorize(plain)
        found = _assign(list(distinct), self.space, self.centres)
        return found[codes] if len(codes) else np.zeros(0, np.int64)


def cluster(
    texts: Iterable[object],
    n_clusters: int | None = None,
    language: Literal["auto", "zh", "en"] = "auto",
    *,
    embed: Callable[[list[str]], NDArray] | None = None,
    seed: int = 0,
) -> Clusters:
    """Sort texts into themes."""
    raw = list(texts)
    plain = read_texts(raw)
    distinct = sorted(set(plain) - {""}, key=content_hash)
    if len(distinct) < 2:
        raise CauseError("there are not two different texts with words", where="texts", fix="give more texts")
    k = n_clusters or max(2, round(np.sqrt(len(distinct) / 20)))
    if k > len(distinct):
        raise CauseError(f"{k} clusters of {len(distinct)} different texts can't be made", where="n_clusters")
    space = Space(np.zeros(0, int), np.zeros(0), np.zeros(0), embed) if embed else fit_space(distinct, seed)
    centres = partition(space.place(distinct), k, seed)
    labels = pd.Series(_assign(distinct, space, centres), index=distinct).reindex(plain).fillna(-1).to_numpy("int64")
    order = np.argsort(-np.bincount(labels[labels >= 0], minlength=k), kind="stable")
    labels = np.where(labels >= 0, np.argsort(order)[labels], -1)
    return Clusters(labels, describe(raw, plain, labels, k), space, centres[order])


def _assign(distinct: list[str], space: Space, centres: NDArray) -> NDArray[np.int64]:
    found = nearest(space.place(distinct), centres) if distinct else np.zeros(0, np.int64)
    return np.where(np.array([bool(text) for text in distinct], dtype=bool), found, -1)
