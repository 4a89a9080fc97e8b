"""Why the index moved, or the heaviest measure where there is no index: contributions, fetched once for the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from svcanalytics import quality
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.intervals import benjamini_hochberg

if TYPE_CHECKING:
    from svcanalytics.quality import Dependence, IndexResult, Profile
    from svcanalytics.report.facts.readings import Reading

__all__ = ["SHIFTS", "Movement", "explain_index", "explain_measure", "fold_lines", "single_profile", "widen"]

SHIFTS = ("weights", "missing")
"""Sources that are no change of quality."""

_LEVEL = 0.05
_NOTHING = 1e-9


@dataclass(frozen=True)
class Movement:
    """Why one number moved between two periods.

    Attributes
    ----------
    metric : str
        "" for the index, else the measure explained in its place.
    period, baseline : str
    before, after, change, low, high : float
        Of the index in points, of a measure in its own unit; low and high bound the change (95 %).
    lines : DataFrame
        What adds up to the change, as `quality.explain` gives it: of the index one line per metric and those of
        weights, of a measure one per group.
    groups : DataFrame
        The index's lines by group, with a column ``found``: told from noise when metrics are tested first and groups
        within those that moved. Empty where nothing splits it.
    dimension : str
        team or channel; "" without groups.
    """

    metric: str
    period: str
    baseline: str
    before: float
    after: float
    change: float
    low: float
    high: float
    lines: pd.DataFrame
    groups: pd.DataFrame = field(default_factory=pd.DataFrame)
    dimension: str = ""

    @property
    def certain(self) -> bool:
        """Whether sampling error alone can't explain the change."""
        return self.low > 0 or self.high < 0


def explain_index(
    history: pd.DataFrame,
    parts: pd.DataFrame,
    dimension: str,
    index: IndexResult | None,
    profile: Profile | None,
    period: str,
    baseline: str,
    dependence: Dependence | None,
) -> Movement | None:
    """Explain the change of the index by metric, and each metric by the groups of a dimension.

    Parameters
    ----------
    history, parts : DataFrame
        The profile's metrics as a whole and by `dimension`; parts may be empty.
    dimension : str
        Column of the parts.
    index, profile : IndexResult and Profile, or None
    period, baseline : str
    dependence : Dependence or None
        Widens the intervals by how much more days differ than their rows explain.

    Returns
    -------
    Movement or None
        None without an index in both periods.
    """
    if index is None or profile is None:
        return None
    try:
        change = index.change(period, baseline)
        whole = widen(history, dependence)
        lines = _settled(quality.explain(whole, profile, period, baseline), whole, [period, baseline])
    except CatalogueError:
        return None
    groups = pd.DataFrame()
    if len(parts):
        try:
            split = quality.explain(widen(parts, dependence), profile, period, baseline, dimension, total=whole)
        except CatalogueError:  # a case may stand in two groups: then there is nothing to split
            split = pd.DataFrame()
        groups = _found(split)
    return Movement(
        metric="",
        period=period,
        baseline=baseline,
        before=lines.attrs["before"],
        after=lines.attrs["after"],
        change=change.value,
        low=change.low,
        high=change.high,
        lines=lines,
        groups=groups,
        dimension=dimension if len(groups) else "",
    )


def explain_measure(
    history: pd.DataFrame,
    parts: pd.DataFrame,
    dimension: str,
    reading: Reading,
    period: str,
    baseline: str,
    dependence: Dependence | None,
) -> Movement | None:
    """Explain the change of one measure by the groups of a dimension: their own values, and their mix.

    Returns
    -------
    Movement or None
        In the measure's own unit. None where it was not measured in both periods, stood still, or can't be split.
    """
    if parts.empty or reading.direction not in ("up", "down"):
        return None
    whole, split = (
        widen(frame[(frame["metric"] == reading.id) & frame["period"].isin([period, baseline])], dependence)
        for frame in (history, parts)
    )
    highest = np.nanmax([0.0, *whole["high"].astype("float64"), *whole["value"].astype("float64")])
    if split.empty or len(whole) < 2 or not highest > 0 or (whole["value"].astype("float64") < 0).any():
        return None
    profile, scale = single_profile(reading.id, reading.direction, highest)
    try:
        change = quality.score(whole, profile).change(period, baseline)
        lines = quality.explain(split, profile, period, baseline, dimension, total=whole)
    except CatalogueError:
        return None
    if abs(change.value) < _NOTHING or not lines["source"].isin(["rate", "mix", "new", "vanished"]).any():
        return None
    ends = [change.low * scale, change.high * scale]
    sides = np.sort(lines[["low", "high"]].to_numpy() * scale, axis=1)
    lines = lines.assign(contribution=lines["contribution"] * scale, low=sides[:, 0], high=sides[:, 1])
    values = whole.set_index("period")["value"].astype("float64")
    return Movement(
        metric=reading.id,
        period=period,
        baseline=baseline,
        before=float(values[baseline]),
        after=float(values[period]),
        change=change.value * scale,
        low=min(ends),
        high=max(ends),
        lines=lines,
        dimension=dimension,
    )


