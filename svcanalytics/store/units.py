"""A part of the organisation: which rows of every table belong to one team, site, queue, channel or business type.

A restricted lake shows these rows under the tables' own names, so that everything that reads a lake works on a unit as
it does on the whole; the tables of everybody stay in reach under the schema ``main``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from svcanalytics.errors import LakeError
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import identifier, literal

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

    from svcanalytics.store.lake import Lake

__all__ = ["KINDS", "Unit", "case_column", "count_units", "find_unit", "see_all", "show_unit"]

KINDS = ("team", "site", "queue", "channel", "business_type")
"""What an organisation is divided by."""

_IN_CHARGE = {"team": ("owner_team", "team", "first_team")}
"""Columns of cases that name the unit in charge, in order of preference; elsewhere the column is the kind's own."""
_CONCERNED = ("team", "site", "queue")
"""Kinds of unit that a line of the ledger names."""
_CONTACT = "left join main.contacts f on f.contact_id = t.contact_id"
_AGENT = "left join main.agents a on a.agent = t.agent"


@dataclass(frozen=True)
class Unit:
    """A unit and the rows that are its own.

    Attributes
    ----------
    by, name : str
        What it is, one of `KINDS`, and its name in the data.
    column : str
        The column of cases that names the unit in charge; "" without cases.
    rows : mapping of str to int
        Rows of each table that belong to it.
    left_out : tuple of str
        Tables with rows that say nothing about such units: the unit has none of them.
    """

    by: str
    name: str
    column: str = ""
    rows: Mapping[str, int] = field(default_factory=dict, compare=False)
    left_out: tuple[str, ...] = field(default=(), compare=False)


def case_column(lake: Lake, by: str) -> str:
    """Return the column of cases by which a case belongs to a unit.

    A case belongs to the team in charge of it: the first of `owner_team`, `team` and `first_team` in which the cases
    name two or more.

    Returns
    -------
    str
        "" where there are no cases, cases know no such column, or it names fewer than two units.
    """
    known = contract()["cases"].columns
    choices = [name for name in _IN_CHARGE.get(by, (by,)) if name in known]
    if not choices or not lake.whole.has("cases"):
        return ""
    counts = ", ".join(f"count(distinct {identifier(name)})" for name in choices)
    found = lake.sql(f"select {counts} from main.cases").iloc[0]
    return next((name for name, count in zip(choices, found, strict=True) if count >= 2), "")


def count_units(lake: Lake, by: str, first: int | None = None, last: int | None = None) -> pd.DataFrame:
    """Count the cases and contacts of every unit, those of some days or all.

    Parameters
    ----------
    lake : Lake
    by : str
        One of `KINDS`.
    first, last : int, optional
        Local days such as 20261031, inclusive.

    Returns
    -------
    DataFrame
        name, n (cases, or contacts where these are more), the greatest first.

    Raises
    ------
    LakeError
        When `by` is no kind of unit.
    """
    column = _checked(lake, by)
    days = f"t.day_key between {first or 0} and {last or 99999999}"
    parts = [
        f"select {owner} as name, count(*) as n from main.{table} t {joins} "
        f"where {days} and {owner} is not null group by 1"
        for table in ("cases", "contacts")
        if lake.whole.has(table)
        for owner, joins in [_owner(table, by, column)]
        if owner
    ]
    listed = " union all ".join(parts) or "select '' as name, 0 as n where false"
    return lake.sql(f"select name, cast(max(n) as bigint) as n from ({listed}) group by 1 order by n desc, name")


def find_unit(lake: Lake, by: str, name: str) -> Unit:
    """Return a unit of a lake.

    Raises
    ------
    LakeError
        When `by` is no kind of unit, or no case and no contact names the unit.
    """
    column = _checked(lake, by)
    unit = Unit(by, name, column)
    held = [table for table in contract().tables if lake.whole.has(table)]
    counts = ", ".join(f"(select count(*) from ({_rows(table, unit)})) as {identifier(table)}" for table in held)
    found = {} if not held else {table: int(n) for table, n in lake.sql(f"select {counts}").iloc[0].items()}
    if not (found.get("cases") or found.get("contacts")):
        raise LakeError(
            f"no case and no contact is of {by} {name[:80]!r}", where=str(lake.path), fix="name a unit of the data"
        )
    left_out = tuple(table for table in held if not _owner(table, by, column)[0])
    return Unit(by, name, column, found, left_out)


def show_unit(con: duckdb.DuckDBPyConnection, unit: Unit) -> None:
    """Put the unit's rows under the tables' names; those of everybody stay in the schema ``main``."""
    con.execute("create schema unit")
    for table in contract().tables:
        con.execute(f"create view unit.{identifier(table)} as {_rows(table, unit)}")
    con.execute("set search_path = 'unit,main'")


def see_all(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Return another connection to the same tables, to which the tables' names mean everybody's rows."""
    beside = con.cursor()
    beside.execute("set TimeZone='UTC'")
    return beside


def _checked(lake: Lake, by: str) -> str:
    if by not in KINDS:
        raise LakeError(f"no lake is divided by {by[:80]!r}", fix=f"use one of {', '.join(KINDS)}")
    return case_column(lake, by)


def _rows(table: str, unit: Unit) -> str:
    owner, joins = _owner(table, unit.by, unit.column)
    return f"select t.* from main.{identifier(table)} t {joins} where {owner or 'null'} = {literal(unit.name)}"


def _owner(table: str, by: str, column: str) -> tuple[str, str]:
    """Return SQL of whose a row is, and the joins that takes; "" for tables that say nothing about such units.

    A case and its events belong to who is in charge of the case; a contact, audit or roster to whom it names; a survey
    or message to whom its contact names, else its case.
    """
    columns, cases, contacts = (contract()[name].columns for name in (table, "cases", "contacts"))
    linked = "coalesce(t.case_id, f.case_id)" if "contact_id" in columns and table != "contacts" else "t.case_id"
    case = f"left join main.cases k on k.case_id = {linked}"
    if table == "cases":
        return (f"t.{column}" if column else ""), ""
    if table == "events":
        return (f"k.{column}" if column else ""), case
    if by in columns:
        return f"t.{by}", ""
    if table == "actions":
        return ("t.scope" if by in _CONCERNED else ""), ""
    if table == "contacts":
        return f"k.{by}", case
    if "contact_id" in columns:
        parts = [f"{alias}.{by}" for alias, known in (("f", contacts), ("k", cases)) if by in known]
        return f"coalesce({', '.join(parts)})", f"{_CONTACT} {case}"
    if by == "team" and "agent" in columns:
        return "a.team", _AGENT
    return "", ""
