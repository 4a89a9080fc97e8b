"""What a load did, in numbers that add up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Counts", "Erased", "LoadResult", "Undone"]


class Counts(NamedTuple):
    """Rows by what became of them; `read` is the sum of the others."""

    read: int
    new: int
    updated: int
    unchanged: int
    quarantined: int

    def again(self) -> Counts:
        """Return the counts of the same rows loaded once more: nothing changes."""
        return Counts(self.read, 0, 0, self.read - self.quarantined, self.quarantined)


@dataclass(frozen=True)
class LoadResult:
    """What a load did.

    Attributes
    ----------
    load_id : str
        Names the load in `undo` and in the quarantine; of a file loaded before, that load.
    source, name : str
        The source mapping, and the file's name, masked.
    read, new, updated, unchanged, quarantined : int
        Input rows, counted under the source's primary table; the last four add up to the first.
    tables : mapping of str to Counts
        The same numbers for the rows of every table the source feeds.
    snapshot : int
        The snapshot at which the rows are visible; 0 when nothing changed.
    already_loaded : bool
        The same file was loaded before under the same mapping.
    """

    load_id: str
    source: str
    name: str
    read: int
    new: int
    updated: int
    unchanged: int
    quarantined: int
    tables: Mapping[str, Counts] = field(default_factory=dict)
    snapshot: int = 0
    already_loaded: bool = False

    @property
    def counts(self) -> Counts:
        """The input rows by what became of them."""
        return Counts(self.read, self.new, self.updated, self.unchanged, self.quarantined)

    def __str__(self) -> str:
        lines = [
            f"{self.name} ({self.source}), load {self.load_id}" + (", loaded before" if self.already_loaded else "")
        ]
        for name, counts in {"input rows": self.counts, **self.tables}.items():
            parts = ", ".join(
                f"{value:,} {verdict}" for verdict, value in zip(Counts._fields[1:], counts[1:], strict=True)
            )
            lines.append(f"  {name}: {counts.read:,} = {parts}")
        return "\n".join(lines)

    def __rich__(self) -> Table:
        from rich.table import Table
        from rich.text import Text

        title = f"{self.name} ({self.source})" + (" - loaded before" if self.already_loaded else "")
        # A placeholder such as [phone] in the name is no markup.
        table = Table(title=Text(title), caption=f"load {self.load_id}", title_justify="left", caption_justify="left")
        table.add_column("")
        for verdict in Counts._fields:
            table.add_column(verdict, justify="right")
        for name, counts in {"input rows": self.counts, **self.tables}.items():
            table.add_row(name, *(f"{value:,}" for value in counts), end_section=name == "input rows")
        return table


@dataclass(frozen=True)
class Undone:
    """What taking back a load did.

    Attributes
    ----------
    load_id : str
        The load taken back.
    tables : mapping of str to (int, int)
        Per table, the rows removed and the rows returned to what they were before.
    snapshot : int
        The snapshot without the load.
    """

    load_id: str
    tables: Mapping[str, tuple[int, int]]
    snapshot: int

    def __str__(self) -> str:
        lines = [f"load {self.load_id} taken back"]
        lines += [f"  {name}: {gone:,} removed, {back:,} as before" for name, (gone, back) in self.tables.items()]
        return "\n".join(lines)


@dataclass(frozen=True)
class Erased:
    """What erasing a customer did.

    Attributes
    ----------
    tables : mapping of str to int
        Rows removed from the lake as it was, per table.
    mentions : int
        Rows of other customers in whose text the identifier stood and was taken out.
    files : int
        Data files rewritten, those of earlier snapshots among them.
    originals : tuple of str
        Names, masked, of the originals rewritten.
    snapshot : int
        The snapshot without the customer.
    """

    tables: Mapping[str, int]
    mentions: int
    files: int
    originals: tuple[str, ...]
    snapshot: int

    def __str__(self) -> str:
        if not (any(self.tables.values()) or self.mentions or self.files or self.originals):
            return "nothing of this customer was found: write the identifier as the source has it"
        lines = [f"  {name}: {rows:,} rows removed" for name, rows in self.tables.items()]
        if self.mentions:
            lines.append(f"  taken out of the text of {self.mentions:,} other rows")
        lines.append(f"  {self.files:,} data files and {len(self.originals):,} originals written anew")
        return "\n".join(["customer erased", *lines])
