"""Read an edition's files again and compare every number with the report they were made from; a mismatch stops it."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from svcanalytics.errors import PublishError
from svcanalytics.report.blocks import Cell, Column, Table
from svcanalytics.report.extraction import Content
from svcanalytics.report.workbook import POINTS

__all__ = ["proofread_page", "proofread_texts", "proofread_workbook"]

_NUMERIC = frozenset(("integer", "number", "rate", "points", "percent", "duration"))
_CLOSE = 1e-12


def proofread_page(content: Content, page: str, where: str) -> None:
    """Compare the numbers of a page's tables with those of the report, table by table and in order.

    Raises
    ------
    PublishError
        Naming the first table that differs.
    """
    reader = _Tables()
    reader.feed(page)
    reader.close()
    for table in content.tables():
        written = [float(cell.value) for cell, _ in _numbers(table)]
        _compare(written, [float(text) for text in reader.tables.get(table.id, [])], table, where)


def proofread_workbook(content: Content, path: Path) -> None:
    """Compare the numbers of a workbook's sheets with those of the report, table by table and in order.

    Raises
    ------
    PublishError
        Naming the first table that differs.
    """
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(str(path)) as book:
        sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names[3:]]
    tables = content.tables()
    if len(sheets) != len(tables):
        raise PublishError(f"there are {len(sheets)} sheets for {len(tables)} tables", where=path.name)
    for table, rows in zip(tables, sheets, strict=True):
        written = [float(cell.value) * (POINTS if kind == "points" else 1) for cell, kind in _numbers(table)]
        read = [float(value) for row in rows[4:] for value in row if isinstance(value, int | float)]
        _compare(written, read, table, path.name)


def proofread_texts(content: Content, text: str, where: str, *, behind_figures: bool) -> None:
    """Look for every number of the report's tables, as readers see it, in a text that was read from a file.

    Parameters
    ----------
    content : Content
        The report.
    text : str
        What was read; spaces and line breaks don't count.
    where : str
        The file's name.
    behind_figures : bool
        Whether the tables behind figures must be there too.

    Raises
    ------
    PublishError
        Naming the first number that is missing, and its table.
    """
    found = _bare(text)
    tables: Iterable[Table] = content.tables() if behind_figures else [b for b in content.blocks if b.type == "table"]
    for table in tables:
        for cell, _ in _numbers(table):
            if _bare(cell.text) not in found:
                raise PublishError(f"the number {cell.text!r} of table {table.id!r} is missing", where=where)


def _compare(written: list[float], read: list[float], table: Table, where: str) -> None:
    same = len(written) == len(read) and all(
        math.isclose(a, b, rel_tol=_CLOSE, abs_tol=_CLOSE) for a, b in zip(written, read, strict=True)
    )
    if not same:
        raise PublishError(
            f"the numbers of table {table.id!r} differ from the report's", where=where, fix="report this as a fault"
        )


def _numbers(table: Table) -> Iterator[tuple[Cell, str]]:
    for row in table.rows:
        for cell, column in zip(row, table.columns, strict=True):
            kind = _kind(cell, column)
            if kind in _NUMERIC and isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
                yield cell, kind


def _kind(cell: Cell, column: Column) -> str:
    return cell.kind or column.kind


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


class _Tables(HTMLParser):
    """Collects the values of ``<data>`` by the id of the table they stand in."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[str]] = {}
        self._table = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._table = given.get("id") or ""
            self.tables[self._table] = []
        elif tag == "data":
            self.tables[self._table].append(given.get("value") or "")
