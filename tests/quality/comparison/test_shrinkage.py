import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.quality.comparison.shrinkage import shrink, shrink_rates


def test_equal_errors_shrink_as_efron_and_morris_wrote():
    values, error = np.array([1.0, 2.0, 4.0, 9.0]), 0.5
    found = shrink(values, np.full(4, error))
    between = values.var(ddof=1) - error**2
    assert found.spread**2 == pytest.approx(between)
    assert found.values == pytest.approx(4 + between / (between + error**2) * (values - 4))


def test_beta_binomial_parameters_of_made_up_agents_are_recovered():
    rng = np.random.default_rng(11)
    n = rng.integers(20, 400, 600)
    truth = rng.beta(40, 10, 600)
    found = shrink_rates(rng.binomial(n, truth), n)
    assert found.centre == pytest.approx(0.8, abs=0.01)
    assert found.spread == pytest.approx(np.sqrt(0.16 / 51), rel=0.1)


def test_shrunken_rates_lie_nearer_the_truth_than_plain_ones():
    rng = np.random.default_rng(12)
    n = rng.integers(10, 100, 300)
    truth = rng.beta(40, 10, 300)
    hits = rng.binomial(n, truth)
    assert np.mean((shrink_rates(hits, n).values - truth) ** 2) < 0.6 * np.mean((hits / n - truth) ** 2)


def test_units_that_differ_by_chance_alone_all_come_to_the_centre():
    n = np.full(50, 200)
    hits = np.round(200 * np.linspace(0.78, 0.82, 50))
    found = shrink_rates(hits, n)
    assert np.ptp(found.values) < 0.005
    assert np.ptp(shrink(np.linspace(0.78, 0.82, 50), np.full(50, 0.03)).values) == 0


@pytest.mark.parametrize(("hits", "rate"), [([0, 0, 0], 0.0), ([10, 20, 30], 1.0)])
def test_rates_that_are_all_0_or_all_1_stay_so(hits, rate):
    assert shrink_rates(hits, [10, 20, 30]).values.tolist() == [rate] * 3


@given(st.lists(st.tuples(st.integers(1, 300), st.floats(0, 1)), min_size=2, max_size=12))
def test_a_shrunken_rate_lies_between_its_own_and_the_centre(rows):
    n = np.array([n for n, _ in rows])
    hits = np.round(n * [p for _, p in rows])
    found = shrink_rates(hits, n)
    low, high = np.minimum(hits / n, found.centre), np.maximum(hits / n, found.centre)
    assert ((low - 1e-9 <= found.values) & (found.values <= high + 1e-9)).all()
