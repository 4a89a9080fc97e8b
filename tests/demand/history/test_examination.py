"""What the doctor finds in a history, and that it leaves sound ones alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.demand import Arrivals
from svcanalytics.demand.history.examination import faulty_days

SLOTS = 28
COURSE = 40 + 60 * np.sin(np.linspace(0.3, 2.9, SLOTS)) ** 2 + 15 * np.cos(np.linspace(0, 9, SLOTS))
WEEK = np.array([1.3, 1.1, 1.0, 0.95, 1.05, 0.5, 0.0])


def history(weeks: int = 40, seed: int = 0, busy: float = 1.0, dispersed: float = 0.05) -> pd.DataFrame:
    """Return half hours from 07:00 with the days' busyness a gamma factor of CV `dispersed`."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2025-01-06", periods=7 * weeks)
    days = days[WEEK[days.day_of_week] > 0]
    factor = rng.gamma(1 / dispersed**2, dispersed**2, len(days)) * WEEK[days.day_of_week] * busy
    counts = rng.poisson(factor[:, None] * COURSE)
    starts = days.to_numpy()[:, None] + (np.arange(SLOTS) * 30 + 7 * 60).astype("timedelta64[m]")
    return pd.DataFrame({"start": starts.ravel(), "arrivals": counts.ravel()})


def found(frame: pd.DataFrame, **options) -> pd.DataFrame:
    return Arrivals(frame, holidays="", **options).report[["start", "what", "done"]]


def day(frame: pd.DataFrame, text: str) -> np.ndarray:
    return np.flatnonzero(frame["start"].dt.strftime("%Y-%m-%d") == text)


def test_sound_histories_raise_no_alarm_or_hardly_any():
    reports = [found(history(seed=seed, busy=busy)) for seed in range(12) for busy in (0.02, 0.3, 1.0)]
    days = 36 * 40 * 6
    assert sum(map(len, reports)) <= days * 0.001
    assert not any(report["what"].isin(["copied day", "slipped clock", "capped counts"]).any() for report in reports)


def test_a_copied_day_is_found_where_it_stands_and_not_learned_from():
    frame = history()
    frame.loc[day(frame, "2025-05-14"), "arrivals"] = frame.loc[day(frame, "2025-05-07"), "arrivals"].to_numpy()
    arrivals = Arrivals(frame, holidays="")
    features = arrivals.matrices[""].features
    assert features.index[features["excluded"]].strftime("%m-%d").tolist() == ["05-14"]
    report = arrivals.report
    assert report.loc[report["what"] == "copied day", "done"].tolist() == ["excluded from learning"]
    kept = Arrivals(frame, holidays="", repair=False)
    assert not kept.matrices[""].features["excluded"].any()
    assert kept.report.loc[kept.report["what"] == "copied day", "done"].tolist() == ["kept as it is"]


def test_quiet_days_that_agree_by_chance_are_no_copies():
    quiet = history(busy=0.01)
    assert quiet["arrivals"].mean() < 1
    assert not (found(quiet)["what"] == "copied day").any()


def test_a_copied_stretch_of_daily_totals_is_found():
    rng = np.random.default_rng(1)
    total = rng.poisson(3000, 120)
    total[70:77] = total[63:70]
    frame = pd.DataFrame({"start": pd.date_range("2025-01-01", periods=120), "arrivals": total})
    report = found(frame, slot="day")
    copied = report[report["what"] == "copied day"]
    assert copied["start"].tolist() == [pd.Timestamp("2025-01-01") + pd.Timedelta(days=70)]


@pytest.mark.parametrize("slots", [2, -2, 1, 4])
def test_a_clock_that_slips_for_three_days_is_found_on_those_days(slots):
    frame = history(seed=3)
    slipped = ["2025-06-10", "2025-06-11", "2025-06-12"]
    for text in slipped:
        frame.loc[day(frame, text), "start"] += pd.Timedelta(minutes=30 * slots)
    features = Arrivals(frame, holidays="").matrices[""].features
    assert features.index[features["excluded"]].strftime("%Y-%m-%d").tolist() == slipped


def test_a_course_that_moves_for_good_is_taken_for_the_usual_one_after_a_week():
    frame = history(seed=4)
    frame.loc[frame["start"] >= "2025-06-02", "start"] += pd.Timedelta(hours=1)
    excluded = Arrivals(frame, holidays="").matrices[""].features["excluded"]
    assert 1 <= excluded.sum() <= 5 and excluded[excluded].index[0] == pd.Timestamp("2025-06-02")


def test_whether_a_day_is_faulty_depends_on_it_and_the_days_before_alone():
    matrix = Arrivals(history(seed=5), holidays="").matrices[""]
    counts = np.pad(matrix.counts, ((0, 0), (3, 3)))
    counts[100] = counts[93]
    counts[120] = np.roll(counts[120], 3)
    whole = faulty_days(counts, 1800)
    assert whole[100] and whole[120]
    for stop in (60, 101, 119, 121, 200):
        np.testing.assert_array_equal(faulty_days(counts[:stop], 1800), whole[:stop])


def test_dates_made_up_over_a_closed_up_gap_slip_the_weekdays():
    frame = history(seed=6)
    late = frame["start"] >= "2025-07-02"
    frame.loc[late, "start"] -= pd.Timedelta(days=1)  # the file of a queue whose Tuesday of 1 July fell out
    frame = frame[(frame["start"].dt.normalize() != "2025-07-01") | late]
    report = found(frame)
    slip = report[report["what"] == "slipped weekdays"]
    assert len(slip) == 1 and abs(slip["start"].iloc[0] - pd.Timestamp("2025-06-30")) <= pd.Timedelta(days=8)


def test_counts_capped_at_the_number_of_lines_are_found():
    frame = history(seed=7)
    rows = day(frame, "2025-04-09")
    frame.loc[rows, "arrivals"] = frame.loc[rows, "arrivals"].clip(upper=70)
    report = found(frame)
    assert report.loc[report["what"] == "capped counts", "start"].tolist() == [pd.Timestamp("2025-04-09")]


def test_a_day_and_a_slot_far_off_are_found_and_kept():
    frame = history(seed=8)
    rows = day(frame, "2025-04-09")
    frame.loc[rows, "arrivals"] *= 2
    frame.loc[day(frame, "2025-07-09")[10], "arrivals"] *= 10
    report = found(frame)
    assert report.loc[report["what"] == "day far off", "start"].tolist() == [pd.Timestamp("2025-04-09")]
    assert report.loc[report["what"] == "slot far off", "start"].tolist() == [pd.Timestamp("2025-07-09")]
    assert report["done"].str.startswith("kept").all()


@pytest.mark.parametrize("factor", [1.5, 0.6])
def test_a_shift_of_level_is_found_within_a_week_and_a_steady_growth_is_none(factor):
    frame = history(weeks=52, seed=9)
    late = frame["start"] >= "2025-07-07"
    frame.loc[late, "arrivals"] = (frame.loc[late, "arrivals"] * factor).round().astype(int)
    shift = found(frame).query("what == 'shift of level'")
    assert len(shift) == 1 and abs(shift["start"].iloc[0] - pd.Timestamp("2025-07-07")) <= pd.Timedelta(days=7)
    grown = history(weeks=52, seed=9)
    years = (grown["start"] - grown["start"].iloc[0]).dt.days / 365
    grown["arrivals"] = (grown["arrivals"] * 1.5**years).round().astype(int)
    assert not (found(grown)["what"] == "shift of level").any()
