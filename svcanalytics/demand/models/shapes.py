"""How a day's volume spreads over its slots: a profile per weekday, drawn to the common one where data are thin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.matrix import DayMatrix

__all__ = ["Shapes", "fit_shapes", "kinds_of_days", "learnable"]

_OFF = ("holiday", "substituted")


@dataclass(frozen=True)
class Shapes:
    """Profiles by kind of day.

    Attributes
    ----------
    profiles : numpy.ndarray, shape ``(9, S)``
        Share of a usual day's volume by slot: Monday to Sunday, make-up working days, days off.
    """

    profiles: NDArray[np.float64]

    def of(self, days: DayMatrix) -> NDArray[np.float64]:
        """Return each day's profile times exposure, shape ``(D, S)``: 0 where closed, summing to 1 on a usual day."""
        return self.profiles[kinds_of_days(days)] * days.exposure


def kinds_of_days(days: DayMatrix) -> NDArray[np.intp]:
    """Return the kind of each day: 0 to 6 for Monday to Sunday, 7 for make-up working days, 8 for days off by law."""
    kind = days.features["day_class"].to_numpy(dtype=str)
    weekday = days.days.day_of_week.to_numpy()
    return np.where(kind == "make_up", 7, np.where(np.isin(kind, _OFF), 8, weekday))


def learnable(history: DayMatrix) -> NDArray[np.bool_]:
    """Tell which days can be learned from: recorded in full and not excluded, shape ``(D,)``."""
    excluded = history.features.get("excluded")
    return history.recorded if excluded is None else history.recorded & ~excluded.to_numpy(dtype=bool)


def fit_shapes(history: DayMatrix, *, half_life: float = 70.0, reach: float = 0.7) -> Shapes:
    """Fit profiles.

    A kind's profile is the common profile times a ratio per slot; ratios are drawn to 1 by the share of their variance
    that is noise (empirical Bayes: Efron and Morris 1973, J. Amer. Statist. Assoc. 68:117) and smoothed over
    neighbouring slots. Days count for less the older they are.

    Parameters
    ----------
    history : DayMatrix
    half_life : float
        Days after which a day counts half.
    reach : float
        Standard deviation of the smoothing kernel, in slots.
    """
    use = learnable(history)
    age = np.arange(len(use), 0, -1.0)
    weight = np.where(use, 0.5 ** (age / half_life), 0.0)
    counts, exposure = np.nan_to_num(history.counts), history.exposure
    common = _rate(weight @ counts, weight @ exposure)
    totals = counts.sum(axis=1)
    expected = exposure * common
    expected *= (totals / np.maximum(expected.sum(axis=1), 1e-12))[:, None]
    # Noise of a slot given the day's total, as a multiple of its expected count.
    dispersion = (weight @ ((counts - expected) ** 2)).sum() / max((weight @ expected).sum(), 1e-12)
    member = weight * (kinds_of_days(history) == np.arange(9)[:, None])
    mass = np.maximum(member.sum(axis=1, keepdims=True), 1e-12)
    e, n = member @ expected, member @ counts
    seen = e > 0
    # How far a kind's slots are off the common profile, and how far chance alone would put them.
    off = np.where(seen, n / np.maximum(e, 1e-12) - 1.0, 0.0)
    chance = np.where(seen, (member**2).sum(axis=1, keepdims=True) / mass * dispersion / np.maximum(e, 1e-12), 0.0)
    real = (e * (off**2 - chance)).sum(axis=1, keepdims=True) / np.maximum(e.sum(axis=1, keepdims=True), 1e-12)
    real = np.maximum(real, 0.0)
    ratio = 1.0 + np.where(seen, off * real / (real + chance + 1e-12), 0.0)
    # Smoothed over slots that were ever open: closed ones, of which a wider matrix has more, say nothing.
    kernel = _kernel(len(common), reach) * (weight @ exposure > 0)
    kernel /= np.maximum(kernel.sum(axis=1, keepdims=True), 1e-12)
    profiles = common * np.maximum(ratio @ kernel.T, 0.05)
    usual = np.where(seen.any(axis=1, keepdims=True), member @ exposure / mass, 1.0)
    return Shapes(profiles / np.maximum((profiles * usual).sum(axis=1, keepdims=True), 1e-12))


def _rate(counts, exposure):
    rate = np.where(exposure > 0, counts / np.maximum(exposure, 1e-12), 0.0)
    # A slot never seen open or never called may still be called one day.
    return np.maximum(rate, 1e-4 * max(rate.max(initial=0.0), 1e-6))


def _kernel(size, reach):
    at = np.arange(size)
    kernel = np.exp(-0.5 * ((at[:, None] - at) / reach) ** 2)
    return kernel / kernel.sum(axis=1, keepdims=True)
