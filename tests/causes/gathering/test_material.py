"""The material of an analysis is checked where it is made."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics.causes.gathering.material import Material, dimensions_of
from svcanalytics.errors import CauseError
from svcanalytics.periods import parse_period

ROWS = pd.DataFrame(
    {
        "id": ["a", "b"],
        "at": pd.to_datetime(["2026-07-01", "2026-04-02"]),
        "bad": [1, 0],
        "period": ["now", "before"],
        "agent": ["x", "y"],
        "team": ["A", "B"],
    }
)
WORTH = pd.DataFrame({"metric": ["csat"], "points": [0.1]})


def make(rows=ROWS, worth=WORTH, **frames):
    return Material(parse_period("2026Q3"), parse_period("2026Q2"), {"csat": rows}, worth, **frames)


def test_what_is_not_given_is_an_empty_frame_with_its_columns():
    material = make()
    assert material.texts.columns.tolist() == ["id", "at", "text"] and material.texts.empty
    assert dimensions_of(ROWS) == ["team"]  # an agent is a person


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (ROWS.drop(columns="at"), "no column 'at'"),
        (ROWS.assign(at=ROWS["at"].dt.tz_localize("UTC")), "naive local time"),
        (ROWS.assign(bad=[1.0, None]), "missing or no number"),
        (ROWS.assign(bad=["1", "0"]), "missing or no number"),
        (ROWS.assign(period=["now", "then"]), "'then'"),
    ],
)
def test_rows_that_can_not_be_compared_are_refused(rows, said):
    with pytest.raises(CauseError, match=said):
        make(rows)


def test_a_price_is_given_once_and_never_negative():
    with pytest.raises(CauseError, match="negative"):
        make(worth=WORTH.assign(points=-1.0))
    with pytest.raises(CauseError, match="twice"):
        make(worth=pd.concat([WORTH, WORTH]))
