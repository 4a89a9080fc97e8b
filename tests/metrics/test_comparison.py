"""The indicator table: lights, changes, bases, year to date and streaks."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.errors import PeriodError
from svcanalytics.metrics import compare, measure
from svcanalytics.metrics.comparison import lights
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.periods import parse_period


def rates(hits: dict[str, tuple[int, int]], target: float = 0.9, up: bool = True, **more: object) -> pd.DataFrame:
    """A tidy frame of one rate: period to hits and rows."""
    x, n = (np.array(side) for side in zip(*hits.values(), strict=True))
    low, high = wilson_interval(x, n)
    met = x / n >= target if up else x / n <= target
    return pd.DataFrame(
        {
            "metric": "rate",
            "period": list(hits),
            "start": [pd.Timestamp(parse_period(key).start) for key in hits],
            **more,
            "value": x / n,
            "low": low,
            "high": high,
            "n": pd.array(n, dtype="Int64"),
            "numerator": pd.array(x, dtype="Int64"),
            "denominator": pd.array(n, dtype="Int64"),
            "std": 0.1,
            "unit": "share",
            "target": target,
            "met": pd.array(met, dtype="boolean"),
            "flag": "",
        }
    )


def only(frame: pd.DataFrame, period: str) -> pd.Series:
    table = compare(frame, period)
    assert len(table) == 1
    return table.iloc[0]


@pytest.mark.parametrize(
    ("hits", "target", "up", "light"),
    [
        ((990, 1000), 0.9, True, "green"),
        ((905, 1000), 0.9, True, "yellow"),
        ((895, 1000), 0.9, True, "yellow"),
        ((800, 1000), 0.9, True, "red"),
        ((2, 1000), 0.05, False, "green"),
        ((45, 1000), 0.05, False, "yellow"),
        ((100, 1000), 0.05, False, "red"),
        ((20, 20), 1.0, True, "green"),
        ((19, 20), 1.0, True, "red"),
    ],
)
def test_a_light_says_which_side_of_the_target_the_interval_lies(hits, target, up, light):
    frame = rates({"2026-03": hits, "2026-02": (500, 1000)}, target, up)
    assert lights(frame)[0] == light


def test_too_few_rows_are_grey_and_no_target_has_no_light():
    frame = rates({"2026-03": (9, 10), "2026-02": (9, 10)})
    frame.loc[0, "flag"], frame.loc[0, ["value", "low", "high"]] = "suppressed", np.nan
    frame.loc[1, "target"] = np.nan
    assert lights(frame).tolist() == ["grey", ""]


def test_a_change_comes_with_the_published_interval_and_its_significance():
    row = only(rates({"2026-02": (48, 80), "2026-03": (56, 70)}), "2026-03")
    assert (round(row["change"], 4), round(row["change_low"], 4), round(row["change_high"], 4)) == (0.2, 0.0524, 0.3339)
    assert row["previous_base"] == "ok" and bool(row["change_significant"])
    assert row["yoy_base"] == "no_base" and pd.isna(row["yoy_change"]) and pd.isna(row["yoy_significant"])


def test_no_base_is_never_zero():
    row = only(rates({"2026-03": (56, 70)}), "2026-03")
    assert pd.isna(row["change"]) and pd.isna(row["previous"]) and row["previous_base"] == "no_base"


def test_among_many_changes_without_cause_hardly_any_is_called_significant():
    rng = np.random.default_rng(1)
    units = [f"u{i}" for i in range(400)]
    parts = [
        rates({key: (int(rng.binomial(200, 0.8)), 200) for key in ("2026-02", "2026-03")}, unit_name=unit)
        for unit in units
    ]
    table = compare(pd.concat(parts, ignore_index=True), "2026-03")
    uncorrected = (table["change_low"] > 0) | (table["change_high"] < 0)
    assert uncorrected.sum() >= 8 and table["change_significant"].sum() <= 1


def test_units_keep_apart_also_the_one_without_a_name():
    a, none = rates({"2026-02": (10, 100), "2026-03": (20, 100)}, team="A"), None
    none = rates({"2026-02": (50, 100), "2026-03": (70, 100)}, team=None)
    table = compare(pd.concat([a, none], ignore_index=True), "2026-03")
    assert table["change"].round(6).tolist() == [0.1, 0.2]


def test_a_streak_counts_periods_running_and_stops_at_a_gap():
    frame = rates({"2026-01": (95, 100), "2026-03": (95, 100), "2026-04": (95, 100), "2026-05": (96, 100)})
    assert only(frame, "2026-05")["streak"] == 3
    missed = rates({"2026-03": (95, 100), "2026-04": (50, 100), "2026-05": (60, 100)})
    assert only(missed, "2026-05")["streak"] == -2


def test_february_is_compared_together_with_january_in_china():
    frame = rates({"2025-01": (80, 100), "2025-02": (90, 200), "2026-01": (90, 100), "2026-02": (95, 100)})
    row = only(frame, "2026-02")
    assert row["yoy_base"] == "january_february"
    assert row["last_year"] == pytest.approx(170 / 300) and row["yoy_change"] == pytest.approx(185 / 200 - 170 / 300)
    assert only(frame, "2026-01")["yoy_base"] == "january_alone"
    assert compare(frame, "2026-02", country="DE")["last_year"].iloc[0] == 0.45


def test_an_incomplete_base_says_so_and_counts_are_not_compared_with_it(lake):
    opened = pd.date_range("2026-01-01", "2026-03-20", freq="2h", tz="UTC")
    lake = store.write(
        lake, {"cases": pd.DataFrame({"case_id": range(len(opened)), "opened_at": opened}).astype({"case_id": str})}
    )
    row = compare(measure(lake, "cases_opened"), "2026-03").iloc[0]
    assert row["flag"] == "incomplete" and row["previous_base"] == "ok" and pd.isna(row["change"])
    assert row["kind"] == "count" and pd.isna(row["change_significant"])


def test_a_period_that_is_not_there_is_refused():
    with pytest.raises(PeriodError, match="2026-09"):
        compare(rates({"2026-03": (9, 10)}), "2026-09")


def test_the_year_so_far_equals_measuring_the_year(lake):
    rng = np.random.default_rng(3)
    n = 3000
    opened = pd.Timestamp("2026-01-01", tz="Asia/Shanghai") + pd.to_timedelta(rng.integers(0, 181 * 86400, n), unit="s")
    frame = pd.DataFrame(
        {"case_id": [f"c{i}" for i in range(n)], "opened_at": opened, "team": rng.choice(["A", "B"], n)}
    )
    frame["resolved_at"] = opened + pd.to_timedelta(rng.integers(0, 999, n), unit="s")
    frame["sla_met"], frame["transferred_n"] = rng.random(n) < 0.7, rng.integers(0, 3, n)
    lake = store.write(lake, {"cases": frame})
    names = ["sla_met_reported", "transfers_per_case", "clearance_rate", "cases_opened", "resolution_time"]
    table = compare(measure(lake, names, by="team"), "2026-06").set_index(["metric", "team"])
    year = measure(lake, names, by="team", every="year").set_index(["metric", "team"])
    for key, row in table.iterrows():
        assert row["ytd"] == pytest.approx(year.loc[key, "value"], rel=1e-12), key
        assert row["ytd_n"] == year.loc[key, "n"] and row["ytd_base"] == "ok"
    assert set(table["kind"]) == {"rate", "mean", "ratio", "count"}


def test_a_year_to_date_that_begins_late_says_from_when():
    row = only(rates({"2026-02": (90, 100), "2026-03": (95, 100)}), "2026-03")
    assert row["ytd_base"] == "from 2026-02" and row["ytd"] == 0.925 and bool(row["ytd_met"])
