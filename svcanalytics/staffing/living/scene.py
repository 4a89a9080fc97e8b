"""Everything that a simulation rests on, settled once, so that one thing can be changed and all else stay."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.living.presence import Attendance, Presence, Team, attend
from svcanalytics.staffing.living.rehearsal import Desk, Tally, rehearse
from svcanalytics.staffing.living.together import rehearse_together
from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.volumes import Volume

__all__ = ["Scene", "busy_days"]

_COUNTS, _PACE = range(2)


@dataclass(frozen=True, eq=False)
class Scene:
    """Queues with what comes to them, and the people of a plan.

    Attributes
    ----------
    volumes : tuple[Volume, ...]
    arrivals : tuple[numpy.ndarray, ...]
        Whole numbers ``(S, D)`` for each queue.
    promises : mapping of queue to Promise
    teams : tuple[Team, ...]
    attendance : Attendance
    hands : mapping of queue to float
        Contacts that a person holds at once.
    handle_noise, handle_cv : float
    priority, retry : mapping of queue
    retry_after_s : float
    crews : mapping of crew to queues, or None
    draws, seed : int
    """

    volumes: tuple[Volume, ...]
    arrivals: tuple[NDArray[np.float64], ...]
    promises: Mapping[str, Promise]
    teams: tuple[Team, ...]
    attendance: Attendance
    hands: Mapping[str, float]
    handle_noise: float
    handle_cv: float
    priority: Mapping[str, int]
    retry: Mapping[str, float]
    retry_after_s: float
    crews: Mapping[str, tuple[str, ...]] | None
    draws: int
    seed: int

    def tallies(self) -> list[Tally]:
        """Live through all draws and return what came of each queue's customers."""
        found: dict[str, Tally] = {}
        for queues, teams in self._groups():
            desks = [self._desk(queue) for queue in queues]
            origin, hands = desks[0].volume.start[0], self._hands(queues)
            present = [attend(team, self.attendance, origin, self.draws, self.seed) for team in teams]
            alone = len(desks) == 1 and len(teams) < 2 and not desks[0].retry
            if alone:
                nobody = Presence.of_slots(np.zeros(1), np.zeros(1, dtype=np.int64), self.draws)
                found[queues[0]] = rehearse(desks[0], present[0] if present else nobody, self.seed, hands)
            else:
                known = [team.queues for team in teams]
                together = rehearse_together(desks, list(zip(known, present, strict=True)), self.seed, hands)
                found |= dict(zip(queues, together, strict=True))
        return [found[volume.queue] for volume in self.volumes]

    def planned(self, volume: Volume) -> NDArray[np.float64]:
        """Return the agents that the plan has for a queue in each of its slots, those for several queues included."""
        total = np.zeros(len(volume.start))
        for team in self.teams:
            if volume.queue not in team.queues:
                continue
            if team.plan is not None:
                numbers = team.plan.set_index("start")["agents"].reindex(volume.start)
                total += numbers.fillna(0.0).to_numpy(dtype="float64")
            else:
                there = attend(team, Attendance(), volume.start[0], 1, self.seed)
                total += there.seconds(volume.second, volume.interval_s)[:, 0] / volume.interval_s
        return total

    def expected_arrivals(self) -> tuple[NDArray[np.float64], ...]:
        """Return counts that differ from the forecast's mean by chance alone."""
        return tuple(
            self._rng(volume.queue, _COUNTS).poisson(volume.mean[:, None], (len(volume.mean), self.draws)).astype(float)
            for volume in self.volumes
        )

    def _desk(self, queue: str) -> Desk:
        volume, arrivals = next(
            each for each in zip(self.volumes, self.arrivals, strict=True) if each[0].queue == queue
        )
        return Desk(
            volume, arrivals, self.promises[queue], self._pace(volume), self.handle_cv, self.priority[queue],
            self.retry[queue], self.retry_after_s,
        )  # fmt: skip

    def _pace(self, volume: Volume) -> NDArray[np.float64] | None:
        """What handle times of a day are multiplied by, ``(S, D)``, mean 1."""
        return busy_days(volume, self.handle_noise, self.draws, self._rng(volume.queue, _PACE))

    def _hands(self, queues: tuple[str, ...]) -> float:
        held = {self.hands[queue] for queue in queues}
        if len(held) > 1:
            raise StaffingError(
                "people who know several queues hold as many contacts at once in all of them",
                where=f"concurrency, {', '.join(queues)}",
                fix="give these queues one number, or teams of their own",
            )
        return held.pop()

    def _groups(self) -> list[tuple[tuple[str, ...], list[Team]]]:
        """Queues that share people, and these people."""
        of = {volume.queue: volume.queue for volume in self.volumes}
        for team in self.teams:
            joined = {of[queue] for queue in team.queues}
            of = {queue: min(joined) if group in joined else group for queue, group in of.items()}
        groups = []
        for group in dict.fromkeys(of.values()):
            queues = tuple(queue for queue in of if of[queue] == group)
            groups.append((queues, [team for team in self.teams if team.queues[0] in queues]))
        return groups

    def _rng(self, queue: str, kind: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, crc32(queue.encode()), kind])


def busy_days(volume: Volume, noise: float, draws: int, rng: np.random.Generator) -> NDArray[np.float64] | None:
    """Return what each day's handle times are multiplied by: ``(S, D)``, log-normal, mean 1; None without noise."""
    if noise == 0:
        return None
    _, day = np.unique(volume.days, return_inverse=True)
    variance = np.log1p(noise**2)
    factor = np.exp(np.sqrt(variance) * rng.standard_normal((day.max() + 1, draws)) - variance / 2)
    return factor[day]
