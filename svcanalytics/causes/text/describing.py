"""A table of themes: id, name, words in both languages, quotes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.text.labelling import distinguishing, quote, words_of
from svcanalytics.causes.text.normalising import HAN
from svcanalytics.causes.text.partitioning import centres_of
from svcanalytics.causes.text.space import unit

__all__ = ["describe", "theme_id"]

_TERMS, _NAMED_BY, _QUOTES = 8, 3, 3
_HAS_HAN = re.compile(f"[{HAN}]")


def describe(
    plain: Sequence[str],
    written: Sequence[str],
    vectors: NDArray[np.float32],
    labels: NDArray[np.int64],
    n_themes: int,
    language: str = "auto",
) -> pd.DataFrame:
    """Return one row per theme: theme (its id), label, terms_zh, terms_en, quotes (masked, the most typical first).

    Parameters
    ----------
    plain, written : sequence of str
        Different texts, normalised and as they were written.
    vectors : numpy.ndarray, shape (texts, dimensions)
    labels : numpy.ndarray of int
        The theme of each text.
    n_themes : int
    language : {"auto", "zh", "en"}
        Of the label; "auto": the one most of the theme's texts are written in.
    """
    ranked = distinguishing([words_of(text) for text in plain], labels, n_themes)
    likeness = (unit(vectors) * centres_of(vectors, labels, n_themes)[labels]).sum(axis=1)
    chinese = np.array([bool(_HAS_HAN.search(text)) for text in plain], dtype=float)
    rows = []
    for theme in range(n_themes):
        members = np.flatnonzero(labels == theme)
        best = ranked[ranked["theme"] == theme]
        terms = {spoken: tuple(best.loc[best["language"] == spoken, "word"].head(_TERMS)) for spoken in ("zh", "en")}
        spoken = language if language != "auto" else "zh" if chinese[members].mean() >= 0.5 else "en"
        naming = terms[spoken] or terms["zh"] or terms["en"]
        typical = members[np.argsort(-likeness[members].round(5), kind="stable")[:_QUOTES]]
        rows.append(
            {
                "theme": theme_id(" ".join(sorted(best["word"].head(_NAMED_BY)))),
                "label": " ".join(naming[:_NAMED_BY]),
                "terms_zh": terms["zh"],
                "terms_en": terms["en"],
                "quotes": tuple(quote(written[at]) for at in typical),
            }
        )
    return pd.DataFrame(rows, columns=["theme", "label", "terms_zh", "terms_en", "quotes"])


def theme_id(name: str) -> str:
    """Return the id of the theme that goes by a name (its most telling words, or the name given by hand)."""
    return "T-" + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
