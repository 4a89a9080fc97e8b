"""Examine a lake: whether its rows keep the contract, its references lead somewhere, and its secrets are kept."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from svcanalytics.errors import LakeError
from svcanalytics.store.contract import Column, Table, contract
from svcanalytics.store.engine import identifier, literal
from svcanalytics.store.keys import key, key_path
from svcanalytics.store.lake import Lake

if TYPE_CHECKING:
    import duckdb

__all__ = ["STALE_DAYS", "Symptom", "examine"]

STALE_DAYS = 35
"""A table whose newest row is this many days older than the lake's newest row has probably been forgotten."""


@dataclass(frozen=True)
class Symptom:
    """One thing found: `grave` when the lake can't be trusted as it is, else worth knowing."""

    where: str
    what: str
    fix: str
    grave: bool = True
    rows: int = 0


def examine(lake: Lake) -> list[Symptom]:
    """Check a lake's files, tables and secrets.

    Parameters
    ----------
    lake : Lake
        Read at its snapshot; nothing is changed.

    Returns
    -------
    list of Symptom
        Grave ones first; empty when all is well.
    """
    found = [*_secrets(lake), *(missing := list(_files(lake)))]
    if not missing:
        con = lake.connection()
        try:
            held = [table for table in contract().tables.values() if lake.has(table.name)]
            for table in held:
                found += [*_rows(con, table), *_references(con, lake, table)]
            found += _stale(con, held)
        finally:
            con.close()
    return sorted(found, key=lambda symptom: not symptom.grave)


def _secrets(lake: Lake) -> Iterator[Symptom]:
    if key_path(lake).exists() or any(state.rows for state in lake.snapshot.tables.values()):
        try:
            key(lake)
        except LakeError as error:
            yield Symptom(error.where, error.what, error.fix)
    if os.name == "posix" and lake.landing.exists() and lake.landing.stat().st_mode & 0o077:
        yield Symptom(str(lake.landing), "others can read the originals", f"chmod 700 {lake.landing}")


def _files(lake: Lake) -> Iterator[Symptom]:
    for name, state in lake.snapshot.tables.items():
        gone = [file for file in state.files if not (lake.path / file).is_file()]
        if gone:
            yield Symptom(
                name, f"{len(gone)} of {len(state.files)} data files are gone", "bring them back from your backup"
            )


def _rows(con: duckdb.DuckDBPyConnection, table: Table) -> Iterator[Symptom]:
    rules = [
        *(
            (column.name, words, condition)
            for column in table.all_columns.values()
            for words, condition in _rules(column)
        ),
        *((f"{a}, {b}", f"{b} lies before {a}", f"{identifier(b)} < {identifier(a)}") for a, b in table.order),
    ]
    keys = ", ".join(identifier(column) for column in table.key)
    counts = ", ".join(f"count(*) filter ({condition})" for _, _, condition in rules)
    row = con.execute(f"select count(*) - count(distinct ({keys})), {counts} from {identifier(table.name)}").fetchone()
    assert row is not None
    if row[0]:
        where = f"{table.name}.{'+'.join(table.key)}"
        yield Symptom(where, f"{row[0]} rows repeat a key", "undo the load that brought them", rows=row[0])
    for (column, words, _), count in zip(rules, row[1:], strict=True):
        if count:
            fix = "correct the source mapping and load the file again"
            yield Symptom(f"{table.name}.{column}", f"{words} in {count} rows", fix, rows=count)


def _rules(column: Column) -> Iterator[tuple[str, str]]:
    name = identifier(column.name)
    if not column.null:
        yield "empty", f"{name} is null"
    if column.allowed:
        words = ", ".join(literal(word) for word in column.allowed)
        yield "a word that is not allowed", f"{name} not in ({words})"
    if column.min is not None:
        yield f"below {column.min:g}", f"{name} < {column.min}"
    if column.max is not None:
        yield f"above {column.max:g}", f"{name} > {column.max}"


def _references(con: duckdb.DuckDBPyConnection, lake: Lake, table: Table) -> Iterator[Symptom]:
    for column, target in table.refs.items():
        other, name = target.split(".")
        if not lake.has(other):
            continue  # An optional table that was never loaded is not a fault.
        query = (
            f"select count(*) from {identifier(table.name)} as here anti join {identifier(other)} as there "
            f"on here.{identifier(column)} = there.{identifier(name)} where here.{identifier(column)} is not null"
        )
        count = con.execute(query).fetchone()[0]  # type: ignore[index]
        if count:
            what = f"{count} rows name a row of {other} that is not there"
            yield Symptom(f"{table.name}.{column}", what, f"load the missing rows of {other}", grave=False, rows=count)


def _stale(con: duckdb.DuckDBPyConnection, held: list[Table]) -> Iterator[Symptom]:
    newest = {}
    for table in held:
        if table.time:
            # As a plain UTC timestamp: DuckDB hands aware ones over only where pytz is installed.
            query = f"select max(cast({identifier(table.time)} as timestamp)) from {identifier(table.name)}"
            newest[table.name] = con.execute(query).fetchone()[0]  # type: ignore[index]
    known = {name: at for name, at in newest.items() if at is not None}
    latest = max(known.values(), default=None)
    for name, at in known.items():
        if (latest - at).days > STALE_DAYS:
            what = f"its newest row is of {at:%Y-%m-%d}, {(latest - at).days} days before the lake's newest"
            yield Symptom(name, what, "load a newer export", grave=False)
