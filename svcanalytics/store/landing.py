"""The originals: the only copy of what was loaded that is not masked, in a folder only its owner can enter.

An original lies in a folder named after its SHA-256, so the same file is kept once however often it is loaded. What has
no file, a DataFrame or a query, is kept as a Parquet file of the rows as they were read.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics.errors import LoadError
from svcanalytics.store.engine import literal
from svcanalytics.store.failpoints import reach
from svcanalytics.store.files import copy_hashed, hash_file, make_private, remove, remove_tree, rename, sync

if TYPE_CHECKING:
    import duckdb

    from svcanalytics.store.lake import Lake

__all__ = [
    "REJECTS",
    "ROWS",
    "Landed",
    "clear_incoming",
    "discard",
    "expire",
    "land_file",
    "land_rows",
    "resting_place",
    "restore_rows",
    "save_rows",
    "workplace",
]

ROWS, REJECTS = "svcanalytics-rows.parquet", "svcanalytics-rejects.parquet"


@dataclass(frozen=True)
class Landed:
    """An original in the landing folder.

    Attributes
    ----------
    path : Path
        The file or folder to read.
    sha256 : str
        Of the file's bytes; of a folder, of its files' names and hashes.
    fresh : bool
        False when it lay there already.
    """

    path: Path
    sha256: str
    fresh: bool

    @property
    def folder(self) -> Path:
        """The folder named after the hash."""
        return self.path.parent


def land_file(lake: Lake, original: Path, load_id: str) -> Landed:
    """Copy a file, or a folder of files, into the landing folder and hash it on the way.

    Raises
    ------
    LoadError
        When it does not exist, can't be read, or the disk is full.
    """
    if not original.exists():
        raise LoadError("there is no such file", where=str(original), fix="check the path")
    if original.is_dir() and not any(file.is_file() for file in original.rglob("*")):
        raise LoadError("the folder holds no files", where=str(original), fix="check that it is the right folder")
    incoming = _incoming(lake, load_id)
    target = incoming / original.name
    try:
        if original.is_dir():
            sha256 = _copy_folder(original, target)
        else:
            sha256 = copy_hashed(original, target)
    except OSError as error:
        remove_tree(incoming)
        raise LoadError(
            f"could not copy it to {lake.landing}: {error.strerror}",
            where=str(original),
            fix="free space or check permissions",
        ) from error
    return _settle(lake, incoming, original.name, sha256)


def land_rows(lake: Lake, con: duckdb.DuckDBPyConnection, load_id: str) -> Landed:
    """Keep the rows just read, tables ``raw`` and ``raw_rejects``, where there is no file to copy."""
    incoming = _incoming(lake, load_id)
    try:
        save_rows(con, incoming)
    except Exception:
        remove_tree(incoming)
        raise
    return _settle(lake, incoming, ROWS, _hash_files([incoming / ROWS, incoming / REJECTS]))


def save_rows(con: duckdb.DuckDBPyConnection, folder: Path, rows: str = "raw", rejects: str = "raw_rejects") -> None:
    """Write rows as they were read, and those that could not be split, into a folder, durably."""
    for table, name in ((rows, ROWS), (rejects, REJECTS)):
        reach(f"write {name}")
        con.execute(f"copy (from {table}) to {literal(str(folder / name))} (format parquet, compression zstd)")
        (folder / name).chmod(0o600)
    sync([folder / ROWS, folder / REJECTS])


def restore_rows(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Make the tables ``raw`` and ``raw_rejects`` again from rows kept by `save_rows`."""
    for table, name in (("raw", ROWS), ("raw_rejects", REJECTS)):
        kind = con.execute(f"select 1 from duckdb_views() where view_name = {literal(table)}").fetchall()
        con.execute(f"drop {'view' if kind else 'table'} if exists {table}")
        con.execute(f"create temp table {table} as from read_parquet({literal(str(folder / name))})")


def discard(landed: Landed) -> None:
    """Remove an original whose load failed, unless it lay there before."""
    if landed.fresh:
        remove_tree(landed.folder)


def expire(lake: Lake) -> None:
    """Remove originals kept for longer than the setting ``landing_days``; call it with the lock held.

    The lake keeps their rows; what they left in quarantine can no longer be released.
    """
    days = lake.settings.landing_days
    oldest = time.time() - days * 86_400
    for folder in lake.landing.glob("[!.]*") if days else ():
        if folder.stat().st_mtime < oldest:
            remove_tree(folder)


def clear_incoming(lake: Lake) -> None:
    """Remove what loads and erasures that died were writing; call it with the lock held."""
    for folder in lake.landing.glob(".incoming-*"):
        remove_tree(folder)
    for draft in lake.landing.glob(".*.tmp"):
        remove(draft)


def workplace(lake: Lake, load_id: str) -> Path:
    """Return a private folder for the copies that unpacking and transcoding make; `clear_incoming` removes it."""
    return make_private(_incoming(lake, f"{load_id}-work"))


def _incoming(lake: Lake, load_id: str) -> Path:
    make_private(lake.landing.parent)
    make_private(lake.landing)
    return make_private(lake.landing / f".incoming-{load_id}")


def resting_place(lake: Lake, folder: str) -> Path | None:
    """Return where an original lies, given the folder that the books name; None when it is gone.

    After a customer was erased from a file, its rows stand in its place.
    """
    held = {path.name: path for path in (lake.landing / folder).glob("*")}
    if ROWS in held:
        return held[ROWS]
    return next((path for name, path in held.items() if name != REJECTS), None)


def _settle(lake: Lake, incoming: Path, name: str, sha256: str) -> Landed:
    folder = lake.landing / sha256[:24]
    # What lies there already stays: a customer may have been erased from it since.
    known = resting_place(lake, folder.name)
    if known is not None:
        remove_tree(incoming)
        return Landed(known, sha256, False)
    remove_tree(folder)
    sync([incoming])
    rename(incoming, folder)
    return Landed(folder / name, sha256, True)


def _copy_folder(original: Path, target: Path) -> str:
    files = sorted(path for path in original.rglob("*") if path.is_file() and not path.name.startswith("."))
    digest = hashlib.sha256()
    for path in files:
        copy = target / path.relative_to(original)
        make_private(copy.parent)
        digest.update(f"{copy.relative_to(target).as_posix()}\0{copy_hashed(path, copy)}\n".encode())
    return digest.hexdigest()


def _hash_files(paths: list[Path]) -> str:
    return hashlib.sha256("\n".join(hash_file(path) for path in paths).encode()).hexdigest()
