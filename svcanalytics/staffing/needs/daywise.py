"""A day's service by the formulas, and how simulated days differ from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from svcanalytics.staffing.living.presence import Presence, whole_agents
from svcanalytics.staffing.living.rehearsal import Desk, rehearse
from svcanalytics.staffing.needs.curves import SlotCurves
from svcanalytics.staffing.needs.lagging import WEIGHTS
from svcanalytics.staffing.needs.trouble import Trouble
from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.volumes import Volume

__all__ = ["CALLS", "Lesson", "Outcome", "learn", "nothing_learned", "outcome_of"]

CALLS = 300_000
"""Simulated for a lesson."""
_LEAST_DAYS = 60  # simulated per queue
_NEAR = 0.1  # days about the target count most
_REPEATS = 4  # deviations tried per path


@dataclass(frozen=True, eq=False)
class Outcome:
    """Measures of slots by the formulas, averaged over each interval; all ``(S, P)``, agents at work or ``(S,)``."""

    arrivals: NDArray[np.float64]
    load: NDArray[np.float64]
    agents: NDArray[np.float64]
    values: dict[str, NDArray[np.float64]]

    def day(self, promise: Promise) -> dict[str, NDArray[np.float64]]:
        """Return the measures of all slots together, shape ``(P,)``."""
        k = self.arrivals
        gone = self.values.get("abandonment", np.zeros(1))
        answered = k * (1 - gone)
        base = answered if promise.definition == "answered" else k
        with np.errstate(divide="ignore", invalid="ignore"):
            found = {"service_level": (base * self.values["service_level"]).sum(axis=0) / base.sum(axis=0)}
            if "abandonment" in self.values:
                found["abandonment"] = (k * gone).sum(axis=0) / k.sum(axis=0)
                found["asa_s"] = (answered * self.values["asa_s"]).sum(axis=0) / answered.sum(axis=0)
                found["occupancy"] = np.minimum((self.load * (1 - gone)).sum(axis=0) / self.agents.sum(axis=0), 1.0)
        empty = {"service_level": 1.0}
        return {name: np.where(np.isnan(value), empty.get(name, 0.0), value) for name, value in found.items()}


def outcome_of(
    arrivals: NDArray[np.float64], load: NDArray[np.float64], agents: NDArray[np.float64], curves: SlotCurves,
    rows: NDArray[np.intp], names: tuple[str, ...] = ("service_level", "abandonment", "asa_s"),
) -> Outcome:  # fmt: skip
    """Return what `agents` do at the loads ``(S, P, 3)`` of the slots `rows`."""
    values = {name: curves.at(name, load, agents, rows) @ WEIGHTS for name in names}
    return Outcome(arrivals, load @ WEIGHTS, agents, values)


@dataclass(frozen=True, eq=False)
class Lesson:
    """How the measures of simulated days follow from those by the formulas: a line, and deviations from it.

    The deviations of a day's measures stay together, so that targets are judged together.
    """

    promise: Promise
    lines: Mapping[str, tuple[float, float]]
    deviations: Mapping[str, NDArray[np.float64]]

    def expected(self, name: str, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a simulated day's mean for a measure by the formulas."""
        shift, slope = self.lines[name]
        return shift + slope * value

    def kept(self, day: Mapping[str, NDArray[np.float64]]) -> float:
        """Return the probability that days with these measures ``(P,)`` by the formulas keep the promise."""
        met = np.ones(1, dtype=bool)
        for name, side, bound in self.promise.bounds:
            value, off = day[name], self.deviations[name]
            picked = np.resize(off, (_REPEATS if len(off) > 1 else 1, len(value)))
            met = met & (side * (self.expected(name, value) + _width(name, value) * picked) >= side * bound)
        return float(met.mean())

    def kept_on_average(self, day: Mapping[str, NDArray[np.float64]], volume: NDArray[np.float64]) -> bool:
        """Return whether the averages over all days, weighted with their volume, keep the promise."""
        weight = volume + 1e-12
        means = {n: np.average(self.expected(n, day[n]), weights=weight) for n, _, _ in self.promise.bounds}
        return bool(self.promise.kept(means))


