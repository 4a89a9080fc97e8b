"""Clocks against a plain loop over cases and steps, and the rules of standards one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import svcanalytics as sv
from svcanalytics import store
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import clock_rows, data_stop, overdue, standards

SHANGHAI = ZoneInfo("Asia/Shanghai")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 2, 1, tzinfo=UTC)


# --- a second derivation: loops over dictionaries, typed in from the documents --------------------------------------


def is_consultation(c):
    return c["customer_type"] == "individual" and c["business_type"] == "consultation"


def is_technical(c):
    return c["customer_type"] == "enterprise" and c["business_type"] == "complaint" and c["category"] == "technical"


def is_complaint(c, level=None):
    return c["business_type"] == "complaint" and level in (None, c["complaint_level"])


def is_serious(c):
    return is_complaint(c, 1)


def is_ordinary(c):
    return is_complaint(c, 2)


def is_complex(c):
    return c["complexity"] == "complex"


def is_suggestion(c):
    return c["business_type"] == "suggestion" or c["complaint_level"] == 3


def kind(name):
    return lambda c: c["business_type"] == name


RESPONSE = ("first_response", "resolved")
# Per topic: the milestones, who may stop the clock, and the rules from the most specific to the most general.
TOPICS = [
    (
        RESPONSE,
        {"person": True},
        [
            ("first_response_consultation", is_consultation, 3 * MINUTE),
            ("first_response", lambda c: True, 15 * MINUTE),
        ],
    ),
    (("preliminary_solution", "resolved"), {}, [("preliminary_solution", is_consultation, 15 * MINUTE)]),
    (("handed_to_experts",), {"until": ("resolved",)}, [("handed_to_experts", is_technical, 10 * MINUTE)]),
    (
        ("progress",),
        {"until": ("resolved",), "medium": ("written", "message")},
        [("written_progress", is_technical, 2 * HOUR)],
    ),
    (
        ("resolved",),
        {},
        [("complaint_solved_ordinary", is_ordinary, 2), ("complex_resolved", is_complex, 48 * HOUR)],
    ),
    (
        ("resolved",),
        {"net": True},
        [("complex_resolved_net", lambda c: is_complex(c) and not is_ordinary(c), 48 * HOUR)],
    ),
    (("confirmed",), {}, [("booking_confirmed", kind("booking"), HOUR)]),
    (("progress",), {"until": ("resolved",)}, [("repair_progress", kind("repair"), 30 * MINUTE)]),
    (
        ("customer_contacted",),
        {"person": True},
        [
            ("complaint_contacted_serious", is_serious, DAY),
            ("complaint_contacted_ordinary", is_ordinary, 12 * HOUR),
        ],
    ),
    (
        ("result_told",),
        {},
        [("complaint_told_serious", is_serious, 3), ("complaint_handled", is_complaint, 48 * HOUR)],
    ),
    (("listed",), {}, [("suggestion_listed", is_suggestion, 7 * DAY)]),
    (("response_started",), {}, [("incident_response_started", kind("incident"), 15 * MINUTE)]),
]


def step_time(case, steps, name, person=False, medium=()):
    """When a case reached a milestone."""
    ours = [s for s in steps if s["milestone"] == name and s["at"] >= case["opened_at"]]
    good = [s["at"] for s in ours if not person or s["by"] in (None, "human")]
    if medium:
        good = [s["at"] for s in ours if s["medium"] in medium]
    if name == "resolved":
        reopened = [s["at"] for s in steps if s["milestone"] == "reopened" and s["at"] >= case["opened_at"]]
        good = [max(good)] if good and (not reopened or max(good) >= max(reopened)) else []
    if ours or good:
        return min(good, default=None)
    if medium:
        return None
    column = {"first_response": case["first_response_at"], "resolved": case["resolved_at"]}.get(name)
    machine = [s["at"] for s in steps if s["milestone"] in (name, "acknowledged") and s["by"] in ("automatic", "bot")]
    if column is not None and person and column == min((m for m in machine if m >= case["opened_at"]), default=None):
        return None
    return column if column is not None and column >= case["opened_at"] else None


def earliest(times):
    return min((t for t in times if t is not None), default=None)


def waiting(steps, now):
    """The spans in which a case waits for the customer."""
    marks = sorted(((s["at"], s["seq"], s["waits_for"]) for s in steps if s["waits_for"]), key=lambda m: m[:2])
    ends = [*(min(m[0], now) for m in marks[1:]), now][: len(marks)]
    return [(m[0], end) for m, end in zip(marks, ends, strict=True) if m[2] == "customer" and m[0] < end]


def net_due(start, limit, spans):
    """Walk through the waits: each that begins before the limit has passed puts it off."""
    due = start + limit
    for begin, end in spans:
        begin, end = max(begin, start), max(end, start)
        if begin < due:
            due += end - begin
    return due


def working_day_due(start, n):
    off = {date(2026, 4, 6)}
    day = start.astimezone(SHANGHAI).date()
    while n:
        day += DAY
        n -= day.weekday() < 5 and day not in off
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + DAY - timedelta(microseconds=1)


def loop(cases, events, now):
    """Return {(standard, case): (due, stop, state)} for the topics above."""
    by_case, found = {}, {}
    for step in events:
        by_case.setdefault(step["case_id"], []).append(step)
    for to, how, rules in TOPICS:
        medium, person = how.get("medium", ()), how.get("person", False)
        recorded = {
            c["source"]
            for c in cases
            if any(
                s["milestone"] == to[0] and (not medium or s["medium"] in medium) for s in by_case.get(c["case_id"], [])
            )
            or (to[0] == "first_response" and c["first_response_at"] is not None)
            or (to[0] == "resolved" and c["resolved_at"] is not None)
        }
        for case in cases:
            rule = next((rule for rule in rules if rule[1](case)), None)
            if rule is None or case["source"] not in recorded or case["opened_at"] > now:
                continue
            steps, start = by_case.get(case["case_id"], []), case["opened_at"]
            stop = earliest(step_time(case, steps, name, person, medium) for name in to)
            end = earliest(step_time(case, steps, name) for name in how.get("until", ()))
            stop, end = (None if t is None or t > now else t for t in (stop, end))
            if isinstance(rule[2], int):
                due = working_day_due(start, rule[2])
            else:
                due = net_due(start, rule[2], waiting(steps, now) if how.get("net") else [])
            if stop is not None:
                state = "on_time" if stop <= due else "late"
            elif (end or now) > due:
                state = "late"
            else:
                state = "dropped" if end is not None else "running"
            found[rule[0], case["case_id"]] = (due, stop, state)
    return found


def make_up(seed):
    """Random cases and steps in whole minutes, so that ties and limits met exactly happen often."""
    rng = np.random.default_rng(seed)

    def minutes(scale):
        return timedelta(minutes=int(rng.integers(0, scale)))

    def choose(*values):
        return values[int(rng.integers(len(values)))]

    cases, events = [], []
    for i in range(60):
        opened = START + minutes(20 * 24 * 60)
        cases.append(
            {
                "case_id": f"C{i}",
                "source": choose("crm", "desk"),
                "opened_at": opened,
                "first_response_at": choose(None, opened + minutes(20)),
                "resolved_at": choose(None, opened + minutes(5000)),
                "business_type": choose("consultation", "complaint", "suggestion", "booking", "repair", "incident"),
                "customer_type": choose("individual", "enterprise"),
                "complaint_level": choose(None, 1, 2, 3),
                "complexity": choose("simple", "complex"),
                "category": choose("technical", "refund"),
                "grade": choose(1, 2, 3, 4),
                "first_team": choose("A", "B", None),
                "team": "Z",
            }
        )
        names = ("first_response", "acknowledged", "resolved", "reopened", "preliminary_solution", "handed_to_experts")
        names += ("progress", "confirmed", "customer_contacted", "result_told", "listed", "response_started")
        for seq in range(int(rng.integers(0, 8))):
            events.append(
                {
                    "case_id": f"C{i}",
                    "seq": seq,
                    "milestone": choose(*names),
                    "at": opened + choose(minutes(20), minutes(5000)) - choose(0, 0, 1) * MINUTE,
                    "by": choose(None, "human", "bot", "automatic"),
                    "medium": choose(None, "written", "phone", "message"),
                    "waits_for": choose(None, None, "customer", "us"),
                }
            )
    return cases, events


# A seed does not shrink to anything simpler, so none is tried.
@settings(max_examples=3, deadline=None, phases=[Phase.generate])
@given(seed=st.integers(0, 10**6))
def test_clocks_agree_with_a_plain_loop_over_cases_and_steps(seed, tmp_path_factory):
    cases, events = make_up(seed)
    lake = sv.open(tmp_path_factory.mktemp("lake") / "lake", timezone="Asia/Shanghai")
    for source in ("crm", "desk"):
        frame = pd.DataFrame([{k: v for k, v in c.items() if k != "source"} for c in cases if c["source"] == source])
        lake = store.write(lake, {"cases": frame}, source=source)
    lake = store.write(lake, {"events": pd.DataFrame(events)})
    now = START + 15 * DAY
    expected = loop(cases, events, now)
    names = [rule[0] for _, _, rules in TOPICS for rule in rules]
    rows = clock_rows(lake, names, at=now)
    found = {
        (row.standard, row.id): (
            row.due.to_pydatetime(),
            None if pd.isna(row.stop) else row.stop.to_pydatetime(),
            row.state,
        )
        for row in rows.itertuples()
    }
    assert found == expected
    owners = {c["case_id"]: c["first_team"] or c["team"] for c in cases}
    assert all(owners[row.id] == row.team for row in rows.itertuples())

    shares = standards(lake, names, by="team", every="week", at=now)
    counted = rows.assign(period=rows["start"].dt.tz_convert("Asia/Shanghai").dt.strftime("%G-W%V"))
    for row in shares.itertuples():
        same = counted.query("standard == @row.metric and team == @row.team and period == @row.period")["state"]
        assert row.n == same.isin(["on_time", "late"]).sum()
        if row.flag != "suppressed":
            assert (row.on_time, row.late, row.running) == tuple(
                (same == s).sum() for s in ("on_time", "late", "running")
            )


# --- the rules of standards, one by one ------------------------------------------------------------------------------


def fill(lake, cases, events=()):
    """Write cases and events given as dictionaries; every case is a plain one of a source that records responses."""
    plain = {"business_type": "help", "customer_type": "other", "first_team": "A"}
    witness = {"case_id": "W", "opened_at": START, "first_response_at": START + MINUTE, "resolved_at": START + MINUTE}
    frames = {"cases": pd.DataFrame([{**plain, **case} for case in [witness, *cases]])}
    if events:
        listed = [{"seq": i, "by": None, "medium": None, "waits_for": None, **event} for i, event in enumerate(events)]
        frames["events"] = pd.DataFrame(listed)
    return store.write(lake, frames)


def state(lake, standard, id_="C", at=START + 90 * DAY):
    rows = clock_rows(lake, standard, at=at)
    found = rows[(rows["standard"] == standard) & (rows["id"] == id_)]
    return None if found.empty else found["state"].iloc[0]


def test_a_clock_still_running_is_neither_met_nor_missed_until_its_limit_passes(lake):
    lake = fill(lake, [{"case_id": "C", "opened_at": START}])
    limit = START + 15 * MINUTE
    assert state(lake, "first_response", at=limit) == "running"
    assert state(lake, "first_response", at=limit + timedelta(seconds=1)) == "late"
    month = standards(lake, "first_response", at=limit).iloc[0]
    assert (month["n"], month["flag"]) == (1, "suppressed")


def test_a_limit_met_to_the_second_is_on_time_and_a_moment_later_is_late(lake):
    exact = {"case_id": "C", "opened_at": START, "first_response_at": START + 15 * MINUTE}
    after = {**exact, "case_id": "D", "first_response_at": START + 15 * MINUTE + timedelta(milliseconds=1)}
    lake = fill(lake, [exact, after])
    assert (state(lake, "first_response"), state(lake, "first_response", "D")) == ("on_time", "late")
    rows = clock_rows(lake, "first_response").set_index("id")["overrun_s"]
    assert (rows["C"], rows["D"]) == (0, 1)


def test_an_automatic_acknowledgement_is_not_a_first_response(lake):
    case = {"case_id": "C", "opened_at": START, "first_response_at": START + MINUTE}
    machine = {"case_id": "C", "milestone": "first_response", "at": START + MINUTE, "by": "automatic"}
    person = {"case_id": "C", "milestone": "first_response", "at": START + HOUR, "by": "human"}
    assert state(fill(lake, [case]), "first_response") == "on_time"
    assert state(fill(lake, [case], [{**machine, "milestone": "acknowledged"}]), "first_response") == "late"
    lake = fill(lake, [case], [machine, person])
    assert state(lake, "first_response") == "late"
    assert clock_rows(lake, "first_response").set_index("id")["elapsed_s"]["C"] == 3600


def test_a_bot_does_not_confirm_a_contact_and_a_caller_who_gives_up_early_was_not_missed(lake):
    base = {"offered_at": START, "direction": "inbound"}
    contacts = [
        {"contact_id": "fast", "human_at": START + 30 * timedelta(seconds=1), "handled_by": "human"},
        {"contact_id": "slow", "human_at": START + MINUTE, "answered_at": START, "handled_by": "human"},
        {"contact_id": "gone", "ended_at": START + 10 * timedelta(seconds=1), "abandoned": True, "handled_by": "human"},
        {"contact_id": "left", "ended_at": START + MINUTE, "abandoned": True, "handled_by": "human"},
        {"contact_id": "bot", "answered_at": START, "handled_by": "bot", "ended_at": START + MINUTE},
    ]
    lake = store.write(lake, {"contacts": pd.DataFrame([{**base, **contact} for contact in contacts])})
    rows = clock_rows(lake, "confirmed_by_person").set_index("id")["state"].to_dict()
    assert rows == {"fast": "on_time", "slow": "late", "gone": "dropped", "left": "late"}


def test_waiting_for_the_customer_stops_a_net_clock_and_not_a_gross_one(lake):
    case = {"case_id": "C", "opened_at": START, "complexity": "complex", "resolved_at": START + 60 * HOUR}
    waits = [
        {"case_id": "C", "milestone": None, "at": START + 10 * HOUR, "waits_for": "customer"},
        {"case_id": "C", "milestone": None, "at": START + 30 * HOUR, "waits_for": "us"},
    ]
    lake = fill(lake, [case], waits)
    assert state(lake, "complex_resolved") == "late"
    row = clock_rows(lake, "complex_resolved_net").set_index("id").loc["C"]
    assert (row["state"], row["paused_s"], row["elapsed_s"], row["net"]) == ("on_time", 20 * 3600, 40 * 3600, True)
    assert row["due"] == pd.Timestamp(START + 68 * HOUR)


def test_a_case_that_waits_for_the_customer_now_does_not_become_late(lake):
    case = {"case_id": "C", "opened_at": START, "complexity": "complex"}
    lake = fill(lake, [case], [{"case_id": "C", "milestone": None, "at": START + HOUR, "waits_for": "customer"}])
    assert state(lake, "complex_resolved_net") == "running"
    assert state(lake, "complex_resolved") == "late"


def test_the_most_specific_standard_wins(lake):
    case = {"opened_at": START, "first_response_at": START + 5 * MINUTE, "business_type": "consultation"}
    lake = fill(lake, [{**case, "case_id": "C", "customer_type": "individual"}, {**case, "case_id": "D"}])
    assert state(lake, "first_response_consultation") == "late"
    assert state(lake, "first_response") is None
    assert state(lake, "first_response", "D") == "on_time"


def test_a_case_without_a_target_never_counts_as_met(lake):
    solved = {"opened_at": START, "resolved_at": START + MINUTE}
    lake = fill(lake, [{**solved, "case_id": "C"}, {**solved, "case_id": "D", "due_at": START + HOUR}])
    assert clock_rows(lake, "own_target")["id"].tolist() == ["D"]
    assert clock_rows(lake, "booking_confirmed").empty


def test_a_source_that_never_records_a_milestone_is_not_measured_by_it(lake):
    silent = pd.DataFrame([{"case_id": "S", "opened_at": START, "resolved_at": START + DAY}])
    lake = store.write(fill(lake, []), {"cases": silent}, source="silent")
    assert clock_rows(lake, "first_response")["id"].tolist() == ["W"]


def test_the_team_that_took_the_case_owns_its_clock_after_a_transfer(lake):
    lake = fill(
        lake, [{"case_id": "C", "opened_at": START, "first_team": "first", "owner_team": "now", "team": "last"}]
    )
    assert clock_rows(lake, "first_response").set_index("id")["team"]["C"] == "first"
    assert "first" in set(standards(lake, "first_response", by="team")["team"])


def test_feedback_every_half_hour_fails_at_the_longest_gap(lake):
    case = {"case_id": "C", "opened_at": START, "business_type": "repair", "closed_at": START + 2 * HOUR}
    told = [25, 50, 100, 118]
    steps = [{"case_id": "C", "milestone": "progress", "at": START + m * MINUTE} for m in told]
    lake = fill(lake, [case], steps)
    rows = clock_rows(lake, ["repair_progress", "repair_progress_repeated"]).set_index("standard")
    assert rows["state"].to_dict() == {"repair_progress": "on_time", "repair_progress_repeated": "late"}
    worst = rows.loc["repair_progress_repeated"]
    assert (worst["overrun_s"], worst["due"]) == (20 * 60, pd.Timestamp(START + 80 * MINUTE))
    shorter = fill(
        lake, [case], [{**s, "at": START + m * MINUTE} for s, m in zip(steps, [25, 50, 80, 110], strict=True)]
    )
    assert state(shorter, "repair_progress_repeated") == "on_time"


def test_every_escalation_has_its_own_clock(lake):
    steps = [
        ("escalated", 0),
        ("escalated", 1),
        ("escalation_handled", 3),
        ("escalated", 10),
        ("escalation_handled", 15),
    ]
    events = [{"case_id": "C", "milestone": name, "at": START + hour * HOUR} for name, hour in steps]
    rows = clock_rows(fill(lake, [{"case_id": "C", "opened_at": START}], events), "escalation_handled")
    assert rows["state"].tolist() == ["on_time", "late"]
    assert rows["round"].tolist() == [1, 2]


def test_a_reopened_case_is_not_resolved(lake):
    case = {"case_id": "C", "opened_at": START, "complexity": "complex"}
    steps = [("resolved", 1), ("reopened", 10)]
    events = [{"case_id": "C", "milestone": name, "at": START + hour * HOUR} for name, hour in steps]
    assert state(fill(lake, [case], events), "complex_resolved") == "late"


def test_a_form_letter_is_not_an_answer(lake):
    case = {"opened_at": START, "business_type": "suggestion", "first_response_at": START + HOUR}
    form = {**case, "case_id": "C", "reply_text": "留言已收悉"}
    real = {
        **case,
        "case_id": "D",
        "reply_text": "您好,您反映的公交站台照明问题已由市政部门核实,计划于下月完成改造,感谢您的建议。",
    }
    lake = fill(lake, [form, real])
    assert (state(lake, "suggestion_answered"), state(lake, "suggestion_answered", "D")) == ("late", "on_time")


def test_a_duty_runs_from_one_performance_to_the_next(lake):
    drills = [("fire", "2026-01-15"), ("fire", "2026-07-15"), ("flood", "2025-12-01")]
    frame = pd.DataFrame(
        [
            {"duty_id": str(i), "kind": "drill_held", "name": name, "at": pd.Timestamp(day, tz="Asia/Shanghai")}
            for i, (name, day) in enumerate(drills)
        ]
    )
    lake = store.write(lake, {"duties": frame})
    rows = clock_rows(lake, "drill_held", at=datetime(2026, 8, 1, tzinfo=UTC)).set_index("id")["state"].to_dict()
    assert rows == {"0": "on_time", "1": "running", "2": "late"}


def test_findings_follow_their_own_dates(lake):
    day = pd.Timestamp("2026-03-02", tz="UTC")
    rows = [
        {"audit_id": "A", "rectify_due": day + 5 * DAY, "rectified_at": day + 4 * DAY, "recheck_due": day + 6 * DAY},
        {"audit_id": "B", "rectify_due": day + 5 * DAY, "rectified_at": day + 6 * DAY, "rechecked_at": day + 7 * DAY},
        {"audit_id": "C"},
    ]
    lake = store.write(lake, {"audits": pd.DataFrame([{"kind": "qa", "at": day, **row} for row in rows])})
    found = clock_rows(lake, ["finding_rectified", "finding_rechecked"], at=day + 30 * DAY)
    assert {(r.standard, r.id): r.state for r in found.itertuples()} == {
        ("finding_rectified", "A"): "on_time",
        ("finding_rectified", "B"): "late",
        ("finding_rechecked", "A"): "late",
    }


def test_a_composite_counts_its_clocks_together(lake):
    quick = {"opened_at": START, "first_response_at": START + MINUTE}
    slow = {"opened_at": START, "first_response_at": START + HOUR}
    lake = fill(
        lake, [{**quick, "case_id": f"Q{i}"} for i in range(17)] + [{**slow, "case_id": f"S{i}"} for i in range(2)]
    )
    row = standards(lake, "response_timeliness").iloc[0]
    assert (row["on_time"], row["due"], row["value"], row["target"], row["met"]) == (18, 20, 0.9, 0.98, False)
    assert row["overrun_s"] == 45 * 60
    # Wilson 1927 for 18 of 20, as published for this pair: 0.699 to 0.972.
    assert (round(row["low"], 3), round(row["high"], 3)) == (0.699, 0.972)


def test_an_overrun_lasts_until_the_clock_stops_or_the_row_is_over_and_unknown_ones_are_left_out(lake):
    contacts = [
        {"contact_id": "answered", "answered_at": START + MINUTE},
        {"contact_id": "gave up", "ended_at": START + 2 * MINUTE, "abandoned": True},
        {"contact_id": "vanished", "abandoned": True},
    ]
    listed = [{"offered_at": START, **c, "contact_id": f"{c['contact_id']} {i}"} for c in contacts for i in range(4)]
    lake = store.write(lake, {"contacts": pd.DataFrame(listed)})
    rows = clock_rows(lake, "confirmed_by_person", at=START + 9 * DAY)
    assert rows["state"].eq("late").all()
    assert rows.groupby(rows["id"].str.rstrip(" 0123"))["overrun_s"].max().to_dict() == {
        "answered": 30,
        "gave up": 90,
        "vanished": 0,
    }
    row = standards(lake, "confirmed_by_person", at=START + 9 * DAY).iloc[0]
    assert (row["late"], row["overrun_s"]) == (12, 60)


def test_a_composite_is_never_made_of_only_those_clocks_that_can_be_split(lake):
    quick = {"opened_at": START, "first_response_at": START + MINUTE}
    lake = fill(lake, [{**quick, "case_id": f"Q{i}"} for i in range(12)])
    contacts = pd.DataFrame([{"contact_id": "P", "offered_at": START, "answered_at": START, "queue": "A"}])
    lake = store.write(lake, {"contacts": contacts})
    assert "response_timeliness" in standards(lake, by="queue").attrs["left_out"]
    with pytest.raises(CatalogueError, match="queue"):
        standards(lake, "response_timeliness", by="queue")


def test_now_is_when_the_data_stop_not_what_lies_ahead(lake):
    ahead = datetime.now(UTC) + 400 * DAY
    lake = fill(lake, [{"case_id": "C", "opened_at": START + DAY, "due_at": ahead, "booked_for": ahead}])
    assert data_stop(lake) == START + DAY
    assert data_stop(store.write(lake, {"cases": pd.DataFrame([{"case_id": "F", "opened_at": ahead}])})) == START + DAY


def test_what_is_overdue_comes_worst_first_by_owner_and_closed_cases_are_left_out(lake):
    cases = [
        {"case_id": "old", "opened_at": START, "first_team": "B"},
        {"case_id": "older", "opened_at": START - HOUR, "first_team": "A"},
        {"case_id": "fresh", "opened_at": START + 50 * MINUTE, "first_team": "A"},
        {"case_id": "shut", "opened_at": START - HOUR, "first_team": "A", "closed_at": START, "resolution": "no"},
    ]
    rows = overdue(fill(lake, cases), at=START + HOUR, within_s=3600)
    rows = rows[rows["standard"] == "first_response"]
    assert rows[["team", "id", "state"]].values.tolist() == [
        ["A", "older", "overdue"],
        ["A", "fresh", "due_soon"],
        ["B", "old", "overdue"],
    ]
    assert rows["overrun_s"].tolist() == [105 * 60, 0, 45 * 60]
    assert rows["left_s"].tolist() == [0, 5 * 60, 0]
    assert overdue(fill(lake, cases), at=START + HOUR, within_s=60)["state"].eq("overdue").all()


def test_a_source_that_never_says_when_a_person_came_is_not_measured_by_it(lake):
    silent = pd.DataFrame([{"contact_id": "S", "offered_at": START, "ended_at": START + HOUR, "abandoned": True}])
    spoken = pd.DataFrame([{"contact_id": "P", "offered_at": START, "answered_at": START + HOUR}])
    lake = store.write(store.write(lake, {"contacts": silent}, source="silent"), {"contacts": spoken}, source="spoken")
    assert clock_rows(lake, "confirmed_by_person")["id"].tolist() == ["P"]


def test_what_is_over_or_dropped_is_not_on_the_list_of_overdue_work(lake):
    unanswered = pd.DataFrame(
        [{"contact_id": "gone", "offered_at": START}, {"contact_id": "P", "offered_at": START, "answered_at": START}]
    )
    found = {"origin": "audit", "class": "urgent", "found_at": START, "due_at": START + DAY, "done_at": pd.NaT}
    done = {**found, "action_id": "done", "done_at": START + DAY, "status": "done"}
    actions = [{**found, "action_id": name, "status": name} for name in ("open", "dropped", "closed")]
    lake = store.write(lake, {"contacts": unanswered, "actions": pd.DataFrame([*actions, done])})
    assert overdue(lake, at=START + 9 * DAY)["id"].unique().tolist() == ["open"]
    assert set(clock_rows(lake, "action_done")["id"]) == {"open", "closed", "done"}


def test_filters_and_splits_use_the_cases_own_columns_and_attributes(lake):
    case = {"opened_at": START, "first_response_at": START + MINUTE}
    cases = [{**case, "case_id": f"C{i}", "channel": "app", "attributes": '{"product": "P"}'} for i in range(12)]
    lake = fill(lake, cases)
    row = standards(lake, "first_response", by=["product"], where={"channel": "app"}).iloc[0]
    assert (row["product"], row["n"]) == ("P", 12)
    with pytest.raises(CatalogueError, match="no column"):
        standards(lake, "first_response", by="colour")
    assert "first_response" in standards(lake, by="colour").attrs["left_out"]