def fold_lines(lines: pd.DataFrame, most: int, least: float = 0.0) -> pd.DataFrame:
    """Return the lines to show: the largest, those that are certain before others, the rest as one, shifts apart.

    Parameters
    ----------
    lines : DataFrame
        As `quality.explain` gives them; what is returned adds up to the same.
    most : int
        Lines shown of their own.
    least : float
        What is smaller goes into the rest.
    """
    size = lines["contribution"].abs()
    own = lines[~lines["source"].isin(SHIFTS) & (size >= least)].assign(size=size)
    chosen = own.sort_values(["certain", "size"], ascending=False, kind="stable").index[:most]
    folded = quality.top_contributions(lines.assign(certain=lines.index.isin(chosen)), most)
    sure = set(zip(lines.loc[lines["certain"], "source"], lines.loc[lines["certain"], "key"], strict=True))
    folded = folded[(folded["source"] != "other") | (folded["contribution"].abs() > _NOTHING)]
    summed = folded["source"].isin(["other", *SHIFTS])
    known = [pair in sure for pair in zip(folded["source"], folded["key"], strict=True)]
    return folded.assign(certain=folded["certain"].where(summed, known).astype(bool))


def single_profile(metric: str, direction: str, highest: float) -> tuple[Profile, float]:
    """Return a profile of one metric on a straight line from 0 to `highest`, and how much of it a point is worth.

    On such a line nothing is bent: what is said in points holds for the measure times the second value.
    """
    up = direction == "up"
    posts = (0.0, 0.8 * highest, highest, "up") if up else (highest, 0.2 * highest, 0.0, "down")
    chosen = quality.ProfileMetric(metric, metric, 1.0, quality.Goalposts(*posts))
    return quality.Profile(metric, {metric: 1.0}, (chosen,)), (1 if up else -1) * highest / 100


def widen(measures: pd.DataFrame, dependence: Dependence | None) -> pd.DataFrame:
    """Return measures with intervals as wide as their over-dispersion makes them."""
    if dependence is None or measures.empty:
        return measures
    root = np.sqrt(measures["metric"].map(dependence.factors).astype("float64").fillna(1.0))
    value, low, high = (measures[name].astype("float64") for name in ("value", "low", "high"))
    return measures.assign(low=value - (value - low) * root, high=value + (high - value) * root)


def _settled(lines: pd.DataFrame, whole: pd.DataFrame, periods: list[str]) -> pd.DataFrame:
    """Call certain what went from one end of its scale to the other: its score has no noise left to test against."""
    banded = (
        whole[whole["period"].isin(periods) & whole["low"].notna() & whole["high"].notna()].groupby("metric").size()
    )
    known = lines["metric"].map(banded).eq(len(periods))
    moved = lines["source"].eq("score") & lines["p_value"].isna() & (lines["contribution"].abs() > _NOTHING)
    return lines.assign(certain=lines["certain"] | (known & moved))


def _found(split: pd.DataFrame) -> pd.DataFrame:
    """Mark the groups told from noise: metrics by Simes' test, then groups within those that moved.

    False discoveries are held to 5 % on average over the metrics selected (Benjamini and Bogomolov 2014).
    """
    if split.empty:
        return split
    lines = split[~split["source"].isin(SHIFTS) & (split["dimension"] != "")]
    if lines.empty:
        return lines
    within = lines.groupby("metric")["p_value"].transform(lambda p: benjamini_hochberg(p.to_numpy()))
    simes = within.groupby(lines["metric"]).min()
    chosen = simes[np.nan_to_num(benjamini_hochberg(simes.to_numpy()), nan=1.0) <= _LEVEL]
    limit = _LEVEL * len(chosen) / max(1, simes.notna().sum())
    return lines.assign(found=lines["metric"].isin(chosen.index) & within.le(limit)).reset_index(drop=True)
