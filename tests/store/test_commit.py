"""Commits: durable Delta tables that others can read, and that tell nothing in their logs."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest
from deltalake import DeltaTable

from svcanalytics import store
from svcanalytics.errors import LakeError
from svcanalytics.store.commit import locked


def rows(ids: list[str], month: int = 10, text: str = "t") -> pd.DataFrame:
    return pd.DataFrame({"case_id": ids, "opened_at": pd.Timestamp(2026, month, 5, tz="UTC"), "text": text})


def test_other_readers_of_delta_see_the_same_rows_at_every_version(lake: store.Lake) -> None:
    for n, frame in enumerate([rows(["a", "b"]), rows(["b", "c"], month=11, text="new"), rows(["a"], text="again")]):
        lake = store.write(lake, {"cases": frame}, load_id=f"l{n}")
        state = lake.snapshot.tables["cases"]
        table = DeltaTable(lake.path / "tables" / "cases", version=state.version)
        uris = {uri.split(f"{lake.path}/")[1] for uri in table.file_uris()}
        assert uris == set(state.files)
        assert table.protocol().min_reader_version == 1
        actions = table.get_add_actions(flatten=True)
        assert actions.num_rows == len(state.files)
        assert duckdb.sql("select cast(sum(num_records) as bigint) from actions").fetchall() == [(state.rows,)]


def test_the_log_holds_numbers_of_rows_but_no_value_of_a_row(lake: store.Lake) -> None:
    store.write(lake, {"cases": rows(["case-4711"], text="vertraulich")})
    log = "".join(path.read_text() for path in (lake.path / "tables").rglob("*.json"))
    assert "numRecords" in log
    assert "4711" not in log and "vertraulich" not in log


def test_a_month_of_many_small_loads_is_made_into_few_files(lake: store.Lake) -> None:
    for n in range(30):
        lake = store.write(lake, {"cases": rows([f"c{n}"])}, load_id=f"l{n}")
    state = lake.snapshot.tables["cases"]
    assert state.rows == len(lake.sql("from cases")) == 30
    assert len(state.files) < 26


def test_a_table_written_before_the_contract_gained_a_column_goes_on(lake: store.Lake, monkeypatch) -> None:
    from dataclasses import replace

    from svcanalytics.store import ledger
    from svcanalytics.store.contract import Column, contract

    lake = store.write(lake, {"cases": rows(["a"])})
    known = contract()["cases"]
    grown = replace(known, columns={**known.columns, "mood": Column("mood", "text", "Mood", "心情", "心情")})
    monkeypatch.setitem(contract().tables, "cases", grown)
    assert ledger.schema("cases") is grown
    assert lake.sql("select mood from cases")["mood"].isna().all()
    lake = store.write(lake, {"cases": rows(["a", "b"]).assign(mood="good")})
    assert lake.sql("select mood from cases order by case_id")["mood"].tolist() == ["good", "good"]
    fields = {field.name for field in DeltaTable(lake.path / "tables" / "cases").schema().fields}
    assert "mood" in fields


def test_an_earlier_snapshot_is_read_again_and_not_written(lake: store.Lake) -> None:
    first = store.write(lake, {"cases": rows(["a"])}).snapshot.id
    past = store.write(lake, {"cases": rows(["a"], text="later")}).at(first)
    assert past.sql("select text from cases")["text"].item() == "t"
    with pytest.raises(LakeError, match="an earlier snapshot can't be written to"):
        store.write(past, {"cases": rows(["b"])})
    with pytest.raises(LakeError, match="there is no snapshot 99"):
        past.at(99)


def test_who_waits_too_long_for_another_writer_is_told(lake: store.Lake) -> None:
    message = "another process has been writing"
    with locked(lake), pytest.raises(LakeError, match=message), locked(lake, timeout_s=0.1):
        pass
