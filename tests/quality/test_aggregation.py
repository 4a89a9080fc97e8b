from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from svcanalytics.quality import Goalposts, Profile, ProfileMetric, aggregate
from svcanalytics.quality.aggregation import combine, credit, share

POSTS = Goalposts(0, 80, 100)
PROFILE = Profile(
    id="test",
    families={"response": 0.3, "resolution": 0.5, "risk": 0.2},
    metrics=(
        ProfileMetric("answered", "response", 0.75, POSTS),
        ProfileMetric("wait", "response", 0.25, POSTS),
        ProfileMetric("resolved", "resolution", 0.5, POSTS),
        ProfileMetric("reopened", "resolution", 0.2, POSTS),
        ProfileMetric("repeated", "resolution", 0.3, POSTS),
        ProfileMetric("restored", "risk", 1.0, POSTS),
    ),
    min_coverage=0.4,
    min_family_coverage=0.3,
)
GIVEN = np.array([PROFILE.families[m.family] * m.weight for m in PROFILE.metrics])
POWERS = (1.0, 0.5, 0.0, -1.0, -3.0)


def plain(row, profile):
    """Return the index and the family scores of one row of scores, in plain loops."""

    def mean(pairs, power):
        pairs = [(w, s if power > 0 else max(s, 1.0)) for w, s in pairs if w > 0]
        total = sum(w for w, _ in pairs)
        if power == 0:
            return float(np.prod([s ** (w / total) for w, s in pairs]))
        if power < 0 or all(s > 0 for _, s in pairs) or power == 1:
            return sum(w / total * s**power for w, s in pairs) ** (1 / power)
        return sum(w / total * s**power for w, s in pairs if s > 0) ** (1 / power)

    families, counted = {}, 0.0
    for family, weight in profile.families.items():
        mine = [(m.weight, s) for m, s in zip(profile.metrics, row, strict=True) if m.family == family]
        there = [(w, s) for w, s in mine if not np.isnan(s)]
        coverage = sum(w for w, _ in there)
        if there and coverage >= profile.min_family_coverage:
            families[family] = mean(there, profile.power_within)
            counted += coverage * weight
    if not families or counted < profile.min_coverage - 1e-12:
        return np.nan, families
    return mean([(profile.families[f], s) for f, s in families.items()], profile.power), families


rows = arrays("float64", (4, 6), elements=st.one_of(st.floats(0, 100), st.just(np.nan)))


@given(rows, st.sampled_from(POWERS), st.sampled_from(POWERS))
def test_families_and_index_are_those_of_plain_loops_under_every_mean(scores, between, within):
    profile = replace(PROFILE, power=between, power_within=within)
    found = aggregate(scores, GIVEN, profile)
    for row, index, families in zip(scores, found.index, found.families, strict=True):
        expected, by_family = plain(row, profile)
        np.testing.assert_allclose(index, expected, rtol=1e-9, atol=1e-9)
        named = [by_family.get(f, np.nan) for f in profile.families]
        np.testing.assert_allclose(families, named, rtol=1e-9, atol=1e-9)


def test_a_geometric_and_a_harmonic_mean_make_up_less_for_a_weak_score():
    """Of 80 and 20 in equal parts: 50, 40 and 32."""
    two = Profile("t", {"f": 1.0}, tuple(ProfileMetric(name, "f", 0.5, POSTS) for name in "ab"))
    found = [aggregate([[80.0, 20.0]], [0.5, 0.5], replace(two, power_within=p)).index[0] for p in (1, 0, -1)]
    assert found == pytest.approx([50, 40, 32])
    assert aggregate([[81.0, 0.0]], [0.5, 0.5], replace(two, power_within=0.0)).index[0] == pytest.approx(9)


@given(rows, st.sampled_from(list(pairwise(POWERS))))
def test_the_lower_the_power_the_lower_the_index_and_it_stays_between_the_scores(scores, powers):
    high, low = (aggregate(scores, GIVEN, replace(PROFILE, power=p, power_within=p)).index for p in powers)
    there = ~np.isnan(high)
    lifted = np.nan_to_num(scores, nan=1.0) >= 1  # below 1 the rule for zeros counts
    there &= lifted.all(axis=1)
    assert (low[there] <= high[there] + 1e-9).all()
    assert (low[there] >= np.nanmin(scores[there], axis=1) - 1e-9).all() if there.any() else True


