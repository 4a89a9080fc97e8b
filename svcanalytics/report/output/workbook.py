"""The workbook: every table of a report as a real Excel table with typed cells, and nothing in it that runs.

It is written from the same blocks as the page, so the numbers are the same. Text is always written as text: what starts
with "=", "+", "-" or "@" is no formula here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from svcanalytics.report.blocks import Cell, Column, Heading, Table, Text
from svcanalytics.report.output.extraction import Content
from svcanalytics.report.output.page import Imprint
from svcanalytics.report.words.labels import label

__all__ = ["POINTS", "write"]

POINTS = 100
"""Differences of shares are written in percentage points: 0.012 as 1.2."""

_LONGEST = 32_767  # Excel's limit for the text of a cell
_FIRST_ROW = 3
_COLOURS = {"green": ("#17693a", "#e6f4eb"), "yellow": ("#7a4f00", "#fdf1d7")}
_COLOURS |= {"red": ("#a4161a", "#fce8e8"), "grey": ("#51606f", "#eef1f4")}
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")
_WIDE = re.compile(r"[\u1100-\uffdc]")


def write(content: Content, imprint: Imprint, path: Path, created: datetime) -> None:
    """Write the workbook.

    Parameters
    ----------
    content : Content
        The report's head and blocks.
    imprint : Imprint
        The edition's particulars, for the cover.
    path : Path
        The file to write.
    created : datetime
        Goes into the file's properties, so that the same edition gives the same bytes.

    Raises
    ------
    OSError
        When the file can't be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import FileCreateError

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    try:
        with xlsxwriter.Workbook(path, options) as book:
            sheets = _Sheets(book, content, imprint)
            book.set_properties(
                {
                    "title": content.document.title,
                    "company": imprint.organisation,
                    "created": created.astimezone(UTC).replace(tzinfo=None),
                }
            )
            sheets.write_all()
    except FileCreateError as error:
        raise OSError(*error.args[0].args) from error  # a full disk, which xlsxwriter gives a name of its own


