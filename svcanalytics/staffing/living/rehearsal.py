"""Days lived through: customers with their patience and handle times, served by the agents of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from svcanalytics.staffing.living.line import serve
from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.volumes import Volume

__all__ = ["Tally", "rehearse", "whole_agents"]

_ARRIVE, _HANDLE, _WAIT = range(3)


@dataclass(frozen=True, eq=False)
class Tally:
    """What came of a queue's customers, by the slot they came in and the draw: arrays of shape ``(S, D)``, or sums.

    Attributes
    ----------
    offered, answered, within, wait_s, busy_s, paid_s : numpy.ndarray
        Customers; those answered; those within the limit as the promise defines it; seconds waited by the answered,
        handled, and at work.
    """

    offered: NDArray[np.float64]
    answered: NDArray[np.float64]
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
        base = self.answered if promise.definition == "answered" else self.offered
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {
                "service_level": np.where(base > 0, self.within / base, np.where(self.offered > 0, 0.0, 1.0)),
                "abandonment": np.where(self.offered > 0, 1 - self.answered / self.offered, 0.0),
                "asa_s": np.where(
                    self.answered > 0, self.wait_s / self.answered, np.where(self.offered > 0, np.inf, 0)
                ),
                "occupancy": np.where(self.paid_s > 0, np.minimum(self.busy_s / self.paid_s, 1.0), 0.0),
            }
        return found


def rehearse(
    volume: Volume,
    arrivals: NDArray[np.float64],
    agents: NDArray[np.int64],
    promise: Promise,
    *,
    seed: int,
    handle_factor: NDArray[np.float64] | None = None,
    handle_cv: float = 1.0,
) -> Tally:
    """Serve given numbers of arrivals and return what came of them.

    Arrivals are spread evenly at random within their slot. A customer's handle time and patience depend on seed, queue,
    draw, opening and place in line alone, so that two plans meet the same customers. Each opening begins with nobody
    waiting; who still waits when it closes is served by the last slot's agents.

    Parameters
    ----------
    volume : Volume
    arrivals : numpy.ndarray, shape ``(S, D)``
        Whole numbers.
    agents : numpy.ndarray of int, shape ``(S,)`` or ``(S, D)``
    promise : Promise
    seed : int
    handle_factor : numpy.ndarray, optional, shape ``(S, D)``
        What the handle times of a slot and draw are multiplied by.
    handle_cv : float
        Coefficient of variation of one handle time: 1 is exponential, else log-normal.
    """
    slots, draws = arrivals.shape
    agents = np.broadcast_to(agents if agents.ndim == 2 else agents[:, None], (slots, draws))
    counts = arrivals.astype(np.int64)
    sums = {name: np.zeros((slots, draws)) for name in ("answered", "within", "wait_s", "busy_s")}
    first = np.flatnonzero(volume.opens)
    key = crc32(volume.queue.encode())
    for opening, (begin, end) in enumerate(zip(first, [*first[1:], slots], strict=True)):
        second = volume.second[begin:end]
        for draw in range(draws):
            here = counts[begin:end, draw]
            n = int(here.sum())
            if not n:
                continue
            arrive, handle, wait = (
                np.random.default_rng([seed, key, opening, draw, kind]) for kind in (_ARRIVE, _HANDLE, _WAIT)
            )
            slot = np.repeat(np.arange(end - begin), here)
            at = np.sort(second[slot] + arrive.random(n) * volume.interval_s)
            times = volume.handle_s[begin:end][slot] * _spread(handle, n, handle_cv)
            if handle_factor is not None:
                times *= handle_factor[begin:end, draw][slot]
            patience = None if promise.patience_s is None else wait.standard_exponential(n) * promise.patience_s
            offered = serve(at, times, patience, second, agents[begin:end, draw])
            # Without an agent to come, the wait is endless.
            answered = np.isfinite(offered) if patience is None else offered <= patience
            soon = offered <= promise.within_s
            if promise.definition != "virtual":
                soon &= answered
            for name, weight in (
                ("answered", answered), ("within", soon), ("wait_s", np.where(answered, offered, 0.0)),
                ("busy_s", np.where(answered, times, 0.0)),
            ):  # fmt: skip
                sums[name][begin:end, draw] = np.bincount(slot, weight, end - begin)
    return Tally(counts.astype("float64"), **sums, paid_s=agents * volume.interval_s)


def whole_agents(agents: NDArray[np.float64], opens: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return whole agents that add up, within an opening, to the fractional ones at every slot to less than half."""
    whole = np.empty(len(agents), dtype=np.int64)
    first = np.flatnonzero(opens)
    for begin, end in zip(first, [*first[1:], len(agents)], strict=True):
        total = np.floor(np.cumsum(agents[begin:end]) + 0.5 + 1e-9)
        whole[begin:end] = np.diff(total, prepend=0.0)
    return whole


def _spread(rng: np.random.Generator, n: int, cv: float) -> NDArray[np.float64]:
    # Mean 1.
    if cv == 1.0:
        return rng.standard_exponential(n)
    variance = np.log1p(cv**2)
    return np.exp(np.sqrt(variance) * rng.standard_normal(n) - variance / 2)
