"""The shipped mappings on the real files, and on made-up files in the vendors' documented layouts."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest

from svcanalytics import store
from svcanalytics.store.engine import connect
from svcanalytics.store.mapping import compile, prepare


@pytest.fixture
def con():
    with connect() as connection:
        yield connection


def _rows(con, mapping, table, what="*", zone="UTC"):
    return con.execute(f"select {what} from ({compile(mapping, table, con, zone)}) order by _file, _line").fetchall()


def _load(con, path, source=None):
    mapping, reading = prepare(con, path, source)
    assert mapping is not None
    return mapping, reading


@pytest.mark.real_data
@pytest.mark.slow
def test_the_servicenow_log_equals_a_loop_over_its_rows(con, real_data):
    path = real_data / "cases" / "servicenow_incident_log.zip"
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open(archive.namelist()[0]), "utf-8")))
    mapping, reading = _load(con, path)
    assert (mapping.name, reading.rows, reading.rejected) == ("servicenow", 141_712, 0)
    events = _rows(con, mapping, "events", "case_id, count(*) over (), seq, _bad_column")
    assert len(events) == len(rows)
    assert len({(case, seq) for case, _, seq, _ in events}) == len(rows)
    assert {bad for *_, bad in events} == {None}
    last, responded, first_team = {}, defaultdict(list), {}
    for row in sorted(rows, key=lambda row: int(row["sys_mod_count"])):
        last[row["number"]] = row
        if row["incident_state"] != "New":
            responded[row["number"]].append(row["sys_updated_at"])
        if row["assignment_group"] != "?":
            first_team.setdefault(row["number"], row["assignment_group"])
    what = "case_id, sla_met, epoch(opened_at), epoch(resolved_at), epoch(first_response_at), first_team, transferred_n"
    cases = _rows(con, mapping, "cases", what)
    assert len(cases) == len(last) == 24_918
    assert sum(not case[1] for case in cases) == 9_115
    assert sum(case[3] is None for case in cases) == 1_556

    def at(text):
        return None if text == "?" else datetime.strptime(text, "%d/%m/%Y %H:%M").replace(tzinfo=UTC).timestamp()

    for case, met, opened, resolved, response, team, transferred in cases:
        row = last[case]
        assert met == (row["made_sla"] == "true")
        assert (opened, resolved) == (at(row["opened_at"]), at(row["resolved_at"]))
        # Two updates are stamped before their case was opened: those answer nobody.
        assert response == min(moment for moment in map(at, responded[case]) if moment >= opened)
        assert (team, transferred) == (first_team.get(case), int(row["reassignment_count"]))


@pytest.mark.real_data
@pytest.mark.slow
def test_the_xes_log_gives_every_event_and_a_case_for_every_trace(con, real_data):
    mapping, reading = _load(con, real_data / "cases" / "bpi2013_incidents.xes.gz")
    assert (mapping.name, reading.rows, reading.rejected) == ("xes", 65_533, 0)
    waits = Counter(row[0] for row in _rows(con, mapping, "events", "waits_for"))
    assert waits["customer"] == 4_217 + 101
    assert waits["supplier"] == 313
    cases = _rows(con, mapping, "cases", "case_id, _bad_column, resolved_at is not null, resolved_at >= opened_at")
    assert len(cases) == 7_554
    assert {row[1] for row in cases} == {None}
    # Every trace but eight ends completed: 5,573 closed, 1,882 in the call, 90 resolved, 1 cancelled.
    assert sum(row[2] for row in cases) == 7_546
    assert all(row[3] for row in cases if row[2])


@pytest.mark.real_data
def test_every_call_of_the_bank_is_accounted_for(con, real_data):
    path = real_data / "contacts" / "bank_contacts_1999_01.txt"
    mapping, reading = _load(con, path)
    assert (mapping.name, reading.rows, reading.rejected) == ("telephony_log", 31_599, 0)
    what = (
        "attributes->>'outcome', _bad_reason is not null, abandoned, queued_at is not null, "
        "cast(epoch(answered_at) - epoch(offered_at) as int), answered_at >= offered_at, ended_at >= offered_at, "
        "contact_id"
    )
    rows = _rows(con, mapping, "contacts", what)
    assert len({row[-1] for row in rows}) == 31_599
    assert Counter(row[0] for row in rows if row[1]) == {"PHANTOM": 240}
    assert Counter((row[0], row[2]) for row in rows if not row[1]) == {("AGENT", False): 27_060, ("HANG", True): 4_299}
    assert all(row[5] is not False and row[6] is not False for row in rows if not row[1])
    # The wait of answered calls, straight from the file: seconds between midnight-safe clock times.
    with path.open(newline="") as file:
        calls = [row for row in csv.DictReader(file, delimiter="\t") if row["outcome"] == "AGENT"]

    def clock(text):
        hours, minutes, seconds = map(int, text.split(":"))
        return hours * 3600 + minutes * 60 + seconds

    def never(text):
        return text == "0:00:00"

    waits = Counter()
    for call in calls:
        begun = call["vru_exit"] if int(call["vru_time"]) < 0 else call["vru_entry"]
        answered = next(call[k] for k in ("ser_start", "q_exit", "vru_exit") if not never(call[k]))
        waits[(clock(answered) - clock(begun)) % 86400] += 1
    assert Counter(row[4] for row in rows if row[0] == "AGENT") == waits


@pytest.mark.real_data
def test_the_call_centre_sheet_gives_contacts_and_the_ratings_given(con, real_data):
    mapping, reading = _load(con, real_data / "contacts" / "call_centre_2021_q1.xlsx")
    assert (mapping.name, reading.rows) == ("call_centre_sheet", 5_000)
    contacts = _rows(con, mapping, "contacts", "abandoned, answered_at is null, talk_s is null, _bad_column")
    assert Counter(contacts) == {(False, False, False, None): 4_054, (True, True, True, None): 946}
    surveys = _rows(con, mapping, "surveys", "csat, scale, _bad_column")
    assert len(surveys) == 4_054
    assert {row[1:] for row in surveys} == {(5, None)}


@pytest.mark.real_data
def test_the_hotline_messages_keep_text_and_reply(con, real_data):
    mapping, reading = _load(con, real_data / "cases" / "hotline_zh_messages.xlsx")
    assert (mapping.name, reading.rows) == ("hotline_messages", 2_816)
    waited = "cast(epoch(first_response_at) - epoch(opened_at) as bigint)"
    what = f"text = trim(text), reply_text is not null, {waited}, _bad_column"
    rows = _rows(con, mapping, "cases", what)
    assert all(row[0] and row[1] for row in rows)
    assert {row[3] for row in rows} == {None}
    days = sorted(row[2] / 86400 for row in rows)
    assert (round(days[0], 2), round(days[-1])) == (0.02, 1160)
    assert days[len(days) // 2] == pytest.approx(11.2, abs=0.05)


ZENDESK = {
    "url": "https://example.zendesk.com/api/v2/tickets/35436.json",
    "id": 35436,
    "external_id": None,
    "created_at": "2026-07-20T22:55:29Z",
    "updated_at": "2026-07-22T10:38:52Z",
    "type": "question",
    "subject": "Where is my parcel",
    "raw_subject": "Where is my parcel",
    "description": "It should have come, last week.",
    "priority": "high",
    "status": "closed",
    "requester_id": 20978392,
    "assignee_id": 235323,
    "organization_id": 509974,
    "group_id": 98738,
    "due_at": None,
    "tags": ["parcel", "late"],
    "via": {"channel": "web"},
    "satisfaction_rating": {"id": 1234, "score": "good", "comment": "Great support!"},
    "metric_set": {
        "reopens": 1,
        "replies": 2,
        "group_stations": 3,
        "solved_at": "2026-07-21T08:55:29Z",
        "status_updated_at": "2026-07-22T10:38:52Z",
        "reply_time_in_minutes": {"calendar": 90, "business": 30},
    },
}


def test_zendesk_tickets_load_from_the_documented_json(con, tmp_path):
    open_one = {**ZENDESK, "id": 2, "status": "open", "type": None, "satisfaction_rating": {"score": "offered"}}
    open_one["metric_set"] = {"reopens": 0, "group_stations": 1}
    never = {**ZENDESK, "id": 3, "satisfaction_rating": {"score": "unoffered"}}
    path = tmp_path / "tickets.json"
    path.write_text("\n".join(json.dumps(ticket) for ticket in (ZENDESK, open_one, never)))
    mapping, _ = _load(con, path)
    assert mapping.name == "zendesk"
    what = (
        "case_id, opened_at::varchar, first_response_at::varchar, resolved_at::varchar, closed_at::varchar, "
        "business_type, urgency, channel, team, agent, reopened_n, transferred_n, resolution, _bad_column"
    )
    first, second, _ = _rows(con, mapping, "cases", what, zone="Asia/Shanghai")
    assert first == (
        "35436",
        "2026-07-20 22:55:29+00",
        "2026-07-21 00:25:29+00",
        "2026-07-21 08:55:29+00",
        "2026-07-22 10:38:52+00",
        "consultation",
        "urgent",
        "web",
        "98738",
        "235323",
        1,
        2,
        "yes",
        None,
    )
    assert second[2:6] == (None, None, None, None)
    assert _rows(con, mapping, "surveys", "case_id, csat, scale, comment") == [
        ("35436", 2, 2, "Great support!"),
        ("2", None, 2, None),
    ]


PIPELINE = """id,instance_url,url,key,project_key,project_name,issue_type,summary,description,creator_id,reporter_id,\
assignee_id,status,status_category,priority_sequence,priority_name,resolution,created_date,resolution_date,updated_date,due_date
1,https://jira.example,https://jira.example/browse/IT-1,IT-1,IT,IT Help,Incident,Mail is down,"No mail,
since nine",7,7,9,Resolved,Done,2,High,Done,2026-07-18T15:30:00Z,2026-07-18T18:00:00Z,2026-07-19T00:00:00Z,
2,https://jira.example,https://jira.example/browse/IT-2,IT-2,IT,IT Help,Service Request,\
New laptop,,8,8,,Open,To Do,3,Medium,,2026-07-20T01:00:00Z,,2026-07-20T01:00:00Z,2026-08-01T00:00:00Z
"""
NAVIGATOR = """Summary,Issue key,Issue id,Issue Type,Status,Project key,Priority,Resolution,\
Assignee,Reporter,Created,Updated,Resolved,Due date,Custom field (Request Type),Custom field (Satisfaction)
Mail is down,IT-1,10001,[System] Incident,Resolved,IT,High,Done,Ana,Bo,\
18/Jul/26 3:30 PM,19/Jul/26 12:00 AM,18/Jul/26 6:00 PM,,Report a fault,4
New laptop,IT-2,10002,[System] Service request,Open,IT,Medium,,,Cy,\
20/Jul/26 1:00 AM,20/Jul/26 1:00 AM,,01/Aug/26 12:00 AM,Hardware,
"""


@pytest.mark.parametrize(("text", "source"), [(PIPELINE, "pipeline"), (NAVIGATOR, "navigator")])
def test_jira_issues_load_from_both_documented_layouts(con, tmp_path, text, source):
    path = tmp_path / f"{source}.csv"
    path.write_text(text)
    mapping, reading = _load(con, path)
    assert (mapping.name, reading.rows, reading.rejected) == ("jira_service_management", 2, 0)
    times = "opened_at::varchar, resolved_at::varchar, due_at::varchar"
    what = f"case_id, {times}, business_type, urgency, resolution, _bad_column"
    assert _rows(con, mapping, "cases", what) == [
        ("IT-1", "2026-07-18 15:30:00+00", "2026-07-18 18:00:00+00", None, "incident", "urgent", "yes", None),
        ("IT-2", "2026-07-20 01:00:00+00", None, "2026-08-01 00:00:00+00", "help", "normal", None, None),
    ]
    ratings = [] if source == "pipeline" else [("IT-1", 4, 5)]
    assert _rows(con, mapping, "surveys", "case_id, csat, scale") == ratings


def test_a_list_with_common_chinese_headings_is_a_list_of_cases(con, tmp_path):
    path: Path = tmp_path / "x.csv"
    path.write_text(
        "工单编号,受理时间,办结时间,业务类型,紧急程度,责任部门,诉求内容,区县\n"
        "G1,2026/3/9 9:05:00,2026/3/10 10:00:00,投诉,特急,客服部,网络慢,东区\n"
        "G2,2026/3/31 9:05:00,,其他事,不知道,,,\n",
        "gb18030",
    )
    mapping, _ = _load(con, path, "generic_cases")
    what = "case_id, opened_at::varchar, business_type, urgency, owner_team, text, attributes, _bad_column"
    assert _rows(con, mapping, "cases", what, zone="Asia/Shanghai") == [
        (
            "G1",
            "2026-03-09 01:05:00+00",
            "complaint",
            "critical",
            "客服部",
            "网络慢",
            '{"业务类型":"投诉","紧急程度":"特急","区县":"东区"}',
            None,
        ),
        ("G2", "2026-03-31 01:05:00+00", None, None, None, None, '{"业务类型":"其他事","紧急程度":"不知道"}', None),
    ]


def test_calls_with_common_english_headings_are_contacts(con, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(
        "Call ID;Call Start Time;Answer Time;End Time;Queue Name;Agent Name;Talk Time;Abandoned;Direction\n"
        "7;2026-03-09 09:00:00;2026-03-09 09:00:20;2026-03-09 09:05:00;sales;Ana;0:04:40;N;Inbound\n"
        "8;2026-03-09 09:01:00;;2026-03-09 09:01:30;sales;;;Y;Inbound\n"
    )
    mapping, _ = _load(con, path, "generic_contacts")
    what = "contact_id, queue, agent, talk_s, abandoned, direction, epoch(ended_at) - epoch(offered_at), _bad_column"
    assert _rows(con, mapping, "contacts", what) == [
        ("7", "sales", "Ana", 280, False, "inbound", 300, None),
        ("8", "sales", None, None, True, "inbound", 30, None),
    ]


def test_an_event_stamped_1970_is_quarantined_and_makes_no_case_older(con, tmp_path):
    event = '<event><string key="concept:name" value="{}"/><date key="time:timestamp" value="{}"/></event>'
    stamped = (("Queued", "1970-01-01T00:00:00+01:00"), ("Completed", "2026-01-02T00:00:00+01:00"))
    events = "".join(event.format(*stamp) for stamp in stamped)
    path = tmp_path / "x.xes"
    path.write_text(f'<log><trace><string key="concept:name" value="c"/>{events}</trace></log>')
    mapping, _ = _load(con, path)
    assert [row[0] for row in _rows(con, mapping, "events", "_bad_column")] == ["at", None]
    assert _rows(con, mapping, "cases", "opened_at::varchar, _bad_column") == [("2026-01-01 23:00:00+00", None)]


@pytest.mark.parametrize("written", [str, str.lower, str.upper])
def test_the_words_of_an_event_log_mean_the_same_in_any_case(con, tmp_path, written):
    event = (
        '<event><string key="concept:name" value="{}"/><string key="lifecycle:transition" value="{}"/>'
        '<date key="time:timestamp" value="{}"/></event>'
    )
    steps = (
        ("Accepted", "In Progress", "2026-01-02T00:00:00Z"),
        ("Accepted", "Wait - User", "2026-01-03T00:00:00Z"),
        ("Completed", "Closed", "2026-01-04T00:00:00+02:00"),
    )
    events = "".join(event.format(written(name), written(state), at) for name, state, at in steps)
    (tmp_path / "x.xes").write_text(f'<log><trace><string key="concept:name" value="c"/>{events}</trace></log>')
    mapping, _ = _load(con, tmp_path / "x.xes")
    told = _rows(con, mapping, "events", "milestone, waits_for")
    assert told == [("opened", "us"), ("customer_contacted", "customer"), ("closed", None)]
    done = "2026-01-03 22:00:00+00"
    what = "resolved_at::varchar, closed_at::varchar, resolution"
    assert _rows(con, mapping, "cases", what) == [(done, done, "yes")]


def test_a_general_list_names_a_channel_as_the_other_sources_do_and_keeps_words_it_does_not_know(tmp_path):
    file = tmp_path / "list.csv"
    file.write_text(
        "工单编号,创建时间,渠道\n1,2026-10-01 09:00,电话\n2,2026-10-01 09:30,Email\n3,2026-10-01 10:00,传真\n", "utf-8"
    )
    lake = store.open(tmp_path / "lake", timezone="Asia/Shanghai")
    store.load(lake, file, "generic_cases")
    assert lake.sql("select channel from cases order by case_id")["channel"].tolist() == ["phone", "mail", "传真"]
