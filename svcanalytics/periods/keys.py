"""Period keys of many days at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from svcanalytics.periods.period import period_of

__all__ = ["period_keys"]


def period_keys(days: Any, kind: str, month_start: int = 1) -> np.ndarray:
    """Return the key of the period each local day falls into.

    Parameters
    ----------
    days : array-like of dates or datetime64
        Local days (not UTC); any shape ``(n,)``, missing days allowed.
    kind : str
        One of `KINDS`.
    month_start : int
        Day on which months begin.

    Returns
    -------
    numpy.ndarray of object, shape ``(n,)``
        ``"2026-10"`` and the like; None where the day is missing.
    """
    values = np.asarray(days).astype("datetime64[D]")
    unique, inverse = np.unique(values, return_inverse=True)
    names = np.empty(len(unique), dtype=object)
    for index, day in enumerate(unique):
        names[index] = None if np.isnat(day) else period_of(day.astype(object), kind, month_start).key
    return names[inverse]
