"""CSV, TSV and their like: DuckDB reads them; where its count of rows doesn't add up, a slower reader does it again."""

from __future__ import annotations

import csv
import mmap
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from svcanalytics.errors import LoadError
from svcanalytics.store.engine import identifier, literal
from svcanalytics.store.reading.encodings import as_utf8, find_encoding, head
from svcanalytics.store.reading.formats import FileFormat
from svcanalytics.store.reading.headers import Header, find_delimiter, find_header
from svcanalytics.store.reading.staging import Reject, Stage

__all__ = ["read_delimited"]

_SAMPLE = 200
# A quote that opens and is still open after this many lines was never meant as one.
_LONGEST_RECORD = 2000
_PLAIN = {
    "MISSING COLUMNS": "fewer columns than the header",
    "TOO MANY COLUMNS": "more columns than the header",
    "INVALID ENCODING": "bytes that the file's encoding does not know",
    "UNQUOTED VALUE": "quotes that do not match",
}


def read_delimited(stage: Stage, path: Path, name: str, layout: FileFormat, expected: tuple[str, ...]) -> None:
    """Read one delimited text file into the stage.

    Parameters
    ----------
    stage : Stage
        Takes the rows and the rejects.
    path : Path
        The file.
    name : str
        The name rows are to carry.
    layout : FileFormat
        What is known of the layout.
    expected : tuple of str
        Columns that the source should have; they help to find the header.
    """
    encoding = find_encoding(path) if layout.encoding == "auto" else layout.encoding
    if encoding not in ("utf-8", "utf-8-sig"):
        stage.notes.append(f"{name}: read as {encoding}")
    file = as_utf8(path, encoding, stage.work)
    sample = head(file)
    if not sample.strip():
        stage.notes.append(f"{name}: empty")
        return
    delimiter = layout.delimiter or find_delimiter(sample, layout.quote)
    lines, rows = _sample_rows(sample, delimiter, layout.quote)
    header = find_header(rows, expected, layout.header, layout.skip)
    if not header.names:
        raise LoadError("no table found in it", where=name, fix="give the number of lines above the header as skip")
    if any("\ud800" <= c <= "\udfff" for heading in header.names for c in heading):
        fix = "check that it is a text file; if so, say its encoding in the mapping or export it as UTF-8"
        raise LoadError(f"the headings are no text in {encoding}", where=name, fix=fix)
    above = lines[header.first - 1] if header.first else 0
    if header.first - header.rows > 0:
        stage.notes.append(f"{name}: {header.first - header.rows} lines above the header left aside")
    reader = _Reader(stage, file, name, header, delimiter, layout.quote, above)
    if not reader.read_fast():
        reader.read_slowly()


def _sample_rows(sample: str, delimiter: str, quote: str) -> tuple[list[int], list[list[str]]]:
    """Split the first lines; return for each row the physical line it ends on, and its cells."""
    lines, rows = [], []
    reader = csv.reader(sample.splitlines(keepends=True), delimiter=delimiter, quotechar=quote or None)
    try:
        for row in reader:
            rows.append(row)
            lines.append(reader.line_num)
            if len(rows) >= _SAMPLE:
                break
    except csv.Error:
        pass
    return lines, rows


