"""The entries of catalogue files: where they are read from, how they are chosen by name, and where a fault stands."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from svcanalytics import resources
from svcanalytics.errors import CatalogueError

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["choose", "entries", "files", "line", "nearest", "read_toml"]

Entry = TypeVar("Entry")


def files(name: str, lake: Lake | None) -> list[Path]:
    """Return the shipped catalogue file of a name and, after it, those of the lake's own folders."""
    folders = [resources.catalogue_path(), *(lake.catalogue_paths if lake is not None else [])]
    return [folder / name for folder in folders if (folder / name).is_file()]


def read_toml(file: Path) -> dict[str, Any]:
    """Read a catalogue file; CatalogueError names the line that is no TOML."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"not valid TOML: {error}", where=file.name, fix="correct the line named") from None


def entries(file: Path, kind: str) -> dict[str, dict[str, Any]]:
    """Return the tables ``[kind.name]`` of a catalogue file, by name; nothing else may stand in it."""
    raw = read_toml(file)
    if extra := sorted(set(raw) - {kind}):
        raise CatalogueError(
            f"unknown table {extra[0]!r}", where=line(file, kind, extra[0]), fix=f"write [{kind}.name]"
        )
    found = raw.get(kind, {})
    for name, entry in found.items():
        if not isinstance(entry, dict):
            raise CatalogueError(f"{name!r} is not a table", where=line(file, kind, name), fix=f"write [{kind}.name]")
    return found


def choose(kind: str, known: Mapping[str, Entry], names: str | Iterable[str] | None) -> list[Entry]:
    """Return the entries named, each once, or all; CatalogueError names the nearest to an unknown one."""
    if names is None:
        return list(known.values())
    chosen = [names] if isinstance(names, str) else list(dict.fromkeys(names))
    for name in chosen:
        if name not in known:
            raise CatalogueError(f"there is no {kind} {name!r}", fix=f"did you mean {nearest(name, known)}?")
    return [known[name] for name in chosen]


def line(file: Path, kind: str, name: str, key: str = "") -> str:
    """Return file and line of an entry's key; of its heading when the key isn't written."""
    lines = file.read_text("utf-8").splitlines()
    heading = re.compile(rf'\s*\[({kind}\.)?"?{re.escape(name)}"?\]')
    start = next((i for i, text in enumerate(lines) if heading.match(text)), 0)
    for i in range(start + 1, len(lines)):
        if lines[i].lstrip().startswith("["):
            break
        if key and re.match(rf"\s*{re.escape(key)}\s*[.=]", lines[i]):
            return f"{file.name}:{i + 1}"
    return f"{file.name}:{start + 1}"


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known names most like one that isn't known."""
    names = sorted(known)
    return " or ".join(get_close_matches(name, names, n=3, cutoff=0.4) or names[:5])
