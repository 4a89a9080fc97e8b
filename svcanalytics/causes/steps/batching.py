"""Work done in batches: one agent takes up several waiting cases of the same step, one right after the other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.causes.steps.log import NONE, StepLog

__all__ = ["find_batches"]


def find_batches(log: StepLog, gap_s: int = 0) -> NDArray[np.int64]:
    """Return the batch of each step; `NONE` for a step done on its own.

    A batch is at least two runs of one activity by one agent, the next begun at most `gap_s` after the last had ended,
    all of which could have begun when the first did (Martin et al. 2017; Lashkevich et al. 2022).

    Parameters
    ----------
    log : StepLog
    gap_s : int
        Seconds.

    Returns
    -------
    numpy.ndarray of int64, shape ``(n,)``
    """
    batch = np.full(len(log.case), NONE)
    known = np.flatnonzero(log.agent != NONE)
    group = log.agent[known] * len(log.activities) + log.activity[known]
    known = known[np.lexsort((known, log.end[known], log.start[known], group))]
    group = log.agent[known] * len(log.activities) + log.activity[known]
    start, end, enabled = log.start[known], log.end[known], log.enabled[known]
    follows = _follows(group, start, end, gap_s)
    # Only runs without a gap can be batches; few steps lie in one, so they are gone through one by one.
    near = np.flatnonzero(follows | np.r_[follows[1:], False])
    number, members, first, last = -1, [], 0, 0
    found: list[list[int]] = []
    for place, joined, begin, stop, ready in zip(
        near.tolist(), follows[near].tolist(), start[near].tolist(), end[near].tolist(), enabled[near].tolist(),
        strict=True,
    ):  # fmt: skip
        if joined and members and ready <= first and begin - last <= gap_s:
            members.append(place)
            last = max(last, stop)
            continue
        if len(members) > 1:
            found.append(members)
        members, first, last = [place], begin, stop
    if len(members) > 1:
        found.append(members)
    for number, members in enumerate(found):
        batch[known[members]] = number
    return batch


def _follows(group: NDArray, start: NDArray, end: NDArray, gap_s: int) -> NDArray[np.bool_]:
    # Whether a step begins before the latest end so far of its group, or at most a gap after.
    if not len(group):
        return np.zeros(0, dtype=bool)
    span = end.max() - min(start.min(), end.min()) + 1
    latest = np.maximum.accumulate(end + group * span) - group * span
    return np.r_[False, (group[1:] == group[:-1]) & (start[1:] - latest[:-1] <= gap_s)]