class _Reader:
    def __init__(
        self, stage: Stage, file: Path, name: str, header: Header, delimiter: str, quote: str, above: int
    ) -> None:
        self.stage, self.file, self.name, self.header = stage, file, name, header
        self.delimiter, self.quote, self.above = delimiter, quote, above

    def read_fast(self) -> bool:
        """Let DuckDB read the file; false when the rows it gives don't account for every line."""
        import duckdb

        con, part = self.stage.con, self.stage.new_part()
        scans, errors = f"{part}_scans", f"{part}_errors"
        columns = "{" + ", ".join(f"{literal(c)}: 'VARCHAR'" for c in self.header.names) + "}"
        quote = literal(self.quote)
        con.execute(f"drop table if exists {scans}; drop table if exists {errors}")
        try:
            con.execute(
                f"create or replace temp table {part} as select * from read_csv({literal(str(self.file))}, "
                f"columns={columns}, auto_detect=false, header=false, skip={self.above}, "
                f"delim={literal(self.delimiter)}, quote={quote}, escape={quote}, store_rejects=true, rejects_limit=0, "
                f"rejects_scan={literal(scans)}, rejects_table={literal(errors)})"
            )
        except duckdb.Error:
            return False
        rejects = con.execute(
            f"select line, any_value(error_type), any_value(csv_line) from {errors} group by line order by line"
        ).fetchall()
        con.execute(f"drop table if exists {scans}; drop table if exists {errors}")
        if any(kind not in _PLAIN or "\n" in raw.strip("\r\n") for _, kind, raw in rejects):
            return False
        stored = con.execute(f"select count(*) from {part}").fetchall()[0][0]
        breaks = self._count_breaks(part)
        if stored + len(rejects) + breaks != _count_lines(self.file) - self.above:
            return False
        self._number(part, rejects, breaks)
        return True

    def _count_breaks(self, part: str) -> int:
        """Count line breaks inside the stored fields."""
        total = " + ".join(f"sum(coalesce({_breaks(c)}, 0))" for c in self.header.names)
        any_break = " or ".join(f"contains({identifier(c)}, chr(10))" for c in self.header.names)
        found = self.stage.con.execute(f"select {total} from {part} where {any_break}").fetchall()[0][0]
        return int(found or 0)

    def _number(self, part: str, rejects: list[tuple[int, str, str]], breaks: int) -> None:
        """Add the physical line to the rows: their order is that of the file, so only gaps have to be known."""
        con, first, view = self.stage.con, self.above + 1, f"{part}_lines"
        con.execute(f"drop view if exists {view}")
        self.stage.add(self.name, view, self.header.names)
        if not rejects and not breaks:
            con.execute(f"create temp view {view} as select *, rowid + {first} as _line from {part}")
            return
        import numpy as np
        import pandas as pd

        stored = con.execute(f"select count(*) from {part}").fetchall()[0][0]
        lines = np.arange(stored) + first
        # DuckDB counts records, not lines: a reject of record r has r - first - (rejects before it) rows before it.
        before = np.array([line - first - n for n, (line, *_) in enumerate(rejects)], dtype="int64")
        lines += np.searchsorted(before, np.arange(stored), side="right")
        starts = np.array([line for line, *_ in rejects], dtype="int64")
        if breaks:
            inside = " + ".join(f"coalesce({_breaks(c)}, 0)" for c in self.header.names)
            counts = con.execute(f"select {inside} as n from {part} order by rowid").fetchnumpy()["n"]
            passed = np.concatenate(([0], np.cumsum(counts))).astype("int64")
            lines += passed[:-1]
            starts += passed[before]
        con.register("svc_chunk", pd.DataFrame({"_row": np.arange(stored), "_line": lines}))
        con.execute(f"create or replace temp table {part}_numbers as select * from svc_chunk")
        con.unregister("svc_chunk")
        con.execute(
            f"create temp view {view} as select p.*, n._line from {part} p join {part}_numbers n on p.rowid = n._row"
        )
        self.stage.reject(
            (self.name, int(line), "", _PLAIN[kind], raw.strip("\r\n"))
            for line, (_, kind, raw) in zip(starts, rejects, strict=True)
        )

    def read_slowly(self) -> None:
        """Read row by row in Python: exact about lines, blank ones and quotes that never close."""
        rejects: list[Reject] = []
        self.stage.add_rows(self.name, self.header.names, self._records(rejects))
        self.stage.reject(rejects)

    def _records(self, rejects: list[Reject]) -> Iterator[tuple[int, list[str | None]]]:
        width = len(self.header.names)
        with self.file.open("r", encoding="utf-8-sig", errors="surrogateescape", newline="") as source:
            feed = _Lines(source)
            feed.skip(self.above)
            while (line := feed.begin()) is not None:
                reader = csv.reader(feed, delimiter=self.delimiter, quotechar=self.quote or None, strict=True)
                try:
                    row = next(reader)
                except (csv.Error, StopIteration):
                    # Only the line the record began on is given up; what it had swallowed is read again.
                    raw = feed.give_back().rstrip("\r\n")
                    rejects.append((self.name, line, "", _PLAIN["UNQUOTED VALUE"], raw))
                    continue
                if not row:
                    continue
                if any("\udc80" <= c <= "\udcff" for cell in row if not cell.isascii() for c in cell):
                    rejects.append((self.name, line, "", _PLAIN["INVALID ENCODING"], feed.text()))
                elif len(row) != width:
                    kind = "MISSING COLUMNS" if len(row) < width else "TOO MANY COLUMNS"
                    rejects.append((self.name, line, "", _PLAIN[kind], feed.text().rstrip("\r\n")))
                else:
                    yield line, [cell or None for cell in row]


class _Lines:
    """Lines of a file for `csv.reader`, counted, that can be put back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source, self._waiting, self._record, self._number = source, deque[str](), [], 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if len(self._record) > _LONGEST_RECORD:
            raise StopIteration
        line = self._waiting.popleft() if self._waiting else next(self._source)
        self._number += 1
        self._record.append(line)
        return line

    def skip(self, count: int) -> None:
        for _ in range(count):
            self.begin()
            next(self, None)
        self._record.clear()

    def begin(self) -> int | None:
        """Start a record; return the number of its first line, or None at the end."""
        self._record.clear()
        if not self._waiting:
            line = next(self._source, None)
            if line is None:
                return None
            self._waiting.append(line)
        return self._number + 1

    def text(self) -> str:
        return "".join(self._record)

    def give_back(self) -> str:
        """Put all lines of the record back but the first, and return that one."""
        first, *rest = self._record
        self._waiting.extendleft(reversed(rest))
        self._number -= len(rest)
        return first


def _breaks(column: str) -> str:
    name = identifier(column)
    return f"length({name}) - length(replace({name}, chr(10), ''))"


def _count_lines(path: Path) -> int:
    """Count physical lines, blank ones at the end aside."""
    if path.stat().st_size == 0:
        return 0
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        end = len(data)
        while end and data[end - 1] in b"\r\n":
            end -= 1
        return _count_newlines(data, 0, end) + 1


def _count_newlines(data: mmap.mmap, start: int, end: int) -> int:
    block = 1 << 24
    return sum(data[i : min(i + block, end)].count(b"\n") for i in range(start, end, block))
