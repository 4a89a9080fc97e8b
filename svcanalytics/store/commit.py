"""Commit rows to the lake: every table of a load becomes visible in one rename.

Tables are Delta tables partitioned by local month. Rows are upserted by key; only the months they touch are rewritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from filelock import FileLock

from svcanalytics.errors import LakeError
from svcanalytics.store import snapshot as snapshots
from svcanalytics.store.contract import Table, contract
from svcanalytics.store.engine import connect, identifier, literal, scan
from svcanalytics.store.lake import Lake
from svcanalytics.store.snapshot import Snapshot, TableState

if TYPE_CHECKING:
    import duckdb
    import pandas as pd
    from deltalake import DeltaTable

__all__ = ["commit", "finished", "locked", "write"]

_FOREVER = "interval 36500 days"
_CONFIGURATION = {"delta.logRetentionDuration": _FOREVER, "delta.deletedFileRetentionDuration": _FOREVER}


@contextmanager
def locked(lake: Lake) -> Iterator[None]:
    """Hold the lake's write lock; the kernel frees it when its holder dies.

    Raises
    ------
    LakeError
        When the lake object is pinned to an earlier snapshot.
    """
    if lake.pinned:
        raise LakeError("an earlier snapshot can't be written to", where=str(lake.path), fix="open the lake again")
    lake.path.mkdir(parents=True, exist_ok=True)
    with FileLock(lake.path / ".lock"):
        _recover(lake)
        yield


def commit(lake: Lake, con: duckdb.DuckDBPyConnection, changes: Mapping[str, str], *, load_id: str) -> Snapshot:
    """Upsert rows into several tables and make them visible at once; call it with the lock held.

    Parameters
    ----------
    con : DuckDBPyConnection
        Where the relations of `changes` live.
    changes : mapping of table to relation
        Names of relations with exactly the table's `all_columns`, one row per key.
    load_id : str
        Written into the snapshot.

    Returns
    -------
    Snapshot
        The new current snapshot.
    """
    before = snapshots.current(lake.path)
    changed = {
        name: _upsert(lake, con, contract()[name], rel, before.tables.get(name)) for name, rel in changes.items()
    }
    after = before.next(load_id, changed)
    snapshots.replace(lake.path, after)
    return after


def write(lake: Lake, frames: Mapping[str, pd.DataFrame], *, source: str = "frames", load_id: str = "write") -> Lake:
    """Upsert plain DataFrames as they are: no masking, no contract check. For tests and for what the package computes.

    Parameters
    ----------
    frames : mapping of table to DataFrame
        Any subset of the table's columns, with its key; times aware, or naive in UTC.

    Returns
    -------
    Lake
        The lake at the new snapshot.
    """
    con = connect()
    with locked(lake):
        changes = {}
        for name, frame in frames.items():
            con.register(f"_frame_{name}", frame)
            given = list(frame.columns)
            rows = finished(lake, contract()[name], f"_frame_{name}", given, source=source, load_id=load_id)
            con.execute(f"create temp table _rows_{name} as {rows}")
            changes[name] = f"_rows_{name}"
        commit(lake, con, changes, load_id=load_id)
    con.close()
    return lake.refresh()


def finished(lake: Lake, table: Table, relation: str, given: list[str], *, source: str, load_id: str) -> str:
    """Return SQL that completes a relation to all columns of the table: typed, with source, load and local keys."""
    own = {
        column.name: f"cast({identifier(column.name) if column.name in given else 'null'} as {column.sql_type})"
        for column in table.columns.values()
    }
    local = f"timezone({literal(lake.timezone)}, {own[table.time]})" if table.time else ""
    common = {
        "source": literal(source),
        "load_id": literal(load_id),
        "day_key": f"cast(strftime({local}, '%Y%m%d') as bigint)" if local else "cast(null as bigint)",
        "month_key": f"coalesce(cast(strftime({local}, '%Y%m') as bigint), 0)" if local else "cast(0 as bigint)",
    }
    columns = ", ".join(f"{sql} as {identifier(name)}" for name, sql in {**own, **common}.items())
    return f"select {columns} from {relation}"


def _upsert(
    lake: Lake, con: duckdb.DuckDBPyConnection, table: Table, relation: str, state: TableState | None
) -> TableState:
    from deltalake import WriterProperties, write_deltalake

    path = lake.path / "tables" / table.name
    options = {
        "partition_by": ["month_key"],
        "writer_properties": WriterProperties(compression="ZSTD", max_row_group_size=131_072),
        "configuration": _CONFIGURATION,
    }
    columns = ", ".join(identifier(name) for name in table.all_columns)
    incoming = f"select {columns} from {relation}"
    match = " and ".join(f"l.{identifier(k)} = n.{identifier(k)}" for k in table.key)
    if state is None or not state.files:
        write_deltalake(path, con.sql(incoming), mode="overwrite", schema_mode="overwrite", **options)
        return _state(lake, table)
    # A corrected time can move a row to another month: the month it leaves is rewritten too.
    stored = lake.refresh().select(table.name)
    touched = con.sql(
        f"select distinct month_key from {relation} "
        f"union select distinct l.month_key from ({stored}) l join {relation} n on {match}"
    ).fetchall()
    months = ", ".join(str(month) for (month,) in sorted(touched))
    merged = (
        f"select {columns} from ({stored}) l where l.month_key in ({months}) "
        f"and not exists (select 1 from {relation} n where {match}) union all {incoming}"
    )
    write_deltalake(
        path, con.sql(merged), mode="overwrite", predicate=f"month_key in ({months})", schema_mode="merge", **options
    )
    return _state(lake, table)


def _state(lake: Lake, table: Table) -> TableState:
    from deltalake import DeltaTable

    path = lake.path / "tables" / table.name
    delta = DeltaTable(path)
    files = _files(lake, delta)
    con = connect()
    rows = con.execute(f"select count(*) from {scan(lake.path / f for f in files)}").fetchall()[0][0] if files else 0
    con.close()
    return TableState(delta.version(), rows, files)


def _files(lake: Lake, delta: DeltaTable) -> tuple[str, ...]:
    return tuple(sorted(uri.split(f"{lake.path}/", 1)[1] for uri in delta.file_uris()))


def _recover(lake: Lake) -> None:
    """Take back what a load that died left behind: a table that stands ahead of the snapshot returns to it."""
    from deltalake import DeltaTable

    snapshot = snapshots.current(lake.path)
    for folder in (lake.path / "tables").glob("*"):
        if not DeltaTable.is_deltatable(str(folder)):
            continue
        state = snapshot.tables.get(folder.name)
        delta = DeltaTable(folder)
        # The files decide, not the version: a restore is itself a commit, so afterwards the log stands ahead for good.
        if state is not None and _files(lake, delta) != state.files:
            delta.restore(state.version)
