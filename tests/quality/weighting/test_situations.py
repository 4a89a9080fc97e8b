"""Weights that follow the situation: pins hold exactly, transitions are smooth, overlaps are refused."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import (
    Goalposts,
    Load,
    Profile,
    ProfileMetric,
    Situation,
    follow_load,
    score,
    weights_in,
    weights_over,
)

RATE = Goalposts(0.5, 0.9, 1.0)
USUAL = Profile(
    id="test",
    families={"response": 0.25, "resolution": 0.5, "satisfaction": 0.25},
    metrics=(
        ProfileMetric("answered", "response", 0.6, RATE),
        ProfileMetric("quick", "response", 0.4, RATE),
        ProfileMetric("resolved", "resolution", 1.0, RATE),
        ProfileMetric("csat", "satisfaction", 0.7, RATE),
        ProfileMetric("nps", "satisfaction", 0.3, RATE),
    ),
)
BASE = {"answered": 0.15, "quick": 0.1, "resolved": 0.5, "csat": 0.175, "nps": 0.075}
HIGH = Situation("high", {"response": 0.4}, dates=("2026-06-10..2026-06-20",), transition_days=4)


def under(*situations, **changes):
    return replace(USUAL, situations=situations, **changes)


def daily(profile, start="2026-01-01", end="2026-12-31", column="metric"):
    frame = weights_over(profile, start, end)
    wide = frame.pivot_table(index="period", columns=column, values="weight", aggfunc="sum")
    return wide[list(frame[column].unique())]


def test_a_pinned_family_holds_its_share_and_the_rest_keep_their_proportions():
    found = weights_in(under(HIGH), "high")
    expected = {"answered": 0.24, "quick": 0.16, "resolved": 0.4, "csat": 0.14, "nps": 0.06}
    assert found.to_dict() == pytest.approx(expected)
    assert weights_in(under(HIGH)).to_dict() == pytest.approx(BASE)


def test_a_pinned_metric_takes_its_share_of_the_index_inside_its_pinned_family_or_from_all_others():
    alone = weights_in(under(replace(HIGH, pins={"csat": 0.34})), "high")
    assert alone.to_dict() == pytest.approx({m: 0.34 if m == "csat" else w * 0.66 / 0.825 for m, w in BASE.items()})
    both = weights_in(under(replace(HIGH, pins={"quick": 0.3, "response": 0.4})), "high")
    assert both[["quick", "answered"]].tolist() == pytest.approx([0.3, 0.1])
    assert both.sum() == pytest.approx(1)


def test_weights_move_in_equal_steps_before_and_after_and_hold_on_every_day_between():
    response = daily(under(HIGH), "2026-06-04", "2026-06-26", "family")["response"]
    ramp = [0.28, 0.31, 0.34, 0.37]
    np.testing.assert_allclose(response, [0.25, 0.25, *ramp, *[0.4] * 11, *ramp[::-1], 0.25, 0.25])


def test_the_days_asked_for_do_not_change_what_a_day_weighs():
    profile = under(HIGH, Situation("late", {"csat": 0.5}, dates=("2026-06-23",), transition_days=9))
    whole = daily(profile)
    for day in ("2026-06-05", "2026-06-09", "2026-06-21", "2026-06-22", "2026-06-25"):
        np.testing.assert_allclose(daily(profile, day, day).loc[day], whole.loc[day])


def test_between_two_situations_nearer_than_their_transitions_weights_go_straight_from_one_to_the_other():
    late = Situation("late", {"response": 0.8}, dates=("2026-06-24..2026-06-30",), transition_days=9)
    response = daily(under(HIGH, late), "2026-06-20", "2026-06-24", "family")["response"]
    np.testing.assert_allclose(response, [0.4, 0.5, 0.6, 0.7, 0.8])


def test_the_weights_of_a_month_are_the_mean_of_its_days_or_of_its_contacts():
    profile = under(HIGH)
    by_day = daily(profile, "2026-06", "2026-06")
    month = weights_over(profile, "2026-06", "2026-06", every="month").set_index("metric")["weight"]
    pd.testing.assert_series_equal(month, by_day.mean(), check_names=False)
    volume = pd.Series(np.arange(30.0), index=pd.date_range("2026-06-01", "2026-06-30"))
    weighed = weights_over(profile, "2026-06", "2026-06", every="month", volume=volume).set_index("metric")["weight"]
    expected = by_day.mul(volume.to_numpy(), axis=0).sum() / volume.sum()
    pd.testing.assert_series_equal(weighed, expected, check_names=False)


def test_score_gives_every_period_its_own_weights_by_the_months_it_is_told():
    values = {"answered": 1.0, "quick": 1.0, "resolved": 0.5, "csat": 0.5, "nps": 0.5}
    rows = [{"metric": m, "value": v} for m, v in values.items()]
    months = [
        pd.DataFrame(rows).assign(period=key, start=pd.Timestamp(start))
        for key, start in (("2026-05", "2026-05-01"), ("2026-06", "2026-06-01"))
    ]
    found = score(pd.concat(months), under(HIGH)).scores.query("family == ''")["score"].tolist()
    steps = 2 * (0.28 + 0.31 + 0.34 + 0.37) + 11 * 0.4 + 11 * 0.25
    assert found == pytest.approx([25, 100 * steps / 30])
    own = [months[1].assign(start=pd.Timestamp("2026-05-26"))]  # June of a house whose months begin on the 26th
    assert score(pd.concat(own), under(HIGH)).scores["score"].iloc[0] == pytest.approx(100 * (steps - 0.25 + 0.5) / 31)


def test_weights_given_to_score_are_used_instead_and_refused_when_they_do_not_fit():
    frame = pd.DataFrame({"metric": list(BASE), "period": "2026-06", "value": [1.0, 1, 0.5, 0.5, 0.5]})
    twin = score(frame, under(HIGH), weights=weights_in(under(HIGH)))
    assert twin.scores["score"].iloc[0] == pytest.approx(25)
    again = score(frame, USUAL, weights=score(frame, under(HIGH)).weights)
    pd.testing.assert_frame_equal(again.scores, score(frame, under(HIGH)).scores)
    for bad, said in (
        (weights_in(USUAL) * 0.9, "add up to 0.9"),
        (weights_in(USUAL).drop("nps"), "nps has no weight"),
        (pd.Series(BASE | {"other": 0.0}), "'other' has a weight but is not in the profile"),
    ):
        with pytest.raises(CatalogueError, match=said):
            score(frame, USUAL, weights=bad)


def test_holidays_come_from_the_calendar_with_the_weekend_days_beside_them():
    away = Situation("away", {"response": 0.1}, day_classes=("holiday", "substituted"), transition_days=0)
    response = daily(under(away), "2026-09-28", "2026-10-11", "family")["response"]
    off = response[np.isclose(response, 0.1)].index
    assert list(off) == [f"2026-10-0{day}" for day in range(1, 8)]  # the 4th is a Sunday
    new_year = daily(under(away), "2026-10-04", "2026-10-04", "family")["response"]
    assert new_year.item() == pytest.approx(0.1)


def test_dates_of_every_year_may_run_over_its_end():
    dark = Situation("dark", {"response": 0.1}, dates=("12-30..01-02",), transition_days=0)
    response = daily(under(dark), "2026-12-28", "2027-01-04", "family")["response"]
    np.testing.assert_allclose(response, [0.25, 0.25, *[0.1] * 4, 0.25, 0.25])


def test_hours_take_their_share_of_every_day_and_leave_the_rest_to_the_day():
    night = Situation("night", {"response": 0.65}, hours="22:00-04:00")
    response = daily(under(HIGH, night), "2026-06-01", "2026-06-15", "family")["response"]
    assert response.iloc[0] == pytest.approx(0.75 * 0.25 + 0.25 * 0.65)
    assert response.iloc[-1] == pytest.approx(0.75 * 0.4 + 0.25 * 0.65)
    few = daily(under(replace(night, share=0.02)), "2026-06-01", "2026-06-01", "family")["response"]
    assert few.item() == pytest.approx(0.98 * 0.25 + 0.02 * 0.65)


def test_a_load_above_the_quantile_of_its_own_past_makes_a_situation_and_the_future_does_not_matter():
    rush = Situation("rush", {"response": 0.6}, load=Load("offered", 0.95, 60), transition_days=0)
    days = pd.date_range("2026-01-01", "2026-04-30")
    volume = pd.Series(100 + np.arange(len(days)) % 7.0, index=days)
    volume["2026-03-10"] = volume["2026-04-20"] = 500
    volume["2026-01-05"] = 900  # too early to have a past
    frame = pd.DataFrame({"metric": "offered", "start": days, "value": volume.to_numpy()})
    followed = follow_load(under(rush), frame.drop(index=30))
    assert followed.situations[0].measured == {date(2026, 3, 10), date(2026, 4, 20)}
    early = follow_load(under(rush), frame[frame["start"] < "2026-04-01"])
    assert early.situations[0].measured == {date(2026, 3, 10)}
    naive = {
        day.date()
        for day in days[60:]
        if volume[day] > np.quantile(volume[day - pd.Timedelta(days=60) : day - pd.Timedelta(days=1)], 0.95)
    }
    assert {day for day in follow_load(under(rush), frame).situations[0].measured if day >= days[60].date()} == naive
    with pytest.raises(CatalogueError, match="follows measured load, which is not known"):
        weights_over(under(rush), "2026-03", "2026-03")
    with pytest.raises(CatalogueError, match="was not measured"):
        follow_load(under(rush), frame.assign(metric="other"))


def test_the_higher_priority_counts_where_two_situations_cover_a_day():
    outage = Situation("outage", {"response": 0.9}, dates=("2026-06-15",), priority=1, transition_days=0)
    response = daily(under(HIGH, outage), "2026-06-14", "2026-06-16", "family")["response"]
    np.testing.assert_allclose(response, [0.4, 0.9, 0.4])


@pytest.mark.parametrize(
    ("situations", "said"),
    [
        ([HIGH, Situation("b", {"csat": 0.2}, dates=("2026-06-20",))], "high and b both cover 2026-06-20"),
        ([Situation("a", {"csat": 0.2}, months=(6,)), HIGH], "a and high both cover 2026-06-10"),
        ([replace(HIGH, dates=("2026-06-10..2026-06-20", "2026-06-20..2026-06-21"))], "overlap on 2026-06-20"),
        ([replace(HIGH, dates=("2026-06", "2026-06-03"))], "overlap on 2026-06-03"),
        ([replace(HIGH, dates=("2026-06-31",))], "'2026-06-31' is not a day"),
        ([replace(HIGH, dates=("2026-06-20..2026-06-10",))], "ends before it starts"),
        ([replace(HIGH, dates=())], "says not when it is"),
        ([replace(HIGH, hours="22:00-06:00")], "hours and days at once"),
        ([replace(HIGH, dates=(), hours="22-6")], "'22-6' are no hours"),
        ([replace(HIGH, dates=(), months=(13,))], "numbered 1 to 12"),
        ([replace(HIGH, dates=(), day_classes=("feast",))], "no day class 'feast'"),
        ([HIGH, replace(HIGH, pins={"csat": 0.1})], "two situations have one name"),
        ([HIGH, replace(HIGH, id="b", dates=(), load=Load("offered"))], "may fall on the days of another"),
        (
            [
                Situation("a", {"csat": 0.2}, hours="22:00-06:00"),
                Situation("b", {"csat": 0.3}, hours="05:00-07:00"),
            ],
            "a and b cover the same hours",
        ),
        ([replace(HIGH, pins={"answer": 0.4})], "pins 'answer', which is no family or metric"),
        ([replace(HIGH, pins={"response": 1.4})], "pins 'response' at 1.4"),
        ([replace(HIGH, pins={"response": 0.7, "csat": 0.4})], "10 percent more than there is"),
        ([replace(HIGH, pins={"response": 0.2, "quick": 0.3})], "10 percent more than there is"),
        ([replace(HIGH, pins={"response": 0.5, "resolution": 0.3, "satisfaction": 0.1})], "leave 10 percent over"),
        ([replace(HIGH, transition_days=-1)], "transition_days is negative"),
        ([replace(HIGH, transition_days=2.5)], "transition_days is negative or no whole number"),
        ([replace(HIGH, dates="2026-06-10")], "dates are no list of texts"),
        ([replace(HIGH, dates=(), months=(6.5,))], "numbered 1 to 12"),
        ([replace(HIGH, dates=(), hours="22:70-06:00")], "'22:70-06:00' are no hours"),
        ([replace(HIGH, dates=(), load=Load("offered", above=1.5))], "load is above 1.5 of 90 past days"),
        ([replace(HIGH, share=0.2)], "share is the hours' share"),
    ],
)
def test_a_situation_that_cannot_be_is_refused_before_anything_is_computed(situations, said):
    with pytest.raises(CatalogueError, match=said) as error:
        under(*situations)
    assert error.value.fix and error.value.where


shares = st.floats(0, 0.33)
spans = st.tuples(st.integers(0, 330), st.integers(0, 30))


@settings(max_examples=30)
@given(
    st.dictionaries(st.sampled_from(["response", "resolution", "csat"]), shares, min_size=1),
    st.dictionaries(st.sampled_from(["satisfaction", "quick"]), shares, min_size=1),
    spans,
    spans,
    st.integers(0, 20),
    st.integers(0, 20),
    st.permutations(range(5)),
)
def test_pins_hold_steps_are_bounded_weights_add_up_and_the_order_of_metrics_is_irrelevant(
    pins, others, span, other, ramp, further, order
):
    year = pd.date_range("2026-01-01", "2026-12-31")
    first, second = (tuple(year[[at, min(at + length, 364)]].date) for at, length in (span, other))
    dates = [f"{opens}..{closes}" for opens, closes in (first, second)]
    profile = under(
        Situation("a", pins, dates=(dates[0],), transition_days=ramp),
        Situation("b", others, dates=(dates[1],), transition_days=further, priority=1),
    )
    frame = daily(profile)
    np.testing.assert_allclose(frame.sum(axis=1), 1)
    assert (frame >= -1e-12).all(axis=None)
    families = daily(profile, column="family")
    for name, share in others.items():
        held = (families if name in families else frame)[name][str(second[0]) : str(second[1])]
        np.testing.assert_allclose(held, share, atol=1e-12)
    days_between = max((second[0] - first[1]).days, (first[0] - second[1]).days)
    if days_between > 0:
        steps = min(ramp, further, days_between - 1) + 1
        states = np.array([weights_in(profile, each) for each in ("", "a", "b")])
        widest = np.ptp(states, axis=0)
        assert (frame.diff().abs().max() <= 1.0001 * widest * (1 / steps) + 1e-9).all()
    turned = replace(profile, metrics=tuple(profile.metrics[i] for i in order))
    np.testing.assert_allclose(daily(turned)[frame.columns], frame, atol=1e-12)
