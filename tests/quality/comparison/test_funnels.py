import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError, ContractError
from svcanalytics.quality.comparison.casemix import expect, standardise_cases
from svcanalytics.quality.comparison.funnels import exact_limits, funnel
from svcanalytics.quality.comparison.overdispersion import (
    between_variance,
    dispersion_over_time,
    dispersion_ratio,
    truncate,
    winsorise,
)


@pytest.mark.parametrize(
    ("level", "low", "high"),
    [
        (0.95, [0.5596924, 0.6108260, 0.6746958], [1.649348, 1.544419, 1.427562]),
        (0.998, [0.3862650, 0.4479107, 0.5289724], [2.082907, 1.902094, 1.702771]),
    ],
)
def test_limits_of_a_ratio_are_those_published(level, low, high):
    """FunnelPlotR's tests, at 15, 20 and 30 expected."""
    found = exact_limits([15, 20, 30], 1.0, "ratio", level)
    assert found[0] == pytest.approx(low, rel=1e-6) and found[1] == pytest.approx(high, rel=1e-6)


def test_limits_of_a_rate_are_clopper_and_pearsons_at_the_mean():
    from scipy.stats import binomtest

    low, high = exact_limits([50, 200], 0.9, "rate", 0.95)
    for place, (hits, n) in enumerate(((45, 50), (180, 200))):
        ours = binomtest(hits, n).proportion_ci(0.95, method="exact")
        assert (low[place], high[place]) == pytest.approx((ours.low, ours.high))


@pytest.mark.real_data
def test_providers_with_long_stays_are_those_published(real_data):
    """medpar: the coefficients and dispersion of the Poisson regression; 25 outliers of 54, 9 with SHMI's allowance."""
    import statsmodels.formula.api as smf
    from statsmodels.api import families

    cases = pd.read_csv(real_data / "oracles" / "medpar.csv", dtype={"provnum": str, "type": str})
    expected = expect(cases, "los", ["hmo", "died", "age80", "type"], unit="provnum", kind="poisson", folds=0)
    plain = cases[["hmo", "died", "age80"]].eq(0).all(axis=1)
    logs = [np.log(expected[plain & cases["type"].eq(kind)].iloc[0]) for kind in "123"]
    assert logs == pytest.approx([2.26875, 2.26875 + 0.24921, 2.26875 + 0.74869], abs=1e-5)
    for name, effect in (("hmo", -0.07637), ("died", -0.24574), ("age80", -0.02141)):
        others = [other for other in ("hmo", "died", "age80") if other != name]
        alone = cases[name].eq(1) & cases[others].eq(0).all(axis=1) & cases["type"].eq("1")
        if alone.any():
            assert np.log(expected[alone].iloc[0]) - 2.26875 == pytest.approx(effect, abs=2e-5)
    fit = smf.glm("los ~ hmo + died + age80 + C(type)", cases, family=families.Poisson()).fit()
    assert np.allclose(fit.fittedvalues, expected)
    assert ((cases["los"] - expected) ** 2 / expected).sum() / (len(cases) - 6) == pytest.approx(6.2405, abs=1e-4)
    units = standardise_cases(cases, "los", expected, unit="provnum").rename(columns={"provnum": "unit"})
    outliers = {
        dispersion: int(funnel(units, "ratio", dispersion=dispersion).units["outlier"].ne("").sum())
        for dispersion in ("none", "shmi", "additive")
    }
    assert outliers["none"] == 25 and outliers["shmi"] == 9 and outliers["additive"] < 9


def test_over_dispersed_limits_are_spiegelhalters_by_hand():
    """Six units; every step of the additive model written out."""
    o, e = np.array([100, 150, 180, 80, 120, 225.0]), np.array([108, 112, 165, 95, 100, 220.0])
    found = funnel(pd.DataFrame({"observed": o, "expected": e}), "ratio", centre=1.0, levels=(0.95,))
    s = 1 / (2 * np.sqrt(e))
    z = (np.sqrt(o / e) - 1) / s
    z = np.clip(z, *np.quantile(z, [0.1, 0.9]))
    phi, w = (z**2).mean(), 1 / s**2
    tau2 = max(0, (6 * phi - 5) / (w.sum() - (w**2).sum() / w.sum()))
    assert tau2 > 0 and (found.ratio, found.spread**2) == pytest.approx((phi, tau2))
    assert found.units["high_95"].to_numpy() == pytest.approx((1 + 1.959963985 * np.sqrt(s**2 + tau2)) ** 2)
    wide = funnel(pd.DataFrame({"observed": o, "expected": e}), "ratio", dispersion="multiplicative", centre=1.0)
    assert wide.units["low_95"].to_numpy() == pytest.approx((1 - 1.959963985 * s * np.sqrt(phi)) ** 2)


def test_units_that_differ_by_chance_alone_get_exact_limits():
    n = np.arange(50, 90)
    units = pd.DataFrame({"numerator": np.round(0.8 * n), "denominator": n})
    found = funnel(units)
    assert found.spread == 0
    exact = exact_limits(n, found.centre, "rate", 0.998)
    for side, limit in zip(("low", "high"), exact, strict=True):
        assert found.units[f"{side}_99.8"].to_numpy() == pytest.approx(limit)


