"""Interactions: found where they are, not where they are not, and told in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import interactions

NAMES = ["wait", "resolved", "skill", "polite"]
MODERATORS = ["weekend", "channel", "load"]


def customers(seed: int, n: int = 2000, times: float = 1.0) -> pd.DataFrame:
    """Return contacts: at weekends waiting counts `times` as much, noise half as much again, and mood is worse."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 4)) @ np.linalg.cholesky(0.7 * np.eye(4) + 0.3).T
    frame = pd.DataFrame(x, columns=NAMES)
    frame["weekend"] = rng.random(n) < 0.3
    frame["channel"] = rng.choice(["phone", "app", "desk"], n, p=[0.5, 0.3, 0.2])
    frame["load"] = rng.random(n) + 0.3 * frame["weekend"]
    pull = 0.5 * x[:, 0] * np.where(frame["weekend"], times, 1.0) + x[:, 1:] @ [0.4, 0.3, 0.2] - 0.3 * frame["weekend"]
    return frame.assign(csat=pull + rng.standard_normal(n) * (1 + 0.5 * frame["weekend"]))


def test_what_was_planted_is_found_with_its_ratio_and_nothing_else_is():
    held, false = [], []
    for seed in range(40):
        table = interactions(customers(seed, times=2.3), "csat", NAMES, MODERATORS)
        top = table.iloc[0]
        assert (top["metric"], top["moderator"], top["value"], top["found"]) == ("wait", "weekend", "True", True)
        held.append(top["low"] < 2.3 < top["high"])
        false.append(1 - 1 / table["found"].sum())
    assert np.mean(held) > 0.85
    assert np.mean(false) < 0.12  # 5 % and three standard errors


@pytest.mark.slow
def test_without_anything_planted_hardly_ever_is_anything_found():
    found = [interactions(customers(seed, 1200), "csat", NAMES, MODERATORS)["found"].any() for seed in range(200)]
    assert np.mean(found) < 0.09  # 5 % and three standard errors


def test_a_finding_is_told_in_words_a_manager_reads():
    frame = customers(1, 6000, times=2.3)
    words = {"wait": "waiting", "weekend": "at weekends", "weekend=False": "on working days"}
    row = interactions(frame, "csat", NAMES, ["weekend"], words=words).iloc[0]
    said = f"{row['ratio']:.1f} × as sensitive to waiting as on working days"
    assert row["text"] == f"At weekends customers are {said} (95% {row['low']:.1f}-{row['high']:.1f})."
    plain = interactions(frame, "csat", NAMES, ["weekend"]).iloc[0]
    assert plain["text"].startswith(f"Where weekend is True customers are {row['ratio']:.1f} × as sensitive to wait (")
    words = {"wait": "等待", "weekend": "周末"}
    chinese = interactions(frame, "csat", NAMES, ["weekend"], words=words, language="zh").iloc[0]["text"]
    assert chinese.startswith(f"周末\uff0c客户对等待的敏感度是其他情况的{row['ratio']:.1f}倍")


def test_a_slope_that_turns_round_is_told_by_both_slopes():
    row = interactions(customers(2, 4000, times=-1.0), "csat", NAMES, ["weekend"]).iloc[0]
    assert row["found"] and row["effect"] < 0 < row["effect_against"] and row["ratio"] < 0
    assert "moves the outcome by -0." in row["text"] and "×" not in row["text"]


def test_a_ratio_to_nothing_is_not_given():
    frame = customers(3, 4000)
    frame["csat"] += frame["skill"] * np.where(frame["weekend"], 0.5, -0.3)
    row = interactions(frame, "csat", NAMES, ["weekend"]).iloc[0]
    assert row["metric"] == "skill" and row["found"] and np.isnan(row["ratio"])
    assert "moves the outcome by" in row["text"]


def test_effects_are_the_slopes_of_a_regression_with_products():
    from statsmodels.api import OLS

    frame = customers(4, 500, times=1.5)
    x = frame[NAMES] - frame[NAMES].mean()
    d = frame["weekend"].astype(float)
    design = np.column_stack([x, d, x.mul(d, axis=0), np.ones(500)])
    fit = OLS(frame["csat"].to_numpy(), design).fit(cov_type="HC3", use_t=True)
    table = interactions(frame, "csat", NAMES, ["weekend"]).set_index("metric").loc[NAMES]
    assert table["effect_against"].to_numpy() == pytest.approx(fit.params[:4])
    assert (table["effect"] - table["effect_against"]).to_numpy() == pytest.approx(fit.params[5:9])
    assert table["p_value"].to_numpy() == pytest.approx(fit.pvalues[5:9])


def test_numbers_are_split_at_their_median_and_rare_levels_left_out():
    frame = customers(6, 900)
    frame.loc[:9, "channel"] = "fax"
    table = interactions(frame, "csat", NAMES, ["channel", "load"])
    assert set(table.loc[table["moderator"] == "channel", "value"]) == {"app", "desk"}
    assert set(table["against"]) == {"phone", "high"} and set(table.loc[table["moderator"] == "load", "value"]) == {
        "low"
    }
    rest = interactions(frame[10:].assign(load=frame["load"] > frame["load"].median()), "csat", NAMES, ["channel"])
    assert len(rest) == 8 and rest["n"].sum() == 4 * frame["channel"].isin(["app", "desk"]).sum()


def test_what_cannot_be_told_is_refused():
    frame = customers(5, 300)
    with pytest.raises(CatalogueError, match="no column 'season'"):
        interactions(frame, "csat", NAMES, ["season"])
    with pytest.raises(CatalogueError, match="wait: never varies"):
        interactions(frame.assign(wait=1.0), "csat", NAMES, ["weekend"])
    with pytest.raises(CatalogueError, match="channel: has 1 levels"):
        interactions(frame.assign(channel="phone"), "csat", NAMES, ["channel"])
    with pytest.raises(CatalogueError, match="rows can't tell"):
        interactions(frame[:60], "csat", NAMES, ["weekend", "channel"], least=5)
