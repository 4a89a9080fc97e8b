import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.comparison.ranking import rank_sets, ranks, separate, separate_rates, tie_groups
from svcanalytics.quality.comparison.shrinkage import shrink, shrink_rates


def test_rank_sets_of_ten_evenly_spaced_units_are_those_published():
    """The example of csranks: x = seq(1, 3, len = 10), sd = .2, with step-down; without, no set is smaller."""
    x, error = np.linspace(1, 3, 10), np.full(10, 0.2)
    low, high = rank_sets(separate(x, error))
    assert low.tolist() == [7, 6, 5, 4, 3, 2, 1, 1, 1, 1]
    assert high.tolist() == [10, 10, 10, 10, 9, 8, 7, 6, 5, 4]
    for wide in (separate(x, error, step_down=False), separate(x, error, method="holm")):
        wide_low, wide_high = rank_sets(wide)
        assert wide_low.tolist() == [6, 5, 4, 3, 2, 1, 1, 1, 1, 1]
        assert wide_high.tolist() == [10, 10, 10, 10, 10, 9, 8, 7, 6, 5]


def test_the_first_limit_of_equal_errors_is_tukeys():
    from scipy.stats import studentized_range

    limit = studentized_range.ppf(0.95, 6, np.inf) / np.sqrt(2)
    for gap, told in ((limit * 0.97, False), (limit * 1.03, True)):
        values = np.array([gap * np.sqrt(2), 0, 0, 0, 0, 0])
        assert separate(values, np.ones(6), step_down=False, draws=20_000)[0, 1:].all() == told


def test_two_units_are_told_apart_as_two_rates_are():
    """One pair: the signed root of the likelihood ratio against 1.96, by a plain loop over the deviance."""
    found = []
    for hits in range(50, 101):
        told = separate_rates([hits, 60], [100, 100], draws=20_000)
        pooled = (hits + 60) / 200
        deviance = sum(
            2 * o * np.log(o / e)
            for o, e in ((hits, 100 * pooled), (100 - hits, 100 * (1 - pooled)), (60, 100 * pooled))
            + ((40, 100 * (1 - pooled)),)
            if o
        )
        found.append(bool(told.any()) == (deviance > 1.96**2) or abs(deviance**0.5 - 1.96) < 0.05)
    assert all(found)


def test_ties_say_nothing_false_of_any_pair_in_them():
    values, errors = np.array([9.0, 8.5, 5.0, 4.9, 4.8, 1.0]), np.array([0.1, 3.0, 0.1, 2.0, 0.1, 0.1])
    better = separate(values, errors)
    groups = tie_groups(values, better)
    assert groups.tolist() == [1, 1, 2, 2, 2, 3]
    for group in np.unique(groups):
        inside = np.flatnonzero(groups == group)
        assert not better[np.ix_(inside, inside)].any()


def test_a_rank_lies_within_its_set_and_equal_values_share_the_better_rank():
    values = np.array([3.0, 1.0, 3.0, 2.0])
    assert ranks(values).tolist() == [1, 4, 1, 3]
    low, high = rank_sets(separate(values, np.zeros(4)))
    assert (low <= ranks(values)).all() and (ranks(values) <= high).all()
    assert low.tolist() == [1, 4, 1, 3] and high.tolist() == [2, 4, 2, 3]


units = st.lists(st.tuples(st.floats(-5, 5), st.floats(0.05, 2)), min_size=2, max_size=8, unique=True)


@settings(max_examples=40)
@given(units, st.randoms(use_true_random=False))
def test_the_order_of_units_changes_nothing(rows, random):
    values, errors = (np.array(part) for part in zip(*rows, strict=True))
    order = np.array(random.sample(range(len(rows)), len(rows)))
    better = separate(values, errors, draws=300)
    assert (separate(values[order], errors[order], draws=300) == better[np.ix_(order, order)]).all()
    low, high = rank_sets(better)
    assert (low <= ranks(values)).all() and (ranks(values) <= high).all()


@pytest.mark.parametrize(
    ("values", "errors", "options", "what"),
    [
        ([1, np.nan], [1, 1], {}, "must be numbers"),
        ([1, 2], [1, -1], {}, "no error negative"),
        ([1, 2], [1, 1], {"level": 95}, "level 95"),
        ([1, 2], [1, 1], {"method": "bonferroni"}, "no method 'bonferroni'"),
    ],
)
def test_what_can_not_be_ranked_is_refused(values, errors, options, what):
    with pytest.raises(CatalogueError, match=what):
        separate(values, errors, **options)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0.0, 0.05])
def test_rank_sets_hold_all_true_ranks_as_often_as_they_say(spread):
    """Rates of 12 units from small to large, equal and unequal: all sets at once hold the truth in 95 % of months."""
    rng = np.random.default_rng(3)
    n = np.array([40, 60, 80, 100, 150, 200, 250, 300, 400, 500, 800, 1200])
    truth = 0.85 + spread * np.linspace(-1, 1, 12)[rng.permutation(12)]
    first = 1 + (truth[None, :] > truth[:, None] + 1e-12).sum(axis=1)
    last = 12 - (truth[None, :] < truth[:, None] - 1e-12).sum(axis=1)
    held = 0
    for _ in range(1000):
        low, high = rank_sets(separate_rates(rng.binomial(n, truth), n, draws=500))
        # Equal units may stand anywhere between their first and last place; the set must not rule out all of it.
        held += bool(((low <= last) & (first <= high)).all() and ((low <= first) & (last <= high)).all())
    assert held / 1000 >= 0.95 - 0.014


@pytest.mark.parametrize(
    ("hits", "trials"), [([5, 1], [2, 2]), ([0, 1], [0, 2]), ([1], [2, 2]), ([1, np.nan], [2, 2]), ([-1, 1], [2, 2])]
)
def test_counts_that_can_not_be_are_neither_ranked_nor_shrunk(hits, trials):
    for call in (separate_rates, shrink_rates):
        with pytest.raises(CatalogueError, match="hits must lie between 0 and trials"):
            call(hits, trials)


@pytest.mark.parametrize(("values", "errors"), [([1, np.nan], [1, 1]), ([1, 2], [1, -1]), ([1, 2, 3], [1, 1])])
def test_values_without_a_number_or_an_error_are_neither_ranked_nor_shrunk(values, errors):
    for call in (separate, shrink):
        with pytest.raises(CatalogueError, match="values and errors must be numbers"):
            call(values, errors)


def test_hundreds_of_units_are_told_apart_without_draws_and_as_truly():
    rng = np.random.default_rng(3)
    true = np.repeat([0.0, 1.0], 250)
    better = separate(true + 0.1 * rng.standard_normal(500), np.full(500, 0.1), draws=1_000_000_000)  # none is drawn
    assert not better[:250].any() and not better[250:, 250:].any()
    assert better[250:, :250].mean() > 0.9
