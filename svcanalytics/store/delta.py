"""The few things the lake does to a table's Delta log, so that Spark, Trino and others can read the tables too.

Data files are written by DuckDB and entered here with nothing but their row count: column statistics would keep values
of rows, in the log, after a customer was erased.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics.errors import LakeError

if TYPE_CHECKING:
    from deltalake import DeltaTable, Schema
    from deltalake.transaction import AddAction

    from svcanalytics.store.contract import Table

__all__ = ["alter", "create", "file_names", "open_delta", "replace_files", "restore"]

_TYPES = {
    "text": "string",
    "integer": "long",
    "number": "double",
    "boolean": "boolean",
    "timestamp": "timestamp",
    "date": "date",
    "json": "string",
}
# Without these, old versions can't be opened once log files are 30 days old and a checkpoint has run.
_FOREVER = "interval 36500 days"
_CONFIGURATION = {"delta.logRetentionDuration": _FOREVER, "delta.deletedFileRetentionDuration": _FOREVER}


def open_delta(folder: Path) -> DeltaTable:
    """Open a table at its latest version.

    Raises
    ------
    LakeError
        When the log can't be read, or another program has put deletion vectors into the table.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        table = DeltaTable(folder)
    except (DeltaError, TableNotFoundError) as error:
        raise LakeError(f"the table's log can't be read: {error}", where=str(folder), fix="restore a backup") from error
    if "deletionVectors" in (table.protocol().reader_features or []):
        raise LakeError(
            "another program has put deletion vectors into the table",
            where=str(folder),
            fix="set delta.enableDeletionVectors=false there and run its REORG … APPLY (PURGE)",
        )
    return table


def create(folder: Path, table: Table, added: Mapping[str, int], load_id: str) -> int:
    """Make a table of files already written (path relative to the folder: number of rows); return its version."""
    from deltalake import CommitProperties
    from deltalake.transaction import create_table_with_add_actions

    create_table_with_add_actions(
        str(folder),
        _schema(table),
        [_add(folder, name, rows) for name, rows in added.items()],
        mode="error",
        partition_by=["month_key"],
        name=table.name,
        configuration=_CONFIGURATION,
        commit_properties=CommitProperties(custom_metadata={"load_id": load_id}),
    )
    return open_delta(folder).version()


def replace_files(folder: Path, added: Mapping[str, int], dropped: list[str], load_id: str) -> int:
    """Add and drop files in one commit; return the new version."""
    from deltalake import CommitProperties

    delta = open_delta(folder)
    actions = [_add(folder, name, rows) for name, rows in added.items()]
    actions += [_remove(folder, name) for name in dropped]
    delta.create_write_transaction(
        actions,
        mode="append",
        schema=delta.schema(),
        partition_by=["month_key"],
        commit_properties=CommitProperties(custom_metadata={"load_id": load_id}),
    )
    return open_delta(folder).version()


def alter(folder: Path, table: Table) -> None:
    """Add the columns that the contract has gained since the table was made."""
    delta = open_delta(folder)
    known = {field.name for field in delta.schema().fields}
    if missing := [field for field in _schema(table).fields if field.name not in known]:
        delta.alter.add_columns(missing)


def restore(delta: DeltaTable, version: int) -> None:
    """Bring a table back to an earlier version, by a new commit."""
    delta.restore(version)


def file_names(delta: DeltaTable) -> list[str]:
    """List the table's data files, relative to its folder."""
    return [uri.rsplit("/", 2)[-2] + "/" + uri.rsplit("/", 2)[-1] for uri in delta.file_uris()]


def _schema(table: Table) -> Schema:
    from deltalake import Field, Schema
    from deltalake.schema import PrimitiveType

    return Schema([Field(c.name, PrimitiveType(_TYPES[c.type]), nullable=True) for c in table.all_columns.values()])


def _add(folder: Path, name: str, rows: int) -> AddAction:
    from deltalake.transaction import AddAction

    stat = (folder / name).stat()
    stats = json.dumps({"numRecords": rows})
    return AddAction(name, stat.st_size, {"month_key": _month(name)}, int(stat.st_mtime * 1000), True, stats)


def _remove(folder: Path, name: str) -> object:
    from time import time

    from deltalake.transaction import RemoveAction

    stat = (folder / name).stat()
    return RemoveAction(
        path=name,
        data_change=True,
        deletion_timestamp=int(time() * 1000),
        partition_values={"month_key": _month(name)},
        size=stat.st_size,
    )


def _month(name: str) -> str:
    return name.split("month_key=")[1].split("/")[0]
