"""Variance-based sensitivity of any function of independent choices (Sobol 1993), with standard errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError

__all__ = ["VarianceShares", "variance_shares"]

_ROUNDS = 4
"""Independent designs; how far they differ gives the standard errors."""


@dataclass(frozen=True)
class VarianceShares:
    """What `variance_shares` returns, one entry per round: first and total of shape (rounds, outputs, choices).

    Attributes
    ----------
    first : numpy.ndarray
        Share of an output's variance that goes when the choice is settled.
    total : numpy.ndarray
        Share that stays when it alone is left open; above `first` as far as the choice matters through others.
    variance : numpy.ndarray, shape (rounds, outputs)
    """

    first: NDArray[np.float64]
    total: NDArray[np.float64]
    variance: NDArray[np.float64]

    def pooled(self, outputs: slice = slice(None)) -> dict[str, NDArray[np.float64]]:
        """Return first, first_error, total and total_error by choice, several outputs weighed by their variance.

        That is how Gamboa, Janon, Klein and Lagnoux (2014) define the indices of a vector. The errors are standard
        errors of the estimates.
        """
        variance = self.variance[:, outputs, None]
        out = {}
        for name in ("first", "total"):
            parts = (getattr(self, name)[:, outputs] * variance).sum(axis=1)
            whole = variance.sum(axis=1)
            shares = np.divide(parts, whole, out=np.zeros_like(parts), where=whole > 0)
            out[name] = shares.mean(axis=0)
            out[f"{name}_error"] = shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
        return out


def variance_shares(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]], choices: int, samples: int, seed: int = 0
) -> VarianceShares:
    """Share the variance of a function's outputs out over its independent inputs.

    Scrambled Sobol designs; first order by Saltelli et al. (2010, table 2, estimator b), total by Jansen (1999).

    Parameters
    ----------
    function : callable
        Takes numbers between 0 and 1 of shape (choices, points); returns outputs of shape (outputs, points).
    choices : int
    samples : int
        4 times a power of 2, at least 16; the function sees (choices + 2) times as many points.
    seed : int

    Raises
    ------
    CatalogueError
        When `samples` make no design.
    """
    from scipy.stats import sobol_indices, uniform

    each, rest = divmod(samples, _ROUNDS)
    if rest or each < 4 or each & (each - 1):
        raise CatalogueError(f"{samples} samples make no Sobol design", where="samples", fix="use 256, 512, 1024 ...")
    rounds = []
    for number in range(_ROUNDS):
        seen: list[NDArray[np.float64]] = []

        def watched(x: NDArray[np.float64], seen: list[NDArray[np.float64]] = seen) -> NDArray[np.float64]:
            seen.append(function(x))
            return seen[-1]

        with np.errstate(divide="ignore", invalid="ignore"):  # an output that never varies has no shares
            found = sobol_indices(
                func=watched, n=each, dists=[uniform()] * choices, rng=np.random.default_rng([seed, number])
            )
        variance = np.concatenate(seen[:2], axis=-1).var(axis=-1)
        shares = (
            np.nan_to_num(part.reshape(len(variance), choices)) for part in (found.first_order, found.total_order)
        )
        rounds.append((*shares, variance))
    first, total, variance = (np.array(part) for part in zip(*rounds, strict=True))
    return VarianceShares(first, total, variance)
