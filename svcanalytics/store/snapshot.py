"""The lake's snapshots: which version of every table belongs together.

``snapshot.json`` is the lake's current state. It is replaced in one rename after all tables of a load are committed, so
a reader sees all of a load or none of it. Every snapshot is kept under ``snapshots/`` and lists its Parquet files, so
that opening one costs nothing and survives a pruned Delta log.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from svcanalytics.errors import LakeError
from svcanalytics.store.files import write_atomically

__all__ = ["EMPTY", "Snapshot", "TableState", "current", "history", "keep", "read", "replace", "write_atomically"]


@dataclass(frozen=True)
class TableState:
    """A table as one snapshot sees it: Delta version, number of rows, Parquet files relative to the lake."""

    version: int
    rows: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class Snapshot:
    """A consistent set of table versions."""

    id: int
    created_at: str
    load_id: str
    tables: Mapping[str, TableState] = field(default_factory=dict)

    def next(self, load_id: str, changed: Mapping[str, TableState]) -> Snapshot:
        """Return the snapshot that follows this one when the tables in `changed` have moved on."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return Snapshot(self.id + 1, now, load_id, {**self.tables, **changed})


EMPTY = Snapshot(0, "", "")


def current(lake: Path) -> Snapshot:
    """Return the snapshot that `snapshot.json` names; `EMPTY` before the first load."""
    pointer = lake / "snapshot.json"
    return _parse(pointer) if pointer.exists() else EMPTY


def read(lake: Path, snapshot_id: int) -> Snapshot:
    """Return an earlier snapshot.

    Raises
    ------
    LakeError
        When the lake never had it.
    """
    if snapshot_id == 0:
        return EMPTY
    file = lake / "snapshots" / f"{snapshot_id:08d}.json"
    # A load that died may have left a file for a snapshot that never was.
    if not file.exists() or snapshot_id > current(lake).id:
        raise LakeError(f"there is no snapshot {snapshot_id}", where=str(lake), fix="`svcanalytics status` lists them")
    return _parse(file)


def history(lake: Path) -> list[Snapshot]:
    """Return all snapshots up to the current one, oldest first."""
    last = current(lake).id
    files = sorted((lake / "snapshots").glob("*.json"))
    return [_parse(file) for file in files if int(file.stem) <= last]


def replace(lake: Path, snapshot: Snapshot) -> None:
    """Make `snapshot` the lake's current one. The rename of `snapshot.json` is the moment a load becomes visible."""
    keep(lake, snapshot)
    write_atomically(lake / "snapshot.json", _text(snapshot))


def keep(lake: Path, snapshot: Snapshot) -> None:
    """Write a snapshot's own file, which earlier snapshots are read from."""
    write_atomically(lake / "snapshots" / f"{snapshot.id:08d}.json", _text(snapshot))


def _text(snapshot: Snapshot) -> str:
    return json.dumps(asdict(snapshot), indent=1)


def _parse(file: Path) -> Snapshot:
    try:
        raw = json.loads(file.read_text("utf-8"))
        tables = {
            name: TableState(state["version"], state["rows"], tuple(state["files"]))
            for name, state in raw["tables"].items()
        }
        return Snapshot(raw["id"], raw["created_at"], raw["load_id"], tables)
    except (ValueError, KeyError, TypeError) as error:
        raise LakeError(
            f"not a snapshot file ({error})", where=str(file), fix="copy the newest intact file of snapshots/ over it"
        ) from None
