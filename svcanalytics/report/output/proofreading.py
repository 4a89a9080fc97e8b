"""Read an edition's files again and compare them with the report they were made from; a mismatch stops it.

Of a page and a workbook every number of every table is compared as a value, of a page also as readers see it. PDF and
Word files are read as text, in which every row of a table must stand where it belongs. Sentences must be there whole.
"""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path

from svcanalytics.errors import PublishError
from svcanalytics.report.blocks import Cell, Column, Figure, Heading, Table, Text
from svcanalytics.report.output.extraction import Content
from svcanalytics.report.output.workbook import POINTS
from svcanalytics.report.words.labels import label

__all__ = ["proofread_page", "proofread_texts", "proofread_workbook"]

_NUMERIC = frozenset(("integer", "number", "rate", "points", "percent", "duration"))
_CLOSE = 1e-12
_BETWEEN = 800
"""So many characters may stand between two rows of a table: its heads, and what stands on the edge of a sheet."""
_SHEET = 1000
"""A text of so many characters can be longer than a sheet of paper."""
_CELL = 32_000
"""What is longer is cut in a cell of a workbook."""
_LEFT_TO_RIGHT = frozenset(("L", "EN", "ES", "ET", "CS", "B", "S", "WS", "ON"))
_UNSEEN = frozenset(("Cc", "Cf", "Cn", "Co", "Me", "Mn"))


def proofread_page(content: Content, page: str, where: str) -> None:
    """Compare the numbers of a page's tables with those of the report, table by table and in order, and its sentences.

    Raises
    ------
    PublishError
        Naming the first table or sentence that differs.
    """
    reader = _Page()
    reader.feed(page)
    reader.close()
    for table in content.tables():
        numbers = [cell for cell, _ in _numbers(table)]
        shown = reader.tables.get(table.id, [])
        _compare([float(cell.value or 0) for cell in numbers], [float(value) for value, _ in shown], table, where)
        if [_bare(cell.text) for cell in numbers] != [_bare(text) for _, text in shown]:
            raise _differs(table, where)
    _seek_sentences(content, _Reading(["\n".join(reader.text)]), where)


def proofread_workbook(content: Content, path: Path) -> None:
    """Compare the numbers of a workbook's sheets with those of the report, table by table and in order, and its notes.

    Raises
    ------
    PublishError
        Naming the first table or sentence that differs.
    """
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(str(path)) as book:
        sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names[2:]]
    notes, *sheets = sheets
    tables = content.tables()
    if len(sheets) != len(tables):
        raise PublishError(f"there are {len(sheets)} sheets for {len(tables)} tables", where=path.name)
    for table, rows in zip(tables, sheets, strict=True):
        written = [float(cell.value or 0) * (POINTS if kind == "points" else 1) for cell, kind in _numbers(table)]
        read = [float(value) for row in rows[4:] for value in row if isinstance(value, int | float)]
        _compare(written, read, table, path.name)
    _seek_sentences(content, _Reading(["\n".join(str(row[0]) for row in notes)]), path.name, titles=False)


def proofread_texts(
    content: Content, pages: Sequence[str], where: str, *, paper: bool, signs: Mapping[int, str] | None = None
) -> None:
    """Look for the report's tables, row by row and in order, and its sentences in what was read from a file.

    Paper has the figures without the tables behind them, which fold open on a screen.

    Parameters
    ----------
    content : Content
        The report.
    pages : sequence of str
        What was read, sheet by sheet; spaces and line breaks don't count.
    where : str
        The file's name.
    paper : bool
        Whether it was printed: paper holds some texts otherwise, such as what runs right to left.
    signs : mapping, optional
        What stands in the file for single characters, as `write_pdf` gives it.

    Raises
    ------
    PublishError
        Naming the first table or sentence that differs.
    """
    reading = _Reading(pages, paper, signs or {})
    tables = [block for block in content.blocks if isinstance(block, Table)]
    at = 0
    for number, table in enumerate(tables, 1):
        at = top = reading.find(f"{label('table', content.document.language)} {number} {table.title}", at)
        for row in table.rows:
            at = _seek_row(row, table.columns, reading, top, at)
        if at < 0:
            raise _differs(table, where)
    _seek_sentences(content, reading, where)


