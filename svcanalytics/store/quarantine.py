"""Rows that could not be stored: which, why, and what was in them.

An entry keeps the file's hash, line, column, reason and the row's masked text. Whoever needs the row as it was opens
the original in the landing folder; a release, after the mapping is mended, reads the original again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from svcanalytics.store.engine import identifier, literal
from svcanalytics.store.ledger import schema
from svcanalytics.store.masking import mask, mask_json
from svcanalytics.store.verdicts import SEPARATOR, Judged

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from svcanalytics.store.lake import Lake

__all__ = ["gather", "quarantined"]

_LONGEST = 4000
_CUSTOMER = "[customer]"


def quarantined(lake: Lake, load_id: str | None = None) -> pd.DataFrame:
    """List the rows in quarantine, those of the newest load first.

    Parameters
    ----------
    lake : Lake
        Read at its snapshot.
    load_id : str, optional
        Only the rows of this load.

    Returns
    -------
    DataFrame
        load_id, at, source, table, file, line, column, reason, text (masked), sha256 (of the original).
    """
    condition = f"where load_id = {literal(load_id)}" if load_id else ""
    return lake.sql(
        f'select load_id, "at", source, "table", file, line, "column", reason, text, sha256 from quarantine '
        f'{condition} order by "at" desc, load_id desc, item'
    )


def gather(
    con: duckdb.DuckDBPyConnection,
    judged: Sequence[Judged],
    columns: Sequence[str],
    customers: Sequence[str],
    *,
    load_id: str,
    source: str,
    sha256: str,
    primary: str,
) -> int:
    """Collect the rows in quarantine of one load into the relation ``changes_quarantine``; return how many.

    Parameters
    ----------
    judged : sequence of Judged
        The load's tables.
    columns : sequence of str
        The source's columns, in the table ``raw``.
    customers : sequence of str
        Those that name the customer, who is taken out of the row's text.
    """
    con.create_function("svc_masked_row", _masked_row, ["VARCHAR", "VARCHAR"], "VARCHAR")
    con.create_function("svc_masked_reject", _masked_reject, ["VARCHAR"], "VARCHAR")
    pairs = ", ".join(f"{literal(column)}, r.{identifier(column)}" for column in columns)
    parts = [
        f'select {literal(primary)} as "table", file, line, "column", reason, '
        "svc_masked_reject(coalesce(raw, '')) as text from raw_rejects"
    ]
    for one in judged:
        if not one.counts["quarantined"]:
            continue
        hashed = [f"s.{identifier(n)}" for n in one.given if one.table.columns[n].privacy == "hash"]
        known = [*hashed, *(f"r.{identifier(column)}" for column in customers)]
        secret = f"coalesce({', '.join(known)}, '')" if known else "''"
        faulty = f"(select * from {one.stage} where _fault is not null)"
        parts.append(
            f"select {literal(one.table.name)}, s._file, s._line, split_part(s._fault, {literal(SEPARATOR)}, 1), "
            f"split_part(s._fault, {literal(SEPARATOR)}, 2), "
            f"svc_masked_row(cast(json_object({pairs}) as varchar), {secret}) "
            f"from {faulty} s left join raw r on r._file = s._file and r._line = s._line"
        )
    con.execute(
        "create or replace temp table changes_quarantine as select "
        f'{literal(load_id)} as load_id, row_number() over () as item, current_timestamp as "at", '
        f'{literal(source)} as source, {literal(sha256)} as sha256, "table", '
        f"svc_mask(coalesce(file, '')) as file, line, "
        f"\"column\", svc_mask(coalesce(reason, '')) as reason, text, 0::bigint as month_key "
        f"from ({' union all '.join(parts)})"
    )
    assert set(schema("quarantine").all_columns) == {
        row[0] for row in con.execute("describe changes_quarantine").fetchall()
    }
    return con.execute("select count(*) from changes_quarantine").fetchall()[0][0]


def _masked_row(row: str, customer: str) -> str:
    """Mask a row given as a JSON object, and the customer wherever the identifier stands in it."""
    text = row
    if customer:
        values = json.loads(row)
        word = re.compile(rf"(?<![\w]){re.escape(customer)}(?![\w])", re.IGNORECASE)
        hidden = {
            name: word.sub(_CUSTOMER, value) if isinstance(value, str) else value for name, value in values.items()
        }
        text = json.dumps(hidden, ensure_ascii=False)
    return mask_json(text)[:_LONGEST]


def _masked_reject(text: str) -> str:
    """Mask a line that could not be split: nobody can say which part is the customer, so no digit stays."""
    return re.sub(r"\d", "#", mask(text))[:_LONGEST]