class _Sheets:
    """The sheets of one workbook, and the formats they share."""

    def __init__(self, book: Any, content: Content, imprint: Imprint) -> None:
        self.book, self.content, self.imprint = book, content, imprint
        self.language = content.document.language
        self.formats: dict[tuple[str, str | None], Any] = {}
        self.title = book.add_format({"bold": True, "font_size": 16, "font_color": "#12436d"})
        self.heading = book.add_format({"bold": True, "font_color": "#12436d"})
        self.plain = book.add_format({"text_wrap": True, "valign": "top"})
        self.soft = book.add_format({"text_wrap": True, "valign": "top", "font_color": "#51606f"})
        self.link = book.add_format({"font_color": "#12436d", "underline": 1})
        self.header = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})

    def write_all(self) -> None:
        """Write cover, contents, notes and one sheet per table."""
        taken: set[str] = set()
        names = [_sheet_name(label(key, self.language), taken) for key in ("cover", "contents_sheet", "notes")]
        tables = [(table, _sheet_name(table.title, taken)) for table in self.content.tables()]
        cover, contents, notes = (self.book.add_worksheet(name) for name in names)
        self._write_cover(cover)
        self._write_contents(contents, tables)
        self._write_notes(notes)
        for table, name in tables:
            self._write_table(self.book.add_worksheet(name), table)

    def _write_cover(self, sheet: Any) -> None:
        document, language = self.content.document, self.language
        sheet.hide_gridlines(2)
        sheet.set_column(0, 0, 18)
        sheet.set_column(1, 1, 70)
        sheet.write_string(0, 0, _cut(document.title, language), self.title)
        sheet.write_string(1, 0, _cut(document.subtitle or self.imprint.period, language))
        mark = " · ".join(filter(None, (self.imprint.mark, self.imprint.mark_note)))
        signed = [(name, text) for name, text in self.imprint.signatures(language) if text]
        lines = [*([("", mark)] if mark else []), *self.imprint.facts(language), *document.facts, *signed]
        if self.imprint.organisation:
            lines.insert(1, ("", self.imprint.organisation))
        for row, (name, text) in enumerate(lines, 3):
            sheet.write_string(row, 0, name, self.heading)
            sheet.write_string(row, 1, _cut(text, language), self.plain)
        warnings = [*([label("made_up", language)] if self.imprint.made_up else []), *document.warnings]
        for row, text in enumerate(warnings, 4 + len(lines)):
            sheet.write_string(row, 1, _cut(text, language), self.format("text", "yellow"))

    def _write_contents(self, sheet: Any, tables: list[tuple[Table, str]]) -> None:
        language = self.language
        sheet.set_column(0, 0, 34)
        sheet.set_column(1, 1, 70)
        sheet.write_string(0, 0, label("contents", language), self.title)
        for column, key in enumerate(("sheet", "title", "rows")):
            sheet.write_string(2, column, label(key, language), self.heading)
        for row, (table, name) in enumerate(tables, 3):
            sheet.write_url(row, 0, f"internal:'{name}'!A1", self.link, name)
            sheet.write_string(row, 1, _cut(table.title, language), self.plain)
            sheet.write_number(row, 2, len(table.rows))

    def _write_notes(self, sheet: Any) -> None:
        sheet.set_column(0, 0, 110)
        sheet.write_string(0, 0, label("notes", self.language), self.title)
        sheet.write_string(1, 0, label("number_notes", self.language), self.plain)
        row = 3
        for block in self.content.blocks:
            if isinstance(block, Heading | Text):
                style = self.heading if isinstance(block, Heading) else self.plain
                sheet.write_string(row, 0, _cut(block.text, self.language), style)
                row += 1

    def _write_table(self, sheet: Any, table: Table) -> None:
        sheet.write_string(0, 0, _cut(table.title, self.language), self.title)
        if table.note:
            sheet.write_string(1, 0, _cut(table.note, self.language))
        last = _FIRST_ROW + max(1, len(table.rows))
        headers = _headers(table.columns)
        options = {
            "name": f"t_{table.id}".replace("-", "_"),
            "style": "Table Style Light 9",
            "columns": [{"header": text, "header_format": self.header} for text in headers],
        }
        sheet.add_table(_FIRST_ROW, 0, last, len(headers) - 1, options)
        for row, cells in enumerate(table.rows, _FIRST_ROW + 1):
            for place, (cell, column) in enumerate(zip(cells, table.columns, strict=True)):
                self._write_cell(sheet, row, place, cell, column)
        for place, text in enumerate(headers):
            texts = [text, *(row[place].text for row in table.rows)]
            sheet.set_column(place, place, min(48, 3 + max(map(_width, texts))))
        sheet.freeze_panes(_FIRST_ROW + 1, 1)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(_FIRST_ROW)

    def _write_cell(self, sheet: Any, row: int, place: int, cell: Cell, column: Column) -> None:
        kind, value = cell.kind or column.kind, cell.value
        if value is None or kind in ("text", "light") or isinstance(value, str | bool):
            if kind == "date" and isinstance(value, str):
                sheet.write_datetime(row, place, date.fromisoformat(value[:10]), self.format("date", cell.light))
            else:
                style = self.format("text" if value is not None else "absent", cell.light)
                sheet.write_string(row, place, _cut(cell.text, self.language), style)
            return
        number = value * POINTS if kind == "points" else value
        sheet.write_number(row, place, number, self.format(_shade(kind, value), cell.light))

    def format(self, kind: str, light: str | None) -> Any:
        """Return the format of a kind of cell, made on first use."""
        key = (kind, light if light in _COLOURS else None)
        if key not in self.formats:
            zh = self.language == "zh"
            seconds, points = ("秒", "个百分点") if zh else (" s", " pp")
            codes = {
                "integer": "#,##0",
                "number": "#,##0.0",
                "rate": "0.0%",
                "small rate": "0.00%",
                "points": f'+0.0"{points}";-0.0"{points}";0.0"{points}"',
                "percent": "+0.0%;-0.0%;0.0%",
                "duration": f'#,##0"{seconds}"',
                "date": "yyyy-mm-dd",
            }
            look: dict[str, Any] = {"valign": "top"}
            if kind in codes:
                look["num_format"] = codes[kind]
            if kind in ("text", "absent"):
                look["text_wrap"] = True
            if kind == "absent":
                look["font_color"] = "#51606f"
            if key[1]:
                look["font_color"], look["bg_color"] = _COLOURS[key[1]]
            self.formats[key] = self.book.add_format(look)
        return self.formats[key]


def _shade(kind: str, value: float) -> str:
    return "small rate" if kind == "rate" and 0 < abs(value) < 0.02 else kind


def _cut(text: str, language: str) -> str:
    if len(text.encode("utf-16-le")) // 2 <= _LONGEST:
        return text
    tail = label("truncated", language)
    units = text.encode("utf-16-le")[: 2 * (_LONGEST - len(tail))]
    return units.decode("utf-16-le", "ignore") + tail


def _width(text: str) -> int:
    """Return the width of the longest line in characters, Chinese ones counting for two."""
    return max((len(line) + len(_WIDE.findall(line)) for line in text[:200].splitlines()), default=0)


def _headers(columns: Iterable[Column]) -> list[str]:
    seen: set[str] = set()
    return [_unique(" ".join(column.title.split())[:240] or column.key, seen, 255) for column in columns]


def _sheet_name(title: str, taken: set[str]) -> str:
    name = " ".join(_NOT_IN_SHEET_NAMES.sub(" ", title).split())[:27].strip()
    return _unique(name if name and name.casefold() != "history" else "Table", taken, 31)


def _unique(text: str, seen: set[str], longest: int) -> str:
    name, number = text, 1
    while name.casefold() in seen:
        number += 1
        name = f"{text[: longest - len(str(number)) - 1]} {number}"
    seen.add(name.casefold())
    return name
