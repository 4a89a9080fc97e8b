"""Learning a spread from what trials missed: by how much days, parts of days and slots were off."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.models.drawing import busyness_cv
from svcanalytics.demand.spread import Spread, Stretch, conformal_stretch
from svcanalytics.demand.trials import Trials

__all__ = ["calibrate"]

_PATTERNS = 3
_LEAD_GROUPS = 3
_SLOT_TRUST = 40.0


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
    patterns, noise = _within_days(*residuals)
    lead = _lead_groups(len(mean))
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
    tried_lead = np.broadcast_to(_lead_groups(trials.rows.shape[1]), score.shape)
    found = conformal_stretch(score.ravel(), tried_lead.ravel(), _LEAD_GROUPS, repeats=repeats)
    busy = _without_chance(found, own, expected, tried_lead)
    scale = _slot_scale(trials, tried, known, own, busy, tried_lead, patterns, noise, repeats)
    return Spread(mean, covariance, busy, lead, patterns * scale, noise * scale)


def _lead_groups(days):
    # The first two days, the rest of the first week, what comes later.
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


def _within_days(counts, expected):
    """Return patterns ``(K, S)`` and noise ``(S,)`` of the log rates of slots given the day's total."""
    slots = counts.shape[1]
    usable = np.isfinite(counts) & (expected > 0)
    if slots == 1 or usable.sum() < 3 * slots:
        return np.zeros((0, slots)), np.zeros(slots)
    floor = 0.5
    off = np.where(usable, counts / np.maximum(expected, floor) - 1.0, 0.0)
    # Precision of a slot's relative error; quiet slots say little of it.
    weight = np.where(usable, expected, 0.0)
    weight = weight / (1.0 + 0.02 * weight)
    chance = np.where(usable, 1.0 / np.maximum(expected, floor), 0.0)
    off = np.clip(off, -4 * np.sqrt(chance + 0.02), 4 * np.sqrt(chance + 0.02))
    root = np.sqrt(weight)
    cross = (root * off).T @ (root * off)
    norm = np.maximum(root.T @ root, 1e-9)
    covariance = cross / norm
    spare = (weight * (off**2 - chance)).sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-9)
    np.fill_diagonal(covariance, np.maximum(spare, 0.0))
    values, vectors = np.linalg.eigh(covariance)
    kept = [i for i in np.argsort(values)[::-1][:_PATTERNS] if values[i] > 1e-5]
    patterns = (vectors[:, kept] * np.sqrt(values[kept])).T
    left = np.maximum(spare, 0.0) - (patterns**2).sum(axis=0)
    return patterns, np.sqrt(np.maximum(left, 0.0))


def residual_cv(totals: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    return busyness_cv(totals, expected)
