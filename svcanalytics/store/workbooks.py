"""Fill-in workbooks: a table of the contract as a sheet that people fill in and `load` takes back as it is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics.errors import ContractError
from svcanalytics.store.contract import Column, Table, contract
from svcanalytics.store.words import translate

if TYPE_CHECKING:
    import pandas as pd
    import xlsxwriter

__all__ = ["heading", "template_tables", "write_template"]

_ROWS = 5000
_WORDS = {
    "notes": {"en": "# Notes", "zh": "# 说明"},
    "lists": {"en": "# Lists", "zh": "# 选项"},
    "column": {"en": "Heading", "zh": "列"},
    "meaning": {"en": "Meaning", "zh": "含义"},
    "needed": {"en": "Needed", "zh": "必填"},
    "form": {"en": "Form", "zh": "填写方式"},
    "values": {"en": "Values", "zh": "可选值"},
    "yes": {"en": "yes", "zh": "是"},
    "no": {"en": "no", "zh": "否"},
    "text": {"en": "text", "zh": "文本"},
    "integer": {"en": "whole number", "zh": "整数"},
    "number": {"en": "number", "zh": "数字"},
    "boolean": {"en": "yes or no", "zh": "是或否"},
    "timestamp": {"en": "date and time, 2026-10-31 09:05", "zh": "日期和时间,如 2026-10-31 09:05"},
    "date": {"en": "date, 2026-10-31", "zh": "日期,如 2026-10-31"},
    "seconds": {"en": "seconds, or H:MM:SS as text", "zh": "秒数,或文本 H:MM:SS"},
    "minor": {"en": "minor money units (cents)", "zh": "分"},
    "pick": {"en": "Choose from the list.", "zh": "请从下拉列表中选择。"},
    "to": {"en": "to", "zh": "至"},
    "one row": {"en": "One row is", "zh": "每行代表"},
    "order": {"en": "must not come after", "zh": "不得晚于"},
    "key": {"en": "Rows are told apart by", "zh": "每行由以下各列唯一确定"},
}
_FORMATS = {"timestamp": "yyyy-mm-dd hh:mm", "date": "yyyy-mm-dd", "text": "@", "integer": "0", "number": "General"}


def template_tables() -> list[str]:
    """Return the tables that have a fill-in workbook."""
    return [table.name for table in contract().tables.values() if table.template]


def heading(column: Column, language: str) -> str:
    """Return a column's heading in a workbook."""
    return column.zh_name if language == "zh" else column.name.replace("_", " ").capitalize()


def write_template(
    table: str, path: str | Path, language: str = "en", rows: pd.DataFrame | None = None, timezone: str = "UTC"
) -> Path:
    """Write the fill-in workbook of a table, empty or with rows that people go on working in.

    Parameters
    ----------
    table : str
        A table of the contract that has one; see `template_tables`.
    path : str or Path
        The workbook to write.
    language : str
        ``zh`` or ``en``: headings, drop-down lists and notes.
    rows : pandas.DataFrame, optional
        Rows of the table to fill in, in its columns; times aware.
    timezone : str
        IANA name; in which times are written, and will be read again.

    Returns
    -------
    Path
        The file. Its first sheet holds the headings and the rows; sheets whose name begins with ``#`` are read by
        people.

    Raises
    ------
    ContractError
        When the table has no workbook, or the language is unknown.
    """
    import xlsxwriter

    if table not in template_tables():
        raise ContractError(
            f"table {table!r} has no fill-in workbook", fix=f"use one of {', '.join(template_tables())}"
        )
    if language not in ("zh", "en"):
        raise ContractError(f"no workbooks in language {language!r}", fix="use zh or en")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = contract()[table]
    with xlsxwriter.Workbook(str(path)) as book:
        book.set_properties({"title": getattr(shape, language), "comments": f"svcanalytics contract {table}"})
        sheet = _write_sheet(book, shape, language)
        if rows is not None:
            _fill(book, sheet, shape, language, rows, timezone)
        _write_notes(book, shape, language)
    return path


def _columns(table: Table) -> list[Column]:
    # Attributes are a source's own; nobody writes JSON into a sheet.
    return [column for column in table.columns.values() if column.type != "json"]


def _options(column: Column, language: str) -> list[str]:
    if column.type == "boolean":
        return [_WORDS["yes"][language], _WORDS["no"][language]]
    return [translate(word, language, column.name) for word in column.allowed]


