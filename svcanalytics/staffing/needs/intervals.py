"""Agents per interval from a forecast: for its mean, or so that a promise is kept over its sample paths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.formulas.sizing import Definition
from svcanalytics.staffing.needs.curves import SlotCurves, exact, tabulate_slots
from svcanalytics.staffing.needs.daywise import CALLS, Lesson, Outcome, learn, nothing_learned, outcome_of
from svcanalytics.staffing.needs.lagging import WEIGHTS, interval_load, lagged_load
from svcanalytics.staffing.needs.trouble import Trouble, draw_trouble
from svcanalytics.staffing.promise import Promise, Setting, promises
from svcanalytics.staffing.volumes import Demand, Times, Volume, for_queue, read_volumes

__all__ = ["requirement"]

_HALVINGS = 16
_QUANTILE_HALVINGS = 9
_HIGHEST = 3.0  # times the highest path's load
_WORST = 1 / 3  # an interval's worst moment counts so much, as the line it leaves takes time to go

Measure = Callable[[NDArray[np.float64]], dict[str, NDArray[np.float64]]]


def requirement(
    forecast: Demand,
    handle_s: Times,
    *,
    service_level: Setting = 0.8,
    within_s: float | Mapping[str, float] = 20,
    patience_s: Setting = None,
    max_occupancy: Setting = None,
    max_abandonment: Setting = None,
    max_asa_s: Setting = None,
    definition: Definition = "offered",
    short_abandon_s: float | Mapping[str, float] = 0,
    risk: float | None = None,
    absence: float = 0.0,
    handle_noise: float = 0.0,
    floor: float | Mapping[str, float] = 0,
    concurrency: float | Mapping[str, float] = 1,
    shrinkage: float | Mapping[str, float] = 0.0,
    fractional: bool = True,
    lagged: bool = True,
    interval_s: float | None = None,
    paths: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the agents each queue needs in each interval.

    A plain table is taken for certain: each interval by itself keeps the targets. Of a forecast with sample paths the
    promise is about days. Without `risk`, the targets hold on average over the paths; with it, a day keeps all its
    targets together with probability 1 - `risk`. All intervals of a queue's day are staffed for the same quantile of
    their load, the lowest that keeps the promise. Days on which everything takes longer, or people are away, are part
    of that risk when `handle_noise` or `absence` say so. The formulas know neither chance within a day nor what one
    interval leaves to the next; how real days differ from them is learned per queue from simulated ones.

    Parameters
    ----------
    forecast : Forecast or DataFrame
        Anything with ``.table`` and ``.paths(n, seed)``, or a frame of queue, start and mean (or arrivals).
    handle_s : float, mapping by queue, or DataFrame
        Mean handle time in seconds; a frame has queue, handle_s and, when it differs by slot, start.
    service_level, within_s, patience_s, max_occupancy, max_abandonment, max_asa_s, definition, short_abandon_s
        As in `required_agents`; each one value or a mapping by queue.
    risk : float, optional
        Between 0 and 1: the share of days that may miss.
    absence : float
        Probability that somebody planned is away for the day, beyond what shrinkage covers; needs sample paths.
    handle_noise : float
        Coefficient of variation of a day's mean handle time (log-normal); needs sample paths.
    floor : float or mapping
        Agents never to go below in an open interval, such as two where rules ask for two at a window.
    concurrency : float or mapping
        Chats an agent holds at once. `handle_s` is then how long a chat lasts at that many, and the occupancy the share
        of chats held of those that could be.
    shrinkage : float or mapping
        Share of paid time away from the queue, 0 up to less than 1; comes last, in `scheduled`.
    fractional : bool
        Fractions of agents; round where shifts are made. False gives whole agents, fewest that keep the promise.
    lagged : bool
        Whether the calls an interval leaves to the next count in it (`lagged_load`). False takes each by itself.
    interval_s : float, optional
        Length of a slot; by default the shortest distance between two starts of a queue.
    paths, seed : int
        How many sample paths, and which.

    Returns
    -------
    pandas.DataFrame
        queue, start, arrivals, load (Erlang, mean over the interval), agents (at work), scheduled (agents / (1 -
        shrinkage)), and what is expected with them: service_level, abandonment, occupancy, and `kept`, the probability
        that the day keeps the promise (missing for a plain table).

    Raises
    ------
    StaffingError
        A number is out of its range, a queue unknown, or the targets can't be reached.
    """
    _check_risk(risk, absence, handle_noise, forecast)
    volumes = read_volumes(
        forecast, handle_s, paths=0 if isinstance(forecast, pd.DataFrame) else paths, seed=seed, interval_s=interval_s
    )
    promised = promises(
        volumes, service_level=service_level, within_s=within_s, definition=definition, patience_s=patience_s,
        max_asa_s=max_asa_s, max_abandonment=max_abandonment, max_occupancy=max_occupancy,
        short_abandon_s=short_abandon_s,
    )  # fmt: skip
    queues = [volume.queue for volume in volumes]
    bounded = {"floor": (floor, 0.0, np.inf), "concurrency": (concurrency, 1.0, np.inf), "shrinkage": (shrinkage, 0, 1)}
    own = {name: for_queue(name, value, queues) for name, (value, _, _) in bounded.items()}
    parts = []
    for volume in volumes:
        settings = {name: float(of(volume.queue)) for name, of in own.items()}
        for name, (_, low, high) in bounded.items():
            if not low <= settings[name] < high:
                fix = f"give a number from {low:g}" + (" up" if high == np.inf else f" to less than {high:g}")
                raise StaffingError(f"{name} is {settings[name]:g}", where=f"{name}, {volume.queue}", fix=fix)
        at_once = settings["concurrency"]
        case = _Case(volume, promised[volume.queue], lagged, fractional, settings["floor"] * at_once, at_once)
        if volume.paths is None:
            held, outcome, kept = _certain(case)
        else:
            held, outcome, kept = _uncertain(case, risk, absence, handle_noise, seed)
        parts.append(_table(case, held, outcome, kept).pipe(_people, at_once, fractional, settings["shrinkage"]))
    return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Case:
    volume: Volume
    promise: Promise
    lagged: bool
    fractional: bool
    floor: float
    hands: float

    def load(self, arrivals: NDArray[np.float64]) -> NDArray[np.float64]:
        return (lagged_load if self.lagged else interval_load)(self.volume, arrivals)

    def least(self, load: NDArray[np.float64], quiet: NDArray[np.bool_], measure: Measure) -> NDArray[np.float64]:
        """Least agents of each slot whose measures at its loads ``(S, 3)`` keep the promise."""
        peak = load.max(axis=1)
        low, high = np.zeros(len(load)), np.ceil(peak) + 1
        limit = _most(peak, self.promise)
        pending = ~self._holds(load, high, measure)
        while pending.any():
            if (high[pending] >= limit[pending]).any():
                raise StaffingError(
                    "no number of agents keeps the targets", where=self.volume.queue, fix="relax the strictest target"
                )
            low, high = np.where(pending, high, low), np.where(pending, np.ceil(high * 1.1) + 1, high)
            pending = ~self._holds(load, high, measure)
        for _ in range(64):
            wide = high - low > 1
            if not wide.any():
                break
            middle = np.where(wide, np.floor((low + high) / 2), high)
            held = self._holds(load, middle, measure)
            high, low = np.where(wide & held, middle, high), np.where(wide & ~held, middle, low)
        if self.fractional:
            low = np.maximum(high - 1, 0)
            for _ in range(_HALVINGS):
                middle = (low + high) / 2
                held = self._holds(load, middle, measure)
                high, low = np.where(held, middle, high), np.where(held, low, middle)
        return np.maximum(np.where(quiet, 0.0, high), self.floor)

    def _holds(self, load: NDArray[np.float64], agents: NDArray[np.float64], measure: Measure) -> NDArray[np.bool_]:
        moments = measure(agents)
        if self.promise.max_occupancy is not None:
            with np.errstate(divide="ignore", invalid="ignore"):
                moments["occupancy"] = np.minimum(load * (1 - moments["abandonment"]) / agents[:, None], 1.0)
        blended = {}
        for name, side, _ in self.promise.bounds:
            value = moments[name]
            worst = value.min(axis=1) if side > 0 else value.max(axis=1)
            blended[name] = (1 - _WORST) * (value @ WEIGHTS) + _WORST * worst
        return self.promise.kept(blended)


