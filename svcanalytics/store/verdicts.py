"""What becomes of every row a load brings: new, updated, unchanged or quarantined, decided inside the engine.

A row is judged in this order: did its values convert, does it keep the table's contract, is its key unique in the load,
and does it differ from the row the lake holds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from svcanalytics.store import masking
from svcanalytics.store.commit import finished, month_of
from svcanalytics.store.contract import Column, Table
from svcanalytics.store.engine import identifier, literal

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store.keys import Key
    from svcanalytics.store.lake import Lake

__all__ = ["SEPARATOR", "Judged", "judge"]

SEPARATOR = "\t"
"""Between the column and the reason of a fault."""

_TELLING = 5
"""A shorter customer identifier may be any word or number of a text."""

_CONTRADICTION = f"{SEPARATOR}another row of this load has the same key and other values"


@dataclass
class Judged:
    """The rows a load brings for one table, judged.

    Attributes
    ----------
    table : Table
        The table they are for.
    given : tuple of str
        The columns that the mapping fills.
    stage : str
        Relation of all rows: the columns delivered, customers in clear, ``_file``, ``_line``, ``_fault`` (column and
        reason, null when fine). Its rowid is the order of the input.
    changes : str
        Relation of the rows to store, with exactly the table's columns.
    counts : Counter
        Rows by verdict: new, updated, unchanged, quarantined.
    confirmed : Counter
        Unchanged rows by the load that stored them.
    """

    table: Table
    given: tuple[str, ...]
    stage: str
    changes: str
    counts: Counter[str] = field(default_factory=Counter)
    confirmed: Counter[str] = field(default_factory=Counter)


def judge(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    table: Table,
    query: str,
    given: Sequence[str],
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
    given : sequence of str
        The columns that the mapping fills.
    versioned : bool
        Whether ``_version`` tells which of two rows is newer.
    later : frozenset of str
        Loads whose rows stay as they are, because they are newer than what is loaded now.

    Returns
    -------
    Judged
        Its relations live as long as the connection.
    """
    stage = _stage(con, lake, table, query, given, key, source, load_id)
    judged = Judged(table, tuple(given), stage, f"changes_{table.name}")
    passed = _settle_duplicates(con, judged, versioned)
    _classify(con, lake, judged, passed, later)
    judged.counts["quarantined"] = _one(con, f"select count(*) from {stage} where _fault is not null")
    return judged


def _stage(
    con: duckdb.DuckDBPyConnection,
    lake: Lake,
    table: Table,
    query: str,
    given: Sequence[str],
    key: Key,
    source: str,
    load_id: str,
) -> str:
    """Check and mask in one pass, into a table whose rowid is the order of the input; return its name.

    The table holds the columns the source delivers, customers still in clear. The view ``rows_…`` over it has the
    table's columns as they will be stored, and ``rid``. Each customer is hashed once, however many rows there are.
    """
    name = f"stage_{table.name}"
    faults = [
        f"when {condition} then {literal(f'{column}{SEPARATOR}{reason}')}"
        for column, reason, condition in _rules(table, given)
    ]
    columns = [_masked(table.columns[column]) for column in given]
    con.execute(
        f"create or replace temp table {name} as select {', '.join(columns)}, _file, _line, _version, case "
        f"when _bad_column is not null then _bad_column || {literal(SEPARATOR)} || _bad_reason {' '.join(faults)} "
        f"end as _fault from {_unnamed(table, query, given)}"
    )
    joined, stored = f"(select rowid as rid, * from {name}) s", []
    for column in given:
        if table.columns[column].privacy == "hash":
            quoted, ids = identifier(column), f"ids_{table.name}_{column}"
            con.execute(
                f"create or replace temp table {ids} as select {quoted} as clear, {key.sql(quoted)} as hashed "
                f"from (select distinct {quoted} from {name} where {quoted} is not null)"
            )
            joined += f" left join {ids} on {ids}.clear = s.{quoted}"
            stored.append(f"{ids}.hashed as {quoted}")
        else:
            stored.append(f"s.{identifier(column)}")
    inner = f"(select {', '.join(stored)}, s.rid, s._fault from {joined})"
    rows = finished(lake, table, inner, given, source=source, load_id=load_id, also=("rid", "_fault"))
    con.execute(f"create or replace temp view rows_{table.name} as {rows}")
    return name


