"""Ways the index could as well have been built: how measures are normalised, how scores are averaged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.cells import normalise_columns
from svcanalytics.quality.profiles import Profile
from svcanalytics.quality.scaling import normalise

__all__ = ["Method", "score_values"]


@dataclass(frozen=True)
class Method:
    """One way to build the index.

    Parameters
    ----------
    normalisation : str
        As in `normalise`, but for z scores, which are on another scale than the index. "min_max" and "rank" look at
        the other units and periods of the measures.
    power, power_within : float, optional
        Of the mean of families and of metrics within one, as in `Profile`; None is the profile's own.
    """

    normalisation: Literal["goalposts", "distance", "min_max", "rank"] = "goalposts"
    power: float | None = None
    power_within: float | None = None

    def apply(self, profile: Profile) -> Profile:
        """Return the profile with these means."""
        asked = {"power": self.power, "power_within": self.power_within}
        return replace(profile, **{name: power for name, power in asked.items() if power is not None})


def score_values(
    values: NDArray[np.float64], known: NDArray[np.float64], profile: Profile, normalisation: str
) -> NDArray[np.float64]:
    """Score values, seen among the known ones where the normalisation looks at those.

    Ranks, z scores and shares of the range are those of the known values: in between a value is scored in proportion,
    and beyond the best and the worst straight on at the mean slope, so that they too can turn out better or worse.

    Parameters
    ----------
    values : numpy.ndarray, shape (..., metrics)
    known : numpy.ndarray, shape (rows, metrics)
        The measures of all units and periods.
    profile : Profile
        Directions and goalposts.
    normalisation : str
        As in `normalise`.

    Raises
    ------
    CatalogueError
        When there is no such normalisation.
    """
    if normalisation == "goalposts":
        return normalise_columns(values, profile)
    if normalisation == "z":
        raise CatalogueError("z scores are not on the scale of the index", where="normalisation", fix="use another")
    out = np.full(values.shape, np.nan)
    for column, metric in enumerate(profile.metrics):
        direction, posts = metric.goalposts.direction, metric.goalposts
        if normalisation == "distance":
            own = values[..., column]
            out[..., column] = normalise(own, "distance", direction=direction, floor=posts.floor, target=posts.target)
            continue
        there = known[~np.isnan(known[:, column]), column]
        if not len(there):
            continue
        scores = normalise(there, normalisation, direction=direction)
        if not np.isnan(scores).any():  # a constant tells nobody apart
            out[..., column] = _read_off(values[..., column], there, scores)
    return out


def _read_off(
    values: NDArray[np.float64], known: NDArray[np.float64], scores: NDArray[np.float64]
) -> NDArray[np.float64]:
    points, first = np.unique(known, return_index=True)
    heights = scores[first]
    slope = (heights[-1] - heights[0]) / (points[-1] - points[0])
    beyond = np.where(values < points[0], values - points[0], np.maximum(values - points[-1], 0))
    return np.interp(values, points, heights) + slope * beyond
