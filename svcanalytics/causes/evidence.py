"""How likely what came is under what was expected, for counts of bad cases and for means, with real-life spread.

Cases of one kind are more alike than chance says, so every leaf (a combination of all dimensions) has a rate or mean of
its own around the expected one. That spread is learned from the data at hand; without it any large leaf would look like
a cause.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Evidence", "Means", "Rates"]

Array = NDArray[np.float64]

_SHIFTS = np.linspace(0.0, 6.0, 25)  # log odds; 6 takes a rate of 1 % to 80 %
_LIMIT = 1e-4


class Evidence(Protocol):
    """What a scan needs of the leaves; `spread` is how much leaves differ of themselves, from 0."""

    def fit(self, members: csr_matrix, spread: float) -> tuple[Array, Array]:
        """Return for every segment the gain in log-likelihood by its best shift for the worse, and that shift."""
        ...

    def base(self, spread: float) -> float:
        """Return the log-likelihood when nothing is shifted."""
        ...

    def excess(self) -> Array:
        """Return for each leaf how much worse than expected it was, in cases or units of the outcome."""
        ...

    def variance(self, spread: float) -> Array:
        """Return for each leaf the variance of its excess, doubt about the expected included."""
        ...

    def draw(self, spread: float, draws: int, rng: np.random.Generator) -> Array:
        """Return what `excess` would be when nothing is shifted, shape ``(leaves, draws)``."""
        ...

    def shifted(self, inside: NDArray[np.bool_], shift: float) -> Evidence:
        """Return the same leaves with the shift of some of them expected."""
        ...


@dataclass(frozen=True, eq=False)
class Rates:
    """Bad cases among all of a leaf: beta-binomial around the expected rate, shifted in log odds.

    Attributes
    ----------
    bad, total : numpy.ndarray, shape ``(leaves,)``
    expected : numpy.ndarray, shape ``(leaves,)``
        Expected rate, 0-1.
    known : numpy.ndarray, shape ``(leaves,)``
        How many cases the expected rate rests on.
    """

    bad: Array
    total: Array
    expected: Array
    known: Array

    def fit(self, members: csr_matrix, spread: float) -> tuple[Array, Array]:
        """See `Evidence`; the shift is found on a grid of log odds."""
        levels = self._levels(_SHIFTS, spread)
        gains = members @ (levels[:, 1:] - levels[:, :1])
        best = gains.argmax(axis=1)
        top = gains[np.arange(len(gains)), best]
        return np.maximum(top, 0.0), np.where(top > 0, _SHIFTS[1:][best], 0.0)

    def base(self, spread: float) -> float:
        """See `Evidence`."""
        return float(self._levels(np.zeros(1), spread).sum())

    def excess(self) -> Array:
        """See `Evidence`: bad cases beyond the expected."""
        return self.bad - self.total * self.expected

    def variance(self, spread: float) -> Array:
        """See `Evidence`."""
        alone = self.expected * (1 - self.expected)
        return self.total * alone * (1 + np.maximum(self.total - 1, 0) * spread) + self.total**2 * alone / self.known

    def draw(self, spread: float, draws: int, rng: np.random.Generator) -> Array:
        """See `Evidence`."""
        p = np.clip(self.expected, _LIMIT, 1 - _LIMIT)[:, None]
        shape = (len(p), draws)
        if spread > 0:
            size = 1 / spread - 1
            rates = rng.beta(p * size, (1 - p) * size, shape)
        else:
            rates = np.broadcast_to(p, shape)
        came = rng.binomial(np.rint(self.total).astype(np.int64)[:, None], rates)
        doubt = np.sqrt(p * (1 - p) / self.known[:, None]) * rng.standard_normal(shape)
        return came - self.total[:, None] * (p + doubt)

    def shifted(self, inside: NDArray[np.bool_], shift: float) -> Rates:
        """See `Evidence`."""
        return replace(self, expected=np.where(inside, _raise(self.expected, shift), self.expected))

    def _levels(self, shifts: Array, spread: float) -> Array:
        # Log-likelihood of each leaf (row) at each shift (column), without the binomial coefficient.
        from scipy.special import betaln

        q = _raise(self.expected[:, None], shifts)
        bad, good = self.bad[:, None], np.maximum(self.total - self.bad, 0)[:, None]
        if spread <= 0 or self.total.max() <= 1:
            return bad * np.log(q) + good * np.log1p(-q)
        size = 1 / spread - 1
        return betaln(bad + q * size, good + (1 - q) * size) - betaln(q * size, (1 - q) * size)


@dataclass(frozen=True, eq=False)
class Means:
    """Means of a leaf's cases: normal around the expected mean, shifted by an amount.

    Attributes
    ----------
    mean, count : numpy.ndarray, shape ``(leaves,)``
    expected : numpy.ndarray, shape ``(leaves,)``
    known : numpy.ndarray, shape ``(leaves,)``
        How many cases the expected mean rests on.
    noise : float
        Variance of one case around its leaf's mean.
    """

    mean: Array
    count: Array
    expected: Array
    known: Array
    noise: float

    def fit(self, members: csr_matrix, spread: float) -> tuple[Array, Array]:
        """See `Evidence`; the shift is the weighted mean of the excess."""
        weight = 1 / self._variance_of_mean(spread)
        pulled = members @ (weight * (self.mean - self.expected))
        shift = np.maximum(pulled, 0) / np.maximum(members @ weight, 1e-300)
        return 0.5 * shift * np.maximum(pulled, 0), shift

    def base(self, spread: float) -> float:
        """See `Evidence`."""
        v, there = self._variance_of_mean(spread), self.count > 0
        return float(-0.5 * (np.log(v) + (self.mean - self.expected) ** 2 / v)[there].sum())

    def excess(self) -> Array:
        """See `Evidence`: the sum of the outcome beyond the expected."""
        return self.count * (self.mean - self.expected)

    def variance(self, spread: float) -> Array:
        """See `Evidence`."""
        return self.noise * (self.count + self.count**2 * (spread + 1 / self.known))

    def draw(self, spread: float, draws: int, rng: np.random.Generator) -> Array:
        """See `Evidence`."""
        return np.sqrt(self.variance(spread))[:, None] * rng.standard_normal((len(self.mean), draws))

    def shifted(self, inside: NDArray[np.bool_], shift: float) -> Means:
        """See `Evidence`."""
        return replace(self, expected=self.expected + np.where(inside, shift, 0.0))

    def _variance_of_mean(self, spread: float) -> Array:
        with np.errstate(divide="ignore"):
            return self.noise * (1 / self.count + spread)


def _raise(rate: Array, shift: Array | float) -> Array:
    p = np.clip(rate, _LIMIT, 1 - _LIMIT)
    return 1 / (1 + np.exp(-(np.log(p / (1 - p)) + shift)))
