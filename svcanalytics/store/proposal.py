"""A mapping proposed for a file that no mapping knows: by its headings, its types of values and what is unique."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svcanalytics.errors import MappingError
from svcanalytics.store import masking
from svcanalytics.store.contract import contract
from svcanalytics.store.engine import connect, identifier
from svcanalytics.store.mapping import Mapping, compile, mappings, parse, prepare
from svcanalytics.store.reading.formats import Reading
from svcanalytics.store.reading.headers import normalise
from svcanalytics.store.times import decide
from svcanalytics.store.tomltext import to_toml

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["Examination", "Proposal", "examine", "propose"]

_CLOCK = r"^[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?$"
_ID_NAME = re.compile(r"(\bid\b|编号|编码|单号|号码|流水|\bno\b|\bnumber\b|\bkey\b|#|号$)", re.I)
# A file of contacts has these; a list of cases may have the others.
_TELLING = {
    "contacts": {"talk_s", "answered_at", "queued_at", "direction", "abandoned", "hold_s", "wrap_s", "queue"},
    "cases": {"resolved_at", "closed_at", "due_at", "text", "reply_text", "business_type", "first_response_at"},
}


@dataclass(frozen=True)
class Proposal:
    """A proposed mapping and what it makes of the file.

    Attributes
    ----------
    mapping : Mapping
        The proposal; `save` keeps it.
    rows : DataFrame
        The first rows as understood: the table's columns that would be filled, identifiers masked.
    sources : dict of str
        For each of those columns, the file's column it comes from.
    attributes : tuple of str
        The file's columns that would be kept as attributes.
    bad : int
        Rows that would go to quarantine because a value was not understood.
    notes : tuple of str
        What was decided and why.
    """

    mapping: Mapping
    rows: pd.DataFrame
    sources: dict[str, str]
    attributes: tuple[str, ...]
    bad: int
    notes: tuple[str, ...]

    def save(self, folder: Path) -> Path:
        """Write the mapping into an organisation's folder of sources; return the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{self.mapping.name}.toml"
        spec = self.mapping.model_dump(exclude_defaults=True)
        file.write_text("# Proposed from the headings of a file, and agreed to.\n" + to_toml(spec), "utf-8")
        return file


@dataclass(frozen=True)
class Examination:
    """What a source was found to be: one known by `mapping`, or one for which there is a `proposal`."""

    mapping: Mapping | None
    proposal: Proposal | None
    reading: Reading


def examine(
    source: Any, folders: Iterable[Path] = (), timezone: str = "UTC", *, work: Path | None = None
) -> Examination:
    """Look at a source without storing anything: which mapping fits, or what would be proposed.

    Parameters
    ----------
    source : path, DataFrame or Query
        As for `svcanalytics.store.reading.read`.
    folders : iterable of Path
        The organisation's own mappings.
    timezone : str
        The lake's time zone.
    work : Path, optional
        A folder for unpacked copies.
    """
    con = connect()
    try:
        mapping, reading = prepare(con, source, None, folders, work=work)
        if mapping is not None:
            return Examination(mapping, None, reading)
        return Examination(None, propose(con, reading, timezone, folders), reading)
    finally:
        con.close()


def propose(
    con: duckdb.DuckDBPyConnection, reading: Reading, timezone: str = "UTC", folders: Iterable[Path] = ()
) -> Proposal:
    """Propose a mapping for the rows that were read.

    Parameters
    ----------
    con : DuckDBPyConnection
        Holds the rows.
    reading : Reading
        What was read.
    timezone : str
        The lake's time zone.
    folders : iterable of Path
        The organisation's own mappings, whose names are taken.

    Raises
    ------
    MappingError
        When no column names a row or says when it was, or when day and month of a date can't be told apart.
    """
    if not reading.rows:
        raise MappingError(
            "headings and no rows: nothing to propose a mapping from",
            where=", ".join(reading.columns[:8]),
            fix="check the export, or name its source",
        )
    known = mappings(folders)
    guess = _best(con, reading, known)
    name = _free_name(con, reading, set(known), guess.table)
    generic = guess.generic.model_dump(exclude_defaults=True)
    spec = {
        "name": name,
        "title": {"en": f"Proposed for {name}", "zh": f"为 {name} 建议的映射"},
        "recognise": {"columns": list(reading.columns)},
        "values": generic.get("values", {}),
        "tables": {guess.table: {"columns": guess.rules, "attributes": "rest"}},
    }
    mapping = parse(spec, f"{name}.toml")
    return _shown(con, mapping, guess, timezone)


