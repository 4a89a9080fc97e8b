"""Agents by skill: right where the answer is known, and feasible where others' are not."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import required_agents, simulate, skilled_requirement

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


@pytest.mark.slow
def test_the_stated_risk_holds_for_each_of_two_queues_that_share_people(made_up):
    forecast = made_up(0.1, queues=("a", "b"), scale=0.6, days=1)
    morning = forecast.table[forecast.table["start"].dt.hour.between(9, 10)]
    forecast = replace(forecast, table=morning.reset_index(drop=True))
    crews, cost = {"a": ["a"], "b": ["b"], "both": ["a", "b"]}, {"a": 1.0, "b": 1.0, "both": 1.15}
    plan = skilled_requirement(forecast, 240, crews, cost=cost, patience_s=180, risk=0.2)
    assert (plan["kept"] >= 0.8).all()
    certain = skilled_requirement(forecast, 240, crews, cost=cost, patience_s=180)
    kept = [
        simulate(each, forecast, 240, crews=crews, patience_s=180, draws=300, seed=9).days["kept"]
        for each in (plan, certain)
    ]
    assert 0.74 <= kept[0].min() <= 0.93 and kept[1].min() < kept[0].min()


def test_a_risk_needs_paths_and_troubles_need_a_risk(made_up):
    for arguments, words in (({"risk": 0.1}, "needs a forecast"), ({"absence": 0.1}, "are about days")):
        with pytest.raises(StaffingError, match=words):
            skilled_requirement(made_up().table, 240, {"x": ["calls"]}, **arguments)


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
