"""Scan all segments of a cube for what went worse than expected, one cause after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.cube import Cube
from svcanalytics.causes.evidence import Evidence

__all__ = ["Scan", "scan"]

Array = NDArray[np.float64]

_SPREADS = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)
_DRAWS = 199
_DRAWS_LARGE = 49
_LARGE = 2_000_000  # members beyond which fewer draws have to do
_MOST_CAUSES = 10
_SIGNIFICANT = 0.05
_TAIL = 5  # with fewer draws beyond a value the law speaks, not the count


@dataclass(frozen=True, eq=False)
class Scan:
    """What was found.

    Attributes
    ----------
    gain : numpy.ndarray, shape ``(segments,)``
        Log-likelihood ratio of each segment on its own.
    p_value : numpy.ndarray, shape ``(segments,)``
        Probability that the most striking of all segments is as striking as this one when nothing is wrong.
    excess : numpy.ndarray, shape ``(segments,)``
        What came beyond the expected.
    causes : tuple of int
        Segments that each explain something the ones before did not, the strongest first.
    account : numpy.ndarray of int64, shape ``(segments,)``
        Which of `causes` (from 0) accounts for most of a segment's excess; -1 for none.
    spread : float
        How much leaves differ of themselves, learned from the data (see `Evidence`).
    """

    gain: Array
    p_value: Array
    excess: Array
    causes: tuple[int, ...]
    account: NDArray[np.int64]
    spread: float = 0.0


def scan(cube: Cube, evidence: Evidence, *, seed: int = 0) -> Scan:
    """Scan a cube.

    The spread of leaves is the one that, together with the best single segment, makes the data most likely; so a real
    cause does not pass for spread. Every segment gets the gain in log-likelihood of one common shift of its leaves
    (Kulldorff 1997; Neill 2012). The strongest is taken for a cause, its shift becomes expected, and the scan begins
    again while what it finds is significant: causes are peeled one after another. P-values compare a segment's
    standardised excess with the largest over all segments in draws without a cause, so they hold for all segments
    together; beyond the draws a Gumbel law fitted to their maxima goes on.
    """
    members = cube.members().tocsr()
    spread = max(_SPREADS, key=lambda s: evidence.base(s) + evidence.fit(members, s)[0].max())
    gain, shift = evidence.fit(members, spread)
    excess = members @ evidence.excess()
    deviation = np.maximum(np.sqrt(members @ evidence.variance(spread)), 1e-12)
    draws = _DRAWS if members.nnz <= _LARGE else _DRAWS_LARGE
    drawn = members @ evidence.draw(spread, draws, np.random.default_rng(seed))
    law = _law_of_largest((drawn / deviation[:, None]).max(axis=0))
    order = _preference(cube)
    causes: list[int] = []
    told, current, now, moved = [], evidence, gain, shift
    while len(causes) < _MOST_CAUSES:
        top = int(np.lexsort((order, -np.round(now, 9)))[0])
        left = members @ current.excess()
        if now[top] <= 0 or top in causes or (causes and law(left[top] / deviation[top]) >= _SIGNIFICANT):
            break
        causes.append(top)
        inside = np.zeros(members.shape[1], dtype=bool)
        inside[members[[top]].indices] = True
        current = current.shifted(inside, float(moved[top]))
        told.append(left - members @ current.excess())
        now, moved = current.fit(members, spread)
    account = np.full(len(gain), -1)
    if causes:
        explained = np.array(told)
        account = np.where(explained.max(axis=0) > 0.5 * excess, explained.argmax(axis=0), -1)
        account[causes] = np.arange(len(causes))
    return Scan(gain, law(excess / deviation), excess, tuple(causes), account, spread)


def _law_of_largest(largest: Array) -> Callable[[Array], Array]:
    """Return the function that gives the probability of a largest standardised excess beyond a value by chance.

    Parameters
    ----------
    largest : numpy.ndarray, shape ``(draws,)``
        The largest of all segments in draws without a cause. Beyond them a Gumbel law fitted to them goes on.
    """
    draws = len(largest)
    width = max(float(largest.std(ddof=1)) * np.sqrt(6) / np.pi, 1e-9)
    centre = float(largest.mean()) - np.euler_gamma * width
    ordered = np.sort(largest)

    def probability(value: Array) -> Array:
        beyond = draws - np.searchsorted(ordered, value)
        tail = -np.expm1(-np.exp(-np.clip((value - centre) / width, -50, 700)))
        return np.where(beyond > _TAIL, (1 + beyond) / (1 + draws), np.minimum(tail, (1 + _TAIL) / (1 + draws)))

    return probability


def _preference(cube: Cube) -> Array:
    # Of segments that explain the same, the one with fewer dimensions comes first, then the one named first.
    size = np.array([len(d) for d in cube.dimensions])
    return size * (len(size) + 1.0) + np.arange(len(size))
