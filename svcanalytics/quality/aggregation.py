"""From metric scores to family scores and the index: one pure function of scores and weights, for any number of draws.

`score`, its band, resampling and explanation all go through `share` (which weights count, given what is there) and
`combine` (the means), so that they can't disagree about a missing measure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from svcanalytics.quality.means import group_shares, lift, membership, power_means
from svcanalytics.quality.profiles import Profile

__all__ = ["Aggregate", "Shares", "aggregate", "combine", "credit", "share"]

_NONE = 1e-12


@dataclass(frozen=True)
class Shares:
    """Weights as they count, for one pattern of what is there; shape (..., rows, metrics) or (..., rows, families).

    Attributes
    ----------
    within : numpy.ndarray of metrics
        Share of the metric's family; 0 for a missing one.
    between : numpy.ndarray of families
        Share of the index; 0 for a family that is missing or left out. NaN in a row without an index.
    coverage : numpy.ndarray of families
        Share of the family's weight that was there, 0-1.
    scored : numpy.ndarray of bool, of families
        Whether the family has a score: its coverage reaches the profile's `min_family_coverage`.
    index_coverage : numpy.ndarray, shape (..., rows)
        Share of all weight that counts, 0-1.
    member : numpy.ndarray, shape (metrics, families)
        1 where a metric belongs to a family.
    """

    within: NDArray[np.float64]
    between: NDArray[np.float64]
    coverage: NDArray[np.float64]
    scored: NDArray[np.bool_]
    index_coverage: NDArray[np.float64]
    member: NDArray[np.float64]

    @property
    def used(self) -> NDArray[np.float64]:
        """Share of the index of each metric; 0 for a missing one and in a row without an index."""
        return self.within * (np.nan_to_num(self.between) @ self.member.T)


@dataclass(frozen=True)
class Aggregate:
    """`index`, shape (..., rows), and `families`, shape (..., rows, families): 0-100, NaN where not given."""

    index: NDArray[np.float64]
    families: NDArray[np.float64]


def aggregate(scores: ArrayLike, weights: ArrayLike, profile: Profile) -> Aggregate:
    """Bring metric scores together in family scores and the index, exactly as `score` does.

    Parameters
    ----------
    scores : array_like, shape (..., rows, metrics)
        Normalised scores, 0-100, in the order of `profile.metrics`; missing is NaN.
    weights : array_like, broadcast with `scores`: (metrics,), (rows, metrics) or (..., rows, metrics)
        Given shares of the index (column `weight` of `IndexResult.weights`), adding up to 1 over the metrics.
    profile : Profile
        Families, kind of mean, smallest coverage; its weights and goalposts are not used.
    """
    score = np.asarray(scores, dtype="float64")
    return combine(score, share(~np.isnan(score), weights, profile), profile)


def share(there: NDArray[np.bool_], weights: ArrayLike, profile: Profile) -> Shares:
    """Work out which weights count, given what is there.

    The weight of a missing metric goes to the rest of its family in proportion, that of a family left out to the other
    families in proportion. Resampling that keeps the pattern of missing scores needs this once, not per draw.

    Parameters
    ----------
    there : numpy.ndarray of bool, shape (..., rows, metrics)
    weights : array_like, broadcast with `there`
        Given shares of the index.
    profile : Profile
    """
    member = membership([m.family for m in profile.metrics], list(profile.families))
    given = np.asarray(weights, dtype="float64")
    families = given @ member
    # A family that weighs nothing in the index still has a score of its own, by the profile's weights within it.
    inside = np.where(families @ member.T > 0, given, [m.weight for m in profile.metrics])
    within, coverage = group_shares(there, inside, member)
    scored = coverage >= max(profile.min_family_coverage, _NONE)
    between, _ = group_shares(scored, families, np.ones((len(profile.families), 1)))
    counts = within * (between @ member.T) > 0
    index_coverage = np.where(counts, given, 0.0).sum(axis=-1)
    enough = index_coverage >= max(profile.min_coverage, _NONE)
    return Shares(within, np.where(enough[..., None], between, np.nan), coverage, scored, index_coverage, member)


def combine(scores: NDArray[np.float64], shares: Shares, profile: Profile) -> Aggregate:
    """Take the means: metrics within families, families in the index.

    Parameters
    ----------
    scores : numpy.ndarray, shape (..., rows, metrics)
        With further axes in front of those of `shares` for draws; missing where `shares` says so.
    shares : Shares
        As `share` gave them.
    profile : Profile
    """
    means = power_means(scores, shares.within, shares.member, profile.power_within)
    families = np.where(shares.scored, means, np.nan)
    everything = np.ones((families.shape[-1], 1))
    index = power_means(families, np.nan_to_num(shares.between), everything, profile.power)[..., 0]
    return Aggregate(np.where(np.isnan(shares.between).any(axis=-1), np.nan, index), families)


def credit(scores: NDArray[np.float64], shares: Shares, profile: Profile) -> NDArray[np.float64]:
    """Return the points of the index that each metric brings; they add up to the index under every mean.

    A metric that scores 100 brings its weight in full. What the index lacks to 100 is shared out in proportion to
    weight x (g(100) - g(score)), with g the scale on which the mean is a plain sum (score^power, or its logarithm for
    the geometric mean): the Aumann-Shapley share on the straight way there from a full score (Aumann and Shapley 1974,
    Values of Non-Atomic Games). With arithmetic means that is weight x score. Under a mean that makes up less for a
    weak score, such a score can cost more than its weight, so that its points are negative.

    Parameters
    ----------
    scores, shares, profile
        As in `combine`.

    Returns
    -------
    numpy.ndarray, shape (..., rows, metrics)
        0 for a missing metric and in a row without an index.
    """
    reached = combine(scores, shares, profile)
    everything = np.ones((shares.member.shape[1], 1))
    of_family = _costs(reached.families, np.nan_to_num(shares.between), everything, profile.power)
    of_metric = _costs(scores, shares.within, shares.member, profile.power_within)
    lacking = 100 - np.nan_to_num(reached.index, nan=100.0)[..., None]
    return 100 * shares.used - lacking * of_metric * (of_family @ shares.member.T)


def _costs(
    parts: NDArray[np.float64], shares: NDArray[np.float64], member: NDArray[np.float64], power: float
) -> NDArray[np.float64]:
    """Return which portion of what its mean lacks to 100 each part is to blame for."""
    reached = lift(parts, power)
    distance = np.log(100 / reached) if power == 0 else np.abs(100.0**power - reached**power)
    cost = distance * shares
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(cost / (cost @ member @ member.T))
