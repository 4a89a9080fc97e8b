"""Several queues and teams lived through together: people who know more than one queue, priorities, second calls."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from svcanalytics.staffing.living.presence import Presence
from svcanalytics.staffing.living.rehearsal import Desk, Tally, counted
from svcanalytics.staffing.living.routing import Calls, Crew, Stream, serve_crews

__all__ = ["rehearse_together"]


def rehearse_together(
    desks: Sequence[Desk], teams: Sequence[tuple[tuple[str, ...], Presence]], seed: int, hands: float = 1.0
) -> list[Tally]:
    """Serve all queues' customers by teams that may know several, event by event, and return what came of each queue's.

    As `rehearse`, with priorities and with customers who try again; these count where they come. Times of teams are
    seconds since the first desk's first slot. The time of people who know several queues is shared among these by what
    they handle.
    """
    origin = desks[0].volume.start[0]
    ahead = [(desk.volume.start[0] - origin).total_seconds() for desk in desks]
    number = {desk.volume.queue: i for i, desk in enumerate(desks)}
    known = [[number[queue] for queue in queues] for queues, _ in teams]
    held = [presence.times(hands) for _, presence in teams]
    at_work = [
        {i: presence.seconds(desks[i].volume.second + ahead[i], desks[i].volume.interval_s) for i in mine}
        for mine, (_, presence) in zip(known, teams, strict=True)
    ]
    sums = [{name: np.zeros(desk.arrivals.shape) for name in Tally.__dataclass_fields__} for desk in desks]
    for opening, (begin, end) in enumerate(_joint_openings(desks, ahead)):
        slots = [
            np.flatnonzero((desk.volume.second + move >= begin) & (desk.volume.second + move < end))
            for desk, move in zip(desks, ahead, strict=True)
        ]
        for draw in range(desks[0].arrivals.shape[1]):
            streams = [_stream(*each, draw, seed) for each in zip(desks, ahead, slots, strict=True)]
            crews = [
                Crew(queues, *presence.between(begin, end, draw))
                for (queues, _), presence in zip(teams, held, strict=True)
            ]
            calls = serve_crews(streams, crews, [seed, opening, draw])
            for i, (desk, move) in enumerate(zip(desks, ahead, strict=True)):
                _add(sums[i], calls, i, desk, move, draw)
            for crew, mine in enumerate(known):
                busy = [calls.handle_s[(calls.crew == crew) & (calls.queue == i)].sum() for i in mine]
                for i, each in zip(mine, busy, strict=True):
                    share = each / sum(busy) if sum(busy) else 1 / len(mine)
                    sums[i]["paid_s"][slots[i], draw] += share * at_work[crew][i][slots[i], draw]
    for each in sums:
        each["busy_s"] /= hands
    return [Tally(**each) for each in sums]


def _stream(desk: Desk, move: float, slots: np.ndarray, draw: int, seed: int) -> Stream:
    parts = [desk.customers(a, b, draw, seed) for a, b in desk.openings() if len(slots) and slots[0] <= a <= slots[-1]]
    at, times, patience = (
        np.concatenate([part[place] for part in parts]) if parts and parts[0][place] is not None else None
        for place in (1, 2, 3)
    )
    at, times = (np.zeros(0) if each is None else each for each in (at, times))
    return Stream(desk.volume.queue, at + move, times, patience, desk.priority, desk.retry, desk.retry_after_s)


def _add(sums: dict[str, np.ndarray], calls: Calls, queue: int, desk: Desk, move: float, draw: int) -> None:
    mine = calls.queue == queue
    wait, answered, times = calls.wait_s[mine], calls.answered[mine], calls.handle_s[mine]
    slot = np.searchsorted(desk.volume.second + move, calls.came[mine], side="right") - 1
    soon = wait <= desk.promise.within_s
    patience = None if desk.promise.patience_s is None else wait  # of those who hang up, all that is asked for
    slots = len(desk.volume.mean)
    for name, weight in counted(desk.promise, soon, answered, patience, wait, times):
        sums[name][:, draw] += np.bincount(slot, weight, slots)
    sums["offered"][:, draw] += np.bincount(slot, minlength=slots)


def _joint_openings(desks: Sequence[Desk], ahead: Sequence[float]) -> list[tuple[float, float]]:
    """Times during which at least one queue is open."""
    spans = sorted(
        (desk.volume.second[a] + move, desk.volume.second[b - 1] + move + desk.volume.interval_s)
        for desk, move in zip(desks, ahead, strict=True)
        for a, b in desk.openings()
    )
    joint: list[tuple[float, float]] = []
    for begin, end in spans:
        if joint and begin <= joint[-1][1] + 1e-6:
            joint[-1] = (joint[-1][0], max(joint[-1][1], end))
        else:
            joint.append((begin, end))
    return joint
