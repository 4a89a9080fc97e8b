"""How sure: courses of days around a mean, with the correlation and the width that past errors had."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.models.drawing import draw_counts

__all__ = ["Spread", "Stretch", "conformal_stretch"]

_LEVELS = np.array([0.5, 0.8, 0.95])
_NORMAL = np.array([0.67448975, 1.28155157, 1.95996398])
_DENSITY = np.exp(-0.5 * _NORMAL**2) / np.sqrt(2 * np.pi)
_WIDEST = 4.0
# Squared standard errors by which scores must differ before the difference is half believed.
_DOUBT, _GROUP_DOUBT = 8.0, 12.0
_FEWEST = 3


@dataclass(frozen=True)
class Stretch:
    """A rising map of normal scores: what the model calls 1.28 standard deviations may be 1.5 in truth.

    Attributes
    ----------
    scores : numpy.ndarray, shape ``(G, 3)``
        By group, the score that 50, 80 and 95 % of past errors stayed below.
    """

    scores: NDArray[np.float64]

    def __call__(self, z: NDArray[np.float64], group: NDArray[np.intp]) -> NDArray[np.float64]:
        """Map scores ``(n, D)``; `group` of each of the `D` columns."""
        out = np.empty_like(z)
        for g in np.unique(group):
            at = group == g
            size = np.abs(z[:, at])
            known = np.append(0.0, self.scores[g])
            mapped = np.interp(size, np.append(0.0, _NORMAL), known)
            beyond = size > _NORMAL[-1]
            mapped[beyond] = size[beyond] * known[-1] / _NORMAL[-1]
            out[:, at] = np.sign(z[:, at]) * mapped
        return out


def conformal_stretch(
    scores: NDArray[np.float64], groups: NDArray[np.intp], size: int, *, repeats: float = 1.0
) -> Stretch:
    """Learn a stretch from scores of past errors.

    The score of level `L` is the ``(n + 1) L``-th smallest of the `n` absolute scores, between two of them by a
    straight line, so that a new error is below it with probability `L` (Vovk, Gammerman and Shafer 2005; Lei et al.
    2018, J. Amer. Statist. Assoc. 113:1094, eq. 5, who round up). Groups are drawn to all errors together, and those to
    the normal scores, the more so the less they differ by more than quantiles of so few errors do by chance.

    Parameters
    ----------
    scores : numpy.ndarray, shape ``(n,)``
        Errors over their expected standard deviations.
    groups : numpy.ndarray of int, shape ``(n,)``
    size : int
        Number of groups.
    repeats : float
        How often an error is counted: overlapping horizons forecast the same day several times.
    """
    scores = np.abs(scores)
    known = np.isfinite(scores)
    scores, groups = scores[known], groups[known]
    n = len(scores) / max(repeats, 1.0)
    ranks = (n + 1) / max(n, 1e-9) * _LEVELS
    whole = _drawn(scores, _NORMAL, ranks, n, _DOUBT)
    share = [n * np.mean(groups == g) if len(groups) else 0.0 for g in range(size)]
    return Stretch(np.array([_drawn(scores[groups == g], whole, ranks, share[g], _GROUP_DOUBT) for g in range(size)]))


def _drawn(
    scores: NDArray[np.float64], towards: NDArray[np.float64], ranks: NDArray[np.float64], n: float, doubt: float
) -> NDArray[np.float64]:
    if n < _FEWEST:
        return np.asarray(towards, float)
    found = np.quantile(scores, np.minimum(ranks, 1.0))
    # Beyond the largest error there is no evidence: the last level's ratio goes on.
    for i in np.flatnonzero(ranks > 1):
        found[i] = max(found[i], found[i - 1] * towards[i] / towards[i - 1])
    off = np.log(np.maximum(found, 0.05) / towards)
    # Standard error of the log of a sample quantile of absolute normal numbers.
    error = np.sqrt(_LEVELS * (1 - _LEVELS) / n) / (2 * _DENSITY * _NORMAL)
    ratio = np.exp(off * off**4 / (off**4 + (doubt * error**2) ** 2)) * towards / _NORMAL
    return np.maximum.accumulate(np.clip(ratio, 0.25, _WIDEST) * _NORMAL)


@dataclass(frozen=True)
class Spread:
    """Courses of the open days to come, around a mean.

    A slot's count is Poisson with rate ``mean * exp(day + slot)``: `day` is normal with a covariance over the days,
    mapped by `stretch`; `slot` is a few patterns that move whole parts of a day, and noise of each slot's own.

    Attributes
    ----------
    mean : numpy.ndarray, shape ``(D, S)``
        Of the open days; NaN where closed.
    covariance : numpy.ndarray, shape ``(D, D)``
        Of the log busyness of the days.
    stretch : Stretch
        Of the days' scores, by `lead_group`.
    lead_group : numpy.ndarray of int, shape ``(D,)``
    patterns : numpy.ndarray, shape ``(K, S)``
        Each times a standard normal number of a day.
    noise : numpy.ndarray, shape ``(S,)``
        Standard deviation of the log rate of each slot on its own.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]
    stretch: Stretch
    lead_group: NDArray[np.intp]
    patterns: NDArray[np.float64]
    noise: NDArray[np.float64]

    @property
    def variance(self) -> NDArray[np.float64]:
        """Return the variance of the log busyness of each day as it is drawn, stretched, shape ``(D,)``."""
        z = np.linspace(-6.0, 6.0, 601)
        density = np.exp(-0.5 * z**2)
        stretched = self.stretch(np.repeat(z[:, None], len(self.mean), axis=1), self.lead_group)
        return np.diag(self.covariance) * (density @ stretched**2 / density.sum())

    def busyness(self, normal: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn independent standard normal numbers ``(n, D)`` into log busyness ``(n, D)``."""
        sd = np.sqrt(np.diag(self.covariance))
        correlated = normal @ np.linalg.cholesky(self.covariance + 1e-12 * np.eye(len(sd))).T
        return self.stretch(correlated / np.maximum(sd, 1e-9), self.lead_group) * sd

    def rates(self, normal: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return rates ``(n, D, S)`` with the given mean, from the days' normal numbers ``(n, D)``."""
        n, days = normal.shape
        log = np.repeat(self.busyness(normal)[:, :, None], self.mean.shape[1], axis=2)
        if len(self.patterns):
            log += rng.standard_normal((n, days, len(self.patterns))) @ self.patterns
        if self.noise.any():
            log += rng.standard_normal(log.shape) * self.noise
        rate = np.exp(log)
        return rate * (self.mean / rate.mean(axis=0))

    def courses(self, normal: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Return counts ``(n, D, S)``: whole numbers, NaN where closed."""
        return draw_counts(self.rates(normal, rng), rng)
