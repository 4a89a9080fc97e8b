"""Local wall-clock time where clocks change."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.demand import Arrivals
from svcanalytics.demand.history.walltime import clock_exposure


@pytest.mark.parametrize(
    ("zone", "day", "slot_s", "slots"),
    [
        ("Europe/Berlin", "2026-03-29", 3600, {2: 0}),
        ("Europe/Berlin", "2026-10-25", 3600, {2: 2}),
        ("America/New_York", "2026-11-01", 1800, {2: 2, 3: 2}),
        ("Australia/Lord_Howe", "2026-04-05", 3600, {1: 1.5}),
        ("Asia/Beirut", "2026-03-29", 3600, {0: 0}),
    ],
)
def test_slots_of_a_day_on_which_clocks_change_come_never_or_twice(zone, day, slot_s, slots):
    days = pd.date_range(pd.Timestamp(day) - pd.Timedelta(days=3), periods=7, unit="s")
    found = clock_exposure(days, slot_s, zone)
    assert list(found) == [3]
    usual = np.ones(86400 // slot_s)
    usual[list(slots)] = list(slots.values())
    assert found[3].tolist() == usual.tolist()


def test_a_zone_without_changes_has_none():
    days = pd.date_range("2026-01-01", "2026-12-31", unit="s")
    assert clock_exposure(days, 1800, "Asia/Shanghai") == {}
    assert clock_exposure(days, 86400, "Europe/Berlin") == {}


def office(zone: str | None) -> pd.DataFrame:
    days = pd.bdate_range("2026-02-02", "2026-05-29")
    starts = pd.DatetimeIndex([day + pd.Timedelta(minutes=m) for day in days for m in range(8 * 60, 18 * 60, 30)])
    counts = np.random.default_rng(0).poisson(40, len(starts))
    return pd.DataFrame({"start": starts.tz_localize(zone), "arrivals": counts})


def test_local_times_stamped_as_utc_give_themselves_away_when_clocks_change():
    lied = Arrivals(office("UTC"), holidays="", timezone="Europe/Berlin").report
    told = lied[lied["what"] == "local times stamped as UTC"]
    assert told["start"].tolist() == [pd.Timestamp("2026-03-29")]
    assert told["detail"].item().startswith("days begin 60 minutes later")
    true = Arrivals(office("Europe/Berlin"), holidays="", timezone="Europe/Berlin")
    assert "local times stamped as UTC" not in set(true.report["what"])
    assert true.hours["hours"].iloc[0] == "08:00-18:00"


def test_a_day_without_its_skipped_hour_is_a_whole_day():
    hours = pd.date_range("2026-02-02", "2026-04-20", freq="30min", tz="Europe/Berlin", inclusive="left")
    arrivals = Arrivals(pd.DataFrame({"start": hours, "arrivals": 40}), holidays="")
    assert arrivals.matrices[""].recorded.all()
    assert "gap within a day" not in set(arrivals.report["what"])


def test_days_of_23_and_25_hours_are_summed_as_they_are():
    instants = pd.date_range("2026-03-01", "2026-11-30", freq="15min", tz="Europe/Berlin", inclusive="left")
    arrivals = Arrivals(pd.DataFrame({"start": instants, "arrivals": 1}), slot="day", holidays="")
    matrix = arrivals.matrices[""]
    assert matrix.recorded.all()
    totals = pd.Series(matrix.counts[:, 0], index=matrix.days)
    assert totals[["2026-03-29", "2026-10-25", "2026-06-01"]].tolist() == [92, 100, 96]
