"""The quality index of each unit and period, by family and in all, with a band from its measures' sampling error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.means import group_means
from svcanalytics.quality.profiles import Profile, ProfileMetric
from svcanalytics.quality.scaling import normalise

__all__ = ["MEASURE_COLUMNS", "IndexChange", "IndexResult", "score", "unit_names"]

MEASURE_COLUMNS = frozenset(
    ["metric", "period", "start", "value", "low", "high", "n", "numerator", "denominator", "std"]
    + ["unit", "target", "met", "flag"]
)
"""What `measure` gives beside the `by` columns; any other column is taken for a dimension that tells units apart."""

_MEASURES_LEVEL_Z = 1.959963984540054  # the measures' own intervals are at 95 %


@dataclass(frozen=True)
class IndexChange:
    """The change of an index between two periods; `certain` when its interval leaves out 0."""

    value: float
    low: float
    high: float

    @property
    def certain(self) -> bool:
        """Whether sampling error alone can't explain the change."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class IndexResult:
    """What `score` returns.

    Attributes
    ----------
    scores : pandas.DataFrame
        unit, period, family ("" is the index itself), score (0-100, missing when too little was there), low, high,
        grade, coverage (share of the given weight that was there, 0-1), flag ("coverage" when there was too little for
        a score, else "incomplete" or "provisional" when a measure is).
    weights : pandas.DataFrame
        unit, period, family, metric, weight (given share of the index), used (share of the index after missing measures
        dropped out; 0 for a missing one), value, score, low, high, points (used x score: they add up to the index).
    """

    scores: pd.DataFrame
    weights: pd.DataFrame

    def change(self, period: str, baseline: str, unit: str = "", family: str = "") -> IndexChange:
        """Return the change of an index or family score from `baseline` to `period`, with its interval.

        The interval combines the two bands as independent (Zou and Donner 2008). Both scores must rest on the same
        weights to be comparable, which holds as long as the same measures were there.

        Raises
        ------
        CatalogueError
            When one of the two periods has no score.
        """
        now, then = self._row(period, unit, family), self._row(baseline, unit, family)
        value = now.score - then.score
        low = value - np.hypot(now.score - now.low, then.high - then.score)
        high = value + np.hypot(now.high - now.score, then.score - then.low)
        return IndexChange(float(value), float(low), float(high))

    def _row(self, period: str, unit: str, family: str) -> pd.Series:
        s = self.scores
        rows = s[(s["period"] == period) & (s["unit"] == unit) & (s["family"] == family) & s["score"].notna()]
        if rows.empty:
            raise CatalogueError(
                "no index could be given", where=f"{unit} {period} {family}".strip(), fix="see .scores, coverage"
            )
        return rows.iloc[0]


