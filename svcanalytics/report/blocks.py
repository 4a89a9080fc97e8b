"""What a report is made of: headings, texts, tables and figures that carry data, never HTML.

A section of a report returns blocks. In a notebook a block shows itself through a MIME bundle: its data as JSON, from
which the page and the workbook are rendered, and a small escaped preview for JupyterLab.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any, ClassVar

from svcanalytics.charts.characters import readable, readable_json
from svcanalytics.report.words.formats import format_value, is_missing

__all__ = [
    "KINDS",
    "MIME",
    "Blocks",
    "Cell",
    "Column",
    "Document",
    "Figure",
    "Heading",
    "Proof",
    "Table",
    "Text",
    "from_json",
    "tabulate",
]

MIME = "application/vnd.svcanalytics.block+json"

#: Kinds of column. rate: a share of 0-1; points: a difference of shares, 0.012 is 1.2 percentage points; percent: a
#: relative change, 0.034 is +3.4 %; duration: seconds; date: ISO text; light: green, yellow, red or grey.
KINDS = ("text", "integer", "number", "rate", "points", "percent", "duration", "date", "light")

ROLES = ("lead", "paragraph", "note", "warning")

Value = str | int | float | bool | None


class _Shown:
    """Shows itself in a notebook; every block is one of these."""

    type: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        """Return the block as JSON data; `from_json` turns it back."""
        raise NotImplementedError

    def preview(self) -> str:
        """Return a small HTML preview, everything in it escaped."""
        raise NotImplementedError

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        # A kernel can't send half a character.
        block = readable_json(self.to_json(), leave=("svg",))
        return {MIME: block, "text/html": readable(self.preview()), "text/plain": f"<{type(self).__name__}>"}


@dataclass(frozen=True)
class Heading(_Shown):
    """A heading: level 2 opens a section, 3 a part of it. `id` is its anchor, plain letters only."""

    text: str
    level: int = 2
    id: str = ""
    type: ClassVar[str] = "heading"

    def to_json(self) -> dict[str, Any]:
        """Return the heading as JSON data."""
        return {"type": self.type, "text": self.text, "level": self.level, "id": self.id}

    def preview(self) -> str:
        """Return a small HTML preview."""
        return f"<h{self.level}>{escape(self.text)}</h{self.level}>"


@dataclass(frozen=True)
class Text(_Shown):
    """A paragraph; `role` is "lead" (the sentence to remember), "paragraph", "note" or "warning".

    `label` stands in front and says in a word what it is about.
    """

    text: str
    role: str = "paragraph"
    label: str = ""
    type: ClassVar[str] = "text"

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"unknown role of text: {self.role!r}; use one of {', '.join(ROLES)}")

    def to_json(self) -> dict[str, Any]:
        """Return the text as JSON data."""
        told = {"type": self.type, "text": self.text, "role": self.role}
        return told | ({"label": self.label} if self.label else {})

    def preview(self) -> str:
        """Return a small HTML preview."""
        tag = "strong" if self.role in ("lead", "warning") else "span"
        label = f"<strong>{escape(self.label)}</strong> " if self.label else ""
        return f"<p>{label}<{tag}>{escape(self.text)}</{tag}></p>"


@dataclass(frozen=True)
class Column:
    """A table's column: `key` names it in data, `title` is what readers see, `kind` is one of `KINDS`."""

    key: str
    title: str
    kind: str = "text"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of column: {self.kind!r}; use one of {', '.join(KINDS)}")


@dataclass(frozen=True)
class Cell:
    """A table's cell: the bare `value`, the `text` readers see, a `light`, and a `kind` where its column's isn't it.

    An absent value is None and its text says why ("no base", "too few to publish").
    """

    value: Value
    text: str
    light: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Table(_Shown):
    """A table; `id` is unique in a report (letters, digits, underscore) and names the workbook's table."""

    id: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    type: ClassVar[str] = "table"

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"table {self.id}: a row has {len(row)} cells, there are {len(self.columns)} columns")

    def to_json(self) -> dict[str, Any]:
        """Return the table as JSON data; a cell is [value, text], longer when it has a light or a kind of its own."""
        return {
            "type": self.type,
            "id": self.id,
            "title": self.title,
            "columns": [{"key": c.key, "title": c.title, "kind": c.kind} for c in self.columns],
            "rows": [[_cell_json(cell) for cell in row] for row in self.rows],
            "note": self.note,
        }

    def preview(self) -> str:
        """Return a small HTML preview."""
        head = "".join(f"<th>{escape(column.title)}</th>" for column in self.columns)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell.text)}</td>" for cell in row) + "</tr>" for row in self.rows)
        return f"<table><caption>{escape(self.title)}</caption><tr>{head}</tr>{body}</table><p>{escape(self.note)}</p>"


