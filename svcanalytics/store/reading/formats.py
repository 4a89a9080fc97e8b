"""What a source is and how its file is laid out, and what reading it gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["FileFormat", "Query", "Reading"]

Kind = Literal["auto", "csv", "excel", "parquet", "json", "xes"]


class FileFormat(BaseModel):
    """How a file is laid out; what is left out is found by looking at the file.

    Attributes
    ----------
    kind : str
        ``csv`` (any delimiter), ``excel``, ``parquet``, ``json`` (lines, a list, or an object holding one list),
        ``xes``; ``auto`` goes by name and content.
    encoding : str
        For example ``utf-8``, ``gb18030``, ``utf-16``; ``auto`` decides over the whole file.
    delimiter, quote : str
        Of a text file; an empty delimiter is found by trying.
    header : int or "auto"
        Number of header rows: 0 (columns are named ``column_1`` …), 1 or 2.
    skip : int, optional
        Lines or sheet rows above the header; found when left out.
    sheet : str or list of str, optional
        Sheets to read; left out: those that hold the expected columns, else the fullest and those headed like it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind = "auto"
    encoding: str = "auto"
    delimiter: str = ""
    quote: str = '"'
    header: Literal["auto", 0, 1, 2] = "auto"
    skip: int | None = None
    sheet: str | list[str] | None = None

    @property
    def sheets(self) -> list[str]:
        """The sheets named, as a list."""
        if self.sheet is None:
            return []
        return [self.sheet] if isinstance(self.sheet, str) else list(self.sheet)


@dataclass(frozen=True)
class Query:
    """Rows of a database: an SQLAlchemy URL and the query to run there.

    The URL may hold a password; it is never shown.
    """

    url: str = field(repr=False)
    sql: str
    name: str = "query"


@dataclass(frozen=True)
class Reading:
    """Everything a source held, as text.

    Attributes
    ----------
    columns : tuple of str
        The source's columns, in its order; the table has them as VARCHAR, then ``_file`` and ``_line``.
    rows : int
        Rows in `table`.
    rejected : int
        Rows in `rejects`: each is a row of the file that could not be split into columns.
    table, rejects : str
        Names of the two DuckDB tables. `rejects` has ``file, line, "column", reason, raw``.
    notes : tuple of str
        What was decided on the way: sheets left aside, encoding found.
    """

    columns: tuple[str, ...]
    rows: int
    rejected: int
    table: str = "raw"
    rejects: str = "raw_rejects"
    notes: tuple[str, ...] = ()
