"""Bring measures of any unit and direction to one scale on which more is always better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError

__all__ = ["TARGET_SCORE", "check_goalposts", "normalise", "read_values"]

Method = Literal["goalposts", "distance", "min_max", "z", "rank"]

TARGET_SCORE = 80.0
"""What a measure scores that just meets its target."""


def normalise(
    values: ArrayLike,
    method: Method = "goalposts",
    *,
    direction: Literal["up", "down"] = "up",
    floor: float | None = None,
    target: float | None = None,
    goal: float | None = None,
) -> NDArray[np.float64]:
    """Normalise values, to 0-100 but for ``z``; more is better in the result whatever the direction of the measure.

    The direction is applied to the values, before they are scaled. Missing values stay missing, they never become 0.
    All methods but ``goalposts`` scale by the values present, so that the scores of a unit depend on who else is there;
    where these are all the same, the column can't tell units apart: it comes back missing and drops out with its
    weight. (``distance`` with a floor of its own doesn't need the others.)

    Parameters
    ----------
    values : array_like
        One measure, any shape, in its own unit.
    method : {"goalposts", "distance", "min_max", "z", "rank"}
        ``goalposts``: straight lines through floor = 0, target = 80 and goal = 100, flat outside. Where the target is
        the goal (nothing better exists) one straight line runs from floor = 0 to goal = 100.

        ``distance``: distance to the target: 100 there and beyond, 0 at the floor (without one, at the worst value
        present), one straight line between.

        ``min_max``: the worst value present becomes 0, the best 100.

        ``z``: standard deviations (n - 1) above the mean; below 0 for the worse half, so no mean but the arithmetic can
        take it.

        ``rank``: share of the other values that are worse, ties counting half. (All as in OECD/JRC Handbook 2008,
        step 5.)
    direction : {"up", "down"}
        Whether more is better ("up") or less ("down").
    floor, target, goal : float, optional
        The goalposts in the unit of `values`: all for ``goalposts``, the target and perhaps the floor for ``distance``.

    Returns
    -------
    numpy.ndarray
        Scores in the shape of `values`.

    Raises
    ------
    CatalogueError
        When goalposts are missing, not finite or out of order, values are no numbers or (but for ``goalposts``)
        infinite, or for an unknown method or direction.
    """
    sign = _sign(direction)
    array = read_values(values, "normalise", infinite=method == "goalposts") * sign
    if method == "distance":
        return _distance(array, target, floor, sign)
    if method in _BY_VALUES:
        return _BY_VALUES[method](array) if _varies(array) else np.full_like(array, np.nan)
    if method != "goalposts":
        raise CatalogueError(
            f"there is no normalisation named {method!r}", fix=f"use one of: {', '.join(get_args(Method))}"
        )
    posts = check_goalposts(floor, target, goal, direction)
    xs, ys = [posts[0] * sign, posts[1] * sign, posts[2] * sign], [0.0, TARGET_SCORE, 100.0]
    if posts[1] == posts[2]:
        xs, ys = [xs[0], xs[2]], [0.0, 100.0]
    scored = np.interp(array, xs, ys)
    return np.where(np.isnan(array), np.nan, scored)


def read_values(values: ArrayLike, where: str, *, infinite: bool = False) -> NDArray[np.float64]:
    """Return values as floats, NaN where missing; what is no number is refused, infinite ones unless asked for.

    Raises
    ------
    CatalogueError
    """
    try:
        if isinstance(values, pd.DataFrame | pd.Series):
            array = values.astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
        else:
            array = np.asarray(values, dtype="float64")
    except (TypeError, ValueError) as error:
        raise CatalogueError(f"not all values are numbers: {error}", where=where, fix="leave those out") from None
    if not infinite and np.isinf(array).any():
        raise CatalogueError("a value is infinite", where=where, fix="leave out what has a denominator of 0")
    return array


def check_goalposts(
    floor: float | None, target: float | None, goal: float | None, direction: str, *, where: str = ""
) -> tuple[float, float, float]:
    """Return the three goalposts when they are in order, floor worst and goal best.

    Raises
    ------
    CatalogueError
        Names what is missing or out of order; `where` is put into the message.
    """
    named = {"floor": floor, "target": target, "goal": goal}
    absent = [name for name, post in named.items() if post is None or not np.isfinite(post)]
    if absent:
        raise CatalogueError(
            f"has no {' and no '.join(absent)}", where=where, fix="give floor, target and goal as numbers"
        )
    low, middle, high = (float(post) * _sign(direction) for post in _present(floor, target, goal))
    if not low < middle <= high:
        order = "floor < target <= goal" if direction == "up" else "floor > target >= goal"
        raise CatalogueError(
            f"goalposts are out of order: floor {floor:g}, target {target:g}, goal {goal:g}",
            where=where,
            fix=f"direction is {direction!r}, so {order}",
        )
    return float(floor), float(target), float(goal)  # type: ignore[arg-type]


def _present(*posts: float | None) -> Sequence[float]:
    return [post for post in posts if post is not None]


def _sign(direction: str) -> int:
    if direction not in ("up", "down"):
        raise CatalogueError(f"there is no direction {direction!r}", fix='use "up" (more is better) or "down"')
    return 1 if direction == "up" else -1


def _varies(array: NDArray[np.float64]) -> bool:
    known = array[~np.isnan(array)]
    # Compared with its size: a column of 0.1 has a spread of rounding errors.
    return bool(len(known)) and bool(np.ptp(known) > 1e-12 * np.abs(known).max())


def _distance(array: NDArray[np.float64], target: float | None, floor: float | None, sign: int) -> NDArray[np.float64]:
    if target is None or not np.isfinite(target):
        raise CatalogueError("has no target", fix="give the target as a number")
    if floor is None and not _varies(array):
        return np.full_like(array, np.nan)
    best, worst = sign * target, np.nanmin(array) if floor is None else sign * floor
    if worst >= best:
        if floor is not None:
            raise CatalogueError(
                f"floor {floor:g} is no worse than the target {target:g}", fix="give a floor short of the target"
            )
        return np.where(np.isnan(array), np.nan, 100.0)
    return np.clip((array - worst) / (best - worst), 0, 1) * 100


def _min_max(array: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.nanmin(array), np.nanmax(array)
    return (array - low) / (high - low) * 100


def _z(array: NDArray[np.float64]) -> NDArray[np.float64]:
    return (array - np.nanmean(array)) / np.nanstd(array, ddof=1)


def _rank(array: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.stats import rankdata

    known = ~np.isnan(array)
    out = np.full_like(array, np.nan)
    out[known] = (rankdata(array[known]) - 1) / (known.sum() - 1) * 100
    return out


_BY_VALUES = {"min_max": _min_max, "z": _z, "rank": _rank}
