"""Periods: written forms, own months, and that they tile time."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.errors import PeriodError
from svcanalytics.periods import KINDS, parse_period, period_keys, period_of, periods_between, year_to_date

days = st.dates(date(1990, 1, 1), date(2060, 12, 31))
kinds = st.sampled_from(KINDS)
month_starts = st.integers(1, 28)


@given(days, kinds, month_starts)
def test_a_period_holds_its_day_and_reads_back_from_its_key(day, kind, month_start):
    period = period_of(day, kind, month_start)
    assert period.start <= day < period.end
    assert parse_period(period.key, month_start) == period


@given(days, kinds, month_starts, st.integers(-30, 30))
def test_periods_tile_time_without_gap_or_overlap(day, kind, month_start, n):
    period = period_of(day, kind, month_start)
    assert period.next().start == period.end
    assert period.next(n).previous(n) == period
    assert period.next(n) == period_of(period.next(n).start, kind, month_start)


@given(days, month_starts)
def test_longer_periods_are_made_of_whole_months(day, month_start):
    for kind, months in (("quarter", 3), ("half_year", 6), ("year", 12)):
        period = period_of(day, kind, month_start)
        parts = periods_between(period.start, period.last, "month", month_start)
        assert len(parts) == months
        assert (parts[0].start, parts[-1].end) == (period.start, period.end)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2026-10-31", date(2026, 10, 31), date(2026, 11, 1)),
        ("2026-W44", date(2026, 10, 26), date(2026, 11, 2)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 4)),
        ("2026-10", date(2026, 10, 1), date(2026, 11, 1)),
        ("2026Q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026H2", date(2026, 7, 1), date(2027, 1, 1)),
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
    ],
)
def test_written_periods_mean_these_days(text, start, end):
    assert (parse_period(text).start, parse_period(text).end) == (start, end)


def test_an_assessment_month_runs_from_the_26th_to_the_25th_and_is_named_after_the_month_it_ends_in():
    october = parse_period("2026-10", 26)
    assert (october.start, october.last) == (date(2026, 9, 26), date(2026, 10, 25))
    assert (parse_period("2026Q1", 26).start, parse_period("2026", 26).last) == (date(2025, 12, 26), date(2026, 12, 25))
    assert october.span("zh") == "2026年9月26日至10月25日"
    assert year_to_date(october) == (date(2025, 12, 26), date(2026, 10, 26))


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("2026-10-31", "2026年10月31日", "31 October 2026"),
        ("2026-W44", "2026年第44周", "week 44 of 2026"),
        ("2026-10", "2026年10月", "October 2026"),
        ("2026Q3", "2026年三季度", "Q3 2026"),
        ("2026H1", "2026年上半年", "first half of 2026"),
        ("2026H2", "2026年下半年", "second half of 2026"),
        ("2026", "2026年", "2026"),
    ],
)
@pytest.mark.parametrize("month_start", [1, 26])
def test_labels_read_naturally_in_both_languages(text, zh, en, month_start):
    period = parse_period(text, month_start)
    assert (period.label("zh"), period.label("en")) == (zh, en)


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-W54", "2025-W53", "2026Q5", "2026-02-30", "26-10", "", "2026H3", "next"]
)
def test_what_is_no_period_is_refused_with_a_remedy(text):
    with pytest.raises(PeriodError, match="2026Q4"):
        parse_period(text)


def test_the_same_period_last_year_keeps_week_numbers_and_survives_leap_days():
    assert parse_period("2026-W44").same_last_year().key == "2025-W44"
    assert parse_period("2026-W53").same_last_year().key == "2025-W52"
    assert parse_period("2028-02-29").same_last_year().key == "2027-02-28"
    assert parse_period("2026Q3").same_last_year().key == "2025Q3"


def test_a_month_start_that_some_months_lack_is_refused():
    with pytest.raises(PeriodError, match="1 to 28"):
        period_of(date(2026, 1, 1), "month", 30)


def test_keys_of_many_days_agree_with_one_at_a_time():
    first = date(2025, 12, 1)
    listed = [first + timedelta(days=i) for i in range(400)]
    for kind in KINDS:
        found = period_keys(np.array(listed, dtype="datetime64[D]"), kind, 26)
        assert list(found) == [period_of(day, kind, 26).key for day in listed]
    assert period_keys(np.array(["NaT"], dtype="datetime64[D]"), "month")[0] is None
