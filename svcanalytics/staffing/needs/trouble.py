"""What goes wrong on some days beyond the number of customers: people are away, and everything takes longer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.living.scene import busy_days
from svcanalytics.staffing.volumes import Volume

__all__ = ["Trouble", "draw_trouble"]

_AWAY, _PACE = 11, 12


@dataclass(frozen=True, eq=False)
class Trouble:
    """A queue's days, path by path.

    Attributes
    ----------
    absence : float
    pace : numpy.ndarray or None, shape ``(S, P)``
        What handle times are multiplied by.
    here : tuple of numpy.ndarray, shape ``(N + 1, P)`` for each day
        Of the first 0, 1, ... N people of a day, how many are at work.
    day : numpy.ndarray of int, shape ``(S,)``
    """

    absence: float
    pace: NDArray[np.float64] | None
    here: tuple[NDArray[np.int32], ...]
    day: NDArray[np.intp]

    def of(self, paths: slice) -> Trouble:
        """Return the troubles of some of the paths."""
        pace = None if self.pace is None else self.pace[:, paths]
        return replace(self, pace=pace, here=tuple(day[:, paths] for day in self.here))

    def load(self, load: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return loads ``(S, P, 3)`` with every day's pace."""
        return load if self.pace is None else load * self.pace[..., None]

    def at_work(self, agents: NDArray[np.float64], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return who of `agents` ``(len(rows),)`` is at work, ``(len(rows), P)``; as they are when nobody is away."""
        if not self.here:
            return agents
        found = np.empty((len(rows), self.here[0].shape[1]))
        for number in np.unique(self.day[rows]):
            own = self.day[rows] == number
            table = self.here[number]
            most = len(table) - 1
            n = np.minimum(agents[own], most)
            below = np.minimum(n.astype(np.intp), most - 1)
            share = (n - below)[:, None]
            between = table[below] * (1 - share) + table[below + 1] * share
            found[own] = between * np.maximum(agents[own] / most, 1.0)[:, None]
        return found


def draw_trouble(volume: Volume, most: float, absence: float, noise: float, seed: int) -> Trouble:
    """Return a queue's troubles on its sample paths, for up to about `most` agents.

    Raises
    ------
    StaffingError
        A share is out of its range.
    """
    for name, value, high in (("absence", absence, 1.0), ("handle_noise", noise, np.inf)):
        if not 0 <= value < high:
            raise StaffingError(f"{name} is {value}", where=volume.queue, fix="give 0.05 for 5 %")
    assert volume.paths is not None
    key, paths = crc32(volume.queue.encode()), volume.paths.shape[1]
    days, day = np.unique(volume.days, return_inverse=True)
    pace = busy_days(volume, noise, paths, np.random.default_rng([seed, key, _PACE]))
    here: list[NDArray[np.int32]] = []
    if absence:
        rng, people = np.random.default_rng([seed, key, _AWAY]), int(np.ceil(most))
        for _ in days:
            comes = rng.random((people, paths), dtype=np.float32) >= absence
            here.append(np.vstack([np.zeros((1, paths), np.int32), comes.cumsum(axis=0, dtype=np.int32)]))
    return Trouble(absence, pace, tuple(here), day)
