"""The load that agents really meet: a call that takes long is still there when the next interval begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.staffing.volumes import Volume

__all__ = ["MOMENTS", "WEIGHTS", "interval_load", "lagged_load"]

# Moments of an interval, as shares of it, and their weights (Gauss and Legendre, three points).
MOMENTS = np.array([0.5 - np.sqrt(0.15), 0.5, 0.5 + np.sqrt(0.15)])
WEIGHTS = np.array([5.0, 8.0, 5.0]) / 18


def lagged_load(volume: Volume, arrivals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the offered load in Erlang at three moments of each interval.

    The mean number of calls there would be with an agent for everybody follows dL/dt = rate - L / handle time from an
    empty start, with the rate of each interval constant: the modified offered load (Jagerman 1975; Green, Kolesar and
    Whitt 2007, eq. 3), in closed form within an interval.

    Parameters
    ----------
    volume : Volume
    arrivals : numpy.ndarray, shape ``(S, ...)``

    Returns
    -------
    numpy.ndarray, shape ``(S, ..., 3)``
        At `MOMENTS` of the interval.
    """
    loads = np.empty((*arrivals.shape, len(MOMENTS)))
    carried = np.zeros(arrivals.shape[1:])
    for slot, opens in enumerate(volume.opens):
        handle, length = volume.handle_s[slot], volume.interval_s
        settled = arrivals[slot] * handle / length
        if opens:
            carried = np.zeros_like(settled)
        left = np.exp(-MOMENTS * length / handle)
        loads[slot] = settled[..., None] + (carried - settled)[..., None] * left
        carried = settled + (carried - settled) * np.exp(-length / handle)
    return loads


def interval_load(volume: Volume, arrivals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the load in Erlang of each interval by itself, in the shape of `lagged_load`."""
    wide = (slice(None),) + (None,) * (arrivals.ndim - 1)
    load = arrivals * (volume.handle_s / volume.interval_s)[wide]
    return np.repeat(load[..., None], len(MOMENTS), axis=-1)
