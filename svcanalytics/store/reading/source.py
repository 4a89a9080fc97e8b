"""Any source - a file, an archive, a folder, a data frame, a query - read into one table of text."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svcanalytics.errors import LoadError
from svcanalytics.store.reading.formats import FileFormat, Query, Reading
from svcanalytics.store.reading.staging import Stage

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store.mapping import Mapping

__all__ = ["read"]

_KINDS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".tab": "csv",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xlsb": "excel",
    ".xls": "excel",
    ".ods": "excel",
    ".parquet": "parquet",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".xes": "xes",
}


def read(
    con: duckdb.DuckDBPyConnection,
    source: Any,
    mapping: Mapping | None = None,
    *,
    work: Path | None = None,
) -> Reading:
    """Read a source into the tables ``raw`` and ``raw_rejects``.

    Parameters
    ----------
    con : DuckDBPyConnection
        Takes the tables, which live as long as the connection.
    source : path, pandas.DataFrame or Query
        A file (also zipped or gzipped), a folder of files, a data frame, or a query on a database.
    mapping : Mapping, optional
        What is known of the source: its layout and the columns to expect. Without one, the layout is found by looking.
    work : Path, optional
        A folder for unpacked and transcoded copies, which hold everything the source holds; emptied before return.
        Default: a temporary one.

    Returns
    -------
    Reading
        ``raw`` has every column as VARCHAR in the source's order, then ``_file`` and ``_line`` (the physical line,
        sheet row or position). Rows of the source are `rows` plus `rejected`: none is lost.

    Raises
    ------
    LoadError
        When the source is missing, is of no known kind or holds no table.
    """
    layout = mapping.file if mapping else FileFormat()
    expected = mapping.recognise_columns if mapping else ()
    if work is not None:
        work.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="reading-", dir=work) as folder:
        stage = Stage(con, Path(folder))
        _read_object(stage, source, layout, expected)
        columns = stage.finish()
        rows = con.execute(f"select count(*) from {stage.table}").fetchall()[0][0]
        rejected = con.execute(f"select count(*) from {stage.rejects}").fetchall()[0][0]
    if not columns:
        raise LoadError("holds no rows", where=_named(source), fix="check that it is the right file")
    return Reading(columns, rows, rejected, stage.table, stage.rejects, tuple(stage.notes))


def _read_object(stage: Stage, source: Any, layout: FileFormat, expected: tuple[str, ...]) -> None:
    from svcanalytics.store.reading import frames

    if isinstance(source, Query):
        frames.read_query(stage, source)
    elif isinstance(source, (str, Path)):
        path = Path(source)
        if not path.exists():
            raise LoadError("there is no such file", where=str(path), fix="check the path")
        for name, file in _files(path, stage.work, stage.notes):
            _read_file(stage, file, name, layout, expected)
    elif hasattr(source, "columns") and hasattr(source, "iloc"):
        frames.read_frame(stage, source)
    else:
        raise LoadError(
            f"can't read an object of type {type(source).__name__}", fix="give a path, a pandas DataFrame or a Query"
        )


def _named(source: Any) -> str:
    if isinstance(source, (str, Path)):
        return Path(source).name
    return source.name if isinstance(source, Query) else "data frame"


def _files(path: Path, work: Path, notes: list[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files behind a path, archives unpacked, in the order of their names."""
    if path.is_dir():
        for file in sorted(file for file in path.rglob("*") if file.is_file()):
            if not _is_data(file.name):
                notes.append(f"{file.relative_to(path)}: left aside")
                continue
            for name, member in _files(file, work, notes):
                yield f"{file.relative_to(path).parent / name}".removeprefix("./"), member
        return
    magic = path.open("rb").read(4)
    if magic == b"PK\x05\x06":
        raise LoadError("the zip file holds no files", where=path.name, fix="check that it is the right file")
    if magic.startswith(b"\x1f\x8b"):
        yield from _gunzip(path, work)
    elif magic == b"PK\x03\x04" and path.suffix.lower() not in _KINDS and not _is_workbook(path):
        yield from _unzip(path, work, notes)
    else:
        yield path.name, path


def _is_data(name: str) -> bool:
    """Tell the data of a folder or archive from what lies beside it: notes, pictures, a program's own files."""
    if name.startswith((".", "~$")):
        return False
    return Path(name).suffix.lower() in {*_KINDS, ".zip", ".gz", ""}


def _is_workbook(path: Path) -> bool:
    # A workbook is a zip archive; one that lost its ending is known by its table of contents.
    return zipfile.is_zipfile(path) and "[Content_Types].xml" in zipfile.ZipFile(path).namelist()


def _gunzip(path: Path, work: Path) -> Iterator[tuple[str, Path]]:
    name = path.stem if path.suffix.lower() == ".gz" else path.name
    target = work / f"{_free(work)}-{name}"
    try:
        with gzip.open(path) as packed, target.open("wb") as out:
            shutil.copyfileobj(packed, out, 1 << 20)
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise LoadError("the gzip file is damaged or cut off", where=path.name, fix="fetch it again") from error
    yield name, target


def _unzip(path: Path, work: Path, notes: list[str]) -> Iterator[tuple[str, Path]]:
    try:
        with zipfile.ZipFile(path) as archive:
            for info in sorted(archive.infolist(), key=lambda info: info.filename):
                name = Path(info.filename).name
                if info.is_dir() or info.filename.startswith("__MACOSX/"):
                    continue
                if not _is_data(name):
                    notes.append(f"{info.filename}: left aside")
                    continue
                # Members are written under names of our own: a name inside an archive may point anywhere.
                target = work / f"{_free(work)}-{name}"
                with archive.open(info) as packed, target.open("wb") as out:
                    shutil.copyfileobj(packed, out, 1 << 20)
                inner = list(_files(target, work, notes))
                for member, file in inner:
                    yield (info.filename if len(inner) == 1 else f"{info.filename}/{member}"), file
    except (zipfile.BadZipFile, EOFError, RuntimeError) as error:
        fix = "unpack it with its password first" if isinstance(error, RuntimeError) else "fetch it again"
        raise LoadError("the zip file is damaged or locked", where=path.name, fix=fix) from error


def _free(work: Path) -> int:
    return sum(1 for _ in work.iterdir())


def _read_file(stage: Stage, file: Path, name: str, layout: FileFormat, expected: tuple[str, ...]) -> None:
    kind = _kind(file, name) if layout.kind == "auto" else layout.kind
    if kind == "csv":
        from svcanalytics.store.reading.delimited import read_delimited

        read_delimited(stage, file, name, layout, expected)
    elif kind == "excel":
        from svcanalytics.store.reading.sheets import read_workbook

        read_workbook(stage, file, name, layout, expected)
    elif kind == "parquet":
        from svcanalytics.store.reading.frames import read_parquet

        read_parquet(stage, file, name)
    elif kind == "json":
        from svcanalytics.store.reading.documents import read_json

        read_json(stage, file, name, layout)
    else:
        from svcanalytics.store.reading.xes import read_xes

        read_xes(stage, file, name)


def _kind(file: Path, name: str) -> str:
    """Go by what the file begins with; a name may lie about it."""
    start = file.open("rb").read(512)
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return "excel"
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"<?xml", b"<log")):
        return "xes"
    if text.lower().startswith((b"<html", b"<!doctype html", b"<table")):
        raise LoadError("a web page, whatever its name says", where=name, fix="open it in Excel and save it as .xlsx")
    known = _KINDS.get(Path(name).suffix.lower())
    if known in ("json", "xes") or (known is None and text.startswith((b"{", b"["))):
        return known or "json"
    return "csv"
