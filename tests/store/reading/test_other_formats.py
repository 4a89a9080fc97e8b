"""Workbooks, JSON, event logs, Parquet, data frames and queries: the text a person would have typed."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import sqlite3
from pathlib import Path

import pandas as pd
import pytest
import xlsxwriter

from svcanalytics.errors import LoadError
from svcanalytics.store.engine import connect
from svcanalytics.store.reading import FileFormat, Query, read
from svcanalytics.store.reading.values import as_text
from svcanalytics.store.rules import MappingModel


@pytest.fixture
def con():
    with connect() as connection:
        yield connection


def _book(path: Path, **sheets) -> Path:
    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm"}) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(r, c, cell)
    return path


def test_ids_dates_and_times_of_a_workbook_are_what_was_typed(con, tmp_path):
    rows = [
        ["Id", "Day", "Clock", "Amount", "Code"],
        [1234, dt.datetime(2026, 1, 2, 9, 5), dt.time(9, 5, 7), 0.1 + 0.2, "007"],
        [1234567890123456, dt.datetime(2026, 1, 3), dt.time(0, 0, 1), 12.5, "008"],
    ]
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        day, clock = book.add_format({"num_format": "yyyy-mm-dd hh:mm"}), book.add_format({"num_format": "h:mm:ss"})
        for r, row in enumerate(rows):
            for c, cell in enumerate(row):
                sheet.write(r, c, cell, day if c == 1 and r else clock if c == 2 and r else None)
    read(con, path)
    assert con.execute('select "Id", "Day", "Clock", "Amount", "Code", _line from raw').fetchall() == [
        ("1234", "2026-01-02 09:05:00", "9:05:07", "0.3", "007", 2),
        ("1234567890123456", "2026-01-03", "0:00:01", "12.5", "008", 3),
    ]


def test_blank_formatted_rows_and_junk_above_the_header_are_no_rows(con, tmp_path):
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet, painted = book.add_worksheet(), book.add_format({"bg_color": "red"})
        sheet.write_row(0, 0, ["Monthly report"])
        sheet.write_row(3, 1, ["case_id", "opened", "text"])
        for r in range(4, 10):
            sheet.write_row(r, 1, [f"C{r}", f"2026-01-0{r}", "x"])
        for r in range(10, 3000):
            for c in range(1, 4):
                sheet.write_blank(r, c, None, painted)
        sheet.write_row(3001, 1, ["C99", "2026-01-09", "x"])
    assert read(con, path).rows == 7
    assert con.execute("select case_id, _line from raw order by _line desc limit 1").fetchall() == [("C99", 3002)]


def test_of_several_sheets_those_headed_alike_are_read_and_the_others_named(con, tmp_path):
    months = {f"m{m}": [["id", "opened"], *[[f"{m}-{i}", f"2026-0{m}-0{i}"] for i in range(1, 4)]] for m in (1, 2)}
    path = _book(tmp_path / "x.xlsx", **months, lookup=[["code", "meaning", "x"], ["a", "b", "c"]])
    reading = read(con, path)
    assert reading.rows == 6
    assert con.execute("select distinct _file from raw order by 1").fetchall() == [("x.xlsx[m1]",), ("x.xlsx[m2]",)]
    assert any("lookup" in note for note in reading.notes)
    one = MappingModel(name="x", file=FileFormat(sheet="lookup"))
    assert read(con, path, one).columns == ("code", "meaning", "x")
    with pytest.raises(LoadError, match="no sheet 'other'"):
        read(con, path, MappingModel(name="x", file=FileFormat(sheet="other")))


def test_a_workbook_without_its_ending_or_gzipped_is_still_one(con, tmp_path):
    path = _book(tmp_path / "x.xlsx", s=[["id", "opened"], ["a", "2026-01-01"], ["b", "2026-01-02"]])
    (tmp_path / "export").write_bytes(path.read_bytes())
    (tmp_path / "x.xlsx.gz").write_bytes(gzip.compress(path.read_bytes()))
    for name in ("export", "x.xlsx.gz"):
        assert read(con, tmp_path / name).rows == 2


def test_a_file_that_is_no_workbook_is_refused(con, tmp_path):
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04" + b"\0" * 50)
    with pytest.raises(LoadError, match="not a readable workbook"):
        read(con, tmp_path / "x.xlsx")


def test_a_web_page_that_calls_itself_a_workbook_is_named_one(con, tmp_path):
    (tmp_path / "x.xls").write_text("<html><table><tr><td>1</td></tr></table></html>")
    with pytest.raises(LoadError, match="web page"):
        read(con, tmp_path / "x.xls")


def test_json_lines_are_flattened_and_broken_ones_rejected(con, tmp_path):
    lines = [
        '{"id": 1, "via": {"channel": "web"}, "tags": ["a", "b"]}',
        "",
        '{"id": 2, "via": {"chan',
        "[1]",
        '{"id": 3, "更多": "是"}',
    ]
    (tmp_path / "x.json").write_text("\n".join(lines), "utf-8")
    reading = read(con, tmp_path / "x.json")
    assert reading.columns == ("id", "via.channel", "tags", "更多")
    assert con.execute("select * exclude (_file) from raw").fetchall() == [
        ("1", "web", '["a", "b"]', None, 1),
        ("3", None, None, "是", 5),
    ]
    assert con.execute("select line from raw_rejects").fetchall() == [(3,), (4,)]


@pytest.mark.parametrize("indent", [None, 2])
def test_a_list_and_an_object_that_wraps_one_read_alike(con, tmp_path, indent):
    records = [{"id": i, "subject": f"s{i}"} for i in range(3)]
    for document in (records, {"tickets": records, "next_page": None, "count": 3}):
        (tmp_path / "x.json").write_text(json.dumps(document, indent=indent))
        assert read(con, tmp_path / "x.json").rows == 3


XES = """<?xml version="1.0" encoding="UTF-8" ?>
<log xes.version="1.0" xmlns="http://www.xes-standard.org/">
 <global scope="event"><date key="time:timestamp" value="1970-01-01T00:00:00+01:00"/></global>
 <trace><string key="concept:name" value="case 1"/>
  <event>
   <string key="concept:name" value="open"><string key="nested" value="x"/></string>
   <date key="time:timestamp" value="2026-03-29T01:30:00+01:00"/></event>
  <event><string key="concept:name" value="close"/>
   <date key="time:timestamp" value="2026-03-29T03:10:00+02:00"/></event>
 </trace>
 <trace><string key="concept:name" value="case 2"/>
  <event><string key="concept:name" value="open"/><date key="time:timestamp" value="2026-04-01T00:00:00Z"/></event>
 </trace>
