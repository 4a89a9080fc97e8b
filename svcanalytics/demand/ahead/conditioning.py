"""What a morning says about the afternoon: log rates that go together, given the counts that came."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.ahead.spread import Spread

__all__ = ["Pull", "condition"]

_STEPS, _LONGEST, _EXACT = 60, 1.0, 1e-9
_QUANTILES = 999


@dataclass(frozen=True, eq=False)
class Pull:
    """How counts that came move the log rates of all slots.

    Attributes
    ----------
    rows, slots : numpy.ndarray of int, shape ``(M,)``
        Where the counts are that say something.
    gain : numpy.ndarray, shape ``(D, S, M)``
    weight, target : numpy.ndarray, shape ``(M,)``
        Square root of the precision of each count about its log rate, and the log rate it speaks for times that.
    shift : numpy.ndarray, shape ``(D, S)``
        Log of the expected rate over what was expected before.
    """

    rows: NDArray[np.intp]
    slots: NDArray[np.intp]
    gain: NDArray[np.float64]
    weight: NDArray[np.float64]
    target: NDArray[np.float64]
    shift: NDArray[np.float64]

    def __call__(self, log: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
        """Turn draws of log rates ``(n, D, S)`` made without knowing the counts into draws given them.

        Each draw is moved by what it missed of the counts, blurred as counts are (Matheron's rule; Wilson et al. 2021,
        J. Mach. Learn. Res. 22:1, eq. 12).
        """
        blur = rng.standard_normal((len(log), len(self.weight)))
        missed = self.target - self.weight * log[:, self.rows, self.slots] - blur
        return log + np.einsum("dsm,nm->nds", self.gain, missed, optimize=True)


def condition(spread: Spread, came: NDArray[np.float64]) -> Pull:
    """Learn from counts how busy their day is, in all its slots and on the days that go with it.

    Log rates are normal before the counts, with the spread's own covariance: a busyness of each day, patterns within
    the day and noise of each slot; counts are Poisson. So few arrivals, or slots that hardly go together, move little.
    The posterior is Laplace's (Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, algorithm 3.1 and
    eq. 3.27).

    Parameters
    ----------
    spread : Spread
    came : numpy.ndarray, shape ``(D, S)``
        Counts of the spread's days; NaN where none is known yet.
    """
    days = _busyness_covariance(spread)
    within = spread.patterns.T @ spread.patterns + np.diag(spread.noise**2)
    variance = np.diag(days)[:, None] + np.diag(within)
    rows, slots = np.nonzero(np.isfinite(came) & (spread.mean > 0))
    same_day = np.arange(len(days))[:, None] == rows
    cross = days[:, rows][:, None, :] + same_day[:, None, :] * within[:, slots]
    # Rates have the spread's mean, so their logs are centred half a variance below its log.
    centre = variance[rows, slots] / 2
    log, rate = _mode(cross[rows, slots], spread.mean[rows, slots] * np.exp(-centre), came[rows, slots])
    weight, pressure = np.sqrt(rate), came[rows, slots] - rate
    spoken = cross * weight
    gain = spoken @ np.linalg.inv(_evidence(cross[rows, slots], weight))
    shift = cross @ pressure - np.einsum("dsm,dsm->ds", gain, spoken) / 2
    return Pull(rows, slots, gain, weight, weight * (log - centre) + pressure / weight, shift)


def _busyness_covariance(spread: Spread) -> NDArray[np.float64]:
    # What a stretch makes of a standard deviation, at evenly likely scores.
    from scipy.special import ndtri

    scores = ndtri((np.arange(_QUANTILES) + 0.5) / _QUANTILES)
    stretched = spread.stretch(np.repeat(scores[:, None], len(spread.mean), axis=1), spread.lead_group)
    scale = np.sqrt((stretched**2).mean(axis=0))
    return spread.covariance * np.outer(scale, scale)


def _evidence(prior: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.eye(len(weight)) + weight[:, None] * prior * weight


def _mode(prior: NDArray, median: NDArray, counts: NDArray) -> tuple[NDArray, NDArray]:
    """Return the likeliest log rates over `median`, and the rates."""
    log = np.zeros(len(counts))
    for _ in range(_STEPS):
        rate = median * np.exp(log)
        weight = np.sqrt(rate)
        b = rate * log + counts - rate
        a = b - weight * np.linalg.solve(_evidence(prior, weight), weight * (prior @ b))
        step = prior @ a - log
        # Far from the mode a Newton step in logs would overshoot.
        log = log + np.clip(step, -_LONGEST, _LONGEST)
        if np.abs(step).max(initial=0.0) < _EXACT:
            break
    return log, median * np.exp(log)
