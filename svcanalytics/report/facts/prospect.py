"""What the next value of a measure is likely to be, from its level and trend so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Outlook", "miss_chance", "predict_next"]

#: Fewer periods than this tell too little about the next.
LEAST_PERIODS = 4
_SMOOTHING = (0.3, 0.6, 1.0)
# Chosen on made-up walks with noise and drift so that chances hold; the test draws other walks.
_TREND, _DAMPING, _FIRST_CHANGES = 0.3, 0.95, 3


@dataclass(frozen=True)
class Outlook:
    """What the next value of a series is expected to be: Student's t around `mean`.

    Attributes
    ----------
    mean, std : float
    degrees : int
        Degrees of freedom.
    trend : float
        What is added for the trend; 0 where the past shows none that predicts.
    """

    mean: float
    std: float
    degrees: int
    trend: float = 0.0


def predict_next(values: Sequence[float], error: float = 0.0) -> Outlook | None:
    """Predict the next value of a short series by exponential smoothing, with a damped trend where that is better.

    Among smoothing weights 0.3, 0.6 and 1, each with and without a trend (weight 0.3, damped by 0.95, begun as the mean
    of the first three changes; Gardner and McKenzie 1985), the one is taken whose forecasts of one step were best in
    the series itself. Their mean squared error gives the spread, with a degree of freedom less for the weight and one
    for a trend.

    Parameters
    ----------
    values : sequence of float
        In order of time, without gaps.
    error : float
        Standard error of the last value; the spread is never smaller.

    Returns
    -------
    Outlook or None
        None from fewer than four values.
    """
    series = np.asarray(values, dtype=float)
    if len(series) < LEAST_PERIODS:
        return None
    trends = (0.0, _TREND) if len(series) >= LEAST_PERIODS + _FIRST_CHANGES else (0.0,)
    best = None
    for beta in trends:
        for alpha in _SMOOTHING:
            ahead, trend, errors = _smooth(series, alpha, beta)
            # All are judged by the same errors: those of the first changes, which begin a trend, count for none.
            judged = float((errors[_FIRST_CHANGES if len(trends) > 1 else 0 :] ** 2).mean())
            if best is None or judged < best[0]:
                best = judged, ahead, trend, errors[_FIRST_CHANGES:] if beta else errors, 2 if beta else 1
    _, ahead, trend, errors, fitted = best
    degrees = len(errors) - fitted
    return Outlook(ahead, max(float((errors**2).sum() / degrees) ** 0.5, error), degrees, trend)


def miss_chance(outlook: Outlook, target: float, direction: str) -> float:
    """Return the chance that the next value misses a target ("up": stays below it)."""
    from scipy.stats import t

    if outlook.std <= 0:
        return float((outlook.mean < target) == (direction == "up") and outlook.mean != target)
    below = float(t.cdf((target - outlook.mean) / outlook.std, outlook.degrees))
    return below if direction == "up" else 1.0 - below


def _smooth(series: np.ndarray, alpha: float, beta: float) -> tuple[float, float, np.ndarray]:
    """Return the forecast of the next value, its trend, and the errors of the forecasts so far."""
    level, errors = series[0], []
    trend = float(np.diff(series[: _FIRST_CHANGES + 1]).mean()) if beta else 0.0
    for value in series[1:]:
        ahead = level + _DAMPING * trend
        errors.append(value - ahead)
        level, before = ahead + alpha * (value - ahead), level
        trend = (1 - beta) * _DAMPING * trend + beta * (level - before) if beta else 0.0
    return float(level + _DAMPING * trend), float(_DAMPING * trend), np.array(errors)
