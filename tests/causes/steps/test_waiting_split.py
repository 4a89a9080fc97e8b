"""The split of waiting: worked by hand, second by second, and against the logs of Lashkevich et al."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.causes import process
from svcanalytics.causes.steps.batching import find_batches
from svcanalytics.causes.steps.log import NONE, read_log
from svcanalytics.causes.steps.opening import give_opening
from svcanalytics.causes.steps.waiting import PARTS, split_waiting
from svcanalytics.errors import CauseError
from svcanalytics.periods import calendars

DAY = "2026-10-12"  # a Monday
HOURS = calendars(
    {
        "day": {"hours": {"mon-fri": ["10:00-20:00"]}},
        "lunch": {"hours": {"mon-fri": ["10:00-12:00", "12:30-20:00"]}},
        "china": {"hours": {"mon-fri": ["09:00-18:00"]}, "holidays": "CN", "timezone": "Asia/Shanghai"},
    }
)


def log_of(*rows: tuple[str, str, str, str, str], day: str = DAY) -> pd.DataFrame:
    """Return events from (case, activity, agent, start, end) with times as 10:30."""
    frame = pd.DataFrame(rows, columns=["case_id", "activity", "agent", "started_at", "at"])
    for name in ("started_at", "at"):
        frame[name] = pd.to_datetime(day + " " + frame[name])
    return frame


def minutes(events: pd.DataFrame, case: str, activity: str, calendar=HOURS["day"]) -> dict[str, int]:
    """Return the parts of the waiting before a step in minutes, without the empty ones."""
    steps = process(events, calendar).steps
    row = steps[(steps["case_id"] == case) & (steps["activity"] == activity)].iloc[0]
    assert sum(row[f"{part}_s"] for part in PARTS) == row["wait_s"]
    return {part: int(row[f"{part}_s"] // 60) for part in PARTS if row[f"{part}_s"]}


def test_waiting_while_the_agent_works_on_cases_that_were_ready_before_is_contention_and_on_later_ones_prioritisation():
    events = log_of(
        ("1", "open", "Ann", "10:00", "10:30"),
        ("1", "check", "Bo", "13:00", "13:30"),
        ("2", "check", "Bo", "10:15", "11:00"),  # in hand when case 1 became ready at 10:30: 30 minutes in turn
        ("3", "open", "Ann", "10:30", "11:00"),
        ("3", "check", "Bo", "11:30", "12:15"),  # ready at 11:00, after case 1, yet done first: 45 minutes
    )
    assert minutes(events, "1", "check") == {"contention": 30, "prioritisation": 45, "extraneous": 75}


def test_waiting_over_the_agents_lunch_is_unavailability_and_the_rest_of_it_nobodys():
    events = log_of(("1", "open", "Ann", "10:30", "11:45"), ("1", "check", "Bo", "13:00", "14:00"))
    opened = {"Bo": HOURS["lunch"], "": HOURS["day"]}
    assert minutes(events, "1", "check", opened) == {"unavailability": 30, "extraneous": 45}


def test_cases_done_one_right_after_the_other_wait_for_the_last_of_their_batch_to_be_ready():
    events = log_of(
        ("1", "open", "Ann", "10:00", "10:30"),
        ("2", "open", "Ann", "10:30", "11:00"),
        ("3", "open", "Ann", "11:00", "12:00"),
        ("3", "check", "Bo", "13:00", "13:20"),
        ("2", "check", "Bo", "13:20", "13:40"),
        ("1", "check", "Bo", "13:40", "14:00"),
        ("4", "other", "Bo", "11:30", "12:30"),  # in hand when the batch was complete at 12:00
    )
    assert minutes(events, "3", "check") == {"contention": 30, "extraneous": 30}
    assert minutes(events, "2", "check") == {"batching": 60, "contention": 30, "prioritisation": 20, "extraneous": 30}
    assert minutes(events, "1", "check") == {"batching": 90, "contention": 30, "prioritisation": 40, "extraneous": 30}


def test_waiting_for_the_customer_is_neither_the_agents_nor_the_teams():
    events = log_of(
        ("1", "ask", "Ann", "10:00", "10:30"),
        ("1", "check", "Bo", "12:30", "13:00"),
        ("2", "check", "Bo", "10:00", "12:00"),
    ).assign(waits_for=["customer", None, None])
    assert minutes(events, "1", "check") == {"extraneous": 120}
    assert process(events).steps["outside_s"].sum() == 2 * 3600


def test_what_a_calendar_closes_is_off_duty_and_a_make_up_day_is_not():
    # 1-8 October 2025 are holidays in China; Saturday the 11th is worked in their place.
    events = pd.DataFrame(
        {
            "case_id": ["1", "1", "2", "2"], "activity": ["open", "check"] * 2, "agent": "Ann",
            "started_at": ["2025-09-30 17:00", "2025-10-09 09:30", "2025-10-10 17:00", "2025-10-11 10:00"],
            "at": ["2025-09-30 17:30", "2025-10-09 10:00", "2025-10-10 17:30", "2025-10-11 11:00"],
        }
    )  # fmt: skip
    events[["started_at", "at"]] = events[["started_at", "at"]].apply(pd.to_datetime)
    steps = process(events, HOURS["china"], timezone="Asia/Shanghai").steps
    waits = steps[steps["source"].notna()]
    assert list(waits["open_wait_s"] // 60) == [30 + 30, 30 + 60]
    assert list(waits["unavailability_s"]) == list(waits["wait_s"] - waits["open_wait_s"])


def test_without_a_calendar_the_hours_that_the_log_shows_are_taken():
    # Ten weeks of work from Monday to Friday, every half hour from nine to five; one case waits over a weekend.
    days = pd.bdate_range("2026-08-03", periods=50)
    done = pd.DatetimeIndex([day + pd.Timedelta(minutes=30 * slot) for day in days for slot in range(19, 35)])
    usual = pd.DataFrame({"case_id": np.arange(len(done)).astype(str), "activity": "open", "agent": "Ann", "at": done})
    usual["started_at"] = usual["at"] - pd.Timedelta(minutes=30)
    friday, monday = pd.Timestamp("2026-09-04 17:00"), pd.Timestamp("2026-09-07 09:00")
    late = usual[usual["at"] == monday + pd.Timedelta(minutes=30)].iloc[0]
    before = late.to_dict() | {"at": friday, "started_at": friday - pd.Timedelta(minutes=30), "agent": "Bo"}
    events = pd.concat([usual, pd.DataFrame([before])], ignore_index=True)
    row = process(events).split().iloc[0]
    # Open again from nine on Monday; the hour of the last stamps on Friday counts as open too.
    assert row["wait_s"] == 64 * 3600
    assert row["unavailability_s"] == pytest.approx(row["wait_s"], abs=3600)
    assert any("read from the log" in remark for remark in process(events).remarks)


def test_a_team_without_a_calendar_is_named():
    events = log_of(("1", "open", "Ann", "10:00", "10:30")).assign(team="North")
    with pytest.raises(CauseError, match="North"):
        process(events, {"South": HOURS["day"]})


def test_without_agents_or_begins_waiting_is_left_unsplit_and_said_so():
    events = log_of(("1", "open", "Ann", "10:00", "10:30"), ("1", "check", "Bo", "12:30", "13:00"))
    nobody = process(events.drop(columns="agent"), HOURS["day"])
    assert nobody.split()[["wait_s", "unsplit_s"]].iloc[0].tolist() == [7200, 7200]
    assert any("who worked" in remark for remark in nobody.remarks)
    done = process(events.drop(columns="started_at"), HOURS["day"])
    assert done.split()[["wait_s", "unsplit_s"]].iloc[0].tolist() == [9000, 9000]
    assert any("when work began" in remark for remark in done.remarks)


@st.composite
def logs(draw) -> pd.DataFrame:
    """Draw crowded logs in whole minutes around a lunch break: overlaps, ties, batches and gaps all occur."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 1), st.integers(0, 300), st.integers(0, 40)),
            min_size=2,
            max_size=14,
        )
    )
    begin, minute = pd.Timestamp(DAY + " 10:00"), pd.Timedelta(minutes=1)
    return pd.DataFrame(
        [(f"c{c}", f"s{a}", f"a{g}", begin + b * minute, begin + (b + d) * minute) for c, a, g, b, d in rows],
        columns=["case_id", "activity", "agent", "started_at", "at"],
    )


