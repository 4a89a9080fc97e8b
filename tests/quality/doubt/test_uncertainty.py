from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, norm

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality import Dependence, Goalposts, Method, Profile, ProfileMetric, propagate, score
from svcanalytics.quality.cells import read_cells
from svcanalytics.quality.doubt.curves import GRID, read_errors, value_curves

RATE = Goalposts(0.0, 0.8, 1.0)  # the score is 100 times the rate: nothing bends
WAIT = Goalposts(100, 20, 0, "down")  # the score is 100 less the wait
PROFILE = Profile(
    id="test",
    families={"response": 0.5, "resolution": 0.5},
    metrics=(
        ProfileMetric("answered", "response", 0.6, RATE),
        ProfileMetric("wait", "response", 0.4, WAIT),
        ProfileMetric("resolved", "resolution", 1.0, RATE),
    ),
)
WEIGHTS = {"answered": 0.3, "wait": 0.2, "resolved": 0.5}
VALUES = {"answered": 0.7, "wait": 40.0, "resolved": 0.6}
SPREAD = {"answered": 0.02, "wait": 3.0, "resolved": 0.04}


def measures(values=VALUES, spread=SPREAD, period="2026-10", **columns):
    """Measures with normal errors of a given standard deviation."""
    rows = [
        {"metric": m, "period": period, "value": v, "low": v - 1.959964 * spread[m], "high": v + 1.959964 * spread[m]}
        for m, v in values.items()
    ]
    return pd.DataFrame(rows).assign(flag="", **columns)


def rates(hits, trials, metric="resolved", **columns):
    low, high = wilson_interval(hits, trials)
    frame = {"metric": metric, "period": "2026-10", "value": np.divide(hits, trials), "low": low, "high": high}
    return pd.DataFrame(frame | {"n": trials, "numerator": hits, "denominator": trials}).assign(**columns)


def teams(count, seed=0, spread=SPREAD):
    rng = np.random.default_rng(seed)
    parts = [
        measures({m: v * rng.uniform(0.9, 1.1) for m, v in VALUES.items()}, spread, team=f"T{number}")
        for number in range(count)
    ]
    return pd.concat(parts, ignore_index=True)


def of_index(result, column, family=""):
    return result.scores.loc[result.scores["family"] == family, column].to_numpy()


def correlated(r, factor=1.0):
    names = list(WEIGHTS)
    matrix = np.full((3, 3), r) + (1 - r) * np.eye(3)
    return Dependence(pd.DataFrame(matrix, names, names), pd.Series(factor, index=names))


def test_the_band_of_a_straight_index_of_independent_normals_is_their_root_of_squares():
    result = propagate(measures(), PROFILE, draws=40_000, level=0.9)
    scale = {"answered": 100, "wait": 1, "resolved": 100}
    true = np.sqrt(sum((WEIGHTS[m] * scale[m] * SPREAD[m]) ** 2 for m in WEIGHTS))
    index = of_index(result, "score")[0]
    assert of_index(result, "std")[0] == pytest.approx(true, rel=0.02)
    assert of_index(result, "low")[0] == pytest.approx(index - norm.ppf(0.95) * true, abs=0.06)
    assert of_index(result, "high")[0] == pytest.approx(index + norm.ppf(0.95) * true, abs=0.06)
    assert of_index(result, "std", "response")[0] == pytest.approx(np.hypot(0.6 * 2, 0.4 * 3), rel=0.02)


@pytest.mark.parametrize("r", [0.5, -0.3])
def test_correlated_errors_widen_the_band_by_their_covariances_and_a_wait_pulls_the_other_way(r):
    errors = np.array([0.3 * 2, -0.2 * 3, 0.5 * 4])  # a longer wait lowers the index
    matrix = np.full((3, 3), r) + (1 - r) * np.eye(3)
    true = np.sqrt(1.3 * errors @ matrix @ errors)
    drawn = propagate(measures(), PROFILE, draws=40_000, dependence=correlated(r, 1.3))
    assert of_index(drawn, "std")[0] == pytest.approx(true, rel=0.02)
    closed = score(measures(), PROFILE, dependence=correlated(r, 1.3))
    assert of_index(closed, "high")[0] - of_index(closed, "score")[0] == pytest.approx(1.959964 * true, rel=1e-6)
    assert of_index(closed, "score")[0] - of_index(closed, "low")[0] == pytest.approx(1.959964 * true, rel=1e-6)


def test_independent_errors_are_the_closed_form_without_dependence():
    plain, none = (score(measures(), PROFILE, dependence=d).scores for d in (None, Dependence.none(list(WEIGHTS))))
    pd.testing.assert_frame_equal(plain, none)


