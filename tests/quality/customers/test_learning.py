"""Weights learned from answers, on made-up customers whose true weights are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, learn, score
from svcanalytics.quality.customers.evidence import prior_shares
from svcanalytics.quality.customers.shares import explained_shares, pinned_basis

TRUTH = np.array([0.25, 0.20, 0.15, 0.12, 0.10, 0.08, 0.06, 0.04])
NAMES = [f"m{number}" for number in range(8)]
RIGHT = dict(zip(NAMES, TRUTH, strict=True))
WRONG = RIGHT | {"m0": 0.10, "m5": 0.23}
SQUARE = 0.7 * np.eye(8) + 0.3


def customers(seed: int, n: int = 2000, explained: float = 0.2) -> pd.DataFrame:
    """Return n contacts in order of time: scores correlated .3, satisfaction explained as far as asked."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 8)) @ np.linalg.cholesky(SQUARE).T
    noise = np.sqrt(TRUTH @ SQUARE @ TRUTH * (1 - explained) / explained)
    y = x @ TRUTH + noise * rng.standard_normal(n)
    return pd.DataFrame(75 + 10 * x, columns=NAMES).assign(csat=y, start=np.arange(n))


def weights(learned) -> np.ndarray:
    return learned.table["weight"].to_numpy()


def test_true_weights_are_recovered_when_two_of_the_experts_are_wrong():
    errors, held = [], []
    for seed in range(12):
        learned = learn(customers(seed), "csat", NAMES, WRONG, replicates=100)
        errors.append(np.abs(weights(learned) - TRUTH).mean())
        held.append((learned.table["low"] <= TRUTH) & (learned.table["high"] >= TRUTH))
    assert np.mean(errors) < 0.03
    assert np.mean(held) > 0.88
    assert learned.used and learned.surveyed == 2000 and not learned.response_corrected
    assert learned.explained == pytest.approx(0.2, abs=0.05)
    assert learned.scale == pytest.approx(0.1, abs=0.02)  # scores run 10 points to the standard deviation


def test_a_right_prior_is_kept_and_never_costs_more_than_the_noise():
    for seed in range(12):
        learned = learn(customers(seed), "csat", NAMES, RIGHT, replicates=0)
        w = weights(learned)
        together = w @ SQUARE @ TRUTH / np.sqrt((w @ SQUARE @ w) * (TRUTH @ SQUARE @ TRUTH))
        assert np.sqrt(0.2) * (1 - together) < 0.02


def test_answers_that_have_nothing_to_do_with_the_metrics_teach_nothing():
    kept = 0
    for seed in range(20):
        frame = customers(seed, 600)
        frame["csat"] = np.random.default_rng(seed + 1000).integers(1, 6, len(frame))
        learned = learn(frame, "csat", NAMES, WRONG, replicates=0)
        kept += not learned.used
        if not learned.used:
            assert dict(zip(NAMES, weights(learned), strict=True)) == WRONG
            assert learned.penalty == np.inf
            assert learned.validation["rank_correlation"].iloc[2] == pytest.approx(0, abs=0.2)
    assert kept >= 16


def test_weights_are_shares_and_pins_hold_exactly():
    learned = learn(customers(3), "csat", NAMES, WRONG, pins={"m0": 0.4, "m7": 0.0}, replicates=50)
    table = learned.table.set_index("metric")
    assert (table["weight"] >= 0).all() and table["weight"].sum() == pytest.approx(1, abs=1e-12)
    assert table.loc["m0", "weight"] == pytest.approx(0.4, abs=1e-12) and table.loc["m7", "weight"] == 0
    assert table.loc["m0", ["low", "high"]].tolist() == pytest.approx([0.4, 0.4])
    assert ((table["low"] <= table["weight"]) & (table["weight"] <= table["high"])).all()


@pytest.mark.parametrize("penalty", [0.0, 0.05, 1.0, 50.0])
@pytest.mark.parametrize("pinned", [[], [1]])
def test_shares_minimise_what_they_are_said_to(penalty, pinned):
    """The penalised problem over scale and shares, solved by a general optimiser."""
    frame = customers(5, 400)[[*NAMES[:4], "csat"]]
    x, y = (part - part.mean(axis=0) for part in (frame[NAMES[:4]].to_numpy(), frame["csat"].to_numpy()))
    xx, xy = x.T @ x / len(y), x.T @ y / len(y)
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    held = np.isin(np.arange(4), pinned)
    found = explained_shares(xx, xy, prior, penalty, pinned_basis(prior, held))

    def loss(b):
        return ((y - x @ b) ** 2).mean() + penalty * np.trace(xx) / 4 * ((b - b.sum() * prior) ** 2).sum()

    rules = [{"type": "eq", "fun": lambda b: (b - b.sum() * prior)[held]}] if pinned else []
    best = minimize(loss, 0.1 * prior, bounds=[(0, None)] * 4, constraints=rules, method="SLSQP", tol=1e-14)
    assert loss(found) <= best.fun + 1e-8
    assert found == pytest.approx(best.x, abs=2e-4)
    assert (found - found.sum() * prior)[held] == pytest.approx(0, abs=1e-12)


