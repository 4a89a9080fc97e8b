import numpy as np
import pytest
from scipy.stats import binomtest

from svcanalytics.causes.text import theme_growth
from svcanalytics.errors import CauseError


def test_ratio_test_and_interval_are_the_binomial_ones_of_the_part_now():
    grown = theme_growth([0] * 30 + [1] * 70 + [-1] * 5, [0] * 20 + [1] * 180)
    exact = binomtest(30, 50, 1 / 3, alternative="greater")
    part = binomtest(30, 50).proportion_ci(method="exact")
    assert grown.loc[0, ["n", "n_before"]].tolist() == [30, 20]
    assert grown["ratio"][0] == pytest.approx((30 / 100) / (20 / 200))
    assert grown["p_value"][0] == pytest.approx(exact.pvalue)
    assert grown["low"][0] == pytest.approx(part.low / (1 - part.low) * 2)
    assert grown["high"][0] == pytest.approx(part.high / (1 - part.high) * 2)
    assert grown["emerging"].tolist() == [True, False]
    by_day = theme_growth([0] * 30, [0] * 30, exposure=(10, 30))
    assert by_day["ratio"][0] == pytest.approx(3) and by_day["emerging"][0]


def test_of_themes_that_did_not_grow_few_are_called_emerging_and_a_new_one_is():
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(40, 0.7))
    false = grown = 0
    for _ in range(400):
        now, before = rng.choice(40, 1500, p=shares), rng.choice(40, 2500, p=shares)
        false += theme_growth(now, before)["emerging"].any()
        grown += theme_growth(np.append(now, [40] * 12), before)["emerging"].iloc[-1]
    assert false / 400 <= 0.05 + 2 * (0.05 * 0.95 / 400) ** 0.5
    assert grown == 400


def test_a_theme_without_texts_before_has_an_open_interval_and_one_period_is_refused():
    new = theme_growth([0, 1, 1], [0] * 9)
    assert np.isinf(new["ratio"][1]) and np.isinf(new["high"][1]) and new["low"][1] > 0
    with pytest.raises(CauseError, match="both periods"):
        theme_growth([0, 1], [-1])
