from __future__ import annotations

import pandas as pd
import pytest
from defusedxml.ElementTree import fromstring

from svcanalytics import charts
from svcanalytics.charts.characters import readable, readable_json


@pytest.mark.parametrize("mark", ["\x00", "\x07", "\x1b", "\x7f", "\ud800", "\ufffe", "\u202e", "<b>", "&", "'", '"'])
def test_a_name_with_characters_no_picture_can_hold_is_drawn_all_the_same(mark):
    """One of them once aborted the whole process, with no exception to catch."""
    groups = [f"a{mark}b", "other"]
    frame = pd.DataFrame([{"period": "2026-10", "group": group, "count": 5} for group in groups])
    drawn = charts.svg(charts.draw_volume(frame, language="en", groups=groups), "en")
    assert readable(f"a{mark}b") in "".join(fromstring(drawn).itertext())


def test_nothing_but_unprintable_characters_is_replaced():
    text = "人工 ok\t\n\u202e\u2066😀'\"<&>"
    assert readable(text) == text
    assert readable("a\r\nb\x00") == "a\nb\N{SYMBOL FOR NULL}"
    assert readable_json({"a": ["\x00", 1, None], "svg": "\x00"}, leave=("svg",)) == {
        "a": ["␀", 1, None],
        "svg": "\x00",
    }
