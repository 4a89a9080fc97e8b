"""Candidates: findings of one kind of evidence, with all the cases that they are about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.gathering.material import Material, dimensions_of
from svcanalytics.causes.gathering.pricing import points_of
from svcanalytics.causes.ranking.contrasting import Contrast, contrast
from svcanalytics.causes.ranking.dating import first_day
from svcanalytics.causes.ranking.layout import Layout, lay_out

__all__ = ["LEAST", "Candidate", "case_ids", "segment_candidates", "telling_cases"]

LEAST = 20
"""Fewest cases that a finding is made of: fewer say little, and could point at a person."""

_SHOWN = 20
_STANDING = 2.0


@dataclass(frozen=True, eq=False)
class Candidate:
    """A finding that is still to stand the comparison with the others.

    Attributes
    ----------
    finding : Finding
        Its p-value is corrected for what its own search looked at.
    search : str
        The search that found it, such as "segments of csat".
    ids : frozenset of str
        The rows of the metric that it is about, in the period.
    wrong : frozenset of str
        Those among them that went wrong.
    cases : frozenset of str
        The cases of the rows.
    """

    finding: Finding
    search: str
    ids: frozenset[str]
    wrong: frozenset[str]
    cases: frozenset[str]


def segment_candidates(
    material: Material, *, least: int = LEAST, agents: bool = False
) -> tuple[list[Candidate], list[str]]:
    """Search every metric for segments that went worse (or, without a baseline, are worse than the whole).

    Parameters
    ----------
    material : Material
    least : int
        Fewest rows of a segment.
    agents : bool
        Whether single agents may be named.

    Returns
    -------
    candidates : list of Candidate
    searches : list of str
        All that was searched, found or not.
    """
    found: list[Candidate] = []
    searches: list[str] = []
    layouts: dict[tuple[object, ...], Layout] = {}
    start, days = pd.Timestamp(material.period.start), material.period.days
    for metric, rows in material.outcomes.items():
        rows = rows if material.baseline is not None else rows[rows["period"] == "now"]
        by = dimensions_of(rows) + (["agent"] if agents and "agent" in rows.columns else [])
        bad = rows["bad"].to_numpy("float64")
        if not by or (rows["period"] == "now").sum() < least or np.ptp(bad) == 0:
            continue
        key = (tuple(by), len(rows), int(pd.util.hash_pandas_object(rows[["id", "period"]], index=False).sum()))
        if key not in layouts:
            layouts[key] = lay_out(rows, by, least)
        order = ((rows["at"] - start) / pd.Timedelta(days=days)).to_numpy()
        searches.append(f"segments of {metric}")
        found += [_candidate(material, metric, rows, each) for each in contrast(layouts[key], bad, order, least=least)]
    return found, searches


def _candidate(material: Material, metric: str, rows: pd.DataFrame, each: Contrast) -> Candidate:
    since, trend = pd.NaT, ""
    if material.baseline is not None:
        now = each.rows & (rows["period"] == "now").to_numpy()
        since = first_day(rows.loc[now, "at"], each.left[now], pd.Timestamp(material.period.start))
        trend = "larger" if each.standing > _STANDING else "new"
    points, low, high = (float(x) for x in points_of(material, metric, [each.excess, each.low, each.high]))
    inside = rows[each.counted]
    value = inside["bad"].mean()
    details: dict[str, object] = {
        "value": float(value),
        "expected": float(value - each.excess / len(inside)),
        "z": each.z,
        "alternatives": list(each.others),
        "compared_with": "the period before" if material.baseline is not None else "all cases of the period",
    }
    finding = Finding(
        "segment", metric, each.where, len(inside), each.excess, points, low, high, each.p_value,
        since=since, trend=trend, cases=telling_cases(inside, each.left[each.counted]), details=details,
    )  # fmt: skip
    ids = frozenset(inside["id"].astype(str))
    return Candidate(finding, f"segments of {metric}", ids, _wrong(inside), frozenset(case_ids(inside)))


def telling_cases(rows: pd.DataFrame, left: np.ndarray) -> tuple[str, ...]:
    """Return ids of the cases that went furthest beyond the expected, at most 20, of equal ones the latest first."""
    order = np.lexsort((rows["id"].astype(str), -rows["at"].astype("int64").to_numpy(), -np.round(left, 9)))
    return tuple(dict.fromkeys(case_ids(rows)[order][:_SHOWN].tolist()))


def case_ids(rows: pd.DataFrame) -> np.ndarray:
    """Return the case of each row; its own id where it has none."""
    if "case_id" not in rows.columns:
        return rows["id"].astype(str).to_numpy("object")
    return rows["case_id"].where(rows["case_id"].notna(), rows["id"]).astype(str).to_numpy("object")


def _wrong(rows: pd.DataFrame) -> frozenset[str]:
    bad = rows["bad"].to_numpy("float64")
    worst = bad > bad.mean() if len(np.unique(bad)) > 2 else bad > 0
    return frozenset(rows.loc[worst, "id"].astype(str))
