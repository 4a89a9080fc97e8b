"""Days of which a few slots were not recorded: estimated for learning, so that the rest of the day is not lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from svcanalytics.demand.matrix import DayMatrix

__all__ = ["fill_gaps"]

_BEFORE, _FEWEST = 20, 5


def fill_gaps(history: DayMatrix) -> DayMatrix:
    """Estimate the missing slots of days that are on record.

    A missing slot takes what it held of the day on the twenty open days before, times what came in the day's other
    slots. Each day is filled from itself and earlier days alone, so that what comes later changes nothing.

    Parameters
    ----------
    history : DayMatrix

    Returns
    -------
    DayMatrix
        The same when nothing is missing or fewer than five days came before.
    """
    missing = history.open_slots & np.isnan(history.counts)
    broken = np.flatnonzero(history.on_record & missing.any(axis=1))
    if not len(broken):
        return history
    counts = history.counts.copy()
    kept = np.flatnonzero(history.on_record)
    for row in broken:
        before = kept[max(np.searchsorted(kept, row) - _BEFORE, 0) : np.searchsorted(kept, row)]
        known = np.isfinite(history.counts[before])
        if len(before) < _FEWEST or not known[:, missing[row]].any(axis=0).all():
            continue
        rate = np.nansum(history.counts[before], axis=0) / np.maximum((history.exposure[before] * known).sum(axis=0), 1)
        usual = rate * history.exposure[row]
        there = ~missing[row] & (usual > 0)
        busy = np.nansum(history.counts[row, there]) / usual[there].sum() if there.any() else 0.0
        counts[row, missing[row]] = busy * usual[missing[row]]
    return replace(history, counts=counts)
