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

__all__ = [
    "MEASURES_Z",
    "MEASURE_COLUMNS",
    "Cells",
    "check_level",
    "have_data",
    "mirror_ends",
    "normalise_columns",
    "read_cells",
    "read_numbers",
    "with_units",
]

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
        When a column is missing, a metric occurs twice for one unit and period, a value can't be, or a unit has no data
        at all.
    """
    absent = [name for name in ("metric", "period", "value") if name not in measures.columns]
    if absent:
        raise CatalogueError(
            f"the measures have no column {absent[0]}", where="measures", fix="pass what measure() returned"
        )
    names = [m.metric for m in profile.metrics]
    chosen = measures[measures["metric"].isin(names)]
    frame = with_units(chosen)
    twice = frame.duplicated(["unit", "period", "metric"])
    _refuse(frame, twice, "occurs twice for one unit and period", "measure it once per group")
    _refuse(frame, frame["period"].isna(), "has no period", "leave the row out")
    for column in ("value", "low", "high"):
        frame[column] = read_numbers(frame, column)
    frame["flag"] = frame["flag"].astype("object").fillna("") if "flag" in frame else ""
    _check_data(frame)
    frame.loc[frame["flag"] == "suppressed", ["value", "low", "high"]] = np.nan
    _check_values(frame, chosen["unit"].eq("share").fillna(False) if "unit" in chosen else None)
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
    low, high = mirror_ends(value, low, high)
    scored, lowest, highest = (normalise_columns(a, profile) for a in (value, low, high))
    # The lower bound of a measure that should be small is the upper bound of its score.
    return Cells(
        rows, value, scored, np.minimum(lowest, highest), np.maximum(lowest, highest), grid("flag", "", "object")
    )


def check_level(level: float) -> None:
    """Refuse a confidence level that is none.

    Raises
    ------
    CatalogueError
    """
    if not 0 < level < 1:
        raise CatalogueError(f"the level {level:g} is not between 0 and 1", where="level", fix="use 0.9 or 0.95")


def mirror_ends(
    value: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return intervals with both ends: one that is not known is as far away as the other, or the value without any."""
    low, high = np.where(np.isnan(low), 2 * value - high, low), np.where(np.isnan(high), 2 * value - low, high)
    return np.where(np.isnan(low), value, low), np.where(np.isnan(high), value, high)


def read_numbers(measures: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column as floats, NaN where it is missing, or throughout when there is no such column.

    Raises
    ------
    CatalogueError
        When it holds something else than numbers.
    """
    if name not in measures:
        return np.full(len(measures), np.nan)
    try:
        return measures[name].astype("Float64").to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise CatalogueError(
            f"not all of column {name} are numbers: {error}", where="measures", fix="pass what measure() returned"
        ) from None


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


def have_data(measures: pd.DataFrame) -> pd.Series:
    """Tell which rows rest on any data; a suppressed measure does, on too few to show."""
    there = measures["value"].notna()
    if "flag" in measures:
        there |= measures["flag"].eq("suppressed").fillna(False)
    if "n" in measures:
        there |= measures["n"].fillna(0) > 0
    return there.astype(bool)


def _units(frame: pd.DataFrame, by: Sequence[str]) -> pd.Series:
    if not by:
        return pd.Series("", index=frame.index, dtype="object")
    texts = frame[list(by)].astype("object").where(frame[list(by)].notna(), "").astype(str)
    if len(by) == 1:
        return texts[by[0]]
    parts = [name + "=" + texts[name] for name in by]
    return parts[0].str.cat(parts[1:], sep="&")


def _check_data(frame: pd.DataFrame) -> None:
    known = have_data(frame).groupby(frame["unit"], sort=False).any()
    if not known.all():
        unit = str(known.index[~known][0])
        raise CatalogueError(
            f"{f'unit {unit}' if unit else 'the unit'} has no data: every measure is missing",
            where="measures",
            fix="leave the unit out of the measures, or load its data first",
        )


def _check_values(frame: pd.DataFrame, share: pd.Series | None) -> None:
    value, low, high = (frame[name] for name in ("value", "low", "high"))
    _refuse(frame, np.isinf(value), "is infinite", "leave out what has a denominator of 0")
    room = 1e-9 * value.abs().clip(lower=1)
    outside = (low > value + room) | (high < value - room)
    _refuse(frame, outside, "lies outside its own interval", "give value, low and high on one scale")
    if share is not None:
        x, n = (read_numbers(frame, name) for name in ("numerator", "denominator"))
        # Of several hits per row, such as transfers, a share may be above 1.
        impossible = (value < 0) | ((value > 1 + 1e-9) & (x <= n))
        _refuse(frame, share & impossible, "is no share", "give 0.85 for 85 %")


def _refuse(frame: pd.DataFrame, wrong: pd.Series, what: str, fix: str) -> None:
    """Refuse the first row that is wrong, by its metric, unit and period."""
    if wrong.any():
        row = frame[wrong.to_numpy()].iloc[0]
        where = " ".join(str(row[name]) for name in ("unit", "period") if str(row[name]))
        raise CatalogueError(f"metric {row['metric']} {what}", where=f"measures, {where}", fix=fix)
