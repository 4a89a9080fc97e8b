"""Agents by skill for queues that share them: a lower bound for every set of queues, then made true by simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.formulas.sizing import required_agents
from svcanalytics.staffing.living.routing import Crew, Stream, route
from svcanalytics.staffing.promise import Promise, Setting, promises
from svcanalytics.staffing.volumes import Demand, Times, Volume, read_volumes

__all__ = ["skilled_requirement"]

_MOST_QUEUES = 8  # their subsets are listed
_SETTLING = 0.1  # share of the simulated time that is not counted
_ROUNDS = 200


def skilled_requirement(
    forecast: Demand,
    handle_s: Times,
    crews: Mapping[str, Sequence[str]],
    *,
    cost: Mapping[str, float] | None = None,
    service_level: Setting = 0.8,
    within_s: float | Mapping[str, float] = 20,
    patience_s: Setting = None,
    interval_s: float | None = None,
    calls: int = 20_000,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how many agents of each crew every interval needs so that each queue keeps its service level.

    However calls are routed, the agents who know a queue of a set must be at least what that set's calls need when
    pooled; a cheapest crew for these bounds is an integer programme. It may still be too few, since a flexible agent
    takes one call at a time, so the interval is simulated in steady state: where a queue falls short, one more agent
    must know it (a cut in the manner of Atlason, Epelman and Henderson 2008), until all hold; then agents are taken
    away again, the dearest first, as long as they do. Takes about a second per interval.

    Parameters
    ----------
    forecast : Forecast or DataFrame
        As in `requirement`; its means are taken for certain, each interval by itself.
    handle_s : float, mapping by queue, or DataFrame
    crews : mapping
        Name of a crew to the queues its agents know.
    cost : mapping, optional
        Cost of an agent by crew; by default 1.
    service_level, within_s, patience_s, interval_s
        As in `requirement`.
    calls : int
        Calls simulated for each trial of an interval.
    seed : int
        All trials meet the same calls.

    Returns
    -------
    pandas.DataFrame
        start, crew, agents, with intervals in order of time.

    Raises
    ------
    StaffingError
        A crew knows a queue that is not there, a queue has no crew, or a number is out of its range.
    """
    volumes = read_volumes(forecast, handle_s, interval_s=interval_s)
    promised = promises(
        volumes, service_level=service_level, within_s=within_s, definition="offered", patience_s=patience_s,
        max_asa_s=None, max_abandonment=None, max_occupancy=None,
    )  # fmt: skip
    price = _priced(volumes, crews, cost)
    rows = []
    for start in sorted(set().union(*(volume.start for volume in volumes))):
        lines = [line for volume in volumes for line in _lines(volume, promised[volume.queue], start)]
        case = _Interval(tuple(lines), {name: tuple(known) for name, known in crews.items()}, price, calls, seed)
        rows += [(start, name, agents) for name, agents in case.fewest().items()]
    return pd.DataFrame(rows, columns=["start", "crew", "agents"])


@dataclass(frozen=True)
class _Line:
    queue: str
    arrivals: float
    handle_s: float
    interval_s: float
    promise: Promise


