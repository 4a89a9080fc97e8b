"""One number altered in one file, as a faulty writer would: nothing is published."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

import svcanalytics as sv
from svcanalytics.errors import PublishError
from svcanalytics.report import editions
from svcanalytics.report.blocks import MIME, Blocks, Cell, Column, Document, Heading, Table, Text
from svcanalytics.report.output import page, pdf, word, workbook
from svcanalytics.report.output.extraction import Content
from svcanalytics.report.output.proofreading import proofread_texts
from svcanalytics.report.publication import publishing
from svcanalytics.report.publication.runner import Run
from svcanalytics.report.words.labels import label

COLUMNS = (Column("team", "Team"), Column("n", "Cases", "integer"))


def blocks() -> Blocks:
    """Return a report in which the number 1,234 stands in a sentence and in two tables."""
    tables = [Table(id, id.title(), COLUMNS, ((Cell("A", "A"), Cell(1234, "1,234")),)) for id in ("first", "second")]
    return Blocks((Document("Tiny", "zh"), Heading("Cases"), Text("There were 1,234 cases."), *tables))


@pytest.fixture
def publish(lake, notebooks, tmp_path, monkeypatch):
    def run(source, parameters, folder, **rest):
        notebook = json.loads(source)
        output = {"output_type": "display_data", "metadata": {}, "data": {MIME: blocks().to_json()}}
        notebook["cells"][1]["outputs"] = [output]
        return Run(notebook, 0.0, (0.0,))

    monkeypatch.setattr(publishing, "run", run)

    def call(*formats: str):
        return sv.publish("tiny", "2026-10", lake, tmp_path / "out", notebooks=notebooks(), formats=formats)

    return call


def replace_nth(text: str, old: str, new: str, nth: int) -> str:
    """Replace one occurrence, the last one when `nth` is -1."""
    parts = text.split(old)
    cut = nth % (len(parts) - 1) + 1
    return old.join(parts[:cut]) + new + old.join(parts[cut:])


def alter_member(file: Path, name: str, old: str, new: str, nth: int) -> None:
    with zipfile.ZipFile(file) as book:
        members = {member: book.read(member) for member in book.namelist()}
    members[name] = replace_nth(members[name].decode(), old, new, nth).encode()
    with zipfile.ZipFile(file, "w") as book:
        for member, data in members.items():
            book.writestr(member, data)


@pytest.mark.parametrize(("old", "new"), [("1,234", "1,235"), ('value="1234"', 'value="1235"')])
@pytest.mark.parametrize("nth", [0, 1, -1])
def test_a_number_altered_on_the_page_stops_it(publish, monkeypatch, tmp_path, old, new, nth):
    alone = page.render
    monkeypatch.setattr(page, "render", lambda *a, **k: replace_nth(alone(*a, **k), old, new, nth))
    with pytest.raises(PublishError, match="differ"):
        publish()
    assert editions(tmp_path / "out") == []


@pytest.mark.parametrize("sheet", [4, 5])
def test_a_number_altered_in_the_workbook_stops_it(publish, monkeypatch, tmp_path, sheet):
    alone = workbook.write

    def write(content, imprint, path, created):
        alone(content, imprint, path, created)
        alter_member(path, f"xl/worksheets/sheet{sheet}.xml", "<v>1234</v>", "<v>1235</v>", 0)

    monkeypatch.setattr(workbook, "write", write)
    with pytest.raises(PublishError, match="differ"):
        publish()
    assert editions(tmp_path / "out") == []


@pytest.mark.parametrize("nth", [0, 1, -1])
def test_a_number_altered_in_the_word_file_stops_it(publish, monkeypatch, tmp_path, nth):
    alone = word.write_word

    def write(content, imprint, path, created):
        alone(content, imprint, path, created)
        alter_member(path, "word/document.xml", "1,234", "1,235", nth)

    monkeypatch.setattr(word, "write_word", write)
    with pytest.raises(PublishError, match="differ"):
        publish("docx")
    assert editions(tmp_path / "out") == []


@pytest.mark.parametrize("nth", [0, 1, -1])
def test_a_number_altered_in_the_pdf_stops_it(publish, monkeypatch, tmp_path, nth):
    alone = pdf.write_pdf
    monkeypatch.setattr(pdf, "write_pdf", lambda html, path: alone(replace_nth(html, "1,234", "1,235", nth), path))
    with pytest.raises(PublishError, match="differ"):
        publish("pdf")
    assert editions(tmp_path / "out") == []


def test_unaltered_files_are_published(publish):
    assert publish("pdf", "docx").number == 1


ROW = (Cell("A", "A"), Cell(5, "5"), Cell(1234, "1,234"))
WIDE = Table("t", "Wide", (*COLUMNS, Column("m", "More", "integer")), (ROW, (Cell("B", "B"), *ROW[1:])))
EDGE = ["table 1 Wide Team Cases More A 5 1,234 B 5 ", " 1,234 The end. Made by hand, sheet 2"]


@pytest.mark.parametrize(
    ("pages", "sound"),
    [
        (EDGE, True),
        ([EDGE[0] + "a foot of the sheet, 1 of 2", "a head: Team Cases More" + EDGE[1]], True),
        ([EDGE[0].replace("A 5", "A 6"), EDGE[1]], False),
        ([EDGE[0], EDGE[1].replace("1,234", "1,235")], False),
        ([EDGE[0].replace("A 5 1,234", ""), EDGE[1]], False),
        ([EDGE[0].replace("B 5", ""), EDGE[1]], False),
    ],
)
def test_a_row_cut_by_the_edge_of_a_sheet_is_read_as_one_and_what_is_missing_is_missed(pages, sound):
    content = Content(Document("x", "en"), (WIDE, Text("The end.")))
    pages = [text.replace("table 1", f"{label('table', 'en')} 1") for text in pages]
    if sound:
        proofread_texts(content, pages, "r.pdf", paper=True)
    else:
        with pytest.raises(PublishError, match="differ"):
            proofread_texts(content, pages, "r.pdf", paper=True)


@pytest.mark.parametrize("name", ["\u05e9\u05dc\u05d5\u05dd", "\u202egnp.exe", "x" * 3000])
def test_names_that_paper_holds_otherwise_do_not_stop_it_but_altered_numbers_beside_them_do(name):
    table = Table("t", "T", COLUMNS, ((Cell(name, name), Cell(1234, "1,234")), (Cell("B", "B"), Cell(7, "7"))))
    content = Content(Document("x", "en"), (table,))
    read = f"{label('table', 'en')} 1 T Team Cases {name[::-1][:50]} 1,234 B 7"
    proofread_texts(content, [read], "r.pdf", paper=True)
    with pytest.raises(PublishError, match="differ"):
        proofread_texts(content, [read.replace("1,234", "1,235")], "r.pdf", paper=True)
