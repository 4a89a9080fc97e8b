"""Pictures of what shifts cover."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics import charts

START = pd.date_range("2026-10-24", periods=49, freq="1h", tz="Europe/Oslo")
COVERAGE = pd.DataFrame({"start": START, "required": 3.0, "planned": [2.0] * 10 + [4.0] * 39})


def values(chart):
    spec = chart.to_dict()
    return [row for part in [spec, *spec["layer"]] for row in part.get("data", {}).get("values", [])]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_both_pictures_can_be_drawn(language):
    for draw in (charts.draw_coverage, charts.draw_coverage_heat):
        assert charts.svg(draw(COVERAGE, language=language), language).startswith("<svg")


def test_what_is_missing_stands_out_and_is_where_it_is():
    rows = values(charts.draw_coverage(COVERAGE, language="en"))
    assert sum(row["missing"] for row in rows) == 10
    heat = values(charts.draw_coverage_heat(COVERAGE, language="en"))
    assert [row["difference"] for row in heat] == [-1.0] * 10 + [1.0] * 39
    # The day on which clocks go back has 25 squares, two of them at two o'clock.
    assert [row["from"] for row in heat if row["day"] == "Sun 25 Oct"].count(2.0) == 2


def test_a_map_of_the_day_reaches_the_end_of_its_last_slot():
    chart = charts.draw_coverage_heat(COVERAGE, language="en").to_dict()
    assert chart["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0.0, 24]


def test_a_slot_that_keeps_its_target_seldom_is_drawn_as_a_risk():
    chart = charts.draw_risk(pd.DataFrame({"start": START[:2], "kept": [0.9, 0.2]}), language="en")
    assert [row["miss"] for row in values(chart)] == pytest.approx([0.1, 0.8])
    colours = chart.to_dict()["layer"][0]["encoding"]["color"]["scale"]
    assert colours["domain"] == [0, 1] and colours["range"][0] == "#FFFFFF"


def test_several_queues_in_one_picture_are_refused():
    with pytest.raises(ValueError, match="choose the rows of one"):
        charts.draw_coverage(pd.concat([COVERAGE, COVERAGE]), language="en")
