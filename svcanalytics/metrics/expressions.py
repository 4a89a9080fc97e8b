"""Metric expressions: a small part of SQL, parsed, checked against a whitelist, and written out again for DuckDB.

What a catalogue or a user writes is never pasted into a query. It is parsed to a tree; every node must be one of a
short list; every column must exist; only then the tree is written as SQL. The subset means the same on other engines.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING

from svcanalytics.errors import CatalogueError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["Expression", "attribute", "condition", "filter_in", "names_in", "parse"]


@dataclass(frozen=True)
class Expression:
    """A checked expression.

    Attributes
    ----------
    sql : str
        DuckDB SQL over the view's columns; every name quoted, every text escaped.
    columns : frozenset of str
        The columns it reads; ``attributes`` when it reads one of them.
    boolean : bool
        True when it answers yes or no, false when it is a number.
    """

    sql: str
    columns: frozenset[str]
    boolean: bool


@cache
def parse(text: str) -> Expression:
    """Parse one expression.

    Allowed are columns, ``attributes.name``, numbers, texts in single quotes, ``true``, ``false``, ``null``, ``and``,
    ``or``, ``not``, comparisons, ``in``, ``between``, ``is null``, ``is distinct from``, ``like``, ``+ - *``, ``//``
    (whole division), ``%``, ``case when``, ``coalesce``, ``nullif``, ``least``, ``greatest``, ``abs``, ``length``,
    ``lower``, and ``date_diff('second', earlier, later)``.

    Raises
    ------
    CatalogueError
        When it is not SQL, or uses anything else. Says what, not where: the caller knows the file and the line.
    """
    import sqlglot
    from sqlglot import errors, exp

    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except errors.SqlglotError as error:
        reason = str(error).splitlines()[0]
        raise CatalogueError(f"{text!r} is not an expression: {reason}", fix="correct the SQL") from None
    if len(trees) != 1 or trees[0] is None:
        raise CatalogueError(f"{text!r} is not one expression", fix="write a single SQL expression") from None
    tree = trees[0]
    for node in tree.walk():
        _check(node, text)
    columns = frozenset(node.table or node.name for node in tree.find_all(exp.Column))
    boolean = _is_boolean(tree)
    return Expression(tree.transform(_portable).sql(dialect="duckdb", identify=True, comments=False), columns, boolean)


def names_in(by: str | Iterable[str] | None) -> list[str]:
    """Return the columns that `by` names, each once; raise CatalogueError when these are no names."""
    names = [by] if isinstance(by, str) else list(() if by is None else by) if isinstance(by, Iterable | None) else [by]
    if not all(isinstance(name, str) for name in names):
        raise CatalogueError("columns are named by text", where="by", fix='write by="team" or by=["team", "channel"]')
    return list(dict.fromkeys(names))


def filter_in(where: Mapping[str, object] | None) -> dict[str, object]:
    """Return the filter as a plain dictionary; raise CatalogueError when `where` is something else."""
    if not isinstance(where, Mapping | None):
        raise CatalogueError("a filter maps columns to values", where="where", fix='write where={"team": "A"}')
    return dict(where or {})


def condition(where: Mapping[str, object], attributes: Iterable[str] = ()) -> str:
    """Return the SQL of a filter that maps each column to a value, several values, or None for "not filled".

    Parameters
    ----------
    where : mapping
        Column to a text, number, bool, date, None, or a list, array or series of these.
    attributes : iterable of str
        The names among them that are keys of ``attributes`` rather than columns.
    """
    from sqlglot import exp

    keys = set(attributes)
    parts = []
    for name, wanted in where.items():
        column = attribute(name) if name in keys else exp.column(name, quoted=True).sql(dialect="duckdb")
        wanted = wanted.tolist() if hasattr(wanted, "tolist") else wanted
        values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
        given = ", ".join(_literal(value) for value in values if value is not None)
        tests = [f"{column} in ({given})"] if given else []
        tests += [f"{column} is null"] if None in values else []
        parts.append(f"({' or '.join(tests) or 'false'})")
    return " and ".join(parts) or "true"


def attribute(name: str) -> str:
    """Return the SQL that reads one of a row's attributes, the source's own dimensions."""
    from sqlglot import exp

    return f'json_extract_string("attributes", {exp.Literal.string(_json_path(name)).sql(dialect="duckdb")})'


def _json_path(name: str) -> str:
    return '$."' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _literal(value: object) -> str:
    from sqlglot import exp

    if isinstance(value, bool):
        return "true" if value else "false"
    if hasattr(value, "item"):  # a numpy scalar
        value = value.item()
    if isinstance(value, datetime):
        return f"timestamptz {exp.Literal.string(value.isoformat()).sql(dialect='duckdb')}"
    if isinstance(value, date):
        return f"date {exp.Literal.string(value.isoformat()).sql(dialect='duckdb')}"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return exp.Literal.string(value).sql(dialect="duckdb")
    raise CatalogueError(
        f"a filter can't hold a {type(value).__name__}", where="where", fix="use text, numbers, dates, None or lists"
    )


@cache
def _allowed() -> tuple[type[exp.Expression], ...]:
    from sqlglot import exp

    return (
        *(exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Paren, exp.Neg),
        *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is),
        *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Between, exp.Like),
        *(exp.Add, exp.Sub, exp.Mul, exp.IntDiv, exp.Mod),
        *(exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Least, exp.Greatest, exp.Abs, exp.Length, exp.Lower),
        *(exp.DateDiff, exp.Var),
    )


def _check(node: exp.Expression, text: str) -> None:
    from sqlglot import exp

    if not isinstance(node, _allowed()) or type(node) is exp.Expression:
        word = node.sql(dialect="duckdb")
        raise CatalogueError(
            f"{word!r} is not allowed in {text!r}",
            fix="use comparisons, case when, coalesce, + - * // and columns only",
        )
    if isinstance(node, exp.Literal) and not node.is_string and "." in node.name:
        raise CatalogueError(
            f"{node.name} in {text!r} is not whole", fix="numerators and denominators are whole numbers"
        )
    if isinstance(node, exp.DateDiff) and node.text("unit").upper() not in ("SECOND", "SECONDS"):
        raise CatalogueError(f"{text!r} counts something else than seconds", fix="write date_diff('second', a, b)")
    if isinstance(node, exp.Column) and node.table and node.table != "attributes":
        raise CatalogueError(f"{node.sql()!r} names a table", fix="write the column alone, or attributes.name")
    if isinstance(node, exp.In) and not node.expressions:
        raise CatalogueError(f"{text!r} holds a query", fix="list the values: x in ('a', 'b')")


def _portable(node: exp.Expression) -> exp.Expression:
    """Replace what engines disagree on: date_diff counts boundaries on one and elapsed seconds on another."""
    import sqlglot
    from sqlglot import exp

    if isinstance(node, exp.DateDiff):
        later, earlier = (
            side.transform(_portable).sql(dialect="duckdb", identify=True) for side in (node.this, node.expression)
        )
        return sqlglot.parse_one(f"((epoch_us({later}) - epoch_us({earlier})) // 1000000)", dialect="duckdb")
    if isinstance(node, exp.Column) and node.table:
        column = exp.column("attributes", quoted=True)
        return exp.Anonymous(
            this="json_extract_string", expressions=[column, exp.Literal.string(_json_path(node.name))]
        )
    return node


def _is_boolean(node: exp.Expression) -> bool:
    from sqlglot import exp

    if isinstance(node, exp.Paren):
        return _is_boolean(node.this)
    if isinstance(node, exp.Column):
        # A column's type is the view's business; `measures` and the catalogue ask it.
        return False
    yes_no = (exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is)
    return isinstance(node, (*yes_no, exp.NullSafeEQ, exp.NullSafeNEQ, exp.In, exp.Between, exp.Like, exp.Boolean))
