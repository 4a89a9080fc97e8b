from __future__ import annotations

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import improve
from svcanalytics.errors import LoadError
from svcanalytics.periods import parse_period
from svcanalytics.store.quarantine import quarantined

ZONE = "Asia/Shanghai"


def when(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz=ZONE)


@pytest.fixture
def ledger(lake) -> sv.Lake:
    """Return a lake with five lines: closed before, carried over, done but not accepted, overdue, dropped."""
    days = [
        ("Z1", "2026-05-01", "2026-06-01", "2026-05-20", "2026-05-25", "2026-06-10", "closed"),
        ("Z2", "2026-06-01", "2026-07-15", "2026-07-10", "2026-07-12", "2026-07-20", "closed"),
        ("Z3", "2026-07-05", "2026-08-01", "2026-07-30", None, None, "done"),
        ("Z4", "2026-07-06", "2026-07-20", None, None, None, "doing"),
        ("Z5", "2026-07-07", "2026-07-20", None, None, None, "dropped"),
        ("Z6", "2026-08-02", "2026-08-20", None, None, None, "open"),
    ]
    names = ["action_id", "found_at", "due_at", "done_at", "accepted_at", "verified_at", "status"]
    rows = pd.DataFrame(days, columns=names).assign(origin="audit", problem="=1+1", department="运营部")
    for name in names[1:-1]:
        rows[name] = pd.to_datetime(rows[name]).dt.tz_localize(ZONE)
    sv.load(lake, rows, source="contract:actions")
    return lake


def test_lines_carried_over_and_new_are_closed_and_open_together(ledger):
    july = improve.stand(improve.read_actions(ledger), parse_period("2026-07"))
    ids = {name: list(getattr(july, name)["action_id"]) for name in july.counts()}
    assert ids == {
        "carried_over": ["Z2"],
        "new": ["Z3", "Z4"],
        "done": ["Z2", "Z3"],
        "closed": ["Z2"],
        "open": ["Z3", "Z4"],
        "overdue": ["Z4"],
    }
    for month in pd.period_range("2026-04", "2026-10", freq="M"):
        n = improve.stand(improve.read_actions(ledger), parse_period(str(month))).counts()
        assert n["carried_over"] + n["new"] == n["closed"] + n["open"]


def test_a_closed_line_is_not_overdue_though_nobody_wrote_down_when_it_was_done(ledger):
    lines = improve.read_actions(ledger)
    lines["done_at"] = lines["done_at"].mask(lines["action_id"] == "Z1")
    assert list(improve.stand(lines, parse_period("2026-07")).overdue["action_id"]) == ["Z4"]


def test_an_empty_ledger_stands_at_nothing(lake):
    assert set(improve.stand(improve.read_actions(lake), parse_period("2026-07")).counts().values()) == {0}


def test_a_line_closes_only_after_acceptance_and_follow_up(lake):
    number = improve.add_action(lake, {"origin": "complaint", "problem": "回访未落实", "found_at": when("2026-09-01")})
    assert number == "A2026-0001"
    with pytest.raises(LoadError, match="accepted_at: missing, though status is closed"):
        improve.change_action(lake, number, {"status": "closed"})
    with pytest.raises(LoadError, match="before found_at"):
        improve.change_action(lake, number, {"done_at": when("2026-08-01")})
    steps = [("done_at", "done"), ("accepted_at", "accepted"), ("verified_at", "closed")]
    for day, (name, status) in enumerate(steps, start=2):
        line = improve.change_action(lake, number, {name: when(f"2026-09-0{day}")})
        assert line["status"] == status
    assert line["closed_at"] == when("2026-09-04")
    assert line["problem"] == "回访未落实"
    assert quarantined(lake).empty  # what was refused to a person's face is not kept as well


def test_numbers_go_on_where_they_were_and_none_is_given_twice(lake):
    first = {"origin": "qa", "problem": "x", "found_at": when("2026-09-01")}
    improve.add_action(lake, {**first, "action_id": "A2026-0041"})
    assert improve.add_action(lake, first) == "A2026-0042"
    with pytest.raises(LoadError, match="already"):
        improve.add_action(lake, {**first, "action_id": "A2026-0042"})
    with pytest.raises(LoadError, match="ownr"):
        improve.add_action(lake, {**first, "ownr": "M1"})


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_workbook_of_departments_comes_back_without_a_change_and_with_the_changes_made(ledger, tmp_path, language):
    import openpyxl

    file = improve.export_actions(ledger, tmp_path / "ledger.xlsx", language)
    result = improve.import_actions(ledger, file)
    assert (result.read, result.unchanged, result.quarantined) == (6, 6, 0)
    book = openpyxl.load_workbook(file)
    sheet = book.worksheets[0]
    heads = [cell.value for cell in sheet[1]]
    assert {sheet.cell(2, at).data_type for at in range(1, len(heads) + 1)} <= {"s", "d", "n"}  # never a formula
    owner = heads.index("责任人" if language == "zh" else "Owner") + 1
    status = heads.index("状态" if language == "zh" else "Status") + 1
    sheet.cell(2, owner).value = "M7"
    sheet.cell(7, status).value = sheet.cell(2, status).value  # closed, though nobody accepted it
    book.save(file)
    result = improve.import_actions(ledger, file)
    assert (result.updated, result.quarantined) == (1, 1)
    assert improve.read_actions(ledger).set_index("action_id").loc["Z6", "status"] == "open"


def test_a_department_gets_its_own_lines_only(ledger, tmp_path):
    with pytest.raises(LoadError, match="运营部"):
        improve.export_actions(ledger, tmp_path / "x.xlsx", department="Legal")
    assert improve.export_actions(ledger, tmp_path / "x.xlsx", department="运营部").exists()


def test_a_finding_that_persists_is_linked_to_its_line_and_one_that_came_back_says_so(ledger):
    found = {"problem": "p", "origin": "evaluation", "found_at": when("2026-07-01")}
    improve.add_action(ledger, {**found, "action_id": "Y1", "origin_id": "F-1"})
    days = {name: when("2026-07-20") for name in ("done_at", "accepted_at", "verified_at")}
    improve.add_action(ledger, {**found, "action_id": "Y2", "origin_id": "F-2", "status": "closed", **days})
    findings = pd.DataFrame(
        {"finding_id": ["F-1", "F-2", "F-3"], "trend": ["steady", "new", "new"], "points": [1.0, 0.5, 0.2]}
    )
    lines = improve.read_actions(ledger)
    proposed = improve.propose_actions(findings, lines, lambda finding: f"see {finding['finding_id']}")
    assert list(proposed["state"]) == ["in hand", "back", "proposed"]
    assert list(proposed["action_id"].iloc[:2]) == ["Y1", "Y2"]
    assert proposed["problem"].iloc[2] == "see F-3"
