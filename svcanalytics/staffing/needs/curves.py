"""Service as a function of load and agents, tabulated once so that thousands of sample paths can be looked up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from svcanalytics.staffing.formulas.erlang import erlang_a, erlang_c
from svcanalytics.staffing.promise import Promise

__all__ = ["Curves", "SlotCurves", "exact", "tabulate", "tabulate_slots"]

_LEVELS = {"offered": "service_level", "answered": "service_level_answered", "virtual": "service_level_virtual"}
_LOW, _HIGH, _STEP = -8.0, 16.0, 0.125
_WHOLE = 32  # rows for every quarter of an agent to 4, for every agent to this, from there a row every 3 %

_ALIKE = 0.05


def exact(
    load: NDArray[np.float64], agents: NDArray[np.float64], handle_s: ArrayLike, interval_s: float, promise: Promise
) -> dict[str, NDArray[np.float64]]:
    """Return service level (as defined by the promise), abandonment and ASA at a load in Erlang.

    The ASA is at most the length of the interval: what an overloaded interval leaves behind is the next one's business.
    """
    count = load / handle_s * interval_s
    if promise.patience_s is None:
        queue = erlang_c(count, handle_s, agents, promise.within_s, interval_s)
    else:
        queue = erlang_a(
            count, handle_s, agents, promise.patience_s, promise.within_s, interval_s,
            short_abandon_s=promise.short_abandon_s,
        )  # fmt: skip
    return {
        "service_level": getattr(queue, _LEVELS[promise.definition]),
        "abandonment": queue.abandonment,
        "asa_s": np.minimum(queue.asa_s, interval_s),
    }


@dataclass(frozen=True, eq=False)
class Curves:
    """A queue's measures over a grid of agents and of x = sqrt(n + 1) log(load / n), where they change slowly with n.

    Between the grid's points they are interpolated; with patience, service levels are within 0.001 of the formula.
    """

    agents: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]

    @property
    def most(self) -> float:
        """The most agents that can be looked up."""
        return float(self.agents[-1])

    def at(self, name: str, load: NDArray[np.float64], agents: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return one measure; `agents` has shape ``(S,)`` or ``(S, P)``, and `load`, in Erlang, these and more."""
        n = np.clip(agents, 0.0, self.most)
        below = np.clip(np.searchsorted(self.agents, n, side="right") - 1, 0, len(self.agents) - 2)
        share = (n - self.agents[below]) / (self.agents[below + 1] - self.agents[below])
        table = self.values[name]
        wide = (Ellipsis,) + (None,) * (load.ndim - n.ndim)
        with np.errstate(divide="ignore"):
            place = np.log(load)
        place -= np.log(np.maximum(n, 1e-9))[wide]
        place *= (np.sqrt(n + 1) / _STEP)[wide]
        place -= _LOW / _STEP
        columns = table.shape[1]
        np.clip(place, 0.0, columns - 1.001, out=place)
        left = place.astype(np.intp)
        place -= left
        if n.ndim > 1 or load[0].size < columns:
            left += (below * columns)[wide]
            flat, share = table.ravel(), share[wide]
            here = flat.take(left) * (1 - place) + flat.take(left + 1) * place
            left += columns
            return here * (1 - share) + (flat.take(left) * (1 - place) + flat.take(left + 1) * place) * share
        # Many loads share their slot's agents, so these are interpolated first.
        flat = (table[below] * (1 - share)[:, None] + table[below + 1] * share[:, None]).ravel()
        left += (np.arange(len(n)) * columns)[wide]
        return flat.take(left) * (1 - place) + flat.take(left + 1) * place


@dataclass(frozen=True, eq=False)
class SlotCurves:
    """The curves of each slot, where handle times differ by slot."""

    curves: tuple[Curves, ...]
    which: NDArray[np.intp]

    def at(
        self, name: str, load: NDArray[np.float64], agents: NDArray[np.float64], rows: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return one measure of the slots `rows`, which `load` ``(len(rows), ...)`` and `agents` belong to."""
        if len(self.curves) == 1:
            return self.curves[0].at(name, load, agents)
        found = np.empty_like(load)
        which = self.which[rows]
        for number in np.unique(which):
            here = which == number
            found[here] = self.curves[number].at(name, load[here], agents[here])
        return found


def tabulate_slots(most: float, handle_s: NDArray[np.float64], interval_s: float, promise: Promise) -> SlotCurves:
    """Return the curves of slots whose mean handle times are given; those within 5 % of each other share theirs.

    Only how fast a line moves depends on the shared time; the load is each slot's own.
    """
    level, which = np.unique(np.round(np.log(handle_s) / _ALIKE), return_inverse=True)
    means = [float(np.exp(np.log(handle_s[which == number]).mean())) for number in range(len(level))]
    return SlotCurves(tuple(tabulate(most, mean, interval_s, promise) for mean in means), which)


def tabulate(most: float, handle_s: float, interval_s: float, promise: Promise) -> Curves:
    """Return the curves of a queue for up to `most` agents."""
    rows = [np.arange(0, 4, 0.25), np.arange(4, _WHOLE)]
    if most > _WHOLE:
        rows.append(_WHOLE * 1.03 ** np.arange(np.ceil(np.log(most / _WHOLE) / np.log(1.03)) + 1))
    else:
        rows.append(np.array([float(_WHOLE)]))
    agents = np.concatenate(rows)
    x = np.arange(_LOW, _HIGH + _STEP / 2, _STEP)
    n = np.maximum(agents, 1e-9)[:, None]
    load = n * np.exp(x / np.sqrt(n + 1))
    return Curves(agents, exact(load, np.broadcast_to(agents[:, None], load.shape), handle_s, interval_s, promise))
