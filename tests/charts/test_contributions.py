import numpy as np
import pandas as pd
import pytest

from svcanalytics import charts, quality
from svcanalytics.errors import CatalogueError

CAUSES = pd.DataFrame(
    {
        "label": ["First response, web", "Reopened, Technical", "other", "weights"],
        "contribution": [3.0, -0.9, -0.1, 0.2], "low": [2.1, -1.3, -1.0, np.nan], "high": [3.9, -0.5, 0.8, np.nan],
        "certain": [True, True, False, True], "neutral": [False, False, False, True],
    }
)  # fmt: skip


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_waterfall_leads_from_one_value_to_the_other_and_says_what_is_sure(language):
    chart = charts.draw_contributions(CAUSES, language=language, before=("Q2", 76.2), after=("Q3", 78.4))
    rows = chart.to_dict()["data"]["values"]
    assert rows[0]["end"] == 76.2 and rows[-1]["start"] == 78.4
    ends = [row["end"] for row in rows[:-1]]
    assert [row["start"] for row in rows[1:]] == pytest.approx(ends)
    assert rows[1]["low"] == pytest.approx(76.2 + 2.1) and rows[4]["low"] is None
    hollow = [row["label"] for row in rows if row["fill"] == "white"]
    assert hollow == ["other"]
    text = charts.svg(chart, language)
    assert "+3.0" in text and "\u22120.9" in text and "76.2" in text


def test_a_waterfall_that_does_not_arrive_is_refused():
    with pytest.raises(CatalogueError, match="miss the difference"):
        charts.draw_contributions(CAUSES, language="en", before=("Q2", 76.2), after=("Q3", 80.0))
    with pytest.raises(CatalogueError, match="between which values"):
        charts.draw_contributions(CAUSES, language="en")


def test_an_explanation_is_drawn_as_it_comes():
    measures = pd.DataFrame(
        {
            "metric": ["answered", "solved"] * 2,
            "period": ["2026-09"] * 2 + ["2026-10"] * 2,
            "value": [0.5, 0.5, 0.8, 0.4],
        }
    ).assign(low=lambda f: f["value"] - 0.01, high=lambda f: f["value"] + 0.01)
    posts = quality.Goalposts(0.0, 0.8, 1.0)
    metrics = tuple(quality.ProfileMetric(m, "all", 0.5, posts) for m in ("answered", "solved"))
    profile = quality.Profile("one", {"all": 1.0}, metrics)
    told = quality.top_contributions(quality.explain(measures, profile, "2026-10", "2026-09"))
    rows = charts.draw_contributions(told, language="en").to_dict()["data"]["values"]
    assert [row["label"] for row in rows] == ["2026-09", "answered", "solved", "2026-10"]
    assert rows[0]["end"] == pytest.approx(50) and rows[-1]["start"] == pytest.approx(60)
