"""The quality index of each unit and period, by family and in all, with a band from its measures' sampling error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.aggregation import Aggregate, Shares, combine, credit, share
from svcanalytics.quality.capping import cap_grades
from svcanalytics.quality.cells import MEASURES_Z, Cells, check_level, read_cells
from svcanalytics.quality.doubt.dependence import Dependence
from svcanalytics.quality.profiles import Profile
from svcanalytics.quality.weighting.timeline import named_weights, period_weights

__all__ = ["IndexChange", "IndexResult", "score"]


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
        a score, else "incomplete" or "provisional" when a measure is), capped_by (of the index: the families, metrics
        and standards that hold its grade down, "" otherwise).
    weights : pandas.DataFrame
        unit, period, family, metric, weight (given share of the index in that period), used (share of the index after
        missing measures dropped out; 0 for a missing one), value, score, low, high, points. Points add up to the index:
        used x score under arithmetic means; under others 100 x used less the metric's part of what the index lacks to
        100, see `aggregation.credit`.
    """

    scores: pd.DataFrame
    weights: pd.DataFrame

    def change(self, period: str, baseline: str, unit: str = "", family: str = "") -> IndexChange:
        """Return the change of an index or family score from `baseline` to `period`, with its interval.

        The interval combines the two bands as independent (Zou and Donner 2008), so what it calls certain rests on
        these: give `score` the dependence of the measures. Both scores must rest on the same
        weights to be comparable, which holds as long as the same measures were there and no situation moved the
        weights: else compare with `score`'s `weights` held constant, or let `explain` tell the parts.

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


def score(
    measures: pd.DataFrame,
    profile: Profile,
    *,
    level: float = 0.95,
    weights: pd.DataFrame | pd.Series | Mapping[str, float] | None = None,
    dependence: Dependence | None = None,
) -> IndexResult:
    """Bring measures together in one index per unit and period.

    Each metric is normalised with its goalposts, families are weighted means of their metrics, the index is the
    weighted mean of the families. A measure that is missing or suppressed never counts as zero: its weight is shared
    out within its family, and `coverage` says how much was there. A family below the profile's `min_family_coverage`
    is left out; an index whose measures hold less than `min_coverage` of the weight is not given. With situations the
    weights of a period are the mean of its days' weights. A floor rule that is broken caps the grade, not the score.

    The band carries each measure's own interval through its goalposts: goalposts and means are monotone, so an interval
    of the measure becomes one of its score, and the effects of the metrics combine as the method of variance estimates
    recovery says (Zou and Donner 2008, Statistics in Medicine 27:1693): low = S - sqrt(sum (S - S_i)^2), where S_i is
    the index with metric i alone at its lower bound; S - S_i is weight x (s - l) under arithmetic means. Without
    `dependence` measures are taken as independent; where several rest on the same cases and move together, the true
    band is wider, and more changes are called certain than should be. With it the square becomes the sum over all pairs
    of r_ij (S - S_i) (S - S_j), each effect widened by the metric's over-dispersion. A measure without an interval (a
    count) adds nothing to the band.

    Parameters
    ----------
    measures : pandas.DataFrame
        As `measure` gives it: one row per metric, period and, with `by`, group. Needs metric, period, value; uses
        start, low, high (95 %), met and flag when there. Metrics outside the profile are ignored, but for those and the
        time standards (rows of `standards`) that a floor rule names.
    profile : Profile
        Metrics, weights, goalposts, grades.
    level : float
        Confidence level of the band.
    weights : pandas.DataFrame, Series or mapping, optional
        Shares of the index to use instead of the profile's: by metric, or a frame with metric, weight and perhaps unit
        and period, such as `IndexResult.weights` or `weights_over`.
    dependence : Dependence, optional
        How the errors of the measures go together, from `measure_dependence` or `estimate_dependence`.

    Returns
    -------
    IndexResult

    Raises
    ------
    CatalogueError
        Before anything is computed: when columns are missing, a metric occurs twice for one unit and period, a value
        can't be (infinite, outside its own interval, a share of 88), a unit has no data, weights don't fit, situations
        overlap, or `level` is not between 0 and 1.
    """
    from scipy.stats import norm

    check_level(level)
    cells = read_cells(measures, profile)
    if weights is None:
        given = period_weights(profile, cells.rows)
    else:
        given = named_weights(weights, cells.rows, [m.metric for m in profile.metrics])
    shares = share(~np.isnan(cells.score), given, profile)
    reached = combine(cells.score, shares, profile)
    z = float(norm.ppf((1 + level) / 2)) / MEASURES_Z
    together = _together(dependence, profile)
    low, high = (_effects(cells.score, bound, reached, shares, profile, together) for bound in (cells.low, cells.high))
    order = list(profile.families)
    table = pd.DataFrame(
        {
            "unit": np.repeat(cells.rows["unit"].to_numpy(), 1 + len(order)),
            "period": np.repeat(cells.rows["period"].to_numpy(), 1 + len(order)),
            "family": ["", *order] * len(cells.rows),
            "score": _stack(reached),
            "low": (_stack(reached) - z * low).clip(0, 100),
            "high": (_stack(reached) + z * high).clip(0, 100),
            "coverage": np.column_stack([shares.index_coverage, shares.coverage]).ravel(),
        }
    )
    table.insert(6, "grade", [profile.grade(value) for value in table["score"]])
    table["flag"] = _flags(table, cells.flags, profile)
    table["capped_by"] = ""
    of_index = table.index[table["family"] == ""]
    table.loc[of_index, "grade"], table.loc[of_index, "capped_by"] = cap_grades(reached, cells, measures, profile)
    return IndexResult(table, _weights_table(cells, given, shares, profile))


def _effects(
    scores: NDArray[np.float64],
    bound: NDArray[np.float64],
    reached: Aggregate,
    shares: Shares,
    profile: Profile,
    together: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how far the metrics at their bounds, moved one at a time and seen together, move index and families."""
    effects = np.empty((*scores.shape, 1 + len(profile.families)))
    for column in range(scores.shape[-1]):
        moved = scores.copy()
        moved[:, column] = bound[:, column]
        there = combine(moved, shares, profile)
        effects[:, column, 0], effects[:, column, 1:] = there.index - reached.index, there.families - reached.families
    return np.sqrt(np.maximum((effects * (together @ effects)).sum(axis=1), 0)).ravel()


