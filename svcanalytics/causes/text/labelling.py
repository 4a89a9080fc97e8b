"""What a theme is called: the words that set it apart, and texts that stand for it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.text.normalising import HAN
from svcanalytics.store.masking import mask

__all__ = ["describe"]

_TERMS = 6
_LONGEST_QUOTE = 160


def describe(raw: Sequence[object], plain: Sequence[str], labels: NDArray[np.int64], n: int) -> pd.DataFrame:
    """Return one row per theme: its id, name, size, words in both languages and quotes."""
    rows = []
    words = [_words(text) for text in plain]
    total: dict[str, int] = {}
    for each in words:
        for word in each:
            total[word] = total.get(word, 0) + 1
    for theme in range(n):
        members = np.flatnonzero(labels == theme)
        here: dict[str, int] = {}
        for at in members:
            for word in words[at]:
                here[word] = here.get(word, 0) + 1
        score = {w: c * np.log((c / len(members)) / (total[w] / len(plain))) for w, c in here.items()}
        best = sorted(score, key=lambda w: (-score[w], w))
        zh = [w for w in best if re.match(f"[{HAN}]", w)][:_TERMS]
        en = [w for w in best if not re.match(f"[{HAN}]", w)][:_TERMS]
        quotes = sorted({plain[at]: mask(str(raw[at]))[:_LONGEST_QUOTE] for at in members}.values())[:3]
        rows.append(
            {
                "theme": "T-" + hashlib.sha256(" ".join(best[:5]).encode()).hexdigest()[:8],
                "label": " ".join(best[:3]),
                "size": len(members),
                "distinct": len({plain[at] for at in members}),
                "share": len(members) / max(1, int((labels >= 0).sum())),
                "terms_zh": tuple(zh),
                "terms_en": tuple(en),
                "quotes": tuple(quotes),
            }
        )
    return pd.DataFrame(rows)


def _words(text: str) -> set[str]:
    import rjieba

    out: set[str] = set()
    for token in text.split():
        out.update(w for w in rjieba.cut(token) if len(w) > 1) if re.match(f"[{HAN}]", token) else out.add(token)
    return {w for w in out if len(w) > 1}
