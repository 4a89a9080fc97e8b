"""How often the feeling of a Chinese review is told, without and with labels, and how long that takes.

Words were gathered and settings chosen on one half of the reviews (by a hash of the text); figures are of the other.
`python -m benchmarks sentiment`, with `$SVC_REAL_DATA` set.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.timing import Result
from svcanalytics.causes import sentiment, train_sentiment
from svcanalytics.causes.language.feeling import read_lexicon

_SEEDS = 5
_JUDGED = 2000


def run() -> list[Result]:
    """Return the lines of the table; what is measured is the share of mistakes."""
    file = Path(os.environ["SVC_REAL_DATA"]) / "text" / "shopping_reviews_zh_sample.csv"
    reviews = pd.read_csv(file).dropna(subset=["review"])
    half = np.array([hashlib.sha256(text.encode()).digest()[0] % 2 == 0 for text in reviews["review"]])
    known, unseen = reviews[half].reset_index(drop=True), reviews[~half].reset_index(drop=True)
    texts, truth = unseen["review"].tolist(), unseen["label"].to_numpy() == 1
    sentiment(texts[:10])
    began = time.process_time()
    right = (sentiment(texts) > 0) == truth
    each = (time.process_time() - began) / len(texts) * 1000
    plain = (np.array([_bag_of_words(text) for text in texts]) > 0) == truth
    shares = [_trained(known, texts, truth, seed) for seed in range(_SEEDS)]
    spread = f"{min(shares):.4f}-{max(shares):.4f} over {_SEEDS} draws, {len(texts)} texts"
    return [
        Result("feeling without labels: mistakes", 1 - right.mean(), 0.18, "share", _interval(right)),
        Result(
            "  beside a plain sum of the same words",
            (1 - right.mean()) / (1 - plain.mean()),
            1.0,
            "ratio",
            _interval(plain),
        ),
        Result(f"feeling with {_JUDGED} labels: mistakes", 1 - np.mean(shares), 0.12, "share", spread),
        Result("time for a text", each, 0.2, "ms", f"{unseen['review'].str.len().mean():.0f} characters on average"),
    ]


def _trained(known: pd.DataFrame, texts: Sequence[str], truth: np.ndarray, seed: int) -> float:
    drawn = known.sample(_JUDGED, random_state=seed)
    model = train_sentiment(drawn["review"].tolist(), drawn["label"].tolist(), seed=seed)
    return float(((model.score(texts) > 0) == truth).mean())


def _bag_of_words(text: str) -> float:
    """Return the sum of the words' weights: no negation, no degree, no "but"."""
    lexicon = read_lexicon("zh")
    return sum(lexicon.weights.get(match[0], 0.0) for match in lexicon.pattern.finditer(text))


def _interval(right: np.ndarray) -> str:
    share, half = right.mean(), 1.96 * right.std() / np.sqrt(len(right))
    return f"right {share:.4f} ({share - half:.4f}-{share + half:.4f}) of {len(right)}"
