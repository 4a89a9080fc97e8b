from datetime import UTC, datetime

import pandas as pd

from svcanalytics import store
from svcanalytics.store.contract import contract
from svcanalytics.store.health import examine
from svcanalytics.store.keys import key, key_path


def case(number, **columns):
    return {"case_id": f"c{number}", "opened_at": datetime(2026, 10, 1, 9, tzinfo=UTC)} | columns


def wheres(lake):
    return {(s.where, s.grave) for s in examine(lake.refresh())}


def test_a_lake_that_keeps_the_contract_has_no_symptom(lake):
    key(lake)
    store.write(lake, {"cases": pd.DataFrame([case(1, complaint_level=2), case(2)])})
    assert wheres(lake) == set()


def test_rows_outside_the_contract_are_counted_by_table_and_column(lake):
    key(lake)
    early = datetime(2026, 9, 1, tzinfo=UTC)
    rows = [case(1, complaint_level=7), case(2, urgency="very"), case(3, resolved_at=early), case(4)]
    store.write(lake, {"cases": pd.DataFrame(rows)})
    found = wheres(lake)
    assert found == {("cases.complaint_level", True), ("cases.urgency", True), ("cases.opened_at, resolved_at", True)}


def test_a_reference_that_leads_nowhere_is_worth_knowing_but_an_absent_table_is_not(lake):
    key(lake)
    survey = {"survey_id": "s1", "case_id": "c9", "contact_id": "k9", "answered_at": datetime(2026, 10, 2, tzinfo=UTC)}
    columns = contract()["surveys"].columns
    survey = {name: value for name, value in survey.items() if name in columns}
    survey[contract()["surveys"].time] = datetime(2026, 10, 2, tzinfo=UTC)
    store.write(lake, {"cases": pd.DataFrame([case(1)]), "surveys": pd.DataFrame([survey])})
    assert wheres(lake) == {("surveys.case_id", False)}


def test_a_table_that_was_forgotten_is_called_stale(lake):
    key(lake)
    old = {"contact_id": "k1", "offered_at": datetime(2026, 7, 1, tzinfo=UTC)}
    store.write(lake, {"cases": pd.DataFrame([case(1)]), "contacts": pd.DataFrame([old])})
    assert wheres(lake) == {("contacts", False)}


def test_a_key_that_others_can_read_is_grave(lake):
    key(lake)
    store.write(lake, {"cases": pd.DataFrame([case(1)])})
    key_path(lake).chmod(0o644)
    assert wheres(lake) == {(str(key_path(lake)), True)}


def test_a_lost_data_file_is_grave(lake):
    key(lake)
    store.write(lake, {"cases": pd.DataFrame([case(1)])})
    now = lake.refresh()
    (now.path / now.snapshot.tables["cases"].files[0]).unlink()
    assert wheres(lake) == {("cases", True)}


def test_an_empty_lake_is_well(lake):
    assert examine(lake) == []
