"""Delimited text: every shape of it that real exports have, and nothing lost."""

from __future__ import annotations

import csv
import gzip
import io
import random
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import LoadError
from svcanalytics.store.engine import connect
from svcanalytics.store.reading import FileFormat, read
from svcanalytics.store.rules import MappingModel

HEAD = "case_id,opened,note\n"


@pytest.fixture
def con():
    with connect() as connection:
        yield connection


def _write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def _rows(con):
    names = [r[0] for r in con.execute("describe raw").fetchall() if r[0] not in ("_file", "_line")]
    listed = ", ".join(f'"{n}"' for n in names)
    return names, con.execute(f"select {listed}, _line from raw order by _file, _line").fetchall()


def _layout(**layout):
    return MappingModel(name="x", file=FileFormat(**layout))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(con, tmp_path, delimiter):
    rows = [["id", "when", "text"], ["1", "2026-01-01", "a"], ["2", "2026-01-02", "b"]]
    file = _write(tmp_path / "x.txt", "\n".join(delimiter.join(row) for row in rows))
    reading = read(con, file)
    assert _rows(con) == (["id", "when", "text"], [("1", "2026-01-01", "a", 2), ("2", "2026-01-02", "b", 3)])
    assert (reading.rows, reading.rejected) == (2, 0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gbk", "gb18030"])
def test_encodings_are_found_over_the_whole_file(con, tmp_path, encoding):
    # Only the last row tells: the first megabyte is plain ASCII.
    filler = "".join(f"{i},2026-01-01,plain\n" for i in range(2000))
    text = "编号,受理时间,内容\n" if encoding.startswith("utf-16") else "id,opened,text\n"
    file = _write(tmp_path / "x.csv", text + filler + "9999,2026-01-02,网络缓慢，请尽快处理\n", encoding)
    assert read(con, file).rows == 2001
    assert _rows(con)[1][-1][2] == "网络缓慢，请尽快处理"


def test_western_accents_are_not_taken_for_chinese(con, tmp_path):
    read(con, _write(tmp_path / "x.csv", "id,name\n1,Café Zürich\n2,Señor Müller\n", "cp1252"))
    assert [row[1] for row in _rows(con)[1]] == ["Café Zürich", "Señor Müller"]


def test_a_row_of_broken_bytes_is_rejected_and_the_rest_kept(con, tmp_path):
    good = "".join(f"{i},2026-01-01,正常内容{i}\n" for i in range(200)).encode()
    file = _write(
        tmp_path / "x.csv", HEAD.encode() + good + b"200,2026-01-01,\xff\xfe\xfa\n" + "201,2026-01-01,好\n".encode()
    )
    reading = read(con, file)
    assert (reading.rows, reading.rejected) == (201, 1)
    assert con.execute("select line, reason from raw_rejects").fetchall() == [
        (202, "bytes that the file's encoding does not know")
    ]


def test_windows_line_ends_and_line_breaks_inside_fields_keep_physical_lines(con, tmp_path):
    rows = [
        "case_id,opened,note",
        '1,2026-01-01,"two\r\nlines"',
        "2,2026-01-02,short",
        "3,2026-01-03",
        "4,2026-01-04,last",
        "",
    ]
    text = "\r\n".join(rows)
    reading = read(con, _write(tmp_path / "x.csv", text))
    assert [(row[0], row[-1]) for row in _rows(con)[1]] == [("1", 2), ("2", 4), ("4", 6)]
    assert con.execute("select line, reason, raw from raw_rejects").fetchall() == [
        (5, "fewer columns than the header", "3,2026-01-03")
    ]
    assert reading.rows + reading.rejected == 4


def test_ragged_rows_are_rejected_with_their_lines(con, tmp_path):
    text = HEAD + "1,a,b\n2,a\n3,a,b,c\n4,a,b\n5\n6,a,b\n"
    read(con, _write(tmp_path / "x.csv", text))
    assert [(row[0], row[-1]) for row in _rows(con)[1]] == [("1", 2), ("4", 5), ("6", 7)]
    assert con.execute("select line, raw from raw_rejects order by line").fetchall() == [
        (3, "2,a"),
        (4, "3,a,b,c"),
        (6, "5"),
    ]


@pytest.mark.parametrize("end", ['3,a,"cut off', '3,a,"cut\noff here', '3,"a'])
def test_a_file_cut_off_inside_a_quoted_field_keeps_the_rows_before(con, tmp_path, end):
    reading = read(con, _write(tmp_path / "x.csv", HEAD + "1,a,b\n2,a,b\n" + end))
    assert [row[0] for row in _rows(con)[1]] == ["1", "2"]
    assert reading.rejected >= 1
    assert con.execute("select min(line) from raw_rejects").fetchall() == [(4,)]


def test_a_stray_quote_costs_one_row_not_the_rest_of_the_file(con, tmp_path):
    text = HEAD + '1,a,b\n2,a,"never closed\n' + "".join(f"{i},a,b\n" for i in range(3, 60))
    reading = read(con, _write(tmp_path / "x.csv", text))
    assert (reading.rows, reading.rejected) == (58, 1)
    assert _rows(con)[1][-1][-1] == 60


def test_blank_lines_do_not_shift_line_numbers(con, tmp_path):
    read(con, _write(tmp_path / "x.csv", HEAD + "1,a,b\n\n\n2,a,b\n\n"))
    assert [(row[0], row[-1]) for row in _rows(con)[1]] == [("1", 2), ("2", 5)]


def test_junk_above_the_header_is_left_aside(con, tmp_path):
    text = "Export of cases\nMade on 2026-11-01\n\n" + HEAD + "1,2026-01-01,b\n2,2026-01-02,b\n"
    reading = read(con, _write(tmp_path / "x.csv", text))
    assert reading.columns == ("case_id", "opened", "note")
    assert [row[-1] for row in _rows(con)[1]] == [5, 6]


def test_a_file_without_header_gets_numbered_columns(con, tmp_path):
    reading = read(
        con, _write(tmp_path / "x.csv", "17,2026-01-01,a\n18,2026-01-02,b\n19,2026-01-03,c\n20,2026-01-04,d\n")
    )
    assert reading.columns == ("column_1", "column_2", "column_3")
    assert reading.rows == 4


def test_headings_that_read_like_yes_and_no_are_headings(con, tmp_path):
    text = "No,Y,Date\n" + "".join(f"{i},1.5,2026-01-0{i}\n" for i in range(1, 6))
    reading = read(con, _write(tmp_path / "x.csv", text))
    assert (reading.columns, reading.rows) == (("No", "Y", "Date"), 5)


def test_two_header_rows_become_one(con, tmp_path):
    text = ",受理,,办结\n编号,日期,件数,日期\n" + "".join(f"{i},2026-01-0{i},{i},2026-02-0{i}\n" for i in range(1, 8))
    reading = read(con, _write(tmp_path / "x.csv", text))
    assert reading.columns == ("编号", "受理 日期", "受理 件数", "办结 日期")
    assert reading.rows == 7


def test_said_beats_found(con, tmp_path):
    file = _write(tmp_path / "x.csv", "a;b\n1,5;2\n")
    assert read(con, file, _layout(delimiter=",", header=0)).columns == ("column_1", "column_2")


def test_headings_are_made_unique_as_sql_compares_them(con, tmp_path):
    file = _write(tmp_path / "x.csv", "Id,ID,,_line, id \n1,2,3,4,5\n6,7,8,9,10\n")
    assert read(con, file, _layout(header=1)).columns == ("Id", "ID_2", "column_3", "_line_2", "id_3")


def test_an_empty_heading_at_the_end_is_no_column_when_no_row_reaches_it(con, tmp_path):
    reading = read(con, _write(tmp_path / "x.txt", "id\twhen\t\r\n1\t2026-01-01\r\n2\t2026-01-02\r\n"))
    assert reading.columns == ("id", "when")
    assert reading.rows == 2


def test_zipped_gzipped_and_folders_read_alike(con, tmp_path):
    body = (HEAD + "1,a,b\n").encode()
    folder = tmp_path / "many"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.csv").write_bytes(body)
    (folder / "inner" / "b.csv.gz").write_bytes(gzip.compress(body))
    with zipfile.ZipFile(folder / "c.zip", "w") as archive:
        archive.writestr("deep/../../d.csv", body)
        archive.writestr("__MACOSX/._d.csv", b"junk")
    (folder / ".hidden").write_bytes(b"junk")
    (folder / "handbook.pdf").write_bytes(b"%PDF-1.7")
    work = tmp_path / "work"
    reading = read(con, folder, work=work)
    assert reading.rows == 3
    assert "handbook.pdf: left aside" in reading.notes
    files = [row[0] for row in con.execute("select distinct _file from raw order by 1").fetchall()]
    assert files == ["a.csv", "deep/../../d.csv", "inner/b.csv"]
    assert list(work.iterdir()) == [], "copies of the originals were left behind"
    assert not (tmp_path / "d.csv").exists()


def test_one_source_in_several_shapes_over_the_years_is_one_table(con, tmp_path):
    _write(tmp_path / "2024.csv", "id,opened\n1,2024-01-01\n")
    _write(tmp_path / "2025.csv", "Opened;ID;channel\n2025-01-01;2;phone\n")
    assert read(con, tmp_path).columns == ("id", "opened", "channel")
    assert con.execute("select id, opened, channel from raw order by 1").fetchall() == [
        ("1", "2024-01-01", None),
        ("2", "2025-01-01", "phone"),
    ]


def test_what_is_missing_or_damaged_is_said(con, tmp_path):
    with pytest.raises(LoadError, match="no such file"):
        read(con, tmp_path / "none.csv")
    with pytest.raises(LoadError, match="holds no rows"):
        read(con, _write(tmp_path / "empty.csv", ""))
    cut = _write(tmp_path / "x.csv.gz", gzip.compress(b"a,b\n" * 9999)[:40])
    with pytest.raises(LoadError, match="damaged or cut off"):
        read(con, cut)


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\x00", exclude_categories=("Cs",)), max_size=8)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9999), cells, cells), min_size=1, max_size=12))
def test_whatever_a_csv_writer_writes_comes_back(tmp_path_factory, rows):
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["id", "one", "two"])
    writer.writerows(rows)
    file = tmp_path_factory.mktemp("csv") / "x.csv"
    file.write_text(buffer.getvalue(), "utf-8", newline="")
    with connect() as con:
        reading = read(con, file, _layout(header=1, skip=0, delimiter=",", encoding="utf-8"))
        assert reading.rejected == 0
        assert [row[:-1] for row in _rows(con)[1]] == [(str(i), a or None, b or None) for i, a, b in rows]
        # The line is where the record begins: count what stands before it.
        lines, at = [], 2
        for _, a, b in rows:
            lines.append(at)
            at += 1 + a.count("\n") + b.count("\n")
        assert [row[-1] for row in _rows(con)[1]] == lines


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(st.lists(st.text('ab,"', max_size=9), max_size=14), st.booleans())
def test_no_line_of_a_broken_file_is_lost(tmp_path_factory, lines, cut):
    file = tmp_path_factory.mktemp("csv") / "x.csv"
    text = "id,one\n" + "".join(line + "\n" for line in lines)
    file.write_text(text[:-1] if cut else text, "utf-8")
    with connect() as con:
        read(con, file, _layout(header=1, skip=0, delimiter=",", encoding="utf-8"))
        rejects = con.execute("select raw, line from raw_rejects").fetchall()
        covered: set[int] = set()
        for *values, line in [*_rows(con)[1], *rejects]:
            covered.update(range(line, line + 1 + sum((value or "").count("\n") for value in values)))
    assert covered >= {number for number, line in enumerate(lines, start=2) if line}


def test_bytes_that_are_no_text_are_refused_whatever_the_name_says(con, tmp_path):
    with pytest.raises(LoadError, match="no text"):
        read(con, _write(tmp_path / "export.csv", random.Random(1).randbytes(4000)))


def test_a_utf_16_file_cut_off_inside_a_letter_loses_that_row_only(con, tmp_path):
    whole = (HEAD + "".join(f"{n},2026-03-02,\u8bc9\u6c42\n" for n in range(9))).encode("utf-16")
    found = read(con, _write(tmp_path / "export.csv", whole[:-3]))
    assert (found.rows, found.rejected) == (8, 1)