def _together(dependence: Dependence | None, profile: Profile) -> NDArray[np.float64]:
    """Return the covariances (metrics x metrics) of scores, where their own intervals state 1 and 0."""
    if dependence is None:
        return np.eye(len(profile.metrics))
    correlation, factors = dependence.matrices([m.metric for m in profile.metrics])
    # Where less is better, a higher value is a lower score.
    scale = np.sqrt(factors) * [1 if m.goalposts.direction == "up" else -1 for m in profile.metrics]
    return correlation * np.outer(scale, scale)


def _stack(each: Aggregate) -> NDArray[np.float64]:
    return np.column_stack([each.index, each.families]).ravel()


def _flags(table: pd.DataFrame, flags: NDArray[np.object_], profile: Profile) -> list[str]:
    groups = np.asarray([m.family for m in profile.metrics])
    out = []
    for number, (family, value) in enumerate(zip(table["family"], table["score"], strict=True)):
        row = flags[number // (1 + len(profile.families))]
        present = set(row if family == "" else row[groups == family])
        worst = next((flag for flag in ("incomplete", "provisional") if flag in present), "")
        out.append("coverage" if np.isnan(value) else worst)
    return out


def _weights_table(cells: Cells, given: NDArray[np.float64], shares: Shares, profile: Profile) -> pd.DataFrame:
    count = len(profile.metrics)
    return pd.DataFrame(
        {
            "unit": np.repeat(cells.rows["unit"].to_numpy(), count),
            "period": np.repeat(cells.rows["period"].to_numpy(), count),
            "family": [m.family for m in profile.metrics] * len(cells.rows),
            "metric": [m.metric for m in profile.metrics] * len(cells.rows),
            "weight": given.ravel(),
            "used": shares.used.ravel(),
            "value": cells.value.ravel(),
            "score": cells.score.ravel(),
            "low": cells.low.ravel(),
            "high": cells.high.ravel(),
            "points": credit(cells.score, shares, profile).ravel(),
        }
    )
