"""What agents missing cost: as much as the service they would have given, from the queue's own service-level curve."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.needs.curves import exact
from svcanalytics.staffing.promise import Promise

__all__ = ["Losses", "weigh_losses"]

_WIDTHS = np.array([0.5, 0.5, 1.0, 2.0, 4.0, np.inf])
_PLAIN = np.array([1.0, 1.25, 1.5, 2.0, 3.0, 4.0])  # where only agents are known
_HIGHEST = 10.0


@dataclass(frozen=True, eq=False)
class Losses:
    """A convex cost of each row's shortfall, in pieces.

    Attributes
    ----------
    width : numpy.ndarray, shape ``(rows, K)``
        Agents each piece is wide; together what is required.
    slope : numpy.ndarray, shape ``(rows, K)``
        Cost of one agent missing for the slot, not falling from piece to piece.
    """

    width: NDArray[np.float64]
    slope: NDArray[np.float64]

    def cost(self, shortfall: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what a shortfall of each row costs."""
        before = np.cumsum(self.width, axis=1) - self.width
        return (np.clip(shortfall[:, None] - before, 0.0, self.width) * self.slope).sum(axis=1)


def weigh_losses(rows: pd.DataFrame, interval_s: float, base: float, promises: dict[str, Promise]) -> Losses:
    """Return the cost of shortfalls of a requirement's rows.

    The first agent missing costs at least `base`. Where load and arrivals are known, it costs more the more customers
    would lose their service level by it than by an agent missing elsewhere (the mean over agents required), and the
    next agents as much more as the curve says; its convex hull is taken, since far below the load the curve flattens.

    Parameters
    ----------
    rows : DataFrame
        queue, required; arrivals and load (Erlang) where known.
    interval_s : float
    base : float
        Cost of an agent missing for one slot.
    promises : dict
        By queue: limit and patience that its service level is about.
    """
    required = rows["required"].to_numpy(dtype="float64")
    above = np.concatenate([[0.0], np.cumsum(_WIDTHS)[:-1]])
    width = np.clip(required[:, None] - above, 0.0, _WIDTHS)
    slope = np.broadcast_to(_PLAIN, width.shape).copy()
    if {"arrivals", "load"} <= set(rows):
        for queue, part in rows.groupby("queue", sort=False).indices.items():
            slope[part] = _lost(rows.iloc[part], width[part], interval_s, promises[str(queue)])
        first = slope[:, 0] * (required > 0)
        usual = float(first @ required / max(required[first > 0].sum(), 1e-12))
        slope = np.clip(slope / max(usual, 1e-12), 1.0, _HIGHEST)
    return Losses(width, base * slope)


def _lost(rows: pd.DataFrame, width: NDArray[np.float64], interval_s: float, promise: Promise) -> NDArray[np.float64]:
    """Customers who lose their service level by an agent missing, in each piece; not falling."""
    load, arrivals = (rows[name].to_numpy(dtype="float64")[:, None] for name in ("load", "arrivals"))
    required = rows["required"].to_numpy(dtype="float64")[:, None]
    agents = np.maximum(required - np.cumsum(np.pad(width, ((0, 0), (1, 0))), axis=1), 0.0)
    busy = (load > 0) & (arrivals > 0)
    handle = np.where(busy, load * interval_s / np.where(busy, arrivals, 1.0), 1.0)
    wide = np.broadcast_to(np.where(busy, load, 0.0), agents.shape)
    level = exact(wide, agents, np.broadcast_to(handle, agents.shape), interval_s, promise)["service_level"]
    lost = np.where(busy, arrivals * (1 - level), 0.0)
    return _convex(np.diff(lost, axis=1), width)


def _convex(steps: NDArray[np.float64], width: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slopes of the greatest convex function below the points: neighbours out of order join (Ayer et al. 1955)."""
    slopes = np.zeros_like(width)
    for row, (step, wide) in enumerate(zip(steps, width, strict=True)):
        joined: list[list[float]] = []
        for rise, run in zip(step, wide, strict=True):
            if run <= 0:
                continue
            joined.append([max(rise, 0.0), run, 1])
            while len(joined) > 1 and joined[-2][0] * joined[-1][1] > joined[-1][0] * joined[-2][1]:
                rise2, run2, many = joined.pop()
                joined[-1] = [joined[-1][0] + rise2, joined[-1][1] + run2, joined[-1][2] + many]
        found = [rise / run for rise, run, many in joined for _ in range(int(many))]
        slopes[row, : len(found)] = found
        slopes[row, len(found) :] = found[-1] if found else 0.0
    return slopes
