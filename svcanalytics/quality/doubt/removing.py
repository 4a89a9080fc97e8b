"""The index without each of its metrics or families: what that does to scores and ranks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.aggregation import combine, share
from svcanalytics.quality.cells import Cells, read_cells
from svcanalytics.quality.index import score
from svcanalytics.quality.profiles import Profile

__all__ = ["removal"]


def removal(
    measures: pd.DataFrame,
    profile: Profile,
    *,
    of: Literal["metric", "family"] = "metric",
    weights: pd.DataFrame | pd.Series | None = None,
) -> pd.DataFrame:
    """Score the index without each metric, or each family, and say what that does to scores and ranks.

    The weight of what is removed goes to the rest of its family in proportion, that of a family to the others: a metric
    is treated as missing everywhere.

    Parameters
    ----------
    measures, profile, weights
        As for `score`.
    of : {"metric", "family"}
        What to remove, one at a time.

    Returns
    -------
    DataFrame
        removed, family, weight (mean share of the index as used), change (mean of the index without it less the index),
        largest (largest absolute change), rank_shift (mean absolute change of the rank among the units of a period,
        missing with a single unit), rank_shift_largest; ordered by rank_shift, then by largest.

    Raises
    ------
    CatalogueError
        As `score`, for measures without any metric of the profile, and when `of` is neither.
    """
    result = score(measures, profile, weights=weights)
    cells = read_cells(measures, profile)
    if cells.rows.empty:
        raise CatalogueError(f"no metric of profile {profile.id} is among them", where="measures", fix="measure these")
    given = result.weights["weight"].to_numpy(dtype="float64").reshape(cells.score.shape)
    used = result.weights["used"].to_numpy(dtype="float64").reshape(cells.score.shape).mean(axis=0)
    build = _Build(profile, cells, given)
    nominal = build.index(cells.score)
    parts = {m.metric: (m.family, [i]) for i, m in enumerate(profile.metrics)}
    if of == "family":
        parts = {f: (f, [i for i, m in enumerate(profile.metrics) if m.family == f]) for f in profile.families}
    elif of != "metric":
        raise CatalogueError(f"there is nothing named {of!r} to remove", where="of", fix="use metric or family")
    ranks = build.ranks(nominal)
    rows = []
    for name, (family, columns) in parts.items():
        scores = cells.score.copy()
        scores[:, columns] = np.nan
        index = build.index(scores)
        change, shift = index - nominal, np.abs(build.ranks(index) - ranks)
        numbers = _mean(change), _largest(np.abs(change)), _mean(shift), _largest(shift)
        rows.append((name, family, used[columns].sum(), *numbers))
    names = ["removed", "family", "weight", "change", "largest", "rank_shift", "rank_shift_largest"]
    table = pd.DataFrame(rows, columns=names)
    return table.sort_values(["rank_shift", "largest"], ascending=False, ignore_index=True, kind="stable")


@dataclass(frozen=True)
class _Build:
    """Builds the index of rows from scores, keeping out of it the families that lack coverage."""

    profile: Profile
    cells: Cells
    given: NDArray[np.float64]

    def index(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        base = share(~np.isnan(self.cells.score), self.given, self.profile)
        open_ = replace(self.profile, min_coverage=0.0, min_family_coverage=0.0)
        counted = base.scored @ base.member.T > 0
        index = combine(scores, share(~np.isnan(scores) & counted, self.given, open_), open_).index
        return np.where(np.isnan(base.between).any(axis=-1), np.nan, index)

    def ranks(self, index: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ranks within each period, 1 the best, ties sharing their mean; missing where there is one unit."""
        by = pd.Series(index).groupby(self.cells.rows["period"].to_numpy())
        return by.rank(ascending=False).where(by.transform("count") > 1).to_numpy()


def _mean(values: NDArray[np.float64]) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else np.nan


def _largest(values: NDArray[np.float64]) -> float:
    return float(np.nanmax(values)) if not np.isnan(values).all() else np.nan
