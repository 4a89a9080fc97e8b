from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, ttest_ind

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.comparison.agreement import average_gaps, find_weak, limits_of_agreement, measure_gaps

# Bland and Altman 1986, table 1: first readings of peak flow by two meters, 17 subjects.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def visits(rng: np.random.Generator, places: int, gap: float = 0.0, low: int = -1) -> pd.DataFrame:
    """Return scores of both sides: 4 outside and 30 inside visits a place, as a quarter holds."""
    parts = []
    for place in range(places):
        for side, n in (("outside", 4), ("inside", 30)):
            level = 0.85 - 0.1 * (place == low) + (gap if side == "outside" else 0.0)
            score = rng.normal(level, 0.08, n)
            parts.append(pd.DataFrame({"side": side, "place": f"P{place}", "scene": "on_site", "score": score}))
    return pd.concat(parts, ignore_index=True)


def test_the_limits_of_agreement_are_those_published():
    found = limits_of_agreement(np.subtract(WRIGHT, MINI))
    assert found.bias == pytest.approx(-2.1, abs=0.05)
    spread = (found.upper - found.lower) / 2 / 1.96
    assert spread == pytest.approx(38.8, abs=0.05)
    assert (found.low, found.high) == pytest.approx((-22.0, 17.8), abs=0.1)  # the interval of the bias they give
    with pytest.raises(CatalogueError, match="one pair"):
        limits_of_agreement([0.1])


def test_one_place_is_compared_as_welch_does():
    rows = visits(np.random.default_rng(5), 1, gap=-0.06)
    outside, inside = (rows.loc[rows["side"] == side, "score"] for side in ("outside", "inside"))
    expected = ttest_ind(outside, inside, equal_var=False)
    found = measure_gaps(rows, "place").iloc[0]
    assert found["p_value"] == pytest.approx(expected.pvalue)
    interval = expected.confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))


def test_where_both_sides_see_the_same_a_place_is_called_different_in_one_period_of_twenty():
    rng = np.random.default_rng(11)
    wrong = sum((measure_gaps(visits(rng, 8), "place", within="scene")["verdict"] != "no").any() for _ in range(60))
    assert wrong <= binom.ppf(0.999, 60, 0.05)


def test_a_gap_too_small_for_one_wave_is_found_over_all_places():
    rows = visits(np.random.default_rng(2), 8, gap=-0.05)
    gaps = measure_gaps(rows, "place", within="scene")
    assert (gaps["verdict"] == "no").sum() >= 6
    whole = average_gaps(gaps, "scene").iloc[0]
    assert whole["verdict"] == "lower" and whole["low"] < -0.05 < whole["high"]


def test_the_mean_over_one_place_is_as_sure_as_the_place():
    gaps = measure_gaps(visits(np.random.default_rng(8), 1, gap=-0.04), "place", within="scene")
    same = ["difference", "error", "low", "high", "p_value"]
    assert average_gaps(gaps, "scene")[same].iloc[0].tolist() == pytest.approx(gaps[same].iloc[0].tolist())


def test_only_places_below_the_others_for_sure_are_weak():
    rows = visits(np.random.default_rng(3), 6, low=2)
    inside = find_weak(rows[rows["side"] == "inside"], "place")
    assert inside["place"].iloc[0] == "P2" and inside["weak"].tolist() == [True] + [False] * 5
    assert not find_weak(visits(np.random.default_rng(4), 6), "place")["weak"].any()


def test_places_that_one_side_alone_visited_are_left_out():
    rows = visits(np.random.default_rng(1), 2)
    rows = rows[(rows["side"] == "inside") | (rows["place"] == "P0")]
    assert measure_gaps(rows, "place")["place"].tolist() == ["P0"]
    assert measure_gaps(rows[rows["side"] == "inside"], "place").empty
    single = rows.drop_duplicates(["side", "place"])
    assert measure_gaps(single, "place")[["low", "p_value"]].isna().all(axis=None)
