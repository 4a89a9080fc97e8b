"""Lines of the ledger: add one, change one, and the workbook in which departments work."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from svcanalytics import store
from svcanalytics.errors import LoadError
from svcanalytics.improve.ledger import read_actions
from svcanalytics.store.contract import contract
from svcanalytics.store.quarantine import quarantined
from svcanalytics.store.workbooks import write_template

if TYPE_CHECKING:
    from svcanalytics.store import Lake, LoadResult

__all__ = ["add_action", "change_action", "export_actions", "import_actions"]

_SOURCE = "contract:actions"


def add_action(lake: Lake, line: Mapping[str, object]) -> str:
    """Put a line into the ledger and return its number.

    Parameters
    ----------
    lake : Lake
    line : mapping
        Columns of the table `actions`: at least origin and problem. Without action_id the next number is taken, without
        found_at now, without status "open".

    Returns
    -------
    str
        The line's action_id.

    Raises
    ------
    LoadError
        When a value breaks the contract, or the number is taken.
    """
    given = {"found_at": pd.Timestamp.now(lake.timezone).floor("s"), "status": "open", **line}
    held = set(read_actions(lake)["action_id"])
    number = str(given.setdefault("action_id", _next_number(held, pd.Timestamp(given["found_at"]))))
    if number in held:
        raise LoadError("the ledger has this number already", where=number, fix="change that line, or leave it out")
    _store(lake, given)
    return number


def change_action(lake: Lake, action_id: str, changes: Mapping[str, object]) -> pd.Series:
    """Change a line of the ledger and return it as it is now.

    What was done moves the status on when no other is given: a day of completion makes it "done", one of acceptance
    "accepted", and acceptance with follow-up "closed". Nothing else closes a line.

    Parameters
    ----------
    lake : Lake
    action_id : str
        Its number.
    changes : mapping
        Columns of the table `actions` with their new values; None empties one.

    Returns
    -------
    pandas.Series

    Raises
    ------
    LoadError
        When there is no such line, or a value breaks the contract: closed without acceptance, done before it was found.
    """
    lines = read_actions(lake)
    found = lines[lines["action_id"] == action_id]
    if found.empty:
        raise LoadError("the ledger has no such line", where=action_id, fix="see `svcanalytics actions`")
    line = {**found.iloc[0].drop("closed_at").to_dict(), **changes}
    if "status" not in changes:
        line["status"] = _status(line)
    _store(lake, line)
    lines = read_actions(lake)
    return lines[lines["action_id"] == action_id].iloc[0]


def export_actions(lake: Lake, path: str | Path, language: str = "en", department: str | None = None) -> Path:
    """Write the ledger, or one department's part of it, as the workbook that `import_actions` reads back.

    Parameters
    ----------
    lake : Lake
    path : str or Path
        The workbook to write.
    language : str
        "zh" or "en".
    department : str, optional
        Only this department's lines.

    Returns
    -------
    Path

    Raises
    ------
    LoadError
        When the department has no line.
    """
    lines = read_actions(lake)
    if department is not None:
        known = sorted(lines["department"].dropna().unique())
        lines = lines[lines["department"] == department]
        if lines.empty:
            raise LoadError(f"no line of department {department!r}", fix=f"use one of {', '.join(known) or 'none'}")
    return write_template("actions", path, language, lines, lake.timezone)


def import_actions(lake: Lake, path: str | Path) -> LoadResult:
    """Load a workbook of the ledger: lines that were changed are updated, new ones added, none is lost.

    Lines that break the contract, such as one closed without acceptance and follow-up, go to quarantine.
    """
    return store.load(lake, path, source=_SOURCE)


def _next_number(held: set[str], found: pd.Timestamp) -> str:
    prefix = f"A{found:%Y}-"
    numbers = [int(n.removeprefix(prefix)) for n in held if n.startswith(prefix) and n.removeprefix(prefix).isdecimal()]
    return f"{prefix}{max(numbers, default=0) + 1:04d}"


def _status(line: Mapping[str, object]) -> object:
    has = {name: not pd.isna(line.get(name)) for name in ("done_at", "accepted_at", "verified_at")}
    if line["status"] == "dropped":
        return "dropped"
    if has["accepted_at"]:
        return "closed" if has["verified_at"] else "accepted"
    if has["done_at"]:
        return "done"
    return "doing" if line["status"] == "doing" else "open"


def _store(lake: Lake, line: Mapping[str, object]) -> None:
    columns = contract()["actions"].columns
    if unknown := [name for name in line if name not in columns]:
        raise LoadError(f"a line has no {unknown[0]!r}", where="actions", fix=f"use {', '.join(columns)}")
    frame = pd.DataFrame({name: [value] for name, value in line.items()})
    result = store.load(lake, frame, source=_SOURCE)
    if result.quarantined:
        why = quarantined(lake, result.load_id).iloc[0]
        store.undo(lake, result.load_id)
        raise LoadError(f"{why['column']}: {why['reason']}", where=str(line["action_id"]), fix="give what is missing")
