"""Ranks that admit noise: who is really better than whom, which places a unit can have, which are tied.

Values are oriented before they come here: more is better, and rank 1 is the largest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.comparison.significance import holm, likelihood_roots, read_counts
from svcanalytics.quality.scaling import read_values

__all__ = ["rank_sets", "ranks", "separate", "separate_rates", "tie_groups"]

Method = Literal["max_t", "holm"]

_MOST_DRAWN = 400
"""Draws cost time with the square of the units: more of them than this are told apart by Holm's correction."""


def separate(
    values: ArrayLike,
    errors: ArrayLike,
    *,
    level: float = 0.95,
    method: Method = "max_t",
    step_down: bool = True,
    draws: int = 2000,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Tell for every pair whether one unit is really better than the other.

    All statements hold together: the chance that even one of them is false is at most 1 - `level`. ``max_t`` takes its
    limit from the largest of all standardised differences between units that are equal, drawn from their errors
    (Romano and Wolf 2005), and again from those not yet told apart until nothing is added (Mogstad, Romano, Shaikh and
    Wilhelm 2024, algorithm 3.2, with one-sided hypotheses). ``holm`` corrects the pairs' p-values (Holm 1979): without
    draws, and a little more cautious; more than 400 units are always told apart so, since draws for every pair of them
    would take minutes.

    Parameters
    ----------
    values, errors : array_like, shape (units,)
        Independent estimates, more is better, and their standard errors, 0 or more.
    level : float
        Confidence that no statement is false.
    method : {"max_t", "holm"}
    step_down : bool
        Whether ``max_t`` looks again; without, the limit is that of Tukey and Kramer.
    draws, seed : int
        Of ``max_t``.

    Returns
    -------
    numpy.ndarray of bool, shape (units, units)
        [j, k]: unit j is better than unit k.

    Raises
    ------
    CatalogueError
        For an unknown method, a level outside 0 to 1, missing values, or a negative error.
    """
    value, error = read_values(values, "ranks"), read_values(errors, "ranks")
    if value.shape != error.shape or not (np.isfinite(value).all() and np.isfinite(error).all() and (error >= 0).all()):
        raise CatalogueError(
            "values and errors must be numbers, and no error negative", where="ranks", fix="leave those units out"
        )
    gap = value[:, None] - value[None, :]
    spread = np.hypot(error[:, None], error[None, :])
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(gap == 0, 0.0, gap / spread)
    return _separated(z, value, error, level, method, step_down, draws, seed)


def separate_rates(
    hits: ArrayLike,
    trials: ArrayLike,
    *,
    dispersion: ArrayLike = 1.0,
    level: float = 0.95,
    method: Method = "max_t",
    draws: int = 2000,
    seed: int = 0,
) -> NDArray[np.bool_]:
    """Tell for every pair of units whether one's rate is really higher; as `separate`, for counts.

    The difference of a pair is the signed root of its likelihood ratio, which stays true where counts are small or
    rates are near 0 or 1.

    Parameters
    ----------
    hits, trials : array_like, shape (units,)
        0 <= hits <= trials, trials above 0; they need not be whole.
    dispersion : array_like
        How much larger the variance is than the binomial; a number, or one per unit.
    level, method, draws, seed
        As in `separate`.
    """
    x, n = read_counts(hits, trials)
    x, n = x / dispersion, n / dispersion
    z = likelihood_roots(x[:, None], n[:, None], x[None, :], n[None, :])
    return _separated(z, x / n, 1 / np.sqrt(n), level, method, True, draws, seed)


def ranks(values: ArrayLike) -> NDArray[np.int64]:
    """Return each unit's rank, 1 for the largest value; equal values share the better rank."""
    value = np.asarray(values, dtype="float64")
    return 1 + (value[None, :] > value[:, None]).sum(axis=1)


def rank_sets(better: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first and last rank each unit can have, given who is really better than whom.

    One more than the units above it, and the units less those below it: sets for all units at once, with the level at
    which the pairs were told apart (Mogstad, Romano, Shaikh and Wilhelm 2024, theorem 3.3).

    Parameters
    ----------
    better : array_like of bool, shape (units, units)
        As `separate` gives it.
    """
    told = np.asarray(better, dtype=bool)
    return 1 + told.sum(axis=0), len(told) - told.sum(axis=1)


def tie_groups(values: ArrayLike, better: ArrayLike) -> NDArray[np.int64]:
    """Number the groups of neighbouring places inside which no unit is really better than another.

    From the best downwards, a unit joins the group above it unless one of that group is really better; so what is said
    of a group is true of every pair in it. Neighbours in different groups need not differ.

    Parameters
    ----------
    values : array_like, shape (units,)
        More is better; equal values keep their order.
    better : array_like of bool, shape (units, units)

    Returns
    -------
    numpy.ndarray of int, shape (units,)
        1 for the best group.
    """
    told = np.asarray(better, dtype=bool)
    groups = np.zeros(len(told), dtype="int64")
    members: list[int] = []
    for unit in np.argsort(-np.asarray(values, dtype="float64"), kind="stable"):
        if not members or told[members, unit].any():
            members = []
            groups[unit] = groups.max() + 1
        else:
            groups[unit] = groups.max()
        members.append(int(unit))
    return groups


def _separated(
    z: NDArray[np.float64],
    value: NDArray[np.float64],
    error: NDArray[np.float64],
    level: float,
    method: Method,
    step_down: bool,
    draws: int,
    seed: int,
) -> NDArray[np.bool_]:
    from scipy.special import ndtr

    if not 0 < level < 1:
        raise CatalogueError(f"level {level:g} is not between 0 and 1", where="ranks", fix="give 0.95 for 95 %")
    if len(z) < 2:
        return np.zeros(z.shape, dtype=bool)
    if method == "holm" or (method == "max_t" and len(z) > _MOST_DRAWN):
        pairs = ~np.eye(len(z), dtype=bool)
        told = np.zeros(z.shape, dtype=bool)
        told[pairs] = holm(ndtr(-z[pairs])) <= 1 - level
        return told
    if method != "max_t":
        raise CatalogueError(f"there is no method {method!r} to tell pairs apart", fix="use max_t or holm")
    largest = _largest_differences(value, error, draws, seed)
    told = np.zeros(z.shape, dtype=bool)
    while True:
        limit = float(np.quantile(largest(~told), level))
        more = z > limit
        if not step_down or (more == told).all():
            return more | told
        told |= more


def _largest_differences(
    value: NDArray[np.float64], error: NDArray[np.float64], draws: int, seed: int
) -> Callable[[NDArray[np.bool_]], NDArray[np.float32]]:
    """Return a function of the hypotheses still open, giving each draw's largest standardised difference among them."""
    # Sorted, so that the same units in another order meet the same draws.
    order = np.lexsort((value, error))
    noise = np.random.default_rng(seed).standard_normal((len(error), draws)).astype("float32")
    drawn = np.empty_like(noise)
    drawn[order] = noise * error[order, None].astype("float32")
    spread = np.hypot(error[:, None], error[None, :])
    weight = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0).astype("float32")

    def largest(open_: NDArray[np.bool_]) -> NDArray[np.float32]:
        best = np.zeros(draws, dtype="float32")
        for unit in range(len(error)):
            above = np.flatnonzero(open_[unit])
            above = above[above != unit]
            if len(above):
                gaps = (drawn[unit] - drawn[above]) * weight[unit, above, None]
                np.maximum(best, gaps.max(axis=0), out=best)
        return best

    return largest
