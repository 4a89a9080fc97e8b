"""Since when a loss is there, and whether it is new, larger, as it was or smaller."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.gathering.material import Material
from svcanalytics.causes.ranking.dating import place_in_time
from svcanalytics.causes.ranking.union import find
from svcanalytics.periods import parse_period

NOW, BEFORE = parse_period("2026Q3"), parse_period("2026Q2")
FIRST = pd.Timestamp("2025-10-01")
WORTH = pd.DataFrame({"metric": ["csat"], "points": [0.01]})


def make(loss, *, baseline=BEFORE, common=None, n=16_000, seed=0):
    """Return material of four quarters; `loss` and `common` (all cases') are by first day how much worse it is."""
    rng = np.random.default_rng(seed)
    at = pd.Series(FIRST + pd.to_timedelta(np.sort(rng.integers(0, 365 * 86_400, n)), "s"))
    team = rng.choice(["T1", "T2", "T3", "T4"], n)
    chance = 0.1 + _level(common or {}, at) + np.where(team == "T1", _level(loss, at), 0.0)
    rows = pd.DataFrame({"id": [f"K{i}" for i in range(n)], "at": at, "team": team, "bad": rng.random(n) < chance})
    rows = rows.astype({"bad": "int64"}).assign(channel=rng.choice(["app", "phone"], n))
    starts = [pd.Timestamp(each.start) for each in (BEFORE, NOW)]
    period = np.select([at >= starts[1], at >= starts[0]], ["now", "before" if baseline else "earlier"], "earlier")
    rows = rows.assign(period=period)
    own = {"csat": rows[rows["period"] != "earlier"].reset_index(drop=True)}
    old = {"csat": rows[rows["period"] == "earlier"].reset_index(drop=True)}
    return Material(NOW, baseline, own, WORTH, earlier=old)


def _level(steps, at):
    level = np.zeros(len(at))
    for day, amount in steps.items():
        level[(at >= pd.Timestamp(day)).to_numpy()] = amount
    return level


def told(material, since=pd.NaT):
    return place_in_time(material, "csat", "team=T1", since)


AUGUST = pd.Timestamp("2026-08-01")


def test_what_began_within_the_period_is_new_and_its_history_shows_nothing_before():
    since, trend, history = told(make({"2026-08-01": 0.15}), AUGUST)
    assert (since, trend) == (AUGUST, "new")
    assert [each["period"] for each in history] == ["2025Q4", "2026Q1", "2026Q2", "2026Q3"]
    share = [each["excess"] / each["n"] for each in history]
    assert np.abs(share[:3]).max() < 0.03 and share[3] == pytest.approx(0.1, abs=0.03)


def test_what_was_bad_and_became_worse_is_larger():
    assert told(make({"2025-10-01": 0.1, "2026-08-01": 0.25}), AUGUST)[1] == "larger"


@pytest.mark.parametrize("seed", range(3))
def test_what_began_before_the_period_is_dated_back_and_not_called_new(seed):
    since, trend, _ = told(make({"2026-06-01": 0.15}, seed=seed), pd.Timestamp("2026-07-01"))
    assert abs(since - pd.Timestamp("2026-06-01")) <= pd.Timedelta(days=10) and trend == "steady"


def test_what_has_eased_since_it_began_is_smaller():
    since, trend, _ = told(make({"2026-02-01": 0.3, "2026-07-01": 0.15}), pd.Timestamp("2026-07-01"))
    assert abs(since - pd.Timestamp("2026-02-01")) <= pd.Timedelta(days=10) and trend == "smaller"


def test_what_became_worse_for_everybody_is_not_the_place_s_own():
    common = {"2026-05-01": 0.2}
    since, trend, _ = told(make({"2026-08-01": 0.15}, common=common), AUGUST)
    assert (since, trend) == (AUGUST, "new")


def test_a_loss_that_always_was_is_steady_and_has_no_first_day():
    row = find(make({"2025-10-01": 0.15}, baseline=None)).iloc[0]
    assert row["where"] == "team=T1" and row["trend"] == "steady" and pd.isna(row["since"])
    later = find(make({"2026-08-01": 0.15}, baseline=None)).iloc[0]
    assert later["trend"] == "new" and abs(later["since"] - AUGUST) <= pd.Timedelta(days=10)


def test_a_loss_that_always_was_is_no_finding_against_the_period_before():
    assert find(make({"2025-10-01": 0.15})).empty


def test_a_value_never_seen_before_is_new():
    material = make({"2026-08-01": 0.2})
    rows = material.outcomes["csat"]
    fresh = rows.assign(team=rows["team"].where((rows["team"] != "T1") | (rows["at"] >= AUGUST), "T2"))
    old = material.earlier["csat"]
    given = Material(NOW, BEFORE, {"csat": fresh}, WORTH, earlier={"csat": old.assign(team="T2")})
    assert told(given, AUGUST)[:2] == (AUGUST, "new")


def test_what_becomes_worse_for_all_cases_is_worse_than_before():
    row = find(make({}, common={"2026-08-01": 0.15})).iloc[0]
    assert row["where"] == "" and row["trend"] == "larger"
