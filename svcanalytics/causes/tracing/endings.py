"""Endings: steps that are done because a case went wrong, and so can't be why it did.

"Reopen" is a step of every case that was reopened. It, and all that comes after it (the case is worked again), says how
the case came out, not what brought that about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

__all__ = ["Done", "cut_endings", "list_done"]

_ALIKE = 0.8
"""A step that tells so much of the outcome (squared correlation) is the outcome."""


@dataclass(frozen=True, eq=False)
class Done:
    """Which case had which step.

    Attributes
    ----------
    cases : pandas.Index
    steps : tuple of str
    matrix : scipy.sparse.csr_matrix, shape ``(cases, steps)``
        1 where the case had the step.
    """

    cases: pd.Index
    steps: tuple[str, ...]
    matrix: csr_matrix

    def endings(self, case: pd.Series, bad: NDArray[np.float64]) -> tuple[str, ...]:
        """Return the steps that nearly all cases that went wrong have, and hardly any other, in order of name.

        Parameters
        ----------
        case : Series
            The case of each row of an outcome.
        bad : numpy.ndarray, shape ``(n,)``
            The outcome; nothing is said of one that isn't 0 or 1.
        """
        at = self.cases.get_indexer(case)
        known = at >= 0
        wrong = bad[known]
        if not len(wrong) or not np.isin(wrong, (0.0, 1.0)).all() or np.ptp(wrong) == 0:
            return ()
        had = self.matrix[at[known]]
        n, often, both = len(wrong), np.asarray(had.sum(axis=0)).ravel(), np.asarray(wrong @ had).ravel()
        joint = n * both - often * wrong.sum()
        spread = often * (n - often) * wrong.sum() * (n - wrong.sum())
        alike = (joint > 0) & (joint**2 > _ALIKE * np.maximum(spread, 1e-9))
        return tuple(step for step, found in zip(self.steps, alike, strict=True) if found)


def list_done(events: pd.DataFrame) -> Done:
    """List which case had which step.

    Parameters
    ----------
    events : DataFrame
        ``case_id``, ``activity``.
    """
    from scipy.sparse import csr_matrix

    case, cases = pd.factorize(events["case_id"].astype("object"))
    step, steps = pd.factorize(events["activity"].astype("object").map(str), sort=True)
    had, which = np.divmod(np.unique(case * max(len(steps), 1) + step), max(len(steps), 1))
    matrix = csr_matrix((np.ones(len(had)), (had, which)), shape=(len(cases), len(steps)))
    return Done(pd.Index(cases), tuple(map(str, steps)), matrix)


def cut_endings(case: NDArray[np.int64], step: NDArray[np.int64], endings: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Tell which steps come before it is known how the case came out, shape ``(n,)``.

    In cases with an ending all that follows it goes; in the others too the steps that cases with an ending mostly have
    after it only, else it would be their absence that tells them apart.

    Parameters
    ----------
    case, step : numpy.ndarray of int64, shape ``(n,)``
        Codes from 0, in order of cases, and of time within them.
    endings : numpy.ndarray of int64
        The steps that say how the case came out.
    """
    ends = np.isin(step, endings)
    said = np.cumsum(ends)
    first = np.searchsorted(case, case)  # where each case begins
    before = said - said[first] + ends[first] == 0
    ended = np.isin(case, case[ends])
    size = int(step.max(initial=0)) + 1
    had, early = (_cases_by_step(case, step, ended & mask, size) for mask in (np.ones(len(case), dtype=bool), before))
    return before & ~((had > 0) & (early < 0.5 * had))[step]


def _cases_by_step(
    case: NDArray[np.int64], step: NDArray[np.int64], rows: NDArray[np.bool_], size: int
) -> NDArray[np.int64]:
    pairs = np.unique(case[rows] * size + step[rows])
    return np.bincount(pairs % size, minlength=size)
