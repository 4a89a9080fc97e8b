"""The picture of a chain of whys: every answer with its amount, readable in both languages."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics.charts import draw_why, svg
from svcanalytics.errors import CauseError

LINKS = pd.DataFrame(
    [
        ("measure", "", "", "", 251.0, 180.0, 322.0, None),
        ("split", "team", "C", "", 150.0, 110.0, 190.0, 0.6),
        ("course", "wait_check", ">12.5", "process", 120.0, 90.0, 150.0, 0.8),
        ("circumstance", "tenure_days", "<=60", "people", 95.0, -5.0, 140.0, 0.63),
    ],
    columns=["kind", "column", "value", "layer", "amount", "low", "high", "share"],
).astype({"share": "float64"})


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["Late got worse", "Why? team = C", "wait_check", "95 (\u22125 to 140), 63% of it", "people"]),
        ("zh", ["Late变差", "为什么\uff1fteam = C", "95\uff08\u22125～140\uff09\uff0c占63%", "人员"]),
    ],
)
def test_every_answer_stands_in_the_picture_with_its_amount(language, said):
    drawn = svg(draw_why(LINKS, language=language, measure="Late"), language)
    assert all(text.replace("<", "&lt;") in drawn for text in said)


def test_a_label_of_ones_own_replaces_the_columns_name():
    labelled = LINKS.assign(label=["", "team C", "wait for the supplier", "new staff"])
    drawn = svg(draw_why(labelled, language="en"))
    assert "Why that? new staff" in drawn and "tenure_days" not in drawn


def test_an_empty_chain_and_a_frame_of_something_else_are_refused():
    with pytest.raises(CauseError, match="the chain is empty"):
        draw_why(LINKS.head(0), language="en")
    with pytest.raises(CauseError, match="no column 'share'"):
        draw_why(LINKS.drop(columns="share"), language="en")