def test_a_rate_is_drawn_along_the_ends_of_its_wilson_interval():
    frame = rates([9, 0, 20], [10, 30, 20], team=["A", "B", "C"])
    cells = read_cells(frame, PROFILE)
    curves = value_curves(read_errors(frame, cells, list(WEIGHTS)), np.ones(3))[:, 2]
    for row, (hits, trials) in enumerate([(9, 10), (0, 30), (20, 20)]):
        for z in (1.0, 2.5):
            low, high = wilson_interval([hits], [trials], level=2 * norm.cdf(z) - 1)
            assert np.interp([-z, z], GRID, curves[row]) == pytest.approx([low[0], high[0]], abs=1e-9)


def test_the_band_of_a_small_rate_is_skewed_as_its_exact_posterior_is():
    profile = Profile("one", {"resolution": 1.0}, (ProfileMetric("resolved", "resolution", 1.0, RATE),))
    result = propagate(rates([18], [20]), profile, draws=20_000, level=0.9)
    below, above = (
        of_index(result, "score") - of_index(result, "low"),
        of_index(result, "high") - of_index(result, "score"),
    )
    exact = 100 * beta.ppf([0.05, 0.95], 18.5, 2.5)
    assert below > 1.5 * above
    assert (below + above)[0] == pytest.approx(exact[1] - exact[0], rel=0.15)


def test_a_measure_without_an_interval_has_no_error_and_one_end_stands_for_both():
    frame = measures().assign(low=[np.nan, 30.0, np.nan], high=[np.nan, np.nan, np.nan])
    errors = read_errors(frame, read_cells(frame, PROFILE), list(WEIGHTS))
    assert errors.below.tolist() == errors.above.tolist() == [[0.0, pytest.approx(10 / 1.959964), 0.0]]


def test_a_metric_beyond_its_goal_does_not_push_the_band_off_the_index():
    """Twelve metrics that just reach their goal: drawn values can only be worse, the band still holds the index."""
    names = [f"m{number}" for number in range(12)]
    posts = Goalposts(0.5, 0.8, 0.9)
    profile = Profile("many", {"all": 1.0}, tuple(ProfileMetric(name, "all", 1 / 12, posts) for name in names))
    frame = pd.concat([rates([90], [100], name) for name in names], ignore_index=True)
    result = propagate(frame, profile)
    assert result.draws[0, 0].mean() == pytest.approx(of_index(result, "score")[0], abs=0.6)
    assert of_index(result, "low")[0] < of_index(result, "score")[0] <= of_index(result, "high")[0] == 100


def test_a_missing_measure_counts_as_score_counts_it_and_an_index_not_given_has_no_band():
    frame = pd.concat(
        [measures(team="A"), measures({"answered": 0.7}, team="B"), measures({"resolved": 0.6}, team="C")]
    )
    result = propagate(frame, PROFILE, draws=200)
    pd.testing.assert_series_equal(result.scores["score"], score(frame, PROFILE).scores["score"])
    b = result.scores[result.scores["unit"] == "B"].set_index("family")
    assert b.loc[["", "resolution"], ["low", "high", "std"]].isna().all(axis=None) and b.loc["response", "std"] > 0
    assert result.ranks["unit"].tolist() == ["A", "C"]


def test_weights_of_each_period_and_the_profile_s_own_mean_flow_through():
    spread = dict.fromkeys(VALUES, 0.0)
    frame = pd.concat([measures(spread=spread, period="2026-09"), measures(spread=spread)])
    other = pd.concat(
        [
            pd.DataFrame({"metric": list(WEIGHTS), "period": "2026-09", "weight": [0.1, 0.1, 0.8]}),
            pd.DataFrame({"metric": list(WEIGHTS), "period": "2026-10", "weight": [0.7, 0.1, 0.2]}),
        ]
    )
    harmonic = replace(PROFILE, power=-1.0, power_within=0.0)
    drawn = propagate(frame, harmonic, weights=other, draws=20).draws[:, :, 0].ravel()
    assert drawn == pytest.approx(score(frame, harmonic, weights=other).scores["score"].to_numpy(), abs=1e-4)


def test_the_same_seed_gives_the_same_draws_whoever_else_is_there_and_in_whatever_order():
    frame = teams(9)
    whole = propagate(frame, PROFILE, seed=3, draws=100)
    shuffled = propagate(frame.sample(frac=1, random_state=1), PROFILE, seed=3, draws=100)
    pd.testing.assert_frame_equal(whole.scores, shuffled.scores)
    pd.testing.assert_frame_equal(whole.ranks, shuffled.ranks)
    alone = propagate(frame[frame["team"] == "T4"], PROFILE, seed=3, draws=100)
    there = whole.rows["unit"] == "T4"
    assert (alone.draws[0] == whole.draws[there][0]).all()
    assert (propagate(frame, PROFILE, seed=4, draws=100).draws != whole.draws).any()


