"""What became of the findings of last time: still there, smaller, gone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from svcanalytics.causes.finding import finding_id
from svcanalytics.causes.text import recognise
from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.errors import CauseError

__all__ = ["follow", "keep_themes"]

_COLUMNS = ["finding_id", "kind", "measure", "where", "trend", "points", "points_before", "excess", "excess_before"]


def follow(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Hold the findings of a period against those of the one before.

    Parameters
    ----------
    now, before : DataFrame
        As `find` gives them; themes found again go by the id they had before (`keep_themes`).

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
        absent = {"finding_id", "kind", "measure", "where", "points", "low", "high", "excess", "details"} - set(
            table.columns
        )
        if absent:
            raise CauseError(f"there is no column {sorted(absent)[0]!r}", where=name, fix="give what find returned")
    now = keep_themes(now, before)
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


def keep_themes(now: pd.DataFrame, before: pd.DataFrame) -> pd.DataFrame:
    """Give themes that were there before the id they had, so that what is said of them can be followed.

    Themes are found anew in every period, and their telling words change a little. Two are one when most of these are
    the same (`recognise`).

    Parameters
    ----------
    now, before : DataFrame
        As `find` gives them.

    Returns
    -------
    DataFrame
        `now`, with the earlier ids in finding_id, where and the findings that details name.
    """
    ids = recognise(_themes(now), _themes(before))
    if all(own == old for own, old in ids.items()):
        return now
    where = [_renamed(each, ids) for each in now["where"]]
    new = [finding_id(measure, each) for measure, each in zip(now["measure"], where, strict=True)]
    names = dict(zip(now["finding_id"], new, strict=True))
    details = [_told(each, ids, names) for each in now["details"]]
    return now.assign(finding_id=new, where=where, details=pd.Series(details, index=now.index, dtype="object"))


def _themes(table: pd.DataFrame) -> pd.DataFrame:
    # The same theme may be found on several measures.
    rows = {}
    for where, details in zip(table["where"], table["details"], strict=True):
        theme = dict(conditions_of(where)).get("theme")
        if theme is not None:
            rows[theme] = (theme, details.get("terms_zh", ()), details.get("terms_en", ()))
    return pd.DataFrame(sorted(rows.values()), columns=["theme", "terms_zh", "terms_en"])


def _renamed(where: str, ids: Mapping[str, str]) -> str:
    parts = [f"theme={ids.get(value, value)}" if column == "theme" else f"{column}={value}"
             for column, value in conditions_of(where)]  # fmt: skip
    return "&".join(parts)


def _told(details: Mapping[str, object], ids: Mapping[str, str], names: Mapping[str, str]) -> dict[str, object]:
    out = dict(details)
    for name in ("also", "also_costs"):
        if name in out:
            out[name] = [each | {"where": _renamed(each["where"], ids)} for each in out[name]]  # type: ignore[attr-defined]
    if "related" in out:
        out["related"] = [names.get(each, each) for each in out["related"]]  # type: ignore[attr-defined]
    return out


def _compared(points: float, low: float, high: float, was: pd.Series) -> str:
    if low > was["high"]:
        return "larger"
    return "smaller" if high < was["low"] else "steady"
