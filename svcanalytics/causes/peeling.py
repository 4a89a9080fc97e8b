"""Peel causes off a contrast, one after another, until what is left is no more than chance and luck."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.contrast import Contrast
from svcanalytics.causes.cube import Cube
from svcanalytics.causes.scanning import Scan, law_of_largest

__all__ = ["peel"]

Array = NDArray[np.float64]

_DRAWS = 128
_DRAWS_LARGE = 64
_LARGE = 2_000_000  # members beyond which fewer draws have to do
_MOST_CAUSES = 10
_SIGNIFICANT = 0.05
_FEWEST = 3.0  # information (n p q, or cases over ten) that a segment needs to be looked at


def peel(cube: Cube, evidence: Contrast, *, seed: int = 0) -> Scan:
    """Scan all segments for what became worse.

    A segment's standardised excess z gains z**2 / 2 in log-likelihood. Of segments that tell of the same, the one
    named is that with the highest gain less the logarithm of the number of segments with as many dimensions, so that a
    longer description must be worth its length (Rissanen 1978). Its excess then becomes expected, and the scan begins
    again while what it finds is significant. P-values are as in `scan`.
    """
    members = cube.members().tocsr()
    information = members @ (evidence.slope * evidence.later) / (10.0 if evidence.noise else 1.0)
    kept = np.flatnonzero(information >= _FEWEST)
    gain, excess = np.zeros(len(cube.first)), members @ evidence.excess()
    p_value, account = np.ones(len(cube.first)), np.full(len(cube.first), -1)
    if not len(kept):
        return Scan(gain, p_value, excess, (), account)
    members = members[kept]
    chance = np.maximum(evidence.doubt(members), 1e-12)
    deviation = np.sqrt(chance + evidence.luck(members, cube, kept))
    draws = _DRAWS if members.nnz <= _LARGE else _DRAWS_LARGE
    drawn = members.astype(np.float32) @ evidence.draw(draws, np.random.default_rng(seed))
    law = law_of_largest((drawn / np.sqrt(chance)[:, None]).max(axis=0))
    size = np.array([len(cube.dimensions[s]) for s in kept])
    price = np.log(np.maximum(np.bincount(size), 1))[size]
    causes: list[int] = []
    left = excess[kept]
    p_value[kept], gain[kept] = law(left / deviation), np.maximum(left / deviation, 0.0) ** 2 / 2
    told, current = [], evidence
    while len(causes) < _MOST_CAUSES:
        z = left / deviation
        top = int(np.argmax(np.round(np.where(z > 0, z**2 / 2 - price, -np.inf), 9)))
        p = float(law(z[top]))
        if z[top] <= 0 or top in causes or (causes and p >= _SIGNIFICANT):
            break
        causes.append(top)
        p_value[kept[top]] = p
        inside = np.zeros(members.shape[1], dtype=bool)
        inside[members[[top]].indices] = True
        current = current.shifted(inside, float(left[top]))
        now = members @ current.excess()
        told.append(left - now)
        left = now
    if causes:
        explained, whole = np.array(told), excess[kept]
        account[kept] = np.where(explained.max(axis=0) > 0.5 * whole, explained.argmax(axis=0), -1)
        account[kept[causes]] = np.arange(len(causes))
    return Scan(gain, p_value, excess, tuple(int(s) for s in kept[causes]), account)
