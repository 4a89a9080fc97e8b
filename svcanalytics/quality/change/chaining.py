"""The index chained over periods, so that a change of weights never looks like a change of quality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.aggregation import aggregate
from svcanalytics.quality.change.leverage import find_leverage
from svcanalytics.quality.index import score
from svcanalytics.quality.profiles import Profile

__all__ = ["chain"]


def chain(
    measures: pd.DataFrame,
    profile: Profile,
    base: str | None = None,
    *,
    weights: pd.DataFrame | pd.Series | None = None,
) -> pd.DataFrame:
    """Return the index as scored, chain-linked, and with the weights of one period throughout.

    The chained index begins at the base period's score and moves from period to period by what the scores alone did:
    the change of the index less what `explain` puts down to weights and to what was measured. So it stands still while
    scores do, whatever the weights; over a year of situations that come and go it can end elsewhere than the scored
    index, as every chain can, and the series with constant weights is there to compare: all periods scored with the
    base period's weights.

    Parameters
    ----------
    measures : DataFrame
        As `measure` gives it, for all periods of the series; by unit if there are several.
    profile : Profile
        What the index is scored with.
    base : str, optional
        The period whose level and weights are kept; default: the first with an index.
    weights : DataFrame or Series, optional
        Shares of the index to use instead of the profile's, as in `score`.

    Returns
    -------
    DataFrame
        unit, period, score, chained, constant, by_scores (what scores did since the period before), by_weights (what
        other weights did) and by_missing (what other measures did): the three add up to the change of `score`. A period
        without an index is missing in all of them, and so is a unit that never has one; the next is linked to the last
        that has one.

    Raises
    ------
    CatalogueError
        When no unit has an index, or the base period named has none.
    """
    result = score(measures, profile, weights=weights)
    if result.scores.loc[result.scores["family"] == "", "score"].isna().all():
        raise CatalogueError(
            "no index to begin the chain with", where="measures", fix="see score(...).scores, coverage"
        )
    metrics = [m.metric for m in profile.metrics]
    parts = []
    for unit, rows in result.weights.groupby("unit", sort=False):
        periods = list(dict.fromkeys(rows["period"]))
        scores, given = (rows[name].to_numpy(float).reshape(len(periods), len(metrics)) for name in ("score", "weight"))
        index = aggregate(scores, given, profile).index
        start = _start(periods, index, base, str(unit))
        steps = _steps(scores, given, index, profile)
        run = np.nancumsum(steps[:, 0])
        chained = np.where(np.isnan(index), np.nan, index[start] + run - run[start])
        constant = aggregate(scores, given[start], profile).index
        part = {"unit": unit, "period": periods, "score": index, "chained": chained}
        part |= {"constant": np.where(np.isnan(index), np.nan, constant)}
        part |= dict(zip(("by_scores", "by_weights", "by_missing"), steps.T, strict=True))
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def _start(periods: Sequence[str], index: NDArray[np.float64], base: str | None, unit: str) -> int:
    known = [place for place, value in enumerate(index) if not np.isnan(value)]
    if base is None:
        return known[0] if known else 0
    chosen = [place for place in known if periods[place] == base]
    if not chosen:
        raise CatalogueError(
            "no index to begin the chain with",
            where=f"{unit} {base}".strip(),
            fix="name as base a period with an index"
            + (f": {periods[known[0]]} to {periods[known[-1]]}" if known else "; see score(...).scores, coverage"),
        )
    return chosen[0]


def _steps(
    scores: NDArray[np.float64], given: NDArray[np.float64], index: NDArray[np.float64], profile: Profile
) -> NDArray[np.float64]:
    """Return what scores, weights and missing measures did since the last period with an index."""
    steps = np.full((len(index), 3), np.nan)
    last = None
    for now, value in enumerate(index):
        if np.isnan(value):
            continue
        if last is not None:
            lever = find_leverage(scores[[last, now]], given[[last, now]], profile)
            shifts = [lever.family_shifts[s].sum() + lever.metric_shifts[s].sum() for s in ("weights", "missing")]
            steps[now] = value - index[last] - sum(shifts), *shifts
        last = now
    return steps
