"""What an edition is made from, as hashes: equal hashes mean that nothing need run.

Read on the way to "up to date", so nothing heavy is imported here: the lake's snapshot names its files, and files of
Parquet never change once written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import svcanalytics
from svcanalytics import resources
from svcanalytics.errors import LakeError
from svcanalytics.report.words.labels import MARKS
from svcanalytics.store.settings import FILE, home
from svcanalytics.store.snapshot import read as read_snapshot

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["changes", "collect", "fingerprint", "is_made_from"]

_CODE = (".py", ".toml", ".j2", ".css")
# These say where the lake stands or how it is numbered, not what is in it.
_NOT_CONTENT = ("lake", "snapshot")


def collect(
    lake: Lake, notebook: bytes, parameters: Mapping[str, Any], masthead: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return all that decides what an edition says, by name.

    Parameters
    ----------
    lake : Lake
        At the snapshot that is read.
    notebook : bytes
        The notebook's file.
    parameters : mapping
        What the notebook is given.
    masthead : mapping, optional
        What stands at the report's head.

    Returns
    -------
    dict
        ``data`` (one hash per table), ``catalogue``, ``notebook``, ``package``, ``settings``, ``parameters`` and
        ``masthead``.
    """
    tables = {name: _hash_json([t.rows, sorted(t.files)]) for name, t in sorted(lake.snapshot.tables.items()) if t.rows}
    settings = asdict(lake.settings)
    return {
        "data": tables,
        "catalogue": _hash_files([resources.catalogue_path(), *lake.catalogue_paths], (".toml",)),
        "notebook": hashlib.sha256(notebook).hexdigest(),
        "package": {"version": svcanalytics.__version__, "sha256": _package()},
        "settings": {
            "timezone": lake.timezone,
            "made_up": lake.made_up,
            **{name: settings[name] for name in ("organisation", "country", "month_start")},
            **_contact(lake, str(parameters.get("report", ""))),
        },
        "parameters": {name: value for name, value in parameters.items() if name not in _NOT_CONTENT},
        "masthead": dict(masthead or {}),
    }


def fingerprint(inputs: Mapping[str, Any]) -> str:
    """Return one hash over all inputs."""
    return _hash_json(inputs)


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say which inputs differ: "data: cases, surveys", "catalogue", "package 0.1.0 to 0.2.0" and the like."""
    found = []
    for name in now:
        old, new = before.get(name), now[name]
        if old == new:
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            keys = sorted(key for key in {*old, *new} if old.get(key) != new.get(key))
            found.append(f"{name}: {', '.join(keys)}")
        else:
            found.append(name)
    return found


def is_made_from(manifest: Mapping[str, Any], lake: Lake) -> bool:
    """Tell whether an edition was made from a snapshot of this lake, wherever the lake stands now."""
    try:
        then = read_snapshot(lake.path, manifest["snapshot"]["id"])
    except LakeError:
        return False
    return then.created_at == manifest["snapshot"]["created_at"]


def _contact(lake: Lake, report: str) -> dict[str, Any]:
    """Return how to reach the organisation where a report says so: only those for the public do."""
    if MARKS.get(report) != "public":
        return {}
    file = home(lake.path) / FILE
    return {"contact": resources.read_toml(file).get("contact", {}) if file.is_file() else {}}


@cache
def _package() -> str:
    return _hash_files([Path(svcanalytics.__file__).parent], _CODE)


def _hash_files(folders: Iterable[Path], suffixes: tuple[str, ...]) -> str:
    digest = hashlib.sha256()
    for folder in folders:
        for file in sorted(file for file in folder.rglob("*") if file.suffix in suffixes):
            digest.update(f"{file.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _hash_json(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