@settings(max_examples=60)
@given(logs())
def test_the_parts_are_those_of_going_through_every_minute_and_add_up(events):
    log = read_log(events)
    opening = give_opening(log, HOURS["lunch"])
    found = split_waiting(log, opening)
    assert (found[[f"{part}_s" for part in PARTS]].to_numpy() >= 0).all()
    assert (found[[f"{part}_s" for part in PARTS]].sum(axis=1) == found["wait_s"]).all()
    if log.timed:
        assert found[[f"{part}_s" for part in PARTS]].to_numpy().tolist() == minute_by_minute(log).tolist()


def minute_by_minute(log) -> np.ndarray:
    """Go through each minute of each wait and ask what the agent did."""
    ready, batch = log.enabled, find_batches(log)
    out = np.zeros((len(log.case), len(PARTS)), dtype=np.int64)
    for step in range(len(log.case)):
        if log.before[step] == NONE:
            continue
        mates = np.flatnonzero(batch == batch[step]) if batch[step] != NONE else np.array([step])
        complete, run = ready[mates].max(), log.start[mates].min()
        for minute in range(ready[step], log.start[step], 60):
            others = mates if minute >= run else np.flatnonzero(log.agent == log.agent[step])
            since = [ready[j] for j in others if log.start[j] <= minute < log.end[j]]
            known = ready[step] if minute >= run else complete
            clock = np.datetime64(minute, "s").astype("datetime64[m]").astype(object)
            if minute < complete:
                part = "batching"
            elif since:
                part = "contention" if min(since) <= known else "prioritisation"
            elif clock.hour == 12 and clock.minute < 30:
                part = "unavailability"
            else:
                part = "extraneous"
            out[step, PARTS.index(part)] += 60
    return out


@pytest.mark.real_data
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_the_split_equals_the_published_one_of_each_hand_made_log(real_data, number):
    folder = real_data / "oracles" / "waiting_time"
    names = {"Activity": "activity", "Resource": "agent", "start_time": "started_at", "end_time": "at"}
    events = pd.read_csv(folder / f"manual_log_{number}.csv", dtype={"case_id": str}).rename(columns=names)
    expected = pd.read_csv(folder / f"manual_log_{number}_expected.csv")
    by = ["source", "source_agent", "activity", "agent"]
    # The calendars that the authors' own test gives.
    found = process(events, {"Marcus": HOURS["lunch"], "": HOURS["day"]}).split(by).sort_values(by)
    theirs = expected.sort_values(["source_activity", "source_resource", "target_activity", "target_resource"])
    assert found["n"].tolist() == theirs["frequency"].tolist()
    names = ("total", "batching", "prioritization", "contention", "unavailability", "extraneous")
    ours = ("wait_s", "batching_s", "prioritisation_s", "contention_s", "unavailability_s", "extraneous_s")
    for one, other in zip(ours, names, strict=True):
        assert found[one].tolist() == pd.to_timedelta(theirs[f"wt_{other}"]).dt.total_seconds().tolist(), other
    assert not found["unsplit_s"].any()
