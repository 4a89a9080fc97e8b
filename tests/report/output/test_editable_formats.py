from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from svcanalytics.errors import PublishError
from svcanalytics.report.blocks import Cell, Column, Document, Figure, Heading, Table, Text
from svcanalytics.report.output import page, proofreading, workbook
from svcanalytics.report.output.extraction import extract
from svcanalytics.report.output.pdf import read_pdf, write_pdf
from svcanalytics.report.output.word import read_word, write_word

IMPRINT = page.Imprint("示范机构", "2026年第10期", "2026年10月", "第1版", "2026年11月5日 09:30", "7", "全部", True, "0")
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="100"><rect width="9" height="9"/></svg>'
NOW = datetime(2026, 11, 5, tzinfo=UTC)
COLUMNS = (Column("team", "团队"), Column("n", "受理量", "integer"), Column("change", "环比", "points"))
ROWS = (
    (Cell("南城", "南城"), Cell(1234, "1,234"), Cell(0.012, "+1.2个百分点", "green")),
    (Cell("=1+1", "=1+1"), Cell(None, "样本过少"), Cell(-0.005, "−0.5个百分点", "red")),
)


def content(rows=ROWS, text: str = "本期受理量1,234件。"):
    behind = Table("behind", "图后数据", COLUMNS, ROWS[:1])
    blocks = [
        Document("服务质量月度评价报告", "zh"),
        Heading("受理量", 2, "volumes"),
        Text(text, "lead"),
        Table("volumes", "受理量", COLUMNS, rows, "样本少于5件不予公布。"),
        Figure("course", "受理量持平", "各月受理量", SVG, behind),
    ]
    mime = "application/vnd.svcanalytics.block+json"
    outputs = [{"output_type": "display_data", "data": {mime: block.to_json()}} for block in blocks]
    return extract({"cells": [{"outputs": outputs}]}, "zh", "test")


def test_page_and_workbook_are_read_again_and_a_changed_number_stops_them(tmp_path):
    report = content()
    html = page.render(report, IMPRINT, where="test")
    workbook.write(report, IMPRINT, tmp_path / "r.xlsx", NOW)
    proofreading.proofread_page(report, html, "page")
    proofreading.proofread_workbook(report, tmp_path / "r.xlsx")
    with pytest.raises(PublishError, match="volumes"):
        proofreading.proofread_page(report, html.replace('value="1234"', 'value="1235"', 1), "page")
    other = content(rows=((ROWS[0][0], Cell(1235, "1,235"), ROWS[0][2]), ROWS[1]))
    with pytest.raises(PublishError, match="volumes"):
        proofreading.proofread_workbook(other, tmp_path / "r.xlsx")


def test_the_word_file_has_headings_captions_tables_and_pictures_with_words(tmp_path):
    import docx

    write_word(content(), IMPRINT, tmp_path / "r.docx", NOW)
    document = docx.Document(str(tmp_path / "r.docx"))
    styles = {paragraph.style.name: paragraph.text for paragraph in document.paragraphs}
    assert styles["Heading 1"] == "受理量"
    assert styles["Caption"] == "图 1  受理量持平"
    assert [cell.text for cell in document.tables[0].rows[2].cells] == ["=1+1", "样本过少", "−0.5个百分点"]
    assert document.inline_shapes[0]._inline.docPr.get("descr") == "各月受理量"
    assert "演示数据" in document.sections[0].header.paragraphs[0].text
    proofreading.proofread_texts(content(), [read_word(tmp_path / "r.docx")], "r.docx", paper=False)


@pytest.mark.parametrize("text", ["nul\x00bell\x07", "</w:t><w:t>", "\ud83d", "长" * 10_000, "\u202etxt.exe"])
def test_hostile_text_arrives_as_text_in_the_word_file(text, tmp_path):
    write_word(content(text=text), dataclasses.replace(IMPRINT, organisation=text), tmp_path / "r.docx", NOW)
    read = read_word(tmp_path / "r.docx")
    assert text.translate({0: "␀", 7: "␇", 0xD83D: "�"}) in read


def test_the_pdf_holds_the_tables_numbers_as_text(tmp_path):
    html = page.render(content(), IMPRINT, where="test")
    write_pdf(html, tmp_path / "r.pdf")
    read = read_pdf(tmp_path / "r.pdf")
    proofreading.proofread_texts(content(), read, "r.pdf", paper=True)
    other = content(rows=((ROWS[0][0], Cell(777, "777"), ROWS[0][2]), ROWS[1]))
    with pytest.raises(PublishError, match="volumes"):
        proofreading.proofread_texts(other, read, "r.pdf", paper=True)


def test_a_sign_that_no_font_has_is_printed_as_its_number(tmp_path):
    report = content(text="thanks \U0001fae8 a lot")
    signs = write_pdf(page.render(report, IMPRINT, where="test"), tmp_path / "r.pdf")
    read = read_pdf(tmp_path / "r.pdf")
    assert "thanks[U+1FAE8]alot" in "".join("".join(read).split())
    proofreading.proofread_texts(report, read, "r.pdf", paper=True, signs=signs)


def test_a_page_made_after_a_pdf_is_the_same_page(tmp_path):
    first = page.render(content(), IMPRINT, where="test")
    write_pdf(first, tmp_path / "r.pdf")
    assert page.render(content(), IMPRINT, where="test") == first


def test_a_character_that_no_font_has_stops_the_pdf_and_names_the_remedy(tmp_path):
    html = page.render(content(text="\U0010fffd"), IMPRINT, where="test")
    with pytest.raises(PublishError, match="fonts-noto-cjk"):
        write_pdf(html, tmp_path / "r.pdf")
