"""What goes wrong costs exactly what the index would gain without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import metrics, quality
from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.gathering.outcomes import badness, level
from svcanalytics.causes.gathering.pricing import points_of, price
from svcanalytics.periods import parse_period
from svcanalytics.quality import Goalposts, Profile, ProfileMetric

KNOWN = metrics.catalogue().metrics
N = 200


def profile_of(power):
    return Profile(
        "two", {"response": 0.6, "satisfaction": 0.4},
        (
            ProfileMetric("responded_15min", "response", 0.7, Goalposts(0.7, 0.95, 1.0)),
            ProfileMetric("first_response_time", "response", 0.3, Goalposts(3600, 900, 300, "down")),
            ProfileMetric("csat", "satisfaction", 1.0, Goalposts(0.6, 0.9, 1.0)),
        ),
        power=power,
    )  # fmt: skip


def measured(values):
    return pd.DataFrame({"metric": list(values), "period": "2026Q3", "value": list(values.values()), "n": N})


def index(values, profile):
    scores = quality.score(measured(values), profile).scores
    return scores.loc[scores["family"] == "", "score"].item()


@pytest.mark.parametrize("power", [1.0, 0.0])
@pytest.mark.parametrize("metric", ["responded_15min", "first_response_time"])
# Small; across the target; beyond the goal, where nothing more is won.
@pytest.mark.parametrize("part", [0.02, 0.14, 0.99])
def test_points_are_the_difference_of_two_indexes(power, metric, part):
    profile, now = profile_of(power), {"responded_15min": 0.86, "first_response_time": 1500.0, "csat": 0.8}
    bad = 1 - now[metric] if metric == "responded_15min" else now[metric]
    worth, curves = price(measured(now), profile, KNOWN, "2026Q3", {metric: N})
    rows = pd.DataFrame({"id": range(N), "at": pd.Timestamp("2026-07-02"), "bad": bad, "period": "now"})
    material = Material(parse_period("2026Q3"), None, {metric: rows}, worth, curves=curves)
    better = bad * (1 - part)
    without = now | {metric: 1 - better if metric == "responded_15min" else better}
    won = index(without, profile) - index(now, profile)
    assert points_of(material, metric, [N * bad * part])[0] == pytest.approx(won, rel=2e-3 if power != 1 else 1e-9)
    # The slope is what the first of them is worth.
    assert worth["points"].item() == pytest.approx(points_of(material, metric, 1e-3) / 1e-3, rel=1e-2)


def test_a_measure_below_its_floor_costs_nothing_until_it_is_lifted_above():
    now = {"responded_15min": 0.5, "first_response_time": 1500.0, "csat": 0.8}
    worth, curves = price(measured(now), profile_of(1.0), KNOWN, "2026Q3", {"responded_15min": N})
    rows = pd.DataFrame({"id": range(N), "at": pd.Timestamp("2026-07-02"), "bad": 0.5, "period": "now"})
    material = Material(parse_period("2026Q3"), None, {"responded_15min": rows}, worth, curves=curves)
    assert worth["points"].item() == 0
    little, much = points_of(material, "responded_15min", [N * 0.1, N * 0.3])
    assert little == 0 and much == pytest.approx(0.42 * 80 * 0.1 / 0.25)


def test_without_a_price_points_are_missing():
    rows = pd.DataFrame({"id": ["a"], "at": pd.Timestamp("2026-07-02"), "bad": [1.0], "period": ["now"]})
    worth = pd.DataFrame({"metric": ["csat"], "points": [0.2]})
    material = Material(parse_period("2026Q3"), None, {"other": rows, "csat": rows}, worth)
    assert np.isnan(points_of(material, "other", 3.0))
    assert points_of(material, "csat", [1.0, -2.0]).tolist() == [0.2, -0.4]  # no curve: the slope goes on


def test_what_is_better_high_is_turned_round():
    rate, mean, down = KNOWN["csat"], KNOWN["nps"], KNOWN["first_response_time"]
    assert (level(rate, 0.9), level(mean, 30), level(down, 900)) == (pytest.approx(0.1), -30, 900)


def test_parts_of_a_ratio_have_the_ratio_for_their_mean_and_add_up():
    rng = np.random.default_rng(1)
    rows = pd.DataFrame({"numerator": rng.integers(0, 5, 50), "denominator": rng.integers(5, 11, 50)})
    bad = badness(KNOWN["attitude_score"], rows)
    assert bad.mean() == pytest.approx(1 - rows["numerator"].sum() / rows["denominator"].sum())
    constant = badness(KNOWN["attitude_score"], rows.assign(denominator=5))
    assert constant.tolist() == pytest.approx((1 - rows["numerator"] / 5).tolist())
