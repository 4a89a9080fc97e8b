"""Requirements: equal to the formulas where these are exact, kept in simulation where they are not."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import erlang_a, erlang_c, required_agents, requirement, simulate
from svcanalytics.staffing.needs.curves import tabulate
from svcanalytics.staffing.needs.lagging import MOMENTS, lagged_load
from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.volumes import read_volumes


def test_a_certain_table_needs_what_the_formula_says_interval_by_interval(made_up):
    table = made_up().table
    for targets in ({}, {"patience_s": 150.0, "max_abandonment": 0.03}, {"max_asa_s": 5.0, "max_occupancy": 0.7}):
        whole = requirement(table, 240, lagged=False, fractional=False, **targets)
        assert whole["agents"].tolist() == required_agents(table["mean"], 240, **targets).tolist()
        real = requirement(table, 240, lagged=False, **targets)
        exact = required_agents(table["mean"], 240, fractional=True, **targets)
        np.testing.assert_allclose(real["agents"], exact, atol=1e-4)


def test_the_lagged_load_solves_its_differential_equation(made_up):
    volume = read_volumes(made_up(days=1).table, 900.0)[0]
    load, step, now = lagged_load(volume, volume.mean), 0.25, 0.0
    for slot, count in enumerate(volume.mean):
        for moment in range(7200):
            for place in np.flatnonzero(np.abs(MOMENTS * 1800 - moment * step) < step / 2):
                assert load[slot, place] == pytest.approx(now, rel=2e-3, abs=2e-3)
            now += step * (count / 1800 - now / 900)


def test_a_closed_night_carries_no_load_over(made_up):
    forecast = made_up(days=2)
    load = requirement(forecast.table, 900.0)["load"].to_numpy()
    np.testing.assert_allclose(load[:14], load[14:])


@pytest.mark.parametrize("patience", [None, 180.0])
def test_the_curves_follow_the_formulas(patience):
    curves = tabulate(300, 240, 1800, Promise(patience_s=patience))
    agents = np.array([1, 2, 3.5, 10, 31.4, 80, 290])
    load = agents[:, None] * np.linspace(0.3, 0.97, 50)
    count, n = load / 240 * 1800, agents[:, None]
    exact = erlang_c(count, 240, n) if patience is None else erlang_a(count, 240, n, patience)
    found = curves.at("service_level", load, agents)
    assert np.abs(found - exact.service_level).max() < (0.01 if patience is None else 0.001)
    # Many loads of one slot are looked up another way than few.
    np.testing.assert_allclose(curves.at("service_level", np.tile(load, 10), agents)[:, :50], found, atol=1e-12)


@given(st.floats(0.02, 0.5), st.floats(0.02, 0.5), st.floats(0.2, 2.0))
@settings(deadline=None, max_examples=4, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_less_risk_and_more_volume_take_more_agents(made_up, one, other, scale):
    def hours(risk, scale):
        return requirement(made_up(scale=scale, days=1), 240, patience_s=180, risk=risk, paths=100)["agents"].sum()

    assert hours(min(one, other), 1.0) >= hours(max(one, other), 1.0) - 1e-6
    assert (hours(one, scale) >= hours(one, 1.0)) == (scale >= 1)


def test_no_volume_needs_nobody_and_a_floor_holds(made_up):
    empty = made_up(scale=0.0)
    for demand in (empty, empty.table):
        assert (requirement(demand, 240)["agents"] == 0).all()
        assert (requirement(demand, 240, floor=2, fractional=False)["agents"] == 2).all()
    full = requirement(made_up(), 240, risk=0.1, floor=6)
    assert full["agents"].min() == 6 and (full["kept"] >= 0.9).all()


def test_shrinkage_comes_last_and_settings_may_differ_by_queue(made_up):
    forecast = made_up(queues=("a", "b"))
    found = requirement(
        forecast.table, {"a": 120, "b": 240}, shrinkage={"a": 0.0, "b": 0.25}, service_level={"a": 0.8, "b": 0.9}
    )
    a, b = (part for _, part in found.groupby("queue"))
    np.testing.assert_allclose(a["scheduled"], a["agents"])
    np.testing.assert_allclose(b["scheduled"], b["agents"] / 0.75)
    alone = requirement(forecast.table[forecast.table["queue"] == "b"], 240, service_level=0.9)
    np.testing.assert_allclose(b["agents"], alone["agents"])


def test_the_published_fourteen_agents_are_twenty_with_a_shrinkage_of_thirty_per_cent(made_up):
    table = made_up(days=1).table.assign(mean=100.0)
    found = requirement(table, 180, shrinkage=0.3, lagged=False, fractional=False)
    assert found["agents"].eq(14).all() and np.ceil(found["scheduled"] - 1e-9).eq(20).all()


def test_people_away_and_slow_days_take_more_agents_and_only_paths_know_them(made_up):
    forecast = made_up(days=1)
    hours = {
        name: requirement(forecast, 240, patience_s=180, risk=0.2, paths=200, **trouble)["agents"].sum()
        for name, trouble in (
            ("none", {}), ("slow", {"handle_noise": 0.1}), ("away", {"absence": 0.1}),
            ("both", {"handle_noise": 0.1, "absence": 0.1}),
        )
    }  # fmt: skip
    assert hours["none"] < hours["slow"] < hours["both"] and 1.08 < hours["away"] / hours["none"] < 1.25
    for name in ("absence", "handle_noise"):
        with pytest.raises(StaffingError, match="a table of means knows no"):
            requirement(forecast.table, 240, **{name: 0.05})


def test_an_agent_with_three_chats_is_a_third_of_three_agents(made_up):
    table = made_up().table
    alone, three = (requirement(table, 600, concurrency=c, floor=1, patience_s=120) for c in (1, 3))
    np.testing.assert_allclose(three["agents"], np.maximum(alone["agents"] / 3, 1))
    whole = requirement(table, 600, concurrency=3, patience_s=120, fractional=False)
    lived = simulate(whole, table, 600, concurrency=3, patience_s=120, draws=40)
    assert lived.intervals["service_level"].mean() > 0.8
    assert lived.draws["paid_s"].sum() == whole["agents"].sum() * 1800 * 40
    flat = whole.assign(agents=4)
    as_chats = simulate(flat, table, 600, concurrency=3, patience_s=120, draws=5).draws["within"]
    assert (as_chats == simulate(flat.assign(agents=12), table, 600, patience_s=120, draws=5).draws["within"]).all()


def test_handle_times_may_differ_by_slot(made_up):
    table = made_up(days=1).table
    slow = table.assign(handle_s=np.where(np.arange(len(table)) < 7, 200.0, 300.0)).drop(columns="mean")
    mixed = requirement(table, slow, lagged=False)["agents"]
    for part, handle in ((slice(0, 7), 200), (slice(7, None), 300)):
        np.testing.assert_allclose(mixed[part], requirement(table, handle, lagged=False)["agents"][part])
    over_paths = requirement(made_up(days=1), slow, patience_s=180, risk=0.2, paths=100)["agents"]
    fast, slowest = (requirement(made_up(days=1), h, patience_s=180, risk=0.2, paths=100)["agents"] for h in (200, 300))
    assert fast.sum() < over_paths.sum() < slowest.sum()


def test_fewer_whole_agents_would_break_the_promise(made_up):
    forecast = made_up(days=1)
    found = requirement(forecast, 240, patience_s=180, risk=0.2, fractional=False)
    real = requirement(forecast, 240, patience_s=180, risk=0.2)
    assert found["kept"].iloc[0] >= 0.8
    # Whole people cost at most a few more than fractions, not half a person in every interval.
    assert real["agents"].sum() - 3 <= found["agents"].sum() <= real["agents"].sum() + 3


@pytest.mark.slow
@pytest.mark.parametrize(("error", "patience"), [(0.05, 180.0), (0.1, 180.0), (0.1, None)])
def test_the_stated_risk_and_the_promised_average_hold_in_other_weeks(made_up, error, patience):
    forecast = made_up(error, days=5)
    lived = {}
    for risk in (None, 0.2):
        plan = requirement(forecast, 240, patience_s=patience, risk=risk, paths=1000, fractional=False)
        lived[risk] = simulate(plan, forecast, 240, patience_s=patience, draws=400, seed=77).draws
    assert lived[None]["within"].sum() / lived[None]["offered"].sum() == pytest.approx(0.8, abs=0.015)
    assert lived[0.2]["kept"].mean() == pytest.approx(0.8, abs=0.04)


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True])
def test_the_stated_risk_holds_with_people_away_and_slow_days(made_up, whole):
    forecast, trouble = made_up(0.05, days=5), {"absence": 0.06, "handle_noise": 0.06}
    plan = requirement(forecast, 240, patience_s=180, risk=0.2, paths=1000, fractional=not whole, **trouble)
    lived = simulate(plan, forecast, 240, patience_s=180, draws=400, seed=77, **trouble).draws
    assert lived["kept"].mean() == pytest.approx(0.8, abs=0.04)
    # Who plans without them misses far more often.
    naive = requirement(forecast, 240, patience_s=180, risk=0.2, paths=1000, fractional=not whole)
    assert simulate(naive, forecast, 240, patience_s=180, draws=100, seed=77, **trouble).draws["kept"].mean() < 0.6


@pytest.mark.slow
def test_targets_are_kept_together(made_up):
    forecast = made_up(0.1, days=3)
    targets = {"patience_s": 120.0, "max_abandonment": 0.04, "max_asa_s": 8.0, "max_occupancy": 0.8}
    plan = requirement(forecast, 240, risk=0.2, paths=1000, **targets)
    found = simulate(plan, forecast, 240, draws=500, seed=9, **targets)
    assert found.draws["kept"].mean() == pytest.approx(0.8, abs=0.045)
    day = found.promises.query("period == 'day'").set_index("target")["probability"]
    assert (day.drop("all") >= day["all"]).all() and len(day) == 5


@pytest.mark.slow
def test_long_calls_leave_no_interval_below_its_target(made_up):
    table = made_up(days=1, scale=1.5).table
    plan = requirement(table, 900, patience_s=180, fractional=False)
    alone = requirement(table, 900, patience_s=180, fractional=False, lagged=False)
    lived = [simulate(each, table, 900, patience_s=180, draws=1200).intervals for each in (plan, alone)]
    worst = [each["service_level"].min() for each in lived]
    assert worst[0] >= 0.78 > 0.75 > worst[1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"handle_s": -3}, "handle_s is -3"),
        ({"handle_s": {"mail": 240}}, "no queue 'mail'"),
        ({"handle_s": {}}, "'calls' is left out"),
        ({"patience_s": 0.0}, "patience_s is 0"),
        ({"patience_s": {"calls": 60, "x": 3}}, "no queue 'x'"),
        ({"service_level": 1.0}, "between 0 and 1"),
        ({"risk": 0.0}, "risk must lie"),
        ({"shrinkage": 1.0}, "shrinkage is 1"),
        ({"floor": -1}, "floor is -1"),
        ({"concurrency": 0.5}, "concurrency is 0.5"),
        ({"within_s": -20}, "within_s is negative"),
    ],
)
def test_a_bad_setting_is_refused_in_words(made_up, change, words):
    with pytest.raises(StaffingError, match=words):
        requirement(made_up(), **({"handle_s": 240} | change))


def test_few_people_with_several_chats_each_keep_their_promise_too(made_up):
    # People come whole: one with 1.9 chats at once holds 1, two hold 3, and a plan for fractions of chats would fail.
    forecast = made_up(0.1, 0.05, ["chat"])
    world = {"patience_s": 200, "within_s": 60, "concurrency": 1.9}
    needed = requirement(forecast, 600, risk=0.1, **world)
    lived = simulate(needed, forecast, 600, draws=150, **world)
    assert lived.days["kept"].mean() == pytest.approx(needed["kept"].mean(), abs=0.06)


def test_a_bad_table_is_refused_in_words(made_up):
    table = made_up().table
    for frame, words in (
        (table.drop(columns="mean"), "no column 'mean'"),
        (table.assign(mean=-1.0), "mean is -1"),
        (pd.concat([table, table]), "given twice"),
        (table.assign(start=table["start"].where(table.index > 0)), "a start is missing"),
        (table.iloc[:1], "no length"),
        (table.iloc[:0], "no rows"),
        (table.assign(start="Monday"), "no time"),
        ({"queue": 1}, "no forecast"),
        (SimpleNamespace(table=table, paths=lambda n, seed: made_up().paths(n).iloc[1:]), "other slots"),
    ):
        with pytest.raises(StaffingError, match=words):
            requirement(frame, 240)
    with pytest.raises(StaffingError, match="knows no risk"):
        requirement(table, 240, risk=0.1)
