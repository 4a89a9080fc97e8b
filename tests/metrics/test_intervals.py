"""Intervals and tests against published values and exhaustive sums."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from svcanalytics.metrics import intervals


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_gives_the_published_intervals(hits, n, low, high):
    found = intervals.wilson_interval([hits], [n])
    assert [round(float(side[0]), 4) for side in found] == [low, high]


def test_wilson_of_nothing_is_unknown_and_all_hits_end_at_one():
    low, high = intervals.wilson_interval([0, 5], [0, 5])
    assert np.isnan(low[0]) and np.isnan(high[0]) and high[1] == 1.0 and low[1] < 1


def test_newcombe_gives_the_published_difference():
    # Newcombe 1998, "Interval estimation for the difference between independent proportions", example (a), method 10.
    one, two = intervals.wilson_interval([56], [70]), intervals.wilson_interval([48], [80])
    low, high = intervals.newcombe_interval(np.array([0.8]), *one, np.array([0.6]), *two)
    assert (round(low[0], 4), round(high[0], 4)) == (0.0524, 0.3339)


def test_poisson_gives_the_tabulated_limits():
    low, high = intervals.poisson_interval([0, 1, 10, 100])
    assert np.round(low, 3).tolist() == [0.0, 0.025, 4.795, 81.364]
    assert np.round(high, 3).tolist() == [3.689, 5.572, 18.39, 121.627]


def test_a_mean_interval_from_sums_equals_the_one_from_values():
    from scipy import stats

    values = [12, 15, 9, 1_000_000_007, 3]
    low, high, std = intervals.mean_interval([5], [sum(values)], [sum(v * v for v in values)])
    wanted = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (low[0], high[0]) == pytest.approx(wanted) and std[0] == pytest.approx(np.std(values, ddof=1))


def test_squares_beyond_a_float_still_give_the_spread():
    big = 10**12
    _, _, std = intervals.mean_interval([2], [2 * big + 2], [big**2 + (big + 2) ** 2])
    assert std[0] == pytest.approx(2**0.5)


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_quantile_ranks_cover_the_quantile_and_are_as_tight_as_they_can_be(q):
    for n in range(1, 80):
        chance = [comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(n + 1)]
        low, high = intervals.quantile_ranks(n, q)
        # The low rank fails when fewer than `low` values lie below the quantile, the high when at least `high` do.
        assert sum(chance[:low]) <= 0.025 < sum(chance[: low + 1]), n
        if high:
            assert sum(chance[high:]) <= 0.025 + 1e-12 < sum(chance[high - 1 :]), n
        else:
            assert chance[n] > 0.025, n


def test_the_median_of_ten_lies_between_the_second_and_the_ninth():
    assert intervals.quantile_ranks(10, 0.5) == (2, 9)


def test_welch_equals_scipy():
    from scipy import stats

    one, two = [20.4, 24.2, 15.4, 21.4, 20.2, 18.5, 21.5], [20.2, 16.9, 18.5, 17.3, 20.5]
    parts = (np.array([f(x)]) for x in (one, two) for f in (np.mean, lambda v: np.std(v, ddof=1), len))
    low, high, p = intervals.welch_test(*parts)
    wanted = stats.ttest_ind(one, two, equal_var=False)
    assert p[0] == pytest.approx(wanted.pvalue)
    assert (low[0], high[0]) == pytest.approx(tuple(wanted.confidence_interval()))


def test_the_score_test_is_the_square_root_of_chi_square():
    from scipy import stats

    p = intervals.score_test([56, 0, 7], [70, 10, 7], [48, 0, 9], [80, 12, 9])
    wanted = stats.chi2_contingency([[56, 14], [48, 32]], correction=False).pvalue
    assert p[0] == pytest.approx(wanted) and p[1] == 1.0 and p[2] == 1.0


def test_benjamini_hochberg_finds_the_four_of_the_original_paper():
    # Benjamini and Hochberg 1995, section 3.2: 15 tests of a thrombolysis trial, four of them significant.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324]
    p += [0.4262, 0.5719, 0.6528, 0.759, 1.0]
    adjusted = intervals.benjamini_hochberg(np.array([*p[::-1], np.nan]))
    assert (adjusted <= 0.05).sum() == 4 and np.isnan(adjusted[-1])


def test_complaints_per_contact_carry_the_interval_of_a_rare_count():
    # 25 complaints over a million contacts: the ratio's spread is that of the count, root 25 of 25.
    low, high = intervals.ratio_interval([25], [10**6], [25], [0], [10**6])
    assert (low[0], high[0]) == pytest.approx((15.2e-6, 34.8e-6), rel=1e-3)