def _certain(case: _Case) -> tuple[NDArray[np.float64], Outcome, float]:
    volume = case.volume
    load = case.load(volume.mean)
    wide = np.broadcast_to(volume.handle_s[:, None], load.shape)

    def measure(agents: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        each = np.broadcast_to(agents[:, None], load.shape)
        return exact(load, each, wide, volume.interval_s, case.promise)

    agents = case.least(load, volume.mean == 0, measure)
    found = {name: (value @ WEIGHTS)[:, None] for name, value in measure(agents).items()}
    return agents, Outcome(volume.mean[:, None], (load @ WEIGHTS)[:, None], agents, found), np.nan


def _uncertain(
    case: _Case, risk: float | None, absence: float, noise: float, seed: int
) -> tuple[NDArray[np.float64], Outcome, NDArray[np.float64]]:
    volume, promise = case.volume, case.promise
    assert volume.paths is not None
    load = case.load(volume.paths)
    trouble = draw_trouble(volume, 1.5 * load.max() + 40, absence, noise, seed)
    load = trouble.load(load)
    limit = float(_most(load.max(axis=(1, 2)), promise).max()) / (1 - absence)
    curves = tabulate_slots(limit, volume.handle_s, volume.interval_s, promise)
    search = _Search(case, load, curves, trouble, risk)
    lesson = nothing_learned(promise)
    # What rounding costs, and how far days deviate, depend on the agents: first about, then where it matters.
    for calls in (CALLS // 4, CALLS):
        lesson = learn(volume, load, search.staff(lesson, thin=5), curves, promise, trouble, seed, calls, case.hands)
    agents = search.staff(lesson)
    kept = np.empty(len(agents))
    for rows in search.days:
        kept[rows] = lesson.kept(search.outcome(rows, agents[rows]).day(promise))
    everything = np.arange(len(agents))
    return agents, outcome_of(volume.paths, load, trouble.at_work(agents, everything), curves, everything), kept


@dataclass(frozen=True, eq=False)
class _Search:
    """For every day of a queue, the lowest quantile of its slots' loads that is enough to staff for."""

    case: _Case
    load: NDArray[np.float64]
    curves: SlotCurves
    trouble: Trouble
    risk: float | None

    @property
    def days(self) -> list[NDArray[np.intp]]:
        return [np.flatnonzero(self._day == number) for number in range(self._day.max() + 1)]

    @property
    def _day(self) -> NDArray[np.intp]:
        return np.unique(self.case.volume.days, return_inverse=True)[1]

    def staff(self, lesson: Lesson, thin: int = 1) -> NDArray[np.float64]:
        """Return agents ``(S,)``, judged on every `thin`-th path."""
        ranked = np.sort(self.load, axis=1)
        days, day = self.days, self._day
        low, high = np.zeros(len(days)), np.ones(len(days))
        agents = self._for_quantile(ranked, high[day])
        short = self._short(agents, lesson, thin)
        while short.any():
            low, high = np.where(short, high, low), np.where(short, high + 0.5, high)
            if high.max() > _HIGHEST:
                raise StaffingError(
                    "the promise can't be kept, whatever the agents",
                    where=f"{self.case.volume.queue}, {self.case.volume.days[days[high.argmax()][0]]:%Y-%m-%d}",
                    fix="accept more risk, or relax the strictest target",
                )
            agents = self._for_quantile(ranked, high[day])
            short = self._short(agents, lesson, thin)
        for _ in range(_QUANTILE_HALVINGS):
            middle = (low + high) / 2
            tried = self._for_quantile(ranked, middle[day])
            short = self._short(tried, lesson, thin)
            low, high = np.where(short, middle, low), np.where(short, high, middle)
            agents = np.where(short[day], agents, tried)
        if not self.case.fractional and thin == 1:
            for rows in days:
                agents[rows] = self._trim(rows, agents[rows], lesson)
        return agents

    def outcome(self, rows: NDArray[np.intp], agents: NDArray[np.float64], thin: int = 1) -> Outcome:
        assert self.case.volume.paths is not None
        some = slice(None, None, thin)
        at_work = self.trouble.of(some).at_work(agents, rows)
        return outcome_of(
            self.case.volume.paths[rows, some], self.load[rows, some], at_work, self.curves, rows, self._names
        )

    @property
    def _names(self) -> tuple[str, ...]:
        promise = self.case.promise
        alone = promise.definition != "answered" and all(name == "service_level" for name, _, _ in promise.bounds)
        return ("service_level",) if alone else ("service_level", "abandonment", "asa_s")

    def _for_quantile(self, ranked: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
        place = np.minimum(level, 1.0) * (ranked.shape[1] - 1)
        below = place.astype(np.intp)
        above = np.minimum(below + 1, ranked.shape[1] - 1)
        each, share = np.arange(len(ranked)), (place - below)[:, None]
        load = ranked[each, below] * (1 - share) + ranked[each, above] * share
        load = load * np.maximum(level, 1.0)[:, None]  # beyond the highest path: so many times its load

        def measure(agents: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
            return {name: self.curves.at(name, load, agents, each) for name in self._names}

        agents = self.case.least(load, self.case.volume.mean == 0, measure)
        if self.trouble.absence:
            agents = np.where(agents > self.case.floor, agents / (1 - self.trouble.absence), agents)
        return agents if self.case.fractional else np.ceil(agents - 1e-9)

    def _short(self, agents: NDArray[np.float64], lesson: Lesson, thin: int) -> NDArray[np.bool_]:
        return np.array([not self._enough(rows, agents[rows], lesson, thin) for rows in self.days])

    def _enough(self, rows: NDArray[np.intp], agents: NDArray[np.float64], lesson: Lesson, thin: int = 1) -> bool:
        outcome = self.outcome(rows, agents, thin)
        day = outcome.day(self.case.promise)
        if self.risk is None:
            return lesson.kept_on_average(day, outcome.arrivals.sum(axis=0))
        return lesson.kept(day) >= 1 - self.risk

    def _trim(self, rows: NDArray[np.intp], agents: NDArray[np.float64], lesson: Lesson) -> NDArray[np.float64]:
        """Take away whole agents one by one, the busiest slots first, as long as the promise stands."""
        for slot in np.argsort(-agents, kind="stable"):
            fewer = agents.copy()
            fewer[slot] -= 1
            if fewer[slot] >= self.case.floor and self._enough(rows, fewer, lesson):
                agents = fewer
        return agents


def _most(load: NDArray[np.float64], promise: Promise) -> NDArray[np.float64]:
    """Agents that no sensible target asks for at a load."""
    spare = 12 * np.sqrt(_HIGHEST * load) + 40
    return (_HIGHEST * load + spare) / min(promise.max_occupancy or 1.0, 1.0)


def _table(
    case: _Case, agents: NDArray[np.float64], outcome: Outcome, kept: NDArray[np.float64] | float
) -> pd.DataFrame:
    volume = case.volume
    k, values = outcome.arrivals, outcome.values
    total = np.maximum(k.sum(axis=1), 1e-12)
    gone = values["abandonment"]
    with np.errstate(divide="ignore", invalid="ignore"):
        at_work = outcome.agents if outcome.agents.ndim == 1 else outcome.agents.mean(axis=1)
        busy = np.where(agents > 0, np.minimum((outcome.load * (1 - gone)).mean(axis=1) / at_work, 1.0), 0.0)
    weight = np.where(k.sum(axis=1, keepdims=True) > 0, k, 1.0 / k.shape[1])
    total = weight.sum(axis=1)
    return pd.DataFrame(
        {
            "queue": volume.queue,
            "start": volume.start,
            "arrivals": volume.mean,
            "load": outcome.load.mean(axis=1),
            "agents": agents,
            "scheduled": agents,
            "service_level": (weight * values["service_level"]).sum(axis=1) / total,
            "abandonment": (weight * gone).sum(axis=1) / total,
            "occupancy": busy,
            "kept": kept,
        }
    )


def _people(table: pd.DataFrame, concurrency: float, fractional: bool, shrinkage: float) -> pd.DataFrame:
    """Turn contacts that can be handled at once into agents."""
    agents = table["agents"] / concurrency
    if not fractional:
        agents = np.ceil(agents - 1e-9).astype(np.int64)
    return table.assign(agents=agents, scheduled=agents / (1 - shrinkage))


def _check_risk(risk: float | None, absence: float, noise: float, forecast: Demand) -> None:
    if risk is not None and not 0 < risk < 1:
        raise StaffingError(f"risk must lie between 0 and 1, not {risk}", where="risk", fix="give 0.1 for 10 %")
    for name, value in (("risk", risk), ("absence", absence), ("handle_noise", noise)):
        if value and isinstance(forecast, pd.DataFrame):
            raise StaffingError(
                f"a table of means knows no {name.replace('handle_', '')}",
                where=name,
                fix=f"give a forecast with sample paths, or leave {name} out",
            )
