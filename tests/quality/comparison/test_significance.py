import numpy as np
import pytest

from svcanalytics.quality.comparison.significance import holm, likelihood_roots, rates_against_rest, values_against_rest


def test_small_counts_are_tested_exactly():
    from scipy.stats import hypergeom

    p = rates_against_rest([24, 280, 290], [30, 300, 300])
    lower = hypergeom(630, 594, 30).cdf(24)
    assert p[0] == pytest.approx(2 * lower)


def test_large_counts_are_tested_as_the_chi_square_of_their_deviance():
    from scipy.stats import chi2_contingency

    hits, n = np.array([70_200, 69_500, 70_100]), np.full(3, 100_000)
    p = rates_against_rest(hits, n)
    for unit in range(3):
        rest = hits.sum() - hits[unit]
        table = [[hits[unit], n[unit] - hits[unit]], [rest, 200_000 - rest]]
        assert p[unit] == pytest.approx(chi2_contingency(table, correction=False, lambda_="log-likelihood").pvalue)


def test_over_dispersion_divides_what_counts_are_worth():
    from scipy.stats import norm

    root = likelihood_roots(80 / 4, 100 / 4, 60 / 4, 100 / 4)
    assert rates_against_rest([80, 60], [100, 100], 4.0) == pytest.approx([2 * norm.sf(root)] * 2)


def test_values_are_held_against_the_others_and_their_error():
    from scipy.stats import norm

    p = values_against_rest([5.0, 3.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0])
    assert p[0] == pytest.approx(2 * norm.sf(3 / np.sqrt(1 + 0.5)))
    assert p[1] == pytest.approx(1)


def test_holm_s_correction_is_his_example_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])
