"""Candidates: findings of one kind of evidence, with all the cases that they are about."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.gathering.material import Material

__all__ = ["LEAST", "Candidate", "candidate", "case_ids", "rows_of", "telling_cases"]

LEAST = 20
"""Fewest cases that a finding is made of: fewer say little, and could point at a person."""

_SHOWN = 20


@dataclass(frozen=True, eq=False)
class Candidate:
    """A finding that is still to stand the comparison with the others.

    Attributes
    ----------
    finding : Finding
        Its p-value is corrected for what its own search looked at.
    rows : numpy.ndarray of bool
        Which rows of its metric (``material.outcomes[finding.measure]``) it is about, of the period.
    wrong : frozenset of str
        Ids of those among them that went wrong.
    cases : frozenset of str
        The cases of these rows.
    members : frozenset of str, optional
        Ids of the cases of both periods, where ``where`` doesn't say it in dimensions.
    """

    finding: Finding
    rows: NDArray[np.bool_]
    wrong: frozenset[str]
    cases: frozenset[str]
    members: frozenset[str] | None = None


def candidate(
    material: Material, finding: Finding, rows: NDArray[np.bool_], members: frozenset[str] | None = None
) -> Candidate:
    """Make a candidate of a finding and the rows of its metric that it is about."""
    chosen = material.outcomes[finding.measure][rows]
    bad = chosen["bad"].to_numpy("float64")
    # Of a share the bad ones, of another number the worse half.
    worst = bad > (0 if np.isin(bad, (0, 1)).all() else np.median(bad))
    return Candidate(finding, rows, frozenset(case_ids(chosen[worst])), frozenset(case_ids(chosen)), members)


def rows_of(material: Material, finding: Finding, cases: Iterable[object]) -> NDArray[np.bool_]:
    """Return which rows of a finding's metric, now and since its first day, belong to some cases."""
    rows = material.outcomes[finding.measure]
    named = {str(each) for each in cases}
    inside = pd.Series(case_ids(rows)).isin(named).to_numpy() | rows["id"].astype(str).isin(named).to_numpy()
    inside = inside & (rows["period"] == "now").to_numpy()
    return inside if pd.isna(finding.since) else inside & (rows["at"] >= finding.since).to_numpy()


def telling_cases(rows: pd.DataFrame, left: NDArray[np.float64]) -> tuple[str, ...]:
    """Return ids of the cases that went furthest beyond the expected, at most 20, of equal ones the latest first."""
    order = np.lexsort((rows["id"].astype(str), -rows["at"].astype("int64").to_numpy(), -np.round(left, 9)))
    return tuple(dict.fromkeys(case_ids(rows)[order][:_SHOWN].tolist()))


def case_ids(rows: pd.DataFrame) -> NDArray[np.object_]:
    """Return the case of each row; its own id where it has none."""
    if "case_id" not in rows.columns:
        return rows["id"].astype(str).to_numpy("object")
    return rows["case_id"].where(rows["case_id"].notna(), rows["id"]).astype(str).to_numpy("object")
