"""Which periods are whole: data that stop, begin late, or end in stragglers."""

from __future__ import annotations

from datetime import date, timedelta

from svcanalytics.metrics.completeness import covered_days, incomplete_periods
from svcanalytics.periods import periods_between


def flagged(counts: dict[date, int], start: date, end: date, every: str = "month") -> list[str]:
    days = sorted(counts)
    periods = periods_between(start, end, every)
    flags = incomplete_periods(periods, covered_days(days, [counts[day] for day in days]), None, None)
    return [period.key for period, flag in zip(periods, flags, strict=True) if flag]


def daily(first: date, last: date, volume: int, skip: tuple[int, ...] = ()) -> dict[date, int]:
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    return {day: volume for day in days if day.weekday() not in skip}


def test_data_that_stop_inside_a_month_leave_it_incomplete():
    counts = daily(date(2026, 1, 1), date(2026, 3, 20), 30)
    assert flagged(counts, date(2026, 1, 1), date(2026, 3, 31)) == ["2026-03"]


def test_data_that_begin_inside_a_month_leave_it_incomplete():
    counts = daily(date(2026, 1, 10), date(2026, 3, 31), 30)
    assert flagged(counts, date(2026, 1, 1), date(2026, 3, 31)) == ["2026-01"]


def test_a_closed_weekend_at_the_end_is_not_missing():
    # 31 May 2026 is a Sunday; the last working day is Friday the 29th.
    counts = daily(date(2026, 4, 1), date(2026, 5, 29), 30, skip=(5, 6))
    assert flagged(counts, date(2026, 4, 1), date(2026, 5, 31)) == []


def test_a_tail_of_stragglers_is_told_from_demand():
    counts = daily(date(2026, 1, 1), date(2026, 3, 31), 250)
    counts |= {date(2026, 4, 1) + timedelta(days=i): 1 + i % 3 for i in range(0, 240, 2)}
    found = flagged(counts, date(2026, 1, 1), date(2026, 11, 30))
    assert found == [f"2026-{month:02}" for month in range(4, 12)]
    assert flagged(counts, date(2026, 1, 1), date(2026, 12, 31), "quarter") == ["2026Q2", "2026Q3", "2026Q4"]


def test_growth_is_not_mistaken_for_stragglers():
    days = daily(date(2026, 1, 1), date(2026, 12, 31), 0)
    counts = {day: day.month * day.month for day in days}
    assert flagged(counts, date(2026, 1, 1), date(2026, 12, 31)) == []


def test_a_quiet_holiday_week_inside_the_data_flags_nothing():
    counts = daily(date(2026, 1, 1), date(2026, 4, 30), 200)
    for i in range(8):
        counts[date(2026, 2, 15) + timedelta(days=i)] = 2
    assert flagged(counts, date(2026, 1, 1), date(2026, 4, 30)) == []


def test_data_that_end_in_a_holiday_are_whole():
    counts = daily(date(2024, 11, 1), date(2025, 1, 31), 200)
    counts |= {date(2025, 1, 28) + timedelta(days=i): 3 for i in range(4)}
    assert flagged(counts, date(2024, 11, 1), date(2025, 1, 31)) == []


def test_few_rows_are_judged_by_their_last_day_only():
    counts = {date(2026, month, 12): 1 for month in range(1, 7)}
    assert flagged(counts, date(2026, 1, 1), date(2026, 6, 30)) == []


def test_years_with_a_row_a_month_do_not_excuse_a_missing_week():
    sparse = {date(2010, 1, 5) + timedelta(days=30 * n): 1 for n in range(26)}
    dense = daily(date(2012, 4, 1), date(2012, 5, 6), 300)
    assert flagged(sparse | dense, date(2012, 4, 1), date(2012, 5, 31)) == ["2012-05"]
