"""The tables' contract as objects: what every table and column is, read from ``resources/contract.toml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from svcanalytics import resources
from svcanalytics.errors import ContractError

__all__ = ["SQL_TYPES", "Column", "Contract", "Table", "contract"]

SQL_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "text": "VARCHAR",
        "integer": "BIGINT",
        "number": "DOUBLE",
        "boolean": "BOOLEAN",
        "timestamp": "TIMESTAMPTZ",
        "date": "DATE",
        "json": "VARCHAR",
    }
)


@dataclass(frozen=True)
class Column:
    """One column of a table: its type, its rules and its meaning in both languages."""

    name: str
    type: str
    en: str
    zh: str
    zh_name: str
    null: bool = True
    allowed: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None
    unit: str = ""
    privacy: str = ""

    @property
    def sql_type(self) -> str:
        """The column's DuckDB type."""
        return SQL_TYPES[self.type]


@dataclass(frozen=True)
class Table:
    """One table: its columns, what names a row, and the time that puts a row into a month.

    `order` names pairs of times of which the first must not come after the second; `needs` a column, a value, and the
    column that a row with this value must have filled.
    """

    name: str
    en: str
    zh: str
    row: Mapping[str, str]
    key: tuple[str, ...]
    time: str
    columns: Mapping[str, Column]
    common: Mapping[str, Column]
    refs: Mapping[str, str]
    order: tuple[tuple[str, str], ...]
    needs: tuple[tuple[str, str, str], ...] = ()
    template: bool = False

    @property
    def all_columns(self) -> dict[str, Column]:
        """The table's own columns, then those that every table has."""
        return {**self.columns, **self.common}


@dataclass(frozen=True)
class Contract:
    """All tables, with the version a lake written under it carries."""

    version: int
    tables: Mapping[str, Table]

    def __getitem__(self, name: str) -> Table:
        try:
            return self.tables[name]
        except KeyError:
            raise ContractError(
                f"there is no table {name!r}", where="contract.toml", fix=f"use one of {', '.join(self.tables)}"
            ) from None


@cache
def contract() -> Contract:
    """Read the shipped contract; the same object every time."""
    raw = resources.read_toml("contract.toml")
    common = {name: _column(name, spec) for name, spec in raw["common"].items()}
    tables = {
        name: Table(
            name=name,
            en=spec["en"],
            zh=spec["zh"],
            row=spec["row"],
            key=tuple(spec["key"]),
            time=spec["time"],
            columns={column: _column(column, rules) for column, rules in spec["columns"].items()},
            common=common,
            refs=spec.get("refs", {}),
            order=tuple((earlier, later) for earlier, later in spec.get("order", [])),
            needs=tuple((column, value, needed) for column, value, needed in spec.get("needs", [])),
            template=spec.get("template", False),
        )
        for name, spec in raw["tables"].items()
    }
    return Contract(raw["version"], tables)


def _column(name: str, spec: Mapping[str, object]) -> Column:
    return Column(name=name, **{**spec, "allowed": tuple(spec.get("allowed", ()))})
