"""Of a large lake a share of the cases is looked at, the same in every table, and what is counted is scaled up."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import causes, store
from svcanalytics.causes.gathering.sampling import Draw

START = pd.Timestamp("2026-03-31 16:00", tz="UTC")  # local midnight of 1 April
MOST = 2000


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    rng = np.random.default_rng(5)
    n = 12_000
    opened = START + pd.to_timedelta(np.sort(rng.integers(0, 183 * 86_400, n)), "s")
    channel, team = rng.choice(["app", "phone", "web"], n), rng.choice(["T1", "T2", "T3", "T4"], n)
    worse = (team == "T2") & (opened >= pd.Timestamp("2026-07-20", tz="UTC"))
    waited = rng.exponential(300, n) * np.where(worse, 5, 1)
    cases = pd.DataFrame(
        {
            "case_id": [f"K{i}" for i in range(n)],
            "opened_at": opened,
            "first_response_at": opened + pd.to_timedelta(waited, "s"),
            "resolved_at": opened + pd.Timedelta(hours=5),
            "channel": channel,
            "team": team,
            "text": "where is my parcel",
        }
    )
    events = cases[["case_id"]].assign(seq=0, activity="register", milestone="opened", at=opened)
    some = cases.iloc[::3]
    surveys = pd.DataFrame({"survey_id": "s" + some["case_id"], "case_id": some["case_id"], "csat": 4})
    surveys["at"] = some["opened_at"] + pd.Timedelta(hours=6)
    lake = sv.open(tmp_path_factory.mktemp("large") / "lake", timezone="Asia/Shanghai")
    return store.write(lake, {"cases": cases, "events": events, "surveys": surveys})


def test_as_many_rows_as_asked_are_drawn_the_same_cases_everywhere_and_it_is_said(large):
    material = causes.gather(large, "2026Q3", measures=False, most=MOST)
    rows = material.outcomes["responded_15min"]
    assert (rows["period"] == "now").sum() == pytest.approx(MOST, rel=0.1)
    assert set(material.events["case_id"]) == set(rows["id"]) == set(material.texts["case_id"].dropna())
    asked = material.outcomes["csat"]
    assert len(asked) and set(asked["case_id"]) <= set(rows["id"])
    share = material.shares["responded_15min"]
    assert share == pytest.approx(MOST / 6000, rel=0.05) and "scaled up" in material.missing["sample"]
    assert material.measures.empty


def test_a_small_lake_is_read_as_a_whole(large):
    material = causes.gather(large, "2026Q3", measures=False)
    assert not material.shares and "sample" not in material.missing
    assert sum(len(rows) for rows in (material.outcomes["responded_15min"],)) > 11_900


def test_numbers_found_in_a_share_are_those_of_the_whole(large):
    whole, part = (
        causes.find(causes.gather(large, "2026Q3", metric=["responded_15min"], measures=False, most=most))
        for most in (None, 3000)
    )
    told = [table.loc[table["where"] == "team=T2"].iloc[0] for table in (whole, part)]
    assert told[1]["n"] == pytest.approx(told[0]["n"], rel=0.1)
    assert told[1]["excess"] == pytest.approx(told[0]["excess"], rel=0.15)
    assert told[1]["details"]["sampled"] == pytest.approx(0.5, abs=0.03) and "sampled" not in told[0]["details"]


def test_a_smaller_share_is_part_of_a_larger_one_and_another_seed_draws_others(large):
    def drawn(share: float, seed: int) -> set[str]:
        test = Draw({"cases": share}, seed).test("cases", ["case_id"])
        return set(large.sql(f"select case_id from cases where {test}")["case_id"])

    some, more, other = drawn(0.1, 0), drawn(0.4, 0), drawn(0.1, 1)
    assert some < more and len(some) == pytest.approx(1200, rel=0.12) and len(some & other) < 0.3 * len(some)
