"""One database for many questions about a lake at one snapshot: what several of them need is worked out once."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

__all__ = ["Holding"]


@dataclass(eq=False)
class Holding:
    """The database of a held lake; several threads may ask it, each through connections of its own.

    Attributes
    ----------
    con : duckdb.DuckDBPyConnection
        The lake's connection; closing it lets the database go once nobody else is connected.
    kept : dict of str to str
        Queries worked out already, and the tables that hold their rows.
    """

    con: duckdb.DuckDBPyConnection
    kept: dict[str, str] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """Return another connection to the database; what it makes for itself is gone when it is closed."""
        with self._lock:
            asked = "select current_setting('TimeZone'), current_setting('search_path')"
            (found,) = self.con.execute(asked).fetchall()
            beside = self.con.cursor()
        for name, value in zip(("TimeZone", "search_path"), found, strict=True):
            beside.execute(f"set {name} = '{value}'")
        return beside

    def keep(self, query: str) -> str:
        """Return the name of a table with the rows of a query, for as long as the database lasts."""
        with self._lock:
            if query not in self.kept:
                table = f"main.kept_{len(self.kept)}"
                self.con.execute(f"create table {table} as {query}")
                self.kept[query] = table
            return self.kept[query]
