"""Source mappings: those shipped and an organisation's own, found by name or by a file's columns, compiled to SQL."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import PrivateAttr, ValidationError

from svcanalytics import resources
from svcanalytics.errors import ConfigError, MappingError
from svcanalytics.store.contract import contract
from svcanalytics.store.conversions import compile_table
from svcanalytics.store.reading import read
from svcanalytics.store.reading.formats import FileFormat, Reading
from svcanalytics.store.reading.headers import normalise
from svcanalytics.store.rules import MappingModel
from svcanalytics.store.words import rule_for

if TYPE_CHECKING:
    import duckdb

__all__ = ["Mapping", "compile", "find", "mappings", "parse", "prepare", "recognise"]


class Mapping(MappingModel):
    """A source mapping; see `svcanalytics.store.rules` for what its TOML file may say."""

    _origin: str = PrivateAttr(default="")

    @property
    def origin(self) -> str:
        """The file it was read from."""
        return self._origin or self.name


def parse(spec: dict[str, Any], origin: str = "") -> Mapping:
    """Check a mapping's content.

    Raises
    ------
    MappingError
        Naming file, key and what is wrong with it.
    """
    try:
        mapping = Mapping(**spec)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            said = "there is no such key"
        raise MappingError(
            f"{key}: {said}" if key else said,
            where=origin or str(spec.get("name", "mapping")),
            fix="correct this key; docs/sources.md lists what a mapping may say",
        ) from None
    mapping._origin = origin
    return mapping


def mappings(folders: Iterable[Path] = ()) -> dict[str, Mapping]:
    """Read all mappings: the shipped ones, then those of the folders, which add to them or replace them by name."""
    found: dict[str, Mapping] = {}
    for folder in (resources.path("sources"), *folders):
        for file in sorted(folder.glob("*.toml")):
            mapping = _read(file)
            found[mapping.name] = mapping
    return found


def _read(file: Path) -> Mapping:
    try:
        spec = resources.read_toml(file)
    except ConfigError as error:
        raise MappingError(error.what, where=error.where, fix=error.fix) from None
    return parse({"name": file.stem, **spec}, file.name)


def find(name: str, folders: Iterable[Path] = (), columns: Iterable[str] = ()) -> Mapping:
    """Return the mapping of a name; ``contract`` and ``contract:surveys`` are made to fit the columns.

    Raises
    ------
    MappingError
        When there is none of that name, or the columns don't fit the contract.
    """
    base, _, table = name.partition(":")
    known = mappings(folders)
    if base not in known:
        raise MappingError(f"there is no source {name!r}", fix=f"use one of {', '.join(sorted(known))}")
    mapping = known[base]
    columns = tuple(columns)
    return _bind(mapping, table, columns) if not mapping.tables and columns else mapping


def recognise(columns: Iterable[str], folders: Iterable[Path] = ()) -> Mapping | None:
    """Return the mapping whose columns a file has, the one that asks for most; None when no mapping fits."""
    columns = tuple(columns)
    known = mappings(folders)
    scored = [(mapping.find_columns(columns), name) for name, mapping in known.items() if mapping.tables]
    best = max(scored, default=(0, ""))
    if best[0]:
        return known[best[1]]
    contract_like = [mapping for mapping in known.values() if not mapping.tables]
    fitting = _fitting(columns)
    if not contract_like or not fitting or not _surely(fitting[0], columns):
        return None
    return _bind(contract_like[0], fitting[0], columns)


def prepare(
    con: duckdb.DuckDBPyConnection,
    source: Any,
    name: str | None = None,
    folders: Iterable[Path] = (),
    *,
    work: Path | None = None,
) -> tuple[Mapping | None, Reading]:
    """Read a source and find the mapping to use.

    Parameters
    ----------
    con, source, work
        As `svcanalytics.store.reading.read`.
    name : str, optional
        The source's name; without one, the columns tell.
    folders : iterable of Path
        The organisation's own mappings.

    Returns
    -------
    mapping : Mapping or None
        None: no mapping fits; `svcanalytics.store.proposal.propose` makes one.
    reading : Reading
        The rows, in the table ``raw``.
    """
    folders = tuple(folders)
    if name is not None:
        mapping = find(name, folders)
        reading = read(con, source, mapping, work=work)
        return (mapping if mapping.tables else find(name, folders, reading.columns)), reading
    reading = read(con, source, work=work)
    mapping = recognise(reading.columns, folders)
    if mapping is not None and mapping.file != FileFormat(kind=mapping.file.kind):
        # The mapping knows more of the layout than a look at the file told.
        reading = read(con, source, mapping, work=work)
    return mapping, reading


def compile(mapping: Mapping, table: str, con: duckdb.DuckDBPyConnection, timezone: str, raw: str = "raw") -> str:
    """Compile the rules of one table to SQL over the raw rows; see `svcanalytics.store.conversions.compile_table`."""
    if table not in mapping.tables:
        raise MappingError(f"feeds no table {table!r}", where=mapping.origin, fix=f"use {', '.join(mapping.tables)}")
    return compile_table(mapping, table, con, timezone, raw, mapping.origin)


def _bind(mapping: Mapping, table: str, columns: tuple[str, ...]) -> Mapping:
    """Make the mapping of a file that is in contract column names already, in English or Chinese."""
    names = [table] if table else _fitting(columns)
    if not names:
        raise MappingError(
            "the columns are those of no table",
            where=mapping.origin,
            fix="name the table, as in contract:surveys, or name another source",
        )
    chosen = contract()[names[0]]
    held = {normalise(column): column for column in columns}
    rules: dict[str, Any] = {}
    for column in chosen.columns.values():
        heading = held.get(normalise(column.name)) or held.get(normalise(column.zh_name))
        if heading is not None:
            rules[column.name] = rule_for(column, heading)
        elif not column.null:
            raise MappingError(
                f"no column {column.name} ({column.zh_name}), which table {chosen.name} needs",
                where=mapping.origin,
                fix="add it, or name another table",
            )
    spec = mapping.model_dump(exclude={"tables"})
    table_spec: dict[str, Any] = {"columns": rules}
    if "attributes" in chosen.columns and "attributes" not in rules:
        table_spec["attributes"] = "rest"
    return parse({**spec, "ignore": list(chosen.common), "tables": {chosen.name: table_spec}}, mapping.origin)


def _surely(table: str, columns: tuple[str, ...]) -> bool:
    """Tell whether a file is of the table without anybody saying so: no column of it would be lost."""
    chosen = contract()[table]
    known = {normalise(name) for c in chosen.columns.values() for name in (c.name, c.zh_name)}
    strange = {normalise(column) for column in columns} - known - {normalise(name) for name in chosen.common}
    return not strange or ("attributes" in chosen.columns and len(columns) - len(strange) >= 3)


def _fitting(columns: tuple[str, ...]) -> list[str]:
    """Return the tables whose needed columns are all there and that know most of the columns, best first."""
    common = {normalise(name) for name in contract().tables["cases"].common}
    held = {normalise(column) for column in columns} - common
    scored = []
    for table in contract().tables.values():
        names = [{normalise(c.name), normalise(c.zh_name)} for c in table.columns.values()]
        needed = [{normalise(c.name), normalise(c.zh_name)} for c in table.columns.values() if not c.null]
        known = sum(1 for both in names if both & held)
        if all(both & held for both in needed) and known >= len(held) / 2:
            scored.append((known, len(needed), table.name))
    return [name for *_, name in sorted(scored, reverse=True)]
