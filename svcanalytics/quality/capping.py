"""Floor rules: a failed standard or a weak family caps the grade, so that no average hides it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.quality.aggregation import Aggregate
from svcanalytics.quality.cells import Cells, with_units
from svcanalytics.quality.profiles import Cap, Profile

__all__ = ["cap_grades"]


def cap_grades(
    reached: Aggregate, cells: Cells, measures: pd.DataFrame, profile: Profile
) -> tuple[list[str], list[str]]:
    """Grade the index of every row, no higher than the profile's floor rules allow.

    A rule whose family or metric is missing is not broken: `coverage` and `flag` speak of what is missing.

    Parameters
    ----------
    reached : Aggregate
    cells : Cells
    measures : pandas.DataFrame
        As given to `score`; its column ``met`` says which targets were missed, in rows of metrics and time standards.
    profile : Profile

    Returns
    -------
    grades, capped_by : list of str
        By row; the latter names what broke a rule that lowered the grade, "" where none did.
    """
    grades = [profile.grade(value) for value in reached.index]
    broken = [_broken(cap, reached, cells, measures, profile) for cap in profile.caps]
    out, reasons = [], []
    for row, earned in enumerate(grades):
        allowed = {
            name: cap.grade
            for cap, by in zip(profile.caps, broken, strict=True)
            for name, hit in by.items()
            if hit[row] and earned and profile.grades[cap.grade] < profile.grades[earned]
        }
        out.append(min([earned, *allowed.values()], key=lambda grade: profile.grades.get(grade, 0.0)))
        reasons.append(", ".join(allowed))
    return out, reasons


def _broken(
    cap: Cap, reached: Aggregate, cells: Cells, measures: pd.DataFrame, profile: Profile
) -> dict[str, NDArray[np.bool_]]:
    """Return for each family or metric the rule is about, in which rows it is broken."""
    if cap.metric and cap.below is None:
        missed = with_units(measures[measures["metric"] == cap.metric])
        missed = missed[missed["met"].eq(False).fillna(False)] if "met" in missed else missed.iloc[:0]
        rows = pd.MultiIndex.from_frame(cells.rows[["unit", "period"]])
        return {cap.metric: rows.isin(pd.MultiIndex.from_frame(missed[["unit", "period"]]))}
    if cap.metric:
        column = [m.metric for m in profile.metrics].index(cap.metric)
        return {cap.metric: cells.score[:, column] < cap.below}
    chosen = [cap.family] if cap.family else list(profile.families)
    return {f: reached.families[:, list(profile.families).index(f)] < cap.below for f in chosen}
