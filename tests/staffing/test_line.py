"""The fast recursion against a slow simulation event by event, and against the exact formulas."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.staffing import erlang_a, erlang_c
from svcanalytics.staffing.living.line import serve


def event_by_event(at, handle, patience, steps, agents):
    """Return when each customer is answered, NaN when never: explicit agents, explicit line, one event at a time."""
    busy_until = {}  # agent -> when free; 0 when idle
    names = itertools.count()
    answered, line = np.full(len(at), np.nan), []
    events = sorted(
        [(t, 1, "step", i) for i, t in enumerate(steps)] + [(t, 2, "came", i) for i, t in enumerate(at)],
    )
    leaving = set()
    while events:
        now, _, kind, which = events.pop(0)
        if kind == "step":
            change = agents[which] - (agents[which - 1] if which else 0)
            called_back = sorted(leaving, key=lambda a: -busy_until[a])[: max(change, 0)]
            leaving -= set(called_back)
            for _ in range(change - len(called_back)):
                busy_until[next(names)] = 0.0
            staying = sorted((a for a in busy_until if a not in leaving), key=lambda a: max(busy_until[a], now))
            for agent in staying[: max(-change, 0)]:
                if busy_until[agent] <= now:
                    del busy_until[agent]
                else:
                    leaving.add(agent)
        elif kind == "came":
            line.append(which)
        elif which in leaving:
            leaving.discard(which)
            del busy_until[which]
        line = [c for c in line if at[c] + patience[c] >= now]
        idle = [a for a in busy_until if busy_until[a] <= now and a not in leaving]
        while line and idle:
            customer, agent = line.pop(0), idle.pop()
            answered[customer] = now
            busy_until[agent] = now + handle[customer]
            events.append((busy_until[agent], 0, "done", agent))
            events.sort()
    return answered


@given(st.integers(0, 10_000), st.lists(st.integers(0, 5), min_size=1, max_size=6))
@settings(deadline=None, max_examples=60)
def test_it_does_what_a_simulation_event_by_event_does(seed, agents):
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0, 60 * len(agents), 25))
    handle, patience = rng.exponential(40, 25), rng.exponential(60, 25)
    steps = 60.0 * np.arange(len(agents))
    waits = serve(at, handle, patience, steps, np.array(agents))
    found = np.where(waits <= patience, at + waits, np.nan)
    np.testing.assert_allclose(found, event_by_event(at, handle, patience, steps, agents), rtol=1e-12)


def test_an_agent_finishes_the_call_and_then_leaves():
    at, handle = np.array([0.0, 10.0, 20.0]), np.array([100.0, 300.0, 10.0])
    waits = serve(at, handle, None, np.array([0.0, 60.0]), np.array([2, 1]))
    # Both are busy at 60; the first to finish, at 100, leaves, so the third waits for the other until 310.
    assert waits.tolist() == [0, 0, 290]


def test_who_talks_through_a_whole_break_is_not_there_twice():
    at, handle = np.array([0.0, 50.0, 70.0]), np.array([100.0, 10.0, 10.0])
    # On a break from 20 to 40, but on the phone until 100: nobody else is there to take the second call at 50.
    waits = serve(at, handle, None, np.array([0.0, 20.0, 40.0]), np.array([1, 0, 1]))
    assert waits.tolist() == [0, 50, 40]


def test_new_agents_take_who_waits_and_without_any_nobody_is_answered():
    at, handle = np.array([5.0, 6.0]), np.array([50.0, 50.0])
    assert serve(at, handle, None, np.array([0.0, 30.0]), np.array([0, 1])).tolist() == [25, 74]
    assert np.isinf(serve(at, handle, None, np.array([0.0]), np.array([0]))).all()


@pytest.mark.slow
@pytest.mark.parametrize("patience", [None, 60, 300, 1200])
@pytest.mark.parametrize(("agents", "load"), [(1, 0.6), (5, 4.0), (20, 17.0), (60, 56.0), (150, 140.0)])
def test_long_runs_agree_with_the_exact_formulas_within_their_interval(agents, load, patience):
    rng = np.random.default_rng(agents + (patience or 0))
    calls, handle = 400_000, 180.0
    at = np.cumsum(rng.exponential(handle / load, calls))
    enough = None if patience is None else rng.exponential(patience, calls)
    waits = serve(at, rng.exponential(handle, calls), enough, np.zeros(1), np.array([agents]))
    answered = np.ones(calls, bool) if enough is None else waits <= enough
    count = load / handle * 1800
    exact = erlang_c(count, handle, agents) if patience is None else erlang_a(count, handle, agents, patience)
    for each, truth in (
        ((waits <= 20) & answered, exact.service_level),
        (~answered, exact.abandonment),
        (np.where(answered, waits, enough if enough is not None else 0), exact.wait_s),
        (waits > 0, exact.waiting_probability),
    ):
        batches = each[calls // 41 :].astype(float)[: calls // 41 * 40].reshape(40, -1).mean(axis=1)
        assert abs(batches.mean() - truth) <= 4 * batches.std(ddof=1) / np.sqrt(40) + 1e-12
