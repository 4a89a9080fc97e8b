"""Weights of models from their past losses, drawn to equal weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["combine", "loss_weights", "trial_losses"]

_FAR = 1.08


def trial_losses(means: NDArray[np.float64], actual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each model's absolute error relative to the arrivals, by trial.

    Parameters
    ----------
    means : numpy.ndarray, shape ``(M, K, H, S)``
    actual : numpy.ndarray, shape ``(K, H, S)``

    Returns
    -------
    numpy.ndarray, shape ``(M, K)``
        Infinite where a model could not be tried.
    """
    known = np.isfinite(actual)
    error = np.where(known, np.abs(means - np.where(known, actual, 0.0)), 0.0).sum(axis=(2, 3))
    total = np.where(known, actual, 0.0).sum(axis=(1, 2))
    loss = error / np.maximum(total, 1.0)
    return np.where(np.isnan(loss), np.inf, loss)


def loss_weights(
    losses: NDArray[np.float64],
    handicap: NDArray[np.float64] | None = None,
    *,
    sharpness: float = 6.0,
    trust: float = 4.0,
) -> NDArray[np.float64]:
    """Return weights of models: inverse powers of their mean loss, drawn to equality when trials are few.

    Models that lose by more than 8 % to the best one are left out. The others weigh
    ``t * loss**-sharpness / sum + (1 - t) / M`` with ``t = K / (K + trust)`` (Bates and Granger 1969, Oper. Res. Q.
    20:451; drawn to equality as in Stock and Watson 2004, J. Forecast. 23:405).

    Parameters
    ----------
    losses : numpy.ndarray, shape ``(M, K)``
        Of each model in each trial; infinite where it could not be tried.
    handicap : numpy.ndarray, shape ``(M,)``, optional
        Factors on the losses: what a model can't know is seldom met in the trials.

    Returns
    -------
    numpy.ndarray, shape ``(M,)``
        Adding up to 1.
    """
    models, trials = losses.shape
    mean = (losses.mean(axis=1) if trials else np.ones(models)) * (1.0 if handicap is None else handicap)
    usable = np.isfinite(mean)
    if not usable.any():
        return np.full(models, 1 / models)
    best = max(mean[usable].min(), 1e-9)
    usable &= mean <= _FAR * best
    power = np.where(usable, np.maximum(mean, 1e-9) / best, np.inf) ** -sharpness
    share = trials / (trials + trust)
    return share * power / power.sum() + (1 - share) * usable / usable.sum()


def combine(means: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean over the first axis; models that gave nothing there leave their weight to the others."""
    shape = (-1,) + (1,) * (means.ndim - 1)
    given = np.isfinite(means)
    weight = np.where(given, weights.reshape(shape), 0.0)
    total = weight.sum(axis=0)
    mean = np.where(given, means, 0.0)
    return np.where(total > 0, (weight * mean).sum(axis=0) / np.where(total > 0, total, 1.0), np.nan)
