"""Pictures of demand: what they show, in both languages."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import charts
from svcanalytics.charts import svg

STARTS = pd.date_range("2026-03-02 09:00", periods=24 * 7, freq="h", tz="Asia/Shanghai")
STARTS = STARTS[(STARTS.hour >= 9) & (STARTS.hour < 17)]
TABLE = pd.DataFrame({"start": STARTS, "arrivals": np.arange(len(STARTS), dtype=float)})
AHEAD = pd.DataFrame(
    {"start": STARTS, "mean": 10.0, "lower_80": 8.0, "upper_80": 12.0, "lower_95": 6.0, "upper_95": 14}
)
EFFECTS = pd.DataFrame(
    [("q", "weekday", 0, 9, 1.2, 1.1, 1.3), ("q", "day_class", "make_up", 4, 1.5, 1.1, 2.0)],
    columns=["queue", "kind", "value", "days", "effect", "low", "high"],
)
SCORES = pd.DataFrame(
    {"model": ["auto"] * 3, "lead": [1, 2, 3], "wape": [0.1, 0.12, 0.13], "baseline": 0.2, "floor": 0.05}
)


def data(chart):
    """Return all records of a chart."""
    spec = chart.to_dict()
    stack, rows = [spec], []
    while stack:
        part = stack.pop()
        rows += part.get("data", {}).get("values", [])
        stack += [*part.get("layer", []), *part.get("vconcat", [])]
    return rows


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_picture_can_be_drawn(language):
    pictures = [
        charts.draw_demand_heat(TABLE, language=language),
        charts.draw_calendar_effects(EFFECTS, language=language),
        charts.draw_forecast(AHEAD.assign(actual=9.0), language=language, history=TABLE.head(8)),
        charts.draw_forecast_errors(SCORES, language=language),
    ]
    for picture in pictures:
        assert svg(picture, language).startswith("<svg")


def test_the_heat_map_shows_the_mean_of_each_weekday_and_slot():
    rows = {(row["day"], row["from"]): row["mean"] for row in data(charts.draw_demand_heat(TABLE, language="en"))}
    wanted = TABLE[(STARTS.day_of_week == 1) & (STARTS.hour == 10)]["arrivals"].mean()
    assert rows["Tue", 10] == wanted
    assert len(rows) == 7 * 8


def test_a_line_does_not_run_through_the_night():
    parts = {row["start"]: row["part"] for row in data(charts.draw_forecast(AHEAD, language="en"))}
    assert len(set(parts.values())) == STARTS.normalize().nunique()


def test_what_lies_outside_the_widest_band_is_told():
    frame = AHEAD.assign(actual=[20.0, 13.0, *[10.0] * (len(AHEAD) - 2)])
    rows = data(charts.draw_forecast(frame, language="en"))
    assert sum(row["outside"] for row in rows) == 1


def test_forecasts_of_several_queues_are_refused():
    with pytest.raises(ValueError, match="several"):
        charts.draw_forecast(pd.concat([AHEAD, AHEAD]), language="en")
    with pytest.raises(ValueError, match="several"):
        charts.draw_calendar_effects(pd.concat([EFFECTS, EFFECTS.assign(queue="r")]), language="en")