def _best(con: duckdb.DuckDBPyConnection, reading: Reading, known: dict[str, Mapping]) -> _Guess:
    guesses: list[_Guess] = []
    refused: MappingError | None = None
    for table in ("contacts", "cases"):
        guess = _Guess(con, reading, known[f"generic_{table}"], table)
        try:
            guess.complete()
            guesses.append(guess)
        except MappingError as error:
            refused = error
    if not guesses:
        raise refused or MappingError("nothing could be proposed", fix="write a mapping")
    return max(guesses, key=_score)


class _Guess:
    """One table tried on the file: the rules of its columns."""

    def __init__(self, con: duckdb.DuckDBPyConnection, reading: Reading, generic: Mapping, table: str) -> None:
        self.con, self.reading, self.generic, self.table = con, reading, generic, table
        self.rules: dict[str, Any] = {}
        self.notes: list[str] = []
        self.taken: set[str] = set()
        self.headed = False
        self._match({normalise(column): column for column in reading.columns}, whole=True)
        self._match({o: column for column in reversed(reading.columns) for o in _others(column)}, whole=False)

    def _match(self, held: dict[str, str], *, whole: bool) -> None:
        """Give each column that has none yet the first of its usual headings that the file has."""
        key = contract()[self.table].key[0]
        for column, rule in self.generic.tables[self.table].columns.items():
            names = [rule.column] if isinstance(rule.column, str) else rule.column or []
            free = (held[name] for name in map(normalise, names) if name in held and held[name] not in self.taken)
            found = next(free, None)
            # Part of a heading may be the number of something else.
            if found is not None and column not in self.rules and (whole or column != key or self._unique(found)):
                self.taken.add(found)
                self.rules[column] = {**rule.model_dump(exclude_defaults=True), "column": found}

    def complete(self) -> None:
        """Drop what the values contradict, and find what the headings did not tell."""
        columns = contract()[self.table].columns
        self.headed = contract()[self.table].key[0] in self.rules
        for name in [n for n in self.rules if columns[n].type == "timestamp"]:
            self._check_time(name, self.rules[name]["column"])
        key, time = contract()[self.table].key[0], contract()[self.table].time
        if time not in self.rules:
            self._find_time(time)
        if key not in self.rules or not self._unique(self.rules[key]["column"]):
            self._find_key(key)

    def _share(self, column: str, condition: str) -> float:
        name = identifier(column)
        text = f"nullif(trim({name}), '')"
        share = self.con.execute(
            f"select avg(case when {condition.format(text=text)} then 1.0 else 0 end) from "
            f"(select {name} from {self.reading.table} where {text} is not null limit 20000)"
        ).fetchall()[0][0]
        return float(share or 0)

    def _formats(self, column: str) -> tuple[str, ...]:
        """Return the date formats of a column; empty when it holds no dates. Undecidable ones raise."""
        name = identifier(column)
        if self._share(column, "regexp_matches({text}, '[0-9]{{4}}|[0-9]{{1,2}}[-/.][0-9A-Za-z]{{1,9}}[-/.]')") < 0.8:
            return ()
        rows = f"(select distinct nullif(trim({name}), '') as t from {self.reading.table})"
        try:
            return decide(self.con, "t", rows, where=column)
        except MappingError as error:
            if "known date form" in error.what:
                return ()
            raise

    def _check_time(self, name: str, column: str) -> None:
        formats = self._formats(column)
        # Numbers of days may be anything's count; seconds since 1970 under a heading of a time are times.
        if formats and set(formats) != {"excel"}:
            if not any("%H" in f or "%I" in f or f in ("iso", "epoch", "epoch_ms") for f in formats):
                self._add_clock(name, column)
            return
        del self.rules[name]
        self.taken.discard(column)
        self.notes.append(f"{column!r} sounds like a time and holds none: kept as an attribute")

    def _add_clock(self, name: str, column: str) -> None:
        """Join a day with the column beside it that holds times of day."""
        at = self.reading.columns.index(column)
        for other in self.reading.columns[at + 1 : at + 2]:
            if self._share(other, f"regexp_matches({{text}}, '{_braced(_CLOCK)}')") > 0.9:
                self.rules[name] = {"date": column, "time": other}
                self.taken.add(other)
                for taken, rule in list(self.rules.items()):
                    if rule.get("column") == other:
                        del self.rules[taken]
                self.notes.append(f"{column!r} and {other!r} together give {name}")

    def _find_time(self, time: str) -> None:
        for column in self.reading.columns:
            if column in self.taken:
                continue
            formats = self._formats(column)
            if formats and not set(formats) <= {"excel", "epoch", "epoch_ms", "%Y%m%d"}:
                self.rules[time] = {"column": column}
                self.taken.add(column)
                self.notes.append(f"{column!r} is the first column of times: taken as {time}")
                if not any("%H" in f or "%I" in f or f == "iso" for f in formats):
                    self._add_clock(time, column)
                return
        raise MappingError(
            "no column says when a row was",
            where=", ".join(self.reading.columns[:8]),
            fix="write a mapping; docs/sources.md shows how",
        )

    def _unique(self, column: str) -> bool:
        name = identifier(column)
        found = self.con.execute(
            f"select count(*), count({name}), count(distinct {name}) from {self.reading.table}"
        ).fetchall()[0]
        # A few rows given twice are the loader's to sort out; a column full of repeats names no row.
        return found[0] > 0 and found[1] >= 0.98 * found[0] and found[2] >= 0.95 * found[1]

    def _find_key(self, key: str) -> None:
        free = [c for c in self.reading.columns if c not in self.taken or c == self.rules.get(key, {}).get("column")]
        named = [c for c in free if _ID_NAME.search(c)]
        for column in [*named, *(c for c in free if c not in named)]:
            if self._unique(column) and self._share(column, "length({text}) <= 64") == 1:
                self.rules[key] = {"column": column}
                self.taken.add(column)
                self.notes.append(f"{column!r} is different in every row: taken as {key}")
                return
        raise MappingError(
            "no column names a row: none is filled and different in every row",
            where=", ".join(self.reading.columns[:8]),
            fix="add a number to the file, or write a mapping that makes one with an expression",
        )


