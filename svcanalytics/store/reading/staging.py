"""The DuckDB tables that readers fill: one per file or sheet, joined to ``raw`` at the end, and the rejects."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics.store.engine import identifier, literal

if TYPE_CHECKING:
    import duckdb

__all__ = ["Reject", "Stage"]

_CHUNK = 100_000
Reject = tuple[str, int, str, str, str]
"""file, line, column, reason, raw text"""


@dataclass
class Stage:
    """Where one reading puts its parts.

    Attributes
    ----------
    con : DuckDBPyConnection
        The connection that holds the tables.
    work : Path
        A folder for copies in UTF-8 and members of archives.
    table, rejects : str
        Names of the two tables in the end.
    """

    con: duckdb.DuckDBPyConnection
    work: Path
    table: str = "raw"
    rejects: str = "raw_rejects"
    parts: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.con.execute(f"drop view if exists {self.table}")
        self.con.execute(
            f'create or replace temp table {self.rejects} (file varchar, line bigint, "column" varchar, '
            "reason varchar, raw varchar)"
        )

    def new_part(self) -> str:
        """Return the name of the next part's table."""
        return f"{self.table}_part_{len(self.parts)}"

    def add(self, file: str, table: str, columns: Sequence[str]) -> None:
        """Register a part: a table or view with the columns and ``_line``, which with the file names a row."""
        taken, name, n = {part[0] for part in self.parts}, file, 1
        while name in taken:
            n += 1
            name = f"{file} ({n})"
        self.parts.append((name, table, tuple(columns)))

    def add_rows(self, file: str, columns: Sequence[str], rows: Iterable[tuple[int, Sequence[str | None]]]) -> None:
        """Register a part from Python rows: pairs of line number and values as text."""
        import pandas as pd

        part = self.new_part()
        typed = ", ".join(f"{identifier(c)} varchar" for c in (*columns,))
        self.con.execute(f"create or replace temp table {part} ({typed}{', ' if typed else ''}_line bigint)")
        iterator = iter(rows)
        names = [f"c{i}" for i in range(len(columns))]
        casts = ", ".join([*(f"cast({name} as varchar)" for name in names), "cast(_line as bigint)"])
        while chunk := list(islice(iterator, _CHUNK)):
            chunk = _storable_rows(chunk)
            frame = pd.DataFrame([[*values, line] for line, values in chunk], columns=[*names, "_line"], dtype=object)
            frame = frame.astype(dict.fromkeys(names, "str"))
            self.con.register("svc_chunk", frame)
            self.con.execute(f"insert into {part} select {casts} from svc_chunk")
            self.con.unregister("svc_chunk")
        self.add(file, part, columns)

    def reject(self, rejects: Iterable[Reject]) -> None:
        """Store rows of the source that could not be split into columns."""
        import pandas as pd

        rows = [(file, line, column, reason, _storable(raw)) for file, line, column, reason, raw in rejects]
        if rows:
            self.con.register("svc_chunk", pd.DataFrame(rows, columns=["file", "line", "column", "reason", "raw"]))
            self.con.execute(f"insert into {self.rejects} select * from svc_chunk")
            self.con.unregister("svc_chunk")

    def finish(self) -> tuple[str, ...]:
        """Join the parts to one view in the order they were added, and return its columns."""
        names: dict[str, str] = {}
        for _, _, columns in self.parts:
            for column in columns:
                names.setdefault(column.casefold(), column)
        selects = []
        for file, table, columns in self.parts:
            held = {column.casefold() for column in columns}
            listed = [
                identifier(name) if key in held else f"cast(null as varchar) as {identifier(name)}"
                for key, name in names.items()
            ]
            selects.append(f"select {', '.join([*listed, f'{literal(file)} as _file', '_line'])} from {table}")
        body = " union all ".join(selects) or "select cast(null as varchar) as _file, 0::bigint as _line where false"
        self.con.execute(f"create or replace temp view {self.table} as {body}")
        return tuple(names.values())


def _storable_rows(rows: list[tuple[int, Sequence[str | None]]]) -> list[tuple[int, Sequence[str | None]]]:
    try:
        "".join(value for _, values in rows for value in values if value).encode()
    except UnicodeEncodeError:
        return [(line, [_storable(value) if value else value for value in values]) for line, values in rows]
    return rows


def _storable(text: str) -> str:
    """Return text in which half a character, which no file can hold, is written out: "\\ud83d"."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8") if text else text
