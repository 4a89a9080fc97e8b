"""The least agents that keep every target of an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.formulas.erlang import QueuePerformance, erlang_a, erlang_c

__all__ = ["required_agents"]

Definition = Literal["offered", "answered", "virtual"]

_LEVELS = {
    "offered": "service_level",
    "answered": "service_level_answered",
    "virtual": "service_level_virtual",
}
_FRACTION_STEPS = 30  # halvings of one agent: to 1e-9


@dataclass(frozen=True)
class _Targets:
    service_level: float | None
    within_s: float
    definition: Definition
    max_occupancy: float | None
    max_abandonment: float | None
    max_asa_s: float | None
    short_abandon_s: float


def required_agents(
    arrivals: ArrayLike,
    handle_s: ArrayLike,
    *,
    service_level: float | None = 0.8,
    within_s: float = 20,
    patience_s: ArrayLike | None = None,
    max_occupancy: float | None = None,
    max_abandonment: float | None = None,
    max_asa_s: float | None = None,
    definition: Definition = "offered",
    short_abandon_s: float = 0,
    interval_s: ArrayLike = 1800,
    fractional: bool = False,
    max_agents: float | None = None,
) -> NDArray[np.int64] | NDArray[np.float64]:
    """Return the least agents with which a queue keeps all its targets in steady state.

    Found by bisection from 0 agents up, since impatient customers can make a target reachable with fewer agents than
    the load (a search that begins at the load never sees these). No arrivals need no agents.

    Parameters
    ----------
    arrivals, handle_s : array_like
        Expected contacts per interval and mean handle time in seconds; broadcast.
    service_level : float or None
        Share to be answered within `within_s`, below 1; None for no such target.
    within_s : float
        Limit of the service level in seconds.
    patience_s : array_like, optional
        Mean patience in seconds; without it customers wait for ever (Erlang C).
    max_occupancy, max_abandonment : float, optional
        Upper bounds, 0-1, above 0.
    max_asa_s : float, optional
        Upper bound of the mean wait of the answered, in seconds, above 0.
    definition : {"offered", "answered", "virtual"}
        Which service level `service_level` is about; see `QueuePerformance`.
    short_abandon_s : float
        Who hangs up within so many seconds counts neither for nor against the service level (offered).
    interval_s : array_like
        Length of the interval in seconds.
    fractional : bool
        Return the least real number of agents, by the continuation of the formulas between whole agents. Rounding up
        queue by queue and interval by interval adds up to whole people; round where shifts are made.
    max_agents : float, optional
        Raise where more would be needed, and say what so many come to.

    Returns
    -------
    numpy.ndarray of int64, or of float64 with `fractional`

    Raises
    ------
    StaffingError
        When no target is given, a target is out of its range, an argument is negative or not a number, or more than
        `max_agents` would be needed.
    """
    targets = _Targets(service_level, within_s, definition, max_occupancy, max_abandonment, max_asa_s, short_abandon_s)
    _check(targets, patience_s)
    given = [arrivals, handle_s, interval_s, *([] if patience_s is None else [patience_s])]
    parts = [np.asarray(each, dtype="float64") for each in given]
    _perform(*(part.ravel()[:1] for part in parts), agents=np.ones(1), targets=targets)  # complains about bad times
    shape = np.broadcast_shapes(*(part.shape for part in parts))
    count, handle, interval, *patience = (np.broadcast_to(part, shape).ravel() for part in parts)
    low, high = np.zeros(count.shape), np.ceil(count * handle / interval) + 1
    pending = np.flatnonzero(~_holds(high, count, handle, interval, patience, targets))
    while len(pending):
        low[pending], high[pending] = high[pending], np.ceil(high[pending] * 1.1) + 1
        held = _holds(*_pick(pending, high, count, handle, interval), [p[pending] for p in patience], targets)
        pending = pending[~held]
    pending = np.flatnonzero((count > 0) & (high - low > 1))
    while len(pending):
        middle = np.floor((low[pending] + high[pending]) / 2)
        held = _holds(middle, *_pick(pending, count, handle, interval), [p[pending] for p in patience], targets)
        high[pending], low[pending] = np.where(held, middle, high[pending]), np.where(held, low[pending], middle)
        pending = pending[high[pending] - low[pending] > 1]
    high[count == 0] = 0
    if max_agents is not None and (high > max_agents).any():
        _refuse(int(np.argmax(high > max_agents)), max_agents, high, count, handle, interval, patience, targets, shape)
    if not fractional:
        return high.astype(np.int64).reshape(shape)
    low = np.maximum(high - 1, 0)
    for _ in range(_FRACTION_STEPS):
        middle = (low + high) / 2
        held = _holds(middle, count, handle, interval, patience, targets)
        high, low = np.where(held, middle, high), np.where(held, low, middle)
    return high.reshape(shape)


def _holds(
    agents: NDArray, count: NDArray, handle: NDArray, interval: NDArray, patience: list[NDArray], targets: _Targets
) -> NDArray[np.bool_]:
    queue = _perform(count, handle, interval, *patience, agents=agents, targets=targets)
    met = np.ones(agents.shape, dtype=bool)
    if targets.service_level is not None:
        met &= getattr(queue, _LEVELS[targets.definition]) >= targets.service_level
    for bound, value in (
        (targets.max_occupancy, queue.occupancy),
        (targets.max_abandonment, queue.abandonment),
        (targets.max_asa_s, queue.asa_s),
    ):
        if bound is not None:
            met &= value <= bound
    return met


def _perform(
    count: NDArray, handle: NDArray, interval: NDArray, *patience: NDArray, agents: NDArray, targets: _Targets
) -> QueuePerformance:
    if patience:
        return erlang_a(
            count, handle, agents, patience[0], targets.within_s, interval, short_abandon_s=targets.short_abandon_s
        )
    return erlang_c(count, handle, agents, targets.within_s, interval)


def _refuse(
    place: int, most: float, high: NDArray, count: NDArray, handle: NDArray, interval: NDArray,
    patience: list[NDArray], targets: _Targets, shape: tuple[int, ...],
) -> None:  # fmt: skip
    here = [each[place : place + 1] for each in (count, handle, interval, *patience)]
    queue = _perform(*here, agents=np.array([float(most)]), targets=targets)
    index = ", ".join(map(str, np.unravel_index(place, shape)))
    level, wait = getattr(queue, _LEVELS[targets.definition])[0], queue.asa_s[0]
    raise StaffingError(
        f"{most:g} agents can't keep the targets: service level {level:.3f}, occupancy {queue.occupancy[0]:.3f}, "
        f"mean wait {wait:.0f} s",
        where=f"arrivals[{index}]" if index else "arrivals",
        fix=f"{high[place]:g} agents keep them; or relax the strictest target",
    )


def _pick(places: NDArray, *arrays: NDArray) -> list[NDArray]:
    return [array[places] for array in arrays]


def _check(targets: _Targets, patience_s: ArrayLike | None) -> None:
    if targets.definition not in _LEVELS:
        raise StaffingError(
            f"there is no service level named {targets.definition!r}",
            where="definition",
            fix=f"use {', '.join(_LEVELS)}",
        )
    bounds = {
        name: getattr(targets, name) for name in ("service_level", "max_occupancy", "max_abandonment", "max_asa_s")
    }
    if all(bound is None for bound in bounds.values()):
        raise StaffingError("no target is given", fix="give service_level, max_asa_s, max_abandonment or max_occupancy")
    for name, bound in bounds.items():
        if bound is None:
            continue
        if name == "max_asa_s":
            if not bound > 0:
                raise StaffingError(f"{name} must be above 0, not {bound}", where=name, fix="give seconds")
        elif not 0 < bound < 1:
            # A level of 1 would take endless agents: some customer may always find all of them busy.
            raise StaffingError(f"{name} must lie between 0 and 1, not {bound}", where=name, fix="give 0.8 for 80 %")
    for name in ("max_abandonment", "short_abandon_s"):
        if getattr(targets, name) and patience_s is None:
            raise StaffingError("without a patience nobody abandons", where=name, fix="give patience_s as well")
