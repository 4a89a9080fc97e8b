"""One queue served in order of arrival by agents who come and go: the fast recursion behind every simulated day."""

from __future__ import annotations

from bisect import insort
from heapq import heappop, heappush, heapreplace
from math import inf

import numpy as np
from numpy.typing import NDArray

__all__ = ["serve"]


def serve(
    at: NDArray[np.float64],
    handle_s: NDArray[np.float64],
    patience_s: NDArray[np.float64] | None,
    steps: NDArray[np.float64],
    agents: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return how long each customer would wait for an agent; who waits longer than their patience hangs up.

    Every customer is offered the agent who is free first, so one look at a heap of free times replaces a calendar of
    events (Kiefer and Wolfowitz 1955, for many servers). Where agents grow fewer, idle ones go at once and the others
    as their calls end; where they grow more, those who are still on their last call stay on, the last to finish first,
    and new ones take whoever waits.

    Parameters
    ----------
    at : numpy.ndarray
        When customers come, in seconds, ascending.
    handle_s : numpy.ndarray
        What each would take of an agent, in seconds.
    patience_s : numpy.ndarray, optional
        How long each waits before hanging up; without it for ever.
    steps : numpy.ndarray
        When the number of agents changes, in seconds, ascending; nobody works before the first.
    agents : numpy.ndarray of int
        Agents from each step to the next; the last ones stay until everybody is served.

    Returns
    -------
    numpy.ndarray
        Waits offered, in seconds; infinite when no agent ever comes. Customer i is answered when it is at most
        ``patience_s[i]``.
    """
    deadlines = [inf] * len(at) if patience_s is None else (at + patience_s).tolist()
    # The last entry stands for nobody, so that the heap is never empty.
    free = [float(steps[0])] * int(agents[0]) + [inf]
    change = iter([*zip(steps[1:].tolist(), np.diff(agents).tolist(), strict=True), (inf, 0)])
    next_at, more = next(change)
    going: list[float] = []  # ends of the calls after which agents go
    starts: list[float] = []
    note = starts.append
    for came, handle, deadline in zip(at.tolist(), handle_s.tolist(), deadlines, strict=True):
        start = free[0]
        if start < came:
            start = came
        while start >= next_at and next_at < inf:
            going = [end for end in going if end > next_at]
            for _ in range(more):
                heappush(free, going.pop() if going else next_at)
            for _ in range(-more):
                insort(going, heappop(free))
            next_at, more = next(change)
            start = max(free[0], came)
        note(start)
        if start <= deadline:
            heapreplace(free, start + handle)
    return np.array(starts) - at
