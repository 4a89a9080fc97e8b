"""A past for queues that have none yet: the week and the day of other queues, at the new queue's own level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from svcanalytics.demand.matrix import DayMatrix

__all__ = ["borrow_past", "is_new"]

_NEW = 15
_LENDING = 42
_BORROWED = 56


def is_new(history: DayMatrix) -> bool:
    """Tell whether a queue has too few days on record to know its own week: fewer than three working weeks."""
    return int(history.recorded.sum()) < _NEW


def borrow_past(history: DayMatrix, others: Sequence[DayMatrix]) -> tuple[DayMatrix, tuple[str, ...]]:
    """Put eight weeks of other queues' days before a new queue's own.

    Lent days are the mean of the lenders', each scaled to the new queue's volume on the days that both have. They are
    open when the new queue is or, on weekdays it has not seen yet, when the lenders are.

    Parameters
    ----------
    history : DayMatrix
        Of the new queue.
    others : sequence of DayMatrix
        Histories that may lend: those that hold the same slots and have six weeks on record before the new queue's
        first day do.

    Returns
    -------
    DayMatrix
        The same matrix when nobody can lend.
    tuple of str
        The lenders.
    """
    own = history.recorded
    first = history.days[0]
    lent, exposures, names, features = [], [], [], None
    past = pd.date_range(end=first - pd.Timedelta(days=1), periods=_BORROWED)
    for other in others:
        scaled = _scaled(history, own, other, past)
        if scaled is not None:
            lent.append(scaled[0])
            exposures.append(scaled[1])
            names.append(other.queue)
            features = other.features.reindex(past) if features is None else features
    if not lent:
        return history, ()
    known = np.isfinite(lent)
    count = known.sum(axis=0)
    mean = np.where(count > 0, np.where(known, lent, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    exposure = np.max(exposures, axis=0)
    weekday, seen = past.day_of_week.to_numpy(), history.days.day_of_week.to_numpy()
    for day in range(7):
        usual = own & (seen == day)
        if usual.any():
            exposure[weekday == day] *= (history.exposure[usual].mean(axis=0) > 0.5) * 1.0
    mean = np.where(exposure > 0, mean, np.nan)
    return (
        replace(
            history,
            days=past.append(history.days).as_unit(history.days.unit),
            counts=np.vstack([mean, history.counts]),
            exposure=np.vstack([exposure, history.exposure]),
            features=pd.concat([features, history.features]),
        ),
        tuple(names),
    )


def _scaled(history, own, other, past):
    if not np.isin(history.slots, other.slots).all() or other.days[0] > past[0]:
        return None
    columns = np.searchsorted(other.slots, history.slots)
    rows = other.days.get_indexer(past)
    both = other.days.get_indexer(history.days[own])
    if (rows < 0).any() or (both < 0).any() or other.recorded[: rows[-1] + 1].sum() < _LENDING:
        return None
    theirs, ours = np.nansum(other.counts[both][:, columns]), np.nansum(history.counts[own])
    if theirs <= 0 or ours <= 0:
        return None
    recorded = other.recorded[rows][:, None]
    counts = np.where(recorded, other.counts[rows][:, columns] * (ours / theirs), np.nan)
    return counts, other.exposure[rows][:, columns].copy()
