import re
from dataclasses import replace

import pandas as pd
import pytest

from svcanalytics import charts, quality


@pytest.fixture(scope="module")
def year() -> pd.DataFrame:
    return quality.weights_over(quality.profile("contacts_by_season"), "2026-01-01", "2026-12-31")


def test_a_row_is_drawn_per_family_as_high_as_its_weight_on_every_day(year):
    drawn = charts.draw_weights(year, language="en").to_dict()
    area = next(layer for layer in drawn["layer"] if layer["mark"]["type"] == "area")
    points = pd.DataFrame(area["data"]["values"])
    assert len(points) == 3 * 365
    heights = points.assign(height=points["top"] - points["base"]).pivot_table(
        index="start", columns="row", values="height", aggfunc="first"
    )
    weights = year.pivot_table(index="start", columns="family", values="weight", aggfunc="sum")
    ratio = heights.to_numpy() / weights[["response", "resolution", "satisfaction"]].to_numpy()
    assert ratio.max() - ratio.min() < 1e-3


def test_bands_stand_on_the_days_of_their_situation_and_say_its_name(year):
    drawn = charts.draw_weights(year, language="zh", labels={"high_season": "旺季"}).to_dict()
    band = next(layer for layer in drawn["layer"] if layer["mark"]["type"] == "rect")
    spans = pd.DataFrame(band["data"]["values"])
    june = spans[(spans["situation"] == "旺季") & (spans["start"] < "2026-07")]
    assert june["start"].min() < "2026-06-01" and june["end"].max() > "2026-06-30"
    assert {"旺季", "holiday"} == set(spans["situation"])
    text = charts.svg(charts.draw_weights(year, language="zh", labels={"high_season": "旺季"}), "zh")
    assert "旺季" in text and "6月" in text
    assert set(re.findall(r"https?://[^\"' )]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_a_profile_without_situations_is_drawn_too():
    plain = replace(quality.profile("contacts"), situations=())
    frame = quality.weights_over(plain, "2026-01-01", "2026-02-28")
    assert "50%" in charts.svg(charts.draw_weights(frame, language="en"))
