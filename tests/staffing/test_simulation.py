"""Living through a plan: what is counted, what is shared between plans, and what is said of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import compare, erlang_a, requirement, simulate


def flat(agents, days=1, mean=60.0):
    start = pd.date_range("2026-11-02", periods=48 * days, freq="30min", tz="Asia/Shanghai")
    table = pd.DataFrame({"queue": "calls", "start": start, "mean": mean})
    return table, table.assign(agents=agents).drop(columns="mean")


def test_a_steady_day_and_night_comes_to_the_exact_formula():
    table, plan = flat(9, days=4)
    found = simulate(plan, table, 240, patience_s=180, draws=60)
    exact = erlang_a(60, 240, 9, 180)
    total = found.draws[["offered", "answered", "within", "wait_s", "busy_s", "paid_s"]].sum()
    assert total["within"] / total["offered"] == pytest.approx(exact.service_level, abs=0.006)
    assert 1 - total["answered"] / total["offered"] == pytest.approx(exact.abandonment, abs=0.003)
    assert total["wait_s"] / total["answered"] == pytest.approx(exact.asa_s, rel=0.04)
    assert total["busy_s"] / total["paid_s"] == pytest.approx(exact.occupancy, abs=0.01)


def test_the_definitions_of_service_level_differ_as_they_should():
    table, plan = flat(8)
    level = {
        name: simulate(plan, table, 240, patience_s=90, draws=150, definition=name).weeks["service_level"].iloc[0]
        for name in ("offered", "answered", "virtual")
    }
    exact = erlang_a(60, 240, 8, 90)
    assert level["offered"] == pytest.approx(exact.service_level, abs=0.012)
    assert level["answered"] == pytest.approx(exact.service_level_answered, abs=0.012)
    assert level["virtual"] == pytest.approx(exact.service_level_virtual, abs=0.012)


def test_tables_of_intervals_days_and_weeks_agree_with_the_draws(made_up):
    forecast = made_up(queues=("a", "b"), days=3)
    plan = requirement(forecast.table, 240, patience_s=180)
    found = simulate(plan, forecast, 240, patience_s=180, draws=20)
    assert len(found.intervals) == len(plan) and len(found.days) == 6 and len(found.weeks) == 2
    assert found.intervals["start"].tolist() == plan["start"].tolist()
    sums = found.draws.groupby("queue")[["within", "offered"]].sum()
    np.testing.assert_allclose(found.weeks["service_level"], sums["within"] / sums["offered"])
    np.testing.assert_allclose(found.days["kept"], found.draws.groupby(["queue", "day"])["kept"].mean())
    assert (found.days["kept_low"] <= found.days["kept"]).all() and (found.days["low"] < found.days["high"]).all()
    by_queue = found.intervals.groupby("queue")["arrivals"].sum() * 20
    np.testing.assert_allclose(by_queue, sums["offered"])
    promises = found.promises.set_index(["queue", "period", "target"])["probability"]
    np.testing.assert_allclose(promises["a", "day", "all"], found.draws.query("queue == 'a'")["kept"].mean())


def test_two_plans_meet_the_same_days(made_up):
    forecast = made_up()
    plan = requirement(forecast.table, 240, fractional=False)
    more = plan.assign(agents=plan["agents"] + 1)
    before, same, after = (simulate(each, forecast, 240, draws=30) for each in (plan, plan, more))
    assert (before.draws["busy_s"] == after.draws["busy_s"]).all()
    # Without hanging up, one more agent never makes anybody wait longer.
    assert (after.draws["wait_s"] <= before.draws["wait_s"] + 1e-6).all()
    assert (compare(before, same)["change"] == 0).all()
    change = compare(before, after, by=()).set_index("measure")
    assert change.loc["hours", "change"] == pytest.approx(0.5 * len(plan))
    level = change.loc["service_level"]
    alone = np.hypot(*(each.draws.groupby("draw")["service_level"].mean().std() for each in (before, after)))
    assert level["low"] > 0 and level["high"] - level["low"] < 2 * 1.96 * alone / np.sqrt(30)
    assert compare(before, after, by=("queue", "day")).shape == (2 * 6, 8)


def test_absence_takes_its_share_of_agents_and_the_same_people_whatever_the_plan(made_up):
    forecast = made_up()
    plan = requirement(forecast.table, 240, fractional=False)
    full, ill, fewer = (
        simulate(each, forecast, 240, draws=60, absence=absence)
        for each, absence in ((plan, 0.0), (plan, 0.1), (plan.assign(agents=plan["agents"].clip(upper=5)), 0.1))
    )
    assert ill.draws["paid_s"].sum() / full.draws["paid_s"].sum() == pytest.approx(0.9, abs=0.01)
    assert (fewer.draws["paid_s"] <= ill.draws["paid_s"]).all()
    assert ill.draws["service_level"].mean() < full.draws["service_level"].mean()


def test_noise_in_handle_times_widens_days_and_a_steadier_time_shortens_waits(made_up):
    forecast = made_up(0.0)
    plan = requirement(forecast.table, 240)
    steady, noisy, even = (
        simulate(plan, forecast, 240, draws=80, **more).draws for more in ({}, {"handle_noise": 0.1}, {"handle_cv": 0})
    )
    assert noisy["busy_s"].std() > 1.5 * steady["busy_s"].std()
    assert even["wait_s"].sum() < steady["wait_s"].sum()


def test_clocks_going_back_give_a_longer_day():
    start = pd.date_range("2026-10-25", periods=50, freq="30min", tz="Europe/Berlin")
    table = pd.DataFrame({"queue": "calls", "start": start, "mean": 10.0})
    found = simulate(table.assign(agents=4), table, 240, draws=5)
    assert len(found.days) == 1 and found.draws["paid_s"].eq(25 * 3600 * 4).all()


def test_what_really_came_is_taken_as_it_came():
    table, plan = flat(9)
    came = table.rename(columns={"mean": "arrivals"})
    assert simulate(plan, came, 240, draws=4).draws["offered"].eq(60 * 48).all()
    assert simulate(plan, table, 240, draws=4).draws["offered"].std() > 0


def test_who_hangs_up_at_once_may_count_neither_way():
    table, plan = flat(7, days=4)
    found = simulate(plan, table, 240, patience_s=90, short_abandon_s=5, draws=60).weeks["service_level"].iloc[0]
    assert found == pytest.approx(float(erlang_a(60, 240, 7, 90, short_abandon_s=5).service_level), abs=0.006)


def two_queues(made_up, agents, **more):
    forecast = made_up(0.0, queues=("a", "b"), days=1)
    forecast.table["mean"] = 30.0
    start = forecast.table["start"].unique()
    plan = pd.DataFrame({"crew": "all", "start": start, "agents": agents})
    return simulate(plan, forecast.table, 240, patience_s=180, crews={"all": ["a", "b"]}, draws=200, **more)


def test_people_who_know_two_queues_serve_them_as_one(made_up):
    pooled, exact = two_queues(made_up, 9).draws, erlang_a(60, 240, 9, 180)
    assert pooled["within"].sum() / pooled["offered"].sum() == pytest.approx(exact.service_level, abs=0.01)
    assert pooled["busy_s"].sum() / pooled["paid_s"].sum() == pytest.approx(exact.occupancy, abs=0.012)
    # Their time is shared by what they do, and all of it.
    assert pooled.groupby("draw")["paid_s"].sum().to_numpy() == pytest.approx(9 * 14 * 1800)


def test_the_queue_that_goes_first_waits_less_and_the_other_more(made_up):
    alike, ranked = two_queues(made_up, 8), two_queues(made_up, 8, priority={"a": 0, "b": 1})
    change = compare(alike, ranked).set_index(["queue", "measure"])
    assert change.loc[("a", "asa_s"), "high"] < 0 < change.loc[("b", "asa_s"), "low"]


def test_alone_and_together_a_queue_is_lived_through_alike(made_up):
    forecast = made_up(days=1)
    plan = requirement(forecast.table, 240, patience_s=180).assign(crew=lambda p: p["queue"])
    alone, event = (simulate(plan, forecast, 240, patience_s=180, draws=20, retry=r) for r in (0.0, 1e-12))
    for name in ("offered", "answered", "within", "busy_s", "paid_s"):
        np.testing.assert_allclose(alone.draws[name], event.draws[name], err_msg=name)


def test_second_calls_count_and_make_a_bad_day_worse(made_up):
    table, plan = flat(6)
    once, again = (simulate(plan, table, 240, patience_s=60, retry=retry, draws=10).draws for retry in (0.0, 0.8))
    assert again["offered"].sum() > 1.1 * once["offered"].sum()
    assert again["within"].sum() / again["offered"].sum() < once["within"].sum() / once["offered"].sum()


def test_slots_without_a_plan_have_nobody():
    table, plan = flat(9)
    found = simulate(plan.iloc[:24], table, 240, patience_s=60, draws=4).intervals
    assert (found["service_level"][24:] == 0).all() and (found["abandonment"][24:] == 1).all()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"absence": 1.0}, "absence is 1"),
        ({"late": -0.1}, "late is -0.1"),
        ({"handle_cv": -1}, "handle_cv is -1"),
        ({"retry": 2}, "retry is a share"),
        ({"concurrency": 0.5}, "concurrency is 0.5"),
        ({"short_abandon_s": 5}, "without a patience"),
        ({"draws": 1}, "one draw"),
    ],
)
def test_a_bad_setting_of_a_simulation_is_refused_in_words(settings, words):
    table, plan = flat(9)
    with pytest.raises(StaffingError, match=words):
        simulate(plan, table, 240, **settings)


def test_a_bad_plan_is_refused_in_words():
    table, plan = flat(9)
    for bad, words in (
        (plan.drop(columns="agents"), "no column 'agents'"),
        (plan.assign(agents=-1), "agents is -1"),
        (plan.assign(queue="mail"), "no queue 'mail'"),
        (plan.assign(start=plan["start"] + pd.Timedelta(days=9)), "none of the forecast's slots"),
    ):
        with pytest.raises(StaffingError, match=words):
            simulate(bad, table, 240)
    one, other = (simulate(plan, table, 240, draws=3, seed=seed) for seed in (1, 2))
    with pytest.raises(StaffingError, match="same days"):
        compare(one, other)