def test_an_infinite_penalty_leaves_the_prior_with_its_best_scale():
    prior = np.array([0.5, 0.3, 0.2])
    xx = 0.5 * np.eye(3) + 0.5
    assert explained_shares(xx, xx @ (2 * prior), prior, np.inf) == pytest.approx(2 * prior)
    assert explained_shares(xx, xx @ (2 * prior), prior, 1e7) == pytest.approx(2 * prior, rel=1e-5)
    assert (explained_shares(xx, -xx @ prior, prior, np.inf) == 0).all()


def test_less_is_better_turns_the_outcome_round():
    frame = customers(1)
    up = learn(frame, "csat", NAMES, WRONG, replicates=0)
    down = learn(frame.assign(complaints=-frame["csat"]), "complaints", NAMES, WRONG, better="down", replicates=0)
    assert weights(down) == pytest.approx(weights(up), abs=1e-12)
    assert down.scale == pytest.approx(-up.scale)


def test_cells_with_their_number_of_answers_teach_what_their_contacts_do():
    frame = customers(2, 3000)
    twice = pd.concat([frame, frame]).sort_values("start", kind="stable", ignore_index=True)
    counted = frame.assign(answers=2)
    assert weights(learn(counted, "csat", NAMES, WRONG, answers="answers", replicates=0)) == pytest.approx(
        weights(learn(twice, "csat", NAMES, WRONG, replicates=0)), abs=1e-9
    )


def test_groups_that_differ_for_other_reasons_mislead_only_when_not_told_apart():
    frame = customers(4, 3000)
    kiosk = np.arange(3000) % 2 == 0
    frame["route"] = np.where(kiosk, "kiosk", "message")
    frame.loc[kiosk, "csat"] += 3.0
    frame.loc[kiosk, "m7"] += 15.0
    apart = learn(frame, "csat", NAMES, RIGHT, within=["route"], replicates=0)
    mixed = learn(frame, "csat", NAMES, RIGHT, replicates=0)
    assert weights(apart)[7] < 0.1 < 0.3 < weights(mixed)[7]


def test_a_missing_score_says_nothing():
    frame = customers(6, 4000)
    gaps = frame.copy()
    gaps.loc[np.random.default_rng(0).random(4000) < 0.3, "m2"] = np.nan
    assert weights(learn(gaps, "csat", NAMES, RIGHT, replicates=0)) == pytest.approx(TRUTH, abs=0.06)


def test_importance_is_what_moves_the_index_not_what_weighs():
    frame = customers(7)
    frame["m0"] = 75 + (frame["m0"] - 75) / 20
    table = learn(frame, "csat", NAMES, RIGHT, pins={"m0": 0.25}, replicates=0).table.set_index("metric")
    assert table["importance"].sum() == pytest.approx(1)
    assert table.loc["m0", "weight"] == 0.25 and table.loc["m0", "importance"] < 0.06


def test_validation_looks_at_what_comes_after_and_order_of_rows_does_not_matter():
    frame = customers(8)
    learned = learn(frame, "csat", NAMES, WRONG, replicates=100)
    again = learn(frame.sample(frac=1, random_state=1), "csat", NAMES, WRONG, replicates=100)
    pd.testing.assert_frame_equal(learned.table, again.table)
    table = learned.validation.set_index("index")
    assert table["n"].eq(1000).all()
    gain = table.loc["learned", "rank_correlation"] - table.loc["prior", "rank_correlation"]
    assert table.loc["difference", "rank_correlation"] == pytest.approx(gain)
    assert table.loc["difference", "low"] < gain < table.loc["difference", "high"]
    # Nonsense in the later half changes what is validated, not what the first half taught.
    later = frame.assign(csat=np.where(frame["start"] >= 1000, -frame["csat"], frame["csat"]))
    turned = learn(later, "csat", NAMES, WRONG, replicates=0).validation.set_index("index")
    assert turned.loc["learned", "rank_correlation"] < 0


