"""Patience: from the waits of those who gave up and of those who did not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import demand
from svcanalytics.errors import DemandError


def waits_of(mean=180.0, service=120.0, n=4000, seed=1):
    rng = np.random.default_rng(seed)
    patience, offered = rng.exponential(mean, n), rng.exponential(service, n)
    return pd.DataFrame({"wait_s": np.minimum(patience, offered), "abandoned": patience < offered})


def test_answered_calls_are_censored_and_not_left_out():
    waits = waits_of()
    found = demand.patience(waits).iloc[0]
    assert found["mean_s"] == pytest.approx(waits["wait_s"].sum() / waits["abandoned"].sum())
    assert found["mean_s"] == pytest.approx(180, rel=0.06)
    assert waits.loc[waits["abandoned"], "wait_s"].mean() < 90  # what leaving them out would say
    assert found["median_s"] == pytest.approx(180 * np.log(2), rel=0.1)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    inside = 0
    for seed in range(200):
        found = demand.patience(waits_of(n=60, seed=seed), level=0.9).iloc[0]
        inside += found["lower"] <= 180 <= found["upper"]
    assert 0.86 <= inside / 200 <= 0.95


def test_nobody_who_gave_up_bounds_patience_from_below_only():
    found = demand.patience(pd.DataFrame({"wait_s": [10.0] * 50, "abandoned": False})).iloc[0]
    assert np.isinf(found["mean_s"]) and np.isinf(found["upper"])
    assert found["lower"] == pytest.approx(500 / -np.log(0.025))
    assert np.isnan(found["median_s"])


def test_the_curve_is_the_product_of_a_naive_loop():
    waits = waits_of(n=200, seed=5).round(0)
    curve = demand.patience_curve(waits)
    willing = 1.0
    for row in curve.itertuples():
        at_risk = (waits["wait_s"] >= row.wait_s).sum()
        gone = ((waits["wait_s"] == row.wait_s) & waits["abandoned"]).sum()
        willing *= 1 - gone / at_risk
        assert row.willing == pytest.approx(willing)
        assert row.lower <= row.willing <= row.upper
    assert (curve["lower"] >= 0).all() and (curve["upper"] <= 1).all()


def test_the_curve_gives_the_textbook_values():
    # Freireich et al. 1963, 6-mercaptopurine (Kalbfleisch and Prentice, table 1.1): remission times in weeks.
    ends = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    frame = pd.DataFrame({"wait_s": [*ends, *censored], "abandoned": [True] * len(ends) + [False] * len(censored)})
    curve = demand.patience_curve(frame).set_index("wait_s")["willing"]
    assert curve.round(4).tolist() == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]


def test_groups_are_told_apart_and_negative_waits_refused():
    frame = pd.concat([waits_of().assign(queue="a"), waits_of(mean=60).assign(queue="b")])
    found = demand.patience(frame).set_index("group")
    assert found.loc["a", "lower"] > found.loc["b", "upper"]
    with pytest.raises(DemandError, match="negative"):
        demand.patience(frame.assign(wait_s=-1.0))


@pytest.mark.real_data
def test_patience_of_a_real_bank_is_total_waiting_over_hang_ups(real_data):
    raw = pd.read_csv(real_data / "contacts/bank_contacts_1999_01.txt", sep="\t", dtype=str)
    raw = raw[(raw["outcome"] != "PHANTOM") & (raw["q_start"] != "0:00:00")]
    frame = pd.DataFrame({"wait_s": raw["q_time"].astype(float), "abandoned": raw["outcome"] == "HANG"})
    frame = frame[frame["wait_s"] >= 0]
    found = demand.patience(frame).iloc[0]
    total = hung = 0
    for wait, gone in zip(frame["wait_s"], frame["abandoned"], strict=True):
        total, hung = total + wait, hung + gone
    assert found["mean_s"] == pytest.approx(total / hung)
    assert found["lower"] < found["mean_s"] < found["upper"] < 1.1 * found["lower"]