@dataclass(frozen=True)
class Figure(_Shown):
    """A picture as SVG text, its message as title, a sentence as alternative text, and its numbers as a table."""

    id: str
    title: str
    alt: str
    svg: str
    data: Table | None = None
    type: ClassVar[str] = "figure"

    def to_json(self) -> dict[str, Any]:
        """Return the figure as JSON data."""
        data = self.data.to_json() if self.data else None
        return {"type": self.type, "id": self.id, "title": self.title, "alt": self.alt, "svg": self.svg, "data": data}

    def preview(self) -> str:
        """Return a small HTML preview; as an image, so that nothing inside the SVG can run."""
        picture = base64.b64encode(self.svg.encode()).decode()
        return (
            f'<figure><figcaption>{escape(self.title)}</figcaption><img alt="{escape(self.alt)}" '
            f'src="data:image/svg+xml;base64,{picture}"></figure>'
        )


@dataclass(frozen=True)
class Document(_Shown):
    """The head of a report: its title, language, facts (label, text) and warnings that hold for all of it."""

    title: str
    language: str
    subtitle: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    type: ClassVar[str] = "document"

    def to_json(self) -> dict[str, Any]:
        """Return the head as JSON data."""
        return {
            "type": self.type,
            "title": self.title,
            "language": self.language,
            "subtitle": self.subtitle,
            "facts": [list(fact) for fact in self.facts],
            "warnings": list(self.warnings),
        }

    def preview(self) -> str:
        """Return a small HTML preview."""
        facts = "".join(f"<li>{escape(label)}: {escape(text)}</li>" for label, text in self.facts)
        warnings = "".join(f"<p><strong>{escape(text)}</strong></p>" for text in self.warnings)
        return f"<h1>{escape(self.title)}</h1><p>{escape(self.subtitle)}</p><ul>{facts}</ul>{warnings}"


@dataclass(frozen=True)
class Proof(_Shown):
    """The figures that a report rests on, bare: readers don't see them, `explain` and `status` compare with them.

    Each is a mapping: id (a measure's, or "index" and "index/<family>"), value, low, high, n, numerator, denominator.
    """

    figures: tuple[Mapping[str, Value], ...]
    type: ClassVar[str] = "proof"

    def to_json(self) -> dict[str, Any]:
        """Return the figures as JSON data."""
        return {"type": self.type, "figures": [dict(figure) for figure in self.figures]}

    def preview(self) -> str:
        """Return nothing: there is nothing to look at."""
        return ""


@dataclass(frozen=True)
class Blocks(_Shown, Sequence):
    """Several blocks in reading order, such as a section."""

    items: tuple[_Shown, ...] = ()
    type: ClassVar[str] = "blocks"

    def __getitem__(self, index: Any) -> Any:
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def to_json(self) -> dict[str, Any]:
        """Return the blocks as JSON data."""
        return {"type": self.type, "items": [item.to_json() for item in self.items]}

    def preview(self) -> str:
        """Return a small HTML preview."""
        return "".join(item.preview() for item in self.items)


def from_json(data: Mapping[str, Any]) -> _Shown:
    """Turn a block's JSON data back into the block.

    Raises
    ------
    ValueError
        When the data name no known type of block.
    """
    kind = data.get("type")
    fields = {key: value for key, value in data.items() if key != "type"}
    if kind == "heading":
        return Heading(**fields)
    if kind == "text":
        return Text(**fields)
    if kind == "table":
        columns = tuple(Column(**column) for column in fields["columns"])
        rows = tuple(tuple(Cell(*cell) for cell in row) for row in fields["rows"])
        return Table(fields["id"], fields["title"], columns, rows, fields["note"])
    if kind == "figure":
        return Figure(**{**fields, "data": from_json(fields["data"]) if fields.get("data") else None})
    if kind == "document":
        facts = tuple((label, text) for label, text in fields["facts"])
        return Document(**{**fields, "facts": facts, "warnings": tuple(fields["warnings"])})
    if kind == "proof":
        return Proof(tuple(fields["figures"]))
    if kind == "blocks":
        return Blocks(tuple(from_json(item) for item in fields["items"]))
    raise ValueError(f"unknown type of block: {kind!r}")


def tabulate(
    id: str,
    title: str,
    columns: Sequence[Column],
    records: Iterable[Mapping[str, Any]],
    language: str,
    note: str = "",
) -> Table:
    """Make a table from records: a ready `Cell` is taken as it is, a bare value is written as its column's kind reads.

    Parameters
    ----------
    id, title, note : str
        See `Table`.
    columns : sequence of Column
        The columns in order; a record lacking a key has an empty cell there.
    records : iterable of mappings
        One per row, such as `frame.to_dict("records")`.
    language : str
        "zh" or "en".
    """
    rows = []
    for record in records:
        cells = []
        for column in columns:
            value = record.get(column.key)
            if not isinstance(value, Cell):
                light = value if column.kind == "light" and not is_missing(value) else None
                value = Cell(plain(value), format_value(value, column.kind, language), light)
            cells.append(value)
        rows.append(tuple(cells))
    return Table(id, title, tuple(columns), tuple(rows), note)


def plain(value: Any) -> Value:
    """Return a value as JSON knows it: scalars unpacked, dates as ISO text, absent and non-finite ones None."""
    if is_missing(value):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()[:10]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, bool | int | float):
        return value
    return str(value)


def _cell_json(cell: Cell) -> list[Value]:
    if cell.kind is not None:
        return [cell.value, cell.text, cell.light, cell.kind]
    if cell.light is not None:
        return [cell.value, cell.text, cell.light]
    return [cell.value, cell.text]
