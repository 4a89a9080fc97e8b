"""The cube holds every combination of values that occurs, and sums over it equal a plain loop."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.causes.cube import build
from svcanalytics.errors import CauseError

rows = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["x", None, "z"]), st.integers(0, 3)), min_size=1)


def by_loop(frame, quantity, depth):
    sums = {}
    for number in range(1, depth + 1):
        for chosen in combinations(frame.columns, number):
            for row, amount in zip(frame[list(chosen)].itertuples(index=False), quantity, strict=True):
                texts = ["" if pd.isna(value) else str(value) for value in row]
                name = "&".join(f"{column}={text}" for column, text in zip(chosen, texts, strict=True))
                sums[name] = sums.get(name, 0.0) + amount
    return sums


@given(rows, st.integers(1, 3))
@settings(deadline=None, max_examples=60)
def test_sums_over_all_segments_equal_a_plain_loop(values, depth):
    frame = pd.DataFrame(values, columns=["p", "q", "r"])
    quantity = np.arange(len(frame), dtype="float64") + 0.5
    cube = build(frame, ["p", "q", "r"], depth)
    found = {cube.name(s): total for s, total in enumerate(cube.total(quantity))}
    assert found == pytest.approx(by_loop(frame, quantity, depth))
    np.testing.assert_allclose(cube.members() @ quantity, cube.total(quantity))


@given(rows)
@settings(deadline=None, max_examples=30)
def test_the_order_of_rows_changes_nothing(values):
    frame = pd.DataFrame(values, columns=["p", "q", "r"])
    turned = frame.iloc[::-1].reset_index(drop=True)
    one, other = build(frame, ["p", "q"]), build(turned, ["p", "q"])
    assert [one.name(s) for s in range(len(one.first))] == [other.name(s) for s in range(len(other.first))]


def test_a_dimension_of_very_many_values_keeps_its_most_frequent_and_says_so():
    frame = pd.DataFrame({"customer": [f"c{i}" for i in range(100_000)] + ["often"] * 50, "team": "A"})
    cube = build(frame, ["customer", "team"], most_values=10)
    names = {cube.name(s) for s in range(len(cube.first))}
    assert {"customer=often", "customer=other", "team=A"} <= names and len(names) == 21
    assert cube.rare == {"customer": 100_001 - 9}


@pytest.mark.parametrize(
    ("by", "depth", "words"), [([], 3, "no dimension"), (["nobody"], 3, "no column 'nobody'"), (["p"], 0, "depth of 0")]
)
def test_what_can_not_be_combined_is_named(by, depth, words):
    with pytest.raises(CauseError, match=words):
        build(pd.DataFrame({"p": ["a"]}), by, depth)


def test_no_cases_at_all_are_an_error():
    with pytest.raises(CauseError, match="no cases"):
        build(pd.DataFrame({"p": []}), ["p"])
