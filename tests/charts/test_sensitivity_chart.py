import pandas as pd
import pytest

from svcanalytics import charts


@pytest.fixture
def shares() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "choice": ["normalisation", "weights", "sampling"],
            "first": [0.3, 0.5, -0.01],
            "total": [0.35, 0.6, 0.005],
            "total_error": [0.02, 0.03, 0.01],
        }
    )


def bars(frame, language="en", **more):
    drawn = charts.draw_sensitivity(frame, language=language, **more).to_dict()
    return pd.DataFrame(drawn["layer"][0]["data"]["values"] if "data" in drawn["layer"][0] else drawn["data"]["values"])


def test_choices_are_drawn_with_the_largest_share_uppermost_and_never_below_zero(shares):
    rows = bars(shares)
    assert rows["label"].tolist() == ["Weights", "How measures are normalised", "Sampling error"]
    assert rows["text"].tolist() == ["50% / 60%", "30% / 35%", "0% / 0%"]
    assert (rows["first"] >= 0).all() and (rows["first"] <= rows["total"]).all() and (rows["low"] >= 0).all()


def test_the_picture_names_choices_in_the_reader_s_language_or_as_the_caller_does(shares):
    text = charts.svg(charts.draw_sensitivity(shares, language="zh"), "zh")
    assert "\u6743\u91cd" in text and "95%" in text
    assert bars(shares, labels={"weights": "Whose weights"})["label"].iloc[0] == "Whose weights"


def test_rows_of_several_units_are_refused(shares):
    with pytest.raises(ValueError, match="several outputs or units"):
        charts.draw_sensitivity(pd.concat([shares, shares]), language="en")
