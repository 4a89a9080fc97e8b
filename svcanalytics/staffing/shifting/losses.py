"""What agents missing cost: as much as the service they would have given, from the queue's own service-level curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.needs.curves import exact
from svcanalytics.staffing.promise import Promise

__all__ = ["Losses", "weigh_losses"]

_STEPS = np.array([1.0, 1.0, 1.0, 2.0, 4.0, 8.0, np.inf])
_PLAIN = np.array([1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 5.0])  # where only agents are known
_HIGHEST = 10.0


@dataclass(frozen=True, eq=False)
class Losses:
    """A convex cost of each row's agents, in pieces going down from where nothing is lost.

    Attributes
    ----------
    top : numpy.ndarray, shape ``(rows,)``
        Agents from which on nothing is lost: what is required, rounded up to what shifts can add up to.
    width : numpy.ndarray, shape ``(rows, K)``
        Agents each piece is wide; together the top.
    slope : numpy.ndarray, shape ``(rows, K)``
        Cost of an agent fewer for the slot, not falling from piece to piece.
    """

    top: NDArray[np.float64]
    width: NDArray[np.float64]
    slope: NDArray[np.float64]

    def cost(self, planned: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what each row's agents leave to be lost."""
        below = np.maximum(self.top - planned, 0.0)
        before = np.cumsum(self.width, axis=1) - self.width
        return (np.clip(below[:, None] - before, 0.0, self.width) * self.slope).sum(axis=1)


def weigh_losses(rows: pd.DataFrame, interval_s: float, base: float, promises: Mapping[str, Promise]) -> Losses:
    """Return the cost of shortfalls of a requirement's rows.

    An agent missing costs at least `base`. Where load and arrivals are known, the first costs as much more as more
    customers lose their service level by it than by an agent missing elsewhere (the mean over agents required), and
    the next as much more as the curve says; far below the load, where it flattens, as much as those before. Pieces end
    where shifts can end: a programme whose cost bends between two whole numbers has a poor bound.

    Parameters
    ----------
    rows : DataFrame
        queue, required, given (agents there already), grain (what agents of a slot are multiples of, beyond those
        given; 0 for any number); arrivals and load (Erlang) where known.
    interval_s : float
    base : float
        Cost of an agent missing for one slot.
    promises : mapping
        By queue: limit and patience that its service level is about.
    """
    required, given, grain = (rows[name].to_numpy(dtype="float64") for name in ("required", "given", "grain"))
    whole = np.where(grain > 0, grain, 1.0)
    top = np.where(grain > 0, given + np.ceil((required - given) / whole - 1e-6) * whole, required)
    top = np.where(required > given, top, required)
    before = whole[:, None] * np.concatenate([[0.0], np.cumsum(_STEPS)[:-1]])
    width = np.clip(top[:, None] - before, 0.0, whole[:, None] * _STEPS)
    agents = np.maximum(top[:, None] - np.cumsum(np.pad(width, ((0, 0), (1, 0))), axis=1), 0.0)
    missing = np.diff(np.maximum(required[:, None] - agents, 0.0), axis=1)  # in each piece
    slope = np.broadcast_to(_PLAIN, width.shape).copy()
    if {"arrivals", "load"} <= set(rows):
        with np.errstate(divide="ignore", invalid="ignore"):
            for queue, part in rows.groupby("queue", sort=False).indices.items():
                lost = _lost(rows.iloc[part], np.minimum(agents, required[:, None])[part], interval_s, promises[queue])
                slope[part] = np.nan_to_num(np.diff(lost, axis=1) / missing[part], posinf=0.0)
            first = slope[:, 0] * (required > 0)
            slope /= max(float(first @ required / required[first > 0].sum()), 1e-12) if (first > 0).any() else 1.0
        slope = np.maximum.accumulate(np.clip(slope, 1.0, _HIGHEST), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = np.nan_to_num(slope * missing / width)
    return Losses(top, width, base * np.maximum.accumulate(slope, axis=1))


def _lost(rows: pd.DataFrame, agents: NDArray[np.float64], interval_s: float, promise: Promise) -> NDArray[np.float64]:
    """Customers who do not get their service level."""
    load, arrivals = (rows[name].to_numpy(dtype="float64")[:, None] for name in ("load", "arrivals"))
    busy = (load > 0) & (arrivals > 0)
    handle = np.broadcast_to(np.where(busy, load * interval_s / arrivals, 1.0), agents.shape)
    wide = np.broadcast_to(np.where(busy, load, 0.0), agents.shape)
    level = exact(wide, agents, handle, interval_s, promise)["service_level"]
    return np.where(busy, arrivals * (1 - level), 0.0)
