"""Real arrivals come out as those who made them would expect."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.demand import Arrivals

pytestmark = pytest.mark.real_data


def test_bank_calls_have_28_half_hours_two_missing_days_and_columbus_day_open(real_data):
    raw = pd.read_csv(real_data / "arrivals" / "bank_calls.csv")
    frame = pd.DataFrame({"start": pd.to_datetime(raw["DateTime"]).dt.tz_localize(None), "arrivals": raw["Calls"]})
    arrivals = Arrivals(frame, holidays="US", timezone="America/New_York")
    matrix = arrivals.matrices[""]
    assert matrix.counts.shape[1] == 28 and matrix.recorded.sum() == 164
    assert round(np.nanmean(matrix.counts)) == 1157
    report = arrivals.report.set_index("what")
    assert report.loc["missing day", "start"].dt.strftime("%m-%d").tolist() == ["04-04", "04-07", "10-14"]
    closed = report.loc["holiday without arrivals", "detail"].tolist()
    assert closed == ["Memorial Day", "Independence Day", "Labor Day"]
    assert "21:00" in report.loc["slot recorded in part", "detail"]
    ahead = arrivals.future(30)[""]
    assert ahead.days[~ahead.open_days & (ahead.days.day_of_week < 5)].strftime("%m-%d").tolist() == ["11-11", "11-27"]
    # Read as the Z says, the office would open an hour later from April on.
    stamped = frame.assign(start=frame["start"].dt.tz_localize("UTC"))
    lied = Arrivals(stamped, holidays="US", timezone="America/New_York").report
    assert "local times stamped as UTC" in set(lied["what"])


def test_zeros_of_a_contact_centre_are_closed_days(real_data):
    file = real_data / "arrivals" / "contact_centre_daily_2020_2021.csv"
    raw = pd.read_csv(file, encoding="utf-8-sig").set_axis(["start", "arrivals"], axis=1)
    matrix = Arrivals(raw, slot="day", holidays="").matrices[""]
    assert (len(matrix.days), matrix.open_days.sum(), matrix.recorded.sum()) == (175, 120, 120)
    shown = Arrivals(raw, slot="day", holidays="").hours.set_index("day")["hours"]
    assert shown[["thu", "fri"]].tolist() == ["closed", "closed"] and shown["sun"] == "open"


def test_a_bank_whose_week_runs_from_sunday_to_thursday_rests_from_friday_to_saturday_night(real_data):
    file = real_data / "contacts" / "bank_contacts_1999_01.txt"
    raw = pd.read_csv(file, sep="\t", dtype=str)
    raw = raw[raw["outcome"] != "PHANTOM"]
    at = pd.to_datetime("19" + raw["date"], format="%Y%m%d") + pd.to_timedelta(raw["vru_entry"])
    frame = raw.assign(start=at.dt.floor("30min"), queue=raw["type"]).groupby(["queue", "start"]).size()
    arrivals = Arrivals(frame.rename("arrivals").reset_index(), holidays="IL", timezone="Asia/Jerusalem", slot="30min")
    shown = arrivals.hours.set_index(["queue", "day"])["hours"]
    assert shown["PS", "sat"] == "18:30-24:00" and shown["PS", "fri"].startswith("00:00-15:30")
    regular = arrivals.matrices["PS"]
    days = regular.days[regular.open_days & ~regular.recorded].strftime("%m-%d").tolist()
    assert {"01-11", "01-12"} <= set(days)


def test_tickets_of_a_log_are_open_round_the_clock_and_its_tail_raises_no_flood(real_data):
    file = real_data / "cases" / "servicenow_incident_log.zip"
    raw = pd.read_csv(file, usecols=["number", "opened_at"]).drop_duplicates("number")
    at = pd.to_datetime(raw["opened_at"], format="%d/%m/%Y %H:%M").dt.floor("60min")
    arrivals = Arrivals(at.value_counts().rename_axis("start").reset_index(name="arrivals"), "60min", holidays="")
    matrix = arrivals.matrices[""]
    assert np.nansum(matrix.counts) == 24918 and matrix.counts.shape[1] == 24
    assert set(arrivals.hours["hours"].iloc[:7]) == {"00:00-24:00"}
    assert (arrivals.report["what"] == "missing day").sum() < 6


def test_calls_of_a_quarter_are_open_every_day_from_nine(real_data):
    raw = pd.read_excel(real_data / "contacts" / "call_centre_2021_q1.xlsx", engine="calamine")
    at = pd.to_datetime(raw["Date"]) + pd.to_timedelta(raw["Time"].astype(str))
    frame = at.dt.floor("60min").value_counts().rename_axis("start").reset_index(name="arrivals")
    arrivals = Arrivals(frame, "60min", holidays="")
    assert arrivals.matrices[""].recorded.all() and np.nansum(arrivals.matrices[""].counts) == 5000
    assert arrivals.hours["hours"].str.startswith("09:00").iloc[:7].all()


def test_daily_calls_take_their_drivers_where_these_are_known(real_data):
    folder = real_data / "arrivals"
    calls = pd.read_csv(folder / "daily_calls_2013_2016.csv", sep=";", encoding="utf-8-sig")
    drivers = pd.read_csv(folder / "daily_drivers_2014_2016.csv", sep=";", encoding="utf-8-sig")
    frame = pd.DataFrame({"start": pd.to_datetime(calls["date"], format="%d-%m-%Y"), "arrivals": calls["calls"]})
    drivers["date"] = pd.to_datetime(drivers["date"], format="%d-%m-%Y")
    arrivals = Arrivals(frame, "day", holidays="", regressors=drivers, unknown_ahead=["total_reservations"])
    matrix = arrivals.matrices[""]
    assert matrix.recorded.sum() == 1155
    known = matrix.features["x_total_reservations"].notna()
    assert known.sum() == 790 and matrix.days[known.to_numpy()][0] == pd.Timestamp("2014-01-01")
    assert arrivals.upto("2016-01-04").future(10)[""].features["x_total_reservations"].isna().all()
    assert arrivals.upto("2016-01-04").future(10)[""].features["x_summer_break"].notna().all()
