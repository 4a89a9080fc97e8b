"""Loading: every row is accounted for, the same file twice changes nothing, a newer export updates."""

from __future__ import annotations

import io
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from svcanalytics import store
from svcanalytics.errors import LakeError, LoadError, MappingError
from svcanalytics.store.keys import key
from svcanalytics.store.mapping import parse
from svcanalytics.store.masking import mask
from svcanalytics.store.reading import Query


def cases(n: int = 6) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "case_id": [f"00{i}" for i in range(n)],
            "opened_at": [f"2026-10-0{1 + i} 08:00:00" for i in range(n)],
            "resolved_at": [f"2026-10-0{2 + i} 09:30:00" for i in range(n)],
            "customer_id": [f"K{i % 3}" for i in range(n)],
            "text": [f"说明 {i}" for i in range(n)],
        }
    )


def adds_up(result: store.LoadResult) -> bool:
    return all(counts.read == sum(counts[1:]) for counts in (result.counts, *result.tables.values()))


def test_rows_arrive_with_local_keys_hashed_customers_and_their_load(lake: store.Lake) -> None:
    result = store.load(lake, cases(), "contract:cases")
    assert (result.read, result.new) == (6, 6)
    found = lake.refresh().sql("from cases order by case_id")
    assert found["day_key"].tolist() == [20261001 + i for i in range(6)]
    assert str(found["opened_at"].iloc[0]) == "2026-10-01 00:00:00+00:00"  # 08:00 in Shanghai
    assert found["customer_id"].tolist() == [key(lake).hash(f"K{i % 3}") for i in range(6)]
    assert set(found["load_id"]) == {result.load_id}
    assert result.snapshot == lake.refresh().snapshot.id


def test_loading_the_same_file_again_changes_nothing_and_says_so(lake: store.Lake, tmp_path: Path) -> None:
    rows = cases()
    rows.loc[0, "opened_at"] = ""
    rows.to_csv(tmp_path / "a.csv", index=False)
    first = store.load(lake, tmp_path / "a.csv", "contract:cases")
    before = lake.refresh().snapshot
    again = store.load(lake, tmp_path / "a.csv", "contract:cases")
    assert lake.refresh().snapshot == before
    assert again.already_loaded and again.load_id == first.load_id
    assert again.counts == (6, 0, 0, 5, 1)
    assert "loaded before" in str(again)


def test_a_newer_export_updates_and_a_case_whose_month_moves_is_not_doubled(lake: store.Lake) -> None:
    store.load(lake, cases(), "contract:cases")
    newer = cases(7)
    newer.loc[0, "opened_at"] = "2026-08-31 23:00:00"
    newer.loc[1, "text"] = "改过的说明"
    result = store.load(lake, newer, "contract:cases")
    assert result.counts == (7, 1, 2, 4, 0)
    found = lake.refresh().sql("select * from cases order by case_id")
    assert found["case_id"].tolist() == [f"00{i}" for i in range(7)]
    assert found["month_key"].iloc[0] == 202608
    assert (lake.refresh().sql("select count(distinct case_id) = count(*) as ok from cases"))["ok"].item()


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("opened_at", "", "missing"),
        ("opened_at", "yesterday", "no time"),
        ("resolved_at", "2026-09-30 00:00:00", "before opened_at"),
        ("urgency", "whenever", "allowed|value map"),
        ("complaint_level", "4", "more than 3"),
        ("complaint_level", "0", "less than 1"),
        ("reopened_n", "many", "whole number"),
        ("attributes", "no json", "JSON"),
    ],
)
def test_what_breaks_the_contract_is_quarantined_with_line_column_and_reason(
    lake: store.Lake, column: str, value: str, reason: str
) -> None:
    rows = cases(8)
    good = {"urgency": "urgent", "complaint_level": "2", "reopened_n": "1", "attributes": '{"a":"b"}'}
    if column not in rows:
        rows[column] = good[column]
    rows.loc[4, column] = value
    result = store.load(lake, rows, "contract:cases")
    assert (result.new, result.quarantined) == (7, 1)
    entry = store.quarantined(lake.refresh()).iloc[0]
    assert (entry["line"], entry["column"]) == (5, column)
    assert pd.Series([entry["reason"]]).str.contains(reason).item()
    assert "说明 4" in entry["text"]


