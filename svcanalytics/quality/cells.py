"""Measures as arrays: one row per unit and period, one column per metric of the profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.profiles import Profile
from svcanalytics.quality.scaling import normalise

__all__ = ["MEASURES_Z", "MEASURE_COLUMNS", "Cells", "normalise_columns", "read_cells", "with_units"]

MEASURE_COLUMNS = frozenset(
    ["metric", "period", "start", "value", "low", "high", "n", "numerator", "denominator", "std"]
    + ["unit", "target", "met", "flag"]
    + ["due", "on_time", "late", "running", "overrun_s"]
)
"""What `measure` and `standards` give beside the `by` columns; any other column tells units apart."""

MEASURES_Z = 1.959963984540054
"""The measures' own intervals are at 95 %."""


@dataclass(frozen=True)
class Cells:
    """Arrays of one row per unit and period, one column per metric; low and high at the measures' 95 %.

    Attributes
    ----------
    rows : pandas.DataFrame
        unit, period and, where the measures have it, start; ordered by unit and time.
    value : numpy.ndarray, shape (rows, metrics)
        In the metric's own unit; NaN where missing or suppressed.
    score, low, high : numpy.ndarray
        Normalised, 0-100; low and high are the score without an interval, missing without a score.
    flags : numpy.ndarray of object
    """

    rows: pd.DataFrame
    value: NDArray[np.float64]
    score: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    flags: NDArray[np.object_]


def read_cells(measures: pd.DataFrame, profile: Profile) -> Cells:
    """Lay measures out by unit, period and metric, and normalise them with the profile's goalposts.

    Raises
    ------
    CatalogueError
        When a column is missing, a metric occurs twice for one unit and period, or a unit has no data at all.
    """
    absent = [name for name in ("metric", "period", "value") if name not in measures.columns]
    if absent:
        raise CatalogueError(f"the measures have no column {absent[0]}", fix="pass what measure() returned")
    names = [m.metric for m in profile.metrics]
    frame = with_units(measures[measures["metric"].isin(names)])
    if frame.duplicated(["unit", "period", "metric"]).any():
        twice = frame.loc[frame.duplicated(["unit", "period", "metric"]), "metric"].iloc[0]
        raise CatalogueError(f"metric {twice} occurs twice for one unit and period", fix="measure it once per group")
    for column in ("low", "high"):
        frame[column] = frame[column].astype("float64") if column in frame else np.nan
    frame["value"] = frame["value"].astype("float64")
    frame["flag"] = frame["flag"].fillna("") if "flag" in frame else ""
    _check_data(frame)
    frame.loc[frame["flag"] == "suppressed", ["value", "low", "high"]] = np.nan
    order = ["unit", "start", "period"] if "start" in frame else ["unit", "period"]
    rows = frame[order].drop_duplicates(["unit", "period"]).sort_values(order).reset_index(drop=True)
    row = pd.MultiIndex.from_frame(rows[["unit", "period"]]).get_indexer(
        pd.MultiIndex.from_frame(frame[["unit", "period"]])
    )
    at = row, pd.Index(names).get_indexer(frame["metric"])

    def grid(column: str, fill: object, dtype: str) -> NDArray:
        out = np.full((len(rows), len(names)), fill, dtype=dtype)
        out[at] = frame[column].to_numpy()
        return out

    value, low, high = (grid(name, np.nan, "float64") for name in ("value", "low", "high"))
    low, high = np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high)
    scored, lowest, highest = (normalise_columns(a, profile) for a in (value, low, high))
    # The lower bound of a measure that should be small is the upper bound of its score.
    return Cells(
        rows, value, scored, np.minimum(lowest, highest), np.maximum(lowest, highest), grid("flag", "", "object")
    )


def normalise_columns(values: NDArray[np.float64], profile: Profile) -> NDArray[np.float64]:
    """Score values (..., metrics) with the goalposts of the profile's metrics."""
    out = np.empty_like(values)
    for column, metric in enumerate(profile.metrics):
        posts = metric.goalposts
        out[..., column] = normalise(
            values[..., column], direction=posts.direction, floor=posts.floor, target=posts.target, goal=posts.goal
        )
    return out


def with_units(measures: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of measures whose column ``unit`` names the group of the `by` columns, "" without any."""
    by = [name for name in measures.columns if name not in MEASURE_COLUMNS]
    return measures.drop(columns="unit", errors="ignore").assign(unit=_units(measures, by))


def _units(frame: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    if not by:
        return pd.Series("", index=frame.index, dtype="object")
    texts = frame[list(by)].astype("object").where(frame[list(by)].notna(), "").astype(str)
    if len(by) == 1:
        return texts[by[0]]
    parts = [name + "=" + texts[name] for name in by]
    return parts[0].str.cat(parts[1:], sep="&")


def _check_data(frame: pd.DataFrame) -> None:
    # A suppressed measure has data, too few to show; a unit all of whose measures are missing has none.
    there = frame["value"].notna() | (frame["flag"] == "suppressed")
    if "n" in frame:
        there |= frame["n"].fillna(0) > 0
    known = there.groupby(frame["unit"], sort=False).any()
    if not known.all():
        unit = str(known.index[~known][0])
        raise CatalogueError(
            f"{f'unit {unit}' if unit else 'the unit'} has no data: every measure is missing",
            where="measures",
            fix="leave the unit out of the measures, or load its data first",
        )
