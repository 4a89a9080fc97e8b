"""Ways, flow, rework, hand-overs and bottlenecks, worked by hand and by plain loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import svcanalytics as sv
from svcanalytics.causes import process
from svcanalytics.causes.steps.dominance import sum_up_to

START = pd.Timestamp("2026-10-12 08:00")


def cases_of(paths: dict[str, str], hours: int = 1, teams: str = "") -> pd.DataFrame:
    """Return events of cases written as letters, one done every so many hours."""
    rows = [
        (case, letter, START + pd.Timedelta(hours=hours * place), (teams or path)[place])
        for case, path in paths.items()
        for place, letter in enumerate(path)
    ]
    return pd.DataFrame(rows, columns=["case_id", "activity", "at", "team"])


def test_variants_transitions_and_rework_of_a_small_log_are_those_counted_by_hand():
    found = process(cases_of({"1": "ABC", "2": "ABC", "3": "ABBAC"}))
    assert found.variants[["path", "n", "share", "median_s"]].to_numpy().tolist() == [
        ["A → B → C", 2, pytest.approx(2 / 3), 7200],
        ["A → B → B → A → C", 1, pytest.approx(1 / 3), 14400],
    ]
    pairs = found.transitions.set_index(["source", "target"])["n"].to_dict()
    assert pairs == {("A", "B"): 3, ("B", "C"): 2, ("A", "C"): 1, ("B", "A"): 1, ("B", "B"): 1}
    rework = found.rework.set_index("activity")[["repeats", "returns", "cases_again", "again_s"]]
    assert rework.loc["A"].tolist() == [0, 1, 1, 3 * 3600]  # back to A after B and B
    assert rework.loc["B"].tolist() == [1, 0, 0, 0]
    assert found.cases["variant"].tolist() == [0, 0, 1]


def test_hand_overs_tell_who_gives_to_whom_and_what_comes_back():
    events = cases_of({"1": "ABCD", "2": "ABCD"}, teams="XYXX")
    found = process(events).handovers
    assert found[["giver", "taker", "n", "cases", "wait_s", "back"]].to_numpy().tolist() == [
        ["X", "Y", 2, 2, 7200, 0],
        ["Y", "X", 2, 2, 7200, 2],
    ]


def test_fixing_a_step_takes_its_waiting_off_every_case_and_rework_what_lies_in_the_loop():
    events = cases_of({"1": "ABC", "2": "ABC", "3": "ABABC", "4": "CB"})
    rows = process(events.assign(started_at=events["at"] - pd.Timedelta(minutes=30))).bottlenecks
    table = rows.set_index(["kind", "source", "activity"])
    # Waits of half an hour: before B once (twice in case 3), so its median case is half an hour shorter.
    assert table.loc[("step", "", "B"), ["hours", "median_h", "p90_h"]].tolist() == [2.5, 0.5, 1.0]
    assert table.loc[("transition", "A", "B"), "n"] == 4
    assert ("transition", "B", "C") not in table.index  # the only way to C, so the same as C
    # Case 3 without its second A and B: two hours for each, so as long as the others with only one of them.
    assert table.loc[("rework", "", "A"), ["n", "hours", "p90_h"]].tolist() == [1, 2.0, 2.0]


def test_a_wait_beside_a_longer_branch_wins_only_what_the_branch_leaves():
    at = [START + pd.Timedelta(hours=h) for h in (1, 5, 4, 6)]
    began = [START + pd.Timedelta(hours=h) for h in (0, 1, 3, 5)]
    events = pd.DataFrame(
        {"case_id": "1", "activity": ["open", "long", "short", "close"], "started_at": began, "at": at}
    )
    table = process(events).bottlenecks
    # Nothing is won: the case waits two hours before the short step, but runs through the long one meanwhile.
    assert "short" not in table.loc[table["kind"] == "step", "activity"].tolist()


def test_the_interval_of_what_is_won_covers_the_truth_as_often_as_it_says():
    hits = 0
    for seed in range(30):
        rng = np.random.default_rng(seed)
        wait = rng.gamma(2.0, 5.0, 300)
        rows = pd.DataFrame({"case_id": np.repeat(np.arange(300), 2), "activity": ["A", "B"] * 300})
        done = START + pd.to_timedelta(
            (np.column_stack([np.zeros(300), 1 + wait]).ravel() * 3600).astype(int), unit="s"
        )
        rows = rows.assign(at=done, started_at=done - pd.Timedelta(hours=1))
        best = process(rows, seed=seed).bottlenecks.iloc[0]
        hits += best["p90_low"] <= 19.45 <= best["p90_high"]  # the 90th percentile of this gamma law
    assert hits >= 25


@settings(max_examples=60)
@given(st.data())
def test_a_sum_up_to_a_limit_is_that_of_a_plain_loop(data):
    size = data.draw(st.integers(1, 30))
    values = np.array(data.draw(st.lists(st.integers(-5, 5), min_size=size, max_size=size)))
    weights = np.arange(size) + 1
    low = np.array(data.draw(st.lists(st.integers(0, size), min_size=3, max_size=3)))
    high = np.array(data.draw(st.lists(st.integers(0, size), min_size=3, max_size=3)))
    limit = np.array(data.draw(st.lists(st.integers(-7, 7), min_size=3, max_size=3)))
    plain = [weights[a:b][values[a:b] <= c].sum() for a, b, c in zip(low, high, limit, strict=True)]
    assert sum_up_to(values, weights, low, high, limit).tolist() == plain


@pytest.mark.real_data
@pytest.mark.slow
def test_the_incidents_of_a_real_log_are_counted_like_by_pandas(lake, real_data):
    sv.load(lake, real_data / "cases" / "bpi2013_incidents.xes.gz", source="xes")
    events = lake.sql('select * from events order by case_id, "at", seq')
    found = process(events)
    assert (len(found.cases), len(found.steps), len(found.variants)) == (7554, 65_533, 2278)
    names = events["activity"].fillna(events["milestone"])
    after = names.groupby(events["case_id"]).shift(-1)
    counted = pd.Series(list(zip(names, after, strict=True)))[after.notna().to_numpy()].value_counts().to_dict()
    assert found.transitions.set_index(["source", "target"])["n"].to_dict() == counted
    assert found.cases["wait_s"].sum() == found.cases["duration_s"].sum()