def score(measures: pd.DataFrame, profile: Profile, *, level: float = 0.95) -> IndexResult:
    """Bring measures together in one index per unit and period.

    Each metric is normalised with its goalposts, families are weighted means of their metrics, the index is the
    weighted mean of the families. A measure that is missing or suppressed never counts as zero: its weight is shared
    out within its family, and `coverage` says how much was there. A family below the profile's `min_family_coverage`
    is left out; an index whose measures hold less than `min_coverage` of the weight is not given.

    The band carries each measure's own interval through its goalposts: goalposts are monotone, so an interval of the
    measure becomes one of its score, and the intervals of a weighted sum combine as the method of variance estimates
    recovery says (Zou and Donner 2008, Statistics in Medicine 27:1693): low = S - sqrt(sum (w (s - l))^2). Measures are
    taken as independent; where several rest on the same cases and move together, the true band is wider. A measure
    without an interval (a count) adds nothing to the band.

    Parameters
    ----------
    measures : pandas.DataFrame
        As `measure` gives it: one row per metric, period and, with `by`, group. Needs metric, period, value; uses
        start, low, high (95 %) and flag when there. Metrics outside the profile are ignored.
    profile : Profile
        Metrics, weights, goalposts, grades.
    level : float
        Confidence level of the band.

    Returns
    -------
    IndexResult

    Raises
    ------
    CatalogueError
        When columns are missing or a metric occurs twice for one unit and period.
    """
    from scipy.stats import norm

    frame, cells = _cells(measures, profile)
    weighed = _weigh(cells, profile)
    z = float(norm.ppf((1 + level) / 2)) / _MEASURES_LEVEL_Z
    below, above = np.nan_to_num(cells.score - cells.low), np.nan_to_num(cells.high - cells.score)
    family_low = weighed.families - z * np.sqrt(((weighed.within * below) ** 2) @ weighed.member)
    family_high = weighed.families + z * np.sqrt(((weighed.within * above) ** 2) @ weighed.member)
    index_low = weighed.index - z * np.sqrt(((weighed.used * below) ** 2).sum(axis=1))
    index_high = weighed.index + z * np.sqrt(((weighed.used * above) ** 2).sum(axis=1))
    order = list(profile.families)
    table = pd.DataFrame(
        {
            "unit": np.repeat(frame["unit"].to_numpy(), 1 + len(order)),
            "period": np.repeat(frame["period"].to_numpy(), 1 + len(order)),
            "family": ["", *order] * len(frame),
            "score": np.column_stack([weighed.index, weighed.families]).ravel(),
            "low": np.column_stack([index_low, family_low]).clip(0, 100).ravel(),
            "high": np.column_stack([index_high, family_high]).clip(0, 100).ravel(),
            "coverage": np.column_stack([weighed.index_coverage, weighed.coverage]).ravel(),
        }
    )
    table.insert(6, "grade", [profile.grade(value) for value in table["score"]])
    table["flag"] = _flags(table, cells.flags, profile)
    return IndexResult(table, _weights_table(frame, cells, weighed, profile))


@dataclass(frozen=True)
class _Cells:
    """One array cell per unit-period (row) and metric of the profile (column); low and high at the measures' 95 %."""

    value: NDArray[np.float64]
    score: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    flags: NDArray[np.object_]


@dataclass(frozen=True)
class _Weighed:
    member: NDArray[np.bool_]  # metric x family
    given: NDArray[np.float64]  # rows x metrics, shares of the index
    within: NDArray[np.float64]  # rows x metrics, shares of the family as used
    used: NDArray[np.float64]  # rows x metrics, shares of the index as used
    families: NDArray[np.float64]
    coverage: NDArray[np.float64]
    index: NDArray[np.float64]
    index_coverage: NDArray[np.float64]


def _cells(measures: pd.DataFrame, profile: Profile) -> tuple[pd.DataFrame, _Cells]:
    absent = [name for name in ("metric", "period", "value") if name not in measures.columns]
    if absent:
        raise CatalogueError(f"the measures have no column {absent[0]}", fix="pass what measure() returned")
    by = [name for name in measures.columns if name not in MEASURE_COLUMNS]
    names = [m.metric for m in profile.metrics]
    frame = measures[measures["metric"].isin(names)].copy()
    frame["unit"] = unit_names(frame, by)
    if frame.duplicated(["unit", "period", "metric"]).any():
        twice = frame.loc[frame.duplicated(["unit", "period", "metric"]), "metric"].iloc[0]
        raise CatalogueError(f"metric {twice} occurs twice for one unit and period", fix="measure it once per group")
    for column in ("low", "high"):
        frame[column] = frame[column].astype("float64") if column in frame else np.nan
    frame["value"] = frame["value"].astype("float64")
    frame["flag"] = frame["flag"].fillna("") if "flag" in frame else ""
    frame.loc[frame["flag"] == "suppressed", ["value", "low", "high"]] = np.nan
    order = ["unit", "start", "period"] if "start" in frame else ["unit", "period"]
    rows = frame[order].drop_duplicates(["unit", "period"]).sort_values(order).reset_index(drop=True)
    row = pd.MultiIndex.from_frame(rows[["unit", "period"]]).get_indexer(
        pd.MultiIndex.from_frame(frame[["unit", "period"]])
    )
    column_of = {name: number for number, name in enumerate(names)}
    at = row, [column_of[name] for name in frame["metric"]]

    def grid(column: str, fill: object, dtype: str) -> NDArray:
        out = np.full((len(rows), len(names)), fill, dtype=dtype)
        out[at] = frame[column].to_numpy()
        return out

    value, low, high = (grid(name, np.nan, "float64") for name in ("value", "low", "high"))
    low, high = np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high)
    scored, lowest, highest = (_normalise_columns(a, profile.metrics) for a in (value, low, high))
    # The lower bound of a measure that should be small is the upper bound of its score.
    return rows, _Cells(
        value, scored, np.minimum(lowest, highest), np.maximum(lowest, highest), grid("flag", "", "object")
    )


