"""The lake: the organisation's tables on disk, read at one snapshot."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from svcanalytics.errors import ConfigError, LakeError
from svcanalytics.store import snapshot as snapshots
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import connect, identifier, literal, scan
from svcanalytics.store.files import write_atomically
from svcanalytics.store.holding import Holding
from svcanalytics.store.ledger import schema, table_names
from svcanalytics.store.settings import Settings, settings
from svcanalytics.store.snapshot import Snapshot
from svcanalytics.store.units import Unit, find_unit, show_unit

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["FORMAT", "Lake", "open"]

FORMAT = 1
"""The lake's layout on disk; a lake with another number is refused."""


@dataclass(eq=False)
class Lake:
    """A lake at one snapshot. Reading never blocks loading, nor loading reading.

    A load through this object moves it on to the new snapshot; other people's loads don't.

    Attributes
    ----------
    path : Path
        The lake's folder.
    timezone : str
        The organisation's time zone: it decides which local day and month a row belongs to.
    snapshot : Snapshot
        The table versions this object reads. `refresh` gives the lake as others have left it meanwhile.
    made_up : bool
        True for the demonstration's lake, which real data may not enter.
    settings : Settings
        The installation's configuration.
    pinned : bool
        True when this is an earlier snapshot, which can't be written to.
    unit : Unit or None
        The part of the organisation that is shown; None: all of it. A part can't be written to either.
    """

    path: Path
    timezone: str
    snapshot: Snapshot
    made_up: bool = False
    settings: Settings = field(default_factory=Settings)
    pinned: bool = False
    unit: Unit | None = None
    _holding: tuple[tuple[Hashable, ...], Holding] | None = field(default=None, init=False, repr=False)

    @property
    def key(self) -> tuple[Hashable, ...]:
        """What is read: lakes with equal keys hold the same rows."""
        # A lake that was deleted and made anew has the same path and numbers, but not the same files.
        return str(self.path), tuple(state.files for state in self.snapshot.tables.values()), self.unit

    @property
    def whole(self) -> Lake:
        """The lake with the rows of everybody."""
        return replace(self, unit=None) if self.unit else self

    @property
    def month_start(self) -> int:
        """The day of the month on which an assessment month begins."""
        return self.settings.month_start

    @property
    def country(self) -> str:
        """The country whose public holidays count."""
        return self.settings.country

    @property
    def language(self) -> str:
        """The installation's language, ``zh`` or ``en``."""
        return self.settings.language

    @property
    def landing(self) -> Path:
        """The folder of the originals, the only unmasked copy."""
        return self.path.parent / "landing" / self.path.name

    @property
    def catalogue_paths(self) -> list[Path]:
        """The organisation's own catalogue folders, which add to the shipped catalogue or override it."""
        return self._own("catalogue")

    @property
    def source_paths(self) -> list[Path]:
        """The organisation's own folders of source mappings."""
        return self._own("sources")

    def _own(self, name: str) -> list[Path]:
        folder = self.path.parent / name
        return [folder] if folder.is_dir() else []

    def has(self, table: str) -> bool:
        """Tell whether a table holds any row."""
        return self._count(contract()[table].name) > 0

    def tables(self) -> pd.DataFrame:
        """List the tables: name, rows, Delta version, and what a row is."""
        import pandas as pd

        rows = [
            (table.name, self._count(table.name), state.version if state else None, table.row[self.language])
            for table in contract().tables.values()
            for state in [self.snapshot.tables.get(table.name)]
        ]
        return pd.DataFrame(rows, columns=["table", "rows", "version", "one_row_is"]).astype({"version": "Int64"})

    def _count(self, table: str) -> int:
        state = self.snapshot.tables.get(table)
        return self.unit.rows.get(table, 0) if self.unit else state.rows if state else 0

    def connection(self) -> duckdb.DuckDBPyConnection:
        """Open a DuckDB connection with one view per table, typed even when the table is empty.

        The tables are those of the contract and the lake's own books, ``loads`` and ``quarantine``. In a lake that
        shows one unit the tables have that unit's rows, and ``main.cases`` and the like those of everybody.
        """
        if held := self._held():
            return held.connect()
        con = connect()
        for table in table_names():
            con.execute(f"create view {identifier(table)} as {self.select(table)}")
        if self.unit:
            show_unit(con, self.unit)
        return con

    @contextmanager
    def held(self) -> Iterator[Lake]:
        """Give the lake with one database behind all its connections, for many questions asked one after another.

        Connections then cost next to nothing, and what goes through `keep` is worked out once. Memory is given back
        when the block ends. A held lake that a load moves on reads what it loaded, unheld.
        """
        if self._held():
            yield self
            return
        there = replace(self)
        con = there.connection()
        there._holding = there.key, Holding(con)
        try:
            yield there
        finally:
            there._holding = None
            con.close()

    def keep(self, query: str) -> str:
        """Return SQL, to stand after ``from``, for the rows of a query; a held lake works it out once."""
        held = self._held()
        return held.keep(query) if held else f"({query})"

    def _held(self) -> Holding | None:
        return self._holding[1] if self._holding and self._holding[0] == self.key else None

    def select(self, table: str) -> str:
        """Return the SQL that reads all of a table at this snapshot, every column cast to the contract."""
        state = self.snapshot.tables.get(table)
        return self.select_files(table, state.files if state else ())

    def select_files(self, table: str, files: Iterable[str]) -> str:
        """Return the SQL that reads some of a table's files, named relative to the lake, cast to the contract."""
        columns = schema(table).all_columns.values()
        files = list(files)
        if not files:
            empty = ", ".join(f"cast(null as {c.sql_type}) as {identifier(c.name)}" for c in columns)
            return f"select {empty} where false"
        typed = {c.name: f"cast({identifier(c.name)} as {c.sql_type}) as {identifier(c.name)}" for c in columns}
        # A column the contract gained after these files were written reads as null.
        padded = ", ".join(f"cast(null as {c.sql_type}) as {identifier(c.name)}" for c in columns)
        rows = scan(self.path / file for file in files)
        return f"select {', '.join(typed.values())} from (select {padded} where false union all by name from {rows})"

    def sql(self, query: str) -> pd.DataFrame:
        """Run SQL over the tables and return the rows as a DataFrame; times come back aware, in UTC."""
        con = self.connection()
        try:
            return con.sql(query).df()
        finally:
            con.close()

    def at(self, snapshot_id: int) -> Lake:
        """Return the lake as it stood at an earlier snapshot, to read only."""
        return self._moved(replace(self.whole, snapshot=snapshots.read(self.path, snapshot_id), pinned=True))

    def refresh(self) -> Lake:
        """Return the lake at its current snapshot."""
        return self._moved(replace(self.whole, snapshot=snapshots.current(self.path), pinned=False))

    def only(self, by: str, name: str) -> Lake:
        """Return the lake with the rows of one unit of the organisation, to read only.

        A case and its events belong to the team in charge of the case; a contact, audit or roster to whom it names; a
        survey or message to whom its contact names, else its case. Tables that say nothing about such units are empty.

        Parameters
        ----------
        by : str
            "team", "site", "queue", "channel" or "business_type".
        name : str
            The unit's name in the data.

        Raises
        ------
        LakeError
            When `by` is something else, or no case and no contact is of the unit.
        """
        return replace(self.whole, unit=find_unit(self.whole, by, name))

    def _moved(self, there: Lake) -> Lake:
        return there.only(self.unit.by, self.unit.name) if self.unit else there


