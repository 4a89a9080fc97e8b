"""Commit rows to the lake: every table of a load becomes visible in one rename.

Tables are Delta tables partitioned by local month. Rows are upserted by key. New Parquet files are written beside the
old ones, forced to disk, entered into each table's Delta log, and only then named by the snapshot; a reader therefore
sees all of a load or nothing of it, and a process that dies leaves at worst files that no snapshot names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from svcanalytics.errors import LakeError
from svcanalytics.store import snapshot as snapshots
from svcanalytics.store.contract import Table
from svcanalytics.store.delta import alter, create, file_names, open_delta, replace_files, restore
from svcanalytics.store.engine import connect, identifier, literal
from svcanalytics.store.failpoints import reach
from svcanalytics.store.files import remove, remove_tree, sync, write_atomically
from svcanalytics.store.lake import Lake
from svcanalytics.store.ledger import schema
from svcanalytics.store.snapshot import Snapshot, TableState

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["commit", "copy_rows", "enter", "finished", "locked", "month_of", "write", "writing"]

LOCK_TIMEOUT_S = 900
_MANY_FILES = 24
"""A month made of more files than this is rewritten as one: many small files make reading slow."""


@contextmanager
def locked(lake: Lake, *, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lake's write lock, once what a dead process left is put right; the kernel frees the lock of the dead.

    Afterwards `lake` stands at the snapshot that was made.

    Raises
    ------
    LakeError
        When the lake object is pinned to an earlier snapshot or shows one unit alone, or another process keeps the lock
        for too long.
    """
    if lake.pinned:
        raise LakeError("an earlier snapshot can't be written to", where=str(lake.path), fix="open the lake again")
    if lake.unit:
        raise LakeError("a part of a lake can't be written to", where=str(lake.path), fix="write to `lake.whole`")
    lake.path.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lake.path / ".lock", timeout=timeout_s)
    try:
        lock.acquire()
    except Timeout:
        raise LakeError(
            f"another process has been writing for {timeout_s:.0f} s", where=str(lake.path), fix="wait until it is done"
        ) from None
    try:
        recover(lake)
        yield
    finally:
        try:
            lake.snapshot = snapshots.current(lake.path)
        finally:
            lock.release()


@contextmanager
def writing(lake: Lake, what: str) -> Iterator[None]:
    """Mark the lake as being changed; whoever finds the mark on taking the lock knows that the change was cut short."""
    mark = lake.path / ".writing"
    write_atomically(mark, what)
    try:
        yield
    except Exception:
        # With a full disk the clean-up may fail too: the mark then stays, and the next writer cleans up.
        with suppress(Exception):
            recover(lake)
        raise
    remove(mark)


