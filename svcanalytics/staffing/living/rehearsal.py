"""Days lived through: customers with their patience and handle times, served by the people of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from svcanalytics.staffing.living.line import serve
from svcanalytics.staffing.living.presence import Presence
from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.volumes import Volume

__all__ = ["Desk", "Tally", "counted", "rehearse"]

_DAY_S = 86_400.0
_TINY = 1e-16


@dataclass(frozen=True, eq=False)
class Tally:
    """What came of a queue's customers, by the slot they came in and the draw: arrays of shape ``(S, D)``, or sums.

    Attributes
    ----------
    offered, answered, base, within, wait_s, busy_s, paid_s : numpy.ndarray
        Customers; those answered; those that count for the service level, and of them those within the limit as the
        promise defines it; seconds waited by the answered, handled, and at work.
    """

    offered: NDArray[np.float64]
    answered: NDArray[np.float64]
    base: NDArray[np.float64]
    within: NDArray[np.float64]
    wait_s: NDArray[np.float64]
    busy_s: NDArray[np.float64]
    paid_s: NDArray[np.float64]

    def by(self, groups: NDArray[np.intp]) -> Tally:
        """Return the sums over slots of each group, numbered from 0."""
        shape = (int(groups.max()) + 1, *self.offered.shape[1:])
        sums = {name: np.zeros(shape) for name in self.__dataclass_fields__}
        for name, total in sums.items():
            np.add.at(total, groups, getattr(self, name))
        return Tally(**sums)

    def measures(self, promise: Promise) -> dict[str, NDArray[np.float64]]:
        """Return service level, abandonment, ASA and occupancy; without customers nobody waits."""
        idle = np.where(self.offered > 0, 0.0, 1.0)
        if promise.short_abandon_s:
            idle = np.ones_like(self.offered)  # all have hung up at once, and none of them counts
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {
                "service_level": np.where(self.base > 0, self.within / self.base, idle),
                "abandonment": np.where(self.offered > 0, 1 - self.answered / self.offered, 0.0),
                "asa_s": np.where(
                    self.answered > 0, self.wait_s / self.answered, np.where(self.offered > 0, np.inf, 0)
                ),
                "occupancy": np.where(self.paid_s > 0, np.minimum(self.busy_s / self.paid_s, 1.0), 0.0),
            }
        return found


@dataclass(frozen=True, eq=False)
class Desk:
    """One queue with what comes to it.

    Attributes
    ----------
    volume : Volume
    arrivals : numpy.ndarray, shape ``(S, D)``
        Whole numbers.
    promise : Promise
    handle_factor : numpy.ndarray, optional, shape ``(S, D)``
        What the handle times of a slot and draw are multiplied by.
    handle_cv : float
        Coefficient of variation of one handle time: 1 is exponential, else log-normal.
    priority, retry, retry_after_s
        As in `Stream`.
    """

    volume: Volume
    arrivals: NDArray[np.float64]
    promise: Promise
    handle_factor: NDArray[np.float64] | None = None
    handle_cv: float = 1.0
    priority: int = 0
    retry: float = 0.0
    retry_after_s: float = 300.0

    def openings(self) -> list[tuple[int, int]]:
        """Return the first slot of each opening and the one after its last."""
        first = np.flatnonzero(self.volume.opens).tolist()
        return list(zip(first, [*first[1:], len(self.volume.mean)], strict=True))

    def customers(
        self, begin: int, end: int, draw: int, seed: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None]:
        """Return slot (from `begin`), time of arrival, handle time and patience of an opening's customers.

        Customer number k of a slot is the same person in every plan and at every volume; more volume adds people.
        """
        volume, here = self.volume, self.arrivals[begin:end, draw].astype(np.int64)
        slot = np.repeat(np.arange(end - begin), here)
        number = np.arange(len(slot)) - np.repeat(np.cumsum(here) - here, here)
        wide = max(end - begin, int(np.ceil(_DAY_S / volume.interval_s)))
        key = (crc32(volume.queue.encode()), int(volume.start[begin].value // 10**9) % 2**31, draw)
        luck = np.random.default_rng([seed, *key]).random((int(here.max(initial=0)), 3, wide))
        at = volume.second[begin:end][slot] + luck[number, 0, slot] * volume.interval_s
        order = np.argsort(at, kind="stable")
        slot, number, at = slot[order], number[order], at[order]
        times = volume.handle_s[begin:end][slot] * _spread(luck[number, 1, slot], self.handle_cv)
        if self.handle_factor is not None:
            times *= self.handle_factor[begin:end, draw][slot]
        mean = self.promise.patience_s
        return slot, at, times, None if mean is None else -np.log1p(-luck[number, 2, slot]) * mean


def rehearse(desk: Desk, presence: Presence, seed: int, hands: float = 1.0) -> Tally:
    """Serve a queue's customers in order of arrival by its own people and return what came of them.

    Arrivals are spread evenly at random within their slot. A customer's handle time and patience depend on seed, queue,
    slot, draw and place in the slot alone, so that two plans meet the same customers. Each opening begins with nobody
    waiting; who still waits when it closes is served by those who are there then.

    Parameters
    ----------
    desk : Desk
    presence : Presence
        In seconds since the queue's first slot.
    seed : int
    hands : float
        Contacts that a person holds at once.
    """
    volume, promise = desk.volume, desk.promise
    held = presence.times(hands)
    sums = {name: np.zeros(desk.arrivals.shape) for name in ("answered", "base", "within", "wait_s", "busy_s")}
    for begin, end in desk.openings():
        until = volume.second[end - 1] + volume.interval_s
        for draw in np.flatnonzero(desk.arrivals[begin:end].any(axis=0)).tolist():
            slot, at, times, patience = desk.customers(begin, end, draw, seed)
            steps, agents = held.between(volume.second[begin], until, draw)
            offered = serve(at, times, patience, steps, agents)
            # Without an agent to come, the wait is endless.
            answered = np.isfinite(offered) if patience is None else offered <= patience
            soon = offered <= promise.within_s
            for name, weight in counted(promise, soon, answered, patience, offered, times):
                sums[name][begin:end, draw] = np.bincount(slot, weight, end - begin)
    sums["busy_s"] /= hands
    return Tally(desk.arrivals.astype("float64"), **sums, paid_s=presence.seconds(volume.second, volume.interval_s))


def counted(
    promise: Promise, soon: NDArray[np.bool_], answered: NDArray[np.bool_], patience: NDArray[np.float64] | None,
    wait: NDArray[np.float64], times: NDArray[np.float64],
) -> Iterator[tuple[str, NDArray]]:  # fmt: skip
    """Yield the sums of a tally by name, with what each customer adds."""
    base = np.ones(len(answered))
    if promise.definition == "answered":
        base = answered.astype("float64")
    elif promise.short_abandon_s and patience is not None and promise.definition == "offered":
        base = (answered | (patience > promise.short_abandon_s)).astype("float64")
    yield "base", base
    yield "answered", answered
    yield "within", soon if promise.definition == "virtual" else soon & answered
    yield "wait_s", np.where(answered, wait, 0.0)
    yield "busy_s", np.where(answered, times, 0.0)


def _spread(luck: NDArray[np.float64], cv: float) -> NDArray[np.float64]:
    # Mean 1.
    if cv == 1.0:
        return -np.log1p(-luck)
    from scipy.special import ndtri

    variance = np.log1p(cv**2)
    return np.exp(np.sqrt(variance) * ndtri(np.maximum(luck, _TINY)) - variance / 2)
