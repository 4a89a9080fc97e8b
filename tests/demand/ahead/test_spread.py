"""Courses of days: the width that past errors had, the correlation that was put in, and weights that add up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.demand.ahead.calibration import within_days
from svcanalytics.demand.ahead.combination import combine, loss_weights, trial_losses
from svcanalytics.demand.ahead.spread import Spread, Stretch, conformal_stretch
from svcanalytics.demand.result import bounds_of

PLAIN = Stretch(np.tile([0.67448975, 1.28155157, 1.95996398], (3, 1)))


def spread_of(**changed) -> Spread:
    days = 4
    given_ = {
        "mean": np.full((days, 6), 500.0),
        "covariance": 0.01 * (0.5 + 0.5 * np.eye(days)),
        "stretch": PLAIN,
        "lead_group": np.array([0, 0, 1, 1]),
        "patterns": np.zeros((0, 6)),
        "noise": np.zeros(6),
    }
    return Spread(**(given_ | changed))


def test_courses_have_the_mean_and_the_variance_of_busyness_and_chance_together():
    spread = spread_of()
    rng = np.random.default_rng(0)
    counts = spread.courses(rng.standard_normal((20_000, 4)), rng)
    assert np.allclose(counts.mean(axis=0), 500, rtol=0.005)
    # A log-normal busyness of variance v: Var = m + m^2 (exp(v) - 1).
    assert np.allclose(counts.var(axis=0), 500 + 500**2 * np.expm1(0.01), rtol=0.05)


def test_totals_of_days_go_together_as_their_covariance_says():
    rng = np.random.default_rng(1)
    spread = spread_of()
    totals = spread.courses(rng.standard_normal((20_000, 4)), rng).sum(axis=2)
    busy = 3000**2 * np.expm1(0.01)
    expected = (3000**2 * np.expm1(0.005)) / (busy + 3000)
    correlation = np.corrcoef(totals.T)
    assert np.allclose(correlation[~np.eye(4, dtype=bool)], expected, atol=0.03)


def test_the_variance_of_busyness_is_that_of_its_draws():
    stretch = Stretch(np.array([[0.9, 1.5, 2.5], [0.5, 1.2, 1.9], [0.7, 1.3, 2.0]]))
    spread = spread_of(stretch=stretch)
    draws = spread.busyness(np.random.default_rng(0).standard_normal((200_000, 4)))
    assert np.allclose(draws.var(axis=0), spread.variance, rtol=0.02)


def test_a_pattern_moves_parts_of_a_day_and_leaves_days_apart():
    pattern = np.array([[0.2, 0.2, 0.2, -0.2, -0.2, -0.2]])
    rng = np.random.default_rng(2)
    spread = spread_of(covariance=1e-8 * np.eye(4), patterns=pattern)
    counts = spread.courses(rng.standard_normal((5000, 4)), rng)
    same = np.corrcoef(counts[:, 0, 0], counts[:, 0, 1])[0, 1]
    opposite = np.corrcoef(counts[:, 0, 0], counts[:, 0, 5])[0, 1]
    other_day = np.corrcoef(counts[:, 0, 0], counts[:, 1, 0])[0, 1]
    assert same > 0.9 and opposite < -0.9 and abs(other_day) < 0.06


def test_a_closed_slot_stays_missing_in_every_course():
    mean = np.full((4, 6), 5.0)
    mean[1, 2] = np.nan
    rng = np.random.default_rng(0)
    counts = spread_of(mean=mean).courses(rng.standard_normal((50, 4)), rng)
    assert np.isnan(counts[:, 1, 2]).all() and np.isfinite(np.delete(counts.reshape(50, -1), 8, axis=1)).all()


def test_a_conformal_score_is_the_n_plus_one_times_the_level_th_smallest():
    errors = np.random.default_rng(0).permutation(np.linspace(0.05, 9.0, 180))
    stretch = conformal_stretch(errors, np.zeros(180, int), 1)
    # Of evenly spread errors the 144.8th smallest; so far from normal, they keep nearly all of what they say.
    assert stretch.scores[0, 1] == pytest.approx(min(0.05 * 181 * 0.8, 4 * 1.28155157), rel=0.08)


@pytest.mark.parametrize("factor", [0.6, 1.0, 1.8])
def test_stretched_scores_cover_new_errors_as_often_as_the_level_says(factor):
    rng = np.random.default_rng(4)
    inside = {0.8: [], 0.95: []}
    for _ in range(150):
        past, new = factor * rng.standard_normal(60), factor * rng.standard_normal(40)
        scores = conformal_stretch(past, np.zeros(60, int), 1).scores[0]
        inside[0.8].append((np.abs(new) <= scores[1]).mean())
        inside[0.95].append((np.abs(new) <= scores[2]).mean())
    assert np.mean(inside[0.8]) == pytest.approx(0.8, abs=0.045)
    assert np.mean(inside[0.95]) == pytest.approx(0.95, abs=0.02)


def test_without_past_errors_scores_are_normal():
    assert np.allclose(conformal_stretch(np.empty(0), np.empty(0, int), 3).scores, PLAIN.scores)


def test_a_stretch_keeps_signs_and_order():
    stretch = conformal_stretch(2 * np.random.default_rng(0).standard_normal(100), np.zeros(100, int), 1)
    z = np.linspace(-4, 4, 81)[:, None]
    mapped = stretch(z, np.zeros(1, int))[:, 0]
    assert (np.diff(mapped) > 0).all() and np.allclose(mapped, -mapped[::-1])


def test_pure_chance_within_days_is_taken_for_nothing():
    rng = np.random.default_rng(0)
    expected = np.full((100, 24), 60.0)
    patterns, noise = within_days(rng.poisson(expected).astype(float), expected)
    assert (patterns**2).sum(axis=0).max(initial=0) + noise.max() ** 2 < 0.0008


def test_a_pattern_within_days_is_found_with_its_size():
    rng = np.random.default_rng(0)
    shape = np.where(np.arange(24) < 12, 0.15, -0.15)
    rate = 80 * np.exp(rng.standard_normal((200, 1)) * shape)
    patterns, _ = within_days(rng.poisson(rate).astype(float), np.full((200, 24), 80.0))
    assert (patterns**2).sum(axis=0) == pytest.approx(np.full(24, 0.15**2), rel=0.35)


def test_bounds_of_small_counts_hold_about_what_their_level_says():
    rng = np.random.default_rng(0)
    inside = []
    for mean in np.linspace(3, 30, 40):
        bounds = bounds_of(rng.poisson(mean, 4000).astype(float), (0.8,))
        new = rng.poisson(mean, 4000)
        inside.append(((new >= bounds["lower_80"]) & (new <= bounds["upper_80"])).mean())
    assert np.mean(inside) == pytest.approx(0.8, abs=0.015)


@given(st.lists(st.floats(0.01, 10), min_size=1, max_size=6), st.integers(0, 12))
def test_weights_add_up_to_one_and_favour_the_smaller_loss(losses, trials):
    weights = loss_weights(np.repeat(np.array(losses)[:, None], trials, axis=1))
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    order = np.argsort(losses)
    assert (np.diff(weights[order]) <= 1e-12).all()


def test_equal_losses_give_equal_weights_and_clear_losers_none():
    assert np.allclose(loss_weights(np.full((3, 8), 0.1)), 1 / 3)
    weights = loss_weights(np.array([[0.05] * 8, [0.052] * 8, [0.2] * 8, [np.inf] * 8]))
    assert weights[0] > weights[1] > 0.4 and weights[2] == weights[3] == 0


def test_losses_and_combination_equal_a_loop():
    rng = np.random.default_rng(0)
    actual, means = rng.uniform(1, 9, (2, 3, 4)), rng.uniform(1, 9, (2, 2, 3, 4))
    actual[0, 1, 2] = np.nan
    losses = trial_losses(means, actual)
    for m in range(2):
        for k in range(2):
            error = sum(abs(means[m, k, h, s] - a) for (h, s), a in np.ndenumerate(actual[k]) if not np.isnan(a))
            assert losses[m, k] == pytest.approx(error / np.nansum(actual[k]))
    mixed = combine(means, np.array([0.25, 0.75]))
    assert np.allclose(mixed, 0.25 * means[0] + 0.75 * means[1])
