"""What a log of events must survive, and what is said about it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes import process
from svcanalytics.causes.steps.log import NONE, read_log
from svcanalytics.errors import CauseError


def events_of(rows: list[tuple], columns: str = "case_id seq at activity") -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns.split())
    return frame.assign(at=pd.to_datetime(frame["at"]))


def test_what_is_left_out_is_counted_and_never_silently():
    events = events_of(
        [
            ("1", 0, "2026-10-12 10:00", "open"),
            ("1", 0, "2026-10-12 10:00", "open"),  # twice
            ("1", 1, None, "check"),  # no time
            ("1", 2, "1970-01-01 00:00", "check"),  # a stamp that stands for none
            (None, 0, "2026-10-12 11:00", "open"),  # no case
            ("1", 3, "2026-10-12 12:00", None),  # no activity
        ]
    )
    found = process(events)
    assert found.steps["activity"].tolist() == ["open", "(unknown)"]
    said = " | ".join(found.remarks)
    for part in ("2 events left out, because case or time", "1 events left out, because they are stamped before 1971",
                 "1 events left out, because they are in the log twice", "1 events kept as (unknown)"):  # fmt: skip
        assert part in said


def test_order_is_that_of_time_and_among_equal_times_that_of_the_source():
    events = events_of(
        [
            ("1", 3, "2026-10-12 10:00", "b"),
            ("1", 2, "2026-10-12 10:00", "a"),
            ("1", 9, "2026-10-12 09:00", "first"),
        ]
    )
    found = process(events)
    assert found.variants["path"].tolist() == ["first → a → b"]
    assert any("1 events stand out of order" in remark for remark in found.remarks)
    assert found.steps.index.tolist() == [2, 1, 0]


def test_steps_side_by_side_follow_the_last_step_that_was_done():
    events = events_of(
        [
            ("1", "2026-10-12 10:00", "2026-10-12 11:00", "open"),
            ("1", "2026-10-12 11:30", "2026-10-12 14:00", "long"),
            ("1", "2026-10-12 12:00", "2026-10-12 13:00", "short"),  # runs beside long
            ("1", "2026-10-12 15:00", "2026-10-12 16:00", "close"),
        ],
        "case_id started_at at activity",
    )
    events["started_at"] = pd.to_datetime(events["started_at"])
    log = read_log(events)
    names = log.activities[log.activity].tolist()
    after = {name: None if j == NONE else names[j] for name, j in zip(names, log.before, strict=True)}
    assert after == {"open": None, "long": "open", "short": "open", "close": "long"}


def test_a_case_can_end_where_its_milestone_is_reached_for_the_last_time():
    events = events_of(
        [
            ("1", "2026-10-12 10:00", "open", None),
            ("1", "2026-10-12 11:00", "done", "resolved"),
            ("1", "2026-10-12 12:00", "open", "reopened"),
            ("1", "2026-10-12 13:00", "done", "resolved"),
            ("1", "2026-10-19 13:00", "close", "closed"),
            ("2", "2026-10-12 10:00", "open", None),  # never resolved
        ],
        "case_id at activity milestone",
    )
    found = process(events, until="resolved")
    assert found.cases[["case_id", "duration_s"]].to_numpy().tolist() == [["1", 3 * 3600]]
    assert "1 cases left out, because they never reach 'resolved'" in found.remarks
    assert "1 events left out, because they come after 'resolved'" in found.remarks
    with pytest.raises(CauseError, match="no case reaches 'solved'"):
        process(events, until="solved")


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (events_of([]), "there are no events"),
        (events_of([("1", 0, "1970-01-01", "open")]), "no event can be used"),
        (events_of([("1", 0, "2026-10-12", "open")]).drop(columns="at"), "no column 'at'"),
        (events_of([("1", 0, "2026-10-12", "open")]).drop(columns="activity"), "no column 'activity'"),
    ],
)
def test_a_log_that_can_not_be_read_is_refused_with_a_reason(events, said):
    with pytest.raises(CauseError, match=said):
        process(events)


def test_one_event_is_a_process_too():
    found = process(events_of([("1", 0, "2026-10-12 10:00", "open")]))
    assert found.cases["duration_s"].tolist() == [0]
    assert all(getattr(found, name).empty for name in ("transitions", "rework", "handovers", "bottlenecks"))
    assert found.split().empty and any("one case only" in remark for remark in found.remarks)


def test_the_order_of_the_rows_changes_nothing():
    rng = np.random.default_rng(3)
    at = pd.Timestamp("2026-10-12") + pd.to_timedelta(rng.integers(0, 10**6, 300), unit="s")
    case, agent, activity = (rng.choice(list(letters), 300) for letters in ("abcdefghij", "kl", "xyz"))
    events = pd.DataFrame({"case_id": case, "at": at, "agent": agent, "activity": activity})
    one, other = process(events), process(events.sample(frac=1, random_state=1))
    for name in ("variants", "transitions", "rework", "handovers", "bottlenecks", "cases"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (None, {}, "no table"),
        ([1, 2], {}, "no table"),
        ("x", {}, "time can't be read"),
        ("2026-10-12", {"timezone": "Mars/Olympus"}, "no time zone"),
        ("2026-10-12", {"calendar": 5}, "no calendar"),
        ("2026-10-12", {"calendar": {"T1": "always"}}, "no calendar"),
    ],
)
def test_strange_arguments_are_refused_in_words(given, options, said):
    if isinstance(given, str):
        given = pd.DataFrame({"case_id": ["1"], "at": [given], "activity": ["open"]})
    with pytest.raises(CauseError, match=said):
        process(given, **options)


def test_offsets_that_change_with_summer_time_are_read_and_times_without_one_beside_them_are_refused():
    events = pd.DataFrame({"case_id": ["1", "1", "2"], "activity": ["a", "b", "a"]})
    events["at"] = ["2026-03-28 10:00+01:00", "2026-03-30 10:00+02:00", "2026-03-30T09:00:00Z"]
    found = process(events)
    assert found.steps["wait_s"].tolist() == [0, 47 * 3600, 0]
    assert any(remark.startswith("1 of 2 cases have a single event") for remark in found.remarks)
    with pytest.raises(CauseError, match="some have none"):
        process(events.assign(at=["2026-03-28 10:00+01:00", "2026-03-30 10:00", None]))
    with pytest.raises(CauseError, match="can't be read"):
        process(events.assign(at="yesterday"))
