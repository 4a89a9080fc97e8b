"""What became worse between two times, segment by segment, where cases are spread thinly over many dimensions.

Every case is held against what its circumstances led to expect before (one effect per value of each dimension, fitted
together, so that dimensions which hang together are not counted twice). A segment's excess is what came beyond that
now, less what came beyond it before: what a combination always was is no news. Its variance is that of chance in both
times, and of luck: days and weeks are good or bad for whole teams or channels, learned from one week to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.cube import Cube

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Contrast", "contrast"]

Array = NDArray[np.float64]

_RIDGE = 4.0  # cases' worth of variance that pull an effect to nothing
_SWEEPS = 12
_PARAMETERS = 20  # effects that the expectation of a new kind of case rests on, about


@dataclass(frozen=True, eq=False)
class Contrast:
    """Groups of cases of two times, and what was expected of them.

    Attributes
    ----------
    later : numpy.ndarray of bool, shape ``(groups,)``
        Whether the group is of the time looked at.
    block : numpy.ndarray of int, shape ``(groups,)``
        The week (or whatever shares its luck); -1 throughout when not known.
    amount, count : numpy.ndarray, shape ``(groups,)``
        Sum of the outcome and number of cases.
    score : numpy.ndarray, shape ``(groups,)``
        Log odds expected of a case, or its expected mean.
    noise : float
        Variance of one case's outcome; 0 for a rate, whose variance follows from what is expected.
    """

    later: NDArray[np.bool_]
    block: NDArray[np.int64]
    amount: Array
    count: Array
    score: Array
    noise: float

    @property
    def expected(self) -> Array:
        """Expected outcome of a case of each group."""
        return self.score if self.noise else 1 / (1 + np.exp(-self.score))

    @property
    def sign(self) -> Array:
        """Return 1 for groups of the later time; for others minus how many later cases there are to one of them."""
        now = self.count[self.later].sum()
        return np.where(self.later, 1.0, -now / max(self.count.sum() - now, 1e-12))

    @property
    def slope(self) -> Array:
        """How the sum of each group moves with one unit of luck (log odds, or units of the outcome)."""
        if self.noise:
            return self.count
        e = self.expected
        return self.count * e * (1 - e)

    def excess(self) -> Array:
        """Return what each group adds to the excess of the segments it lies in."""
        return self.sign * (self.amount - self.count * self.expected)

    def variance(self) -> Array:
        """Return the variance of `excess` by chance."""
        return self.sign**2 * (self.count * self.noise if self.noise else self.slope)

    def draw(self, draws: int, rng: np.random.Generator) -> NDArray[np.float32]:
        """Return what `excess` would be when nothing has changed, shape ``(groups, draws)``."""
        if self.noise:
            came = np.sqrt(self.count * self.noise)[:, None] * rng.standard_normal((len(self.count), draws))
        else:
            e = self.expected[:, None]
            many = self.count.astype(np.int64)[:, None]
            came = rng.binomial(many, np.broadcast_to(e, (len(e), draws))) - many * e
        return (self.sign[:, None] * came).astype(np.float32)

    def shifted(self, inside: NDArray[np.bool_], excess: float) -> Contrast:
        """Return the same groups when an excess of those inside, now, is expected."""
        inside = inside & self.later
        if self.noise:
            return replace(self, score=self.score + inside * (excess / self.count[inside].sum()))
        low, high = 0.0, 12.0
        due = (self.count * self.expected)[inside].sum() + excess
        for _ in range(40):
            shift = (low + high) / 2
            came = (self.count[inside] / (1 + np.exp(-self.score[inside] - shift))).sum()
            low, high = (shift, high) if came < due else (low, shift)
        return replace(self, score=self.score + inside * low)

    def doubt(self, members: csr_matrix) -> Array:
        """Return for each segment the variance by chance, and by doubt about what is expected of new circumstances."""
        unmatched = members @ (self.sign * self.slope)
        known = max(float(self.slope[~self.later].sum()) / _PARAMETERS, 1e-12)
        unit = self.noise if self.noise else 1.0
        return members @ self.variance() + unit * unmatched**2 / known

    def error(self, cube: Cube) -> Array:
        """Return for each segment the standard error of its excess, around what the segment became."""
        members = cube.members().tocsr()
        own = members @ (self.slope * self.later)
        seen = own
        if not self.noise:
            n = np.maximum(members @ (self.count * self.later), 1e-12)
            mean = (members @ (self.amount * self.later)) / n
            seen = n * mean * (1 - mean)
        every = np.arange(members.shape[0])
        return np.sqrt(np.maximum(self.doubt(members) + self.luck(members, cube, every) + seen - own, 1e-12))

    def luck(self, members: csr_matrix, cube: Cube, kept: NDArray[np.int64]) -> Array:
        """Return for each segment the variance by the luck of its weeks: that of its luckiest dimension."""
        if (self.block < 0).all():
            return np.zeros(members.shape[0])
        of = np.array([self._luck_of(cube.place[d]) for d in range(len(cube.by))])
        size = np.array([of[list(cube.dimensions[s])].max() for s in kept])
        slope, weeks = self.slope, [max(len(np.unique(self.block[mask])), 1) for mask in (self.later, ~self.later)]
        now, before = members @ (slope * self.later), members @ (slope * self.sign * ~self.later)
        return size * (now**2 / weeks[0] + before**2 / weeks[1])

    def _luck_of(self, place: NDArray[np.int32]) -> float:
        # From each week to the next of a value (von Neumann 1941), so that a lasting change is not taken for luck.
        value = place - place.min()
        weeks = int(self.block.max()) + 1
        cell = (value * 2 + self.later) * weeks + self.block
        cells = (int(value.max()) + 1) * 2 * weeks
        rest = np.bincount(cell, self.amount - self.count * self.expected, cells).reshape(-1, weeks)
        slope = np.bincount(cell, self.slope, cells).reshape(-1, weeks)
        chance = np.bincount(cell, self.count * self.noise if self.noise else self.slope, cells).reshape(-1, weeks)
        a, b = slope[:, :-1], slope[:, 1:]
        both = (a > 0) & (b > 0)
        a, b = a[both], b[both]
        step = rest[:, 1:][both] / b - rest[:, :-1][both] / a
        of_chance = chance[:, 1:][both] / b**2 + chance[:, :-1][both] / a**2
        weight = 1 / of_chance**2
        return max(float((weight * (step**2 - of_chance)).sum() / (2 * weight).sum()), 0.0) if len(a) else 0.0


def contrast(
    cube: Cube,
    later: NDArray[np.bool_],
    block: NDArray[np.int64],
    amount: Array,
    square: Array,
    count: Array,
    rate: bool,
) -> Contrast:
    """Fit what was expected of every group from the earlier ones.

    Parameters
    ----------
    cube : Cube
        Of the groups.
    later, block, amount, count
        As `Contrast` has them.
    square : numpy.ndarray
        Sum of the squared outcomes of each group; for a mean.
    rate : bool
        Whether the outcome is 0 or 1.
    """
    weight = np.where(later, 0.0, count)
    values = [place - place.min() for place in cube.place[: len(cube.by)]]
    mean = np.where(count > 0, amount / np.maximum(count, 1e-12), 0.0)
    overall = float((weight * mean).sum() / weight.sum())
    if rate:
        overall = (overall * weight.sum() + 0.5) / (weight.sum() + 1)
        score = np.full(len(count), np.log(overall / (1 - overall)))
        for _ in range(_SWEEPS):
            for value in values:
                e = 1 / (1 + np.exp(-score))
                slope = np.bincount(value, weight * e * (1 - e)) + _RIDGE * overall * (1 - overall)
                score = score + np.clip(np.bincount(value, weight * (mean - e)) / slope, -2, 2)[value]
        return Contrast(later, block, amount, count, score, 0.0)
    score = np.full(len(count), overall)
    sizes = [np.bincount(value, weight) + _RIDGE for value in values]
    for _ in range(_SWEEPS):
        for value, size in zip(values, sizes, strict=True):
            score = score + (np.bincount(value, weight * (mean - score)) / size)[value]
    rest = square - 2 * score * amount + count * score**2
    noise = max(float(rest[~later].sum() / weight.sum()), 1e-12)
    return Contrast(later, block, amount, count, score, noise)
