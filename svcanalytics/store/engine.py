"""DuckDB, the embedded engine, set up the way everything here relies on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__all__ = ["connect", "identifier", "literal", "scan"]


def connect() -> duckdb.DuckDBPyConnection:
    """Open an in-memory DuckDB connection in UTC that never reaches for the network."""
    import duckdb

    con = duckdb.connect()
    con.execute(
        "set TimeZone='UTC'; set autoinstall_known_extensions=false; set autoload_known_extensions=false;"
        "set preserve_insertion_order=true"
    )
    return con


def identifier(name: str) -> str:
    """Quote a name for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | float | bool | None) -> str:
    """Write a value as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def scan(files: Iterable[Path | str]) -> str:
    """Return the SQL table function that reads Parquet files written over a table's life.

    Columns may have been added since the first file was written, hence ``union_by_name``.
    """
    listed = ", ".join(literal(str(file)) for file in files)
    return f"read_parquet([{listed}], hive_partitioning=true, union_by_name=true)"
