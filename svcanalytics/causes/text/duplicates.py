"""Near-duplicates: form letters, forwarded mails, the same text sent twice with another name in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.text.grams import count_grams

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["group_duplicates"]

_BANDS, _ROWS = 12, 4
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_EMPTY = np.uint64(2**64 - 1)
_CHUNK = 10_000


def group_duplicates(texts: Sequence[str], least: float = 0.8) -> NDArray[np.int64]:
    """Return for each text the place of the first text it is a near-duplicate of; its own when there is none.

    Two texts are near-duplicates when their pieces overlap (Jaccard) at least so much, and so are texts linked by a
    chain of such pairs. Pairs are found by the minima of random hashes (Broder 1997), in bands.

    Parameters
    ----------
    texts : sequence of str
        Normalised and all different.
    least : float
        Overlap, 0-1.

    Returns
    -------
    numpy.ndarray of int
        One place per text.
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    chunks = [texts[at : at + _CHUNK] for at in range(0, len(texts), _CHUNK)]
    if not chunks:
        return np.zeros(0, np.int64)
    pairs = _pairs(np.vstack([_signatures(count_grams(chunk)) for chunk in chunks]))
    both = _overlaps(texts, pairs)
    first, second = pairs[both >= least].T
    links = csr_array((np.ones(len(first)), (first, second)), (len(texts), len(texts)))
    component = connected_components(links, directed=False)[1]
    _, head = np.unique(component, return_index=True)
    return head[component]


def _signatures(pieces: csr_array) -> NDArray[np.uint64]:
    # One permutation, minima in bins (Li, Owen and Zhang 2012); an empty bin borrows from the next one that isn't
    # (Shrivastava and Li 2014). Texts without pieces keep apart.
    bins = _BANDS * _ROWS
    text = np.repeat(np.arange(pieces.shape[0]), np.diff(pieces.indptr))
    hashed = (pieces.indices.astype(np.uint64) * _SPREAD) >> np.uint64(24)
    out = np.full((pieces.shape[0], bins), _EMPTY)
    np.minimum.at(out.reshape(-1), text * bins + (hashed % np.uint64(bins)).astype(np.int64), hashed)
    empty = np.diff(pieces.indptr) == 0
    out[empty] = (_EMPTY - np.uint64(1) - np.flatnonzero(empty).astype(np.uint64))[:, None]
    borrowed = out.copy()
    for step in range(1, bins):
        missing = borrowed == _EMPTY
        if not missing.any():
            break
        borrowed = np.where(missing, np.roll(out, -step, axis=1), borrowed)
    return borrowed


def _pairs(signatures: NDArray[np.uint64]) -> NDArray[np.int64]:
    # Texts that agree in a whole band, each with the first of its kind: a chain, not all pairs.
    found = []
    for band in range(_BANDS):
        rows = signatures[:, band * _ROWS : (band + 1) * _ROWS]
        key = rows[:, 0].copy()
        for column in rows.T[1:]:
            key = key * np.uint64(0x9E3779B97F4A7C15) + column
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        head = first[inverse]
        other = np.flatnonzero(head != np.arange(len(head)))
        found.append(np.stack([head[other], other], axis=1))
    return np.unique(np.concatenate(found), axis=0)


def _overlaps(texts: Sequence[str], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    asked, place = np.unique(pairs, return_inverse=True)
    place = place.reshape(pairs.shape)
    pieces = count_grams([texts[at] for at in asked])
    pieces.data[:] = 1
    size = np.diff(pieces.indptr)
    out = [np.zeros(0)]
    for at in range(0, len(pairs), _CHUNK):
        left, right = place[at : at + _CHUNK].T
        common = np.asarray(pieces[left].multiply(pieces[right]).sum(axis=1)).ravel()
        out.append(common / np.maximum(size[left] + size[right] - common, 1))
    return np.concatenate(out)
