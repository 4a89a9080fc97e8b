"""What becomes of every row a load brings: new, updated, unchanged or quarantined, decided inside the engine.

A row is judged in this order: did its values convert, does it keep the table's contract, is its key unique in the load,
and does it differ from the row the lake holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from svcanalytics.store import masking
from svcanalytics.store.commit import finished
from svcanalytics.store.contract import Column, Table
from svcanalytics.store.engine import identifier, literal

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store.keys import Key
    from svcanalytics.store.lake import Lake

__all__ = ["Judged", "judge"]


@dataclass
class Judged:
    """The rows a load brings for one table, judged.

    Attributes
    ----------
    table : Table
        The table they are for.
    stage : str
        Relation of all rows: the table's columns, ``_file``, ``_line``, ``_fault``, ``_fault_column``.
    changes : str
        Relation of the rows to store, with exactly the table's columns.
    counts : Counter
        Rows by verdict: new, updated, unchanged, quarantined.
    confirmed : Counter
        Unchanged rows by the load that stored them.
    """

    table: Table
    stage: str
    changes: str
    counts: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)


def judge(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    table: Table,
    query: str,
    key: Key,
    *,
    source: str,
    load_id: str,
    versioned: bool = False,
    later: frozenset[str] = frozenset(),
) -> Judged:
    """Judge the rows that a mapping made for one table.

    Parameters
    ----------
    con : DuckDBPyConnection
        With the masking functions installed.
    lake : Lake
        What is stored is read at this lake's snapshot.
    query : str
        The mapping's SQL: columns of the table, ``_file, _line, _bad_column, _bad_reason, _version``.
    versioned : bool
        Whether ``_version`` tells which of two rows is newer.
    later : frozenset of str
        Loads whose rows stay as they are, because they are newer than what is loaded now.

    Returns
    -------
    Judged
        Its relations live as long as the connection.
    """
    stage = _stage(con, lake, table, query, key, source, load_id)
    judged = Judged(table, stage, f"changes_{table.name}")
    passed = _settle_duplicates(con, judged, versioned)
    _classify(con, lake, judged, passed, later)
    judged.counts["quarantined"] = _one(con, f"select count(*) from {stage} where _fault is not null")
    return judged


def _stage(
    con: duckdb.DuckDBPyConnection, lake: Lake, table: Table, query: str, key: Key, source: str, load_id: str
) -> str:
    """Check, mask and hash in one pass, into a table whose rowid is the order of the input."""
    name = f"stage_{table.name}"
    delivered = [row[0] for row in con.execute(f"describe {query}").fetchall()]
    given = [column for column in delivered if column in table.columns]
    rules = list(_rules(table, given))
    number = " ".join(f"when {condition} then {place}" for place, (_, _, condition) in enumerate(rules, start=1))
    names = {0: "_bad_column"} | {place: literal(column) for place, (column, _, _) in enumerate(rules, start=1)}
    words = {0: "_bad_reason"} | {place: literal(reason) for place, (_, reason, _) in enumerate(rules, start=1)}
    safe = {
        "mask": lambda c: masking.sql(identifier(c.name), json_text=c.type == "json"),
        "hash": lambda c: key.sql(identifier(c.name)),
    }
    protected = [
        f"{safe[column.privacy](column)} as {identifier(column.name)}"
        for column in table.columns.values()
        if column.privacy and column.name in given
    ]
    plain = [identifier(column) for column in given if not table.columns[column].privacy]
    con.execute(f"create or replace temp view mapped_{table.name} as {query}")
    checked = (
        f"select {', '.join([*plain, *protected])}, _file, _line, _bad_column, _bad_reason, _version, "
        f"case when _bad_column is not null then 0 {number} end as _rule from mapped_{table.name}"
    )
    also = (
        "_file",
        "_line",
        "_version",
        f"case _rule {_branches(words)} end as _fault",
        f"case _rule {_branches(names)} end as _fault_column",
    )
    rows = finished(lake, table, f"({checked})", given, source=source, load_id=load_id, also=also)
    con.execute(f"create or replace temp table {name} as {rows}")
    return name


def _branches(values: dict[int, str]) -> str:
    return " ".join(f"when {place} then {value}" for place, value in values.items())


def _rules(table: Table, given: list[str]) -> Iterator[tuple[str, str, str]]:
    """Yield column, reason and the SQL that is true for rows breaking the rule."""
    for column in table.columns.values():
        name = identifier(column.name)
        if column.name in given:
            yield from ((column.name, reason, condition) for reason, condition in _column_rules(column, name))
        elif not column.null:
            yield column.name, "missing: the source has no such column", "true"
    for earlier, later in table.order:
        if earlier in given and later in given:
            yield later, f"before {earlier}", f"{identifier(later)} < {identifier(earlier)}"


def _column_rules(column: Column, name: str) -> Iterator[tuple[str, str]]:
    if not column.null:
        yield "missing", f"{name} is null"
    if column.allowed:
        yield "not an allowed value", f"{name} not in ({', '.join(literal(value) for value in column.allowed)})"
    if column.min is not None:
        yield f"less than {column.min:g}", f"{name} < {column.min}"
    if column.max is not None:
        yield f"more than {column.max:g}", f"{name} > {column.max}"
    if column.type == "json":
        yield "not a JSON object", f"not coalesce(json_valid({name}) and left(ltrim({name}), 1) = '{{', true)"
    if column.type == "timestamp":
        yield "not a time", f"not isfinite({name})"


def _settle_duplicates(con: duckdb.DuckDBPyConnection, judged: Judged, versioned: bool) -> str:
    """Let one row per key pass and return the condition, on the stage, that the passing rows meet.

    Of rows equal in every column one passes and the others count as unchanged. Where a version tells them apart the
    newest passes, of equally new ones the last. Rows that contradict one another are all put into quarantine.
    """
    table, stage = judged.table, judged.stage
    keys = ", ".join(identifier(key) for key in table.key)
    good = f"select rowid as rid, * from {stage} where _fault is null"
    repeated = f"select {keys} from {stage} where _fault is null group by all having count(*) > 1"
    con.execute(f"create or replace temp table repeated_{table.name} as {repeated}")
    if not _one(con, f"select count(*) from repeated_{table.name}"):
        return "_fault is null"
    match = " and ".join(f"g.{identifier(key)} = r.{identifier(key)}" for key in table.key)
    con.execute(
        f"create or replace temp table places_{table.name} as select rid, {keys}, _version, row_number() over "
        f"(partition by {keys} order by _version desc nulls last, rid desc) as place from ({good}) g "
        f"semi join repeated_{table.name} r on {match}"
    )
    differs = " or ".join(
        f"s.{identifier(column)} is distinct from w.{identifier(column)}"
        for column in table.columns
        if column not in table.key
    )
    # A row loses against a newer version whatever it says; without a version a difference is a contradiction.
    pair = " and ".join(f"p.{identifier(key)} = q.{identifier(key)}" for key in table.key)
    con.execute(
        f"create or replace temp table against_{table.name} as select p.rid, q.rid as winner, "
        f"{'false' if versioned else differs or 'false'} as contradicts "
        f"from places_{table.name} p join places_{table.name} q on {pair} and q.place = 1 "
        f"join {stage} s on s.rowid = p.rid join {stage} w on w.rowid = q.rid"
    )
    conflict = (
        f"select rid from against_{table.name} where winner in "
        f"(select winner from against_{table.name} where contradicts)"
    )
    con.execute(
        f"update {stage} set _fault = 'another row of this load has the same key and other values', "
        f"_fault_column = {literal(', '.join(table.key))} where rowid in ({conflict})"
    )
    older = f"select rid from places_{table.name} where place > 1"
    judged.counts["unchanged"] += _one(con, f"select count(*) from {stage} where _fault is null and rowid in ({older})")
    return f"_fault is null and rowid not in ({older})"


def _classify(con: duckdb.DuckDBPyConnection, lake: Lake, judged: Judged, passed: str, later: frozenset[str]) -> None:
    """Compare the rows that passed with the lake, column by column, and keep those to store."""
    table, stage = judged.table, judged.stage
    columns = ", ".join(f"s.{identifier(column)}" for column in table.all_columns)
    rows = f"select rowid as rid, * from {stage} where {passed}"
    if not lake.has(table.name):
        con.execute(f"create or replace temp view {judged.changes} as select {columns} from ({rows}) s")
        judged.counts["new"] = _one(con, f"select count(*) from ({rows}) s")
        return
    match = " and ".join(f"l.{identifier(key)} = s.{identifier(key)}" for key in table.key)
    same = " and ".join(
        f"l.{identifier(column)} is not distinct from s.{identifier(column)}"
        for column in table.columns
        if column not in table.key
    )
    newer = ", ".join(literal(load) for load in sorted(later)) or "''"
    con.execute(
        f"create or replace temp table verdicts_{table.name} as select s.rid, l.load_id as stored_by, "
        f"case when l.load_id is null then 'new' when {same or 'true'} or l.load_id in ({newer}) then 'unchanged' "
        f"else 'updated' end as verdict "
        f"from ({rows}) s left join ({lake.select(table.name)}) l on {match}"
    )
    for verdict, stored_by, count in con.execute(
        f"select verdict, stored_by, count(*) from verdicts_{table.name} group by all order by all"
    ).fetchall():
        judged.counts[verdict] += count
        if verdict == "unchanged":
            judged.confirmed[stored_by] += count
    con.execute(
        f"create or replace temp view {judged.changes} as select {columns} from {stage} s "
        f"semi join verdicts_{table.name} v on v.rid = s.rowid and v.verdict <> 'unchanged'"
    )


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return con.execute(query).fetchall()[0][0]