@dataclass(frozen=True, eq=False)
class _Interval:
    lines: tuple[_Line, ...]
    crews: dict[str, tuple[str, ...]]
    price: dict[str, float]
    calls: int
    seed: int

    def fewest(self) -> dict[str, int]:
        if not self.lines:
            return dict.fromkeys(self.crews, 0)
        bounds = self._bounds()
        streams = self._streams()
        for _ in range(_ROUNDS):
            agents = self._cheapest(bounds)
            short = self._short(agents, streams)
            if not short:
                return self._trimmed(agents, streams)
            for queue in short:
                alone = frozenset([queue])
                bounds[alone] = sum(n for name, n in agents.items() if queue in self.crews[name]) + 1
        raise StaffingError("no number of agents keeps the targets", where=short[0], fix="relax the strictest target")

    def _bounds(self) -> dict[frozenset[str], int]:
        """Least agents for the calls of every set of queues, as if all its agents knew all of it."""
        sets = chain.from_iterable(combinations(self.lines, size) for size in range(1, len(self.lines) + 1))
        bounds = {}
        for chosen in sets:
            count = sum(line.arrivals for line in chosen)
            handle = sum(line.arrivals * line.handle_s for line in chosen) / count
            patience = [line.promise.patience_s for line in chosen]
            bounds[frozenset(line.queue for line in chosen)] = int(
                required_agents(
                    count, handle, interval_s=chosen[0].interval_s,
                    service_level=min(line.promise.service_level or 0.01 for line in chosen),
                    within_s=max(line.promise.within_s for line in chosen),
                    patience_s=None if None in patience else min(each for each in patience if each is not None),
                )
            )  # fmt: skip
        return bounds

    def _cheapest(self, bounds: Mapping[frozenset[str], int]) -> dict[str, int]:
        from scipy.optimize import Bounds, LinearConstraint, milp

        names = list(self.crews)
        knows = np.array([[float(bool(each & set(self.crews[name]))) for name in names] for each in bounds])
        found = milp(
            np.array([self.price[name] for name in names]),
            constraints=LinearConstraint(knows, lb=np.array(list(bounds.values()), dtype="float64")),
            integrality=np.ones(len(names)),
            bounds=Bounds(0, np.inf),
            options={"time_limit": 10.0},
        )
        if found.x is None:
            raise StaffingError(f"the solver found no crew: {found.message}", fix="give costs above 0")
        return dict(zip(names, np.round(found.x).astype(int).tolist(), strict=True))

    def _streams(self) -> list[Stream]:
        total = sum(line.arrivals / line.interval_s for line in self.lines)
        streams = []
        for number, line in enumerate(self.lines):
            rng = np.random.default_rng([self.seed, number])
            rate = line.arrivals / line.interval_s
            n = max(int(self.calls * rate / total), 1)
            patience = line.promise.patience_s
            streams.append(
                Stream(
                    line.queue,
                    np.cumsum(rng.exponential(1 / rate, n)),
                    rng.exponential(line.handle_s, n),
                    None if patience is None else rng.exponential(patience, n),
                )
            )
        return streams

    def _short(self, agents: Mapping[str, int], streams: list[Stream]) -> list[str]:
        crews = [Crew(self.crews[name], np.zeros(1), np.array([n])) for name, n in agents.items() if n]
        present = {line.queue for line in self.lines}
        crews = [Crew(tuple(q for q in crew.skills if q in present), crew.steps, crew.agents) for crew in crews]
        seen = route(streams, crews, self.seed)
        settled = seen[seen["came"] >= _SETTLING * seen["came"].max()]
        short = []
        for line in self.lines:
            own = settled[settled["queue"] == line.queue]
            level = (own["answered"] & (own["wait_s"] <= line.promise.within_s)).mean()
            if len(own) and level < (line.promise.service_level or 0.0):
                short.append(line.queue)
        return short

    def _trimmed(self, agents: dict[str, int], streams: list[Stream]) -> dict[str, int]:
        for name in sorted(agents, key=lambda each: -self.price[each]):
            while agents[name] and not self._short(agents | {name: agents[name] - 1}, streams):
                agents = agents | {name: agents[name] - 1}
        return agents


def _lines(volume: Volume, promise: Promise, start: pd.Timestamp) -> list[_Line]:
    found: NDArray[np.intp] = np.flatnonzero((volume.start == start) & (volume.mean > 0))
    return [
        _Line(volume.queue, float(volume.mean[i]), float(volume.handle_s[i]), volume.interval_s, promise) for i in found
    ]


def _priced(
    volumes: list[Volume], crews: Mapping[str, Sequence[str]], cost: Mapping[str, float] | None
) -> dict[str, float]:
    queues = [volume.queue for volume in volumes]
    known = {queue for skills in crews.values() for queue in skills}
    strange, alone = sorted(known - set(queues)), [queue for queue in queues if queue not in known]
    if strange or alone:
        what = f"there is no queue {strange[0]!r}" if strange else f"no crew knows the queue {alone[0]!r}"
        raise StaffingError(what, where="crews", fix=f"give crews for {', '.join(queues)}")
    if len(queues) > _MOST_QUEUES:
        raise StaffingError(f"more than {_MOST_QUEUES} queues share agents", fix="join queues with the same crews")
    price = {name: float((cost or {}).get(name, 1.0)) for name in crews}
    bad = [name for name, each in price.items() if not each > 0]
    if bad or set(cost or {}) - set(crews):
        raise StaffingError("costs are numbers above 0, by crew", where="cost", fix=f"name {', '.join(crews)}")
    return price
