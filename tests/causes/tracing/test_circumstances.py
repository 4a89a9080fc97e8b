"""Circumstances: what is said of a case's people and of its course is what a plain loop over the tables says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.tracing.circumstances import describe_course, describe_people, with_circumstances

DAY = pd.Timestamp("2026-08-03")


def log(seed, cases=60):
    rng = np.random.default_rng(seed)
    rows = []
    for case in range(cases):
        at = DAY + pd.Timedelta(hours=float(rng.uniform(0, 500)))
        for seq in range(int(rng.integers(1, 7))):
            begun = at + pd.Timedelta(minutes=int(rng.integers(0, 300)))
            at = begun + pd.Timedelta(minutes=int(rng.integers(0, 60)))
            team = rng.choice(["A", "B", None], p=[0.5, 0.4, 0.1])
            rows.append((f"c{case}", seq, begun, at, rng.choice(["open", "check", "reply"], p=[0.2, 0.3, 0.5]), team))
    events = pd.DataFrame(rows, columns=["case_id", "seq", "started_at", "at", "activity", "team"])
    return events.sample(frac=1, random_state=seed, ignore_index=True)


def test_the_course_of_a_case_is_what_a_loop_over_its_steps_says():
    events = log(1)
    found = describe_course(events)
    for case, steps in events.sort_values(["at", "seq"]).groupby("case_id"):
        waits, last, handler, handovers = dict.fromkeys(["open", "check", "reply"], 0.0), None, None, 0
        for step in steps.itertuples():
            if last is not None:
                waits[step.activity] += max((step.started_at - last).total_seconds(), 0) / 3600
            last = step.at
            if isinstance(step.team, str):
                handovers += handler is not None and handler != step.team
                handler = step.team
        row = found.loc[case]
        assert row["steps_n"] == len(steps) and row["rework_n"] == len(steps) - steps["activity"].nunique()
        assert row["handovers_n"] == handovers
        for activity, hours in waits.items():
            assert row[f"wait_{activity}"] == pytest.approx(hours)


def test_a_step_is_skipped_where_most_earlier_cases_had_it_and_it_is_not_the_last():
    steps = ["open", "check", "close"]
    rows = [(f"c{i}", DAY + pd.Timedelta(hours=k), step) for i in range(10) for k, step in enumerate(steps)]
    events = pd.DataFrame(rows, columns=["case_id", "at", "activity"])
    missed = (events["activity"].eq("check") & events["case_id"].isin(["c5", "c6"])) | (
        events["activity"].eq("close") & events["case_id"].eq("c9")
    )
    found = describe_course(events[~missed], pd.Series([f"c{i}" for i in range(6)]))
    assert found.index[found["skips_check"]].tolist() == ["c5", "c6"]
    assert not {"skips_open", "skips_close"} & set(found.columns)
    assert describe_course(events.head(0)).empty


def test_what_follows_a_step_that_is_the_outcome_is_no_circumstance(make_material):
    rng = np.random.default_rng(4)
    events, again = log(4, 400), rng.random(400) < 0.2
    last = events.groupby("case_id")["at"].max()
    for name, hours, everybody in (("reopen", 5, False), ("reply", 6, False), ("close", 9, True)):
        more = last.index if everybody else last.index[again]
        added = pd.DataFrame(
            {"case_id": more, "at": last[more] + pd.Timedelta(hours=hours), "activity": name, "seq": 9}
        )
        events = pd.concat([events, added.assign(started_at=added["at"], team="A")], ignore_index=True)
    rows = pd.DataFrame({"id": last.index, "at": DAY, "period": "now", "bad": again.astype(int)})
    late = rows.assign(bad=rng.integers(0, 2, 400))
    plain = events[~events["activity"].isin(["reopen", "close"]) & ~(events["at"] > events["case_id"].map(last))]
    found = with_circumstances(rows, make_material({"reopened": rows}, events=events))
    expected = with_circumstances(rows, make_material({"reopened": rows}, events=plain))
    pd.testing.assert_frame_equal(found, expected)
    assert with_circumstances(late, make_material({"late": late}, events=events))["wait_reopen"].max() == 5


def test_people_are_described_as_they_were_at_the_time():
    rows = pd.DataFrame(
        {
            "agent": ["ann", "ann", "bob", None],
            "at": [DAY, DAY + pd.Timedelta(hours=3), DAY + pd.Timedelta(days=60), DAY],
            "team": "A",
        }
    )
    people = pd.DataFrame(
        {"agent": ["ann", "bob"], "hired_on": [DAY - pd.Timedelta(days=30), DAY], "certificates": ["x, y", ""]}
    )
    roster = pd.DataFrame(
        {"agent": ["ann"], "start_at": [DAY - pd.Timedelta(hours=1)], "end_at": [DAY + pd.Timedelta(hours=2)],
         "kind": ["work"]}
    )  # fmt: skip
    training = pd.DataFrame(
        {"agent": ["ann", "ann"], "at": [DAY - pd.Timedelta(days=100), DAY], "duration_s": [3600, 7200]}
    )
    found = describe_people(rows, people, roster, training)
    assert found["tenure_days"].tolist()[:3] == [30, 30, 60] and np.isnan(found["tenure_days"].iloc[3])
    assert found["certificates_n"].tolist()[:3] == [2, 2, 0]
    assert found["load_day"].tolist()[:3] == [2, 2, 1]
    assert found["shift_kind"].tolist()[:3] == ["on", "off", "off"]
    assert found["training_hours"].tolist()[:3] == [2, 2, 0]
    assert describe_people(rows.drop(columns="agent"), people).empty


def test_columns_that_are_there_already_are_kept(make_cases, make_material):
    rows = make_cases(0, 300).assign(tenure_days=7.0)
    people = pd.DataFrame({"agent": [f"a{i}" for i in range(60)], "hired_on": DAY})
    events = pd.DataFrame({"case_id": rows["id"], "at": rows["at"], "activity": "open"})
    found = with_circumstances(rows, make_material({"late": rows}, people=people, events=events))
    assert found["tenure_days"].eq(7).all() and found["steps_n"].eq(1).all() and len(found) == 300
