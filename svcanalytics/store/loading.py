"""Loading: a file, a data frame or a query becomes rows of the lake, all of them or none.

The original is copied to the landing folder and read from there; its rows are mapped, checked against the contract,
masked and hashed, and compared with what the lake holds. Every input row ends as new, updated, unchanged or
quarantined, and the numbers add up.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svcanalytics.errors import LakeError, LoadError, MappingError, SvcError
from svcanalytics.store import landing, masking
from svcanalytics.store import mapping as mappings
from svcanalytics.store.commit import commit, locked
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import connect, identifier, literal
from svcanalytics.store.keys import key
from svcanalytics.store.ledger import schema
from svcanalytics.store.quarantine import gather
from svcanalytics.store.reading.headers import normalise
from svcanalytics.store.result import Counts, LoadResult
from svcanalytics.store.verdicts import Judged, judge

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from svcanalytics.store.lake import Lake
    from svcanalytics.store.landing import Landed
    from svcanalytics.store.mapping import Mapping
    from svcanalytics.store.reading import Query, Reading

__all__ = ["load", "release"]

Progress = Callable[[str], None]
_MEMORY = "1200MB"


def load(
    lake: Lake,
    source_object: str | Path | pd.DataFrame | Query,
    source: str | Mapping | None = None,
    *,
    assume_yes: bool = False,
    progress: Progress | None = None,
    made_up: bool = False,
) -> LoadResult:
    """Load a source into the lake and make it visible at once.

    Parameters
    ----------
    lake : Lake
        The lake; afterwards it stands at the new snapshot.
    source_object : path, DataFrame or Query
        A file (also zipped or gzipped), a folder of files, a data frame, or a query on a database.
    source : str or Mapping, optional
        The source mapping, by name or as an object; without one the columns tell.
    assume_yes : bool
        Take the mapping proposed for a file that no mapping knows.
    progress : callable, optional
        Called with a word for each step.
    made_up : bool
        The rows are made up; they may only enter a lake of made-up data, and nothing else may.

    Returns
    -------
    LoadResult
        Input rows by what became of them, and the same per table.

    Raises
    ------
    LoadError
        When the source can't be read.
    MappingError
        When no mapping fits, or the mapping does not fit the file.
    LakeError
        When the lake can't be written, or holds made-up data and these are real, or the other way round.
    """
    if made_up != lake.made_up:
        what = "made-up data can't enter a lake of real data" if made_up else "real data can't enter the made-up lake"
        raise LakeError(what, where=str(lake.path), fix="load it into another lake")
    load_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    with locked(lake):
        run = _Run(lake.refresh(), load_id, progress or (lambda step: None))
        result = run.load(source_object, source, assume_yes)
        landing.expire(lake)
        return result


def release(lake: Lake, load_id: str, *, progress: Progress | None = None) -> LoadResult:
    """Read a load's original again under the mapping as it is now, and let in what was held in quarantine.

    Rows that a later load has changed since stay as they are. What still breaks the contract stays in quarantine, under
    the new load; when nothing can be let in, there is no new load.

    Raises
    ------
    LakeError
        When there is no such load, or it was undone, or its original is gone.
    """
    with locked(lake):
        lake = lake.refresh()
        entry = lake.sql(f"select * from loads where load_id = {literal(load_id)} and status = 'loaded'")
        if entry.empty:
            raise LakeError(f"there is no load {load_id}", where=str(lake.path), fix="`svcanalytics status` lists them")
        new_id = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        run = _Run(lake, new_id, progress or (lambda step: None))
        return run.release(entry.iloc[0].to_dict())


class _Run:
    """One load from beginning to end, with the lock held."""

    def __init__(self, lake: Lake, load_id: str, progress: Progress) -> None:
        self.lake, self.load_id, self.progress = lake, load_id, progress

    def _connect(self) -> duckdb.DuckDBPyConnection:
        """Open a connection that spills what does not fit into memory to the private landing folder."""
        con = connect()
        spill = landing.workplace(self.lake, self.load_id) / "spill"
        con.execute(f"set memory_limit={literal(_MEMORY)}; set temp_directory={literal(str(spill))}")
        return con

    def load(self, source_object: Any, source: str | Mapping | None, assume_yes: bool) -> LoadResult:
        landing.clear_incoming(self.lake)
        con = self._connect()
        landed: Landed | None = None
        is_file = isinstance(source_object, (str, Path))
        name = Path(source_object).name if is_file else getattr(source_object, "name", None) or "data frame"
        name = name if isinstance(name, str) else "data frame"
        try:
            if is_file:
                self.progress("copy")
                landed = landing.land_file(self.lake, Path(source_object).absolute(), self.load_id)
            self.progress("read")
            if landed is not None and landed.path.name == landing.ROWS:
                mapping, reading = self._restored(con, landed.path.parent, source)
            else:
                mapping, reading = self._read(con, landed.path if landed else source_object, source, assume_yes)
            if landed is None:
                landed = landing.land_rows(self.lake, con, self.load_id)
                if not landed.fresh:
                    landing.restore_rows(con, landed.folder)
            if (known := self._already(landed, mapping)) is not None:
                return known
            return self._store(con, mapping, reading, landed, masking.mask(name))
        except BaseException as error:
            if landed is not None and not self._refers(landed):
                landing.discard(landed)
            if isinstance(error, SvcError) and is_file and landed is not None:
                error.where = error.where.replace(str(landed.path), str(source_object))
            raise
        finally:
            con.close()
            landing.clear_incoming(self.lake)

    def release(self, entry: dict[str, Any]) -> LoadResult:
        original = landing.resting_place(self.lake, entry["landing"])
        if original is None:
            raise LakeError("the original is gone", where=entry["name"], fix="load the file again")
        con = self._connect()
        try:
            landed = landing.Landed(original, entry["sha256"], False)
            if original.name == landing.ROWS:
                mapping, reading = self._restored(con, original.parent, entry["source"])
            else:
                mapping, reading = self._read(con, original, entry["source"], False)
            after = self.lake.sql(
                "select load_id from loads where status = 'loaded' and before > "
                f"(select before from loads where load_id = {literal(entry['load_id'])})"
            )
            return self._store(
                con, mapping, reading, landed, entry["name"], frozenset(after["load_id"]), replaces=entry["load_id"]
            )
        finally:
            con.close()
            landing.clear_incoming(self.lake)

    def _read(
        self, con: duckdb.DuckDBPyConnection, source_object: Any, source: str | Mapping | None, assume_yes: bool
    ) -> tuple[Mapping, Reading]:
        from svcanalytics.store.reading import read

        work = landing.workplace(self.lake, self.load_id)
        folders = self.lake.source_paths
        if source is not None and not isinstance(source, str):
            return source, read(con, source_object, source, work=work)
        mapping, reading = mappings.prepare(con, source_object, source, folders, work=work)
        if mapping is None and assume_yes:
            from svcanalytics.store.proposal import propose

            proposal = propose(con, reading, self.lake.timezone, folders)
            # Kept with the lake: the next export of this source is known, and rows in quarantine can be released.
            proposal.save(self.lake.path.parent / "sources")
            mapping = proposal.mapping
        if mapping is None:
            raise MappingError(
                "no source mapping fits the columns",
                fix="name one with source=…, or let one be proposed: `svcanalytics load FILE` shows it and asks, "
                "assume_yes=True takes it unasked",
            )
        return mapping, reading

    def _restored(
        self, con: duckdb.DuckDBPyConnection, folder: Path, source: str | Mapping | None
    ) -> tuple[Mapping, Reading]:
        from svcanalytics.store.reading import Reading

        landing.restore_rows(con, folder)
        columns = tuple(r[0] for r in con.execute("describe raw").fetchall() if r[0] not in ("_file", "_line"))
        rows, rejected = (_count(con, table) for table in ("raw", "raw_rejects"))
        reading = Reading(columns, rows, rejected)
        if isinstance(source, str):
            return mappings.find(source, self.lake.source_paths, columns), reading
        mapping = source or mappings.recognise(columns, self.lake.source_paths)
        if mapping is None:
            raise MappingError("no source mapping fits the columns", fix="name one with source=…")
        return mapping, reading

    def _refers(self, landed: Landed) -> bool:
        return not self.lake.sql(f"select 1 from loads where sha256 = {literal(landed.sha256)}").empty

    def _already(self, landed: Landed, mapping: Mapping) -> LoadResult | None:
        """Return the result for a file that is loaded already under the same mapping: nothing changes."""
        found = self.lake.sql(
            f"select * from loads where sha256 = {literal(landed.sha256)} "
            f"and mapping = {literal(_fingerprint(mapping))} and status = 'loaded' order by before desc limit 1"
        )
        if found.empty:
            return None
        entry = found.iloc[0]
        tables = {name: Counts(**counts).again() for name, counts in json.loads(entry["tables"]).items()}
        counts = Counts(*(int(entry[field]) for field in Counts._fields)).again()
        return LoadResult(entry["load_id"], entry["source"], entry["name"], *counts, tables=tables, already_loaded=True)

    def _store(
        self,
        con: duckdb.DuckDBPyConnection,
        mapping: Mapping,
        reading: Reading,
        landed: Landed,
        name: str,
        later: frozenset[str] = frozenset(),
        replaces: str = "",
    ) -> LoadResult:
        masking.install(con)
        secret = key(self.lake)
        judged: list[Judged] = []
        for table, rule in mapping.tables.items():
            self.progress(f"check {table}")
            query = mappings.compile(mapping, table, con, self.lake.timezone)
            judged.append(
                judge(
                    con,
                    self.lake,
                    contract()[table],
                    query,
                    [*rule.columns, *(["attributes"] if rule.attributes and "attributes" not in rule.columns else [])],
                    secret,
                    source=mapping.name,
                    load_id=self.load_id,
                    versioned=rule.version is not None,
                    later=later,
                )
            )
        tables = {one.table.name: _counts(one) for one in judged}
        total = _total(tables[mapping.primary], reading)
        changes = {one.table.name: one.changes for one in judged if one.counts["new"] + one.counts["updated"]}
        if replaces and not changes:
            # Nothing was let in: no load is entered that a later `undo` of the original would have to take back first.
            return LoadResult(replaces, mapping.name, name, *total, tables=tables)
        held = gather(
            con,
            judged,
            reading.columns,
            _customers(mapping, reading),
            load_id=self.load_id,
            source=mapping.name,
            sha256=landed.sha256,
            primary=mapping.primary,
        )
        if held:
            changes["quarantine"] = "changes_quarantine"
        confirmed: dict[str, int] = {}
        for one in judged:
            for load_id, count in one.confirmed.items():
                confirmed[load_id] = confirmed.get(load_id, 0) + count
        self._enter(con, mapping, landed, name, total, tables, confirmed)
        changes["loads"] = "changes_loads"
        removed = {}
        if replaces:
            where = f"where load_id = {literal(replaces)}"
            con.execute(f"create temp table gone_quarantine as from ({self.lake.select('quarantine')}) {where}")
            removed["quarantine"] = "gone_quarantine"
        self.progress("write")
        snapshot = commit(self.lake, con, changes, load_id=self.load_id, removed=removed)
        return LoadResult(self.load_id, mapping.name, name, *total, tables=tables, snapshot=snapshot.id)

    def _enter(
        self,
        con: duckdb.DuckDBPyConnection,
        mapping: Mapping,
        landed: Landed,
        name: str,
        total: Counts,
        tables: dict[str, Counts],
        confirmed: dict[str, int],
    ) -> None:
        """Make the load's own line of the books, the relation ``changes_loads``."""
        entry = {
            "load_id": self.load_id,
            "at": datetime.now(UTC).isoformat(),
            "source": mapping.name,
            "name": name,
            "sha256": landed.sha256,
            "mapping": _fingerprint(mapping),
            "landing": landed.folder.name,
            "before": self.lake.snapshot.id,
            **total._asdict(),
            "tables": json.dumps({table: counts._asdict() for table, counts in tables.items()}),
            "confirmed": json.dumps(confirmed),
            "status": "loaded",
            "month_key": 0,
        }
        columns = schema("loads").all_columns.values()
        values = ", ".join(f"cast({literal(entry[c.name])} as {c.sql_type}) as {identifier(c.name)}" for c in columns)
        con.execute(f"create or replace temp table changes_loads as select {values}")


