"""Waiting lines: first come, first served by the people on duty, with customers who lose patience."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["serve"]

_HALF_HOUR = 1800


def serve(
    arrivals: np.ndarray,
    handle_s: np.ndarray,
    patience_s: np.ndarray,
    duty: Sequence[tuple[int, int, int, float]],
    per_person: int = 1,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Serve a queue in order of arrival; a customer who would wait longer than patience gives up.

    Parameters
    ----------
    arrivals : int array
        Seconds, ascending.
    handle_s, patience_s : int array
        Handle time and patience of each customer.
    duty : sequence of (person, starts, ends, pace)
        Intervals in which somebody takes contacts, and the factor on handle times; one begun is finished after the end.
    per_person : int
        Contacts a person handles at once (chat).

    Returns
    -------
    person, wait_s, concurrency : int arrays
        Who served (-1: gave up), how long the customer waited until served or gone, and how many contacts the person
        then had at once.
    pace : float array
        The factor on the handle time of whoever served.
    """
    n = len(arrivals)
    person, wait, busy = np.full(n, -1, np.int64), np.empty(n, np.int64), np.zeros(n, np.int64)
    paces = np.ones(n)
    by_slot: dict[int, list[tuple[int, int, int, float]]] = {}
    for who, starts, ends, pace in duty:
        for slot in range(starts // _HALF_HOUR, (ends - 1) // _HALF_HOUR + 1):
            by_slot.setdefault(slot, []).append((who, starts, ends, pace))
    free: dict[int, list[int]] = {who: [0] * per_person for who, _, _, _ in duty}
    # A plain loop: each customer meets the two to eight people on duty, so 100,000 take a few tenths of a second, and
    # nobody ever serves more than they can, which no formula for the mean would give.
    for i, (at, handle, patience) in enumerate(
        zip(arrivals.tolist(), handle_s.tolist(), patience_s.tolist(), strict=True)
    ):
        best, best_who, best_line, best_pace = at + patience + 1, -1, 0, 1.0
        for who, starts, ends, pace in by_slot.get(at // _HALF_HOUR, ()):
            if ends <= at:
                continue
            lines = free[who]
            soonest = min(lines)
            begin = max(soonest, starts, at)
            if begin >= ends:
                continue
            # Among those free now the one free longest takes it.
            if begin < best or (begin == best and best_who >= 0 and soonest < free[best_who][best_line]):
                best, best_who, best_line, best_pace = begin, who, lines.index(soonest), pace
        if best_who < 0:
            wait[i] = patience
            continue
        person[i], wait[i], paces[i] = best_who, best - at, best_pace
        busy[i] = 1 + sum(end > best for end in free[best_who]) - (free[best_who][best_line] > best)
        free[best_who][best_line] = best + int(handle * best_pace)
    return person, wait, busy, paces
