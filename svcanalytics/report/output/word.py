"""The Word file: the report for those who must edit it, from the same blocks as the page."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svcanalytics.charts.characters import readable
from svcanalytics.report.blocks import Cell, Column, Figure, Heading, Table, Text
from svcanalytics.report.output.extraction import Content
from svcanalytics.report.output.page import Imprint
from svcanalytics.report.words.labels import label

if TYPE_CHECKING:
    import docx.document

__all__ = ["read_word", "write_word"]

_NUMERIC = frozenset(("integer", "number", "rate", "points", "percent", "duration"))
_SHADES = {"green": "E6F4EB", "yellow": "FDF1D7", "red": "FCE8E8", "grey": "EEF1F4"}
_BLUE = (0x12, 0x43, 0x6D)
_FONTS = {"zh": ("Arial", "Microsoft YaHei"), "en": ("Arial", "Arial")}
_WIDTH_CM = 17.0
_WIDE = 8
"""A table of more columns is set in small type."""


def write_word(content: Content, imprint: Imprint, path: Path, created: datetime) -> None:
    """Write the report as a Word document with real headings, tables and captions.

    Parameters
    ----------
    content : Content
        The report's head and blocks.
    imprint : Imprint
        The edition's particulars.
    path : Path
        The file to write.
    created : datetime
        Goes into the file's properties.
    """
    import docx

    document = docx.Document()
    language = content.document.language
    _set_up(document, content, imprint, created)
    _write_head(document, content, imprint)
    counts = {"figure": 0, "table": 0}
    for block in content.blocks:
        if isinstance(block, Heading):
            document.add_heading(block.text, min(block.level, 4) - 1)
        elif isinstance(block, Text):
            _write_text(document, block)
        elif isinstance(block, Table):
            counts["table"] += 1
            _write_caption(document, f"{label('table', language)} {counts['table']}  {block.title}")
            _write_table(document, block, language)
        elif isinstance(block, Figure):
            counts["figure"] += 1
            _write_caption(document, f"{label('figure', language)} {counts['figure']}  {block.title}")
            _write_figure(document, block)
    document.save(str(path))


def read_word(path: Path) -> str:
    """Return the text of a Word document in reading order: paragraphs, and cells of tables row by row."""
    import docx
    from docx.text.paragraph import Paragraph

    document = docx.Document(str(path))
    paragraphs = document.element.body.iter("{*}p")
    return "\n".join(Paragraph(paragraph, document._body).text for paragraph in paragraphs)


def _set_up(document: docx.document.Document, content: Content, imprint: Imprint, created: datetime) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml.ns import qn
    from docx.shared import Cm, Pt, RGBColor

    language = content.document.language
    latin, wide = _FONTS[language]
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm((21 - _WIDTH_CM) / 2)
    for name in ("Normal", "Title", "Heading 1", "Heading 2", "Heading 3", "Caption"):
        style = document.styles[name]
        style.font.name = latin
        style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), wide)
        if name != "Normal":
            style.font.color.rgb = RGBColor(*_BLUE)
    document.styles["Normal"].font.size = Pt(10.5)
    marks = [imprint.organisation, imprint.mark, *([label("made_up_short", language)] * imprint.made_up)]
    header = section.header.paragraphs[0]
    header.text = readable(" · ".join(filter(None, marks)))
    header.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    properties = document.core_properties
    properties.title = content.document.title[:255]
    properties.author = readable(imprint.organisation)[:255]
    properties.language = "zh-CN" if language == "zh" else "en-GB"
    properties.created = properties.modified = created.astimezone(UTC).replace(tzinfo=None)


def _write_head(document: docx.document.Document, content: Content, imprint: Imprint) -> None:
    language = content.document.language
    document.add_heading(content.document.title, 0)
    document.add_paragraph(content.document.subtitle or imprint.period)
    colon = "：" if language == "zh" else ": "
    for name, text in (*imprint.facts(language), *content.document.facts):
        document.add_paragraph(readable(f"{name}{colon}{text}"))
    signatures = "    ".join(f"{name}{colon}{text or '________'}" for name, text in imprint.signatures(language))
    document.add_paragraph(signatures)
    for warning in (*([label("made_up", language)] * imprint.made_up), *content.document.warnings):
        document.add_paragraph().add_run(warning).bold = True


def _write_text(document: docx.document.Document, block: Text) -> None:
    from docx.shared import Pt

    paragraph = document.add_paragraph()
    if block.label:
        head = paragraph.add_run(block.label)
        head.bold = True
        if block.role == "lead":  # the verdict stands on a line of its own
            head.font.size = Pt(15)
            head.add_break()
        else:
            paragraph.add_run("  ")
    run = paragraph.add_run(block.text)
    run.bold = block.role in ("lead", "warning")
    if block.role == "note":
        run.font.size = Pt(9)


def _write_caption(document: docx.document.Document, text: str) -> None:
    paragraph = document.add_paragraph(text, style="Caption")
    paragraph.paragraph_format.keep_with_next = True


def _write_table(document: docx.document.Document, table: Table, language: str) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn
    from docx.shared import Pt

    grid = document.add_table(rows=1, cols=len(table.columns), style="Light Grid Accent 1")
    # Repeated on each page, so that a reader on page 7 knows what a column is.
    head = grid.rows[0]._tr.get_or_add_trPr()
    head.append(OxmlElement("w:tblHeader"))
    size = Pt(7.5 if len(table.columns) > _WIDE else 9)
    rows = table.rows or ((Cell(None, label("no_rows", language)), *[Cell(None, "")] * (len(table.columns) - 1)),)
    lines = [tuple(Cell(None, column.title) for column in table.columns), *rows]
    cells = [grid.rows[0].cells, *(grid.add_row().cells for _ in rows)]
    for place, (line, row) in enumerate(zip(lines, cells, strict=True)):
        for cell, column, box in zip(line, table.columns, row, strict=True):
            paragraph = box.paragraphs[0]
            run = paragraph.add_run(cell.text)
            run.font.size = size
            run.bold = place == 0
            if _is_numeric(cell, column):
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if cell.light in _SHADES:
                shade = OxmlElement("w:shd")
                shade.set(qn("w:val"), "clear")
                shade.set(qn("w:fill"), _SHADES[cell.light])
                box._tc.get_or_add_tcPr().append(shade)
    if table.note:
        document.add_paragraph().add_run(table.note).font.size = Pt(9)


def _write_figure(document: docx.document.Document, figure: Figure) -> None:
    import vl_convert
    from docx.shared import Cm

    drawn = vl_convert.svg_to_png(figure.svg, scale=2)
    shape: Any = document.add_picture(BytesIO(drawn))
    if shape.width > Cm(_WIDTH_CM):
        shape.height = int(shape.height * Cm(_WIDTH_CM) / shape.width)
        shape.width = Cm(_WIDTH_CM)
    shape._inline.docPr.set("descr", figure.alt)


def _is_numeric(cell: Cell, column: Column) -> bool:
    return (cell.kind or column.kind) in _NUMERIC