def commit(
    lake: Lake,
    con: duckdb.DuckDBPyConnection,
    changes: Mapping[str, str],
    *,
    load_id: str,
    removed: Mapping[str, str] | None = None,
) -> Snapshot:
    """Upsert and remove rows of several tables and make it visible at once; call it with the lock held.

    Parameters
    ----------
    con : DuckDBPyConnection
        Where the relations live.
    changes : mapping of table to relation
        Names of relations with exactly the table's `all_columns`, one row per key.
    load_id : str
        Written into the snapshot.
    removed : mapping of table to relation, optional
        Names of relations that hold at least the key columns of rows to remove; none of them in `changes`.

    Returns
    -------
    Snapshot
        The new current snapshot.
    """
    removed = removed or {}
    before = snapshots.current(lake.path)
    with writing(lake, load_id):
        changed = {
            name: _change(
                lake, con, schema(name), (changes.get(name), removed.get(name)), before.tables.get(name), load_id
            )
            for name in {**changes, **removed}
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
    try:
        with locked(lake):
            changes = {}
            for name, frame in frames.items():
                con.register(f"_frame_{name}", frame)
                given = list(frame.columns)
                rows = finished(lake, schema(name), f"_frame_{name}", given, source=source, load_id=load_id)
                con.execute(f"create temp table _rows_{name} as {rows}")
                changes[name] = f"_rows_{name}"
            commit(lake, con, changes, load_id=load_id)
    finally:
        con.close()
    return lake.refresh()


def finished(
    lake: Lake,
    table: Table,
    relation: str,
    given: Sequence[str],
    *,
    source: str,
    load_id: str,
    also: Sequence[str] = (),
) -> str:
    """Return SQL that completes a relation to all columns of the table: typed, with source, load and local keys.

    Parameters
    ----------
    given : sequence of str
        The table's columns that the relation has; the others become null.
    also : sequence of str
        Further select expressions to put behind the table's columns.
    """
    own = {
        column.name: f"cast({identifier(column.name) if column.name in given else 'null'} as {column.sql_type})"
        for column in table.columns.values()
    }
    local = f"timezone({literal(lake.timezone)}, {own[table.time]})" if table.time else ""
    # Arithmetic instead of strftime: the same number, five times as fast.
    month = f"year({local}) * 100 + month({local})"
    common = {
        "source": literal(source),
        "load_id": literal(load_id),
        "day_key": f"cast(({month}) * 100 + day({local}) as bigint)" if local else "cast(null as bigint)",
        "month_key": f"coalesce(cast({month} as bigint), 0)" if local else "cast(0 as bigint)",
    }
    wanted = {**own, **{name: sql for name, sql in common.items() if name in table.common}}
    columns = [f"{sql} as {identifier(name)}" for name, sql in wanted.items()]
    return f"select {', '.join([*columns, *also])} from {relation}"


def copy_rows(con: duckdb.DuckDBPyConnection, query: str, folder: Path, prefix: str) -> list[tuple[Path, int]]:
    """Write a query's rows as one Parquet file per month into `folder`, forced to disk; return path and rows of each.

    Raises
    ------
    LakeError
        When the disk is full or the folder can't be written to.
    """
    import duckdb

    folder.mkdir(parents=True, exist_ok=True)
    reach(f"write {folder.name} files")
    try:
        written = con.execute(
            f"copy ({query}) to {literal(str(folder))} (format parquet, compression zstd, row_group_size 131072, "
            f"partition_by (month_key), filename_pattern {literal(prefix + '-{uuid}')}, append, return_stats)"
        ).fetchall()
    except duckdb.IOException as error:
        raise LakeError(f"could not write: {error}", where=str(folder), fix="free some space and load again") from error
    reach(f"written {folder.name} files")
    files = [(Path(row[0]), int(row[1])) for row in written if row[1]]
    sync([path for path, _ in files])
    sync_folders = {path.parent.parent for path, _ in files}
    sync(sorted(sync_folders))
    return files


def _change(
    lake: Lake,
    con: duckdb.DuckDBPyConnection,
    table: Table,
    relations: tuple[str | None, str | None],
    state: TableState | None,
    load_id: str,
) -> TableState:
    columns = ", ".join(identifier(name) for name in table.all_columns)
    keys = ", ".join(identifier(name) for name in table.key)
    rows, gone = relations
    old = state.files if state else ()
    incoming = f"select {columns} from {rows}" if rows else f"{lake.select_files(table.name, ())}"
    touched = " union all ".join(f"select {keys} from {relation}" for relation in (rows, gone) if relation)
    match = " and ".join(f"l.{identifier(key)} = n.{identifier(key)}" for key in table.key)
    kept, merged = list(old), incoming
    if old:
        # A corrected time can move a row to another month: the months that rows leave are rewritten. Months that only
        # gain rows get one more file.
        stored = lake.select_files(table.name, old)
        leaving = con.execute(f"select distinct l.month_key from ({stored}) l semi join ({touched}) n on {match}")
        months = {month for (month,) in leaving.fetchall()} | _crowded(old)
        rewritten = [file for file in old if month_of(file) in months]
        if rewritten:
            kept = [file for file in old if month_of(file) not in months]
            staying = lake.select_files(table.name, rewritten)
            merged = f"select {columns} from ({staying}) l anti join ({touched}) n on {match} union all {incoming}"
    folder = lake.path / "tables" / table.name
    written = copy_rows(con, merged, folder, load_id)
    added = {str(path.relative_to(lake.path)): count for path, count in written}
    files = tuple(sorted([*kept, *added]))
    version = enter(lake, table, state, added, sorted(set(old) - set(kept)), load_id)
    return TableState(version, _count(con, lake, files), files)


def enter(
    lake: Lake, table: Table, state: TableState | None, added: Mapping[str, int], dropped: list[str], load_id: str
) -> int:
    """Enter the change into the table's Delta log and return the new version."""
    folder = lake.path / "tables" / table.name
    prefix = f"tables/{table.name}/"
    add = {file.removeprefix(prefix): count for file, count in added.items()}
    drop = [file.removeprefix(prefix) for file in dropped]
    reach(f"commit {table.name}")
    if state is None:
        version = create(folder, table, add, load_id)
    else:
        alter(folder, table)
        version = replace_files(folder, add, drop, load_id)
    reach(f"committed {table.name}")
    log = folder / "_delta_log"
    sync([log / f"{version:020d}.json"])
    return version


def month_of(file: str) -> int:
    """Return the month whose rows a data file holds, from its path."""
    return int(file.split("month_key=")[1].split("/")[0])


def _crowded(files: tuple[str, ...]) -> set[int]:
    months = [month_of(file) for file in files]
    return {month for month in set(months) if months.count(month) > _MANY_FILES}


def _count(con: duckdb.DuckDBPyConnection, lake: Lake, files: tuple[str, ...]) -> int:
    if not files:
        return 0
    listed = ", ".join(literal(str(lake.path / file)) for file in files)
    return con.execute(f"select count(*) from read_parquet([{listed}], union_by_name=true)").fetchall()[0][0]


def recover(lake: Lake) -> None:
    """Take back what a writer that died left behind: tables ahead of the snapshot, files that no snapshot names."""
    mark = lake.path / ".writing"
    for draft in [*lake.path.glob("..writing.*.tmp"), *lake.path.glob(".snapshot.json.*.tmp")]:
        remove(draft)
    if not mark.exists():
        return
    current = snapshots.current(lake.path)
    for file in (lake.path / "snapshots").glob("*.json"):
        if int(file.stem) > current.id:
            remove(file)
    named = {file for past in snapshots.history(lake.path) for state in past.tables.values() for file in state.files}
    named |= {file for state in current.tables.values() for file in state.files}
    for folder in (lake.path / "tables").glob("*"):
        state = current.tables.get(folder.name)
        if state is None:
            remove_tree(folder)
            continue
        delta = open_delta(folder)
        # The files decide, not the version: a restore is itself a commit, so afterwards the log stands ahead for good.
        prefix = f"tables/{folder.name}/"
        if {prefix + name for name in file_names(delta)} != set(state.files):
            reach(f"restore {folder.name}")
            restore(delta, state.version)
        for file in folder.glob("month_key=*/*"):
            if str(file.relative_to(lake.path)) not in named:
                remove(file)
    for draft in (lake.path / "snapshots").glob(".*.tmp"):
        remove(draft)
    remove(mark)
