"""Shares of the excess: they add up, equal the plain regression, and hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.tracing.decomposition import Regression
from svcanalytics.causes.tracing.design import group_values, lay_out
from svcanalytics.errors import CauseError


def share_out(rows, inside, own=(), layer="", by=None):
    return Regression(lay_out(rows, by=by)).share_out(rows["bad"].to_numpy("float64"), inside.to_numpy(), own, layer)


def test_the_parts_add_up_to_the_excess_whatever_defines_the_set(make_cases):
    rows = make_cases(1, people=0.15)
    for inside, own, layer in (
        (rows["team"].eq("B"), ["team"], ""),
        (rows["version"].eq("3.2"), ["version"], "data"),
        (rows["team"].ne(""), [], ""),
    ):
        found = share_out(rows, inside, own, layer)
        assert sum(part.amount for part in found.parts.values()) == pytest.approx(found.excess.amount)


def test_a_part_is_what_the_coefficient_of_the_set_loses_in_a_plain_regression(make_cases):
    """Gelbach (2016), equation 8, by two least squares regressions."""
    rows = make_cases(2, people=0.15)
    bad, inside, now = rows["bad"].to_numpy("float64"), rows["team"].eq("B"), rows["period"].eq("now")
    size = float((inside & now).sum())
    base = np.column_stack([np.ones(len(rows)), now, inside, inside & now]).astype("float64")
    new = rows["tenure"].eq("new").to_numpy("float64")
    full = np.column_stack([base, new])  # tenure is never new before, so its effect now is its effect
    lost = np.linalg.lstsq(base, bad, rcond=None)[0][3] - np.linalg.lstsq(full, bad, rcond=None)[0][3]
    found = share_out(rows, inside, ["team"], by=["tenure"])
    assert found.parts["people"].amount == pytest.approx(size * lost)
    assert found.excess.amount == pytest.approx(size * np.linalg.lstsq(base, bad, rcond=None)[0][3])


def test_the_standard_error_is_that_of_a_regression_robust_to_groups(make_cases):
    import statsmodels.api as sm

    rows = make_cases(3, people=0.15)
    inside, now = rows["team"].eq("B"), rows["period"].eq("now")
    base = np.column_stack([np.ones(len(rows)), now, inside, inside & now]).astype("float64")
    groups = pd.factorize(rows["agent"])[0]
    fit = sm.OLS(rows["bad"], base).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    found = share_out(rows, inside, ["team"], by=["channel"])
    correction = np.sqrt(60 / 59)
    assert found.excess.error == pytest.approx(fit.bse.iloc[3] * (inside & now).sum() * correction)


def test_what_can_not_be_told_apart_from_the_set_explains_nothing(make_cases):
    rows = make_cases(4, team=0.1)
    rows["site"] = np.where(rows["team"].eq("B"), "north", "south")
    found = share_out(rows, rows["team"].eq("B"), ["team"])
    assert found.alike == ("site",) and "site" not in found.columns


@pytest.mark.slow
def test_the_interval_of_a_layer_holds_the_truth_and_without_one_it_is_rarely_significant(make_cases):
    covered, false = 0, []
    for seed in range(100):
        rows = make_cases(seed, 4000, people=0.12)
        found = share_out(rows, rows["team"].eq("B"), ["team"])
        inside, now, new = rows["team"].eq("B"), rows["period"].eq("now"), rows["tenure"].eq("new")
        truth = 0.12 * (inside & now).sum() * (new[inside & now].mean() - new[~inside & now].mean())
        low, high = found.parts["people"].interval()
        covered += low <= truth <= high
        rows = make_cases(1000 + seed, 4000)
        found = share_out(rows, rows["team"].eq("B"), ["team"])
        false.append([found.parts[layer].p_value < 0.05 for layer in ("data", "people")])
    assert covered >= 88  # 95 % less three standard errors
    assert np.mean(false) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_numbers_are_grouped_finer_where_they_are_large_and_missing_is_a_group():
    code, values, edges = group_values(pd.Series([*range(100), None]))
    assert values[0] == "<=24.75" and values[-2] == ">96.03" and values[-1] == ""
    assert edges is not None and np.bincount(code).tolist() == [25, 25, 25, 15, 7, 3, 1]
    few = group_values(pd.Series([1.0, 2.0, 1.0] * 20))
    assert few[1] == ["1", "2"] and few[2] is None


def test_cases_that_can_not_be_laid_out_are_refused(make_cases):
    rows = make_cases(0, 200)
    with pytest.raises(CauseError, match="no column 'colour'"):
        lay_out(rows, by=["colour"])
    with pytest.raises(CauseError, match="no case of the period"):
        lay_out(rows[rows["period"] == "before"])