def _unnamed(table: Table, query: str, given: Sequence[str]) -> str:
    """Return the query as a relation in whose texts and attributes the row's own customer is not named."""
    customers = [column for column in given if table.columns[column].privacy == "hash"]
    texts = [identifier(column) for column in given if table.columns[column].privacy == "mask"]
    if not customers or not texts:
        return f"({query})"
    who = identifier(customers[0])
    named = f"strlen({who}) >= {_TELLING} and contains({{0}}, {who})"
    cleaned = ", ".join(
        f"case when {named.format(text)} then replace({text}, {who}, '[customer]') else {text} end as {text}"
        for text in texts
    )
    return f"(select * replace ({cleaned}) from ({query}))"


def _masked(column: Column) -> str:
    name = identifier(column.name)
    return f"{masking.sql(name, json_text=column.type == 'json')} as {name}" if column.privacy == "mask" else name


def _rules(table: Table, given: Sequence[str]) -> Iterator[tuple[str, str, str]]:
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
    for column, value, needed in table.needs:
        if column in given:
            lacks = f"{identifier(needed)} is null" if needed in given else "true"
            yield needed, f"missing, though {column} is {value}", f"{identifier(column)} = {literal(value)} and {lacks}"


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
        for column in judged.given
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
        f"update {stage} set _fault = {literal(', '.join(table.key) + _CONTRADICTION)} where rowid in ({conflict})"
    )
    older = f"select rid from places_{table.name} where place > 1"
    judged.counts["unchanged"] += _one(con, f"select count(*) from {stage} where _fault is null and rowid in ({older})")
    return f"_fault is null and rid not in ({older})"


def _classify(con: duckdb.DuckDBPyConnection, lake: Lake, judged: Judged, passed: str, later: frozenset[str]) -> None:
    """Compare the rows that passed with the lake, column by column, and keep those to store."""
    table, stage = judged.table, judged.stage
    columns = ", ".join(identifier(column) for column in table.all_columns)
    if not lake.has(table.name):
        con.execute(
            f"create or replace temp view {judged.changes} as select {columns} from rows_{table.name} where {passed}"
        )
        judged.counts["new"] = _one(
            con, f"select count(*) from (select rowid as rid, _fault from {stage}) where {passed}"
        )
        return
    match = " and ".join(f"l.{identifier(key)} = s.{identifier(key)}" for key in table.key)
    same = " and ".join(
        f"l.{identifier(column)} is not distinct from s.{identifier(column)}"
        for column in table.columns
        if column not in table.key
    )
    # Whole rows are read only of the months that hold one of the keys.
    keys = ", ".join(f"l.{identifier(key)}" for key in table.key)
    candidates = f"select {keys}, l.month_key from ({lake.select(table.name)}) l"
    held = con.execute(
        f"select distinct l.month_key from ({candidates}) l "
        f"semi join (select * from rows_{table.name} where {passed}) s on {match}"
    )
    months = {month for (month,) in held.fetchall()}
    files = [file for file in lake.snapshot.tables[table.name].files if month_of(file) in months]
    stored = lake.select_files(table.name, files)
    newer = ", ".join(literal(load) for load in sorted(later)) or "''"
    con.execute(
        f"create or replace temp table verdicts_{table.name} as select s.rid, l.load_id as stored_by, "
        f"case when l.load_id is null then 'new' when {same or 'true'} or l.load_id in ({newer}) then 'unchanged' "
        f"else 'updated' end as verdict "
        f"from (select * from rows_{table.name} where {passed}) s left join ({stored}) l on {match}"
    )
    for verdict, stored_by, count in con.execute(
        f"select verdict, stored_by, count(*) from verdicts_{table.name} group by all order by all"
    ).fetchall():
        judged.counts[verdict] += count
        if verdict == "unchanged":
            judged.confirmed[stored_by] += count
    con.execute(
        f"create or replace temp view {judged.changes} as select {columns} from rows_{table.name} "
        f"where rid in (select rid from verdicts_{table.name} where verdict <> 'unchanged')"
    )


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    return con.execute(query).fetchall()[0][0]
