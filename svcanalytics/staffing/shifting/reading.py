"""Shift rules read from a file: the shipped ones, an organisation's own, or any other."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from svcanalytics import resources
from svcanalytics.errors import StaffingError
from svcanalytics.staffing.shifting.rules import ShiftRules

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["read_shifts"]

_FILE = "shifts.toml"


def read_shifts(path: str | Path | None = None, name: str | None = None, lake: Lake | None = None) -> ShiftRules:
    """Read the shift rules of one place.

    Parameters
    ----------
    path : str or Path, optional
        A TOML file; by default the shipped ``shifts.toml`` (``service_desk``, ``hotline_24h``), whose comments say what
        may stand in one.
    name : str, optional
        Which table of the file; by default its first.
    lake : Lake, optional
        Whose own catalogue folders are read too when no path is given; its tables win and come first.

    Raises
    ------
    StaffingError
        The file is missing or no TOML, or a rule can't be: names file, key and remedy.
    """
    found: dict[str, tuple[Path, Any]] = {}
    for file in _files(path, lake):
        found = {id_: (file, raw) for id_, raw in _read(file).items()} | {
            id_: each for id_, each in found.items() if id_ not in _read(file)
        }
    chosen = next(iter(found), "") if name is None else name
    if chosen not in found:
        known = f"use one of {', '.join(found)}" if found else "write a table such as [hotline]"
        raise StaffingError(f"there are no shift rules {chosen!r}", where=str(path or _FILE), fix=known)
    file, raw = found[chosen]
    if not isinstance(raw, dict):
        raise StaffingError("is not a table", where=f"{file.name}, {chosen}", fix=f"write [{chosen}.patterns.early]")
    patterns = raw.get("patterns", {})
    if isinstance(patterns, dict):
        patterns = {id_: each | {"id": id_} if isinstance(each, dict) else each for id_, each in patterns.items()}
    try:
        rules = ShiftRules.model_validate(raw | {"id": chosen, "patterns": patterns})
    except ValidationError as error:
        raise _explained(error, file, chosen) from None
    _check_places(rules, f"{file.name}, {chosen}")
    return rules


def _files(path: str | Path | None, lake: Lake | None) -> list[Path]:
    if path is not None:
        return [Path(path)]
    folders = [resources.catalogue_path(), *(lake.catalogue_paths if lake is not None else [])]
    return [folder / _FILE for folder in folders if (folder / _FILE).is_file()]


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (FileNotFoundError, IsADirectoryError):
        raise StaffingError("there is no such file", where=str(file), fix="check the name") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StaffingError(f"not valid TOML: {error}", where=file.name, fix="correct the line named") from None


def _explained(error: ValidationError, file: Path, name: str) -> StaffingError:
    first = error.errors()[0]
    message = first["msg"].removeprefix("Value error, ")
    key = ".".join(str(part) for part in (name, *first["loc"]))
    if first["type"] == "missing":
        return StaffingError("is missing", where=f"{file.name}, {key}", fix=f"add {first['loc'][-1]}")
    if first["type"] == "extra_forbidden":
        return StaffingError("is not known", where=f"{file.name}, {key}", fix="remove it, or correct its spelling")
    if first["type"] in ("too_short", "tuple_type"):
        empty = first["type"] == "too_short"
        return StaffingError("is empty" if empty else "is no list", where=f"{file.name}, {key}", fix="list one or more")
    # Messages of our own carry what to do behind the semicolon, and the inner key before the colon.
    problem, _, fix = message.rpartition("; ") if "; " in message else (message, "", "correct this key")
    inner, colon, rest = problem.partition(": ")
    if colon and " " not in inner:
        key, problem = f"{key}.{inner}", rest
    return StaffingError(problem, where=f"{file.name}, {key}", fix=fix)


def _check_places(rules: ShiftRules, where: str) -> None:
    from zoneinfo import ZoneInfo

    from svcanalytics.errors import PeriodError
    from svcanalytics.periods import HolidayCalendar

    if rules.timezone is not None:
        try:
            ZoneInfo(rules.timezone)
        except (KeyError, ValueError, OSError):
            raise StaffingError(
                f"there is no time zone {rules.timezone!r}", where=f"{where}.timezone", fix="write Europe/Oslo"
            ) from None
    try:
        HolidayCalendar(rules.holidays).year(2026)
    except PeriodError as error:
        raise StaffingError(error.what, where=f"{where}.holidays", fix=error.fix or "write CN, NO or DE") from None
