"""SQL expressions in TOML files: parsed, checked against a list of what is allowed, and written out anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from svcanalytics.errors import MappingError

if TYPE_CHECKING:
    from sqlglot import exp

__all__ = ["render"]

_NODES = [
    "Column",
    "Identifier",
    "Literal",
    "Boolean",
    "Null",
    "Paren",
    "And",
    "Or",
    "Not",
    "EQ",
    "NEQ",
    "GT",
    "GTE",
    "LT",
    "LTE",
    "Is",
    "In",
    "Between",
    "Like",
    "ILike",
    "Case",
    "If",
    "Add",
    "Sub",
    "Mul",
    "Div",
    "IntDiv",
    "Mod",
    "Neg",
    "Cast",
    "TryCast",
    "DataType",
    "DPipe",
    "Lower",
    "Upper",
    "Trim",
    "Coalesce",
    "Nullif",
    "Substring",
    "Replace",
    "Concat",
    "Length",
    "StrPosition",
    "StartsWith",
    "EndsWith",
    "Contains",
    "SplitPart",
    "Left",
    "Right",
    "Abs",
    "Round",
    "Greatest",
    "Least",
    "Pad",
    "RegexpLike",
    "NullSafeEQ",
    "NullSafeNEQ",
    "Tuple",
]
_FUNCTIONS = ("PREVIOUS", "FINAL", "REGEXP_MATCHES", "CONTAINS", "SUFFIX", "PREFIX")
_TYPES = ("VARCHAR", "TEXT", "BIGINT", "INT", "DOUBLE", "BOOLEAN", "DECIMAL", "DATE", "TIMESTAMP")


def render(
    expression: str, column: Callable[[str], str], windows: Mapping[str, Callable[[str], str]], where: str
) -> str:
    """Check a whitelisted SQL expression and write it as DuckDB SQL.

    Parameters
    ----------
    expression : str
        Over the source's columns, which are text. ``previous(x)`` is x in the case's row before,
        ``final(x)`` in its last.
    column : callable
        From the name of a source column to its SQL.
    windows : mapping
        For ``PREVIOUS`` and ``FINAL``: from SQL to the SQL of its value in that row.
    where : str
        File and key, for messages.

    Raises
    ------
    MappingError
        When the expression can't be parsed or holds anything that is not on the list.
    """
    import sqlglot
    from sqlglot import exp

    try:
        tree = sqlglot.parse_one(expression, dialect="duckdb")
    except sqlglot.errors.SqlglotError:
        raise MappingError(f"not an SQL expression: {expression}", where=where, fix="correct it") from None
    for node in tree.walk():
        _check(node, expression, where)

    def rewrite(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column):
            return _raw(column(node.name))
        if type(node) is exp.Cast:
            # One value that can't be cast must not stop the load of all the others.
            return exp.TryCast(this=node.this, to=node.to)
        if isinstance(node, exp.Anonymous) and node.name.upper() in windows:
            if len(node.expressions) != 1:
                raise MappingError(f"{node.name}() takes one value", where=where, fix="write previous(column)")
            return _raw(windows[node.name.upper()](node.expressions[0].sql(dialect="duckdb")))
        return node

    # Leaves first: `previous` then sees its argument already rewritten.
    for node in reversed(list(tree.walk())):
        new = rewrite(node)
        if new is not node:
            if node is tree:
                tree = new
            else:
                node.replace(new)
    return f"({tree.sql(dialect='duckdb')})"


def _raw(sql: str) -> exp.Expression:
    from sqlglot import exp

    # A name that is written out as it stands: the SQL in it was made by this package.
    return exp.Var(this=sql)


def _check(node: exp.Expression, expression: str, where: str) -> None:
    from sqlglot import exp

    kind = type(node).__name__
    if isinstance(node, exp.Anonymous):
        if node.name.upper() in _FUNCTIONS:
            return
        raise MappingError(f"{node.name}() may not be used in {expression!r}", where=where, fix="use a simpler form")
    if kind not in _NODES:
        raise MappingError(f"{kind} may not be used in {expression!r}", where=where, fix="use a simpler form")
    if isinstance(node, exp.Column) and node.table:
        raise MappingError(f"{node.sql()} names a table", where=where, fix="name the source's column only")
    if isinstance(node, exp.DataType) and node.this.value.upper() not in _TYPES:
        raise MappingError(f"type {node.sql()} may not be used", where=where, fix=f"use {', '.join(_TYPES)}")
