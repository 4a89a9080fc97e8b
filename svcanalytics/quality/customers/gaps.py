"""Why two groups differ: because they had it better, or because the same meant more to them (Oaxaca and Blinder)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.scaling import read_values

__all__ = ["LEVEL_ROW", "oaxaca"]

Array = NDArray[np.float64]

LEVEL_ROW = "(level)"
"""Stands for the constant: what differs whatever the metrics."""


def oaxaca(
    frame: pd.DataFrame,
    outcome: str,
    metrics: Sequence[str],
    group: str,
    *,
    fold: Literal["two", "three"] = "two",
    first: object = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Split the gap between two groups' mean outcomes into what their metrics explain and what they do not.

    Two-fold: explained = difference of the metrics at the coefficients of both groups together (with an indicator of
    the group; Jann 2008, Stata Journal 8:453); unexplained = the rest. Three-fold: endowments (difference of metrics at
    the second group's coefficients), coefficients (difference of coefficients at the second group's metrics), and their
    interaction (Oaxaca 1973; Blinder 1973). Standard errors are linearised: means and coefficients come from the same
    rows, so each row's influence on every part is summed, whatever the spread of the residuals.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per contact or cell; rows with a gap are left out.
    outcome : str
        Column of numbers.
    metrics : sequence of str
        Columns of numbers.
    group : str
        Column with two values.
    fold : {"two", "three"}
        Kind of split.
    first : object, optional
        Group whose mean comes first in the difference; default the one with the higher mean.
    level : float
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        part ("gap", then explained, unexplained; or endowments, coefficients, interaction), metric ("" for the part as
        a whole, "(level)" for the constant), value, error (standard), low, high. Metrics add up to their part, parts to
        the gap. What a metric adds to an unexplained part depends on where its scale begins; its total does not.

    Raises
    ------
    CatalogueError
        For unknown columns, more or fewer than two groups, and a group too small or too uniform for a regression.
    """
    from scipy.stats import norm

    metrics = list(metrics)
    rows, is_a = _two_groups(frame, outcome, metrics, group, fold, first)
    x = np.column_stack([rows[metrics].to_numpy("float64"), np.ones(len(rows))])
    y = rows[outcome].to_numpy("float64")
    mean_a, mean_b = (_mean(x, side) for side in (is_a, ~is_a))
    slope_a, slope_b = (_slopes(x, y, side) for side in (is_a, ~is_a))
    apart = mean_a - mean_b
    if fold == "two":
        both = _slopes(np.column_stack([x, is_a]), y, np.ones(len(y), dtype=bool)).first(x.shape[1])
        parts = {"explained": apart * both, "unexplained": mean_a * (slope_a - both) + mean_b * (both - slope_b)}
    else:
        meant = slope_a - slope_b
        parts = {"endowments": apart * slope_b, "coefficients": mean_b * meant, "interaction": apart * meant}
    gap = sum(parts.values(), start=_Estimate(np.zeros(x.shape[1]), np.zeros_like(x)))
    table = [("gap", "", *gap.total())]
    for name, part in parts.items():
        table.append((name, "", *part.total()))
        shown = [*metrics, LEVEL_ROW] if name in ("unexplained", "coefficients") else metrics
        table += zip([name] * len(shown), shown, part.value, part.errors(), strict=False)
    z = float(norm.ppf((1 + level) / 2))
    result = pd.DataFrame(table, columns=["part", "metric", "value", "error"])
    return result.assign(low=result["value"] - z * result["error"], high=result["value"] + z * result["error"])


@dataclass(frozen=True)
class _Estimate:
    """Several estimates and each row's influence on them (rows x estimates); variances are sums of its squares."""

    value: Array
    influence: Array

    def __add__(self, other: _Estimate) -> _Estimate:
        return _Estimate(self.value + other.value, self.influence + other.influence)

    def __sub__(self, other: _Estimate) -> _Estimate:
        return _Estimate(self.value - other.value, self.influence - other.influence)

    def __mul__(self, other: _Estimate) -> _Estimate:
        return _Estimate(self.value * other.value, self.influence * other.value + self.value * other.influence)

    def first(self, count: int) -> _Estimate:
        return _Estimate(self.value[:count], self.influence[:, :count])

    def errors(self) -> Array:
        return np.sqrt((self.influence**2).sum(axis=0))

    def total(self) -> tuple[float, float]:
        return float(self.value.sum()), float(np.sqrt((self.influence.sum(axis=1) ** 2).sum()))


def _two_groups(
    frame: pd.DataFrame, outcome: str, metrics: list[str], group: str, fold: str, first: object
) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    absent = [name for name in [outcome, *metrics, group] if name not in frame.columns]
    if absent:
        raise CatalogueError(f"there is no column {absent[0]!r}", where="oaxaca", fix="name columns of the frame")
    if fold not in ("two", "three"):
        raise CatalogueError(f"there is no split {fold!r}", where="oaxaca", fix='use "two" or "three"')
    numbers = {name: read_values(frame[name], name) for name in (outcome, *metrics)}
    rows = frame[[outcome, *metrics, group]].assign(**numbers).dropna()
    means = rows.groupby(group, observed=True)[outcome].mean().sort_values(ascending=False, kind="stable")
    if len(means) != 2:
        raise CatalogueError(f"has {len(means)} groups, not 2", where=group, fix="keep the rows of two groups")
    if first is not None and first not in means.index:
        raise CatalogueError(
            f"there is no group {first!r}", where=group, fix=f"use one of {', '.join(map(str, means.index))}"
        )
    is_a = (rows[group] == (means.index[0] if first is None else first)).to_numpy()
    for side in (is_a, ~is_a):
        here = rows.loc[side]
        if len(here) <= len(metrics) + 1:
            raise CatalogueError(
                f"{len(here)} rows are too few", where=f"{group} {here[group].iloc[0]}", fix="use more"
            )
        still = [name for name in metrics if here[name].nunique() < 2]
        if still:
            raise CatalogueError(
                "never varies", where=f"{still[0]}, {group} {here[group].iloc[0]}", fix="leave the metric out"
            )
    return rows, is_a


def _mean(x: Array, side: NDArray[np.bool_]) -> _Estimate:
    mean = x[side].mean(axis=0)
    return _Estimate(mean, np.where(side[:, None], x - mean, 0.0) / side.sum())


def _slopes(x: Array, y: Array, side: NDArray[np.bool_]) -> _Estimate:
    inverse = np.linalg.pinv(x[side].T @ x[side], hermitian=True)
    slopes = inverse @ x[side].T @ y[side]
    left = np.where(side, y - x @ slopes, 0.0)
    # n / (n - k): the small-sample factor of HC1.
    factor = np.sqrt(side.sum() / (side.sum() - x.shape[1]))
    return _Estimate(slopes, factor * left[:, None] * (x @ inverse))
