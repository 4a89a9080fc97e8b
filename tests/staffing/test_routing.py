"""The event engine against the fast recursion, closed forms, and an independent Markov chain."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array
from scipy.sparse.linalg import spsolve

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import Crew, Stream, erlang_a, erlang_c, route
from svcanalytics.staffing.living.line import serve

START = np.zeros(1)


def poisson(rng, queue, per_hour, handle_s, n, patience_s=None, **more):
    patience = None if patience_s is None else rng.exponential(patience_s, n)
    return Stream(queue, np.cumsum(rng.exponential(3600 / per_hour, n)), rng.exponential(handle_s, n), patience, **more)


def always(agents, *skills):
    return Crew(skills, START, np.array([agents]))


def within(calls, limit=20):
    return float((calls["answered"] & (calls["wait_s"] <= limit)).mean())


@given(st.integers(0, 10_000), st.lists(st.integers(0, 6), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_one_queue_with_shifts_and_breaks_goes_as_in_the_fast_recursion(seed, agents):
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0, 60 * len(agents), 40))
    handle, patience = rng.exponential(40, 40), rng.exponential(60, 40)
    steps = 60.0 * np.arange(len(agents))
    calls = route([Stream("a", at, handle, patience)], [Crew(("a",), steps, np.array(agents))])
    offered = serve(at, handle, patience, steps, np.array(agents))
    assert calls["answered"].tolist() == (offered <= patience).tolist()
    np.testing.assert_allclose(calls["wait_s"], np.minimum(offered, patience), atol=1e-9)


@pytest.mark.slow
def test_priorities_give_the_waits_of_cobham():
    # Cobham 1954, for n servers of one speed: W_k = C / (n mu) / ((1 - s_{k-1}) (1 - s_k)), s the load of all so far.
    rng = np.random.default_rng(1)
    handle, agents, rates = 180.0, 6, [30.0, 40.0, 35.0]
    streams = [poisson(rng, f"q{k}", rate, handle, int(rate * 4000), priority=k) for k, rate in enumerate(rates)]
    calls = route(streams, [always(agents, "q0", "q1", "q2")])
    load = np.cumsum([0, *rates]) * handle / 3600 / agents
    waits = float(erlang_c(sum(rates) / 2, handle, agents).waiting_probability)
    for k in range(3):
        exact = waits * handle / agents / ((1 - load[k]) * (1 - load[k + 1]))
        assert calls.loc[calls["queue"] == f"q{k}", "wait_s"].mean() == pytest.approx(exact, rel=0.05)


@pytest.mark.slow
def test_agents_who_can_do_everything_are_one_pool_and_specialists_are_two_queues():
    rng = np.random.default_rng(2)
    streams = [poisson(rng, name, rate, 240, int(rate * 1500), 180) for name, rate in (("a", 80), ("b", 40))]
    pooled = route(streams, [always(10, "a", "b")])
    assert within(pooled) == pytest.approx(float(erlang_a(60, 240, 10, 180).service_level), abs=0.008)
    apart = route(streams, [always(6, "a"), always(4, "b")])
    for name, count, agents in (("a", 40, 6), ("b", 20, 4)):
        exact = float(erlang_a(count, 240, agents, 180).service_level)
        assert within(apart[apart["queue"] == name]) == pytest.approx(exact, abs=0.012)


def chain(rate_a, rate_b, mu, theta, only_a, both, most=25):
    """Waiting shares of an N-shaped system (b goes first at the crew that can do both), from its balance equations."""
    states = [
        (i, j, p, q)
        for i, j, p, q in itertools.product(range(only_a + 1), range(both + 1), range(most), range(most))
        if (p == 0 or (i == only_a and j == both)) and (q == 0 or j == both)
    ]
    number = {state: n for n, state in enumerate(states)}
    flow = []
    for i, j, p, q in states:
        moves = []
        a = (i + 1, j, p, q) if i < only_a else (i, j + 1, p, q) if j < both else (i, j, p + 1, q)
        b = (i, j + 1, p, q) if j < both else (i, j, p, q + 1)
        moves += [(a, rate_a), (b, rate_b), ((i, j, p - 1, q), theta * p), ((i, j, p, q - 1), theta * q)]
        moves.append(((i, j, p - 1, q) if p else (i - 1, j, p, q), i * mu))
        moves.append(((i, j, p, q - 1) if q else (i, j, p - 1, q) if p else (i, j - 1, p, q), j * mu))
        here = number[i, j, p, q]
        for to, rate in moves:
            if rate > 0 and to in number:
                flow += [(number[to], here, rate), (here, here, -rate)]
    rows, columns, rates = (np.array(each) for each in zip(*flow, strict=True))
    balance = csc_array((rates, (rows, columns)), shape=(len(states),) * 2).tolil()
    balance[0, :] = 1.0
    share = spsolve(balance.tocsc(), np.eye(1, len(states))[0])
    gone_a = theta * sum(s * p for (_, _, p, _), s in zip(states, share, strict=True)) / rate_a
    gone_b = theta * sum(s * q for (_, _, _, q), s in zip(states, share, strict=True)) / rate_b
    return gone_a, gone_b


@pytest.mark.slow
def test_two_skills_hang_up_as_in_the_markov_chain():
    rng = np.random.default_rng(3)
    n = 200_000
    streams = [
        poisson(rng, "a", 40, 240, n, 200, priority=1),
        poisson(rng, "b", 20, 240, n // 2, 200, priority=0),
    ]
    calls = route(streams, [always(2, "a"), always(2, "a", "b")])
    exact = chain(40 / 3600, 20 / 3600, 1 / 240, 1 / 200, 2, 2)
    for name, truth in zip(("a", "b"), exact, strict=True):
        assert 1 - calls.loc[calls["queue"] == name, "answered"].mean() == pytest.approx(truth, abs=0.004)


@pytest.mark.slow
def test_nine_agents_can_not_do_the_work_of_ten():
    # A published integer programme counts a flexible agent fully for both skills and calls 2 + 7 agents optimal.
    rng = np.random.default_rng(4)
    streams = [poisson(rng, "billing", 80, 270, 8000), poisson(rng, "technical", 48, 300, 4800)]
    nine = route(streams, [always(2, "billing"), always(7, "billing", "technical")])
    assert within(nine) < 0.05 and nine["wait_s"].mean() > 3600
    assert within(route(streams, [always(2, "billing"), always(12, "billing", "technical")])) > 0.8


@pytest.mark.slow
def test_who_tries_again_much_later_adds_to_the_arrivals():
    # Long after, second calls are as good as fresh ones: the rate solves r = rate + retry x gone(r) r.
    rng = np.random.default_rng(5)
    stream = poisson(rng, "a", 150, 240, 150_000, 120, retry=0.6, retry_after_s=20_000)
    calls = route([stream], [always(9, "a")])
    rate = 75.0
    for _ in range(60):
        gone = float(erlang_a(rate, 240, 9, 120).abandonment)
        rate = 75.0 + 0.6 * gone * rate
    assert 1 - calls["answered"].mean() == pytest.approx(gone, abs=0.005)
    assert len(calls) / 150_000 == pytest.approx(rate / 75, rel=0.01) and calls["attempt"].max() > 2


@pytest.mark.parametrize(
    ("streams", "crews", "words"),
    [
        ([], [], "every queue needs one"),
        ([Stream("a", START, START), Stream("a", START, START)], [], "every queue needs one"),
        ([Stream("a", np.array([3.0, 1.0]), np.ones(2))], [], "ascending"),
        ([Stream("a", START, -np.ones(1))], [], "from 0 up"),
        ([Stream("a", START, START, retry=2)], [], "retry is a share"),
        ([Stream("a", START, START)], [always(1, "b")], "no queue 'b'"),
        ([Stream("a", START, START)], [always(-1, "a")], "from 0 up"),
    ],
)
def test_a_bad_stream_or_crew_is_refused_in_words(streams, crews, words):
    with pytest.raises(StaffingError, match=words):
        route(streams, crews)