@given(rows, st.sampled_from(POWERS), st.sampled_from(POWERS), st.permutations(range(6)))
def test_points_add_up_to_the_index_under_every_mean_whatever_the_order_of_metrics(scores, between, within, order):
    profile = replace(PROFILE, power=between, power_within=within)
    shares = share(~np.isnan(scores), GIVEN, profile)
    points = credit(scores, shares, profile)
    index = combine(scores, shares, profile).index
    np.testing.assert_allclose(points.sum(axis=1), np.nan_to_num(index), atol=1e-9)
    if between == within == 1:
        np.testing.assert_allclose(points, np.nan_to_num(shares.used * scores), atol=1e-9)
    turned = replace(profile, metrics=tuple(profile.metrics[i] for i in order))
    other = credit(scores[:, order], share(~np.isnan(scores[:, order]), GIVEN[order], turned), turned)
    np.testing.assert_allclose(other, points[:, order], atol=1e-9)


@pytest.mark.parametrize("power", [0.5, 0.0, -1.0])
def test_points_are_what_each_metric_costs_on_the_way_down_from_a_full_score(power):
    """Second derivation: the marginal effects summed up along the way, in 20,000 steps."""
    weights = {"a": 0.5, "b": 0.3, "c": 0.2}
    one = Profile("t", {"f": 1.0}, tuple(ProfileMetric(name, "f", w, POSTS) for name, w in weights.items()))
    profile, weight = replace(one, power_within=power), np.array([0.5, 0.3, 0.2])
    scores = np.array([[90.0, 35.0, 100.0]])

    def scale(s):
        return np.log(s) if power == 0 else s**power

    at = scale(100.0) + (np.arange(20_000)[:, None] + 0.5) / 20_000 * (scale(scores) - scale(100.0))
    path = np.exp(at) if power == 0 else at ** (1 / power)
    step = np.diff(scale(np.vstack([[100.0] * 3, scores[0]])), axis=0) / 20_000
    mean = aggregate(path, weight, profile).index[:, None]
    marginal = weight * (mean / path) ** (1 - power)
    slope = path if power == 0 else path ** (1 - power) / power
    costs = (marginal * slope * step).sum(axis=0)
    found = credit(scores, share(~np.isnan(scores), weight, profile), profile)[0]
    np.testing.assert_allclose(found, 100 * weight + costs, atol=1e-6)
    assert found[2] == pytest.approx(20)


def test_a_score_can_cost_more_than_its_weight_where_it_is_not_made_up_for():
    two = Profile("t", {"a": 0.5, "b": 0.5}, tuple(ProfileMetric(n, n, 1.0, POSTS) for n in "ab"), power=0.0)
    points = credit(np.array([[100.0, 1.0]]), share(np.ones((1, 2), bool), np.array([0.5, 0.5]), two), two)
    np.testing.assert_allclose(points, [[50, -40]])


def test_draws_before_the_rows_give_what_each_would_alone():
    rng = np.random.default_rng(2)
    draws = rng.uniform(0, 100, (3, 4, 5, 6))
    draws[..., 1, 2] = np.nan
    weights = rng.dirichlet(np.ones(6), (4, 5))
    profile = replace(PROFILE, power=0.5)
    together = aggregate(draws, weights, profile)
    shares = share(~np.isnan(draws[0]), weights, profile)
    np.testing.assert_array_equal(combine(draws, shares, profile).index, together.index)
    for i, j in np.ndindex(3, 4):
        alone = aggregate(draws[i, j], weights[j], profile)
        np.testing.assert_allclose(together.index[i, j], alone.index)
        np.testing.assert_allclose(together.families[i, j], alone.families)


def test_a_family_that_weighs_nothing_is_scored_by_the_profiles_weights_and_moves_nothing():
    weights = GIVEN * [0, 0, 1, 1, 1, 1] / 0.7
    scores = np.array([[80.0, 40, 90, 60, 30, 50]])
    found = aggregate(scores, weights, PROFILE)
    assert found.families[0, 0] == pytest.approx(70)
    assert found.index[0] == pytest.approx((0.5 * 66 + 0.2 * 50) / 0.7)
    assert aggregate(scores * [[0, 0, 1, 1, 1, 1]], weights, PROFILE).index[0] == pytest.approx(found.index[0])
