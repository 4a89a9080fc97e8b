"""Calendars against a minute-by-minute walk, and against what was published."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import PeriodError
from svcanalytics.periods import calendars, day_classes, last_announced_year, parse_duration

DEFINITIONS = {
    "office": {"hours": {"mon-fri": ["09:00-12:00", "13:00-18:00"]}, "holidays": "CN", "timezone": "Asia/Shanghai"},
    "desk": {"hours": {"mon-sun": ["08:00-21:00"]}, "timezone": "Europe/Berlin"},
    "nights": {
        "hours": {"fri": ["22:00-24:00"], "sat": ["00:00-06:00"], "sun": ["00:30-03:30"]},
        "timezone": "Europe/Berlin",
    },
    "working_days": {"hours": {"mon-fri": ["00:00-24:00"]}, "holidays": "CN", "timezone": "Asia/Shanghai"},
    "own": {
        "hours": {"mon-fri": ["09:00-17:00"]},
        "closed": ["2026-03-04"],
        "opened": [date(2026, 3, 7)],
        "make_up": "fri",
        "timezone": "America/New_York",
    },
}
CALENDARS = calendars(DEFINITIONS)
# Spring Festival and a make-up day; both changes of summer time in Europe; New York's; the turn of a year.
SPANS = [datetime(2026, 2, 12, tzinfo=UTC), datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 3, 27, tzinfo=UTC)]
SPANS += [datetime(2025, 10, 24, tzinfo=UTC), datetime(2025, 12, 30, tzinfo=UTC)]

names = st.sampled_from(["round_the_clock", *DEFINITIONS])
moments = st.builds(
    lambda base, minutes: base + timedelta(minutes=minutes), st.sampled_from(SPANS), st.integers(0, 6000)
)


def is_open(name: str, moment: datetime) -> bool:
    """Second derivation: look at the wall clock, nothing else."""
    if name == "round_the_clock":
        return True
    raw = DEFINITIONS[name]
    wall = moment.astimezone(ZoneInfo(raw["timezone"]))
    day, weekday = wall.date(), wall.weekday()
    if raw.get("holidays"):
        # Published by the State Council for 2025 and 2026, typed in by hand.
        off = {date(2026, 1, 1), date(2026, 1, 2), date(2026, 4, 6)} | {
            date(2026, 2, d) for d in (16, 17, 18, 19, 20, 23)
        }
        if day in off:
            return False
        if day in {date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28)}:
            weekday = 0
    if day == date(2026, 3, 4) and name == "own":
        return False
    if day == date(2026, 3, 7) and name == "own":
        weekday = 4
    short = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    for key, spans in raw["hours"].items():
        first, _, last = key.partition("-")
        if not short.index(first) <= weekday <= short.index(last or first):
            continue
        for span in spans:
            opens, closes = (int(part[:2]) * 60 + int(part[3:]) for part in span.split("-"))
            if opens <= wall.hour * 60 + wall.minute < closes:
                return True
    return False


def naive(moment: datetime) -> np.ndarray:
    return np.array([moment.replace(tzinfo=None)], dtype="datetime64[us]")


@settings(deadline=None, max_examples=150)
@given(names, moments, st.integers(0, 5000))
def test_elapsed_time_is_the_number_of_open_minutes_walked_through(name, start, minutes):
    stop = start + timedelta(minutes=minutes)
    walked = sum(60 for i in range(minutes) if is_open(name, start + timedelta(minutes=i)))
    assert CALENDARS[name].elapsed_s(naive(start), naive(stop))[0] == walked


@settings(deadline=None, max_examples=150)
@given(names, moments, st.integers(1, 3000))
def test_due_is_the_first_instant_at_which_the_limit_has_elapsed(name, start, limit_min):
    calendar = CALENDARS[name]
    due = calendar.due(naive(start), limit_min * 60)
    assert calendar.elapsed_s(naive(start), due)[0] == limit_min * 60
    assert calendar.elapsed_s(naive(start), due - np.timedelta64(1, "us"))[0] == limit_min * 60 - 1
    assert due[0] >= naive(start)[0]


@settings(deadline=None, max_examples=100)
@given(names, st.lists(moments, min_size=2, max_size=8), st.integers(0, 900_000))
def test_due_and_elapsed_never_go_backwards(name, starts, limit_s):
    calendar, ordered = CALENDARS[name], sorted(starts)
    array = np.array([moment.replace(tzinfo=None) for moment in ordered], dtype="datetime64[us]")
    assert (np.diff(calendar.due(array, limit_s).astype(np.int64)) >= 0).all()
    assert (np.diff(calendar.elapsed_s(array[:1], array)) >= 0).all()
    assert (np.diff(calendar.due(array, working_days=2).astype(np.int64)) >= 0).all()


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(["office", "working_days", "own"]), moments, st.integers(1, 15))
def test_a_limit_in_working_days_ends_with_the_nth_working_day_after_the_day_of_the_start(name, start, n):
    calendar, zone = CALENDARS[name], ZoneInfo(DEFINITIONS[name]["timezone"])
    day, left = start.astimezone(zone).date(), n
    while left:
        day += timedelta(days=1)
        left -= any(is_open(name, datetime(day.year, day.month, day.day, hour, tzinfo=zone)) for hour in range(24))
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(days=1)
    due = calendar.due(naive(start), working_days=n)
    assert due[0] == naive(midnight.astimezone(UTC))[0] - np.timedelta64(1, "us")
    assert calendar.elapsed_days(naive(start), due)[0] == n


def test_a_working_day_limit_over_a_holiday_counts_working_days_not_spans_of_24_hours():
    # Wednesday 30 September 2026, 17:00; National Day until the 7th, Saturday the 10th is worked instead.
    start = np.array(["2026-09-30T09:00"], dtype="datetime64[us]")
    due = CALENDARS["working_days"].due(start, working_days=3)
    assert due[0] == np.datetime64("2026-10-10T15:59:59.999999")


def test_summer_time_neither_adds_nor_loses_an_hour():
    desk = CALENDARS["desk"]
    # 25 hours round the clock, 13 open hours on the calendar: the last Sunday of October 2025.
    start, stop = (np.array([t], dtype="datetime64[us]") for t in ("2025-10-25T22:00", "2025-10-26T23:00"))
    assert desk.elapsed_s(start, stop)[0] == 13 * 3600
    assert CALENDARS["round_the_clock"].elapsed_s(start, stop)[0] == 25 * 3600


def test_a_grid_that_grows_keeps_its_readings():
    calendar = calendars(DEFINITIONS)["office"]
    early, late = (
        np.array([t], dtype="datetime64[us]").astype(np.int64) for t in ("2026-03-02T04:00", "2009-03-02T04:00")
    )
    before = calendar.open_us(early)[0]
    calendar.open_us(late)
    assert calendar.open_us(early)[0] == before


def test_missing_times_stay_missing():
    calendar, gap = CALENDARS["office"], np.array(["NaT", "2026-03-02"], dtype="datetime64[us]")
    assert np.isnat(calendar.due(gap, 60)).tolist() == [True, False]
    assert calendar.elapsed_s(gap, gap[::-1]).tolist() == [-1, -1]


def test_months_end_on_the_last_day_of_a_shorter_month_at_the_same_local_time():
    start = np.array(["2026-01-30T16:30"], dtype="datetime64[us]")  # 31 January 00:30 in Shanghai
    due = CALENDARS["office"].due(start, months=1)
    assert due[0] == np.datetime64("2026-02-27T16:30")


# The State Council's notices for 2025 and 2026.
MAKE_UP = ["2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11"]
MAKE_UP += ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]


def test_make_up_working_days_are_those_published():
    frame = day_classes(date(2025, 1, 1), date(2027, 1, 1), "CN")
    found = frame.loc[frame["day_class"] == "make_up", "day"].dt.strftime("%Y-%m-%d").tolist()
    assert found == MAKE_UP
    assert all(CALENDARS["office"].works(date.fromisoformat(day)) for day in MAKE_UP)


def test_every_day_has_the_class_of_its_place_around_national_day():
    frame = day_classes(date(2026, 9, 29), date(2026, 10, 13), "CN").set_index("day")["day_class"]
    before, block = ["ordinary", "eve"], ["holiday"] * 3 + ["weekend"] + ["substituted"] * 3
    assert frame.tolist() == [*before, *block, "ordinary", "ordinary", "make_up", "weekend", "ordinary"]


def test_a_single_working_day_between_a_holiday_and_a_weekend_is_a_bridge():
    # Ascension Day 2026 is Thursday 14 May: the Friday after it bridges to the weekend.
    frame = day_classes(date(2026, 5, 13), date(2026, 5, 17), "DE")["day_class"].tolist()
    assert frame == ["eve", "holiday", "bridge", "weekend"]


def test_a_year_not_yet_announced_is_provisional_unless_the_organisation_vouches_for_it():
    year = last_announced_year("CN") + 1
    frame = day_classes(date(year, 3, 1), date(year, 3, 3), "CN")
    assert frame["provisional"].all()
    assert not day_classes(date(2026, 3, 1), date(2026, 3, 3), "CN")["provisional"].any()
    assert CALENDARS["office"].is_provisional(year)
    vouched = calendars({"office": {**DEFINITIONS["office"], "announced": [year]}})["office"]
    assert not vouched.is_provisional(year)


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        ({"hours": {"mon-fry": ["09:00-18:00"]}}, "not a weekday"),
        ({"hours": {"mon": ["18:00-09:00"]}}, "not opening hours"),
        ({"hours": {}}, "never open"),
        ({"hour": {}}, "unknown key"),
        ({"hours": {"mon": ["09:00-18:00"]}, "timezone": "Mars/Olympus"}, "no time zone"),
        ({"hours": {"mon": ["09:00-18:00"]}, "closed": ["soon"]}, "not a day"),
    ],
)
def test_a_bad_calendar_is_refused_with_its_place_and_a_remedy(raw, what):
    with pytest.raises(PeriodError, match=what) as caught:
        calendars({"desk": raw}, where="calendars.toml")
    assert "calendars.toml [desk]" in caught.value.where and caught.value.fix


@pytest.mark.parametrize(("text", "seconds"), [("30 s", 30), ("15min", 900), ("2 h 30 min", 9000), ("7 days", 604800)])
def test_durations_read_as_written(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "2 hours and a bit", "-5 min", "3 minutes"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(PeriodError):
        parse_duration(text)
