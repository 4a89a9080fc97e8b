"""What is known of each day beforehand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from svcanalytics.demand import describe_days
from svcanalytics.errors import DemandError
from svcanalytics.periods import last_announced_year


def span(first: str, last: str) -> pd.DatetimeIndex:
    return pd.date_range(first, last, unit="s")


# First days of the festivals, from the State Council's notices.
SPRING = {2019: "02-05", 2020: "01-25", 2021: "02-12", 2022: "02-01", 2023: "01-22", 2024: "02-10", 2025: "01-29"}
SPRING |= {2026: "02-17", 2027: "02-06", 2028: "01-26"}
MID_AUTUMN = {2021: "09-21", 2022: "09-10", 2024: "09-17", 2026: "09-25", 2027: "09-15"}


def test_spring_festival_lies_at_offset_0_in_every_year_though_its_date_moves():
    frame = describe_days(span("2019-01-01", "2028-12-31"))
    zero = frame.index[(frame["window"] == "spring_festival") & (frame["window_offset"] == 0)]
    assert zero.strftime("%Y-%m-%d").tolist() == [f"{year}-{day}" for year, day in SPRING.items()]
    autumn = frame.index[(frame["window"] == "mid_autumn") & (frame["window_offset"] == 0)]
    assert {f"{year}-{day}" for year, day in MID_AUTUMN.items()} <= set(autumn.strftime("%Y-%m-%d"))
    # In 2025 it fell into the National Day week, which keeps its own count.
    assert frame.loc["2025-10-06", ["window", "window_offset"]].tolist() == ["national_day", 5]


def test_days_around_national_day_2025_have_their_classes_and_names():
    frame = describe_days(span("2025-09-27", "2025-10-12"))
    classes = ["weekend", "make_up", "ordinary", "eve", *["holiday"] * 3, *["weekend"] * 2, "holiday"]
    classes += ["substituted"] * 2 + ["day_after", "ordinary", "make_up", "weekend"]
    assert frame["day_class"].tolist() == classes
    # A day off that stands in for another has the name of a holiday, as next year's has.
    assert set(frame.loc["2025-10-07":"2025-10-08", "holiday"]) <= {"National Day", "Mid-Autumn Festival"}


def test_working_days_of_the_month_are_counted_from_both_ends():
    frame = describe_days(span("2026-02-01", "2026-02-28"))
    working = frame["working"]
    assert frame["work_day"].tolist() == working.cumsum().tolist()
    assert frame["work_days_left"].tolist() == (working.sum() - working.cumsum()).tolist()
    assert frame["from_month_end"].iloc[[0, -1]].tolist() == [27, 0]
    # A span that begins within the month counts alike.
    part = describe_days(span("2026-02-16", "2026-02-20"))
    pd.testing.assert_frame_equal(part, frame.loc[part.index], check_freq=False)


def test_a_pay_day_on_a_day_off_comes_on_the_working_day_before_and_a_billing_day_stays():
    frame = describe_days(span("2026-02-01", "2026-05-31"), pay_days=[15, -1], billing_days=[1, 31])
    # 15 February 2026 follows a Saturday that is worked; 28 February is worked; 31 May is a Sunday.
    paid = frame.index[frame["pay_day"]].strftime("%m-%d").tolist()
    assert paid == ["02-14", "02-28", "03-13", "03-31", "04-15", "04-30", "05-15", "05-29"]
    billed = frame.index[frame["billing_day"]].strftime("%m-%d").tolist()
    assert billed == ["02-01", "02-28", "03-01", "03-31", "04-01", "04-30", "05-01", "05-31"]


def test_a_year_not_announced_is_provisional_until_a_scenario_gives_it():
    year = (last_announced_year("CN") or 0) + 1
    days = span(f"{year}-01-01", f"{year}-12-31")
    assert describe_days(days)["provisional"].all()
    given = describe_days(days, {"country": "CN", year: {"days_off": [f"{year}-10-01 to {year}-10-07"]}})
    assert not given["provisional"].any()
    assert not describe_days(days, "US")["provisional"].any()


def test_events_are_learned_excluded_or_close_the_queue_by_their_effect():
    events = [
        {"name": "Spring sale", "start": "2026-03-02", "end": "2026-03-04", "effect": "campaign"},
        {"name": "Spring sale", "start": "2026-03-20", "effect": "campaign"},
        {"name": "Line cut", "start": "2026-03-06", "effect": "outage"},
        {"name": "Easter", "start": "2026-03-10", "end": "2026-03-12", "effect": "school_break"},
        {"name": "Move", "start": "2026-03-16", "effect": "closed"},
        {"name": "Release", "start": "2026-03-17", "effect": "release", "queue": "app"},
    ]
    days = span("2026-03-01", "2026-03-31")
    frame = describe_days(days, "", events)
    sale = frame.index[frame["event_spring_sale"] == 1].day
    assert sale.tolist() == [2, 3, 4, 20]
    assert frame.index[frame["excluded"]].day.tolist() == [6]
    assert frame.index[frame["school_break"]].day.tolist() == [10, 11, 12]
    assert frame.loc["2026-03-16", "announced"] == "closed"
    assert frame["event_release"].sum() == 0
    assert describe_days(days, "", events, queue="app")["event_release"].sum() == 1


@pytest.mark.parametrize(
    ("event", "what"),
    [
        ({"name": "x", "start": "2026-02-30"}, "is no day"),
        ({"name": "x", "start": "2026-03-02", "end": "2026-03-01"}, "ends before it starts"),
        ({"name": "x", "start": "2026-03-02", "effect": "magic"}, "no effect 'magic'"),
        ({"name": "x", "begin": "2026-03-02"}, "no column 'begin'"),
        ({"start": "2026-03-02"}, "no column 'name'"),
    ],
)
def test_a_wrong_event_is_refused(event, what):
    with pytest.raises(DemandError, match=what):
        describe_days(span("2026-03-01", "2026-03-31"), "", [event])


def test_regressors_come_by_day_and_are_missing_where_nobody_knows_them():
    given = pd.DataFrame({"day": ["2026-03-03", "2026-03-02"], "rain": [1.5, 0.0], "mail": [0, 7]})
    frame = describe_days(span("2026-03-01", "2026-03-03"), "", regressors=given)
    np.testing.assert_array_equal(frame["x_rain"], [np.nan, 0.0, 1.5])
    np.testing.assert_array_equal(frame["x_mail"], [np.nan, 7, 0])


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"day": ["2026-03-03", "2026-03-03"], "x": [1, 2]}, "more than one row"),
        ({"day": ["2026-03-03"], "x": ["wet"]}, "not a number"),
        ({"when": ["2026-03-03"], "x": [1]}, "no column 'day'"),
    ],
)
def test_wrong_regressors_are_refused(given, what):
    with pytest.raises(DemandError, match=what):
        describe_days(span("2026-03-01", "2026-03-03"), "", regressors=pd.DataFrame(given))


def test_other_countries_have_windows_of_their_own():
    frame = describe_days(span("2025-11-20", "2026-01-05"), "US")
    assert frame.loc["2025-11-27", ["window", "window_offset"]].tolist() == ["thanksgiving", 0]
    assert frame.loc["2025-12-24", ["window", "window_offset", "day_class"]].tolist() == ["christmas", -1, "eve"]


def test_days_must_ascend():
    with pytest.raises(DemandError, match="ascending"):
        describe_days(pd.DatetimeIndex(["2026-03-02", "2026-03-01"]))


def test_the_same_days_are_described_alike_whatever_lies_around_them():
    wide = describe_days(span("2024-06-01", "2026-06-30"), "CN", pay_days=[10])
    for first in (date(2025, 1, 20), date(2025, 10, 3), date(2026, 2, 20)):
        part = describe_days(span(str(first), str(first.replace(day=28))), "CN", pay_days=[10])
        pd.testing.assert_frame_equal(part, wide.loc[part.index], check_freq=False)