def _customers(mapping: Mapping, reading: Reading) -> list[str]:
    """Return the source's columns that name the customer."""
    named: set[str] = set()
    for table, rule in mapping.tables.items():
        for column, origin in rule.columns.items():
            if contract()[table].columns[column].privacy == "hash" and origin.column:
                listed = [origin.column] if isinstance(origin.column, str) else origin.column
                named |= {normalise(name) for name in listed}
    return [column for column in reading.columns if normalise(column) in named]


def _counts(judged: Judged) -> Counts:
    counts = [judged.counts[verdict] for verdict in ("new", "updated", "unchanged", "quarantined")]
    return Counts(sum(counts), *counts)


def _total(primary: Counts, reading: Reading) -> Counts:
    """Count input rows under the primary table; rows folded into a case's last one count as unchanged."""
    folded = reading.rows - primary.read
    if folded < 0:
        raise LoadError("the mapping makes more rows of the primary table than the file has", fix="mend the mapping")
    return Counts(
        reading.rows + reading.rejected,
        primary.new,
        primary.updated,
        primary.unchanged + folded,
        primary.quarantined + reading.rejected,
    )


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    return con.execute(f"select count(*) from {table}").fetchall()[0][0]


def _fingerprint(mapping: Mapping) -> str:
    # Pydantic warns of a union of "rest", a list and a dict that it writes down rightly all the same.
    return hashlib.sha256(mapping.model_dump_json(warnings=False).encode()).hexdigest()[:16]
