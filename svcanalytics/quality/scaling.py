"""Bring measures of any unit and direction to one scale from 0 to 100, where more is always better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import CatalogueError

__all__ = ["TARGET_SCORE", "check_goalposts", "normalise"]

TARGET_SCORE = 80.0
"""What a measure scores that just meets its target."""


def normalise(
    values: ArrayLike,
    method: Literal["goalposts", "min_max"] = "goalposts",
    *,
    direction: Literal["up", "down"] = "up",
    floor: float | None = None,
    target: float | None = None,
    goal: float | None = None,
) -> NDArray[np.float64]:
    """Normalise values to 0-100; more is better in the result whatever the direction of the measure.

    Parameters
    ----------
    values : array_like
        One measure, any shape, in its own unit. Missing values stay missing, they never become 0.
    method : {"goalposts", "min_max"}
        ``goalposts``: straight lines through floor = 0, target = 80 and goal = 100, flat outside. Where the target is
        the goal (nothing better exists) one straight line runs from floor = 0 to goal = 100.
        ``min_max``: the worst value present becomes 0, the best 100 (OECD/JRC Handbook 2008, step 5). A constant column
        can't tell units apart, so it comes back missing and drops out together with its weight.
    direction : {"up", "down"}
        Whether more is better ("up") or less ("down").
    floor, target, goal : float, optional
        The goalposts in the unit of `values`; needed by ``goalposts`` only.

    Returns
    -------
    numpy.ndarray
        Scores from 0 to 100 in the shape of `values`.

    Raises
    ------
    CatalogueError
        When goalposts are missing, not finite or out of order.
    """
    sign = _sign(direction)
    array = np.asarray(values, dtype="float64") * sign
    if method == "min_max":
        return _min_max(array)
    if method != "goalposts":
        raise CatalogueError(f"there is no normalisation named {method!r}", fix="use goalposts or min_max")
    posts = check_goalposts(floor, target, goal, direction)
    xs, ys = [posts[0] * sign, posts[1] * sign, posts[2] * sign], [0.0, TARGET_SCORE, 100.0]
    if posts[1] == posts[2]:
        xs, ys = [xs[0], xs[2]], [0.0, 100.0]
    scored = np.interp(array, xs, ys)
    return np.where(np.isnan(array), np.nan, scored)


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


def _min_max(array: NDArray[np.float64]) -> NDArray[np.float64]:
    if np.isnan(array).all():
        return array
    low, high = np.nanmin(array), np.nanmax(array)
    if low == high:
        return np.full_like(array, np.nan)
    return (array - low) / (high - low) * 100
