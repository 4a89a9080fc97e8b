"""Where a table begins: delimiter, junk lines above, one or two header rows or none."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

__all__ = ["Header", "find_delimiter", "find_header", "normalise", "unique_names"]

_DELIMITERS = ",;\t|"
_TYPED = re.compile(r"^[-+]?[\d.,%¥$€]*\d[\d.,%]*$|^\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}|^\d{1,3}:\d\d")
_RESERVED = ("_file", "_line")


@dataclass(frozen=True)
class Header:
    """The header of a table.

    Attributes
    ----------
    names : tuple of str
        Unique column names.
    first : int
        Index of the first data row among the rows looked at.
    rows : int
        Number of header rows: 0, 1 or 2.
    """

    names: tuple[str, ...]
    first: int
    rows: int


def normalise(name: str) -> str:
    """Reduce a heading to what counts when headings are compared: no case, blanks, underscores or brackets' shape."""
    folded = name.casefold().replace("（", "(").replace("）", ")").replace("_", " ")
    return re.sub(r"\s+", " ", folded).strip()


def find_delimiter(text: str, quote: str = '"') -> str:
    """Return the delimiter that splits the sample into the most regular rows; a comma when none does."""
    lines = text.splitlines(keepends=True)[:200]
    best, best_score = ",", 0.0
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter, quotechar=quote) if row]
        except csv.Error:
            continue
        # The last row of the sample may be cut off.
        widths = Counter(len(row) for row in rows[:-1] or rows)
        if not widths:
            continue
        width, times = max(widths.items(), key=lambda item: (item[0] > 1, item[1]))
        score = times / sum(widths.values()) * (2 + min(width, 30) / 30) if width > 1 else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def find_header(
    rows: Sequence[Sequence[str | None]],
    expected: Collection[str] = (),
    header: int | str = "auto",
    skip: int | None = None,
) -> Header:
    """Find the header among the first rows of a file or sheet.

    Parameters
    ----------
    rows : sequence of rows of str or None
        The first rows, the junk above included.
    expected : collection of str
        Names that a known source has: a row that holds most of them is the header.
    header : int or "auto"
        Number of header rows, when known.
    skip : int, optional
        Rows above the header, when known.
    """
    filled = [sum(1 for cell in row if _text(cell)) for row in rows]
    width = _width(filled)
    start = skip if skip is not None else _start(rows, filled, width, expected)
    if start >= len(rows):
        return Header((), len(rows), 0)
    body = [row for row, n in zip(rows[start + 2 :], filled[start + 2 :], strict=True) if n >= max(1, width // 2)]
    count = header if isinstance(header, int) else _header_rows(rows, start, body, expected)
    size = _columns(rows, start, count)
    if count == 0:
        return Header(unique_names([None] * size), start, 0)
    names: list[str | None] = [_text(cell) for cell in _pad(rows[start], size)]
    if count == 2 and start + 1 < len(rows):
        names = _join(names, [_text(cell) for cell in _pad(rows[start + 1], size)])
    return Header(unique_names(names), start + count, count)


def unique_names(names: Sequence[str | None]) -> tuple[str, ...]:
    """Make headings usable as column names: none empty, none twice (case aside, as SQL compares them)."""
    taken = {name.casefold() for name in _RESERVED}
    out = []
    for position, name in enumerate(names, start=1):
        base = re.sub(r"\s+", " ", name or "").strip() or f"column_{position}"
        candidate, n = base, 1
        while candidate.casefold() in taken:
            n += 1
            candidate = f"{base}_{n}"
        taken.add(candidate.casefold())
        out.append(candidate)
    return tuple(out)


def _text(cell: str | None) -> str:
    return (cell or "").strip()


def _pad(row: Sequence[str | None], size: int) -> list[str | None]:
    return [*row[:size], *[None] * (size - len(row))]


def _width(filled: Sequence[int]) -> int:
    """Return the usual number of filled cells, ignoring blank rows and lone titles."""
    counts = Counter(n for n in filled if n > 1) or Counter(n for n in filled if n)
    return max(counts.items(), key=lambda item: (item[1], item[0]))[0] if counts else 0


def _start(rows: Sequence[Sequence[str | None]], filled: Sequence[int], width: int, expected: Collection[str]) -> int:
    wanted = {normalise(name) for name in expected}
    for index, row in enumerate(rows[:50]):
        if wanted and len(wanted & {normalise(_text(cell)) for cell in row}) >= max(1, (len(wanted) + 1) // 2):
            return index
    # Without known names: the first row about as full as the table. Data cells may be empty, headings rarely are.
    for index, n in enumerate(filled):
        if n and n >= max(1, round(width * 0.8)):
            # A row of merged headings stands above the headings proper.
            above = index - 1
            if above >= 0 and 1 < filled[above] < n and not _typed(rows[above]) and not _typed(row=rows[index]):
                return above
            return index
    return 0


def _typed(row: Sequence[str | None]) -> int:
    return sum(1 for cell in row if _TYPED.match(_text(cell)))


def _header_rows(
    rows: Sequence[Sequence[str | None]], start: int, body: Sequence[Sequence[str | None]], expected: Collection[str]
) -> int:
    """Count header rows: rows without numbers or dates in the columns where the body has them."""
    wanted = {normalise(name) for name in expected}
    if wanted and len(wanted & {normalise(_text(cell)) for cell in rows[start]}) >= (len(wanted) + 1) // 2:
        return 1
    size = max((len(row) for row in body), default=len(rows[start]))
    typed = [c for c in range(size) if _share_typed(body, c) >= 0.8]
    if not typed:
        return 0 if _typed(rows[start]) else 1

    def like_heading(row: Sequence[str | None]) -> bool:
        cells = [_text(cell) for cell in _pad(row, size)]
        return not any(_TYPED.match(cells[c]) for c in typed) and any(cells[c] for c in typed)

    if not like_heading(rows[start]):
        gaps = sum(1 for cell in rows[start] if _text(cell)) > 0 and not _typed(rows[start])
        return 2 if gaps and start + 1 < len(rows) and like_heading(rows[start + 1]) else 0
    second = start + 1 < len(rows) and like_heading(rows[start + 1]) and len(typed) > 1
    return 2 if second and sum(1 for c in rows[start + 1] if _text(c)) > 1 else 1


def _share_typed(body: Sequence[Sequence[str | None]], column: int) -> float:
    cells = [_text(row[column]) for row in body if column < len(row)]
    cells = [cell for cell in cells if cell]
    return sum(1 for cell in cells if _TYPED.match(cell)) / len(cells) if cells else 0.0


def _columns(rows: Sequence[Sequence[str | None]], start: int, count: int) -> int:
    """Return the number of columns; empty headings at the end count only when most rows reach them."""
    widths = Counter(len(row) for row in rows[start + count :] if any(_text(cell) for cell in row))
    usual = widths.most_common(1)[0][0] if widths else 0
    headed = 0
    for row in rows[start : start + count]:
        headed = max([headed, *(i + 1 for i, cell in enumerate(row) if _text(cell))])
    return max(headed, usual)


def _join(upper: Sequence[str | None], lower: Sequence[str | None]) -> list[str | None]:
    joined, last = [], ""
    for above, below in zip(upper, lower, strict=True):
        last = above or last
        if not below:
            joined.append(above)
        else:
            joined.append(below if last in ("", below) else f"{last} {below}")
    return joined
