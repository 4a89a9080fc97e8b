"""Weighted means that say how much of the weight was there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["group_means"]


def group_means(
    scores: ArrayLike, weights: ArrayLike, groups: Sequence[str], order: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Take the weighted mean of the columns of each group, over what is there.

    Weights of missing scores are shared out among the rest of the group in proportion (renormalised); a group without
    any score is missing itself.

    Parameters
    ----------
    scores : array_like, shape (rows, columns)
        Normalised scores; missing is NaN.
    weights : array_like, shape (columns,) or (rows, columns)
        Given weights, not negative.
    groups : sequence of str, length columns
        The group each column belongs to.
    order : sequence of str
        The groups wanted, in this order.

    Returns
    -------
    means : numpy.ndarray, shape (rows, groups)
    coverage : numpy.ndarray, shape (rows, groups)
        Share of the group's weight that was there, 0-1.
    shares : numpy.ndarray, shape (rows, columns)
        Weights as used: renormalised within each group, 0 where the score is missing.
    """
    score = np.atleast_2d(np.asarray(scores, dtype="float64"))
    weight = np.broadcast_to(np.asarray(weights, dtype="float64"), score.shape)
    member = np.asarray(groups)[:, None] == np.asarray(order)[None, :]
    used = np.where(np.isnan(score), 0.0, weight)
    there, given = used @ member, weight @ member
    with np.errstate(divide="ignore", invalid="ignore"):
        means = (np.nan_to_num(score) * used) @ member / there
        coverage = np.nan_to_num(there / given)
        shares = np.nan_to_num(used / (there @ member.T))
    return np.where(there > 0, means, np.nan), coverage, shares
