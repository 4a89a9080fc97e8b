"""What a theme is called: the words that set it apart, and texts that stand for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.text.normalising import HAN
from svcanalytics.store.masking import mask

__all__ = ["distinguishing", "quote", "words_of"]

_PRIOR = 0.05
_LEAST = 2
_LONGEST_QUOTE = 160
_IS_HAN = re.compile(f"[{HAN}]")
# Words that say nothing about a matter though they may be more common in one theme.
_EMPTY_ZH = frozenset(
    [
        "一下",
        "一个",
        "一样",
        "不是",
        "不过",
        "为什么",
        "什么",
        "他们",
        "以及",
        "但是",
        "你们",
        "你好",
        "可以",
        "因为",
        "如果",
        "尊敬",
        "就是",
        "已经",
        "希望",
        "怎么",
        "您好",
        "感觉",
        "我们",
        "所以",
        "时候",
        "比较",
        "没有",
        "然后",
        "现在",
        "真的",
        "而且",
        "自己",
        "请问",
        "谢谢",
        "还是",
        "这个",
        "这么",
        "这样",
        "这种",
        "那个",
        "那么",
        "问题",
        "非常",
        "领导",
    ]
)


def words_of(text: str) -> set[str]:
    """Return the words of a normalised text that can name a theme; Chinese is cut into words, only to be shown."""
    import rjieba
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    out: set[str] = set()
    for token in text.split():
        if _IS_HAN.match(token):
            out.update(word for word in rjieba.cut(token) if len(word) > 1 and word not in _EMPTY_ZH)
        elif len(token) > 1 and token not in ENGLISH_STOP_WORDS:
            out.add(token)
    return out


def distinguishing(words: Sequence[set[str]], labels: NDArray[np.int64], n_themes: int) -> pd.DataFrame:
    """Rank the words of each theme by how far they set it apart.

    The score is the z-value of the log odds of a word in the theme against all others, with the whole as prior
    (Monroe, Colaresi and Quinn 2008, eq. 16-22), counting texts that hold the word.

    Parameters
    ----------
    words : sequence of set of str
        The words of each text.
    labels : numpy.ndarray of int
        The theme of each text; -1 counts in the whole alone.
    n_themes : int

    Returns
    -------
    pandas.DataFrame
        theme, word, n (texts of the theme with it), score, language ("zh" or "en"): the best first within a theme,
        words at least twice in it and more common than elsewhere.
    """
    whole = Counter(word for each in words for word in each)
    total = sum(whole.values())
    found = [Counter() for _ in range(n_themes)]
    for each, label in zip(words, labels, strict=True):
        if label >= 0:
            found[label].update(each)
    rows = []
    for theme, here in enumerate(found):
        least = min(_LEAST, max(here.values(), default=0))
        names = sorted(word for word, n in here.items() if n >= least)
        inside, everywhere = (np.array([count[w] for w in names], dtype=float) for count in (here, whole))
        size = sum(here.values())
        prior = _PRIOR * everywhere
        of_prior = _PRIOR * total

        def log_odds(n: NDArray, of: float, prior: NDArray = prior, of_prior: float = of_prior) -> NDArray:
            return np.log((n + prior) / np.maximum(of + of_prior - n - prior, 1e-9))

        outside = everywhere - inside
        z = (log_odds(inside, size) - log_odds(outside, total - size)) / np.sqrt(
            1 / (inside + prior) + 1 / (outside + prior)
        )
        order = np.lexsort((names, -z)) if names else []
        rows += [(theme, names[at], int(inside[at]), z[at]) for at in order if z[at] > 0 or n_themes == 1]
    out = pd.DataFrame(rows, columns=["theme", "word", "n", "score"])
    return out.assign(language=["zh" if _IS_HAN.match(word) else "en" for word in out["word"]])


def quote(text: object) -> str:
    """Return a text masked, on one line and not too long, to be shown."""
    line = " ".join(mask(str(text)).encode("utf-8", "ignore").decode("utf-8").replace("\x00", " ").split())
    return line if len(line) <= _LONGEST_QUOTE else line[: _LONGEST_QUOTE - 1] + "\u2026"