</log>
"""


def test_an_event_log_gives_a_row_for_every_event_with_its_case(con, tmp_path):
    (tmp_path / "x.xes").write_text(XES)
    reading = read(con, tmp_path / "x.xes")
    assert reading.columns == ("case:concept:name", "concept:name", "time:timestamp", "event:index")
    assert con.execute("select * exclude (_file) from raw").fetchall() == [
        ("case 1", "open", "2026-03-29T01:30:00+01:00", "0", 5),
        ("case 1", "close", "2026-03-29T03:10:00+02:00", "1", 8),
        ("case 2", "open", "2026-04-01T00:00:00Z", "0", 12),
    ]


def test_an_event_log_that_breaks_off_keeps_what_came_before(con, tmp_path):
    (tmp_path / "x.xes").write_text(XES[: XES.index("2026-04-01")])
    reading = read(con, tmp_path / "x.xes")
    assert (reading.rows, reading.rejected) == (2, 1)
    assert con.execute("select line from raw_rejects").fetchall() == [(12,)]


def test_an_event_log_that_defines_entities_is_refused(con, tmp_path):
    bomb = XES.replace("<log ", '<!DOCTYPE log [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>\n<log ', 1)
    (tmp_path / "x.xes").write_text(bomb)
    with pytest.raises(LoadError, match="entities"):
        read(con, tmp_path / "x.xes")


def test_a_data_frame_keeps_ids_gaps_and_times(con):
    frame = pd.DataFrame(
        {
            "id": [1.0, None, 3.0],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "at": pd.to_datetime(["2026-01-01 08:00", None, "2026-01-02 09:30"]).tz_localize("Asia/Shanghai"),
            "took": pd.to_timedelta([65, None, 90000], unit="s"),
            "ok": [True, None, False],
            "text": ["a\nb", "", "c"],
        },
        index=[7, 7, 9],
    )
    read(con, frame)
    assert con.execute("select * exclude (_file) from raw").fetchall() == [
        ("1", "1", "2026-01-01 08:00:00+08:00", "0:01:05", "true", "a\nb", 1),
        (None, None, None, None, None, None, 2),
        ("3", "3", "2026-01-02 09:30:00+08:00", "25:00:00", "false", "c", 3),
    ]


def test_parquet_reads_as_text_with_positions(con, tmp_path):
    con.execute(
        "copy (select * from (values (1.0::double, timestamp '2026-01-01 08:00', ['a'], 'x'), "
        f"(null, null, null, null)) t(id, moment, tags, s)) to '{tmp_path / 'x.parquet'}'"
    )
    read(con, tmp_path / "x.parquet")
    assert con.execute("select * exclude (_file) from raw").fetchall() == [
        ("1", "2026-01-01 08:00:00", '["a"]', "x", 1),
        (None, None, None, None, 2),
    ]


def test_a_query_on_a_database_reads_like_a_file(con, tmp_path):
    database = tmp_path / "x.db"
    with sqlite3.connect(database) as db:
        db.execute("create table tickets (id integer, opened text, cost real)")
        db.executemany("insert into tickets values (?, ?, ?)", [(1, "2026-01-01", 2.0), (2, None, 2.5)])
    read(con, Query(f"sqlite:///{database}", "select * from tickets order by id"))
    assert con.execute("select id, opened, cost, _line from raw").fetchall() == [
        ("1", "2026-01-01", "2", 1),
        ("2", None, "2.5", 2),
    ]


def test_an_error_of_the_database_shows_no_password(con):
    query = Query("sqlite:////no/such/folder/hunter2.db", "select 1")
    with pytest.raises(LoadError) as caught:
        read(con, query)
    assert "hunter2" not in str(caught.value) + repr(query)


def test_an_error_of_the_database_names_the_table_or_driver_that_is_missing(con, tmp_path):
    url = f"sqlite:///{tmp_path / 'x.db'}"
    with pytest.raises(LoadError, match="no such table: tickets"):
        read(con, Query(url, "select * from tickets"))
    with pytest.raises(LoadError, match="gives no rows"):
        read(con, Query(url, "create table tickets (id integer)"))


def test_an_object_of_another_kind_is_refused(con):
    with pytest.raises(LoadError, match="object of type int"):
        read(con, 42)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234.0, "1234"),
        (float("nan"), None),
        (1e300, "1e+300"),
        (True, "true"),
        (dt.time(0, 0), "0:00:00"),
        (dt.timedelta(seconds=-90), "-0:01:30"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (pd.NaT, None),
        (pd.NA, None),
        ("", None),
        ({"a": 1}, '{"a": 1}'),
    ],
)
def test_values_become_the_text_a_person_would_type(value, text):
    assert as_text(value) == text
