"""Weighted means of groups of columns: arithmetic, geometric, or of any power, over what is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["LEAST", "group_means", "group_shares", "lift", "membership", "power_means"]

LEAST = 1.0
"""What a lower score counts as under a mean of power 0 or less, which a single 0 would otherwise bring down to 0."""


def group_means(
    scores: ArrayLike, weights: ArrayLike, groups: Sequence[str], order: Sequence[str], power: float = 1.0
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
    power : float
        Of the mean, as in `power_means`.

    Returns
    -------
    means : numpy.ndarray, shape (rows, groups)
    coverage : numpy.ndarray, shape (rows, groups)
        Share of the group's weight that was there, 0-1.
    shares : numpy.ndarray, shape (rows, columns)
        Weights as used: renormalised within each group, 0 where the score is missing.
    """
    score = np.atleast_2d(np.asarray(scores, dtype="float64"))
    member = membership(groups, order)
    shares, coverage = group_shares(~np.isnan(score), weights, member)
    return power_means(score, shares, member, power), coverage, shares


def membership(groups: Sequence[str], order: Sequence[str]) -> NDArray[np.float64]:
    """Return 1 where a column (row of the result) belongs to a group (column of the result), else 0."""
    return (np.asarray(groups)[:, None] == np.asarray(order)[None, :]).astype("float64")


def group_shares(
    there: NDArray[np.bool_], weights: ArrayLike, member: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Renormalise weights within each group over what is there.

    Parameters
    ----------
    there : numpy.ndarray of bool, shape (..., columns)
    weights : array_like, broadcast with `there`
    member : numpy.ndarray, shape (columns, groups)

    Returns
    -------
    shares : numpy.ndarray, shape (..., columns)
        Adding up to 1 in every group with anything there, 0 elsewhere.
    coverage : numpy.ndarray, shape (..., groups)
        Share of the group's weight that was there, 0-1.
    """
    given = np.asarray(weights, dtype="float64")
    used = np.where(there, given, 0.0)
    total = used @ member
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(used / (total @ member.T)), np.nan_to_num(total / (given @ member))


def power_means(
    scores: NDArray[np.float64], shares: NDArray[np.float64], member: NDArray[np.float64], power: float = 1.0
) -> NDArray[np.float64]:
    """Take the weighted power mean of each group: (sum of share x score^power)^(1/power).

    1 is the arithmetic mean (a weak score is made up for in full), 0 the geometric, -1 the harmonic; the lower the
    power, the less a strong score makes up for a weak one (Hardy, Littlewood and Polya 1934, Inequalities, 2.1;
    OECD/JRC Handbook 2008, step 6).

    Parameters
    ----------
    scores : numpy.ndarray, shape (..., columns)
        0-100; missing is NaN. With a power of 0 or less a score below `LEAST` counts as `LEAST`.
    shares : numpy.ndarray, broadcast with `scores`
        Adding up to 1 within each group, 0 where the score is missing.
    member : numpy.ndarray, shape (columns, groups)
    power : float

    Returns
    -------
    numpy.ndarray, shape (..., groups)
        NaN for a group without any share.
    """
    lifted = lift(scores, power)
    if power == 1:
        means = (lifted * shares) @ member
    elif power == 0:
        means = np.exp((np.log(lifted) * shares) @ member)
    else:
        with np.errstate(divide="ignore"):
            means = ((lifted**power * shares) @ member) ** (1 / power)
    return np.where(shares @ member > 0, means, np.nan)


def lift(scores: NDArray[np.float64], power: float) -> NDArray[np.float64]:
    """Return scores as a mean of this power takes them: missing ones as numbers that no share touches."""
    known = np.nan_to_num(scores)
    return known if power > 0 else np.maximum(known, LEAST)