def nothing_learned(promise: Promise) -> Lesson:
    """Return the lesson that the formulas are right to the point."""
    names = [name for name, _, _ in promise.bounds]
    return Lesson(promise, dict.fromkeys(names, (0.0, 1.0)), dict.fromkeys(names, np.zeros(1)))


def learn(
    volume: Volume, load: NDArray[np.float64], agents: NDArray[np.float64], curves: SlotCurves, promise: Promise,
    trouble: Trouble, seed: int, calls: int = CALLS, hands: float = 1.0,
) -> Lesson:  # fmt: skip
    """Simulate some of the paths with about the right agents and compare each day with the formulas.

    Parameters
    ----------
    volume : Volume
        With paths.
    load : numpy.ndarray, shape ``(S, P, 3)``
    agents : numpy.ndarray, shape ``(S,)``
    curves : SlotCurves
    promise : Promise
    trouble : Trouble
    seed, calls : int
        How many calls are simulated, about.
    hands : float
        Contacts that one of the people holds at once; `agents` is then so many times the people.
    """
    assert volume.paths is not None
    days, day = np.unique(volume.days, return_inverse=True)
    total = max(float(volume.mean.sum()), 1e-9)
    draws = int(np.clip(calls / total, np.ceil(_LEAST_DAYS / len(days)), volume.paths.shape[1]))
    arrivals = np.round(volume.paths[:, :draws])
    everything = np.arange(len(agents))
    some = trouble.of(slice(draws))
    whole = some.at_work(whole_agents(agents / hands, volume.opens).astype("float64"), everything)
    present = Presence.of_slots(volume.second, np.round(whole).astype(np.int64), draws)
    seen = rehearse(Desk(volume, arrivals, promise, some.pace), present, seed, hands).by(day).measures(promise)
    # What rounding to whole people costs is part of the lesson.
    found = outcome_of(arrivals, load[:, :draws], some.at_work(agents, everything), curves, everything)
    weight = np.zeros((len(days), draws))
    np.add.at(weight, day, arrivals)
    lines, deviations = {}, {}
    parts = [_part(found, day == each).day(promise) for each in range(len(days))]
    order = np.random.default_rng([seed, 1]).permutation(weight.size)
    for name, _, bound in promise.bounds:
        x = np.array([part[name] for part in parts]).ravel()
        y = np.minimum(seen[name].ravel(), volume.interval_s)
        near = weight.ravel() * (0.05 + np.exp(-(((x - bound) / (_NEAR * max(bound, 1))) ** 2)))
        lines[name] = _line(x, y, near, anchor=1.0 if name == "service_level" else None)
        shift, slope = lines[name]
        deviations[name] = ((y - shift - slope * x) / _width(name, x))[order]
    return Lesson(promise, lines, deviations)


def _part(outcome: Outcome, rows: NDArray[np.bool_]) -> Outcome:
    values = {name: value[rows] for name, value in outcome.values.items()}
    return Outcome(outcome.arrivals[rows], outcome.load[rows], outcome.agents[rows], values)


def _line(
    x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64], anchor: float | None
) -> tuple[float, float]:
    # Weighted least squares; an anchor (perfect service stays perfect) has a tenth of all weight.
    if anchor is not None:
        x, y = np.append(x, anchor), np.append(y, anchor)
        weight = np.append(weight, 0.1 * weight.sum())
    total = weight.sum()
    if not total > 0:
        return 0.0, 1.0
    mx, my = weight @ x / total, weight @ y / total
    spread = weight @ (x - mx) ** 2
    slope = float(np.clip(weight @ ((x - mx) * (y - my)) / spread, 0.2, 3.0)) if spread > 1e-12 * total else 1.0
    return float(my - slope * mx), slope


def _width(name: str, value: NDArray[np.float64]) -> NDArray[np.float64]:
    # In what unit deviations are alike: chance is widest for shares about a half and grows with a mean wait.
    if name in ("service_level", "abandonment"):
        return np.sqrt(np.clip(value * (1 - value), 1e-3, 1))
    return value + 1.0 if name == "asa_s" else np.ones_like(value)
