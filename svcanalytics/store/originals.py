"""What the originals in the landing folder hold of one customer, and the originals without it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics.errors import SvcError
from svcanalytics.store import landing
from svcanalytics.store import mapping as mappings
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import connect, identifier, literal
from svcanalytics.store.files import make_private, remove, remove_tree, rename
from svcanalytics.store.reading import read

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store.lake import Lake

__all__ = ["Hit", "Original", "examine", "find_originals", "mention_pattern", "rewrite", "without_mention"]

_SHORTEST = 4


@dataclass(frozen=True)
class Original:
    """An original in the landing folder: where it lies, its hash, its name (masked) and the source it was loaded as."""

    path: Path
    sha256: str
    name: str
    source: str


@dataclass(frozen=True)
class Hit:
    """An original that holds the customer.

    Attributes
    ----------
    original : Original
        The original.
    lines : list of (str, int)
        File and line of the customer's rows.
    cleaned : Path
        A private folder with its rows, less the customer's.
    """

    original: Original
    lines: list[tuple[str, int]]
    cleaned: Path


def find_originals(lake: Lake) -> list[Original]:
    """List the originals of all loads, also of those taken back; each once."""
    entries = lake.sql(
        "select distinct on (sha256) landing, sha256, name, source from loads order by sha256, before desc"
    )
    found = []
    for entry in entries.itertuples(index=False):
        path = landing.resting_place(lake, entry.landing)
        if path is not None:
            found.append(Original(path, entry.sha256, entry.name, entry.source))
    return found


def examine(lake: Lake, original: Original, customer_id: str, ids: Mapping[str, list[str]]) -> Hit | None:
    """Look for a customer in an original and prepare the rows without; None when it does not hold the customer.

    Parameters
    ----------
    customer_id : str
        As the source has it.
    ids : mapping
        ``case_id`` and ``contact_id`` to the customer's cases and contacts.
    """
    con = connect()
    work = landing.workplace(lake, original.sha256[:24])
    try:
        known = _read(con, lake, original, work)
        columns = [r[0] for r in con.execute("describe raw").fetchall() if r[0] not in ("_file", "_line")]
        con.execute("create temp table dropped (_file varchar, _line bigint)")
        if known is None:
            # Nobody can say which column is the customer: any cell with the identifier counts.
            _drop(con, "raw", " or ".join(f"trim({identifier(c)}) = {literal(customer_id)}" for c in columns))
        else:
            _drop_mapped(con, lake, known, customer_id, ids)
        mention = mention_pattern(customer_id)
        mentioned = " or ".join(f"regexp_matches({identifier(c)}, {mention})" for c in columns) if mention else ""
        count = con.execute(f"select count(*) from raw where {mentioned}").fetchall()[0][0] if mentioned else 0
        rejected = f"regexp_matches(raw, {mention})" if mention else f"contains(raw, {literal(customer_id)})"
        lines = con.execute(
            f"select distinct _file, _line from dropped union select file, line from raw_rejects where {rejected}"
        ).fetchall()
        if not lines and not count:
            remove_tree(work)
            return None
        cleaned = [
            f"{without_mention(c, customer_id)} as {identifier(c)}" if mention else identifier(c) for c in columns
        ]
        con.execute(
            f"create temp table kept as select {', '.join(cleaned)}, _file, _line from raw "
            "anti join dropped using (_file, _line)"
        )
        con.execute(f"create temp table kept_rejects as select * from raw_rejects where not ({rejected})")
        landing.save_rows(con, make_private(work / "cleaned"), "kept", "kept_rejects")
        return Hit(original, lines, work / "cleaned")
    finally:
        con.close()


def rewrite(hit: Hit) -> None:
    """Put the cleaned rows in the original's place."""
    folder = hit.original.path.parent
    # The rejects first: rows without rejects would look like an original that never had any.
    for name in (landing.REJECTS, landing.ROWS):
        rename(hit.cleaned / name, folder / name)
    if hit.original.path.name != landing.ROWS:
        if hit.original.path.is_dir():
            remove_tree(hit.original.path)
        else:
            remove(hit.original.path)
    remove_tree(hit.cleaned.parent)


def _read(con: duckdb.DuckDBPyConnection, lake: Lake, original: Original, work: Path) -> mappings.Mapping | None:
    """Read an original into ``raw``; return its mapping, None when that is gone or no longer fits."""
    folders = lake.source_paths
    if original.path.name == landing.ROWS:
        landing.restore_rows(con, original.path.parent)
        columns = [r[0] for r in con.execute("describe raw").fetchall() if r[0] not in ("_file", "_line")]
        try:
            return mappings.find(original.source, folders, columns)
        except SvcError:
            return None
    try:
        return mappings.prepare(con, original.path, original.source, folders, work=work / "unpacked")[0]
    except SvcError:
        read(con, original.path, work=work / "unpacked")
        return None


def _drop_mapped(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    mapping: mappings.Mapping,
    customer_id: str,
    ids: Mapping[str, list[str]],
) -> None:
    for column, values in ids.items():
        con.execute(f"create temp table gone_{column} ({column} varchar)")
        if values:
            con.executemany(f"insert into gone_{column} values (?)", [[value] for value in values])
    for name in mapping.tables:
        table = contract()[name]
        hashed = [c.name for c in table.columns.values() if c.privacy == "hash"]
        conditions = [f"{identifier(column)} = {literal(customer_id)}" for column in hashed]
        conditions += [f"{c} in (select {c} from gone_{c})" for c in ids if c in table.columns]
        if conditions:
            rows = f"({mappings.compile(mapping, name, con, lake.timezone)})"
            _drop(con, rows, " or ".join(conditions))


def _drop(con: duckdb.DuckDBPyConnection, rows: str, condition: str) -> None:
    con.execute(f"insert into dropped select distinct _file, _line from {rows} where {condition or 'false'}")


def without_mention(column: str, customer_id: str) -> str:
    """Return SQL of a text column in which the identifier is replaced by ``[customer]``."""
    return f"regexp_replace({identifier(column)}, {mention_pattern(customer_id)}, '\\1[customer]\\2', 'g')"


def mention_pattern(customer_id: str) -> str:
    """Return, as an SQL literal, the pattern of the identifier as a word of its own.

    Empty for an identifier too short to be told from other words: it is not looked for inside texts.
    """
    if len(customer_id) < _SHORTEST:
        return ""
    escaped = "".join(c if c.isalnum() or ord(c) > 127 else f"\\{c}" for c in customer_id)
    return literal(f"(^|[^0-9A-Za-z_]){escaped}($|[^0-9A-Za-z_])")
