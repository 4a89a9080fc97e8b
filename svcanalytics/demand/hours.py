"""Opening hours of a queue: given, or inferred from when it has arrivals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["OpeningHours", "infer_hours"]

_OFF = ("holiday", "substituted")


@dataclass(frozen=True, eq=False)
class OpeningHours:
    """When a queue is open.

    Attributes
    ----------
    week : numpy.ndarray of bool, shape ``(7, S)``
        Open slots of an ordinary Monday to Sunday.
    make_up : numpy.ndarray of bool, shape ``(S,)``
        Open slots of a weekend day that is worked.
    holidays_closed : bool
        Whether public holidays and the days off that belong to them are closed.
    """

    week: NDArray[np.bool_]
    make_up: NDArray[np.bool_]
    holidays_closed: bool

    def open_slots(self, features: pd.DataFrame) -> NDArray[np.bool_]:
        """Return which slots are open on the days of `features`, shape ``(D, S)``."""
        kind = features["day_class"].to_numpy()
        slots = self.week[features["weekday"].to_numpy()].copy()
        slots[kind == "make_up"] |= self.make_up
        if self.holidays_closed:
            slots[np.isin(kind, _OFF)] = False
        return slots


def infer_hours(counts: NDArray[np.float64], features: pd.DataFrame) -> OpeningHours:
    """Infer opening hours from recorded counts, shape ``(D, S)``."""
    kind, weekday = features["day_class"].to_numpy(), features["weekday"].to_numpy()
    positive = counts > 0
    active = positive.any(axis=1)
    off, moved = np.isin(kind, _OFF), kind == "make_up"
    ordinary = ~off & ~moved
    week = np.zeros((7, counts.shape[1]), dtype=bool)
    for day in range(7):
        mine = ordinary & (weekday == day)
        if mine.any() and active[mine].mean() > 0.5:
            share = positive[mine & active].mean(axis=0)
            week[day] = _spans(share > 0.05)
    make_up = week[:5].any(axis=0)
    if moved.any():
        make_up = make_up & active[moved].any()
    normally = week.any(axis=1)[weekday]
    seen = off & normally
    closed = bool(seen.any() and active[seen].mean() < 0.5)
    return OpeningHours(week, make_up, closed)


def _spans(used: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found = np.flatnonzero(used)
    result = np.zeros_like(used)
    if len(found):
        result[found[0] : found[-1] + 1] = True
    return result
