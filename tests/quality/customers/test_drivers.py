"""What drives an outcome: shares of R2 and the correlation ratio, against published and closed forms."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import importance
from svcanalytics.quality.customers.drivers import effective_importance


def made(n=400, p=4, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, p)) @ (np.eye(p) + 0.5)
    return pd.DataFrame(x, columns=[f"m{i}" for i in range(p)]), x @ np.arange(p, dtype=float) + rng.standard_normal(n)


@pytest.mark.real_data
def test_swiss_fertility_is_shared_out_as_published(real_data):
    """R package relaimpo, lmg for Fertility (Groemping 2006, Journal of Statistical Software 17:1)."""
    swiss = pd.read_csv(real_data / "oracles" / "swiss.csv")
    published = {
        "Agriculture": 0.0570912,
        "Examination": 0.171173,
        "Education": 0.2601347,
        "Catholic": 0.1055702,
        "Infant.Mortality": 0.1127659,
    }
    found = importance(swiss[list(published)], swiss["Fertility"], replicates=50).set_index("metric")
    assert found["importance"].to_numpy() == pytest.approx(list(published.values()), abs=1e-6)
    assert found["importance"].sum() == pytest.approx(0.706735, abs=1e-6)
    assert found["share"].sum() == pytest.approx(1)
    assert ((found["low"] < found["importance"]) & (found["importance"] < found["high"])).all()


def test_lmg_is_the_mean_gain_over_all_orders_of_entering():
    x, y = made()

    def explained(columns):
        design = np.column_stack([x[list(columns)], np.ones(len(x))])
        left = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
        return 1 - left.var() / y.var()

    gains = {name: [] for name in x}
    for order in permutations(x.columns):
        for place, name in enumerate(order):
            gains[name].append(explained(order[: place + 1]) - (explained(order[:place]) if place else 0.0))
    found = importance(x, y, replicates=0)
    assert found["importance"].to_numpy() == pytest.approx([np.mean(gains[name]) for name in x], abs=1e-10)


def test_johnson_adds_up_to_r2_equals_lmg_for_two_columns_and_stands_in_for_many():
    x, y = made(p=2)
    lmg, johnson = (importance(x, y, method, replicates=0)["importance"].to_numpy() for method in ("lmg", "johnson"))
    assert johnson == pytest.approx(lmg, abs=1e-12)
    x, y = made(p=14)
    many = importance(x, y, replicates=0)
    design = np.column_stack([x, np.ones(len(x))])
    r2 = 1 - (y - design @ np.linalg.lstsq(design, y, rcond=None)[0]).var() / y.var()
    assert set(many["method"]) == {"johnson"}
    assert many["importance"].sum() == pytest.approx(r2)


def test_columns_that_do_not_go_together_earn_their_squared_correlation():
    x = pd.DataFrame(np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T, columns=list("abc"))
    y = 3 * x["a"] + 2 * x["b"] + x["c"]
    for method in ("lmg", "johnson"):
        assert importance(x, y, method, replicates=0)["importance"].tolist() == pytest.approx([9 / 14, 4 / 14, 1 / 14])


def test_the_correlation_ratio_sees_a_curve_that_no_line_does_and_ignores_noise():
    rng = np.random.default_rng(2)
    x = pd.DataFrame({"wait": rng.uniform(-1, 1, 4000), "noise": rng.uniform(-1, 1, 4000)})
    y = x["wait"] ** 2 + 0.2 * rng.standard_normal(4000)
    line = importance(x, y, replicates=0)["importance"]
    curve = importance(x, y, "correlation_ratio", replicates=50).set_index("metric")
    truth = (4 / 45) / (4 / 45 + 0.04)
    assert line[0] < 0.01
    assert curve.loc["wait", "importance"] == pytest.approx(truth, abs=0.04)
    assert curve.loc["noise", "importance"] < 0.01


def test_shares_of_an_indexs_variance_follow_spread_and_company():
    assert effective_importance(np.diag([4.0, 1.0]), [0.5, 0.5]) == pytest.approx([0.8, 0.2])
    assert effective_importance(np.eye(14), np.full(14, 1 / 14)) == pytest.approx(np.full(14, 1 / 14))
    alike = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    assert effective_importance(alike, [0.5, 0.0, 0.5]) == pytest.approx([0.25, 0.25, 0.5])
    assert np.isnan(effective_importance(np.zeros((2, 2)), [0.5, 0.5])).all()


def test_rows_of_one_period_are_drawn_together():
    rng = np.random.default_rng(3)
    month = np.repeat(np.arange(30), 20)
    shared = np.repeat(rng.standard_normal(30), 20)
    x = pd.DataFrame({"a": shared + 0.1 * rng.standard_normal(600), "b": rng.standard_normal(600)})
    y = shared + np.repeat(rng.standard_normal(30), 20)
    alone, together = (importance(x, y, blocks=blocks).set_index("metric").loc["a"] for blocks in (None, month))
    assert together["high"] - together["low"] > 2 * (alone["high"] - alone["low"])


def test_what_cannot_be_shared_out_is_refused():
    x, y = made()
    with pytest.raises(CatalogueError, match="m1: never varies"):
        importance(x.assign(m1=3.0), y)
    with pytest.raises(CatalogueError, match="outcome: never varies"):
        importance(x, np.ones(len(x)))
    with pytest.raises(CatalogueError, match="5 whole rows can't tell 4"):
        importance(x[:5], y[:5])
    with pytest.raises(CatalogueError, match="400 rows of metrics, 399 of outcomes"):
        importance(x, y[1:])
    with pytest.raises(CatalogueError, match="no method 'shap'"):
        importance(x, y, "shap")


def test_an_infinite_value_or_a_text_is_refused_and_makes_no_missing_shares():
    x = pd.DataFrame({"a": [1.0, 2.0, 3.0, 5.0], "b": [1.0, 3.0, 2.0, np.inf]})
    with pytest.raises(CatalogueError, match="a value is infinite"):
        importance(x, [1.0, 2.0, 3.0, 4.0])
    with pytest.raises(CatalogueError, match="not all values are numbers"):
        importance(x[["a"]], ["a", "b", "c", "d"])
