"""What if: the change asked for and nothing else, on the same random days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import compare, relive, requirement, risk_windows, simulate, what_if


@pytest.fixture(scope="module")
def lived(made_up):
    forecast = made_up(0.1, days=2)
    plan = requirement(forecast, 240, patience_s=180, fractional=False)
    return simulate(plan, forecast, 240, patience_s=180, draws=60)


def change(before, **asked):
    return what_if(before, **asked).set_index("measure")


def test_nothing_changed_is_no_difference_at_all(lived):
    assert (what_if(lived)["change"] == 0).all()


def test_more_volume_adds_customers_to_those_there_were(lived):
    found = change(lived, volume=1.1)
    more = relive(lived, volume=1.1)
    ratio = more.draws["offered"].sum() / lived.draws["offered"].sum()
    assert ratio == pytest.approx(1.1, abs=0.005)
    assert found.loc["service_level", "high"] < 0 < found.loc["occupancy", "low"]
    # The same customers: what they take of an agent differs by those added alone.
    assert np.corrcoef(lived.draws["busy_s"], more.draws["busy_s"])[0, 1] > 0.97
    assert (relive(lived, volume=0).draws["offered"] == 0).all()


def test_paired_differences_are_far_surer_than_two_runs_apart(lived):
    level = change(lived, absent=1).loc["service_level"]
    apart = lived.draws.groupby("draw")["service_level"].mean().std() * np.sqrt(2 / 60)
    assert level["high"] < 0 and level["high"] - level["low"] < 2 * 1.96 * apart


def test_times_and_patience_are_multiplied_and_a_new_promise_is_judged_on_the_same_calls(lived):
    slow, strict = relive(lived, handle_time=1.2), relive(lived, service_level=0.95, within_s=10)
    answered = slow.draws["answered"].sum() / lived.draws["answered"].sum()
    assert slow.draws["busy_s"].sum() / lived.draws["busy_s"].sum() == pytest.approx(1.2 * answered, rel=0.01)
    assert (strict.draws["wait_s"] == lived.draws["wait_s"]).all()
    assert (strict.draws["within"] <= lived.draws["within"]).all() and strict.draws["kept"].mean() < 0.5
    hasty = change(lived, patience=0.3)
    assert hasty.loc["abandonment", "low"] > 0


def test_people_ill_on_one_day_leave_the_other_as_it_was(lived):
    found = what_if(lived, absent=2, absent_on="2026-11-03", by=("day",)).set_index(["day", "measure"])["change"]
    first, second = pd.Timestamp("2026-11-02"), pd.Timestamp("2026-11-03")
    assert (found[first] == 0).all() and found[second, "service_level"] < 0 > found[second, "hours"]


def test_a_desk_that_nobody_comes_to_answers_nobody_and_has_no_wait_of_the_answered(lived):
    found = change(lived, absent=1000)
    assert found.loc["abandonment", "after"] == 1
    assert np.isnan(found.loc["asa_s", "after"]) and np.isnan(found.loc["asa_s", "change"])


def test_open_until_later_adds_slots_like_the_last_and_its_people_stay(lived):
    longer = relive(lived, until="16:00")
    assert len(longer.intervals) == len(lived.intervals) + 4
    last, added = (longer.intervals[longer.intervals["start"].dt.hour == 14].tail(1), longer.intervals.tail(2))
    assert (added["agents"] == last["agents"].iloc[0]).all() and (added["arrivals"] == last["arrivals"].iloc[0]).all()
    assert len(relive(lived, until="12:00").intervals) == len(lived.intervals)
    assert compare(lived, longer).set_index("measure").loc["hours", "change"] > 0


@pytest.mark.parametrize("unit", ["s", "ms", "ns"])
def test_open_until_later_can_be_compared_whatever_the_resolution_of_times(made_up, unit):
    table = made_up(days=1).table.assign(start=lambda rows: rows["start"].dt.as_unit(unit))
    lived = simulate(table.assign(agents=20), table, 240, draws=2)
    assert what_if(lived, until="23:00").set_index("measure").loc["service_level", "change"] <= 0.05


def test_a_campaign_that_comes_early_changes_places_with_another_day(lived):
    moved = relive(lived, swap=[("2026-11-02", "2026-11-03")]).draws.set_index(["day", "draw"])["offered"]
    before = lived.draws.set_index(["day", "draw"])["offered"]
    first, second = pd.Timestamp("2026-11-02"), pd.Timestamp("2026-11-03")
    assert (moved[first] == before[second]).all() and (moved[second] == before[first]).all()


def test_the_risk_sits_where_agents_were_taken_away(made_up):
    forecast = made_up(0.05, days=2)
    plan = requirement(forecast, 240, patience_s=180, risk=0.1, fractional=False)
    thin = plan["start"].dt.strftime("%d %H:%M").isin(["03 10:00", "03 10:30"])
    lived = simulate(plan.assign(agents=plan["agents"] - 4 * thin), forecast, 240, patience_s=180, draws=60)
    worst = risk_windows(lived).iloc[0]
    assert worst["window"] == "Tue 2026-11-03 10:00\u201311:00" and worst["share"] > 0.5 and worst["kept"] < 0.3
    # What intervals are short by adds up to what the days that miss are short by.
    days = lived.draws.assign(short=lambda d: (0.8 * d["base"] - d["within"]) * ~d["kept"])
    assert lived.intervals["short"].sum() == pytest.approx(days["short"].sum() / 60)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"volume": -1}, "volume is -1"),
        ({"handle_time": 0}, "handle_time is 0"),
        ({"volume": {"mail": 2}}, "no queue 'mail'"),
        ({"absent": 1.5}, "absent is 1.5"),
        ({"absent_on": "2027-01-01"}, "nobody works on"),
        ({"until": "late"}, "no time of day"),
        ({"swap": [("2026-11-02", "2027-01-01")]}, "no day of the forecast"),
        ({"service_level": 1.0}, "service_level is 1"),
    ],
)
def test_a_change_that_can_not_be_is_refused_in_words(lived, asked, words):
    with pytest.raises(StaffingError, match=words):
        what_if(lived, **asked)


def test_the_endlessly_patient_can_not_lose_patience(made_up):
    forecast = made_up()
    lived = simulate(requirement(forecast.table, 240), forecast, 240, draws=3)
    with pytest.raises(StaffingError, match="endless patience"):
        what_if(lived, patience=0.5)
