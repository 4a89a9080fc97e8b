import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.sample.queueing import serve

customers = st.lists(
    st.tuples(st.integers(0, 5000), st.integers(1, 900), st.integers(1, 600)), min_size=1, max_size=40
).map(lambda rows: np.array(sorted(rows), np.int64).T)


@given(customers, st.integers(1, 3), st.integers(1, 2))
@settings(max_examples=60, deadline=None)
def test_nobody_serves_more_than_they_can_and_nobody_waits_beyond_patience(rows, people, at_once):
    at, handle, patience = rows
    duty = [(who, 0, 7200, 1.0) for who in range(people)]
    person, wait, busy, _ = serve(at, handle, patience, duty, at_once)
    assert (wait <= patience).all()
    served = person >= 0
    assert (wait[~served] == patience[~served]).all()
    begin = at + wait
    for i in np.flatnonzero(served):
        others = served & (person == person[i]) & (begin <= begin[i]) & (begin + handle > begin[i])
        assert others.sum() <= at_once
        assert 1 <= busy[i] <= at_once


def test_a_single_line_follows_lindleys_recursion():
    rng = np.random.default_rng(3)
    at, handle = np.cumsum(rng.integers(1, 400, 300)), rng.integers(1, 300, 300)
    _, wait, _, _ = serve(at, handle, np.full(300, 10**6), [(0, 0, 10**9 // 1800 * 1800 // 1000, 1.0)])
    expected = [0]
    for i in range(1, 300):
        expected.append(max(0, expected[-1] + handle[i - 1] - (at[i] - at[i - 1])))
    assert wait.tolist() == expected


def test_the_share_that_waits_is_erlangs():
    # M/M/3 at a load of two: 4/9 of all wait (Erlang C).
    rng = np.random.default_rng(4)
    n, people, load = 40_000, 3, 2.0
    at = np.cumsum(rng.exponential(1000, n)).astype(np.int64)
    handle = rng.exponential(1000 * load, n).astype(np.int64)
    end = int(at[-1]) + 10**6
    _, wait, _, _ = serve(at, handle, np.full(n, 10**8), [(who, 0, end, 1.0) for who in range(people)])
    terms = [load**k / math.factorial(k) for k in range(people)]
    tail = load**people / math.factorial(people) * people / (people - load)
    assert abs((wait > 0).mean() - tail / (sum(terms) + tail)) < 0.025


def test_without_anybody_on_duty_everybody_gives_up():
    person, wait, _, _ = serve(np.array([10, 20]), np.array([5, 5]), np.array([30, 40]), [])
    assert person.tolist() == [-1, -1] and wait.tolist() == [30, 40]
