"""Queueing formulas against published values, an independent birth-death solution and their own limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import erlang_a, erlang_b, erlang_c, wait_percentile

GARNETT = {"arrivals": 48 * 30, "handle_s": 60, "agents": 50}  # Garnett, Mandelbaum and Reiman 2002, table 1


def birth_death(rate, service, agents, impatience):
    """Stationary probabilities of the number in the system, from the balance equations alone, in log space."""
    most = int(agents + 60 * np.sqrt(rate / impatience + agents) + 40 * rate / (impatience + 1e-300) ** 0.5 + 200)
    most = min(most, int(agents + 40_000))
    k = np.arange(1, most + 1)
    down = np.minimum(k, agents) * service + np.maximum(k - agents, 0) * impatience
    logs = np.concatenate([[0.0], np.cumsum(np.log(rate) - np.log(down))])
    p = np.exp(logs - logs.max())
    return p / p.sum()


def by_balance(arrivals, handle_s, agents, patience_s, within_s, interval_s=1800):
    """Every figure of a queue from `birth_death` and the density of the virtual wait, integrated numerically."""
    rate, service, impatience = arrivals / interval_s, 1 / handle_s, 1 / patience_s
    p = birth_death(rate, service, agents, impatience)
    queue = (np.maximum(np.arange(len(p)) - agents, 0) * p).sum()
    abandonment = impatience * queue / rate

    def density(t):
        return rate * p[agents - 1] * np.exp(rate / impatience * -np.expm1(-impatience * t) - agents * service * t)

    late = {"limit": 200, "epsabs": 1e-13, "epsrel": 1e-12}
    waits = p[agents:].sum()
    scale = 1 / max(agents * service - rate, np.sqrt(agents * service * impatience))
    asked = quad(lambda t: density(t) * np.exp(-impatience * t), 0, within_s, **late)[0]
    virtual = quad(density, 0, within_s, **late)[0]
    times = quad(
        lambda t: t * density(t) * np.exp(-impatience * t), 0, 60 * scale + 5 * patience_s, points=[scale], **late
    )[0]
    return {
        "waiting_probability": waits,
        "service_level_answered": (1 - waits + asked) / (1 - abandonment),
        "service_level_virtual": 1 - waits + virtual,
        "abandonment": abandonment,
        "wait_s": queue / rate,
        "service_level": 1 - waits + asked,
        "asa_s": times / (1 - abandonment),
        "occupancy": rate * (1 - abandonment) / (agents * service),
    }


def test_erlang_b_gives_the_printed_table():
    lines = np.array([10, 15, 20, 100])
    np.testing.assert_allclose(erlang_b([4.4612, 8.1080, 12.0306, 84.0642], lines), 0.01, atol=2e-6)
    assert erlang_b(40.2551, 50) == pytest.approx(0.02, abs=1e-6)
    assert erlang_b(8, 10) == pytest.approx(0.12166106, abs=5e-9)
    # A table in circulation says 9/10/12 lines for 5 Erlang at 2/1/0.1 %, and 117/121/132 for 100 Erlang.
    for load, blocking, least in [
        (5, 0.02, 10),
        (5, 0.01, 11),
        (5, 0.001, 14),
        (100, 0.02, 113),
        (100, 0.01, 117),
        (100, 0.001, 128),
    ]:
        assert erlang_b(load, least) <= blocking < erlang_b(load, least - 1)


@given(st.floats(0.01, 4000), st.integers(1, 2500))
@example(0.01171875, 52)
@settings(deadline=None, max_examples=60)
def test_erlang_b_equals_its_recursion(load, lines):
    b = 1.0
    for n in range(1, lines + 1):
        b = load * b / (n + load * b)
    assert erlang_b(load, lines) == pytest.approx(b, rel=1e-11, abs=1e-300)


def test_erlang_c_gives_the_published_waiting_probabilities():
    agents = np.array([2, 5, 10, 50, 100])
    load = np.array([1, 4, 8, 45, 90])
    found = erlang_c(load, 1, agents, interval_s=1).waiting_probability
    np.testing.assert_allclose(found, [1 / 3, 0.55411255, 0.40918015, 0.36386447, 0.21694048], atol=5e-9)


def test_erlang_c_reproduces_the_worked_examples():
    queue = erlang_c(100, 180, [11, 13, 14])
    np.testing.assert_allclose(queue.waiting_probability[[0, 2]], [0.68212, 0.1741319336], atol=5e-6)
    np.testing.assert_allclose(queue.service_level, [0.38961, 0.79559, 0.8883500192], atol=5e-6)
    assert queue.asa_s[2] == pytest.approx(7.836, abs=5e-4)
    assert queue.occupancy[2] == pytest.approx(0.71429, abs=5e-6)
    assert erlang_c(3.5, 180, 13, interval_s=60).wait_s == pytest.approx(26.55689, abs=5e-6)
    other = erlang_c(360, 240, 55, 15)
    found = [other.waiting_probability, other.service_level, other.asa_s, other.occupancy]
    np.testing.assert_allclose(found, [0.2387009, 0.8458831, 8.18403, 0.8727273], atol=5e-6)


def test_an_overloaded_queue_without_abandonment_waits_for_ever_and_is_no_error():
    queue = erlang_c([100, 100], 180, [9, 10])
    assert (queue.service_level == 0).all() and np.isinf(queue.asa_s).all() and (queue.occupancy == 1).all()


def test_erlang_a_reproduces_garnett_mandelbaum_and_reiman():
    queue = erlang_a(**GARNETT, patience_s=120)
    assert queue.waiting_probability == pytest.approx(0.46777406855, abs=5e-12)
    assert queue.abandonment == pytest.approx(0.030912249, abs=5e-10)
    assert queue.wait_s == pytest.approx(3.70947, abs=5e-6)
    # Others give 3.709 s or 3.83 s, and 0.853 for the service level: the mean over all, and a wrong formula.
    assert queue.asa_s == pytest.approx(3.61590, abs=5e-6)
    assert queue.service_level == pytest.approx(0.94301895, abs=5e-9)
    assert queue.service_level_answered == pytest.approx(0.97309965, abs=5e-9)
    assert queue.occupancy == pytest.approx(0.930324, abs=5e-7)
    waiting = erlang_c(**GARNETT)
    assert waiting.wait_s == pytest.approx(20.8337, abs=5e-5) and waiting.occupancy == pytest.approx(0.96)
    # Little's law: so many are in line.
    assert 48 / 60 * waiting.wait_s == pytest.approx(16.667, abs=5e-4)
    assert 48 / 60 * queue.wait_s == pytest.approx(2.96758, abs=5e-6)
    assert wait_percentile(0.9, **GARNETT) == pytest.approx(58.1387, abs=5e-5)
    assert wait_percentile(0.9, **GARNETT, patience_s=120) == pytest.approx(12.4446, abs=5e-5)


def test_erlang_a_reproduces_the_published_waits_and_abandonment():
    queue = erlang_a(3.5, 180, [13, 9], 300, interval_s=60)
    np.testing.assert_allclose(queue.wait_s, [9.91280, 56.61844], atol=5e-6)
    np.testing.assert_allclose(queue.abandonment, [0.0330427, 0.1887281], atol=5e-8)
    load = [98, 100, 102, 105, 110]
    queue = erlang_a(load, 1, 100, 1, interval_s=1)
    np.testing.assert_allclose(queue.abandonment, [0.03102, 0.03986, 0.04992, 0.06698, 0.09919], atol=5e-6)
    np.testing.assert_allclose(queue.waiting_probability, [0.43331, 0.51330, 0.59172, 0.70025, 0.84172], atol=5e-6)


def test_large_queues_and_long_limits_neither_underflow_nor_are_cut_off():
    # Elsewhere 0.4065 and 0.4923 (exp(-lambda t) underflows), 0 and 0.099 (state space cut at 500).
    long = erlang_a([40 * 30, 60 * 30], 300, [200, 300], [600, 300], 900)
    np.testing.assert_allclose(long.service_level, [0.9766, 0.9770], atol=5e-5)
    big = erlang_a([520, 300], 1, [520, 200], [5, 10], interval_s=1)
    np.testing.assert_allclose(big.abandonment, [0.0108, 0.3333], atol=5e-5)


@pytest.mark.parametrize(
    ("arrivals", "handle_s", "agents", "patience_s", "within_s"),
    [
        (3, 240, 1, 60, 20),
        (100, 240, 16, 120, 20),
        (100, 240, 9, 30, 60),
        (900, 300, 150, 600, 20),
        (2000, 180, 180, 90, 10),
        (12000, 290, 2000, 240, 20),
        (12600, 290, 1950, 1200, 120),
    ],
)
def test_erlang_a_agrees_with_the_balance_equations(arrivals, handle_s, agents, patience_s, within_s):
    queue = erlang_a(arrivals, handle_s, agents, patience_s, within_s)
    for name, value in by_balance(arrivals, handle_s, agents, patience_s, within_s).items():
        assert getattr(queue, name) == pytest.approx(value, rel=1e-9, abs=1e-9), name


@pytest.mark.slow
def test_erlang_a_agrees_with_the_balance_equations_wherever_it_is_asked():
    rng = np.random.default_rng(11)
    for _ in range(60):
        agents = int(np.exp(rng.uniform(0, np.log(2000))))
        handle, patience, within = rng.uniform(60, 900), np.exp(rng.uniform(3, 7)), rng.uniform(0, 120)
        arrivals = agents * rng.uniform(0.5, 1.3) / handle * 1800
        queue = erlang_a(arrivals, handle, agents, patience, within)
        for name, value in by_balance(arrivals, handle, agents, patience, within).items():
            found = getattr(queue, name)
            assert found == pytest.approx(value, rel=1e-9, abs=1e-9), (name, arrivals, handle, agents, patience, within)


def test_who_hangs_up_at_once_counts_neither_way():
    rng = np.random.default_rng(5)
    arrivals, handle, agents, patience = 100, 240.0, 12, 90.0
    wait, gone = simulate(rng, arrivals / 1800, handle, agents, patience, 400_000)
    early = gone & (wait <= 5)
    expected = (~gone & (wait <= 20)).sum() / (~early).sum()
    queue = erlang_a(arrivals, handle, agents, patience, short_abandon_s=5)
    assert queue.service_level == pytest.approx(expected, abs=0.008)
    assert queue.abandonment == pytest.approx(gone.mean(), abs=0.008)
    assert queue.service_level > erlang_a(arrivals, handle, agents, patience).service_level


def simulate(rng, rate, handle, agents, patience, customers):
    """First come, first served with hanging up, one customer after the other."""
    import heapq

    arrive = np.cumsum(rng.exponential(1 / rate, customers))
    service, patient = rng.exponential(handle, customers), rng.exponential(patience, customers)
    free = [0.0] * agents
    wait, gone = np.empty(customers), np.zeros(customers, dtype=bool)
    for i in range(customers):
        begin = max(arrive[i], free[0])
        if begin - arrive[i] > patient[i]:
            wait[i], gone[i] = patient[i], True
        else:
            wait[i] = begin - arrive[i]
            heapq.heapreplace(free, begin + service[i])
    return wait, gone


@given(st.floats(1, 5000), st.floats(20, 3000), st.integers(1, 900))
@settings(deadline=None, max_examples=100)
def test_endless_patience_turns_erlang_a_into_erlang_c(arrivals, handle_s, agents):
    patient, waiting = erlang_a(arrivals, handle_s, agents, 1e9), erlang_c(arrivals, handle_s, agents)
    if arrivals * handle_s / 1800 < 0.995 * agents:
        assert patient.service_level == pytest.approx(waiting.service_level, abs=1e-5)
        assert patient.waiting_probability == pytest.approx(waiting.waiting_probability, abs=1e-5)


@given(st.floats(0.1, 9000), st.floats(5, 4000), st.floats(0.2, 1500), st.floats(1, 1e5), st.floats(0, 900))
@settings(deadline=None, max_examples=100)
def test_every_figure_stays_in_its_range_and_more_agents_never_hurt(arrivals, handle_s, agents, patience_s, within_s):
    few, more = (erlang_a(arrivals, handle_s, n, patience_s, within_s) for n in (agents, agents + 1))
    for name in ("service_level", "service_level_answered", "service_level_virtual", "abandonment", "occupancy"):
        assert -1e-12 <= getattr(few, name) <= 1 + 1e-12, name
    assert few.service_level <= few.service_level_answered + 1e-12
    assert more.service_level >= few.service_level - 1e-9
    assert more.abandonment <= few.abandonment + 1e-9
    assert more.wait_s <= few.wait_s * (1 + 1e-9) + 1e-9
    busier = erlang_a(arrivals * 1.1, handle_s, agents, patience_s, within_s)
    assert busier.service_level <= few.service_level + 1e-9


def test_nothing_to_do_and_nobody_to_do_it_are_answers_not_errors():
    queue = erlang_a([0, 10, 0], 240, [3, 0, 0], 60)
    assert queue.service_level.tolist() == [1, 0, 1]
    assert queue.asa_s.tolist() == [0, np.inf, 0]
    assert queue.wait_s.tolist() == [0, 60, 0]
    assert queue.abandonment.tolist() == [0, 1, 0]
    assert erlang_c([0, 10], 240, 0).service_level.tolist() == [1, 0]
    assert erlang_b([0, 1, 0], [0, 0, 3]).tolist() == [1, 1, 0]


def test_the_few_who_hang_up_of_a_large_group_are_counted_to_all_digits():
    # 900 Erlang on 1,000 agents, patience of a call: P(hang up) = sum of p_j (j - n) / load over the waiting line.
    state = np.arange(1, 3000)
    steps = np.log(900) - np.log(state)  # with patience as long as a call, everybody leaves at rate 1
    weight = np.exp(np.concatenate([[0.0], np.cumsum(steps)]) - 890)
    lost = (weight * np.maximum(np.arange(3000) - 1000, 0)).sum() / weight.sum() / 900
    queue = erlang_a(900, 1, 1000, 1, interval_s=1)
    assert lost < 1e-5
    np.testing.assert_allclose([queue.abandonment, queue.wait_s], lost, rtol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((  [1, -2], 180, 3), r"arrivals\[1\].*negative"),
        ((1, np.nan, 3), "handle_s.*not a number"),
        ((1, 0, 3), "handle_s is 0"),
        ((1, [180, 0], 3), r"handle_s\[1\].*is 0"),
        (([1, 2], 180, [1, 2, 3]), r"go together: arrivals \(2,\), agents \(3,\)"),
        ((1, 180, [[1, -1]]), r"agents\[0, 1\].*negative"),
    ],
)  # fmt: skip
def test_a_negative_or_missing_argument_is_named_with_its_place(arguments, words):
    with pytest.raises(StaffingError, match=words):
        erlang_c(*arguments)
