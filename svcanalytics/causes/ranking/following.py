"""What became of the findings of last time: still there, smaller, gone."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.errors import CauseError

__all__ = ["follow"]

_COLUMNS = ["finding_id", "kind", "measure", "where", "trend", "points", "points_before", "excess", "excess_before"]


def follow(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Hold the findings of a period against those of the one before.

    Parameters
    ----------
    now, before : DataFrame
        As `find` gives them.

    Returns
    -------
    DataFrame
        One row per finding of either, those of now first in their order: finding_id, kind, measure, where, trend
        ("new"; "gone"; "larger" or "smaller" where the intervals of what it costs don't meet; else "steady"), points,
        points_before, excess, excess_before (missing where it was not found).

    Raises
    ------
    CauseError
        When a frame is no table of findings.
    """
    for name, table in (("now", now), ("before", before)):
        absent = {"finding_id", "kind", "measure", "where", "points", "low", "high", "excess"} - set(table.columns)
        if absent:
            raise CauseError(f"there is no column {sorted(absent)[0]!r}", where=name, fix="give what find returned")
    old = before.drop_duplicates("finding_id").set_index("finding_id")
    rows = []
    for row in now.drop_duplicates("finding_id").itertuples():
        was = old.loc[row.finding_id] if row.finding_id in old.index else None
        trend = "new" if was is None else _compared(row.points, row.low, row.high, was)
        points, excess = (np.nan, np.nan) if was is None else (was["points"], was["excess"])
        rows.append((row.finding_id, row.kind, row.measure, row.where, trend, row.points, points, row.excess, excess))
    for name, was in old[~old.index.isin(now["finding_id"])].iterrows():
        rows.append(
            (name, was["kind"], was["measure"], was["where"], "gone", np.nan, was["points"], np.nan, was["excess"])
        )
    return pd.DataFrame(rows, columns=_COLUMNS)


def _compared(points: float, low: float, high: float, was: pd.Series) -> str:
    if low > was["high"]:
        return "larger"
    return "smaller" if high < was["low"] else "steady"
