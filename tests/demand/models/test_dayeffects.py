"""What moves a day's volume: the groups of effects, and what a model learns with them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.demand import Arrivals, describe_days
from svcanalytics.demand.models.dayeffects import day_groups
from svcanalytics.demand.models.dayregression import DayRegression


def by_name(groups) -> dict:
    return {group.name: group for group in groups}


def forecast_of(frame: pd.DataFrame, ahead: int = 14, **known) -> tuple[np.ndarray, np.ndarray]:
    """Forecast the last days of a frame of days from those before; return mean and actual."""
    arrivals = Arrivals(frame, slot="day", timezone="UTC", **known)
    matrix = next(iter(arrivals.matrices.values()))
    cut = len(matrix.days) - ahead
    mean = DayRegression().fit(matrix.rows(0, cut)).mean(matrix.rows(cut, len(matrix.days)))
    return mean[:, 0], matrix.counts[cut:, 0]


def test_days_after_an_unusual_closure_are_marked_and_those_after_a_weekend_are_not():
    days = pd.date_range("2026-03-02", periods=42)
    opened = np.asarray(days.day_of_week) < 5
    opened[16] = False  # a Wednesday
    groups = by_name(day_groups(days, describe_days(days, ""), opened, 42))
    after = pd.DataFrame(groups["after_closure"].root, index=days[opened])
    assert list(after.index[after.any(axis=1)]) == list(days[[17, 18, 21]])
    before = pd.DataFrame(groups["before_closure"].root, index=days[opened])
    assert list(before.index[before.any(axis=1)]) == list(days[[14, 15]])


def test_without_unusual_closures_there_is_no_such_effect():
    days = pd.date_range("2026-03-02", periods=42)
    opened = np.asarray(days.day_of_week) < 5
    assert "after_closure" not in by_name(day_groups(days, describe_days(days, ""), opened, 42))


def test_a_season_of_the_year_waits_for_more_than_a_year_of_history():
    for length, known in ((300, False), (700, True)):
        days = pd.date_range("2024-01-01", periods=length)
        groups = by_name(day_groups(days, describe_days(days, ""), np.ones(length, bool), length))
        assert ("season" in groups) is known


def test_regressors_are_scaled_by_what_was_known_then():
    days = pd.date_range("2026-01-01", periods=60)
    features = describe_days(days, "").assign(x_bookings=np.linspace(10, 70, 60))
    later = features.assign(x_bookings=np.r_[features["x_bookings"].to_numpy()[:50], np.full(10, 5000.0)])
    roots = [by_name(day_groups(days, f, np.ones(60, bool), 50))["regressors"].root[:50] for f in (features, later)]
    assert np.array_equal(*roots)


def test_an_unknown_regressor_has_no_effect():
    days = pd.date_range("2026-01-01", periods=60)
    values = np.r_[np.linspace(10, 70, 50), np.full(10, np.nan)]
    group = by_name(day_groups(days, describe_days(days, "").assign(x_bookings=values), np.ones(60, bool), 50))
    assert (group["regressors"].root[50:] == 0).all()


def test_twice_the_bookings_are_learned_to_bring_twice_the_calls():
    rng = np.random.default_rng(0)
    days = pd.date_range("2025-01-01", periods=300)
    bookings = np.exp(7 + 0.5 * rng.standard_normal(300))
    bookings[-14:] *= np.linspace(0.5, 2, 14)
    frame = pd.DataFrame({"start": days, "arrivals": rng.poisson(0.8 * bookings)})
    known = pd.DataFrame({"day": days, "bookings": bookings})
    mean, actual = forecast_of(frame, holidays="", regressors=known)
    assert np.abs(mean - actual).sum() / actual.sum() < 0.08
    blind, _ = forecast_of(frame, holidays="")
    assert np.abs(mean - actual).sum() < 0.3 * np.abs(blind - actual).sum()


def test_a_festival_is_learned_from_the_years_before_whenever_the_moon_puts_it():
    days = pd.date_range("2022-06-01", "2026-02-28")
    window = describe_days(days, "CN")
    eve = ((window["window"] == "spring_festival") & window["window_offset"].isin([-4, -3])).to_numpy()
    rng = np.random.default_rng(1)
    weekend = np.asarray(days.day_of_week) >= 5
    frame = pd.DataFrame({"start": days, "arrivals": rng.poisson(np.where(eve, 1800, np.where(weekend, 800, 1000)))})
    ahead = int((days >= "2026-02-05").sum())
    mean, actual = forecast_of(frame, ahead, holidays="CN")
    at = eve[-ahead:]
    assert at.sum() == 2
    assert mean[at] == pytest.approx(actual[at], rel=0.2)


def test_a_level_that_shifts_is_followed_within_two_weeks():
    rng = np.random.default_rng(2)
    days = pd.date_range("2026-01-01", periods=180)
    rate = np.where(np.arange(180) < 150, 1000.0, 600.0) * rng.gamma(400, 1 / 400, 180)
    frame = pd.DataFrame({"start": days, "arrivals": rng.poisson(rate)})
    mean, actual = forecast_of(frame, holidays="")
    assert mean.mean() == pytest.approx(actual.mean(), rel=0.07)


def test_a_single_strange_day_moves_little():
    rng = np.random.default_rng(3)
    days = pd.date_range("2026-01-01", periods=120)
    counts = rng.poisson(500, 120)
    frame = pd.DataFrame({"start": days, "arrivals": counts})
    strange = frame.assign(arrivals=np.where(np.arange(120) == 100, 2500, counts))
    plain, _ = forecast_of(frame, holidays="")
    odd, _ = forecast_of(strange, holidays="")
    # Five times the usual: the average of eight such weekdays would rise by half.
    assert np.abs(odd / plain - 1).max() < 0.1


def test_a_campaign_seen_before_is_expected_to_do_the_same_again():
    rng = np.random.default_rng(4)
    days = pd.date_range("2026-01-01", periods=150)
    campaign = np.isin(np.arange(150) // 5, [6, 14, 20, 28])
    frame = pd.DataFrame({"start": days, "arrivals": rng.poisson(np.where(campaign, 780, 600))})
    starts = [days[5 * week] for week in (6, 14, 20, 28)]
    events = [{"name": "campaign", "start": day, "end": day + pd.Timedelta(days=4)} for day in starts]
    mean, actual = forecast_of(frame, 12, holidays="", events=events)
    assert campaign[-12:].sum() == 5
    assert mean[campaign[-12:]] == pytest.approx(actual[campaign[-12:]], rel=0.12)
