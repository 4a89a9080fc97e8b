"""Agents by skill for queues that share them: a lower bound for every set of queues, then made true by simulation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.formulas.sizing import required_agents
from svcanalytics.staffing.living.presence import Attendance
from svcanalytics.staffing.living.routing import Crew, Stream, serve_crews
from svcanalytics.staffing.living.scene import Scene
from svcanalytics.staffing.needs.skilldays import crews_for_risk
from svcanalytics.staffing.promise import Promise, Setting, promises
from svcanalytics.staffing.volumes import Demand, Times, Volume, for_queue, read_volumes

__all__ = ["skilled_requirement"]

_MOST_QUEUES = 8  # their subsets are listed
_SETTLING = 0.1  # share of the simulated time that is not counted
_ROUNDS = 200
_BUSY, _LEAST_STRETCH = 0.95, 1.1  # a busy day among the paths, against their mean


def skilled_requirement(
    forecast: Demand,
    handle_s: Times,
    crews: Mapping[str, Sequence[str]],
    *,
    cost: Mapping[str, float] | None = None,
    service_level: Setting = 0.8,
    within_s: float | Mapping[str, float] = 20,
    patience_s: Setting = None,
    risk: float | None = None,
    absence: float = 0.0,
    handle_noise: float = 0.0,
    priority: int | Mapping[str, int] = 0,
    interval_s: float | None = None,
    calls: int = 20_000,
    paths: int = 100,
    seed: int = 0,
) -> pd.DataFrame:
    """Return how many agents of each crew every interval needs so that each queue keeps its service level.

    However calls are routed, the agents who know a queue of a set must be at least what that set's calls need when
    pooled; a cheapest crew for these bounds is an integer programme. It may still be too few, since a flexible agent
    takes one call at a time, so the interval is simulated in steady state: where a queue falls short, one more agent
    must know it (a cut in the manner of Atlason, Epelman and Henderson 2008), until all hold; then agents are taken
    away again, the dearest first, as long as they do. Takes about half a second per interval.

    With `risk` the promise is about days, as in `requirement`: intervals are staffed between what the means need and
    what a busy day needs, as little as lets each queue's day keep its service level with probability 1 - `risk` when
    the sample paths are lived through, lines that one interval leaves to the next included.

    Parameters
    ----------
    forecast : Forecast or DataFrame
        As in `requirement`; without `risk` its means are taken for certain, each interval by itself.
    handle_s : float, mapping by queue, or DataFrame
    crews : mapping
        Name of a crew to the queues its agents know.
    cost : mapping, optional
        Cost of an agent by crew; by default 1.
    service_level, within_s, patience_s, risk, absence, handle_noise, interval_s
        As in `requirement`.
    priority : int or mapping by queue
        As in `simulate`.
    calls : int
        Calls simulated for each trial of an interval.
    paths, seed : int
        Sample paths lived through for a risk, and which; all trials meet the same calls.

    Returns
    -------
    pandas.DataFrame
        start, crew, agents, with intervals in order of time; and kept: the probability that the day's worst queue keeps
        its service level (missing without `risk`).

    Raises
    ------
    StaffingError
        A crew knows a queue that is not there, a queue has no crew, or a number is out of its range.
    """
    if risk is None and (absence or handle_noise):
        raise StaffingError("absence and handle_noise are about days", where="risk", fix="give a risk as well")
    if risk is not None and (not 0 < risk < 1 or isinstance(forecast, pd.DataFrame)):
        raise StaffingError("a risk lies between 0 and 1 and needs a forecast with sample paths", where="risk")
    volumes = read_volumes(forecast, handle_s, paths=0 if risk is None else paths, seed=seed, interval_s=interval_s)
    queues = [volume.queue for volume in volumes]
    promised = promises(
        volumes, service_level=service_level, within_s=within_s, definition="offered", patience_s=patience_s,
        max_asa_s=None, max_abandonment=None, max_occupancy=None,
    )  # fmt: skip
    first = for_queue("priority", priority, queues)
    ranks = {queue: int(first(queue)) for queue in queues}
    pool = _Pool({name: tuple(known) for name, known in crews.items()}, _priced(volumes, crews, cost), ranks, seed)
    if risk is None:
        return _certain(volumes, promised, pool, calls).assign(kept=np.nan)
    busy = float(np.quantile(sum(volume.paths.sum(axis=0) for volume in volumes), _BUSY))  # type: ignore[union-attr]
    stretch = max(busy / max(sum(volume.mean.sum() for volume in volumes), 1e-9), _LEAST_STRETCH)
    lower, upper = (
        _certain(_times(volumes, factor), promised, pool, max(calls // 4, 2000)) for factor in (1.0, stretch)
    )
    scene = Scene(
        tuple(volumes), tuple(np.round(volume.paths) for volume in volumes), promised,  # type: ignore[arg-type]
        (), Attendance(absence), dict.fromkeys(queues, 1.0), handle_noise, 1.0, ranks, dict.fromkeys(queues, 0.0),
        300.0, pool.crews, paths, seed,
    )  # fmt: skip
    return crews_for_risk(scene, lower, upper, risk)


@dataclass(frozen=True, eq=False)
class _Pool:
    crews: dict[str, tuple[str, ...]]
    price: dict[str, float]
    priority: dict[str, int]
    seed: int


def _certain(volumes: list[Volume], promised: Mapping[str, Promise], pool: _Pool, calls: int) -> pd.DataFrame:
    rows, known = [], {}
    for start in sorted(set().union(*(volume.start for volume in volumes))):
        lines = tuple(line for volume in volumes for line in _lines(volume, promised[volume.queue], start))
        if lines not in known:
            known[lines] = _Interval(lines, pool, calls).fewest()
        rows += [(start, name, agents) for name, agents in known[lines].items()]
    return pd.DataFrame(rows, columns=["start", "crew", "agents"])


def _times(volumes: list[Volume], factor: float) -> list[Volume]:
    return [replace(volume, mean=volume.mean * factor) for volume in volumes]


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
    pool: _Pool
    calls: int

    def fewest(self) -> dict[str, int]:
        if not self.lines:
            return dict.fromkeys(self.pool.crews, 0)
        bounds = self._bounds()
        streams = self._streams()
        for _ in range(_ROUNDS):
            agents = self._cheapest(bounds)
            short = self._short(agents, streams)
            if not short:
                return self._trimmed(agents, streams)
            for queue in short:
                alone = frozenset([queue])
                bounds[alone] = sum(n for name, n in agents.items() if queue in self.pool.crews[name]) + 1
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

        names = list(self.pool.crews)
        knows = np.array([[float(bool(each & set(self.pool.crews[name]))) for name in names] for each in bounds])
        found = milp(
            np.array([self.pool.price[name] for name in names]),
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
            rng = np.random.default_rng([self.pool.seed, number])
            rate = line.arrivals / line.interval_s
            n = max(int(self.calls * rate / total), 1)
            patience = line.promise.patience_s
            streams.append(
                Stream(
                    line.queue,
                    np.cumsum(rng.exponential(1 / rate, n)),
                    rng.exponential(line.handle_s, n),
                    None if patience is None else rng.exponential(patience, n),
                    self.pool.priority[line.queue],
                )
            )
        return streams

    def _short(self, agents: Mapping[str, int], streams: list[Stream]) -> list[str]:
        crews = [Crew(self.pool.crews[name], np.zeros(1), np.array([n])) for name, n in agents.items() if n]
        present = {line.queue for line in self.lines}
        crews = [Crew(tuple(q for q in crew.skills if q in present), crew.steps, crew.agents) for crew in crews]
        calls = serve_crews(streams, crews, self.pool.seed)
        settled = calls.came >= _SETTLING * calls.came.max()
        short = []
        for number, line in enumerate(self.lines):
            own = settled & (calls.queue == number)
            level = (calls.answered[own] & (calls.wait_s[own] <= line.promise.within_s)).mean() if own.any() else 1.0
            if level < (line.promise.service_level or 0.0):
                short.append(line.queue)
        return short

    def _trimmed(self, agents: dict[str, int], streams: list[Stream]) -> dict[str, int]:
        for name in sorted(agents, key=lambda each: -self.pool.price[each]):
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
