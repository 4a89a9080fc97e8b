"""A space in which texts about the same thing lie close together: latent semantic analysis of pieces of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.text.grams import count_grams
from svcanalytics.errors import CauseError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Space", "embed_with", "fit_space", "unit"]

_DIMENSIONS = 100
_RAREST = 2  # a piece in one text alone links nothing
_MOST_PIECES = 150_000


@dataclass(frozen=True)
class Space:
    """Where texts lie: the pieces that count, their weight, and the axes (pieces x dimensions).

    `embed` replaces all of these when the user has a better idea.
    """

    columns: NDArray[np.int64]
    weight: NDArray[np.float32]
    axes: NDArray[np.float32]
    embed: Callable[[list[str]], NDArray] | None = None

    def place(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the unit vectors of normalised texts (texts x dimensions); 0 for one that shares nothing with it."""
        if self.embed is not None:
            return embed_with(self.embed, texts)
        counts = count_grams(texts)[:, self.columns]
        return unit(_weigh(counts, self.weight) @ self.axes.astype("float64"))


def fit_space(texts: Sequence[str], seed: int = 0) -> Space:
    """Return the space of normalised texts, all different.

    The first axis is left out: it says how much of a text are common words, not what it is about.

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
    kept = np.flatnonzero(seen >= min(_RAREST, len(texts) - 1))
    if len(kept) > _MOST_PIECES:
        kept = np.sort(kept[np.argsort(-seen[kept], kind="stable")[:_MOST_PIECES]])
    weight = (np.log((1 + len(texts)) / (1 + seen[kept])) + 1).astype("float32")
    matrix = _weigh(counts[:, kept].tocsr(), weight)
    dimensions = min(_DIMENSIONS, min(matrix.shape) - 1)
    if dimensions < 2:
        axes = np.eye(len(kept), dtype="float32")
    else:
        axes = randomized_svd(matrix, dimensions, n_iter=7, random_state=seed)[2][1:].T.astype("float32")
    return Space(kept, weight, axes)


def embed_with(embed: Callable[[list[str]], NDArray], texts: Sequence[str]) -> NDArray[np.float64]:
    """Return the user's own vectors at unit length; say so when they are not one finite row per text."""
    vectors = np.asarray(embed(list(texts)), dtype="float64")
    if vectors.ndim != 2 or len(vectors) != len(texts) or not np.isfinite(vectors).all():
        raise CauseError(
            f"the embedding gave {vectors.shape} for {len(texts)} texts, or not only finite numbers",
            where="embed",
            fix="return one row of finite numbers per text",
        )
    return unit(vectors)


def unit(vectors: NDArray) -> NDArray[np.float64]:
    """Return rows at length 1; rows of 0 stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(length > 0, length, 1)


def _weigh(counts: csr_array, weight: NDArray) -> csr_array:
    from scipy.sparse import diags_array
    from sklearn.preprocessing import normalize

    logged = counts.astype("float64")
    logged.data = 1 + np.log(logged.data)
    return normalize(logged @ diags_array(weight.astype("float64")))
