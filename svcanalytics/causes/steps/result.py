"""What is known about a process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from svcanalytics.causes.steps.waiting import PARTS
from svcanalytics.errors import CauseError

__all__ = ["Process"]


@dataclass(frozen=True, eq=False)
class Process:
    """A process as its log shows it. Durations are whole seconds, ending in ``_s``; times are UTC.

    Attributes
    ----------
    steps : pandas.DataFrame
        One row per step, in order of case and completion: case_id, activity, source (the activity before; missing for
        a first step), started_at, at, agent, team, source_agent, source_team, service_s, wait_s (since the step
        before), open_wait_s (of it on the working calendar), outside_s (of it for the customer or a supplier), the
        parts of wait_s (batching_s, contention_s, prioritisation_s, unavailability_s, extraneous_s, unsplit_s), repeat
        (the same activity again), back (return to an activity after others). The index is that of the events given.
    cases : pandas.DataFrame
        One row per case: case_id, start, end, duration_s, service_s, wait_s, open_wait_s, outside_s, steps, handovers
        (to another team, or agent where there are no teams), repeats, returns, variant.
    variants, activities, transitions, rework, handovers, bottlenecks : pandas.DataFrame
        See `count_variants`, `count_activities`, `count_transitions`, `count_rework`, `count_handovers` and
        `rank_bottlenecks`.
    remarks : tuple of str
        What was left out, assumed or can't be told.
    """

    steps: pd.DataFrame
    cases: pd.DataFrame
    variants: pd.DataFrame
    activities: pd.DataFrame
    transitions: pd.DataFrame
    rework: pd.DataFrame
    handovers: pd.DataFrame
    bottlenecks: pd.DataFrame
    remarks: tuple[str, ...]

    def split(self, by: str | Sequence[str] = ("source", "activity")) -> pd.DataFrame:
        """Return the waiting, split into its parts, by columns of `steps`; the longest first.

        Parameters
        ----------
        by : str or sequence of str
            Columns of `steps`, such as source, activity, source_agent, agent, team.

        Returns
        -------
        pandas.DataFrame
            The columns of `by`, n (steps that came after another), cases, wait_s, open_wait_s, outside_s and the parts.

        Raises
        ------
        CauseError
            When there is no such column.
        """
        by = [by] if isinstance(by, str) else list(by)
        absent = [name for name in by if name not in self.steps.columns]
        if absent:
            raise CauseError(f"there is no column {absent[0]!r}", where="by", fix="name columns of steps")
        followed = self.steps[self.steps["source"].notna()]
        grouped = followed.groupby(by, dropna=False, observed=True)
        sums = grouped[["wait_s", "open_wait_s", "outside_s", *(f"{part}_s" for part in PARTS)]].sum()
        sums.insert(0, "cases", grouped["case_id"].nunique())
        sums.insert(0, "n", grouped.size())
        return sums.reset_index().sort_values(["wait_s", *by], ascending=[False] + [True] * len(by), ignore_index=True)
