import numpy as np
import pytest

from svcanalytics import causes

_REFUND = ["refund", "money", "account", "waiting", "returned", "amount", "balance", "card", "paid", "back"]
_PARCEL = ["parcel", "courier", "late", "address", "tracking", "delivered", "van", "door", "driver", "lost"]


def written(words, n, rng):
    return [" ".join([*rng.choice(words, 5, replace=False), rng.choice(["please", "hello"])]) for _ in range(n)]


def test_themes_are_weighed_against_the_last_period_and_by_what_became_of_them():
    rng = np.random.default_rng(0)
    now = written(_REFUND, 120, rng) + written(_PARCEL, 60, rng)
    before = written(_REFUND, 60, rng) + written(_PARCEL, 120, rng)
    themes = causes.cluster([*now, *before], 2)
    bad = np.r_[np.tile([1, 0], 60), np.zeros(60)]
    told = causes.weigh_themes(now, before, {"dissatisfied": bad, "hours": rng.normal(size=180)}, clusters=themes)
    refund = told[(told["label"].str.split().str[0].isin(_REFUND)) & (told["outcome"] == "dissatisfied")].iloc[0]
    assert (refund["n"], refund["n_before"], refund["expected"]) == (120, 60, pytest.approx(60))
    assert refund["emerging"] and refund["ratio"] > 1.2
    assert refund["excess"] == pytest.approx(60) and refund["low"] < 60 < refund["high"] and refund["certain"]
    assert not told.loc[told["outcome"] == "hours", "certain"].any() and len(told) == 4


def test_without_outcomes_or_a_period_before_what_is_missing_is_nan():
    rng = np.random.default_rng(1)
    told = causes.weigh_themes(written(_REFUND, 40, rng) + written(_PARCEL, 40, rng))
    assert told[["expected", "ratio", "excess", "q_value"]].isna().all(axis=None)
    assert not told[["emerging", "certain"]].any(axis=None)
