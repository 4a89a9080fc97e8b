"""Texts sorted into themes, and where new texts belong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.text.normalising import content_hash, list_texts, normalise
from svcanalytics.causes.text.space import Embedding, Space

__all__ = ["Clusters"]


@dataclass(frozen=True)
class Clusters:
    """Texts sorted into themes.

    Attributes
    ----------
    labels : numpy.ndarray of int
        For each text the row of its theme in `table`; -1 for what is no text or has no words.
    table : pandas.DataFrame
        One row per theme, the largest first: theme (its id, from its most telling words), label, size, distinct (near-
        duplicates counted once), share (of the texts with words), terms_zh, terms_en, quotes (masked).
    heads : numpy.ndarray of int
        For each text the row of the first text that it is a near-duplicate of, its own when there is none.
    tried : pandas.DataFrame
        Stability and separation of the numbers of themes tried; without rows when the number was given. Of texts in
        two languages for each of them, the language in the index.
    remarks : tuple of str
        What is missing or was done differently, in words.
    """

    labels: NDArray[np.int64]
    table: pd.DataFrame
    heads: NDArray[np.int64]
    tried: pd.DataFrame = field(repr=False)
    remarks: tuple[str, ...]
    space: Space = field(repr=False)
    centres: NDArray[np.float32] = field(repr=False)
    of: NDArray[np.int64] = field(repr=False)
    known: tuple[NDArray[np.uint64], NDArray[np.int64]] = field(repr=False)

    def assign(self, texts: Iterable[object]) -> NDArray[np.int64]:
        """Return for each text the row of its theme in `table`; -1 for what is no text or has no words.

        A text that the themes were made of stays where it is, any other goes to the nearest theme; one that shares
        nothing with any of them is at -1 too.
        """
        raw = list_texts(texts)
        plain = [normalise(text) for text in raw]
        written = dict(zip(plain, raw, strict=True))
        written.pop("", None)
        distinct = list(written)
        hashes = np.array([content_hash(text) for text in distinct], dtype=np.uint64)
        place = np.searchsorted(self.known[0], hashes)
        seen = place < len(self.known[0])
        seen[seen] = self.known[0][place[seen]] == hashes[seen]
        found = np.full(len(distinct), -1)
        found[seen] = self.known[1][place[seen]]
        new = np.flatnonzero(~seen)
        if len(new):
            plain_new = [distinct[at] for at in new]
            near = self.space.nearest(plain_new, [written[text] for text in plain_new], self.centres)
            found[new] = np.append(self.of, -1)[near]
        return pd.Series(found, index=distinct).reindex(plain).fillna(-1).to_numpy("int64")

    def to_arrays(self) -> dict[str, NDArray]:
        """Return what `assign` needs as plain arrays, to be kept with `numpy.savez`; see `from_arrays`.

        An own embedding is not among them; no text is either, but for the quotes.
        """
        out = {name: getattr(self.space, name) for name in ("columns", "weight", "axes")}
        out |= {"centres": self.centres, "of": self.of, "known_hash": self.known[0], "known_label": self.known[1]}
        for name, values in self.table.items():
            joined = [v if isinstance(v, str) else "\n".join(v) for v in values] if values.dtype == object else values
            out["table_" + str(name)] = np.asarray(joined, dtype=None if values.dtype.kind in "if" else str)
        return out

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray], embed: Embedding | None = None) -> Clusters:
        """Return themes kept by `to_arrays`, without the texts: `labels` is empty, `assign` works."""
        table = pd.DataFrame({n.removeprefix("table_"): arrays[n] for n in arrays if n.startswith("table_")})
        for name in ("terms_zh", "terms_en", "quotes"):
            table[name] = [tuple(str(kept).split("\n")) if kept else () for kept in table[name]]
        space = Space(*(np.asarray(arrays[name]) for name in ("columns", "weight", "axes")), embed)
        known = np.asarray(arrays["known_hash"]), np.asarray(arrays["known_label"])
        nothing = np.zeros(0, np.int64)
        centres, of = np.asarray(arrays["centres"]), np.asarray(arrays["of"])
        return cls(nothing, table, nothing, pd.DataFrame(), (), space, centres, of, known)
