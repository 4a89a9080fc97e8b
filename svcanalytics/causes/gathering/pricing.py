"""What a measure that goes wrong costs the index: exactly, along its goalposts, with all else as it is."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.gathering.outcomes import level
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import Metric
from svcanalytics.quality import Profile, aggregate, normalise, score

__all__ = ["points_of", "price"]

_STEPS = 400
_SMALL = 1e-3


def price(
    measures: pd.DataFrame, profile: Profile, known: Mapping[str, Metric], period: str, counts: Mapping[str, int]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Work out what each metric's level costs the index in a period.

    Parameters
    ----------
    measures : DataFrame
        The profile's metrics of the whole, as `measure` gives them.
    profile : Profile
        What the index is scored with.
    known : mapping of str to Metric
        The catalogue's entries.
    period : str
        As written in the measures.
    counts : mapping of str to int
        Metric to the number of its rows in the period; metrics without any are left out.

    Returns
    -------
    worth : DataFrame
        metric, points (what one unit of ``bad`` in one row costs at present, to its better side where the goalposts
        bend), family, weight (share of the index).
    curves : DataFrame
        metric, level, index: the points between which the index runs straight; close together under a mean that isn't
        arithmetic. Both are empty when no index can be given.
    """
    now = measures[(measures["period"] == period) & measures["metric"].isin([m.metric for m in profile.metrics])]
    worth: list[tuple[str, float, str, float]] = []
    curves: list[tuple[str, float, float]] = []
    table = _weights(now, profile)
    bent = profile.power != 1 or profile.power_within != 1
    for number in np.flatnonzero(table["used"].to_numpy() > 0):
        each = profile.metrics[number]
        if not counts.get(each.metric):
            continue
        posts, value = each.goalposts, float(table["value"].iloc[number])
        values = np.array([posts.floor, posts.target, posts.goal, value])
        ends = values.min() - np.ptp(values), values.max() + np.ptp(values)
        values = np.unique([*values, *ends, *(np.linspace(*ends, _STEPS) if bent else ())])
        scores = np.tile(table["score"].to_numpy(), (len(values) + 1, 1))
        scores[:-1, number] = normalise(
            values, direction=posts.direction, floor=posts.floor, target=posts.target, goal=posts.goal
        )
        index = aggregate(scores[:, None, :], table["weight"].to_numpy(), profile).index[:, 0]
        levels = level(known[each.metric], values)
        order = np.argsort(levels)
        levels, index = levels[order], index[:-1][order]
        here = float(level(known[each.metric], value))
        step = _SMALL * np.ptp(levels)
        slope = (np.interp(here - step, levels, index) - np.interp(here, levels, index)) / step
        points = max(float(slope), 0.0) / counts[each.metric]
        worth.append((each.metric, points, each.family, float(table["used"].iloc[number])))
        curves += [(each.metric, float(at), float(reached)) for at, reached in zip(levels, index, strict=True)]
    return (
        pd.DataFrame(worth, columns=["metric", "points", "family", "weight"]).astype({"points": "float64"}),
        pd.DataFrame(curves, columns=["metric", "level", "index"]).astype({"level": "float64", "index": "float64"}),
    )


def points_of(material: Material, metric: str, excess: ArrayLike) -> NDArray[np.float64]:
    """Return the index points that an excess of a metric costs: the index without it less the index as it is.

    Parameters
    ----------
    material : Material
    metric : str
    excess : array_like
        Sums of ``bad`` beyond the expected; below 0 gives what was won.

    Returns
    -------
    numpy.ndarray
        In the shape of `excess`; NaN when the metric has no price.
    """
    amount = np.asarray(excess, dtype="float64")
    price_ = material.worth.loc[material.worth["metric"] == metric, "points"]
    if price_.empty:
        return np.full(amount.shape, np.nan)
    curve = material.curves[material.curves["metric"] == metric]
    rows = material.outcomes.get(metric)
    bad = np.zeros(0) if rows is None else rows.loc[rows["period"] == "now", "bad"].to_numpy("float64")
    if curve.empty or not len(bad):
        return amount * float(price_.iloc[0])
    levels, index = curve["level"].to_numpy(), curve["index"].to_numpy()
    here = bad.mean()
    return np.interp(here - amount / len(bad), levels, index) - np.interp(here, levels, index)


def _weights(measures: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    # The index's table of weights and scores; empty when no index can be given.
    nothing = pd.DataFrame({"used": pd.Series(dtype="float64")})
    if measures.empty:
        return nothing
    try:
        result = score(measures, profile)
    except CatalogueError:
        return nothing
    given = result.scores.loc[result.scores["family"] == "", "score"].notna().any()
    return result.weights.reset_index(drop=True) if given else nothing