@settings(max_examples=15)
@given(st.integers(2, 7), st.integers(0, 1000), st.booleans())
def test_places_grow_to_one_add_up_to_k_and_agree_with_the_expected_rank(count, seed, same):
    frame = pd.concat([measures(team=f"T{i}") for i in range(count)]) if same else teams(count, seed)
    result = propagate(frame, PROFILE, draws=50, seed=seed)
    table = result.places("2026-10").pivot_table("probability", "unit", "k")
    assert (np.diff(table, axis=1) >= -1e-12).all() and table[count].to_numpy() == pytest.approx(1)
    assert table.sum().to_numpy() == pytest.approx(np.arange(1, count + 1))
    ranks = result.ranks.set_index("unit")
    assert (count + 1 - table.sum(axis=1)).to_numpy() == pytest.approx(ranks.loc[table.index, "expected"].to_numpy())
    assert table[1].to_numpy() == pytest.approx(ranks.loc[table.index, "first"].to_numpy())
    assert (ranks["low"] <= ranks["high"]).all() and ranks["rank"].min() == 1


def test_who_is_better_agrees_with_the_normal_closed_form_and_pairs_add_up_to_one():
    frame = pd.concat([measures(team="A"), measures(VALUES | {"resolved": 0.63}, team="B")])
    better = propagate(frame, PROFILE, draws=40_000).better("2026-10")
    std = np.sqrt(2) * np.sqrt(0.6**2 + 0.6**2 + 2.0**2)
    assert better.loc["B", "A"] == pytest.approx(norm.cdf(1.5 / std), abs=0.01)
    assert better.loc["A", "B"] + better.loc["B", "A"] == pytest.approx(1) and better.loc["A", "A"] == 0.5


def test_a_change_is_certain_when_its_drawn_interval_leaves_out_zero():
    far = {m: v * 1.15 for m, v in VALUES.items() if m != "wait"} | {"wait": 40.0}
    frame = pd.concat([measures(period="2026-09"), measures(far)])
    change = propagate(frame, PROFILE).change("2026-10", "2026-09")
    closed = score(frame, PROFILE).change("2026-10", "2026-09")
    assert change.certain and change.value == pytest.approx(closed.value)
    assert (change.low, change.high) == pytest.approx((closed.low, closed.high), abs=0.6)
    assert not propagate(measures().assign(period="2026-09"), PROFILE).change("2026-09", "2026-09").certain


def test_doubtful_weights_have_the_spread_of_their_dirichlet_distribution():
    frame = measures(spread=dict.fromkeys(VALUES, 0.0))
    result = propagate(frame, PROFILE, draws=40_000, weight_spread=50.0)
    weights, scores = np.array(list(WEIGHTS.values())), np.array([70.0, 60.0, 60.0])
    variance = (weights @ scores**2 - (weights @ scores) ** 2) / 51
    assert of_index(result, "std")[0] == pytest.approx(np.sqrt(variance), rel=0.02)


def test_weights_learned_with_intervals_are_drawn_from_these():
    frame = measures(spread=dict.fromkeys(VALUES, 0.0))
    learned = pd.DataFrame({"metric": ["resolved"], "weight": [0.5], "low": [0.5], "high": [0.5]})
    assert of_index(propagate(frame, PROFILE, weight_spread=learned), "std")[0] == pytest.approx(0, abs=1e-5)
    wide = learned.assign(low=0.4, high=0.6)
    assert of_index(propagate(frame, PROFILE, weight_spread=wide, draws=4000), "std")[0] == pytest.approx(
        (0.1 / 1.96) * 3, rel=0.1
    )  # the index is 63, it scores 60


def test_methods_that_could_as_well_be_chosen_get_their_share_of_the_draws():
    frame = measures(spread=dict.fromkeys(VALUES, 0.0))
    result = propagate(frame, PROFILE, draws=100, methods=[Method(), Method(power=0.0, power_within=0.0)])
    geometric = 70**0.3 * 60**0.2 * 60**0.5
    assert np.unique(result.draws[0, 0].round(3), return_counts=True)[1].tolist() == [50, 50]
    assert result.draws[0, 0].min() == pytest.approx(geometric, rel=1e-6)


def test_units_are_scored_among_each_other_where_the_method_says_so():
    frame = teams(5, spread=dict.fromkeys(VALUES, 0.0))
    result = propagate(frame, PROFILE, draws=20, methods=[Method("min_max")])
    values = frame.pivot_table("value", "team", "metric")
    shares = (values - values.min()) / (values.max() - values.min()) * 100
    shares["wait"] = 100 - shares["wait"]
    expected = shares @ pd.Series(WEIGHTS)
    assert result.draws[:, 0, 0] == pytest.approx(expected.to_numpy(), abs=1e-3)