def test_rows_of_one_key_count_once_when_equal_and_are_quarantined_when_they_contradict(lake: store.Lake) -> None:
    rows = pd.concat([cases(4), cases(4).iloc[[1]], cases(4).iloc[[2]].assign(text="anders")])
    result = store.load(lake, rows, "contract:cases")
    assert result.counts == (6, 3, 0, 1, 2)
    assert lake.refresh().sql("select case_id from cases order by 1")["case_id"].tolist() == ["000", "001", "003"]
    held = store.quarantined(lake.refresh())
    assert sorted(held["line"]) == [3, 6]
    assert held["reason"].str.contains("same key").all()


VERSIONED = {
    "name": "versioned",
    "tables": {
        "cases": {
            "version": "rev",
            "columns": {"case_id": "id", "opened_at": "opened", "text": "said", "customer_id": "who"},
            "attributes": "rest",
        }
    },
}


def test_with_a_version_the_newest_row_wins_whatever_the_order(lake: store.Lake) -> None:
    rows = pd.DataFrame(
        {
            "id": ["a", "a", "a", "b"],
            "rev": ["2", "10", "1", "1"],
            "opened": ["2026-10-01 00:00:00"] * 4,
            "said": ["second", "tenth", "first", "b"],
            "who": ["x"] * 4,
        }
    )
    result = store.load(lake, rows, parse(VERSIONED))
    assert result.counts == (4, 2, 0, 2, 0)
    assert lake.refresh().sql("select text from cases order by case_id")["text"].tolist() == ["tenth", "b"]


TWO_TABLES = {
    "name": "log",
    "tables": {
        "events": {"columns": {"case_id": "id", "seq": "n", "at": "at", "activity": "what"}},
        "cases": {
            "per": "id",
            "rows": "last",
            "order": ["n"],
            "columns": {
                "case_id": "id",
                "opened_at": {"column": "at", "aggregate": "min"},
                "team": "what",
            },
        },
    },
}


def test_a_log_that_feeds_two_tables_counts_its_rows_under_the_first_and_both_add_up(lake: store.Lake) -> None:
    rows = pd.DataFrame(
        {
            "id": ["a", "a", "b", "b", "b", ""],
            "n": ["0", "1", "0", "1", "2", "0"],
            "at": [f"2026-10-01 0{i}:00:00" for i in range(6)],
            "what": list("uvwxyz"),
        }
    )
    result = store.load(lake, rows, parse(TWO_TABLES))
    assert result.counts == (6, 5, 0, 0, 1)
    assert result.tables["events"] == (6, 5, 0, 0, 1)
    assert result.tables["cases"][:2] in ((2, 2), (3, 2))
    assert adds_up(result)
    assert lake.refresh().sql("select team from cases order by case_id")["team"].tolist() == ["v", "y"]


@pytest.mark.parametrize("seed", range(3))
def test_random_exports_in_turn_give_what_a_plain_dictionary_gives(lake: store.Lake, seed: int) -> None:
    random = np.random.default_rng(seed)
    expected: dict[str, tuple[str, str]] = {}
    for _ in range(4):
        rows = pd.DataFrame(
            {
                "case_id": random.integers(0, 30, 25).astype(str),
                "opened_at": [f"2026-{m:02d}-05 00:00:00" for m in random.integers(1, 4, 25)],
                "text": random.choice(["a", "b"], 25),
            }
        )
        rows.loc[random.random(25) < 0.1, "opened_at"] = ""
        new = updated = unchanged = quarantined = 0
        for name, group in rows.groupby("case_id"):
            whole = group[group["opened_at"] != ""]
            quarantined += len(group) - len(whole)
            values = set(zip(whole["opened_at"], whole["text"], strict=True))
            if len(values) > 1:
                quarantined += len(whole)
            elif values:
                value = values.pop()
                new += name not in expected
                updated += name in expected and expected[name] != value
                unchanged += len(whole) - (name not in expected or expected[name] != value)
                expected[name] = value
        result = store.load(lake, rows, "contract:cases")
        assert result.counts == (25, new, updated, unchanged, quarantined)
        found = lake.refresh().sql(
            "select case_id, strftime(timezone('Asia/Shanghai', opened_at), '%Y-%m-%d %H:%M:%S') as o, text from cases"
        )
        assert {row[0]: (row[1], row[2]) for row in found.itertuples(index=False)} == expected


