"""Least agents: published tables, others' known errors, and the definition itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import erlang_a, erlang_c, required_agents

CALLS = [20, 50, 100, 200, 360, 500, 1000]


@pytest.mark.parametrize(
    ("handle_s", "agents"),
    [(180, [4, 8, 14, 24, 41, 56, 107]), (240, [5, 10, 17, 32, 54, 74, 142]), (300, [6, 12, 21, 39, 67, 91, 176])],
)
def test_erlang_c_needs_the_tabulated_agents(handle_s, agents):
    assert required_agents(CALLS, handle_s).tolist() == agents


@pytest.mark.parametrize(
    ("calls", "offered", "answered"),
    [
        (100, [15, 15, 16, 16, 16], [12, 14, 14, 15, 16]),
        (150, [21, 22, 22, 23, 23], [18, 20, 21, 22, 23]),
        (200, [27, 28, 29, 29, 30], [24, 26, 27, 28, 30]),
    ],
)
def test_erlang_a_needs_the_tabulated_agents(calls, offered, answered):
    patience = [60, 90, 120, 180, 300]
    assert required_agents(calls, 240, patience_s=patience).tolist() == offered
    assert required_agents(calls, 240, patience_s=patience, definition="answered").tolist() == answered


def test_the_search_does_not_begin_at_the_load():
    # Searches that begin at ceil(load) say 40, 167, 100 and 2.
    found = [
        required_agents(300, 240, patience_s=90, service_level=0.5, within_s=30),
        required_agents(1000, 300, patience_s=120, service_level=0.7, within_s=30),
        required_agents(600, 300, patience_s=60),
        required_agents(5, 180, service_level=0.5, within_s=60),
    ]
    assert [int(each) for each in found] == [31, 145, 92, 1]
    # 20 within 20 seconds, not 20 hours: 100 an hour at 12 an hour each.
    assert required_agents(100, 300, interval_s=3600) == 12


def test_who_hangs_up_at_once_may_be_left_out_of_the_target():
    strict, lenient = (
        float(required_agents(100, 240, patience_s=60, short_abandon_s=s, fractional=True)) for s in (0, 5)
    )
    level = erlang_a(100, 240, lenient, 60, short_abandon_s=5).service_level
    assert lenient < strict and level == pytest.approx(0.8, abs=1e-6)


def test_what_so_few_agents_come_to_is_said_when_they_are_not_enough():
    with pytest.raises(StaffingError, match=r"1 agents can't keep .* occupancy 0.900.*\n.* 5 agents keep them"):
        required_agents([0, 9], 180, service_level=0.99, within_s=5, max_occupancy=0.9, max_agents=1)
    assert required_agents(9, 180, max_agents=3) == 3
    with pytest.raises(StaffingError, match="mean wait inf s"):
        required_agents(11, 180, max_agents=1)


def test_impatient_customers_need_no_more_agents_than_patient_ones():
    assert required_agents(150, 240, patience_s=[60, 180]).tolist() == [21, 23]


@given(
    st.floats(0.1, 3000), st.floats(30, 1200), st.floats(10, 600), st.floats(0.3, 0.99), st.floats(0.5, 0.95),
    st.floats(0.01, 0.3),
)  # fmt: skip
@settings(deadline=None, max_examples=12)
def test_the_agents_found_keep_all_targets_and_one_less_does_not(calls, handle, patience, level, occupancy, gone):
    def kept(agents):
        queue = erlang_a(calls, handle, agents, patience)
        return queue.service_level >= level and queue.occupancy <= occupancy and queue.abandonment <= gone

    targets = {"service_level": level, "max_occupancy": occupancy, "max_abandonment": gone, "patience_s": patience}
    least = int(required_agents(calls, handle, **targets))
    assert kept(least) and not kept(least - 1)
    real = float(required_agents(calls, handle, fractional=True, **targets))
    assert least - 1 < real <= least and kept(real) and not kept(real * (1 - 1e-6))


def test_an_asa_target_counts_the_wait_of_the_answered():
    least = int(required_agents(100, 240, service_level=None, max_asa_s=10))
    assert erlang_c(100, 240, least).asa_s <= 10 < erlang_c(100, 240, least - 1).asa_s


def test_no_arrivals_need_nobody_and_shapes_broadcast():
    found = required_agents([[0], [100]], [180, 240])
    assert found.tolist() == [[0, 0], [14, 17]] and found.dtype.kind == "i"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"service_level": 1.0}, "between 0 and 1"),
        ({"service_level": 80}, "between 0 and 1"),
        ({"service_level": None}, "no target"),
        ({"max_abandonment": 0.05}, "without a patience"),
        ({"definition": "net"}, "no service level named"),
        ({"max_asa_s": 0}, "above 0"),
        ({"patience_s": 0}, "patience_s is 0"),
        ({"patience_s": float("inf")}, "patience_s is infinite"),
        ({"short_abandon_s": 5}, "without a patience"),
        ({"within_s": -5}, "negative"),
    ],
)
def test_an_impossible_target_is_refused_in_words(arguments, words):
    with pytest.raises(StaffingError, match=words):
        required_agents(100, 180, **arguments)
