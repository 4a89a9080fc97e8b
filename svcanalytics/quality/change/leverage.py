"""How many points of the index a point of each score, and each shift of weight, was worth between two periods."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.quality.aggregation import share
from svcanalytics.quality.cells import normalise_columns
from svcanalytics.quality.means import LEAST, lift, power_means
from svcanalytics.quality.profiles import Profile

__all__ = ["Leverage", "find_leverage", "goalpost_slopes"]

_SAME = 1e-6


@dataclass(frozen=True)
class Leverage:
    """The change of the index without remainder: the sum of score_worth x change of score, and of all the shifts.

    Attributes
    ----------
    score_worth : numpy.ndarray, shape (metrics,)
        Points of the index per point of the metric's score; 0 for a metric that did not count on both sides.
    family_shifts, metric_shifts : dict of str to numpy.ndarray, shape (families,) and (metrics,)
        Points of the index that shifts of weight brought, by "weights" (other weights were given) and "missing" (other
        things were measured): between families, and within them between metrics. Weight that moves to what scores
        above the average adds points.
    """

    score_worth: NDArray[np.float64]
    family_shifts: dict[str, NDArray[np.float64]]
    metric_shifts: dict[str, NDArray[np.float64]]


def find_leverage(scores: NDArray[np.float64], weights: NDArray[np.float64], profile: Profile) -> Leverage:
    """Take the change of an index apart into its scores and its weights, for any power means in and between families.

    On the scale on which a mean is a plain sum (score^power), the change is one of sums of weight x score, split as
    Kitagawa (1955) does: mean weight x change of score, and change of weight x mean score less the average. From one
    scale to the next goes the slope of the straight line between the two periods' values, as in Divisia decompositions
    (Ang 2004, Energy Policy 32:1131). No order is chosen and nothing is left over. With arithmetic means and constant
    weights a metric's part is weight x change of score.

    Parameters
    ----------
    scores, weights : numpy.ndarray, shape (2, metrics)
        Normalised scores (NaN where missing) and given shares of the index, before and after.
    profile : Profile
        Families, powers and smallest coverages.
    """
    there = ~np.isnan(scores)
    # Shares as used, for each given weights (first axis) with each pattern of what was there (second axis).
    used = [[share(there[t], weights[w], profile) for t in (0, 1)] for w in (0, 1)]
    member = used[0][0].member
    within, between = (
        np.array([[np.nan_to_num(getattr(each, name)) for each in row] for row in used])
        for name in ("within", "between")
    )
    sides = [0, 1], [0, 1]
    # A family that has no say on one side stands there as on the other: all it does is to take or give up weight.
    silent = (between[sides] == 0) @ member.T > 0
    within = np.where(silent, within[::-1, ::-1], within)
    known = np.where(there & ~silent, scores, scores[::-1])
    known = np.where(np.isnan(known), scores, known)
    power, power_within, whole = profile.power, profile.power_within, np.ones((member.shape[1], 1))
    families = np.nan_to_num(power_means(known, within[sides], member, power_within))
    index = power_means(families, between[sides], whole, power)
    per_family = _slopes(families, power) * _lifted(families, power) / _slopes(index, power)
    family_worth = between[sides].mean(axis=0) * per_family
    per_metric = family_worth / _slopes(families, power_within) @ member.T
    worth = within[sides].mean(axis=0) * _slopes(known, power_within) * _lifted(known, power_within) * per_metric
    outer = _gains(families, between[sides], whole, power) / _slopes(index, power)
    outer = np.where(between[sides].any(axis=0), outer, 0.0)  # what never had a say has nothing to gain
    inner = _gains(known, within[sides], member, power_within) * per_metric
    return Leverage(
        np.where(there.all(axis=0) & ~silent.any(axis=0), worth, 0.0),
        {source: outer * moved for source, moved in _moves(between).items()},
        {source: inner * moved for source, moved in _moves(within).items()},
    )


def goalpost_slopes(before: NDArray[np.float64], after: NDArray[np.float64], profile: Profile) -> NDArray[np.float64]:
    """Return points of score per unit of each metric's value, on average between two values; shape (..., metrics).

    Exact where the two lie on different sides of a goalpost. At a goalpost itself it is the mean of the two sides.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        secant = (normalise_columns(after, profile) - normalise_columns(before, profile)) / (after - before)
    step = np.array([1e-6 * abs(m.goalposts.goal - m.goalposts.floor) for m in profile.metrics])
    middle = (before + after) / 2
    local = (normalise_columns(middle + step, profile) - normalise_columns(middle - step, profile)) / (2 * step)
    return np.where(np.abs(after - before) > step * _SAME, secant, local)


def _slopes(values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """Return the slope of score^power between the two sides: of the secant, or of the curve where they agree."""
    if power == 1:
        return np.ones(values.shape[1:])
    low, high = lift(values, power)
    middle = np.maximum((low + high) / 2, _SAME)
    near = np.abs(high - low) <= _SAME * middle
    with np.errstate(divide="ignore", invalid="ignore"):
        secant = (_curve(high, power) - _curve(low, power)) / (high - low)
    return np.where(near, 1 / middle if power == 0 else power * middle ** (power - 1), secant)


def _lifted(values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """Return how much of a change of score counts where low scores count as `LEAST`."""
    if power > 0:
        return np.ones(values.shape[1:])
    low, high = values
    with np.errstate(divide="ignore", invalid="ignore"):
        counted = (np.maximum(high, LEAST) - np.maximum(low, LEAST)) / (high - low)
    return np.where(high == low, high > LEAST, counted)


def _curve(values: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    return np.log(values) if power == 0 else values**power


def _gains(
    values: NDArray[np.float64], shares: NDArray[np.float64], member: NDArray[np.float64], power: float
) -> NDArray[np.float64]:
    """Return how far each part stands above the average of its group, on the scale where the mean is a sum."""
    curve = _curve(lift(values, power), power)
    average = (curve * shares) @ member
    return (curve - average @ member.T).mean(axis=0)


def _moves(shares: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Split a change of shares [weights, there] into that of the weights and that of what was there (Shapley)."""
    weights = (shares[1, 0] - shares[0, 0] + shares[1, 1] - shares[0, 1]) / 2
    return {"weights": weights, "missing": shares[1, 1] - shares[0, 0] - weights}
