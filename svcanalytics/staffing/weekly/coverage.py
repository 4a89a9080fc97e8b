"""What shifts cover, slot by slot."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.shifting.shiftplan import ShiftPlan

__all__ = ["cover"]


def cover(shifts: pd.DataFrame, plan: ShiftPlan) -> pd.DataFrame:
    """Return what these shifts cover of a plan's requirement, each group serving the queue of its name.

    Parameters
    ----------
    shifts : DataFrame
        Of the plan's columns, but maybe fewer people: those that a roster could find.
    plan : ShiftPlan

    Returns
    -------
    pandas.DataFrame
        queue, start, required, planned (on shift and not at a break, on average over the slot), shortfall.
    """
    parts = []
    length = plan.interval_s
    for queue, slots in plan.coverage.groupby("queue", sort=False):
        own = shifts[shifts["group"].astype(str) == str(queue)]
        origin = slots["start"].iloc[0]
        begin = (slots["start"] - origin).dt.total_seconds().to_numpy()
        planned = np.zeros(len(slots))
        for row in own.itertuples():
            pattern = plan.rules.patterns.get(row.pattern)
            worth = row[own.columns.get_loc("count") + 1] * (pattern.counts if pattern and pattern.on_call else 1.0)
            spans = [(row.start, row.end, 1.0), *((low, high, -1.0) for low, high, _ in row.breaks)]
            for low, high, sign in spans:
                planned += sign * worth * _share(low - origin, high - origin, begin, length)
        parts.append(slots[["queue", "start", "required"]].assign(planned=planned))
    found = pd.concat(parts, ignore_index=True)
    return found.assign(shortfall=(found["required"] - found["planned"]).clip(lower=0.0))


def _share(low: pd.Timedelta, high: pd.Timedelta, begin: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    inside = np.minimum(begin + length, high.total_seconds()) - np.maximum(begin, low.total_seconds())
    return np.maximum(inside, 0.0) / length
