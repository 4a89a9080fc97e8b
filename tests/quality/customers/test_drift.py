"""Weights that move with customers, and rest when they do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, learn, learn_by_period, score
from svcanalytics.quality.customers.shares import explained_shares, smooth_shares

NAMES = ["wait", "resolved", "skill", "polite"]
ALIKE = dict.fromkeys(NAMES, 0.25)


def customers(seed: int, move: float, n: int = 8000) -> tuple[pd.DataFrame, np.ndarray]:
    """Return eight quarters in which `move` of the weight goes from resolving to waiting, and the quarters' weights."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)) @ np.linalg.cholesky(0.7 * np.eye(4) + 0.3).T
    passed = np.arange(n) / n
    weight = np.column_stack([0.1 + move * passed, 0.5 - move * passed, np.full(n, 0.25), np.full(n, 0.15)])
    csat = (x * weight).sum(axis=1) + 1.2 * rng.standard_normal(n) + passed
    quarter = [f"{2025 + int(q) // 4}Q{int(q) % 4 + 1}" for q in passed * 8]
    frame = pd.DataFrame(x, columns=NAMES).assign(csat=csat, start=np.arange(n), period=quarter)
    return frame, weight.reshape(8, -1, 4).mean(axis=1)


def test_weights_follow_customers_whose_minds_change():
    moved, rested = [], []
    for seed in range(5):
        frame, truth = customers(seed, move=0.4)
        path = learn_by_period(frame, "csat", NAMES, ALIKE, replicates=20)
        found = path.table["weight"].to_numpy().reshape(8, 4)
        assert path.moves and np.isfinite(path.smoothness)
        assert found.sum(axis=1) == pytest.approx(np.ones(8)) and (found >= 0).all()
        moved.append(np.abs(found - truth).mean())
        still = learn(frame, "csat", NAMES, ALIKE, replicates=0).table["weight"].to_numpy()
        rested.append(np.abs(still - truth).mean())
    assert np.mean(moved) < 0.7 * np.mean(rested)
    assert (path.table["low"] <= path.table["weight"]).all() and (path.table["weight"] <= path.table["high"]).all()


def test_one_set_of_weights_holds_where_nothing_changes():
    for seed in range(4):
        frame, _ = customers(seed, move=0.0)
        path = learn_by_period(frame, "csat", NAMES, ALIKE, replicates=0)
        assert not path.moves and path.smoothness == np.inf
        # Levels may drift from quarter to quarter, so only differences within a quarter are learned from.
        still = learn(frame, "csat", NAMES, ALIKE, within=["period"], replicates=0).table["weight"].tolist()
        for _, quarter in path.table.groupby("period"):
            assert quarter["weight"].tolist() == pytest.approx(still, abs=0.01)


def test_the_prior_is_kept_where_there_is_nothing_to_learn():
    frame, _ = customers(1, move=0.4, n=800)
    frame["csat"] = np.random.default_rng(0).integers(1, 6, 800)
    path = learn_by_period(frame, "csat", NAMES, ALIKE, replicates=10)
    assert (path.table["weight"] == 0.25).all() and not path.moves


def test_great_smoothness_is_one_fit_and_none_is_many():
    rng = np.random.default_rng(2)
    xx = np.array([a @ a.T / 20 for a in rng.standard_normal((3, 4, 20))])
    xy = np.array([square @ [0.4, 0.3, 0.2, 0.1] for square in xx]) + 0.05 * rng.random((3, 4))
    size, prior = np.array([0.5, 0.3, 0.2]), np.full(4, 0.25)
    apart = smooth_shares(xx, xy, size, prior, 0.1, 0.0)
    for t in range(3):
        scale = float(size @ np.trace(xx, axis1=1, axis2=2)) / np.trace(xx[t])
        assert apart[t] == pytest.approx(explained_shares(xx[t], xy[t], prior, 0.1 * scale), abs=1e-6)
    together = smooth_shares(xx, xy, size, prior, 0.1, 1e7)
    pooled = explained_shares(np.tensordot(size, xx, 1), size @ xy, prior, 0.1)
    assert together == pytest.approx(np.tile(pooled, (3, 1)), abs=1e-5)


def test_the_path_serves_as_weights_of_the_index():
    frame, _ = customers(3, move=0.4)
    posts = Goalposts(0, 80, 100)
    of = dict.fromkeys(NAMES, ("contact", 0.25)) | {"training": ("people", 1.0)}
    profile = Profile("p", {"contact": 0.9, "people": 0.1}, tuple(ProfileMetric(m, *w, posts) for m, w in of.items()))
    path = learn_by_period(frame, "csat", NAMES, profile, replicates=0)
    weights = path.over(profile)
    assert weights.groupby("period")["weight"].sum().to_numpy() == pytest.approx(np.ones(8))
    periods = ["2025Q1", "2026Q4"]
    measures = pd.DataFrame({"metric": [*of] * 2, "period": np.repeat(periods, 5), "value": [90, 50, 70, 60, 80] * 2})
    index = score(measures, profile, weights=weights).scores.query("family == ''").set_index("period")["score"]
    assert index["2026Q4"] > index["2025Q1"] + 5  # waiting, the best of them, counts for more at the end


def test_periods_that_overlap_or_are_too_few_are_refused():
    frame, _ = customers(0, move=0.0, n=400)
    with pytest.raises(CatalogueError, match="only one period"):
        learn_by_period(frame.assign(period="2026"), "csat", NAMES, ALIKE)
    with pytest.raises(CatalogueError, match="two periods overlap"):
        learn_by_period(frame.assign(period=np.arange(400) % 2), "csat", NAMES, ALIKE)
    with pytest.raises(CatalogueError, match="no column 'quarter'"):
        learn_by_period(frame, "csat", NAMES, ALIKE, period="quarter")
    with pytest.raises(CatalogueError, match="a period is missing"):
        learn_by_period(frame.assign(period=frame["period"].where(frame["start"] > 3)), "csat", NAMES, ALIKE)