def unit_names(frame: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    """Return what each row's unit is called: "" without `by`, the value of one column, "a=x&b=y" of several."""
    if not by:
        return pd.Series("", index=frame.index, dtype="object")
    texts = frame[list(by)].astype("object").where(frame[list(by)].notna(), "").astype(str)
    if len(by) == 1:
        return texts[by[0]]
    parts = [name + "=" + texts[name] for name in by]
    return parts[0].str.cat(parts[1:], sep="&")


def _normalise_columns(values: NDArray[np.float64], chosen: Sequence[ProfileMetric]) -> NDArray[np.float64]:
    out = np.empty_like(values)
    for column, metric in enumerate(chosen):
        posts = metric.goalposts
        out[:, column] = normalise(
            values[:, column], direction=posts.direction, floor=posts.floor, target=posts.target, goal=posts.goal
        )
    return out


def _weigh(cells: _Cells, profile: Profile) -> _Weighed:
    order = list(profile.families)
    groups = [m.family for m in profile.metrics]
    family_weight = np.array([profile.families[f] for f in order])
    member = np.asarray(groups)[:, None] == np.asarray(order)[None, :]
    # One row of weights for all periods today; weights by situation would give each row its own.
    metric_weight = np.broadcast_to([m.weight for m in profile.metrics], cells.score.shape)
    families, coverage, within = group_means(cells.score, metric_weight, groups, order)
    families = np.where(coverage >= max(profile.min_family_coverage, 1e-12), families, np.nan)
    index, _, shares = group_means(families, family_weight, [""] * len(order), [""])
    used = within * (shares @ member.T)
    given = metric_weight * (member @ family_weight)
    index_coverage = np.where(used > 0, given, 0.0).sum(axis=1)
    enough = index_coverage >= max(profile.min_coverage, 1e-12)
    return _Weighed(
        member=member,
        given=given,
        within=np.where(np.isnan(cells.score), 0.0, within),
        used=np.where(enough[:, None], used, 0.0),
        families=families,
        coverage=coverage,
        index=np.where(enough, index[:, 0], np.nan),
        index_coverage=index_coverage,
    )


def _flags(table: pd.DataFrame, flags: NDArray[np.object_], profile: Profile) -> list[str]:
    groups = np.asarray([m.family for m in profile.metrics])
    out = []
    for number, (family, value) in enumerate(zip(table["family"], table["score"], strict=True)):
        row = flags[number // (1 + len(profile.families))]
        present = set(row if family == "" else row[groups == family])
        worst = next((flag for flag in ("incomplete", "provisional") if flag in present), "")
        out.append("coverage" if np.isnan(value) else worst)
    return out


def _weights_table(frame: pd.DataFrame, cells: _Cells, weighed: _Weighed, profile: Profile) -> pd.DataFrame:
    count = len(profile.metrics)
    return pd.DataFrame(
        {
            "unit": np.repeat(frame["unit"].to_numpy(), count),
            "period": np.repeat(frame["period"].to_numpy(), count),
            "family": [m.family for m in profile.metrics] * len(frame),
            "metric": [m.metric for m in profile.metrics] * len(frame),
            "weight": weighed.given.ravel(),
            "used": weighed.used.ravel(),
            "value": cells.value.ravel(),
            "score": cells.score.ravel(),
            "low": cells.low.ravel(),
            "high": cells.high.ravel(),
            "points": np.nan_to_num(weighed.used * cells.score).ravel(),
        }
    )
