"""Every write, fsync, rename and removal of files the lake does itself: durable, atomic and stoppable by tests."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from svcanalytics.store.failpoints import reach

__all__ = ["copy_hashed", "hash_file", "make_private", "remove", "remove_tree", "rename", "sync", "write_atomically"]

_CHUNK = 1 << 22


def write_atomically(path: Path, text: str, *, mode: int = 0o644) -> None:
    """Write a small file so that a reader, even after a power cut, finds the old text or the new, never a part.

    Parameters
    ----------
    mode : int
        Permissions the file has from its first byte on.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    reach(f"write {path.name}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as handle:
        handle.write(text)
    sync([draft])
    rename(draft, path)


def rename(draft: Path, path: Path) -> None:
    """Put a finished, synced file in its place and make the name durable."""
    reach(f"rename {path.name}")
    draft.replace(path)
    reach(f"renamed {path.name}")
    _sync_one(path.parent)


def sync(paths: Iterable[Path]) -> None:
    """Force files to disk, then the folders that hold them."""
    folders: set[Path] = set()
    for path in paths:
        _sync_one(path)
        folders.add(path.parent)
    for folder in sorted(folders):
        _sync_one(folder)


def _sync_one(path: Path) -> None:
    reach(f"fsync {path.name}")
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Remove a file if it is there."""
    reach(f"remove {path.name}")
    path.unlink(missing_ok=True)


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it."""
    reach(f"remove {folder.name}/")
    shutil.rmtree(folder, ignore_errors=True)


def make_private(folder: Path) -> Path:
    """Make a folder that only its owner can enter, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)
    return folder


def copy_hashed(source: Path, target: Path) -> str:
    """Copy a file, readable by its owner only, and return the SHA-256 of what was copied; the copy is on disk after."""
    digest = hashlib.sha256()
    reach(f"write {target.name}")
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with source.open("rb") as reader, os.fdopen(descriptor, "wb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            writer.write(chunk)
        reach(f"fsync {target.name}")
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
