"""Published examples of Das Gupta (US Bureau of the Census, P23-186, 1993), brute force, and what must always hold."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError
from svcanalytics.quality.change.decomposition import (
    decompose,
    decompose_mix,
    decompose_product,
    decompose_structure,
    standardise_rates,
    structure_factors,
)


def product(*factors):
    return np.prod(factors, axis=0)


@pytest.mark.parametrize(
    ("before", "after", "effects"),
    [
        ([0.6, 0.5], [0.3, 0.45], [-0.1425, -0.0225]),
        # Example 2.1: earnings per head, black and white population.
        ([10930, 0.717892], [16591, 0.825974], [4369.913, 1487.262]),
        # Example 2.5: birth rate of the unmarried, 1971 and 1979.
        ([25.3, 0.214, 0.279, 0.949], [32.7, 0.290, 0.473, 0.986], [0.6889411, 0.8125381, 1.3829055, 0.1047547]),
    ],
)
def test_products_come_apart_as_das_gupta_published(before, after, effects):
    np.testing.assert_allclose(decompose(product, before, after), effects, rtol=1e-6)
    np.testing.assert_allclose(decompose_product(before, after), effects, rtol=1e-6)


HEADSHIP = {  # Example 5.1: households per 100 people by age of the head.
    1970: (
        [12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9],
        [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8],
    ),
    1985: (
        [10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5],
        [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2],
    ),
}


def test_headship_rates_split_into_age_structure_and_rates_as_published():
    (size0, rate0), (size1, rate1) = HEADSHIP[1970], HEADSHIP[1985]
    shares = [np.divide(size, np.sum(size)) for size in (size0, size1)]
    rate, mix = decompose_mix(rate0, shares[0], rate1, shares[1])
    assert mix.sum() == pytest.approx(1.2269, abs=5e-5)
    assert rate.sum() == pytest.approx(1.7403, abs=5e-5)
    effects = decompose(lambda q, r: (q * r).sum(), [shares[0], rate0], [shares[1], rate1])
    np.testing.assert_allclose(effects, [mix.sum(), rate.sum()], atol=1e-12)


ILLEGITIMACY = {  # Example 6.5: share of women by age, unmarried among them, births to unmarried, births to married.
    1963: (
        [0.200, 0.163, 0.146, 0.154, 0.168, 0.169],
        [0.866, 0.325, 0.119, 0.099, 0.099, 0.121],
        [0.007, 0.021, 0.023, 0.015, 0.008, 0.002],
        [0.454, 0.326, 0.195, 0.107, 0.051, 0.015],
    ),
    1968: (
        [0.215, 0.191, 0.156, 0.137, 0.144, 0.157],
        [0.891, 0.373, 0.124, 0.100, 0.107, 0.127],
        [0.010, 0.023, 0.023, 0.015, 0.008, 0.002],
        [0.433, 0.249, 0.159, 0.079, 0.037, 0.011],
    ),
    1973: (
        [0.218, 0.203, 0.175, 0.144, 0.127, 0.133],
        [0.870, 0.396, 0.158, 0.125, 0.113, 0.129],
        [0.011, 0.016, 0.017, 0.011, 0.006, 0.002],
        [0.314, 0.181, 0.133, 0.063, 0.023, 0.006],
    ),
    1978: (
        [0.205, 0.200, 0.181, 0.162, 0.134, 0.118],
        [0.900, 0.484, 0.243, 0.176, 0.155, 0.168],
        [0.014, 0.019, 0.015, 0.010, 0.005, 0.001],
        [0.313, 0.191, 0.143, 0.069, 0.021, 0.004],
    ),
    1983: (
        [0.169, 0.195, 0.190, 0.174, 0.150, 0.122],
        [0.931, 0.563, 0.311, 0.216, 0.199, 0.191],
        [0.018, 0.026, 0.023, 0.016, 0.008, 0.002],
        [0.380, 0.201, 0.149, 0.079, 0.025, 0.006],
    ),
}


def illegitimacy(a, b, c, d):
    unmarried = (a * b * c).sum()
    return unmarried / (unmarried + (a * (1 - b) * d).sum())


def test_a_function_of_four_vectors_comes_apart_as_das_gupta_published():
    effects = decompose(illegitimacy, ILLEGITIMACY[1963], ILLEGITIMACY[1983])
    np.testing.assert_allclose(effects, [-0.00620498, 0.04866154, 0.02705922, 0.02470928], atol=5e-9)


def test_five_populations_are_standardised_together_as_das_gupta_published():
    rates = 1000 * standardise_rates(illegitimacy, ILLEGITIMACY)
    published = [
        [72.77031, 74.65254, 73.83625, 71.36001, 64.60057],
        [53.28255, 56.63216, 59.52972, 79.49763, 104.38728],
        [62.17750, 69.61231, 60.48031, 68.54219, 94.17361],
        [54.83361, 64.43823, 81.24203, 79.60288, 74.12756],
    ]
    np.testing.assert_allclose(rates, published, atol=6e-6)
    crude = [1000 * illegitimacy(*map(np.array, factors)) for factors in ILLEGITIMACY.values()]
    np.testing.assert_allclose(np.diff(rates.sum(axis=0)), np.diff(crude), atol=1e-9)


DEATHS = {  # Example 5.3: thousands of people and deaths per thousand, by race (2) and age (11).
    1970: (
        [2968, 11484, 34614, 30992, 21983, 20314, 20928, 16897, 11339, 5720, 1315]
        + [535, 2162, 6120, 4781, 3096, 2718, 2363, 1767, 1149, 448, 117],
        [18.469, 0.751, 0.391, 1.146, 1.287, 2.672, 6.636, 15.691, 34.723, 79.763, 176.837]
        + [36.993, 1.352, 0.541, 2.040, 3.523, 6.746, 12.967, 24.471, 45.091, 74.902, 123.205],
    ),
    1985: (
        [3041, 11577, 27450, 32711, 35480, 27411, 19555, 19795, 15254, 8022, 2472]
        + [707, 2692, 6473, 6841, 6547, 4352, 3034, 2540, 1749, 804, 236],
        [9.163, 0.462, 0.248, 0.929, 1.084, 1.810, 4.715, 12.187, 27.728, 64.068, 157.570]
        + [17.208, 0.738, 0.328, 1.103, 2.045, 3.724, 8.052, 17.812, 34.128, 68.276, 125.161],
    ),
}


def test_death_rates_split_into_age_race_and_rates_as_published():
    cells = {"race": [0] * 11 + [1] * 11, "age": [*range(11), *range(11)]}
    (size0, rate0), (size1, rate1) = DEATHS.values()
    rate, structure = decompose_structure(rate0, size0, rate1, size1, cells)
    effects = [structure["age"].sum(), structure["race"].sum(), rate.sum()]
    np.testing.assert_allclose(effects, [1.5217347, 0.0197749, -2.2277254], atol=5e-8)
    assert sum(effects) == pytest.approx(8.735618 - 9.421833, abs=1e-6)


def test_an_effect_is_the_mean_over_all_orders_of_moving_the_factors():
    rng = np.random.default_rng(5)
    old, new = rng.uniform(1, 3, (2, 4))

    def curved(a, b, c, d):
        return a**b + np.log(c) * d + a * d

    mean = np.zeros(4)
    for order in permutations(range(4)):
        now = list(old)
        for i in order:
            before = curved(*now)
            now[i] = new[i]
            mean[i] += (curved(*now) - before) / 24
    np.testing.assert_allclose(decompose(curved, old, new), mean, rtol=1e-12)


@given(st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_the_polynomial_form_is_the_exact_one_for_products_and_adds_up(k, seed):
    rng = np.random.default_rng(seed)
    old, new = rng.uniform(-2, 2, (2, k, 3))
    fast = decompose_product(old, new)
    np.testing.assert_allclose(fast, decompose(product, old, new), atol=1e-12)
    np.testing.assert_allclose(fast.sum(axis=0), np.prod(new, axis=0) - np.prod(old, axis=0), atol=1e-11)


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_mix_and_rate_add_up_when_groups_come_and_go_and_order_does_not_matter(groups, seed):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(0, 3, (2, groups)) * rng.uniform(1, 50, (2, groups))
    sizes[:, 0] += 1
    rates = np.where(sizes > 0, rng.uniform(-1, 1, (2, groups)), np.nan)
    shares = sizes / sizes.sum(axis=1, keepdims=True)
    rate, mix = decompose_mix(rates[0], shares[0], rates[1], shares[1])
    whole = (shares * np.nan_to_num(rates)).sum(axis=1)
    assert (rate + mix).sum() == pytest.approx(whole[1] - whole[0], abs=1e-12)
    order = rng.permutation(groups)
    again = decompose_mix(rates[0][order], shares[0][order], rates[1][order], shares[1][order])
    np.testing.assert_allclose(again, (rate[order], mix[order]), atol=1e-12)
    assert (rate[(sizes == 0).any(axis=0)] == 0).all()


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_structure_factors_multiply_to_the_shares_even_with_empty_cells(dimensions, seed):
    rng = np.random.default_rng(seed)
    axes = np.indices([3] * dimensions).reshape(dimensions, -1)
    sizes = rng.integers(0, 4, axes.shape[1])
    sizes[0] += 1
    factors = structure_factors(sizes, {f"d{i}": axis for i, axis in enumerate(axes)})
    np.testing.assert_allclose(product(*factors.values()), sizes / sizes.sum(), atol=1e-12)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: decompose(product, [1, 2], [1]), "2 factors before and 1 after"),
        (lambda: decompose(product, [1] * 17, [1] * 17), "17 factors"),
        (lambda: structure_factors([1, -1], {"a": [1, 2]}), "0 or more"),
        (lambda: standardise_rates(product, {"one": [1, 2]}), "one population"),
    ],
)
def test_what_can_not_be_taken_apart_is_refused(call, said):
    with pytest.raises(CatalogueError, match=said):
        call()
