"""Several queues served by crews with skills, event by event: priorities, patience, second calls, breaks."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import inf, isnan, nan

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError

__all__ = ["Calls", "Crew", "Stream", "route", "serve_crews"]

_DONE, _STEP, _GONE, _BACK = range(4)


@dataclass(frozen=True, eq=False)
class Stream:
    """The customers of one queue.

    Attributes
    ----------
    queue : str
    at : numpy.ndarray
        When they come, in seconds, ascending.
    handle_s : numpy.ndarray
    patience_s : numpy.ndarray, optional
        How long each waits; without it for ever.
    priority : int
        Lower goes first; among equals who came first.
    retry : float
        Share of those who hang up that try again.
    retry_after_s : float
        After how long they do, in the mean (exponential).
    """

    queue: str
    at: NDArray[np.float64]
    handle_s: NDArray[np.float64]
    patience_s: NDArray[np.float64] | None = None
    priority: int = 0
    retry: float = 0.0
    retry_after_s: float = 300.0


@dataclass(frozen=True, eq=False)
class Crew:
    """Agents with the same skills and hours.

    Attributes
    ----------
    skills : tuple[str, ...]
        Queues they can serve.
    steps : numpy.ndarray
        When their number changes (shifts, breaks), in seconds, ascending; nobody before the first.
    agents : numpy.ndarray of int
        How many from each step to the next. Where they grow fewer, idle ones go at once, the others after their call;
        where they grow more, those who are still on their last call stay on first.
    """

    skills: tuple[str, ...]
    steps: NDArray[np.float64]
    agents: NDArray[np.int64]


def route(streams: Sequence[Stream], crews: Sequence[Crew], seed: int = 0) -> pd.DataFrame:
    """Serve all queues by all crews and return what became of every call.

    A customer who comes takes an idle agent of the crew with the fewest skills that can serve them (the first given
    among equals), else waits. An agent who is free takes the waiting customer of the best priority, then of the
    earliest arrival, among the queues they know.

    Parameters
    ----------
    streams : sequence of Stream
    crews : sequence of Crew
    seed : int
        Of who tries again, when, and with what patience.

    Returns
    -------
    pandas.DataFrame
        A row per call in the order they came into being: queue, came, wait_s (until answered or hung up; infinite when
        neither), answered, crew (its number, -1 for none), attempt (1 the first).

    Raises
    ------
    StaffingError
        A queue is given twice, a crew knows a queue that is not there, or times are not ascending or negative.
    """
    _check(streams, crews)
    calls = serve_crews(streams, crews, seed)
    return pd.DataFrame(
        {
            "queue": pd.Categorical.from_codes(calls.queue, [stream.queue for stream in streams]),
            "came": calls.came,
            "wait_s": calls.wait_s,
            "answered": calls.answered,
            "crew": calls.crew,
            "attempt": calls.attempt,
        }
    )


@dataclass(frozen=True, eq=False)
class Calls:
    """What became of every call, in the order they came into being.

    Attributes
    ----------
    queue, crew : numpy.ndarray of int
        Their numbers; a crew of -1 is none.
    came, wait_s, handle_s : numpy.ndarray
        Seconds; the wait lasts until answered or hung up, and is infinite when neither.
    answered : numpy.ndarray of bool
    attempt : numpy.ndarray of int
        1 is the first.
    """

    queue: NDArray[np.intp]
    came: NDArray[np.float64]
    wait_s: NDArray[np.float64]
    handle_s: NDArray[np.float64]
    answered: NDArray[np.bool_]
    crew: NDArray[np.intp]
    attempt: NDArray[np.intp]


def serve_crews(streams: Sequence[Stream], crews: Sequence[Crew], seed: int | Sequence[int] = 0) -> Calls:
    """Serve as `route` does, without its checks and its table."""
    floor = _Floor(streams, crews, np.random.default_rng(seed))
    floor.run()
    return floor.calls()


@dataclass(eq=False)
class _Floor:
    streams: Sequence[Stream]
    crews: Sequence[Crew]
    rng: np.random.Generator
    events: list[tuple[float, int, int, int, int]] = field(default_factory=list)  # time, order, kind, who, change
    leaving: dict[int, tuple[float, int]] = field(default_factory=dict)  # completions after which agents of a crew go

    def __post_init__(self) -> None:
        number = {stream.queue: i for i, stream in enumerate(self.streams)}
        self.skills = [[number[queue] for queue in crew.skills] for crew in self.crews]
        by_breadth = sorted(range(len(self.crews)), key=lambda c: len(self.skills[c]))
        self.helpers = [[c for c in by_breadth if q in self.skills[c]] for q in range(len(self.streams))]
        self.priority = [stream.priority for stream in self.streams]
        at = np.concatenate([stream.at for stream in self.streams])
        order = np.argsort(at, kind="stable")
        self.queue = np.repeat(np.arange(len(self.streams)), [len(s.at) for s in self.streams])[order].tolist()
        self.came = at[order].tolist()
        self.handle = np.concatenate([stream.handle_s for stream in self.streams])[order].tolist()
        patience = [np.full(len(s.at), inf) if s.patience_s is None else s.patience_s for s in self.streams]
        self.deadline = (at + np.concatenate(patience))[order].tolist()
        self.attempt = [1] * len(at)
        self.started, self.crew = [nan] * len(at), [-1] * len(at)
        self.lines: list[deque[int]] = [deque() for _ in self.streams]
        self.idle = [0] * len(self.crews)
        self.order = count()
        for c, crew in enumerate(self.crews):
            for time, change in zip(crew.steps.tolist(), np.diff(crew.agents, prepend=0).tolist(), strict=True):
                heappush(self.events, (time, next(self.order), _STEP, c, change))

    def run(self) -> None:
        coming = iter([*self.came, inf])
        next_at, customer = next(coming), 0
        events = self.events
        while events or next_at < inf:
            if not events or next_at < events[0][0]:
                self._arrive(next_at, customer)
                next_at, customer = next(coming), customer + 1
                continue
            now, order, kind, who, change = heappop(events)
            if kind == _DONE:
                if order in self.leaving:
                    del self.leaving[order]
                else:
                    self._free(now, who)
            elif kind == _STEP:
                self._step(now, who, change)
            elif kind == _GONE:
                if isnan(self.started[who]):
                    self._perhaps_again(now, who)
            else:
                self._arrive(now, who)

    def _arrive(self, now: float, customer: int) -> None:
        queue = self.queue[customer]
        for crew in self.helpers[queue]:
            if self.idle[crew]:
                self.idle[crew] -= 1
                self._start(now, customer, crew)
                return
        self.lines[queue].append(customer)
        if self.streams[queue].retry and self.deadline[customer] < inf:
            heappush(self.events, (self.deadline[customer], next(self.order), _GONE, customer, 0))

    def _start(self, now: float, customer: int, crew: int) -> None:
        self.started[customer], self.crew[customer] = now, crew
        heappush(self.events, (now + self.handle[customer], next(self.order), _DONE, crew, 0))

    def _free(self, now: float, crew: int) -> None:
        best, first = -1, (0, inf)
        for queue in self.skills[crew]:
            line = self.lines[queue]
            while line and self.deadline[line[0]] < now:
                line.popleft()
            if line:
                rank = (self.priority[queue], self.came[line[0]])
                if best < 0 or rank < first:
                    best, first = queue, rank
        if best < 0:
            self.idle[crew] += 1
        else:
            self._start(now, self.lines[best].popleft(), crew)

    def _step(self, now: float, crew: int, change: int) -> None:
        if change > 0 and self.leaving:
            staying = sorted((end, order) for order, (end, own) in self.leaving.items() if own == crew)[-change:]
            for _, order in staying:
                del self.leaving[order]
            change -= len(staying)
        for _ in range(change):
            self._free(now, crew)
        at_once = min(max(-change, 0), self.idle[crew])
        self.idle[crew] -= at_once
        after_call = max(-change, 0) - at_once
        if after_call:
            # The first to finish go first.
            busy = sorted(e for e in self.events if e[2] == _DONE and e[3] == crew and e[1] not in self.leaving)
            self.leaving |= {order: (end, crew) for end, order, *_ in busy[:after_call]}

    def _perhaps_again(self, now: float, customer: int) -> None:
        stream = self.streams[self.queue[customer]]
        if self.rng.random() >= stream.retry or stream.patience_s is None:
            return
        back = now + self.rng.exponential(stream.retry_after_s)
        self.queue.append(self.queue[customer])
        self.came.append(back)
        self.handle.append(self.handle[customer])
        self.deadline.append(back + float(self.rng.choice(stream.patience_s)))
        self.attempt.append(self.attempt[customer] + 1)
        self.started.append(nan)
        self.crew.append(-1)
        heappush(self.events, (back, next(self.order), _BACK, len(self.came) - 1, 0))

    def calls(self) -> Calls:
        started, came = np.array(self.started), np.array(self.came)
        answered = ~np.isnan(started)
        return Calls(
            np.array(self.queue, dtype=np.intp), came, np.where(answered, started, np.array(self.deadline)) - came,
            np.array(self.handle), answered, np.array(self.crew, dtype=np.intp), np.array(self.attempt, dtype=np.intp),
        )  # fmt: skip


def _check(streams: Sequence[Stream], crews: Sequence[Crew]) -> None:
    queues = [stream.queue for stream in streams]
    if not queues or len(set(queues)) < len(queues):
        raise StaffingError("every queue needs one stream", where="streams", fix="join streams of the same queue")
    for stream in streams:
        times = [stream.at, stream.handle_s] + ([] if stream.patience_s is None else [stream.patience_s])
        whole = all(len(each) == len(stream.at) and (each >= 0).all() for each in times)
        if not whole or (np.diff(stream.at) < 0).any():
            raise StaffingError(
                "times are one per customer, from 0 up, arrivals ascending", where=stream.queue, fix="sort them"
            )
        if not 0 <= stream.retry <= 1 or not stream.retry_after_s > 0:
            raise StaffingError("retry is a share, retry_after_s above 0", where=stream.queue)
    for number, crew in enumerate(crews):
        strange = [skill for skill in crew.skills if skill not in queues]
        if strange:
            raise StaffingError(
                f"there is no queue {strange[0]!r}", where=f"crew {number}", fix=f"name {', '.join(queues)}"
            )
        if len(crew.steps) != len(crew.agents) or (np.diff(crew.steps) < 0).any() or (crew.agents < 0).any():
            raise StaffingError(
                "a crew has as many numbers of agents, from 0 up, as steps in order of time", where=f"crew {number}"
            )
