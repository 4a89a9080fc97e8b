"""What is promised to customers and agents, and whether a day or a slot keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.staffing.formulas.sizing import Definition, required_agents
from svcanalytics.staffing.volumes import Volume, for_queue

__all__ = ["Promise", "promises"]

Setting = float | Mapping[str, float] | None


@dataclass(frozen=True)
class Promise:
    """The targets of one queue; those that are None are not promised. See `required_agents`."""

    service_level: float | None = 0.8
    within_s: float = 20.0
    definition: Definition = "offered"
    max_asa_s: float | None = None
    max_abandonment: float | None = None
    max_occupancy: float | None = None
    patience_s: float | None = None
    short_abandon_s: float = 0.0

    @property
    def bounds(self) -> list[tuple[str, float, float]]:
        """Measure, side (1 at least, -1 at most) and bound of each target."""
        every = [
            ("service_level", 1.0, self.service_level),
            ("asa_s", -1.0, self.max_asa_s),
            ("abandonment", -1.0, self.max_abandonment),
            ("occupancy", -1.0, self.max_occupancy),
        ]
        return [(name, side, bound) for name, side, bound in every if bound is not None]

    def kept(self, measures: Mapping[str, NDArray[np.float64]]) -> NDArray[np.bool_]:
        """Return where all targets are met."""
        return np.logical_and.reduce([side * measures[name] >= side * bound for name, side, bound in self.bounds])


def promises(
    volumes: list[Volume],
    *,
    service_level: Setting,
    within_s: float | Mapping[str, float],
    definition: Definition,
    patience_s: Setting,
    max_asa_s: Setting,
    max_abandonment: Setting,
    max_occupancy: Setting,
    short_abandon_s: float | Mapping[str, float] = 0,
) -> dict[str, Promise]:
    """Return the promise of each queue from settings that are one value or a mapping by queue.

    Raises
    ------
    StaffingError
        A target is out of its range, none is given, or a queue is unknown.
    """
    queues = [volume.queue for volume in volumes]
    given = {
        "service_level": service_level, "within_s": within_s, "patience_s": patience_s, "max_asa_s": max_asa_s,
        "max_abandonment": max_abandonment, "max_occupancy": max_occupancy, "short_abandon_s": short_abandon_s,
    }  # fmt: skip
    of = {name: for_queue(name, value, queues) for name, value in given.items()}
    made = {}
    for queue in queues:
        settings = {name: look(queue) for name, look in of.items()}
        required_agents(0, 1, definition=definition, **settings)  # complains about targets that make no sense
        made[queue] = Promise(definition=definition, **settings)
    return made
