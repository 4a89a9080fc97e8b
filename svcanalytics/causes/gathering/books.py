"""What could be an artefact: week by week, what was missing, where rows came from, and how they were mapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier

if TYPE_CHECKING:
    from datetime import date

    import duckdb

    from svcanalytics.store import Lake

__all__ = ["read_definitions"]

_TABLES = ("cases", "contacts", "surveys", "audits", "events")
_COLUMNS = ["what", "table", "name", "at", "value", "n"]


def read_definitions(lake: Lake, con: duckdb.DuckDBPyConnection, start: date, end: date) -> pd.DataFrame:
    """Read `Material.definitions` from a lake.

    Parameters
    ----------
    lake : Lake
    con : duckdb.DuckDBPyConnection
        The lake's connection.
    start, end : date
        First and last local day.
    """
    first, last = (int(day.strftime("%Y%m%d")) for day in (start, end))
    mappings = con.sql("select load_id, mapping from loads").df().set_index("load_id")["mapping"]
    parts = []
    for table in _TABLES:
        if not lake.has(table):
            continue
        columns = [name for name, column in contract()[table].columns.items() if column.null]
        counted = ", ".join(f"count({identifier(name)}) as {identifier(name)}" for name in columns)
        rows = con.sql(
            f"select week, source, load_id, count(*) as _n, {counted} from (select *, "
            "date_trunc('week', strptime(cast(day_key as varchar), '%Y%m%d')) as week "
            f"from {identifier(table)} where day_key between {first} and {last}) group by all"
        ).df()
        rows["week"] = rows["week"].astype("datetime64[us]")
        parts += _of_table(table, rows, columns, mappings)
    found = [part for part in parts if len(part)]
    nothing = pd.DataFrame(columns=_COLUMNS).astype({"at": "datetime64[us]", "value": "float64"})
    return pd.concat(found, ignore_index=True)[_COLUMNS] if found else nothing


def _of_table(table: str, rows: pd.DataFrame, columns: list[str], mappings: pd.Series) -> list[pd.DataFrame]:
    weeks = rows.groupby("week")[["_n", *columns]].sum()
    filled = [name for name in columns if weeks[name].any()]  # a column nobody ever filled can't go missing
    empty = (1 - weeks[filled].div(weeks["_n"], axis=0)).rename_axis("at").reset_index()
    missing = empty.melt("at", var_name="name", value_name="value").assign(what="missing")
    sources, loads = (
        rows.groupby(["week", key])["_n"].sum().rename_axis(["at", "name"]).rename("value").reset_index()
        for key in ("source", "load_id")
    )
    sources = sources.assign(what="source", value=sources["value"] / sources["at"].map(weeks["_n"]))
    loads = loads.assign(what="load", value=loads["value"].astype("float64"))
    # The mapping that wrote most of a source's rows of the week, numbered in the order of first use.
    used = rows.assign(mapping=rows["load_id"].map(mappings)).dropna(subset="mapping")
    used = used.groupby(["source", "week", "mapping"])["_n"].sum().reset_index().sort_values(["week", "_n"])
    used = used.drop_duplicates(["source", "week"], keep="last")
    number = used.groupby("source")["mapping"].transform(lambda each: pd.factorize(each)[0])
    mapped = pd.DataFrame({"at": used["week"], "name": used["source"], "value": number.astype("float64")})
    parts = (missing, sources, loads, mapped.assign(what="definition"))
    return [part.assign(table=table, n=part["at"].map(weeks["_n"])) for part in parts]
