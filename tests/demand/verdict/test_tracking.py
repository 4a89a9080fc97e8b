"""Forecasts kept in the lake, compared with what came, and told when they drift."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import demand, store
from svcanalytics.errors import DemandError

PER_HOUR = 12


def contacts_of(first="2026-03-02", days=60, seed=1):
    """Contacts of one queue, eight hours on working days."""
    rng = np.random.default_rng(seed)
    moments = [
        day + pd.Timedelta(hours=9) + pd.to_timedelta(np.sort(rng.uniform(0, 8 * 3600, rng.poisson(8 * PER_HOUR))), "s")
        for day in pd.bdate_range(first, periods=days)
    ]
    at = pd.DatetimeIndex(np.concatenate(moments)).tz_localize("Asia/Shanghai").floor("s")
    return pd.DataFrame({"contact_id": [f"{first}-{n}" for n in range(len(at))], "queue": "calls", "offered_at": at})


def published(weeks=26, factor=1.0, since=0.5, cv=0.1, slots=12, seed=1):
    """A table of weekly forecasts of 20 a slot; what came is off by `factor` in the last part of the weeks."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2026-01-05", periods=5 * weeks)
    rate = 20 * np.exp(cv * rng.standard_normal(len(days)) - cv**2 / 2)
    rate[int(since * len(days)) :] *= factor
    sample = rng.poisson(20 * np.exp(cv * rng.standard_normal(20000) - cv**2 / 2)) + rng.random(20000) - 0.5
    low, high = np.quantile(sample, [0.1, 0.9])
    starts = np.add.outer(days.to_numpy(), np.arange(9, 9 + slots) * np.timedelta64(30, "m")).ravel()
    origin = np.repeat((days - pd.to_timedelta(days.day_of_week, unit="D")).to_numpy(), slots)
    table = {"model": "published", "origin": origin, "queue": "q", "start": pd.DatetimeIndex(starts).tz_localize("UTC")}
    table |= {"mean": 20.0, "lower_80": low, "upper_80": high, "actual": rng.poisson(np.repeat(rate, slots))}
    return pd.DataFrame(table)


def test_a_forecast_that_is_kept_is_compared_with_what_came_later(lake):
    contacts = contacts_of()
    cut = pd.Timestamp("2026-05-11", tz="Asia/Shanghai")
    store.write(lake, {"contacts": contacts[contacts["offered_at"] < cut]})
    lake = lake.refresh()
    arrivals = demand.Arrivals(demand.count(lake, slot="60min"), "60min", timezone=lake.timezone)
    forecast = demand.forecast(arrivals, days=5, model="eight_week_average")
    assert demand.keep(lake, forecast) == "2026-05-11 contacts by queue 60min"
    with pytest.raises(DemandError, match="nothing"):
        demand.track(lake.refresh())
    store.write(lake.refresh(), {"contacts": contacts[contacts["offered_at"] >= cut]})
    tracking = demand.track(lake.refresh())
    table = tracking.table
    assert len(table) == len(forecast.table) and table["lead"].tolist() == sorted([1, 2, 3, 4, 5] * 8)
    came = contacts["offered_at"].dt.floor("h").value_counts()
    assert (table["actual"].to_numpy() == came.reindex(table["start"], fill_value=0).to_numpy()).all()
    assert table["mean"].to_numpy() == pytest.approx(forecast.table["mean"].to_numpy())
    assert tracking.scores("lead")["wape"].between(0.05, 0.6).all()
    assert not tracking.alarms["alarm"].any()


def test_keeping_again_on_the_same_day_replaces(lake):
    store.write(lake, {"contacts": contacts_of(days=20)})
    lake = lake.refresh()
    arrivals = demand.Arrivals(demand.count(lake, slot="60min"), "60min", timezone=lake.timezone)
    for model in ("seasonal_naive", "eight_week_average"):
        forecast = demand.forecast(arrivals, days=2, model=model)
        demand.keep(lake.refresh(), forecast)
    kept = lake.refresh().sql("select * from forecasts order by start_at")
    assert kept["mean"].to_numpy() == pytest.approx(forecast.table["mean"].to_numpy())
    assert kept[["lower_80", "upper_95", "slot_s", "counted"]].notna().all(axis=None)


def test_what_was_never_forecast_can_not_be_tracked(lake):
    store.write(lake, {"contacts": contacts_of(days=5)})
    with pytest.raises(DemandError, match="no forecast of cases by channel"):
        demand.track(lake.refresh(), "cases", "channel")


def test_a_bias_is_told_with_the_week_in_which_it_began():
    alarms = demand.drift_alarms(published(factor=1.3)).set_index("measure")
    assert alarms.loc["bias", "alarm"]
    assert alarms.loc["bias", "value"] == pytest.approx(1 - 1.3, abs=0.06)
    began = pd.Timestamp("2026-01-05") + pd.Timedelta(weeks=13)
    assert abs(alarms.loc["bias", "since"] - began) <= pd.Timedelta(weeks=2)


def test_bounds_that_are_too_narrow_are_told():
    table = published()
    table[["lower_80", "upper_80"]] = [17.5, 22.5]
    alarms = demand.drift_alarms(table).set_index("measure")
    assert alarms.loc["coverage_80", "alarm"] and alarms.loc["coverage_80", "value"] < 0.6
    assert not alarms.loc["bias", "alarm"]


def test_three_weeks_raise_no_alarm_however_far_off():
    assert not demand.drift_alarms(published(weeks=3, factor=3.0, since=0)).loc[0, "alarm"]


@pytest.mark.slow
def test_false_alarms_are_as_rare_as_said():
    raised = sum(demand.drift_alarms(published(seed=seed), 0.1)["alarm"].any() for seed in range(200))
    assert raised <= 29  # 200 at a tenth: 20, and two standard errors


def test_a_workbook_has_typed_cells_and_no_formulas(tmp_path):
    from openpyxl import load_workbook

    frame = contacts_of(days=15).assign(start=lambda rows: rows["offered_at"].dt.floor("h"))
    frame = frame.groupby("start").size().rename("arrivals").reset_index().assign(queue="=1+1")
    arrivals = demand.Arrivals(frame, "60min")
    forecast = demand.forecast(arrivals, days=3, model="eight_week_average")
    path = demand.export(forecast, tmp_path / "out" / "forecast.xlsx", findings=arrivals.report, language="zh")
    book = load_workbook(path)
    assert [len(sheet["A"]) - 1 for sheet in book][:2] == [3, len(forecast.table)]
    slots = book.worksheets[1]
    assert slots["A2"].value == "=1+1" and slots["A2"].data_type == "s"
    assert slots["B2"].value == forecast.table["start"].iloc[0].tz_localize(None)
    assert slots["C2"].value == pytest.approx(forecast.table["mean"].iloc[0])
    plain = pd.read_csv(demand.export(forecast, tmp_path / "forecast.csv"))
    assert plain["mean"].to_numpy() == pytest.approx(forecast.table["mean"].to_numpy())
    with pytest.raises(DemandError, match=r"not written as \.ods"):
        demand.export(forecast, tmp_path / "forecast.ods")
