import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.contingency_tables import StratifiedTable

from svcanalytics.causes.text import theme_cost
from svcanalytics.errors import CauseError


def drawn(n=4000, seed=0):
    rng = np.random.default_rng(seed)
    stratum = rng.integers(3, size=n)
    theme = np.where(rng.random(n) < 0.1 + 0.1 * stratum, 0, rng.integers(1, 4, n))
    bad = rng.random(n) < 0.1 + 0.1 * stratum + 0.15 * (theme == 0)
    return theme, bad.astype(float), stratum


def test_the_cost_of_a_rate_is_a_difference_of_means_with_its_test():
    theme, bad, _ = drawn()
    one = theme_cost(theme, {"bad": bad}).iloc[0]
    inside, outside = bad[theme == 0], bad[theme != 0]
    n = len(inside)
    error = n * np.sqrt(inside.var(ddof=1) / n + outside.var(ddof=1) / len(outside))
    assert one["n"] == n and one["mean"] == pytest.approx(inside.mean())
    assert one["expected"] == pytest.approx(outside.mean())
    assert one["excess"] == pytest.approx(n * (inside.mean() - outside.mean()))
    assert (one["high"] - one["low"]) / 2 == pytest.approx(1.959964 * error, rel=0.01)


def test_within_strata_the_test_is_the_one_of_mantel_and_haenszel():
    theme, bad, stratum = drawn(seed=1)
    tables = [
        pd.crosstab((theme == 0)[stratum == s], (bad == 1)[stratum == s]).to_numpy()[::-1, ::-1] for s in range(3)
    ]
    exact = StratifiedTable(tables).test_null_odds().pvalue
    found = theme_cost(theme, {"bad": bad}, within=pd.Series(stratum)).iloc[0]
    assert found["p_value"] == pytest.approx(exact, rel=1e-6)
    by_hand = sum(
        (m := (theme == 0) & (stratum == s)).sum() * (bad[m].mean() - bad[(theme != 0) & (stratum == s)].mean())
        for s in range(3)
    )
    assert found["excess"] == pytest.approx(by_hand)


def test_intervals_hold_the_truth_and_where_nothing_costs_little_is_found():
    rng = np.random.default_rng(2)
    held, false, runs = 0, 0, 300
    for _ in range(runs):
        theme = rng.integers(8, size=600)
        bad = (rng.random(600) < 0.2 + 0.2 * (theme == 0)).astype(float)
        one = theme_cost(theme, {"bad": bad}).iloc[0]
        held += one["low"] <= 0.2 * one["n"] <= one["high"]
        nothing = theme_cost(theme, {"a": rng.random(600) < 0.2, "b": rng.normal(size=600)})
        false += (nothing["q_value"] <= 0.05).any()
    assert 0.92 <= held / runs <= 0.98
    assert false / runs <= 0.08


def test_what_is_not_known_is_left_out_and_what_can_not_be_compared_is_said_to_be_so():
    found = theme_cost([0, 0, 1, 1], {"bad": [1, np.nan, 0, 0], "never": [np.nan] * 4})
    assert found["n"].tolist() == [1, 0, 2, 0]
    assert found.loc[found["outcome"] == "never", "p_value"].tolist() == [1, 1]
    with pytest.raises(CauseError, match="one length"):
        theme_cost([0, 1], {"bad": [1]})
    with pytest.raises(CauseError, match="no number"):
        theme_cost([0, 1], {"bad": ["yes", "no"]})