def _seek_row(row: Sequence[Cell], columns: Sequence[Column], reading: _Reading, top: int, at: int) -> int:
    """Return where a row ends that begins near `at`, in the table that begins at `top`, or -1."""
    if at < 0:
        return -1
    texts = [cell.text for cell in row]
    found = reading.find("\n".join(texts), at, _BETWEEN)
    if found < 0 and 0 <= reading.find(texts[0], top) <= at + _BETWEEN:
        # On a page a first column that repeats itself becomes a heading of its own.
        found = reading.find("\n".join(texts[1:]), at, _BETWEEN)
    if found >= 0 or not reading.paper or _is_steady("".join(texts)):
        return found
    for cell, column in zip(row, columns, strict=True):
        if at >= 0 and _kind(cell, column) in _NUMERIC:
            at = reading.find(cell.text, at, _BETWEEN + sum(map(len, texts)))
    return at


def _is_steady(text: str) -> bool:
    """Tell whether paper holds a text as it is: not what runs right to left, is joined, or is longer than a sheet."""
    return len(text) < _SHEET and all(
        unicodedata.bidirectional(char) in _LEFT_TO_RIGHT and unicodedata.category(char) not in _UNSEEN for char in text
    )


def _seek_sentences(content: Content, reading: _Reading, where: str, *, titles: bool = True) -> None:
    sentences = [block.text for block in content.blocks if isinstance(block, Text | Heading)]
    if titles:
        sentences += [block.title for block in content.blocks if isinstance(block, Table | Figure)]
        sentences += [block.note for block in content.blocks if isinstance(block, Table)]
    for text in sentences:
        if reading.find(text[:_CELL]) < 0 and (not reading.paper or _is_steady(text)):
            raise PublishError(
                f"the sentence {text[:60]!r} differs from the report's", where=where, fix="report this as a fault"
            )


def _compare(written: list[float], read: list[float], table: Table, where: str) -> None:
    same = len(written) == len(read) and all(
        math.isclose(a, b, rel_tol=_CLOSE, abs_tol=_CLOSE) for a, b in zip(written, read, strict=True)
    )
    if not same:
        raise _differs(table, where)


def _differs(table: Table, where: str) -> PublishError:
    return PublishError(
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


class _Reading:
    """What was read from a file, without its spaces; what stands on two sheets may be cut by their edges."""

    def __init__(self, pages: Sequence[str], paper: bool = False, signs: Mapping[int, str] | None = None) -> None:
        self.paper, self.signs = paper, signs or {}
        bare = [_bare(page) for page in pages]
        self.text = "".join(bare)
        self.edges = list(accumulate(len(page) for page in bare))[:-1]

    def find(self, words: str, start: int = 0, within: int | None = None) -> int:
        """Return where words end that begin at most `within` characters behind `start`, or -1."""
        sought = _bare(words.translate(self.signs))
        stop = len(self.text) if within is None else start + within + len(sought)
        found = self.text.find(sought, start, stop)
        if found >= 0:
            return found + len(sought)
        ends = (self._across(sought, start, edge) for edge in self.edges if start <= edge <= stop)
        return next((end for end in ends if end >= 0), -1)

    def _across(self, sought: str, start: int, edge: int) -> int:
        before = self.text[max(start, edge - len(sought) - _BETWEEN) : edge]
        # The longest part that stands before the edge: one that begins like it does too.
        cut = bisect_left(range(1, len(sought)), True, key=lambda size: sought[:size] not in before)
        rest = sought[cut:]
        found = self.text.find(rest, edge, edge + _BETWEEN + len(rest)) if cut else -1
        return found + len(rest) if found >= 0 else -1


class _Page(HTMLParser):
    """Collects a page's text, and value and text of each ``<data>`` by the id of the table it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.tables: dict[str, list[tuple[str, str]]] = {}
        self._table = ""
        self._value: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "table":
            self._table = given.get("id") or ""
            self.tables[self._table] = []
        elif tag == "data":
            self._value = given.get("value") or ""
            self.tables[self._table].append((self._value, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "data":
            self._value = None

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._value is not None:
            value, text = self.tables[self._table][-1]
            self.tables[self._table][-1] = (value, text + data)
