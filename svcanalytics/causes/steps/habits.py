"""How each case was worked: how long at every step, whether it was done at all, again, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["FEWEST", "Habit", "list_habits"]

FEWEST = 40
"""Cases of each period below which nothing is compared."""

_RAREST = 0.01  # share of cases that must do it the rarer way round for an order to be looked at
_MOST_ORDERS = 30


@dataclass(frozen=True, eq=False)
class Habit:
    """One way in which cases are worked.

    Attributes
    ----------
    kind : {"slow", "done", "again", "order"}
        How long a step takes; whether it is done; whether it is done more than once; whether it comes before another.
    activity : str
    other : str
        The activity it comes before, for an order.
    case : numpy.ndarray of int64, shape ``(m,)``
        Places of the cases for which it can be told.
    amount : numpy.ndarray of float64, shape ``(m,)``
        Seconds at the step (since the step before, less what the case waited for others), or 0 and 1.
    exposure : numpy.ndarray of float64, shape ``(cases,)``
        What its effect on an outcome is read from: seconds at the step for every case, -1 where it was not done; for
        what is done again, and for orders, 0 and 1, NaN where it can't be told.
    """

    kind: str
    activity: str
    other: str
    case: NDArray[np.int64]
    amount: NDArray[np.float64]
    exposure: NDArray[np.float64]

    def name(self, rise: bool) -> str:
        """Return how a finding calls it, when there is more of it, or less."""
        if self.kind == "done":
            return f"step={self.activity}" if rise else f"skipped={self.activity}"
        if self.kind == "order":
            return f"order={self.activity} → {self.other}" if rise else f"order={self.other} → {self.activity}"
        return f"{'rework' if self.kind == 'again' else 'step'}={self.activity}"


def list_habits(steps: pd.DataFrame, cases: pd.Index) -> list[Habit]:
    """Return every habit that differs between cases.

    Parameters
    ----------
    steps : pandas.DataFrame
        As `Process` has them.
    cases : pandas.Index
        The case ids.
    """
    case = cases.get_indexer(steps["case_id"].astype("object"))
    code, names = pd.factorize(steps["activity"].astype("object"), sort=True)
    spent = (steps["wait_s"] - steps["outside_s"] + steps["service_s"]).to_numpy("float64")
    cell, size = code * len(cases) + case, len(names) * len(cases)
    runs = np.bincount(cell, minlength=size).reshape(len(names), -1)
    time = np.bincount(cell, spent, minlength=size).reshape(len(names), -1)
    found = []
    for number, name in enumerate(names):
        there = np.flatnonzero(runs[number])
        done, again = runs[number] > 0, (runs[number, there] > 1).astype("float64")
        spent = np.where(done, time[number], -1.0)
        found.append(Habit("slow", name, "", there, time[number, there], spent))
        found.append(Habit("done", name, "", np.arange(len(cases)), done.astype("float64"), spent))
        found.append(Habit("again", name, "", there, again, _among(len(cases), there, again)))
    found += _orders(case, code, names, runs)
    return [habit for habit in found if len(habit.case) >= 2 * FEWEST and np.ptp(habit.amount) > 0]


def _orders(case: NDArray, code: NDArray, names: pd.Index, runs: NDArray) -> Iterator[Habit]:
    first = np.full(runs.shape, np.iinfo(np.int64).max)
    np.minimum.at(first, (code, case), np.arange(len(case)))
    pairs = []
    for a in range(len(names)):
        for b in range(a + 1, len(names)):
            both = np.flatnonzero((runs[a] > 0) & (runs[b] > 0))
            earlier = (first[a, both] < first[b, both]).astype("float64")
            if len(both) and min(earlier.mean(), 1 - earlier.mean()) >= _RAREST:
                exposure = _among(runs.shape[1], both, earlier)
                pairs.append((len(both), Habit("order", names[a], names[b], both, earlier, exposure)))
    pairs.sort(key=lambda pair: (-pair[0], pair[1].activity, pair[1].other))
    yield from (habit for _, habit in pairs[:_MOST_ORDERS])


def _among(size: int, case: NDArray[np.int64], amount: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.full(size, np.nan)
    out[case] = amount
    return out