def open(path: str | Path, *, timezone: str | None = None, made_up: bool = False, create: bool = True) -> Lake:
    """Open a lake at its current snapshot; make an empty one when there is none.

    Parameters
    ----------
    path : str or Path
        The lake's folder.
    timezone : str, optional
        The organisation's time zone, fixed when the lake is made: it decides local days and months. Default: that of
        ``svcanalytics.toml``.
    made_up : bool
        Mark a new lake as holding made-up data; its reports say so.
    create : bool
        False: raise instead of making a new lake.

    Raises
    ------
    LakeError
        When there is no lake and `create` is false, when the folder holds something else, or when the lake was written
        by another version of the package.
    ConfigError
        When the time zone is unknown or contradicts the lake's.
    """
    path = Path(path).absolute()
    settled = settings(near=path)
    head_file = path / "lake.json"
    if not head_file.exists():
        if not create:
            raise LakeError("there is no lake here", where=str(path), fix="load a file into it, or check the path")
        if path.exists() and (path.is_file() or any(path.iterdir())):
            raise LakeError("something else stands here that is no lake", where=str(path), fix="name another folder")
        zone = _zone(timezone or settled.timezone)
        write_atomically(head_file, json.dumps({"format": FORMAT, "timezone": zone, "made_up": made_up}))
    head = json.loads(head_file.read_text("utf-8"))
    if head.get("format") != FORMAT:
        raise LakeError(
            f"the lake has layout {head.get('format')}, this version reads {FORMAT}",
            where=str(path),
            fix="use the version of svcanalytics that wrote it, or load the originals in landing/ into a new lake",
        )
    if timezone and timezone != head["timezone"]:
        raise ConfigError(
            f"the lake keeps its days in {head['timezone']}, not {timezone}",
            where=str(path),
            fix="leave the time zone out, or load into a new lake",
        )
    return Lake(path, head["timezone"], snapshots.current(path), head["made_up"], settled)


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise ConfigError(f"unknown time zone {literal(name)}", fix="use a name such as Asia/Shanghai") from None