def test_after_the_mapping_is_mended_a_release_lets_the_rows_in(lake: store.Lake, tmp_path: Path) -> None:
    folder = lake.path.parent / "sources"
    folder.mkdir()
    mapping = folder / "shop.toml"
    text = (
        'name = "shop"\n[tables.cases.columns]\ncase_id = "id"\nopened_at = "opened"\n'
        'urgency = { column = "prio", values = { hoch = "urgent"%s } }\n'
    )
    mapping.write_text(text % "")
    file = tmp_path / "shop.csv"
    file.write_text("id,opened,prio\n1,2026-10-01 00:00:00,hoch\n2,2026-10-01 00:00:00,tief\n3,,hoch\n")
    first = store.load(lake, file, "shop")
    assert (first.new, first.quarantined) == (1, 2)
    file.write_text("id,opened,prio\n1,2026-10-02 00:00:00,hoch\n")
    later = store.load(lake, file, "shop")
    assert later.updated == 1
    mapping.write_text(text % ', tief = "low"')
    released = store.release(lake, first.load_id)
    assert (released.read, released.new, released.updated, released.quarantined) == (3, 1, 0, 1)
    lake = lake.refresh()
    assert lake.sql("select urgency from cases order by case_id")["urgency"].tolist() == ["urgent", "low"]
    assert lake.sql("select day_key from cases order by case_id")["day_key"].tolist() == [20261002, 20261001]
    held = store.quarantined(lake)
    assert held[["load_id", "line"]].values.tolist() == [[released.load_id, 4]]


def test_a_release_that_can_let_nothing_in_changes_nothing_and_leaves_the_load_free_to_be_undone(
    lake: store.Lake, tmp_path: Path
) -> None:
    file = tmp_path / "cases.csv"
    file.write_text("case_id,opened_at,channel\n1,2026-10-01 00:00:00,app\n2,,app\n")
    first = store.load(lake, file, "contract:cases")
    before = lake.snapshot
    released = store.release(lake, first.load_id)
    assert (released.load_id, released.counts) == (first.load_id, (2, 0, 0, 1, 1))
    assert lake.snapshot == before
    store.undo(lake, first.load_id)
    assert not lake.has("cases")


