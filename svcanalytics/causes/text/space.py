"""A space in which texts about the same thing lie close together: latent semantic analysis of pieces of words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.text.grams import HAN_COLUMNS, count_grams
from svcanalytics.errors import CauseError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Embedding", "Space", "fit_space", "unit"]

Embedding = Callable[[list[str]], NDArray[np.float64]]

_DIMENSIONS = 300
_RAREST, _COMMONEST = 3, 0.5  # a piece in fewer texts links too few, one in half of them none
_FEW = 50  # texts of which rarer pieces have to do
_MOST_PIECES = 60_000
_COMMON = 0.5  # of all texts: real ones of one language have 0.58 to 0.77 on the first axis, at most 0.38 on the second
# Chinese pieces run over the edges of words, so that most say nothing: rare ones count for more.
_HAN_POWER = 2.0
_CHUNK = 8192


@dataclass(frozen=True)
class Space:
    """Where texts lie: the pieces that count, their weight, and the axes (pieces x dimensions), the widest first.

    `embed` replaces all of these when the user has a better idea; it gets the texts as they were written.
    """

    columns: NDArray[np.int64]
    weight: NDArray[np.float32]
    axes: NDArray[np.float32]
    embed: Embedding | None = None

    @classmethod
    def by(cls, embed: Embedding) -> Space:
        """Return the space of the user's own embedding."""
        nothing = np.zeros(0, np.float32)
        return cls(nothing.astype(np.int64), nothing, nothing.reshape(0, 0), embed)

    def place(self, plain: Sequence[str], raw: Sequence[str]) -> NDArray[np.float32]:
        """Return the coordinates of texts (texts x dimensions), given normalised and as written.

        Raises
        ------
        CauseError
            When the user's own embedding doesn't give one row of finite numbers per text.
        """
        if self.embed is not None:
            return _embed(self.embed, list(raw))
        parts = [matrix @ self.axes for matrix in self._weighed(plain)]
        return np.vstack(parts) if parts else np.zeros((0, self.axes.shape[1]), np.float32)

    def nearest(self, plain: Sequence[str], raw: Sequence[str], centres: NDArray[np.float32]) -> NDArray[np.int64]:
        """Return which of some unit vectors points most nearly to where each text lies; -1 for one that lies nowhere.

        The axes are turned to the centres first, so that the texts' own coordinates are never needed.
        """
        if self.embed is not None:
            likeness = [_embed(self.embed, list(raw)) @ centres.T] if len(raw) else []
        else:
            turned = self.axes @ centres.T
            likeness = [matrix @ turned for matrix in self._weighed(plain)]
        parts = [np.where(np.any(each, axis=1), np.argmax(each, axis=1), -1) for each in likeness]
        return np.concatenate(parts) if parts else np.zeros(0, np.int64)

    def _weighed(self, plain: Sequence[str]) -> Iterator[csr_array]:
        for at in range(0, len(plain), _CHUNK):
            yield _weigh(count_grams(plain[at : at + _CHUNK])[:, self.columns], self.weight)


def fit_space(texts: Sequence[str], seed: int = 0) -> Space:
    """Return the space of normalised texts, all different.

    Counts are logged and weighed by the rarity of the piece (tf-idf, Salton and Buckley 1988), then reduced
    (Deerwester et al. 1990). A first axis that most texts lie along is left out: it says how common a text's words are,
    not what they mean. One that few lie along is a theme, or a language.

    Parameters
    ----------
    texts : sequence of str
        At least two, as `normalise` returns them.
    seed : int
        Of the randomised decomposition.
    """
    from sklearn.utils.extmath import randomized_svd

    counts = count_grams(texts).tocsc()
    seen = np.diff(counts.indptr)
    rarest = min(_RAREST, 1 + len(texts) // _FEW)
    kept = np.flatnonzero((seen >= rarest) & (seen <= _COMMONEST * len(texts)))
    if len(kept) < 2:
        kept = np.flatnonzero(seen > 0)
    if len(kept) > _MOST_PIECES:
        kept = np.sort(kept[np.argsort(-seen[kept], kind="stable")[:_MOST_PIECES]])
    rarity = np.log((1 + len(texts)) / (1 + seen[kept])) + 1
    weight = np.where(kept < HAN_COLUMNS, rarity**_HAN_POWER, rarity).astype("float32")
    matrix = _weigh(counts[:, kept].tocsr(), weight)
    wanted = min(_DIMENSIONS + 1, min(matrix.shape) - 1)
    if wanted < 3:
        return Space(kept, weight, np.eye(len(kept), dtype="float32"))
    placed, _, axes = randomized_svd(matrix, wanted, n_iter=4, random_state=seed)
    axes = axes[1:] if _spread(placed[:, 0]) > _COMMON else axes[:-1]
    return Space(kept, weight, np.ascontiguousarray(axes.T, dtype="float32"))


def unit(vectors: NDArray) -> NDArray:
    """Return rows at length 1; rows of 0 stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def _spread(along: NDArray) -> float:
    # The share of texts that lie along an axis, by the effective number of them (Herfindahl's).
    weight = along**2 / (along**2).sum()
    return float(1 / (weight**2).sum() / len(weight))


def _weigh(counts: csr_array, weight: NDArray) -> csr_array:
    from scipy.sparse import diags_array
    from sklearn.preprocessing import normalize

    logged = counts.copy()
    logged.data = 1 + np.log(logged.data)
    return normalize(logged @ diags_array(weight)).astype("float32")


def _embed(embed: Embedding, texts: list[str]) -> NDArray[np.float32]:
    if not callable(embed):
        raise CauseError("it is no function", where="embed", fix="give a function from texts to an array of numbers")
    given = embed(texts) if texts else np.zeros((0, 1))
    try:
        vectors = np.asarray(given, dtype="float32")
    except (TypeError, ValueError) as error:
        raise CauseError("the embedding gave no numbers", where="embed", fix="return an array of numbers") from error
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise CauseError(
            f"the embedding gave an array of shape {vectors.shape} for {len(texts)} texts, or not only finite numbers",
            where="embed",
            fix="return one row of finite numbers per text",
        )
    return vectors
