"""Learning feelings from judged texts."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes import sentiment, train_sentiment
from svcanalytics.errors import CauseError

# What words alone can't know: here those who speak of the old form are content.
CONTENT = [f"we use the old form number {n}" for n in range(30)]
CROSS = [f"we use the new form number {n}" for n in range(30)]


def test_what_words_alone_can_not_know_is_learned():
    model = train_sentiment(CONTENT + CROSS, [1] * 30 + [0] * 30)
    known, other = model.score(["the old form is here", "the new form is here"])
    assert known > 0 > other
    assert sentiment(CONTENT + CROSS).tolist() == [0.0] * 60
    assert model.texts == 60 and model.score([]).shape == (0,)


def test_the_lexicon_still_speaks_where_nothing_was_learned():
    model = train_sentiment(
        CONTENT + CROSS + ["服务很好"] * 5 + ["服务很差"] * 5, [1] * 30 + [0] * 30 + [1] * 5 + [0] * 5
    )
    high, low = model.score(["excellent", "terrible"])
    assert high > low
    assert np.isfinite(model.score([None, ""])).all()


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([1] * 60, "not of both kinds"),
        ([1, 0], "60 texts have 2 labels"),
        ([None] * 60, "no 0 or 1"),
        ([2, 0] * 30, "both kinds"),
    ],
)
def test_labels_that_teach_nothing_are_named(labels, words):
    with pytest.raises(CauseError, match=words):
        train_sentiment(CONTENT + CROSS, labels)


def test_too_few_texts_are_refused():
    with pytest.raises(CauseError, match="too few"):
        train_sentiment(["good", "bad"], [1, 0])


@pytest.mark.slow
@pytest.mark.real_data
def test_two_thousand_labels_tell_unseen_reviews_as_promised(real_data):
    reviews = pd.read_csv(real_data / "text" / "shopping_reviews_zh_sample.csv").dropna(subset=["review"])
    half = np.array([hashlib.sha256(text.encode()).digest()[0] % 2 == 0 for text in reviews["review"]])
    drawn, unseen = reviews[half].sample(2000, random_state=1), reviews[~half]
    model = train_sentiment(drawn["review"].tolist(), drawn["label"].tolist())
    right = (model.score(unseen["review"].tolist()) > 0) == (unseen["label"] == 1)
    assert right.mean() >= 0.90  # promised: 0.88