QUARTERS = 800
BENT = Goalposts(0.5, 0.8, 0.9)
MANY = Profile("many", {"all": 1.0}, tuple(ProfileMetric(f"m{i}", "all", 0.1, BENT) for i in range(10)))


def quarters(rng, truth, shared, period="2026-10"):
    """Rates of 200 cases each, on whose luck all ten measures rest to a degree; one unit per quarter."""
    luck = np.sqrt(shared) * rng.standard_normal((len(truth), 200, 1), dtype="float32")
    luck = luck + np.sqrt(1 - shared) * rng.standard_normal((len(truth), 200, 10), dtype="float32")
    hits = (luck < norm.ppf(truth)[:, None]).sum(axis=1).ravel()
    units = np.repeat([f"Q{number:04}" for number in range(len(truth))], 10)
    names = [m.metric for m in MANY.metrics] * len(truth)
    low, high = wilson_interval(hits, np.full(len(hits), 200))
    frame = {"unit_": units, "metric": names, "period": period, "value": hits / 200, "low": low, "high": high}
    return pd.DataFrame(frame | {"n": 200, "numerator": hits, "denominator": 200})


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.4])
def test_nine_in_ten_bands_hold_the_true_index_and_one_change_in_twenty_is_called_certain_wrongly(shared):
    """Truth between the bends of the goalposts and, for two measures in ten, on them."""
    rng = np.random.default_rng(8)
    truth = np.tile([0.6, 0.65, 0.7, 0.72, 0.75, 0.78, 0.8, 0.83, 0.85, 0.9], (QUARTERS, 1))
    index = np.interp(truth[0], [0.5, 0.8, 0.9], [0, 80, 100]).mean()
    both = pd.concat([quarters(rng, truth, shared), quarters(rng, truth, shared, "2026-09")], ignore_index=True)
    names = [m.metric for m in MANY.metrics]
    yes = both.pivot_table("value", ["period", "unit_"], "metric")[names]
    errors = (yes - np.tile(truth, (2, 1))) / np.sqrt(np.tile(truth * (1 - truth), (2, 1)))
    dependence = Dependence(errors.corr(), pd.Series(1.0, index=names))
    drawn = propagate(both, MANY, draws=400, level=0.9, dependence=dependence)
    closed = score(both, MANY, level=0.9, dependence=dependence)
    for result in (drawn, closed):
        now = result.scores[(result.scores["family"] == "") & (result.scores["period"] == "2026-10")]
        assert 0.875 <= ((now["low"] <= index) & (index <= now["high"])).mean() <= 0.925
    certain = [
        replace(drawn, level=0.95).change("2026-10", "2026-09", f"Q{n:04}").certain for n in range(0, QUARTERS, 3)
    ]
    assert 0.015 <= np.mean(certain) <= 0.08
    if shared:
        plain = score(both, MANY, level=0.9).scores
        now = plain[(plain["family"] == "") & (plain["period"] == "2026-10")]
        assert ((now["low"] <= index) & (index <= now["high"])).mean() < 0.8


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"draws": 5}, "5 draws are too few"),
        ({"level": 90}, "level 90 is not between"),
        ({"weight_spread": 0}, "concentration of 0"),
        ({"weight_spread": pd.DataFrame({"metric": ["wait"]})}, "no column weight"),
        (
            {"weight_spread": pd.DataFrame({"metric": ["other"], "weight": [1], "low": [0], "high": [1]})},
            "no metric 'other'",
        ),
        (
            {"weight_spread": pd.DataFrame({"metric": ["wait"], "weight": [0.3], "low": [0.5], "high": [0.4]})},
            "interval of wait is upside down",
        ),
        ({"methods": [Method("z")]}, "z scores are not on the scale"),
        ({"methods": [Method("best")]}, "no normalisation named 'best'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(CatalogueError, match=message):
        propagate(measures(), PROFILE, **settings)


def test_measures_of_other_metrics_are_refused():
    with pytest.raises(CatalogueError, match="no metric of profile test"):
        propagate(measures().assign(metric=["x", "y", "z"]), PROFILE)


def test_what_was_not_drawn_can_not_be_asked_for():
    result = propagate(measures(), PROFILE, draws=20)
    for ask in (
        lambda: result.change("2026-10", "2026-09"),
        lambda: result.places("2026-09"),
        lambda: result.better("2026-10", "voice"),
    ):
        with pytest.raises(CatalogueError):
            ask()
