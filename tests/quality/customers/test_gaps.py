"""The gap between two groups, split as Oaxaca and Blinder do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import oaxaca


def card_spending() -> pd.DataFrame:
    """Return the credit card data that come with statsmodels."""
    from statsmodels.datasets import ccard

    return ccard.load_pandas().data


def wholes(table: pd.DataFrame) -> dict[str, float]:
    return table[table["metric"] == ""].set_index("part")["value"].to_dict()


SPENDING = ("AVGEXP", ["AGE", "INCOME", "INCOMESQ"], "OWNRENT")


def test_the_published_split_of_card_spending_comes_out():
    """statsmodels' example: owners spend 158.75044 more than tenants."""
    assert wholes(oaxaca(card_spending(), *SPENDING)) == pytest.approx(
        {"gap": 158.75044, "explained": 130.80954, "unexplained": 27.94091}, abs=5e-6
    )
    assert wholes(oaxaca(card_spending(), *SPENDING, fold="three")) == pytest.approx(
        {"gap": 158.75044, "endowments": 321.74824, "coefficients": 75.45371, "interaction": -238.45151}, abs=5e-6
    )


@pytest.mark.parametrize("fold", ["two", "three"])
def test_metrics_add_up_to_their_part_and_parts_to_the_gap(fold):
    data = card_spending()
    table = oaxaca(data, *SPENDING, fold=fold)
    whole = wholes(table)
    metrics = table[table["metric"] != ""].groupby("part")["value"].sum()
    assert metrics.to_dict() == pytest.approx({part: value for part, value in whole.items() if part != "gap"})
    assert sum(value for part, value in whole.items() if part != "gap") == pytest.approx(whole["gap"])
    spending = data.groupby("OWNRENT")["AVGEXP"]
    gap = table[table["part"] == "gap"].iloc[0]
    assert gap["value"] == pytest.approx(spending.mean()[1.0] - spending.mean()[0.0])
    assert gap["error"] == pytest.approx(np.sqrt((spending.var() / spending.size()).sum()), rel=0.15)
    turned = wholes(oaxaca(data, *SPENDING, fold=fold, first=0.0))
    assert turned["gap"] == pytest.approx(-whole["gap"])


@pytest.mark.parametrize("fold", ["two", "three"])
def test_standard_errors_are_the_spread_over_many_samples(fold):
    tables = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        team = rng.random(400) < 0.4
        x = rng.standard_normal((400, 2)) + team[:, None] * [0.5, 0.0]
        noise = rng.standard_normal(400) * (1 + team)
        y = x @ [1.0, 0.5] + team * (0.3 + 0.4 * x[:, 1]) + noise
        frame = pd.DataFrame({"wait": x[:, 0], "skill": x[:, 1], "team": team, "csat": y})
        tables.append(oaxaca(frame, "csat", ["wait", "skill"], "team", fold=fold, first=True))
    spread = np.std([t["value"] for t in tables], axis=0, ddof=1)
    said = np.mean([t["error"] for t in tables], axis=0)
    large = spread > 0.02  # products of two estimates near 0 are no normal matter
    assert said[large] / spread[large] == pytest.approx(np.ones(large.sum()), abs=0.2)


def test_what_cannot_be_split_is_refused():
    data = card_spending()
    with pytest.raises(CatalogueError, match="OWNRENT: has 1 groups, not 2"):
        oaxaca(data[data["OWNRENT"] == 1], *SPENDING)
    with pytest.raises(CatalogueError, match="no column 'PAY'"):
        oaxaca(data, "AVGEXP", ["PAY"], "OWNRENT")
    with pytest.raises(CatalogueError, match="no split 'four'"):
        oaxaca(data, *SPENDING, fold="four")
    with pytest.raises(CatalogueError, match="no group 7"):
        oaxaca(data, *SPENDING, first=7)
    with pytest.raises(CatalogueError, match=r"AGE, OWNRENT 1\.0: never varies"):
        oaxaca(data.assign(AGE=data["AGE"].where(data["OWNRENT"] == 0, 40.0)), *SPENDING)
