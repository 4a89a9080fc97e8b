"""Workbooks: every sheet that holds the table, read as the text a person would have typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from svcanalytics.errors import LoadError
from svcanalytics.store.reading.formats import FileFormat
from svcanalytics.store.reading.headers import Header, find_header, normalise
from svcanalytics.store.reading.staging import Stage
from svcanalytics.store.reading.values import as_text

__all__ = ["read_workbook"]

_SAMPLE = 200
Rows = list[tuple[int, list[str | None]]]


def read_workbook(stage: Stage, path: Path, name: str, layout: FileFormat, expected: tuple[str, ...]) -> None:
    """Read the sheets of a workbook into the stage; ``_line`` is the sheet's row, ``_file`` names file and sheet.

    Rows without any value are formatting, not data, and are left out.

    Raises
    ------
    LoadError
        When the workbook can't be opened or has no sheet of the name asked for.
    """
    import python_calamine

    try:
        book = python_calamine.CalamineWorkbook.from_path(str(path))
    except python_calamine.PasswordError:
        raise LoadError("the workbook is locked", where=name, fix="save it without a password") from None
    except (python_calamine.CalamineError, OSError):
        raise LoadError("not a readable workbook", where=name, fix="open and save it again") from None
    missing = [sheet for sheet in layout.sheets if sheet not in book.sheet_names]
    if missing:
        raise LoadError(
            f"no sheet {missing[0]!r}", where=name, fix=f"its sheets are {', '.join(book.sheet_names)}"
        ) from None
    tables: list[tuple[str, Rows, Header]] = []
    # Sheets named with a # in front are for people: the notes of a fill-in workbook.
    for sheet in layout.sheets or [sheet for sheet in book.sheet_names if not sheet.startswith("#")]:
        rows = list(_rows(book.get_sheet_by_name(sheet)))
        if rows:
            header = find_header([cells for _, cells in rows[:_SAMPLE]], expected, layout.header, _above(rows, layout))
            tables.append((sheet, rows, header))
    several = sum(not sheet.startswith("#") for sheet in book.sheet_names) > 1
    for sheet, rows, header in tables if layout.sheets else _chosen(stage, name, tables, expected):
        width = len(header.names)
        body = ((line, _fit(cells, width)) for line, cells in rows[header.first :])
        stage.add_rows(f"{name}[{sheet}]" if several else name, header.names, body)


def _above(rows: Rows, layout: FileFormat) -> int | None:
    """Turn sheet rows above the header into rows with values above it."""
    return None if layout.skip is None else sum(1 for line, _ in rows if line <= layout.skip)


def _rows(sheet: object) -> Iterator[tuple[int, list[str | None]]]:
    """Yield row numbers and texts of rows that hold any value."""
    top = (sheet.start or (0, 0))[0]
    for offset, row in enumerate(sheet.iter_rows()):
        cells = [as_text(cell) for cell in row]
        if any(cell and not cell.isspace() for cell in cells):
            yield top + offset + 1, cells


def _fit(cells: list[str | None], width: int) -> list[str | None]:
    return [*cells[:width], *[None] * (width - len(cells))]


def _chosen(
    stage: Stage, name: str, tables: list[tuple[str, Rows, Header]], expected: tuple[str, ...]
) -> list[tuple[str, Rows, Header]]:
    """Choose sheets: those with the expected columns; else the fullest and those headed like it."""
    if not tables:
        return []
    wanted = {normalise(column) for column in expected}
    chosen = [table for table in tables if wanted and wanted <= {normalise(n) for n in table[2].names}]
    if not chosen:
        fullest = max(tables, key=lambda table: len(table[1]) * len(table[2].names))
        heads = {normalise(n) for n in fullest[2].names}
        chosen = [table for table in tables if {normalise(n) for n in table[2].names} == heads]
    for sheet, rows, _ in tables:
        if all(sheet != kept for kept, *_ in chosen):
            stage.notes.append(f"{name}: sheet {sheet!r} ({len(rows)} rows) left aside")
    return chosen
