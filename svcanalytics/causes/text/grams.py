"""Pieces of words: counted all at once, as numbers, without a dictionary in memory."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.text.normalising import HAN

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["COLUMNS", "HAN_COLUMNS", "count_grams"]

COLUMNS = 2**22
"""Columns that pieces are spread over by their hash."""

HAN_COLUMNS = COLUMNS // 2
"""Chinese pieces have the columns below this one, all others those from it on."""

_HAN_SIZES, _LETTER_SIZES = (2, 3), (3, 4, 5)
_BASE = np.uint64(0x9E3779B97F4A7C15)
_INVERSE = np.uint64(pow(int(_BASE), -1, 2**64))
_CHUNK = 4096


def count_grams(texts: Sequence[str]) -> csr_array:
    """Count the pieces of normalised texts.

    Of Chinese, pieces of two and three characters; of other words, pieces of three to five letters within a word and
    its edges, the words and the pairs of neighbouring words. A piece's column is its hash, so that texts can be
    counted apart and compared.

    Parameters
    ----------
    texts : sequence of str
        As `normalise` returns them.

    Returns
    -------
    scipy.sparse.csr_array
        One row per text, COLUMNS columns, counts as float32.
    """
    from scipy.sparse import csr_array, vstack

    parts = [_count(texts[at : at + _CHUNK]) for at in range(0, len(texts), _CHUNK)]
    return vstack(parts, format="csr") if parts else csr_array((0, COLUMNS), dtype=np.float32)


def _count(texts: Sequence[str]) -> csr_array:
    from scipy.sparse import csr_array

    # Every text begins with a line break, every word ends with a space: no piece reaches over either.
    joined = "".join(f"\n {text} " for text in texts)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
    text_of = np.cumsum(codes == 10) - 1
    space = codes <= 32
    han = np.zeros(len(codes), dtype=bool)
    for hit in re.finditer(f"[{HAN}]+", joined):
        han[hit.start() : hit.end()] = True
    found = [
        *(_windows(codes, np.cumsum(np.r_[0, ~han]), n, n) for n in _HAN_SIZES),
        *_letter_windows(codes, space, han),
        *_words(codes, space, han),
    ]
    at = np.concatenate([place for place, _ in found])
    column = (_mix(np.concatenate([value for _, value in found])) % np.uint64(HAN_COLUMNS)).astype(np.int64)
    column += np.where(han[at], 0, HAN_COLUMNS)
    keys, counts = np.unique(text_of[at] * COLUMNS + column, return_counts=True)
    rows = np.searchsorted(keys, np.arange(len(texts) + 1) * COLUMNS)
    return csr_array((counts.astype(np.float32), (keys % COLUMNS).astype(np.int32), rows), (len(texts), COLUMNS))


def _windows(codes: NDArray, outside: NDArray, n: int, kind: int) -> tuple[NDArray, NDArray]:
    # Windows of n characters without one that is outside; `outside` counts those before each place.
    if len(codes) < n:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    at = np.flatnonzero(outside[n:] == outside[:-n])
    return at, _window_hash(codes, at, n, kind)


def _window_hash(codes: NDArray, at: NDArray, n: int, kind: int) -> NDArray:
    value = np.full(len(at), kind, dtype=np.uint64)
    for step in range(n):
        value = value * _BASE + codes[at + step]
    return value


def _letter_windows(codes: NDArray, space: NDArray, han: NDArray) -> list[tuple[NDArray, NDArray]]:
    # A window may begin or end with the space around a word, but has none inside.
    spaces, hans, breaks = (np.cumsum(np.r_[0, flag]) for flag in (space, han, codes == 10))
    out = []
    for n in _LETTER_SIZES:
        if len(codes) < n:
            continue
        at = np.arange(len(codes) - n + 1)
        inner = spaces[at + n - 1] == spaces[at + 1]
        at = at[inner & (hans[at + n] == hans[at]) & (breaks[at + n] == breaks[at])]
        out.append((at, _window_hash(codes, at, n, 10 + n)))
    return out


def _words(codes: NDArray, space: NDArray, han: NDArray) -> list[tuple[NDArray, NDArray]]:
    letter = ~space & ~han
    edge = np.diff(np.r_[0, letter.astype(np.int8), 0])
    start, end = np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)
    if not len(start):
        return []
    # Sum of code x base^place, moved back to place 0: a word's hash wherever it stands (all modulo 2^64).
    power = np.cumprod(np.r_[np.uint64(1), np.full(len(codes) - 1, _BASE)], dtype=np.uint64)
    back = np.cumprod(np.r_[np.uint64(1), np.full(len(codes) - 1, _INVERSE)], dtype=np.uint64)
    total = np.r_[np.uint64(0), np.cumsum(codes * power, dtype=np.uint64)]
    word = (total[end] - total[start]) * back[start]
    pair = np.flatnonzero(start[1:] == end[:-1] + 1)
    return [(start, word * _BASE + np.uint64(20)), (start[pair], (word[pair] * _BASE + word[pair + 1]) * _BASE)]


def _mix(value: NDArray) -> NDArray:
    # The finaliser of splitmix64 (Steele, Lea, Flood 2014): neighbouring hashes land in unrelated columns.
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
