"""Agents by skill: right where the answer is known, and feasible where others' are not."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import required_agents, skilled_requirement

START = pd.Timestamp("2026-11-02 09:00")


def half_hour(**arrivals):
    rows = [(name, START, count) for name, count in arrivals.items()]
    return pd.DataFrame(rows, columns=["queue", "start", "mean"])


def crewed(*arguments, **more):
    return skilled_requirement(*arguments, interval_s=1800, **more).set_index("crew")["agents"].to_dict()


def test_one_queue_and_a_pool_that_knows_all_need_what_the_formula_says():
    assert crewed(half_hour(a=100), 240, {"all": ["a"]}, patience_s=120)["all"] == pytest.approx(
        int(required_agents(100, 240, patience_s=120)), abs=1
    )
    found = crewed(half_hour(a=60, b=40), 240, {"all": ["a", "b"]}, patience_s=120)
    assert found["all"] == pytest.approx(int(required_agents(100, 240, patience_s=120)), abs=1)


@pytest.mark.slow
def test_the_published_two_skill_case_takes_about_fourteen_agents_not_nine():
    crews = {"billing": ["billing"], "technical": ["technical"], "both": ["billing", "technical"]}
    cost = {"billing": 1.0, "technical": 1.0, "both": 1.2}
    table = half_hour(billing=40, technical=24)
    found = crewed(table, {"billing": 270, "technical": 300}, crews, cost=cost)
    apart = crewed(table, {"billing": 270, "technical": 300}, {k: crews[k] for k in ("billing", "technical")})
    assert 13 <= sum(found.values()) <= 15 and found["both"] > 0
    assert sum(apart.values()) == pytest.approx(16, abs=1)
    assert sum(cost[name] * n for name, n in found.items()) < sum(apart.values())


def test_an_interval_without_calls_needs_nobody():
    assert crewed(half_hour(a=0.0), 240, {"all": ["a"]}) == {"all": 0}


@pytest.mark.parametrize(
    ("crews", "cost", "words"),
    [
        ({"x": ["a", "z"]}, None, "no queue 'z'"),
        ({"x": []}, None, "no crew knows the queue 'a'"),
        ({"x": ["a"]}, {"x": 0}, "above 0"),
        ({"x": ["a"]}, {"y": 1}, "by crew"),
    ],
)
def test_a_bad_crew_is_refused_in_words(crews, cost, words):
    with pytest.raises(StaffingError, match=words):
        crewed(half_hour(a=10), 240, crews, cost=cost)