def test_a_query_a_folder_and_a_gzipped_file_load_like_a_file(lake: store.Lake, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    cases(3).to_csv(folder / "1.csv", index=False)
    cases(6).iloc[3:].to_csv(folder / "2.csv.gz", index=False)
    assert store.load(lake, folder, "contract:cases").counts == (6, 6, 0, 0, 0)
    con = sqlite3.connect(tmp_path / "source.db")
    cases(8).to_sql("tickets", con, index=False)
    con.close()
    query = Query(f"sqlite:///{tmp_path / 'source.db'}", "select * from tickets", "tickets")
    assert store.load(lake, query, "contract:cases").counts == (8, 2, 0, 6, 0)
    assert store.load(lake, query, "contract:cases").already_loaded


def test_the_original_lies_unchanged_in_a_private_landing_folder(lake: store.Lake, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    cases().to_csv(file, index=False)
    store.load(lake, file, "contract:cases")
    kept = [path for path in lake.landing.rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [file.read_bytes()]
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in (lake.landing, *lake.landing.rglob("*")))


def test_a_load_that_fails_leaves_no_original_behind(lake: store.Lake, tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("x,y\n1,2\n")
    with pytest.raises((MappingError, LoadError)):
        store.load(lake, tmp_path / "odd.csv", "contract:cases")
    with pytest.raises(LoadError, match="no such file"):
        store.load(lake, tmp_path / "missing.csv", "contract:cases")
    assert [path for path in lake.landing.rglob("*") if path.is_file()] == []


def test_real_and_made_up_data_never_share_a_lake(tmp_path: Path) -> None:
    demo = store.open(tmp_path / "demo", timezone="UTC", made_up=True)
    with pytest.raises(LakeError, match="real data can't enter"):
        store.load(demo, cases(), "contract:cases")
    assert store.load(demo, cases(), "contract:cases", made_up=True).new == 6
    with pytest.raises(LakeError, match="made-up data can't enter"):
        store.load(store.open(tmp_path / "lake", timezone="UTC"), cases(), "contract:cases", made_up=True)


# -- privacy: identifiers of every kind in every column that may hold free text ------------------------------------

PLANTED = [
    "11010519491231002X",
    "13912345678",
    "010-62345678",
    "6222021234567890128",
    "zhang.wei@example.com",
    "粤B12345",
    "E12345678",
    "(555) 234-5678",
    "4111 1111 1111 1111",
]


def test_no_planted_identifier_reaches_the_lake_the_quarantine_or_what_is_printed(
    lake: store.Lake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert all(mask(planted) != planted for planted in PLANTED)
    customer = "KUNDE-77001"
    spec = {
        "name": "planted",
        "file": {"kind": "csv", "delimiter": ",", "header": 1, "skip": 0},
        "tables": {
            "cases": {
                "columns": {
                    "case_id": "id", "opened_at": "opened", "urgency": "prio", "text": "said", "reply_text": "reply",
                    "customer_id": "who",
                },
                "attributes": "rest",
            },
            "events": {
                "columns": {"case_id": "id", "seq": "n", "at": "opened", "reason": "why"},
                "attributes": "rest",
            },
            "messages": {
                "columns": {
                    "message_id": "id", "case_id": "id", "at": "opened", "text": "said",
                    "speaker": {"constant": "customer"},
                },
            },
        },
    }  # fmt: skip
    n = len(PLANTED)
    text = [f"请联系 {planted} 谢谢, {customer}" for planted in PLANTED]
    rows = pd.DataFrame(
        {
            "id": [f"case{i}" for i in range(2 * n)],
            "n": ["0"] * 2 * n,
            "opened": ["2026-10-01 00:00:00"] * n + [f"not a time, {planted}" for planted in PLANTED],
            "prio": "urgent",
            "said": text * 2,
            "reply": text * 2,
            "why": text * 2,
            "who": customer,
            "extra column": text * 2,
        }
    )
    rows.loc[n - 1, "prio"] = PLANTED[1]
    file = tmp_path / f"export {PLANTED[1]}.csv"
    rows.to_csv(file, index=False)
    with file.open("a") as handle:
        handle.write(f"too,few,columns,{PLANTED[0]},{customer}\n")
    result = store.load(lake, file, parse(spec))
    assert result.read == 2 * n + 1
    assert result.quarantined == n + 2
    assert adds_up(result)
    lake = lake.refresh()
    console = Console(file=io.StringIO(), width=200)
    console.print(result)
    printed = [str(result), repr(result), console.file.getvalue(), caplog.text]
    printed += [store.quarantined(lake).to_csv(), repr(lake)]
    for table in ("cases", "events", "messages", "quarantine", "loads"):
        printed.append(lake.sql(f"from {table}").to_csv())
    written = [
        path.read_text("utf-8", "replace")
        for path in lake.path.rglob("*")
        if path.is_file() and path.suffix != ".parquet"
    ]
    for planted in PLANTED:
        assert not any(planted in out for out in (*printed, *written)), planted
    # Nor does the customer, where the row says who it is.
    for seen in (lake.sql("from cases").to_csv(), store.quarantined(lake).to_csv(), *written):
        assert customer not in seen and "77001" not in seen
    # Parquet files hold nothing beyond the rows: their statistics and dictionaries are of the same values.
    raw = b"".join(path.read_bytes() for path in lake.path.rglob("*.parquet"))
    assert not any(planted.encode() in raw for planted in PLANTED)
    assert (
        lake.sql("select count(*) as n from cases where text like '%[customer]%' or text like '%[%]%'")["n"].item()
        >= n - 1
    )
