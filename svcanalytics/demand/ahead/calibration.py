"""Learning a spread from what trials missed: by how much days, parts of days and slots were off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.ahead.spread import Spread, Stretch, conformal_stretch
from svcanalytics.demand.ahead.trials import Trials

__all__ = ["calibrate", "lead_groups", "within_days"]

_PATTERNS = 3
_LEAD_GROUPS = 3
_SLOT_TRUST = 15.0
_LEAST = 0.5
_EDGE = 1.1


def calibrate(
    mean: NDArray[np.float64],
    covariance: NDArray[np.float64],
    trials: Trials,
    tried: NDArray[np.float64],
    residuals: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Spread:
    """Fit a spread.

    Parameters
    ----------
    mean : numpy.ndarray, shape ``(D, S)``
        Forecast of the open days.
    covariance : numpy.ndarray, shape ``(D, D)``
        What the day regression expects of the log day totals.
    trials : Trials
    tried : numpy.ndarray, shape ``(K, H, S)``
        What the forecast's own combination gave in the trials.
    residuals : tuple of numpy.ndarray, each ``(N, S)``
        Counts of past days and what their own totals and profiles make expected: how slots move within a day.
    """
    patterns, noise = within_days(*residuals)
    lead = lead_groups(len(mean))
    if not len(trials):
        return Spread(
            mean, covariance, conformal_stretch(np.empty(0), np.empty(0, int), _LEAD_GROUPS), lead, patterns, noise
        )
    known = np.isfinite(trials.actual) & np.isfinite(tried)
    total = np.where(known, trials.actual, 0.0).sum(axis=2)
    expected = np.where(known, tried, 0.0).sum(axis=2)
    own = np.einsum("khh->kh", trials.covariance)
    missed = np.log(total + 0.5) - np.log(expected + 0.5)
    with np.errstate(invalid="ignore", divide="ignore"):
        score = np.where(expected > 0, missed / np.sqrt(own + 1.0 / np.maximum(expected, 0.5)), np.nan)
    repeats = trials.rows.size / len(np.unique(trials.rows))
    tried_lead = np.broadcast_to(lead_groups(trials.rows.shape[1]), score.shape)
    found = conformal_stretch(score.ravel(), tried_lead.ravel(), _LEAD_GROUPS, repeats=repeats)
    busy = _without_chance(found, own, expected, tried_lead)
    scale = _slot_scale(trials, tried, known, own, busy, tried_lead, patterns, noise, repeats)
    return Spread(mean, covariance, busy, lead, patterns * scale, noise * scale)


def lead_groups(days: int) -> NDArray[np.intp]:
    """Return the group of each day of a horizon: the first two, the rest of the first week, what comes later."""
    return np.digitize(np.arange(days), [2, 5])


def _without_chance(found: Stretch, own, expected, group) -> Stretch:
    # Scores are of busyness and Poisson chance together; what is stretched is busyness alone.
    scores = found.scores.copy()
    for g in range(len(scores)):
        at = group == g
        if not at.any():
            continue
        ratio = np.nanmedian(1.0 / np.maximum(expected[at], 0.5) / own[at])
        normal = np.array([0.67448975, 1.28155157, 1.95996398])
        factor = (scores[g] / normal) ** 2
        scores[g] = normal * np.sqrt(np.maximum(factor + (factor - 1) * ratio, 0.05))
    return Stretch(np.maximum.accumulate(scores, axis=1))


def _slot_scale(trials, tried, known, own, busy, group, patterns, noise, repeats):
    # One factor on all that moves within days, so that 80 % of slots' errors are within their 80 % interval.
    within = (patterns**2).sum(axis=0) + noise**2
    if not within.any():
        return 1.0
    stretch = busy.scores[:, 1] / 1.28155157
    day = (own * stretch[group] ** 2)[:, :, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        error = (np.log(trials.actual + 0.5) - np.log(tried + 0.5)) ** 2
        chance = 1.0 / np.maximum(tried, 0.5)
        usable = known & (tried > 2)
    if usable.sum() < 20:
        return 1.0
    best = 1.0
    options = np.geomspace(0.4, 2.5, 31)
    n = usable.sum() / repeats
    rank = min(np.ceil((n + 1) * 0.8) / n, 1.0)
    widths = [np.quantile((error / (day + chance + s**2 * within))[usable], rank) for s in options]
    fits = np.flatnonzero(np.array(widths) <= 1.28155157**2)
    best = options[fits[0]] if len(fits) else options[-1]
    days = len(np.unique(trials.rows))
    return float(best ** (days / (days + _SLOT_TRUST)))


def within_days(
    counts: NDArray[np.float64], expected: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return patterns ``(K, S)`` and noise ``(S,)`` of the log rates of slots given the day's total.

    Pearson residuals of pure chance have variance 1, and the largest eigenvalues of their covariance exceed it for want
    of days alone; what is kept is corrected for that (spiked covariance: Baik and Silverstein 2006, J. Multivar. Anal.
    97:1382; Donoho, Gavish and Johnstone 2018, Ann. Statist. 46:1742, eq. 1.10).

    Parameters
    ----------
    counts : numpy.ndarray, shape ``(N, S)``
        NaN where closed.
    expected : numpy.ndarray, shape ``(N, S)``
        Each day's total times its profile.
    """
    days, slots = counts.shape
    usable = np.isfinite(counts) & (expected > _LEAST)
    none = np.zeros((0, slots)), np.zeros(slots)
    if slots == 1 or usable.sum() < 5 * slots:
        return none
    pearson = np.where(usable, (counts - expected) / np.sqrt(np.maximum(expected, _LEAST)), 0.0)
    size = np.where(usable, expected, 0.0).sum(axis=0) / np.maximum(usable.sum(axis=0), 1)
    pearson = np.clip(pearson, -4 * np.sqrt(1 + 0.02 * expected), 4 * np.sqrt(1 + 0.02 * expected))
    values, vectors = np.linalg.eigh(pearson.T @ pearson / days)
    values, vectors = values[::-1], vectors[:, ::-1]
    seen = int((usable.sum(axis=0) > 0).sum())
    # Chance alone has variance 1, whatever was left after its largest eigenvalues.
    bulk = max(values[_PATTERNS:].sum() / max(seen - _PATTERNS, 1), 1.0)
    thin = seen / days
    kept = [k for k in range(min(_PATTERNS, slots)) if values[k] > _EDGE * bulk * (1 + np.sqrt(thin)) ** 2]
    real = np.array([_spike(values[k] / bulk, thin) for k in kept]) * bulk
    relative = 1.0 / np.sqrt(np.maximum(size, _LEAST))
    patterns = vectors[:, kept].T * np.sqrt(np.maximum(real - bulk, 0.0))[:, None] * relative
    # What is beyond Poisson in every slot alike, of the size of a share of its rate.
    spare = max(bulk - 1.0, 0.0) * seen / max(size.sum(), 1e-9)
    return patterns, np.full(slots, np.sqrt(spare))


def _spike(value, thin):
    """Return the true eigenvalue behind one of a sample, both in units of the noise."""
    middle = value + 1.0 - thin
    return (middle + np.sqrt(max(middle**2 - 4.0 * value, 0.0))) / 2.0
