"""Take back a load: the rows it wrote return to what they were before it.

A load replaces whole rows, so taking it back is exact wherever no later load has relied on its rows: a row that a later
load has replaced stays as that load wrote it, a row the undone load changed returns to the row before, a row it brought
goes. Only where a later load brought the very same rows again and therefore changed nothing is the answer not known
from the lake alone; then the later load must be taken back first.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from svcanalytics.errors import LakeError
from svcanalytics.store.commit import commit, locked
from svcanalytics.store.contract import Table
from svcanalytics.store.engine import identifier, literal
from svcanalytics.store.ledger import INTERNAL, schema
from svcanalytics.store.result import Undone

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store.lake import Lake

__all__ = ["undo"]


def undo(lake: Lake, load_id: str) -> Undone:
    """Take back a load, at once and durably.

    Parameters
    ----------
    lake : Lake
        The lake; open it again, or call its `refresh`, to see it without the load.
    load_id : str
        As `LoadResult.load_id`, ``svcanalytics load`` and the table ``loads`` name it.

    Returns
    -------
    Undone
        Rows removed and rows returned to their earlier state, per table.

    Raises
    ------
    LakeError
        When there is no such load, it was taken back before, or a later load relies on its rows.
    """
    with locked(lake):
        lake = lake.refresh()
        con = lake.connection()
        try:
            before = _before(con, lake, load_id)
            changes: dict[str, str] = {}
            removed: dict[str, str] = {}
            counts: dict[str, tuple[int, int]] = {}
            for name in lake.snapshot.tables:
                if name in INTERNAL:
                    continue
                gone, restored = _take_back(con, lake, schema(name), load_id, before)
                if gone or restored:
                    changes[name], removed[name] = f"restored_{name}", f"gone_{name}"
                    counts[name] = (gone, restored)
            _take_back_quarantine(con, lake, load_id, before, changes, removed)
            con.execute(
                f"create temp table changes_loads as select * replace ('undone' as status) from loads "
                f"where load_id = {literal(load_id)}"
            )
            changes["loads"] = "changes_loads"
            snapshot = commit(lake, con, changes, load_id=f"undo {load_id}", removed=removed)
        finally:
            con.close()
    return Undone(load_id, counts, snapshot.id)


def _before(con: duckdb.DuckDBPyConnection, lake: Lake, load_id: str) -> int:
    """Return the snapshot a load began from, once it is sure that the load can be taken back."""
    rows = con.execute("select load_id, before, status, confirmed, name from loads order by before").fetchall()
    entry = next((row for row in rows if row[0] == load_id), None)
    if entry is None:
        raise LakeError(f"there is no load {load_id}", where=str(lake.path), fix="`svcanalytics status` lists them")
    if entry[2] != "loaded":
        raise LakeError(f"load {load_id} was taken back before", where=str(lake.path), fix="nothing needs to be done")
    relying = [
        (row[0], row[4], count)
        for row in rows
        if row[2] == "loaded" and row[1] > entry[1] and (count := json.loads(row[3] or "{}").get(load_id, 0))
    ]
    if relying:
        later = ", ".join(f"{other} ({name}: {count:,} rows)" for other, name, count in relying)
        raise LakeError(
            f"later loads brought rows of load {load_id} again: {later}",
            where=str(lake.path),
            fix="undo the later ones first, the last one first, then this one; then load their files again",
        )
    return entry[1]


def _take_back(con: duckdb.DuckDBPyConnection, lake: Lake, table: Table, load_id: str, before: int) -> tuple[int, int]:
    """Make the relations ``gone_…`` and ``restored_…`` of one table; return their numbers of rows."""
    keys = ", ".join(identifier(key) for key in table.key)
    con.execute(
        f"create temp table restored_{table.name} as from {identifier(table.name)} limit 0;"
        f"create temp table pending_{table.name} as select {keys} from {identifier(table.name)} "
        f"where load_id = {literal(load_id)}"
    )
    undone = dict(con.execute("select load_id, before from loads where status = 'undone'").fetchall())
    # The row before may itself come from a load that has been taken back since: then the row before that counts.
    pending, snapshots = f"pending_{table.name}", [before]
    while snapshots and con.execute(f"select count(*) from {pending}").fetchall()[0][0]:
        past = lake.at(snapshots.pop())
        found = f"select p.* from ({past.select(table.name)}) p semi join {pending} using ({keys})"
        con.execute(f"create or replace temp table past_{table.name} as {found}")
        writers = {row[0] for row in con.execute(f"select distinct load_id from past_{table.name}").fetchall()}
        stale = ", ".join(literal(writer) for writer in writers & set(undone)) or "''"
        con.execute(
            f"insert into restored_{table.name} by name select * from past_{table.name} where load_id not in ({stale})"
        )
        con.execute(
            f"create or replace temp table {pending}_next as select {keys} from past_{table.name} "
            f"where load_id in ({stale})"
        )
        pending = f"{pending}_next"
        if writers & set(undone):
            snapshots = [max(undone[writer] for writer in writers & set(undone))]
    con.execute(
        f"create temp table gone_{table.name} as select {keys} from {identifier(table.name)} l "
        f"where load_id = {literal(load_id)} and not exists "
        f"(select 1 from restored_{table.name} r where {_match(table)})"
    )
    return (
        con.execute(f"select count(*) from gone_{table.name}").fetchall()[0][0],
        con.execute(f"select count(*) from restored_{table.name}").fetchall()[0][0],
    )


def _match(table: Table) -> str:
    return " and ".join(f"l.{identifier(key)} = r.{identifier(key)}" for key in table.key)


def _take_back_quarantine(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    load_id: str,
    before: int,
    changes: dict[str, str],
    removed: dict[str, str],
) -> None:
    """Remove what the load put into quarantine; put back what it, being a release, had let out."""
    if "quarantine" not in lake.snapshot.tables:
        return
    con.execute(
        f"create temp table gone_quarantine as from quarantine where load_id = {literal(load_id)};"
        f"create temp table released as select p.* from ({lake.at(before).select('quarantine')}) p "
        f"anti join ({lake.at(before + 1).select('quarantine')}) a using (load_id, item) "
        "semi join loads on loads.load_id = p.load_id and loads.status = 'loaded'"
    )
    removed["quarantine"] = "gone_quarantine"
    changes["quarantine"] = "released"
