"""Last year on comparable days: a festival that moved is no change of demand."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.metrics import compare_days, measure
from svcanalytics.periods import day_classes

PER_DAY = {"ordinary": 20, "weekend": 8, "holiday": 2, "substituted": 3, "make_up": 18, "eve": 12, "bridge": 10}


def cases_by_day_class(start: date, end: date, factor: float = 1.0) -> pd.DataFrame:
    """Cases whose number depends on the day's class alone; on holidays nine in ten meet their target, else half."""
    rows = []
    for day, kind in day_classes(start, end, "CN")[["day", "day_class"]].itertuples(index=False):
        for i in range(round(PER_DAY[kind] * factor)):
            at = pd.Timestamp(day).tz_localize("Asia/Shanghai") + pd.Timedelta(hours=9, minutes=i)
            rows.append((f"{day:%Y%m%d}-{i}", at, i % 2 == 0))
    return pd.DataFrame(rows, columns=["case_id", "opened_at", "sla_met"])


def test_a_festival_that_moved_is_no_change_of_demand(lake):
    lake = store.write(lake, {"cases": cases_by_day_class(date(2024, 12, 1), date(2026, 3, 31))})
    plain = measure(lake, "cases_opened").set_index("period")["value"]
    assert plain["2026-02"] < 0.9 * plain["2025-02"]
    row = compare_days(lake, "cases_opened", "2026-02").iloc[0]
    assert row["base"] == "comparable_days" and row["value"] == plain["2026-02"]
    assert row["comparable"] == pytest.approx(row["value"]) and row["change"] == pytest.approx(0, abs=1e-9)


def test_a_real_rise_is_found_with_an_interval_that_leaves_zero_out(lake):
    before = cases_by_day_class(date(2024, 12, 1), date(2025, 12, 31))
    after = cases_by_day_class(date(2026, 1, 1), date(2026, 3, 31), factor=1.5)
    lake = store.write(lake, {"cases": pd.concat([before, after])})
    row = compare_days(lake, ["cases_opened", "sla_met_reported"], "2026-02").set_index("metric").loc["cases_opened"]
    assert row["change_ratio"] == pytest.approx(0.5, abs=0.03) and row["low"] > 0


def test_without_last_year_there_is_no_base(lake):
    lake = store.write(lake, {"cases": cases_by_day_class(date(2026, 1, 1), date(2026, 3, 31))})
    row = compare_days(lake, "cases_opened", "2026-02").iloc[0]
    assert row["base"] == "no_base" and pd.isna(row["comparable"]) and pd.isna(row["change"])


def test_small_units_stay_suppressed_though_their_days_are_added_up(lake):
    frame = cases_by_day_class(date(2024, 12, 1), date(2026, 3, 31))
    frame["team"] = ["tiny" if i % 150 == 0 else "big" for i in range(len(frame))]
    lake = store.write(lake, {"cases": frame})
    found = compare_days(lake, "sla_met_reported", "2026-02", by="team").set_index("team")
    assert found.loc["tiny", "base"] == "suppressed" and pd.isna(found.loc["tiny", "value"])
    assert found.loc["big", "base"] == "comparable_days" and abs(found.loc["big", "change"]) < 0.02
