"""How a customer feels, learned from texts that somebody has judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.language.feeling import sentiment
from svcanalytics.errors import CauseError

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

__all__ = ["SentimentModel", "train_sentiment"]

_FEWEST = 20
_LEXICON = (
    1.0  # how much the lexicon counts beside the letters; with C chosen on half of the reviews that tests leave out
)


@dataclass(frozen=True, eq=False)
class SentimentModel:
    """A trained model; made by `train_sentiment`.

    Attributes
    ----------
    texts : int
        How many it was trained on.
    """

    texts: int
    _letters: TfidfVectorizer
    _model: LogisticRegression

    def score(self, texts: Sequence[object]) -> NDArray[np.float64]:
        """Return how the writer of each text feels, from -1 to 1, shape ``(texts,)``: twice the probability, less 1."""
        if not len(texts):
            return np.zeros(0)
        return 2 * self._model.predict_proba(_features(self._letters, texts))[:, 1] - 1


def train_sentiment(texts: Sequence[object], labels: Sequence[object], *, seed: int = 0) -> SentimentModel:
    """Learn how customers feel from judged texts.

    A logistic regression on characters and pairs of characters (TF-IDF), with what the lexicon says (`sentiment`)
    beside them, so that a few hundred texts go far.

    Parameters
    ----------
    texts : sequence of str
    labels : sequence
        1 or True for praise, 0 or False for complaint.
    seed : int

    Returns
    -------
    SentimentModel

    Raises
    ------
    CauseError
        When lengths differ, labels are not of two kinds, or there are fewer than 20 texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if len(texts) != len(labels):
        raise CauseError(f"{len(texts)} texts have {len(labels)} labels", where="labels", fix="give one label per text")
    if len(texts) < _FEWEST:
        raise CauseError(
            f"{len(texts)} texts are too few to learn from",
            where="texts",
            fix=f"judge {_FEWEST} or more, or use sentiment",
        )
    try:
        known = np.array([int(label) for label in labels])  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise CauseError("a label is no 0 or 1", where="labels", fix="leave out texts without a label") from None
    if set(known) != {0, 1}:
        raise CauseError("labels are not of both kinds, 0 and 1", where="labels", fix="judge some of either kind")
    letters = TfidfVectorizer(analyzer="char", ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    letters.fit([_clean(text) for text in texts])
    model = LogisticRegression(C=4.0, max_iter=1000, random_state=seed)
    return SentimentModel(len(texts), letters, model.fit(_features(letters, texts), known))


def _features(letters: TfidfVectorizer, texts: Sequence[object]) -> csr_matrix:
    from scipy.sparse import csr_matrix, hstack

    by_lexicon = csr_matrix(_LEXICON * sentiment(texts)[:, None])
    return hstack([letters.transform([_clean(text) for text in texts]), by_lexicon], format="csr")


def _clean(text: object) -> str:
    return text.lower() if isinstance(text, str) else ""
