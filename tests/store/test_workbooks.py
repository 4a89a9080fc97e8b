"""Fill-in workbooks: every one comes back as it was filled in, in both languages."""

from __future__ import annotations

import datetime as dt

import openpyxl
import pytest

from svcanalytics.errors import ContractError
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import connect
from svcanalytics.store.mapping import compile, prepare
from svcanalytics.store.words import translate, translations
from svcanalytics.store.workbooks import heading, template_tables, write_template

MOMENT = dt.datetime(2026, 10, 31, 9, 5)


def _filled(column, language, row):
    """Return what a person types into a cell, and what the lake is to hold."""
    if column.allowed:
        word = column.allowed[row % len(column.allowed)]
        return translate(word, language, column.name), word
    if column.type == "boolean":
        return {"zh": ["是", "否"], "en": ["yes", "no"]}[language][row % 2], row % 2 == 0
    if column.type == "timestamp":
        at = MOMENT + dt.timedelta(days=row)
        return at, f"{at:%Y-%m-%d %H:%M:%S}+00"
    if column.type == "date":
        return MOMENT + dt.timedelta(days=row), str((MOMENT + dt.timedelta(days=row)).date())
    if column.type in ("integer", "number"):
        number = int(column.min or 0) + row
        return number, number
    return f"00{row}", f"00{row}"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("table", template_tables())
def test_a_filled_in_workbook_loads_back(tmp_path, table, language):
    path = write_template(table, tmp_path / "x.xlsx", language)
    columns = [column for column in contract()[table].columns.values() if column.type != "json"]
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]] == [heading(column, language) for column in columns]
    for row in range(3):
        for at, column in enumerate(columns, start=1):
            cell = sheet.cell(row + 2, at, _filled(column, language, row)[0])
            if column.type in ("timestamp", "date"):
                cell.number_format = "yyyy-mm-dd hh:mm"
    book.save(path)
    with connect() as con:
        mapping, reading = prepare(con, path)
        assert mapping is not None
        assert (mapping.name, list(mapping.tables), reading.rows) == ("contract", [table], 3)
        plain = ", ".join(
            f'cast("{c.name}" as varchar)' if c.type in ("timestamp", "date") else f'"{c.name}"' for c in columns
        )
        rows = con.execute(
            f"select _bad_column, {plain} from ({compile(mapping, table, con, 'UTC')}) order by _line"
        ).fetchall()
    assert rows == [(None, *(_filled(column, language, row)[1] for column in columns)) for row in range(3)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_closed_words_can_be_picked_from_a_list_in_the_language(tmp_path, language):
    book = openpyxl.load_workbook(write_template("actions", tmp_path / "x.xlsx", language))
    sheet, lists = book.worksheets[:2]
    titles = [cell.value for cell in sheet[1]]
    column = contract()["actions"].columns["class"]
    at = titles.index(heading(column, language)) + 1
    letter = openpyxl.utils.get_column_letter(at)
    picked = [v for v in sheet.data_validations.dataValidation if f"{letter}2" in v.sqref]
    assert len(picked) == 1
    assert f"${letter}$1:${letter}$2" in picked[0].formula1
    words = [lists.cell(row, at).value for row in (1, 2)]
    assert words == (["立行立改", "分期整改"] if language == "zh" else ["urgent", "phased"])
    assert lists.sheet_state == "hidden"


def test_every_closed_word_has_a_chinese_word_of_its_own_in_its_column():
    for table in contract().tables.values():
        for column in table.columns.values():
            words = [translate(word, "zh", column.name) for word in column.allowed]
            assert len(set(words)) == len(words), f"{table.name}.{column.name}"
            assert all(word in translations() for word in column.allowed), f"{table.name}.{column.name}"


def test_headings_are_different_within_a_table():
    for table in contract().tables.values():
        for language in ("zh", "en"):
            titles = [heading(column, language) for column in table.columns.values()]
            assert len(set(titles)) == len(titles), table.name


def test_a_table_without_a_workbook_is_refused(tmp_path):
    with pytest.raises(ContractError, match="forecasts"):
        write_template("forecasts", tmp_path / "x.xlsx")
    with pytest.raises(ContractError, match="language"):
        write_template("surveys", tmp_path / "x.xlsx", "fr")
