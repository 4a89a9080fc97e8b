"""Handle times and shrinkage, forecast with their intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import demand
from svcanalytics.errors import DemandError


def contacts_of(days=120, seed=2, slope=0.0, monday=1.3, day_cv=0.05):
    rng = np.random.default_rng(seed)
    parts = []
    for at, day in enumerate(pd.bdate_range("2026-01-05", periods=days)):
        mean = 300 * (1 + slope * at / days) * (monday if day.day_of_week == 0 else 1) * rng.normal(1, day_cv)
        starts = day + pd.to_timedelta(rng.integers(9 * 60, 17 * 60, 40), unit="min")
        parts.append(pd.DataFrame({"queue": "q", "start": starts, "handle_s": rng.gamma(2, mean / 2, 40)}))
    return pd.concat(parts, ignore_index=True)


def test_without_discount_the_level_is_the_plain_mean():
    contacts = contacts_of()
    level = demand.handle_times(contacts, half_life=1e9).attrs["levels"].iloc[0]
    assert level["mean_s"] == pytest.approx(contacts["handle_s"].mean(), rel=1e-6)
    means = contacts.groupby(contacts["start"].dt.normalize())["handle_s"].mean()  # as many contacts every day
    assert level["day_sd_s"] == pytest.approx(means.std(), rel=1e-6)
    assert (level["upper"] - level["lower"]) / 2 == pytest.approx(1.98 * means.std() / np.sqrt(120), rel=0.01)


def test_weekdays_that_differ_keep_their_difference_and_chance_is_drawn_in():
    found = demand.handle_times(contacts_of(), half_life=1e9)
    by_day = found.groupby("weekday")["mean_s"].mean()
    assert by_day[0] / by_day[1:].mean() == pytest.approx(1.3, abs=0.06)
    raw = contacts_of().groupby(contacts_of()["start"].dt.hour)["handle_s"].mean()  # hours do not differ in truth
    hours = found[found["weekday"] == 2].set_index("hour")["mean_s"]
    assert hours.std() / hours.mean() < 0.6 * raw.std() / raw.mean()


def test_a_trend_is_followed():
    truth = 300 * 1.5 * 1.06
    found = demand.handle_times(contacts_of(slope=0.5), half_life=10).attrs["levels"].iloc[0]
    plain = demand.handle_times(contacts_of(slope=0.5), half_life=1e9).attrs["levels"].iloc[0]
    assert abs(found["mean_s"] - truth) < 0.5 * abs(plain["mean_s"] - truth)


@pytest.mark.slow
def test_the_levels_interval_holds_the_truth_as_often_as_it_says():
    inside = 0
    for seed in range(100):
        level = demand.handle_times(contacts_of(days=30, seed=seed, monday=1.0, day_cv=0.1), half_life=60)
        level = level.attrs["levels"].iloc[0]
        inside += level["lower"] <= 300 <= level["upper"]
    assert 89 <= inside <= 99


def test_shrinkage_is_time_away_over_paid_time():
    start = pd.Timestamp("2026-03-02 09:00")
    day = pd.Timedelta(days=1)
    rows = [
        ("work", start, start + pd.Timedelta(hours=6), "worked"),
        ("break", start, start + pd.Timedelta(hours=1), "worked"),
        ("sick", start, start + pd.Timedelta(hours=1), "worked"),
        ("on_call", start, start + pd.Timedelta(hours=9), "worked"),
        ("leave", start, start + pd.Timedelta(hours=8), "planned"),
        ("work", start + day, start + day + pd.Timedelta(hours=8), "worked"),
    ]
    roster = pd.DataFrame(rows, columns=["kind", "start_at", "end_at", "status"])
    found = demand.shrinkage(roster, half_life=1e9).iloc[0]
    assert (found["days"], found["hours"]) == (2, 16)
    assert found["shrinkage"] == pytest.approx(2 / 16)
    assert found["break"] == pytest.approx(1 / 16) and found["leave"] == 0
    assert found["lower"] == 0 and found["upper"] == 1  # two days say next to nothing
    with pytest.raises(DemandError, match="ends before"):
        demand.shrinkage(roster.assign(end_at=roster["start_at"] - day))


def test_what_can_not_be_used_is_refused():
    with pytest.raises(DemandError, match="negative"):
        demand.handle_times(contacts_of(days=2).assign(handle_s=-1.0))
    with pytest.raises(DemandError, match="no column handle_s"):
        demand.handle_times(contacts_of(days=2).drop(columns="handle_s"))


@pytest.mark.real_data
def test_handle_times_of_a_real_bank_are_those_of_a_plain_loop(real_data):
    raw = pd.read_csv(real_data / "contacts/bank_contacts_1999_01.txt", sep="\t", dtype=str)
    raw = raw[(raw["outcome"] == "AGENT") & (raw["ser_time"].astype(float) > 0)]
    start = pd.to_datetime("19" + raw["date"], format="%Y%m%d") + pd.to_timedelta(raw["ser_start"])
    frame = pd.DataFrame({"queue": raw["type"], "start": start, "handle_s": raw["ser_time"].astype(float)})
    levels = demand.handle_times(frame, half_life=1e9).attrs["levels"].set_index("queue")
    for queue, level in levels.iterrows():
        total = count = 0
        for kind, seconds in zip(frame["queue"], frame["handle_s"], strict=True):
            if kind == queue:
                total, count = total + seconds, count + 1
        assert level["mean_s"] == pytest.approx(total / count, rel=1e-6)