def _others(column: str) -> list[str]:
    """Return how else a heading of two rows, or the path of a nested field, may be read: last part, joined, turned."""
    parts = [part for part in re.split(r"[ .]", normalise(column)) if part]
    if len(parts) < 2 or not ("." in column or all(not part.isascii() for part in parts)):
        return []
    turned = parts[::-1]
    return ["".join(parts), " ".join(parts), "".join(turned), " ".join(turned), parts[-1]]


def _score(guess: _Guess) -> tuple[float, int]:
    telling = len(_TELLING[guess.table] & guess.rules.keys())
    return 2 * telling + 2 * guess.headed + len(guess.rules), guess.table == "cases"


def _braced(pattern: str) -> str:
    return pattern.replace("{", "{{").replace("}", "}}")


def _free_name(con: duckdb.DuckDBPyConnection, reading: Reading, taken: set[str], table: str) -> str:
    """Name the mapping after the file, without its dates, so that next month's file finds it."""
    found = con.execute(f"select any_value(_file) from {reading.table}").fetchall()[0][0] or table
    stem = re.sub(r"[\W\d]+", "_", Path(found.partition("[")[0]).stem).strip("_").lower() or f"own_{table}"
    name, n = stem, 1
    while name in taken:
        n += 1
        name = f"{stem}_{n}"
    return name


def _shown(con: duckdb.DuckDBPyConnection, mapping: Mapping, guess: _Guess, timezone: str) -> Proposal:
    query = compile(mapping, guess.table, con, timezone, guess.reading.table)
    filled = [name for name in contract()[guess.table].columns if name in guess.rules]
    listed = ", ".join(identifier(name) for name in filled)
    rows = con.sql(f"select {listed} from ({query}) limit 5").df()
    for name in filled:
        column = contract()[guess.table].columns[name]
        if column.type == "timestamp":
            rows[name] = rows[name].dt.tz_convert(timezone).dt.strftime("%Y-%m-%d %H:%M:%S")
        elif column.privacy == "hash":
            rows[name] = rows[name].map(lambda value: None if value is None else "***")
        elif column.type == "text":
            rows[name] = rows[name].map(lambda value: masking.mask(value) if isinstance(value, str) else None)
    bad = con.execute(f"select count(*) from ({query}) where _bad_column is not null").fetchall()[0][0]
    sources = {
        name: rule["column"] if "column" in rule else f"{rule['date']} + {rule['time']}"
        for name, rule in guess.rules.items()
    }
    rest = tuple(column for column in guess.reading.columns if column not in guess.taken)
    return Proposal(mapping, rows, sources, rest, bad, (*guess.reading.notes, *guess.notes))
