from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.quality import Goalposts, Profile, ProfileMetric, aggregate, decompose
from svcanalytics.quality.change.leverage import find_leverage, goalpost_slopes

RATE = Goalposts(0.0, 0.8, 1.0)
PROFILE = Profile(
    id="test",
    families={"a": 0.4, "b": 0.35, "c": 0.25},
    metrics=tuple(ProfileMetric(f"m{i}", "aabbcc"[i], 0.5, RATE) for i in range(6)),
    min_coverage=0.0,
)
WEIGHTS = np.array([[0.2, 0.2, 0.175, 0.175, 0.125, 0.125]] * 2)


def shapley(scores, of):
    return decompose(lambda *s: aggregate(np.array([s]), WEIGHTS[0], of).index[0], *scores)


@pytest.mark.parametrize(("power", "within", "off"), [(1, 1, 1e-9), (0, 1, 0.03), (0, 0, 0.03), (-1, -1, 0.15)])
def test_what_a_score_did_is_its_shapley_value_or_close_to_it_under_other_means(power, within, off):
    of, rng = replace(PROFILE, power=power, power_within=within), np.random.default_rng(3)
    for _ in range(10):
        before = rng.uniform(40, 95, 6)
        scores = np.array([before, np.clip(before + rng.normal(0, 10, 6), 1, 100)])
        ours = find_leverage(scores, WEIGHTS, of).score_worth * (scores[1] - scores[0])
        np.testing.assert_allclose(ours, shapley(scores, of), atol=off)


@given(st.integers(0, 2**32 - 1), *[st.sampled_from([1.0, 0.5, 0.0, -1.0, -10.0])] * 2)
def test_scores_and_shifts_add_up_under_any_means_with_zeros_and_gaps(seed, power, within):
    rng = np.random.default_rng(seed)
    of = replace(PROFILE, power=power, power_within=within, min_family_coverage=rng.choice([0.0, 0.6]))
    scores = rng.uniform(0, 100, (2, 6)) * rng.integers(0, 2, (2, 6))
    scores[rng.uniform(size=(2, 6)) < 0.3] = np.nan
    scores[:, 0] = rng.uniform(0, 100, 2)
    scores[:, 1] = np.where(rng.uniform() < 0.5, scores[0, 1], rng.uniform(0, 100, 2))
    weights = rng.dirichlet(np.ones(6), 2)
    before, after = aggregate(scores, weights, of).index
    found = find_leverage(scores, weights, of)
    if np.isnan([before, after]).any():
        return
    parts = np.nansum(found.score_worth * np.diff(scores, axis=0))
    parts += sum(part.sum() for shifts in (found.family_shifts, found.metric_shifts) for part in shifts.values())
    assert parts == pytest.approx(after - before, abs=1e-9)


def test_moving_weight_between_equal_scores_does_nothing():
    weights = np.array([WEIGHTS[0], [0.4, 0.1, 0.2, 0.1, 0.1, 0.1]])
    found = find_leverage(np.full((2, 6), 70.0), weights, PROFILE)
    for shifts in (found.family_shifts, found.metric_shifts):
        np.testing.assert_allclose(np.concatenate(list(shifts.values())), 0, atol=1e-12)


def test_a_slope_runs_from_value_to_value_and_stands_for_both_sides_at_a_goalpost():
    one = replace(PROFILE, families={"a": 1.0}, metrics=(ProfileMetric("m", "a", 1.0, Goalposts(0.5, 0.8, 1.0)),))
    steep, flat = 80 / 0.3, 20 / 0.2
    middle = (steep + flat) / 2
    pairs = [
        (0.6, 0.7, steep),
        (0.7, 0.9, middle),
        (0.2, 0.3, 0),
        (0.9, 0.9, flat),
        (0.8, 0.8, middle),
        (0.5, 0.5, steep / 2),
    ]
    for before, after, slope in pairs:
        found = goalpost_slopes(np.array([before]), np.array([after]), one)
        assert found[0] == pytest.approx(slope, rel=1e-6), (before, after)
