"""Short Chinese and English texts from templates, with made-up identifiers in some of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.identifiers import identifiers
from svcanalytics.sample.phrases import (
    ASKS,
    CAUSE_WORDS,
    COMMENTS,
    FORM_LETTERS,
    PRODUCTS,
    REPLIES,
    RISKS,
    TAILS,
    TOPICS,
)
from svcanalytics.sample.structure import CATEGORIES
from svcanalytics.sample.world import World

__all__ = ["case_texts", "comments"]

_CATEGORY_CODES = tuple(CATEGORIES)
_COMPLAINT, _INCIDENT = 1, 9


def case_texts(world: World, cases: pd.DataFrame) -> pd.DataFrame:
    """Return text, reply, cause and product of every case, as objects."""
    rng = world.rng("texts")
    n = len(cases)
    language = np.where(cases["english"], 1, 0)
    category, kind = cases["category"].to_numpy(), cases["kind"].to_numpy()
    product = np.asarray(PRODUCTS, dtype=object)[rng.choice(len(PRODUCTS), n, p=[0.3, 0.25, 0.2, 0.15, 0.1])]
    cause = rng.integers(0, 3, n)
    choice = rng.integers(0, 6, n)
    tail = np.where(rng.random(n) < 0.10, rng.integers(1, len(TAILS[0]), n), 0)
    angry = (kind == _COMPLAINT) & (rng.random(n) < 0.12)
    number = identifiers(rng, n)
    texts, replies, causes = [], [], []
    # The form letter comes back sometimes, most of all for suggestions; nobody writes a reply to a praise.
    form = rng.random(n) < np.where(kind == 5, 0.06, 0.012)
    for lang, cat, k, pick, end, mad, why, stock, what, row in zip(
        *(a.tolist() for a in (language, category, kind, choice, tail, angry, cause, form)),
        product,
        range(n),
        strict=True,
    ):
        name = _CATEGORY_CODES[cat]
        topics, asks = TOPICS[lang][name], ASKS[lang][k]
        text = topics[pick % len(topics)] + asks[pick % len(asks)]
        if mad:
            text += RISKS[lang][pick % 3]
        if end:
            text += TAILS[lang][end].format(**{key: values[row % len(values)] for key, values in number.items()})
        texts.append(text)
        reason = CAUSE_WORDS[name][why]
        causes.append(reason)
        if stock:
            replies.append(FORM_LETTERS[lang][pick % 2])
        else:
            shown = reason.split(" ", 1)[lang]
            replies.append(REPLIES[lang][pick % 3].format(reason=shown, product=what.split(" ", 1)[lang]))
    frame = pd.DataFrame({"text": texts, "reply": replies, "cause": causes, "product": product}, dtype=object)
    # The monitoring writes no sentences, and nobody replies to it.
    frame.loc[kind == _INCIDENT, "reply"] = None
    return frame


def comments(world: World, surveys: pd.DataFrame) -> np.ndarray:
    """Return the comment of every survey as objects, None where there is none."""
    rng = world.rng("comments")
    n = len(surveys)
    score = surveys["csat"].to_numpy()
    mood = np.select([score >= 4, score == 3], [0, 1], 2)
    writes = surveys["answered"].to_numpy() & (rng.random(n) < np.where(mood == 0, 0.10, 0.45))
    words = np.array([[text for pair in COMMENTS[m] for text in pair] for m in range(3)], dtype=object)
    picked = words[mood, rng.integers(0, words.shape[1] // 2, n) * 2 + (rng.random(n) < 0.1)]
    return np.where(writes, picked, None)
