"""Erase: afterwards the customer is found nowhere, everything else stands."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.errors import LakeError
from svcanalytics.store.keys import key

WHO = "KUNDE-4711"
SECRETS = (WHO, "mein geheimer satz", "第二句秘密", "ereignis geheim", "antwort geheim", "kaputt geheim")


@pytest.fixture
def filled(lake: store.Lake, tmp_path: Path) -> store.Lake:
    cases = pd.DataFrame(
        {
            "case_id": ["a", "b", "c", "d"],
            "opened_at": ["2026-09-01 00:00:00", "2026-10-01 00:00:00", "2026-10-02 00:00:00", ""],
            "customer_id": [WHO, "other", WHO, WHO],
            "text": ["mein geheimer satz", f"erwähnt {WHO}.", "第二句秘密", "kaputt geheim"],
        }
    )
    cases.to_csv(tmp_path / "cases.csv", index=False)
    store.load(lake, tmp_path / "cases.csv", "contract:cases")
    events = pd.DataFrame(
        {"case_id": ["a", "b"], "seq": [0, 0], "at": "2026-09-01 00:00:00", "reason": ["ereignis geheim", "bleibt"]}
    )
    store.load(lake, events, "contract:events")
    contacts = pd.DataFrame({"contact_id": ["k1", "k2"], "case_id": ["c", "b"], "offered_at": "2026-10-02 00:00:00"})
    store.load(lake, contacts, "contract:contacts")
    surveys = pd.DataFrame(
        {
            "survey_id": ["s1", "s2"],
            "contact_id": ["k1", "k2"],
            "at": "2026-10-03 00:00:00",
            "comment": ["antwort geheim", "bleibt"],
        }
    )
    store.load(lake, surveys, "contract:surveys")
    cases.loc[0, "text"] = "jetzt etwas anderes"
    store.load(lake, cases, "contract:cases")
    (tmp_path / "cases.csv").unlink()
    return lake.refresh()


def found(root: Path, words: tuple[str, ...]) -> list[str]:
    """Look for words in every file under a folder; Parquet files are read through the engine."""
    hits = []
    for path in root.rglob("*"):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "replace")
            if path.suffix == ".parquet":
                text = duckdb.sql(f"from read_parquet('{path}')").df().to_csv()
            hits += [f"{path.name}: {word}" for word in words if word in text or word in str(path)]
    return hits


def test_the_customer_and_all_that_hangs_on_their_cases_is_found_nowhere(filled: store.Lake) -> None:
    root = filled.path.parent
    hashed = key(filled).hash(WHO)
    assert found(root, (*SECRETS, hashed))
    erased = store.erase(filled, WHO)
    assert found(root, (*SECRETS, hashed)) == []
    assert erased.tables == {"cases": 2, "events": 1, "contacts": 1, "surveys": 1, "quarantine": 2}
    assert erased.mentions >= 1
    assert len(erased.originals) == 5
    assert WHO not in str(erased)


def test_everybody_else_stays_also_in_earlier_snapshots(filled: store.Lake) -> None:
    before = filled.snapshot.id
    store.erase(filled, WHO)
    lake = filled.refresh()
    for snapshot in range(1, lake.snapshot.id + 1):
        past = lake.at(snapshot)
        assert past.sql("select case_id, text from cases").values.tolist() == [["b", "erwähnt [customer]."]]
        for table, state in past.snapshot.tables.items():
            assert past.sql(f"select count(*) as n from {table}")["n"].item() == state.rows
    assert lake.snapshot.id == before + 1
    assert lake.sql("select reason from events")["reason"].tolist() == ["bleibt"]
    assert lake.sql("select contact_id from contacts")["contact_id"].tolist() == ["k2"]


def test_neither_the_same_file_nor_undo_nor_release_brings_the_customer_back(
    filled: store.Lake, tmp_path: Path
) -> None:
    store.erase(filled, WHO)
    root = filled.path.parent
    loads = filled.refresh().sql("select load_id from loads order by before")["load_id"].tolist()
    store.release(filled, loads[0])
    assert found(root, SECRETS) == []
    for load_id in reversed(filled.refresh().sql("select load_id from loads order by before")["load_id"].tolist()):
        store.undo(filled, load_id)
    assert filled.refresh().sql("select count(*) as n from cases")["n"].item() == 0
    assert found(root, SECRETS) == []


def test_erasing_a_stranger_changes_nothing_and_an_empty_name_is_refused(filled: store.Lake) -> None:
    erased = store.erase(filled, "nobody-at-all")
    assert (dict(erased.tables), erased.files, erased.originals) == ({}, 0, ())
    assert filled.refresh().snapshot == filled.snapshot
    with pytest.raises(LakeError, match="no customer was named"):
        store.erase(filled, " ")


def test_a_short_identifier_is_not_taken_out_of_other_peoples_texts(lake: store.Lake) -> None:
    cases = pd.DataFrame(
        {
            "case_id": ["1", "7"],
            "opened_at": "2026-09-01 00:00:00",
            "customer_id": ["7", "8"],
            "text": ["weg", "7 Tage gewartet"],
        }
    )
    store.load(lake, cases, "contract:cases")
    store.erase(lake, "7")
    assert lake.refresh().sql("select case_id, text from cases").values.tolist() == [["7", "7 Tage gewartet"]]
    assert found(lake.path.parent, ("weg",)) == []


@pytest.mark.slow
@pytest.mark.real_data
def test_a_caller_of_a_real_log_is_erased_with_their_cases_and_events_and_nobody_else(
    lake: store.Lake, real_data: Path
) -> None:
    file = real_data / "cases" / "servicenow_incident_log.zip"
    raw = pd.read_csv(file, dtype=str)
    last = raw.groupby("number")["caller_id"].last()
    caller = last[last != "?"].value_counts().index[3]
    result = store.load(lake, file, "servicenow")
    assert (result.read, result.tables["cases"].new) == (141_712, 24_918)
    store.erase(lake, caller)
    gone = set(last[last == caller].index)
    left = lake.refresh().sql("select case_id from cases")["case_id"]
    assert set(left) == set(last.index) - gone
    assert not set(lake.refresh().sql("select distinct case_id from events")["case_id"]) & gone
    assert found(lake.path, (caller, key(lake).hash(caller))) == []