def test_learned_weights_enter_a_profile_and_leave_other_metrics_alone():
    posts = Goalposts(0, 80, 100)
    families = {"response": 0.5, "resolution": 0.3, "people": 0.2}
    of = {"m0": ("response", 0.6), "m1": ("response", 0.4), "m2": ("resolution", 1.0), "skill": ("people", 1.0)}
    profile = Profile("p", families, tuple(ProfileMetric(m, f, w, posts) for m, (f, w) in of.items()))
    assert prior_shares(profile, ["m0", "m2"]) == pytest.approx({"m0": 0.5, "m2": 0.5})
    learned = learn(customers(9), "csat", ["m0", "m1", "m2"], profile, replicates=0)
    assert learned.used
    new = learned.into(profile)
    share = {m.metric: new.families[m.family] * m.weight for m in new.metrics}
    assert share == pytest.approx(
        {m: 0.8 * w for m, w in zip(["m0", "m1", "m2"], weights(learned), strict=True)} | {"skill": 0.2}
    )
    measures = pd.DataFrame({"metric": list(of), "period": "2026-10", "value": [90.0, 50.0, 70.0, 100.0]})
    index = score(measures, new).scores.query("family == ''")["score"].iloc[0]
    scores = score(measures, new).weights.set_index("metric")["score"]
    assert index == pytest.approx(sum(share[m] * scores[m] for m in of))


def test_those_who_answer_are_weighed_when_answering_depends_on_the_experience():
    """Who calls again answers; of the others mostly those whose first metric was bad. Both are known of all."""
    plain, corrected = [], []
    for seed in range(6):
        frame = customers(seed, 6000)
        rng = np.random.default_rng(seed + 500)
        frame["again"] = rng.random(6000) < 1 / (1 + np.exp(3 * frame["csat"] / frame["csat"].std()))
        tends = np.where(frame["again"], 0.8, -0.8 - 0.08 * (frame["m0"] - 75))
        frame.loc[rng.random(6000) > 1 / (1 + np.exp(-tends)), "csat"] = np.nan
        plain.append(weights(learn(frame, "csat", NAMES, WRONG, replicates=0)))
        learned = learn(frame, "csat", NAMES, WRONG, response=[*NAMES, "again"], replicates=0)
        corrected.append(weights(learned))
    assert learned.response_corrected and learned.surveyed == frame["csat"].notna().sum()
    assert np.abs(np.array(corrected) - TRUTH).mean() < 0.75 * np.abs(np.array(plain) - TRUTH).mean()
    assert np.mean(corrected, axis=0)[0] == pytest.approx(0.25, abs=0.05) != np.mean(plain, axis=0)[0]


@pytest.mark.parametrize(
    ("change", "settings", "message"),
    [
        ({"m3": 80.0}, {}, "m3: never varies"),
        ({"csat": 4.0}, {}, "csat: never varies"),
        ({"csat": np.nan}, {}, "0 rows with an outcome"),
        ({"m3": "good"}, {}, "m3: holds no numbers"),
        ({"start": 1}, {}, "only 1 times"),
        ({}, {"outcome": "nps"}, "no column 'nps'"),
        ({}, {"within": ["route"]}, "no column 'route'"),
        ({}, {"response": ["again"]}, "no column 'again'"),
        ({}, {"response": ["m1"]}, "everybody answered"),
        ({}, {"prior": WRONG | {"m0": 0.3}}, "add up to 1.2, not 1"),
        ({}, {"prior": WRONG | {"m0": -0.1, "m1": 0.4}}, "negative"),
        ({}, {"prior": {"m1": 1.0}}, "'m0' has no weight"),
        ({}, {"prior": WRONG | {"wait": 0.0}}, "no metric 'wait'"),
        ({}, {"pins": {"wait": 0.4}}, "no metric 'wait'"),
        ({}, {"pins": {"m0": 0.7, "m1": 0.4}}, "pinned weights add up to 1.1"),
        ({"m0": np.inf}, {}, "m0: a value is infinite"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(change, settings, message):
    frame = customers(0, 100).assign(**change)
    settings = {"outcome": "csat", "prior": WRONG} | settings
    with pytest.raises(CatalogueError, match=message):
        learn(frame, metrics=NAMES, replicates=0, **settings)


def test_fewer_rows_than_metrics_are_refused():
    with pytest.raises(CatalogueError, match="8 rows with an outcome can't tell 8 weights"):
        learn(customers(0, 8), "csat", NAMES, WRONG)


def test_a_metric_that_varies_between_groups_only_is_refused_within_them():
    frame = customers(0, 100)
    frame["route"] = np.where(frame["start"] % 2 == 0, "kiosk", "message")
    frame["m3"] = np.where(frame["route"] == "kiosk", 60.0, 90.0)
    with pytest.raises(CatalogueError, match="m3: never varies"):
        learn(frame, "csat", NAMES, WRONG, within=["route"])
