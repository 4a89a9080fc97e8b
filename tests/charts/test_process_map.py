"""The map of a process and its rows: nothing overlaps, lines lead where they should, and the text is text."""

from __future__ import annotations

import itertools
import re

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics import charts
from svcanalytics.charts.durations import duration_text, wait_class
from svcanalytics.charts.layering import lay_out_links


def activities_of(*rows: tuple[str, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["activity", "n", "starts", "ends"])


def transitions_of(*rows: tuple[str, str, int, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["source", "target", "n", "median_s"])


SMALL = (
    activities_of(("登记", 100, 100, 0), ("Check & approve the whole application", 120, 0, 10), ("close", 90, 0, 90)),
    transitions_of(
        ("登记", "Check & approve the whole application", 100, 600.0),
        ("Check & approve the whole application", "close", 90, 200_000.0),
        ("Check & approve the whole application", "Check & approve the whole application", 20, 60.0),
        ("close", "登记", 3, 5000.0),
    ),
)


@settings(max_examples=80)
@given(
    st.dictionaries(
        st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh")), st.integers(1, 99), max_size=20
    )
)
def test_boxes_stand_apart_and_every_link_leads_from_its_source_to_its_target(links):
    links = {link: float(n) for link, n in links.items() if link[0] != link[1]}
    names = sorted({name for link in links for name in link})
    layout = lay_out_links(names, links)
    assert set(layout.boxes) == set(names) and set(layout.lines) == set(links)
    for layer in {y for _, y in layout.boxes.values()}:
        places = sorted(x for x, y in layout.boxes.values() if y == layer)
        assert len(places) <= 4
        assert all(b - a >= 1 - 1e-9 for a, b in itertools.pairwise(places))
    for link, points in layout.lines.items():
        assert (points[0], points[-1]) == (layout.boxes[link[0]], layout.boxes[link[1]])
        steps = {b[1] - a[1] for a, b in itertools.pairwise(points)}
        assert steps == ({-1.0} if link in layout.back else {1.0})


def test_a_chain_stands_in_one_column_without_links_back():
    layout = lay_out_links("abcd", {("a", "b"): 1, ("b", "c"): 1, ("c", "d"): 1})
    assert not layout.back and len({x for x, _ in layout.boxes.values()}) == 1
    assert [layout.boxes[name][1] for name in "abcd"] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", ("Start", "100 + 20 again", "90 · 2.3 d")), ("zh", ("开始", "100次（重复20）", "90 · 2.3天"))],
)
def test_a_map_names_its_steps_counts_and_waits_as_text(language, words):
    drawn = charts.svg(charts.draw_process_map(*SMALL, language=language), language)
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", drawn)
    for word in (*words, "登记", "close", "Check &amp; approve the"):
        assert any(word in text for text in texts), (word, texts)
    assert drawn == charts.svg(charts.draw_process_map(*SMALL, language=language), language)


def test_a_map_of_many_steps_shows_the_most_frequent_and_says_how_much_that_is():
    names = [f"s{i:02d}" for i in range(30)]
    activities = activities_of(*((name, 1000 - 30 * i, 1000 * (i == 0), 10) for i, name in enumerate(names)))
    transitions = transitions_of(*((a, b, 100, 60.0) for a, b in itertools.pairwise(names)))
    drawn = charts.svg(charts.draw_process_map(activities, transitions, language="en", boxes=8))
    assert "s07" in drawn and "s08" not in drawn
    assert "8 of 30 kinds of steps" in drawn and "24% of all steps taken" in drawn


def test_a_process_of_one_step_can_be_drawn():
    drawn = charts.svg(charts.draw_process_map(activities_of(("open", 5, 5, 5)), transitions_of(), language="zh"), "zh")
    assert "open" in drawn and "5件" in drawn


@pytest.mark.parametrize("language", ["en", "zh"])
def test_waiting_and_bottlenecks_are_drawn_with_their_numbers(language):
    split = pd.DataFrame({"source": ["A"], "activity": ["B"], "n": [10], "wait_s": [36_000]})
    for part, seconds in {"batching": 6000, "contention": 30_000}.items():
        split[f"{part}_s"] = seconds
    for part in ("prioritisation", "unavailability", "extraneous", "unsplit"):
        split[f"{part}_s"] = 0
    drawn = charts.svg(charts.draw_waiting(split, language=language), language)
    assert "A → B" in drawn and ("batching" if language == "en" else "攒批") in drawn
    assert ("off duty" if language == "en" else "非工作时间") not in drawn  # no such part, no such colour
    rows = pd.DataFrame(
        {"kind": ["step", "rework"], "source": ["", ""], "activity": ["B", "C"], "median_h": [2.0, 0.0]}
        | {name: [30.0, 5.0] for name in ("p90_h", "p90_low", "p90_high")}
    )
    drawn = charts.svg(charts.draw_bottlenecks(rows, language=language), language)
    assert ("before B" if language == "en" else "B之前的等待") in drawn
    assert ("1.2 d" if language == "en" else "1.2天") in drawn


def test_durations_are_written_with_few_figures():
    assert [duration_text(s, "en") for s in (0, 59, 60, 5400, 86_400, 9e8)] == [
        "0 s",
        "59 s",
        "1 min",
        "1.5 h",
        "1 d",
        "10,417 d",
    ]
    assert [wait_class(s) for s in (0, 899, 900, 86_399, 86_400)] == [0, 0, 1, 3, 4]