def test_means_take_their_errors_from_their_intervals():
    units = pd.DataFrame({"value": [1.0, 2.0, 3.0, 9.0], "error": [0.5, 0.4, 0.6, 0.5]})
    wide = 1.959963985 * units["error"]
    bands = units.drop(columns="error").assign(low=units["value"] - wide, high=units["value"] + wide)
    ours, theirs = (funnel(frame, "mean", dispersion="none") for frame in (bands, units))
    assert ours.centre == pytest.approx(np.average(units["value"], weights=1 / units["error"] ** 2))
    for name in ("low_95", "high_99.8"):
        assert ours.units[name].to_numpy() == pytest.approx(theirs.units[name].to_numpy())
    assert ours.units["outlier"].tolist() == ["low", "low", "", "high"]


def test_the_variance_between_units_is_dersimonian_and_lairds():
    """Two studies by hand: Q = 8, w = 4 and 4, so tau2 = (8 - 1) / (8 - 4)."""
    values, errors = np.array([-1.0, 1.0]), np.array([0.5, 0.5])
    assert between_variance(values / errors, errors) == pytest.approx(7 / 4)
    assert between_variance([0.1, -0.1], errors) == 0


def test_outliers_neither_hide_themselves_nor_count_twice():
    z = np.array([*np.linspace(-1, 1, 19), 40.0])
    assert dispersion_ratio(winsorise(z)) < 1.2 < dispersion_ratio(z)
    assert truncate(z).sum() == 16 and not truncate(z)[-1]


def test_noise_over_time_is_found_where_rates_move_and_not_where_they_stand():
    rng = np.random.default_rng(4)
    n = np.full((40, 24), 500.0)
    still = rng.binomial(500, 0.8, (40, 24))
    moving = rng.binomial(500, np.clip(rng.normal(0.8, 0.05, (40, 24)), 0, 1))
    level = np.broadcast_to(still.mean(axis=1, keepdims=True), n.shape)
    assert dispersion_over_time(still, level, n).mean() < 1.3
    level = np.broadcast_to(moving.mean(axis=1, keepdims=True), n.shape)
    assert dispersion_over_time(moving, level, n).mean() == pytest.approx(1 + 500 * 0.05**2 / 0.16, rel=0.1)
    assert (dispersion_over_time(moving[:, :2], level[:, :2], n[:, :2]) == 1).all()


counts = st.lists(st.tuples(st.integers(1, 500), st.floats(0, 1)), min_size=2, max_size=15)


@settings(max_examples=50)
@given(counts, st.sampled_from(["none", "multiplicative", "additive"]), st.randoms(use_true_random=False))
def test_limits_are_ordered_hold_the_centre_and_do_not_depend_on_the_order_of_units(rows, dispersion, random):
    units = pd.DataFrame({"numerator": [round(n * p) for n, p in rows], "denominator": [n for n, _ in rows]})
    found = funnel(units, dispersion=dispersion)
    at = found.units
    assert (at["low_99.8"] <= at["low_95"] + 1e-9).all() and (at["high_95"] <= at["high_99.8"] + 1e-9).all()
    assert (at["low_95"] <= found.centre + 1e-9).all() and (found.centre - 1e-9 <= at["high_95"]).all()
    order = random.sample(range(len(rows)), len(rows))
    again = funnel(units.iloc[order], dispersion=dispersion)
    assert np.allclose(again.units["high_95"], at["high_95"].to_numpy()[order])


RATES = pd.DataFrame({"unit": ["a", "b"], "numerator": [5, 6], "denominator": [10, 10]})


@pytest.mark.parametrize(
    ("units", "options", "error", "what"),
    [
        (RATES.assign(numerator=[11, 6]), {}, ContractError, "unit a: numerator is above denominator"),
        (RATES.assign(numerator=[-1, 6]), {}, ContractError, "unit a: numerator is negative"),
        (RATES.assign(denominator=[10, 0]), {}, ContractError, "unit b: denominator must be above 0"),
        (RATES.iloc[:1], {}, CatalogueError, "two units"),
        (RATES, {"kind": "ratio"}, CatalogueError, "column 'observed'"),
        (RATES, {"dispersion": "shmi"}, CatalogueError, "shmi is defined for ratios"),
        (RATES, {"levels": (95,)}, CatalogueError, "between 0 and 1"),
        (RATES.assign(denominator=[np.inf, 10]), {}, CatalogueError, "a value is infinite"),
        (RATES.assign(numerator="x"), {}, CatalogueError, "not all values are numbers"),
        (RATES, {"centre": 5}, CatalogueError, "no rate can be 5"),
        (RATES, {"centre": float("nan")}, CatalogueError, "no rate can be nan"),
        (RATES, {"winsor": 0.5}, CatalogueError, "0.5 can't be pulled in"),
    ],
)
def test_counts_and_options_that_make_no_funnel_are_refused(units, options, error, what):
    with pytest.raises(error, match=what):
        funnel(units, **options)
