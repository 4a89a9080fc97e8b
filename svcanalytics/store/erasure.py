"""Keep a promise to a customer: their rows and texts leave the lake, its earlier snapshots and the originals.

Data files that hold the customer, also those only earlier snapshots name, are written anew without, and the old ones
are removed; yesterday's snapshot can still be read, less this customer. (Delta's own time travel to versions before the
erasure ends for the files concerned.) Originals are replaced by their rows as they were read, less the customer's, so
that a later release or a second load of the same file can't bring them back.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from svcanalytics.errors import LakeError
from svcanalytics.store import masking
from svcanalytics.store import snapshot as snapshots
from svcanalytics.store.commit import copy_rows, enter, locked, writing
from svcanalytics.store.engine import connect, identifier, literal
from svcanalytics.store.files import make_private, remove, write_atomically
from svcanalytics.store.keys import key
from svcanalytics.store.landing import clear_incoming
from svcanalytics.store.ledger import schema
from svcanalytics.store.originals import examine, find_originals, mention_pattern, rewrite, without_mention
from svcanalytics.store.result import Erased
from svcanalytics.store.snapshot import Snapshot, TableState

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store.lake import Lake

__all__ = ["erase"]


def erase(lake: Lake, customer_id: str) -> Erased:
    """Remove a customer from the lake, its history and the originals.

    Parameters
    ----------
    lake : Lake
        The lake. Objects opened before keep an older snapshot, whose files are gone: open it again.
    customer_id : str
        The identifier as the source had it.

    Returns
    -------
    Erased
        What was removed. All zero when the customer is unknown.

    Raises
    ------
    LakeError
        When the identifier is empty, or the lake can't be written. An erasure cut short is finished by a second run.
    """
    customer_id = customer_id.strip()
    if not customer_id:
        raise LakeError("no customer was named", fix="give the identifier as the source has it")
    with locked(lake):
        lake = lake.refresh()
        clear_incoming(lake)
        con = connect()
        try:
            masking.install(con)
            return _Erasure(lake, con, customer_id).run()
        finally:
            con.close()
            clear_incoming(lake)


@dataclass
class _Erasure:
    lake: Lake
    con: duckdb.DuckDBPyConnection
    customer_id: str
    files: dict[str, set[str]] = field(default_factory=dict)

    def run(self) -> Erased:
        self.hashed = key(self.lake).hash(self.customer_id)
        self.journal = self.lake.landing / f".erasing-{self.hashed}.json"
        for past in [*snapshots.history(self.lake.path), self.lake.snapshot]:
            for name, state in past.tables.items():
                self.files.setdefault(name, set()).update(state.files)
        self._find_rows()
        originals = find_originals(self.lake)
        found = [hit for original in originals if (hit := examine(self.lake, original, self.customer_id, self._ids()))]
        self._remember([(hit.original.sha256, file, line) for hit in found for file, line in hit.lines])
        counts, mentions, rewritten, snapshot = self._rewrite_lake()
        for hit in found:
            rewrite(hit)
        remove(self.journal)
        names = tuple(hit.original.name for hit in found)
        return Erased(counts, mentions, rewritten, names, snapshot)

    def _ids(self) -> dict[str, list[str]]:
        return {
            column: [row[0] for row in self.con.execute(f"select {column} from gone_{column}").fetchall()]
            for column in ("case_id", "contact_id")
        }

    def _find_rows(self) -> None:
        """Find the customer's cases and contacts; what hangs on them goes too."""
        for column, table in (("case_id", "cases"), ("contact_id", "contacts")):
            ever = self.lake.select_files(table, sorted(self.files.get(table, ())))
            now = self.lake.select(table)
            own = f"customer_id = {literal(self.hashed)}"
            # A row that was the customer's by mistake, and was corrected since, stays in its corrected form.
            self.con.execute(
                f"create temp table gone_{column} as select distinct {column} from ({now}) where {own} union "
                f"select distinct {column} from ({ever}) where {own} and {column} not in (select {column} from ({now}))"
            )
        if self.journal.exists():
            # An earlier erasure of this customer was cut short: what it had found may be gone from the lake already.
            kept = json.loads(self.journal.read_text("utf-8"))
            for column in ("case_id", "contact_id"):
                if kept[column]:
                    self.con.executemany(f"insert into gone_{column} values (?)", [[value] for value in kept[column]])
        contacts = self.lake.select_files("contacts", sorted(self.files.get("contacts", ())))
        self.con.execute(
            f"insert into gone_contact_id select distinct contact_id from ({contacts}) "
            "where case_id in (select case_id from gone_case_id)"
        )

    def _remember(self, lines: list[tuple[str, str, int]]) -> None:
        """Keep what was found where only the owner can read it, until all is done."""
        make_private(self.lake.landing)
        kept = json.loads(self.journal.read_text("utf-8"))["lines"] if self.journal.exists() else []
        lines = [*lines, *(tuple(line) for line in kept)]
        write_atomically(self.journal, json.dumps({**self._ids(), "lines": lines}, ensure_ascii=False), mode=0o600)
        self.con.execute("create temp table gone_line (sha256 varchar, file varchar, line bigint)")
        if lines:
            self.con.executemany("insert into gone_line values (?, svc_mask(?), ?)", lines)

    def _conditions(self, name: str) -> tuple[str, dict[str, str]]:
        """Return the SQL that is true for rows to remove, and per column the SQL that takes mentions out."""
        table = schema(name)
        parts = [
            f"coalesce({identifier(column.name)} = {literal(self.hashed)}, false)"
            for column in table.columns.values()
            if column.privacy == "hash"
        ]
        parts += [
            f"coalesce({column} in (select {column} from gone_{column}), false)"
            for column in ("case_id", "contact_id")
            if column in table.columns
        ]
        if name == "quarantine":
            parts.append("(sha256, file, line) in (select (sha256, file, line) from gone_line)")
        texts = [c.name for c in table.columns.values() if c.privacy == "mask"]
        texts += {"quarantine": ["text", "file"], "loads": ["name"]}.get(name, [])
        if not mention_pattern(self.customer_id):
            texts = []
        return " or ".join(parts) or "false", {text: without_mention(text, self.customer_id) for text in texts}

    def _rewrite_lake(self) -> tuple[dict[str, int], int, int, int]:
        """Write files anew, name them in the current snapshot and in all before, and remove the old ones."""
        stamp = f"erase-{secrets.token_hex(4)}"
        before = self.lake.snapshot
        counts: dict[str, int] = {}
        mentions = 0
        instead: dict[str, _Swap] = {}
        changed: dict[str, TableState] = {}
        with writing(self.lake, stamp):
            for name, files in self.files.items():
                state = before.tables.get(name)
                current = set(state.files) if state else set()
                for file in sorted(files):
                    gone, mentioned = self._rewrite_file(name, file, stamp, instead)
                    if file in current:
                        mentions += mentioned
                        if gone:
                            counts[name] = counts.get(name, 0) + gone
                dropped = sorted(current & set(instead))
                if state is not None and dropped:
                    added = {swap.file: swap.rows for swap in map(instead.__getitem__, dropped) if swap.file}
                    version = enter(self.lake, schema(name), state, added, dropped, stamp)
                    changed[name] = replace(_substitute(state, instead), version=version)
            if not instead:
                return counts, mentions, 0, before.id
            after = before.next(stamp, changed)
            snapshots.replace(self.lake.path, after)
            for past in snapshots.history(self.lake.path):
                if past.id != after.id:
                    self._rewrite_snapshot(past, instead)
            for file in instead:
                remove(self.lake.path / file)
        return counts, mentions, len(instead), after.id

    def _rewrite_file(self, name: str, file: str, stamp: str, instead: dict[str, _Swap]) -> tuple[int, int]:
        gone, cleaned = self._conditions(name)
        rows = self.lake.select_files(name, [file])
        touched = " or ".join(f"coalesce({sql} <> {identifier(column)}, false)" for column, sql in cleaned.items())
        counted, mentioned, total = self.con.execute(
            f"select count(*) filter ({gone}), count(*) filter (not ({gone}) and ({touched or 'false'})), count(*) "
            f"from ({rows})"
        ).fetchall()[0]
        if not counted and not mentioned:
            return 0, 0
        swapped = ", ".join(f"{sql} as {identifier(column)}" for column, sql in cleaned.items())
        star = f"* replace ({swapped})" if swapped else "*"
        folder = self.lake.path / "tables" / name
        written = copy_rows(self.con, f"select {star} from ({rows}) where not ({gone})", folder, stamp)
        new = str(written[0][0].relative_to(self.lake.path)) if written else None
        instead[file] = _Swap(new, total - counted, counted)
        return counted, mentioned

    def _rewrite_snapshot(self, past: Snapshot, instead: dict[str, _Swap]) -> None:
        tables = {name: _substitute(state, instead) for name, state in past.tables.items()}
        if tables != past.tables:
            snapshots.keep(self.lake.path, replace(past, tables=tables))


@dataclass(frozen=True)
class _Swap:
    """What stands in a file's place: another one, or none when all its rows are gone."""

    file: str | None
    rows: int
    lost: int


def _substitute(state: TableState, instead: dict[str, _Swap]) -> TableState:
    kept = [file for file in state.files if file not in instead]
    swaps = [instead[file] for file in state.files if file in instead]
    files = sorted([*kept, *(swap.file for swap in swaps if swap.file)])
    return replace(state, files=tuple(files), rows=state.rows - sum(swap.lost for swap in swaps))
