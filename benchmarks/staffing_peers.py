"""Our engines beside exact formulas, SimPy and Ciw: do they agree, and how fast is each, in one run.

    python -m benchmarks staffing_peers

The SimPy models get the same customers, one by one, so that every wait must be the same. Ciw draws its own, so that
shares must agree within their interval. Single-queue runs are long ones against Erlang C and A in 20 settings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from benchmarks.timing import Result
from svcanalytics.staffing import Crew, Stream, erlang_a, erlang_c, route
from svcanalytics.staffing.living.line import serve

START = np.zeros(1)
SETTINGS = [
    (agents, load, patience)
    for agents, load in ((1, 0.6), (5, 4.0), (20, 17.0), (60, 56.0), (150, 140.0))
    for patience in (None, 60.0, 300.0, 1200.0)
]


def run() -> list[Result]:
    """Compare answers, then speed."""
    worst = max((off(*setting), setting) for setting in SETTINGS)
    results = [
        Result(
            "20 settings of one queue against Erlang C and A: worst", worst[0], 4.0, "sd",
            f"of service level, abandonment and waits; agents, load, patience {worst[1]}",
        )
    ]  # fmt: skip
    for name, (streams, crews) in examples(4000).items():
        ours, theirs = route(streams, crews), by_simpy(streams, crews)
        results.append(
            Result(
                f"SimPy, the same customers, {name}: largest difference of a wait",
                float(np.abs(ours["wait_s"].to_numpy() - theirs).max()), 1e-6, "s",
                f"{len(theirs)} calls, {1 - ours['answered'].mean():.1%} hang up",
            )
        )  # fmt: skip
    return [*results, *by_ciw(), *speeds()]


def off(agents: int, load: float, patience_s: float | None, calls: int = 400_000) -> float:
    """Return by how many standard errors a long run of one queue is off the exact formula, at most."""
    rng = np.random.default_rng(agents + int(patience_s or 0))
    handle = 180.0
    at = np.cumsum(rng.exponential(handle / load, calls))
    enough = None if patience_s is None else rng.exponential(patience_s, calls)
    waits = serve(at, rng.exponential(handle, calls), enough, START, np.array([agents]))
    answered = np.ones(calls, bool) if enough is None else waits <= enough
    count = load / handle * 1800
    exact = (
        erlang_c(count, handle, agents) if patience_s is None else erlang_a(count, handle, agents, patience_s)
    )  # fmt: skip
    found = 0.0
    for each, truth in (
        ((waits <= 20) & answered, exact.service_level),
        (~answered, exact.abandonment),
        (np.where(answered, waits, 0 if enough is None else enough), exact.wait_s),
        (waits > 0, exact.waiting_probability),
    ):
        batches = each[calls // 41 :].astype(float)[: calls // 41 * 40].reshape(40, -1).mean(axis=1)
        error = batches.std(ddof=1) / np.sqrt(40)
        if error > 0:
            found = max(found, float(abs(batches.mean() - truth) / error))
    return found


def customers(
    rng: np.random.Generator, queue: str, n: int, load: float, patience_s: float = 120.0, priority: int = 0
) -> Stream:
    """Return Poisson arrivals of handle times about 180 s."""
    at = np.cumsum(rng.exponential(180.0 / load, n))
    return Stream(queue, at, rng.exponential(180.0, n), rng.exponential(patience_s, n), priority)


def examples(calls: int, seed: int = 3) -> dict[str, tuple[list[Stream], list[Crew]]]:
    """Return streams and crews: two skills, priorities, and breaks."""
    rng = np.random.default_rng(seed)
    skilled = [customers(rng, "a", calls, 8.0), customers(rng, "b", calls // 2, 4.0)]
    urgent = [customers(rng, "a", calls, 8.0, priority=1), customers(rng, "b", calls // 2, 4.0, priority=0)]
    steady = customers(rng, "a", calls, 10.0)
    hours = np.arange(0.0, steady.at[-1], 300.0)
    at_work = np.where(np.arange(len(hours)) % 4 == 2, 6, 12)  # half of them on a break, five minutes in twenty
    several = [(("a",), 5), (("b",), 3), (("a", "b"), 4)]
    return {
        "two skills": (skilled, [Crew(skills, START, np.array([agents])) for skills, agents in several]),
        "priorities": (urgent, [Crew(("a", "b"), START, np.array([12]))]),
        "breaks": ([steady], [Crew(("a",), hours, at_work)]),
    }


def by_simpy(streams: Sequence[Stream], crews: Sequence[Crew]) -> NDArray[np.float64]:
    """Return each call's wait by a SimPy model of the same rules, in order of arrival.

    Agents are items of a store that customers ask for; a customer takes the idle agent who knows least. Who asks is
    served in order of priority, then of arrival. A break asks before everybody else for
    those who are idle, then for the first to finish, until it is over.
    """
    import simpy
    from simpy.resources.resource import SortedQueue
    from simpy.resources.store import FilterStoreGet

    class Floor(simpy.FilterStore):  # type: ignore[misc]
        GetQueue = SortedQueue

    class Ask(FilterStoreGet):  # type: ignore[misc]
        def __init__(self, store: Floor, fits: Callable[[tuple], bool], key: tuple) -> None:
            self.key = key
            super().__init__(store, fits)

    env = simpy.Environment()
    floor = Floor(env)
    calls = sorted((at, q, i) for q, stream in enumerate(streams) for i, at in enumerate(stream.at.tolist()))
    waits = np.empty(len(calls))
    number = count()

    def staff(crew: Crew) -> Iterator:
        present, breaks = 0, []
        for time_, agents in zip(crew.steps.tolist(), crew.agents.tolist(), strict=True):
            yield env.timeout(time_ - env.now)
            for _ in range(agents - present):
                waiting = [each for each in breaks if not each.triggered]
                if waiting:
                    waiting[0].cancel()
                    breaks.remove(waiting[0])
                else:
                    floor.put((crew.skills, next(number)))
            for _ in range(present - agents):
                breaks.append(Ask(floor, lambda agent: agent[0] == crew.skills, (-1, 0, 0.0)))
            present = agents

    def customer(n: int, at: float, stream: Stream, i: int) -> Iterator:
        def fits(agent: tuple) -> bool:
            able = [len(skills) for skills, _ in floor.items if stream.queue in skills]
            return stream.queue in agent[0] and len(agent[0]) == min(able)

        yield env.timeout(at)
        asked = Ask(floor, fits, (0, stream.priority, at))
        patience = np.inf if stream.patience_s is None else stream.patience_s[i]
        yield asked | env.timeout(patience)
        waits[n] = env.now - at
        if asked.triggered:
            yield env.timeout(stream.handle_s[i])
            floor.put(asked.value)
        else:
            asked.cancel()

    for crew in crews:
        env.process(staff(crew))
    for n, (at, q, i) in enumerate(calls):
        env.process(customer(n, at, streams[q], i))
    env.run()
    return waits


def by_ciw(calls: int = 60_000) -> list[Result]:
    """Return how far shares hanging up are apart in an example with two priorities, in standard errors."""
    rng = np.random.default_rng(8)
    streams = [customers(rng, "a", 5 * calls, 8.0, priority=1), customers(rng, "b", 5 * calls // 2, 4.0, priority=0)]
    ours = route(streams, [Crew(("a", "b"), START, np.array([11]))])
    theirs = _ciw_records(calls, 11, {"a": 8.0, "b": 4.0})
    results = []
    for name in ("a", "b"):
        shares = []
        for gone in (~ours.loc[ours["queue"] == name, "answered"].to_numpy(), theirs[name]):
            kept = gone[len(gone) // 20 :]
            batches = kept[: len(kept) // 30 * 30].reshape(30, -1).mean(axis=1)
            shares.append((batches.mean(), batches.std(ddof=1) / np.sqrt(30)))
        (own, error), (other, its) = shares
        results.append(
            Result(
                f"Ciw, queue {name} of two priorities: share hanging up", abs(own - other) / np.hypot(error, its), 4.0,
                "sd", f"{own:.4f} ours, {other:.4f} Ciw",
            )
        )  # fmt: skip
    return results


def _ciw_records(calls: int, agents: int, loads: dict[str, float]) -> dict[str, NDArray[np.bool_]]:
    import ciw

    ciw.seed(4)
    network = ciw.create_network(
        arrival_distributions={name: [ciw.dists.Exponential(load / 180.0)] for name, load in loads.items()},
        service_distributions={name: [ciw.dists.Exponential(1 / 180.0)] for name in loads},
        reneging_time_distributions={name: [ciw.dists.Exponential(1 / 120.0)] for name in loads},
        priority_classes={name: rank for rank, name in enumerate(reversed(loads))},
        number_of_servers=[agents],
    )
    simulation = ciw.Simulation(network)
    simulation.simulate_until_max_time(calls / (sum(loads.values()) / 180.0))
    records = sorted(simulation.get_all_records(), key=lambda record: record.arrival_date)
    return {
        name: np.array([r.record_type == "renege" for r in records if r.original_customer_class == name])
        for name in loads
    }


def speeds() -> list[Result]:
    """Return the seconds that fixed numbers of calls take, with the calls per second of SimPy and Ciw in the detail."""
    rng = np.random.default_rng(5)
    calls = 1_500_000
    at = np.cumsum(rng.exponential(1.25, calls))
    times, patience = rng.exponential(60, calls), rng.exponential(120, calls)
    fifty = np.array([50])
    parts = [slice(0, 50_000), slice(50_000, 100_000)]
    streams = [
        Stream(name, at[:50_000] * 2, times[part], patience[part], priority)
        for priority, (name, part) in enumerate(zip("ab", parts, strict=True))
    ]
    crews = [
        Crew(skills, START, np.array([agents])) for skills, agents in ((("a",), 15), (("b",), 15), (("a", "b"), 20))
    ]
    few = 40_000
    one = [Stream("a", at[:few], times[:few], patience[:few])]
    simpy = few / _seconds(lambda: _simpy_queue(one[0], 50))
    ciw = 10_000 / _seconds(lambda: _ciw_records(10_000, 50, {"a": 24.0, "b": 24.0}))
    line = _seconds(lambda: serve(at, times, patience, START, fifty))
    event = _seconds(lambda: route(streams, crews))
    others = f"SimPy {simpy:,.0f}, Ciw {ciw:,.0f} a second in this run"
    return [
        Result(
            "1,500,000 calls through one queue", line, 1.0, "s", f"{calls / line:,.0f} calls a second; {others}"
        ),
        Result(
            "100,000 calls by event: 2 queues, 3 crews", event, 1.0, "s",
            f"{100_000 / event:,.0f} calls a second; {others}",
        ),
    ]  # fmt: skip


def _simpy_queue(stream: Stream, agents: int) -> None:
    """One queue as SimPy's own documentation writes it."""
    import simpy

    env = simpy.Environment()
    desk = simpy.Resource(env, agents)

    def customer(handle: float, patience: float) -> Iterator:
        with desk.request() as asked:
            yield asked | env.timeout(patience)
            if asked.triggered:
                yield env.timeout(handle)

    def source() -> Iterator:
        assert stream.patience_s is not None
        for at, handle, patience in zip(stream.at, stream.handle_s, stream.patience_s, strict=True):
            yield env.timeout(at - env.now)
            env.process(customer(handle, patience))

    env.process(source())
    env.run()


def _seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began