def _write_sheet(book: xlsxwriter.Workbook, table: Table, language: str) -> xlsxwriter.worksheet.Worksheet:
    sheet = book.add_worksheet(getattr(table, language)[:31])
    lists = book.add_worksheet(_WORDS["lists"][language])
    lists.hide()
    plain = book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1, "border_color": "#B0BEC5"})
    needed = book.add_format({"bold": True, "bg_color": "#FFE9C7", "border": 1, "border_color": "#B0BEC5"})
    formats = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
    for at, column in enumerate(_columns(table)):
        title = heading(column, language)
        sheet.write_string(0, at, title, plain if column.null else needed)
        sheet.write_comment(0, at, _note(column, language), {"x_scale": 2})
        width = max(12, 2 * len(title) + 2 if language == "zh" else len(title) + 4)
        sheet.set_column(at, at, 19 if column.type == "timestamp" else width, formats.get(column.type))
        options = _options(column, language)
        if options:
            lists.write_column(0, at, options)
            letter = _letter(at)
            sheet.data_validation(
                1,
                at,
                _ROWS,
                at,
                {
                    "validate": "list",
                    "source": f"='{_WORDS['lists'][language]}'!${letter}$1:${letter}${len(options)}",
                    "input_message": _WORDS["pick"][language],
                },
            )
    sheet.freeze_panes(1, 1)
    sheet.activate()
    return sheet


def _fill(
    book: xlsxwriter.Workbook,
    sheet: xlsxwriter.worksheet.Worksheet,
    table: Table,
    language: str,
    rows: pd.DataFrame,
    timezone: str,
) -> None:
    import pandas as pd

    moment = book.add_format({"num_format": _FORMATS["timestamp"]})
    for at, column in enumerate(_columns(table)):
        if column.name not in rows:
            continue
        for line, value in enumerate(rows[column.name], start=1):
            if pd.isna(value):
                continue
            if column.type == "timestamp":
                local = pd.Timestamp(value).tz_convert(timezone).tz_localize(None)
                sheet.write_datetime(line, at, local.to_pydatetime(), moment)
            elif column.type in ("integer", "number"):
                sheet.write_number(line, at, value)
            elif column.type == "boolean":
                sheet.write_string(line, at, _WORDS["yes" if value else "no"][language])
            else:  # as text, whatever it begins with: never a formula
                text = translate(str(value), language, column.name) if column.allowed else str(value)
                sheet.write_string(line, at, text)


def _letter(index: int) -> str:
    from xlsxwriter.utility import xl_col_to_name

    return xl_col_to_name(index)


def _form(column: Column, language: str) -> str:
    kind = "seconds" if column.unit == "s" else column.unit if column.unit in _WORDS else column.type
    text = _WORDS[kind][language]
    if column.min is not None and column.max is not None and column.unit != "s":
        text += f" ({column.min:g} {_WORDS['to'][language]} {column.max:g})"
    return text


def _note(column: Column, language: str) -> str:
    text = f"{getattr(column, language)}\n{_form(column, language)}"
    return text if column.null else f"{text}\n({_WORDS['needed'][language]})"


def _write_notes(book: xlsxwriter.Workbook, table: Table, language: str) -> None:
    sheet = book.add_worksheet(_WORDS["notes"][language])
    bold, wrap = book.add_format({"bold": True}), book.add_format({"text_wrap": True, "valign": "top"})
    sheet.write_string(0, 0, f"{_WORDS['one row'][language]}: {table.row[language]}", bold)
    keys = ", ".join(heading(table.columns[name], language) for name in table.key)
    sheet.write_string(1, 0, f"{_WORDS['key'][language]}: {keys}")
    sheet.write_row(3, 0, [_WORDS[word][language] for word in ("column", "meaning", "needed", "form", "values")], bold)
    for row, column in enumerate(_columns(table), start=4):
        cells = [
            heading(column, language),
            getattr(column, language),
            "" if column.null else _WORDS["yes"][language],
            _form(column, language),
            ", ".join(_options(column, language)),
        ]
        for at, cell in enumerate(cells):
            sheet.write_string(row, at, cell, wrap)
    last = 5 + len(_columns(table))
    for row, (earlier, later) in enumerate(table.order, start=last):
        pair = [heading(table.columns[name], language) for name in (earlier, later)]
        sheet.write_string(row, 0, f"{pair[0]} {_WORDS['order'][language]} {pair[1]}")
    for at, width in enumerate((20, 60, 10, 32, 60)):
        sheet.set_column(at, at, width)
