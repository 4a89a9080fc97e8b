"""Rows of metrics are what `measure` adds up, to the last unit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import metrics, store
from svcanalytics.errors import CatalogueError

METRICS = ("responded_15min", "first_response_time", "reopen_rate", "csat", "attitude_score", "cases_opened")


@pytest.fixture
def loaded(lake):
    rng = np.random.default_rng(4)
    n = 300
    # Across two local midnights and a month's end.
    opened = pd.Timestamp("2026-08-30 03:00", tz="UTC") + pd.to_timedelta(rng.integers(0, 5 * 86_400, n), "s")
    cases = pd.DataFrame(
        {
            "case_id": [f"K{i}" for i in range(n)],
            "opened_at": opened,
            "first_response_at": opened + pd.to_timedelta(rng.integers(10, 2_000, n), "s"),
            "reopened_n": rng.integers(0, 2, n),
            "channel": rng.choice(["app", "phone"], n),
            "attributes": [f'{{"version": "5.{i % 3}"}}' for i in range(n)],
        }
    )
    surveys = pd.DataFrame(
        {
            "survey_id": [f"S{i}" for i in range(n)],
            "case_id": cases["case_id"],
            "at": opened + pd.Timedelta(hours=9),
            "csat": rng.integers(1, 6, n),
            "scale": 5,
            "attitude": np.where(rng.random(n) < 0.8, rng.integers(1, 6, n), pd.NA),
            "default_rating": rng.random(n) < 0.1,
        }
    )
    return store.write(lake, {"cases": cases, "surveys": surveys})


def test_rows_add_up_to_what_measure_gives_for_the_same_days(loaded):
    days = "2026-08-31", "2026-09-02"
    rows = metrics.list_rows(loaded, METRICS, start=days[0], end=days[1])
    whole = sv.measure(loaded, list(METRICS), every="year", start=days[0], end=days[1]).set_index("metric")
    for name in METRICS:
        assert rows[name]["numerator"].sum() == whole.loc[name, "numerator"]
        if not pd.isna(whole.loc[name, "denominator"]):
            assert rows[name]["denominator"].sum() == whole.loc[name, "denominator"]
        assert rows[name]["at"].between("2026-08-31", "2026-09-03", inclusive="left").all()


def test_columns_and_attributes_come_beside_and_what_a_view_lacks_is_left_out(loaded):
    rows = metrics.list_rows(loaded, ["reopen_rate", "csat"], ["case_id", "channel", "version", "no_such"])
    assert {"case_id", "channel", "version"} <= set(rows["reopen_rate"].columns)
    assert "no_such" not in rows["reopen_rate"].columns
    # A survey has its case's channel and attributes.
    joined = rows["csat"].merge(rows["reopen_rate"], on="case_id")
    assert (joined["channel_x"] == joined["channel_y"]).all() and (joined["version_x"] == joined["version_y"]).all()


def test_what_no_row_can_answer_is_left_out_and_an_unknown_metric_refused(loaded):
    assert set(metrics.list_rows(loaded, ["answer_rate", "first_response_time_p90", "csat"])) == {"csat"}
    with pytest.raises(CatalogueError, match="csatt"):
        metrics.list_rows(loaded, ["csatt"])
