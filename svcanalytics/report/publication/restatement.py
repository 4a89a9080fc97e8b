"""Which published editions would read differently today, and by how much."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svcanalytics.metrics import measure
from svcanalytics.metrics.definitions import catalogue
from svcanalytics.periods import Period, parse_period
from svcanalytics.report.facts.divisions import divide_measures
from svcanalytics.report.publication import inputs
from svcanalytics.report.publication.edition import Edition, editions
from svcanalytics.store.commit import month_of
from svcanalytics.store.files import make_private, write_atomically
from svcanalytics.store.snapshot import read as read_snapshot

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["TOLERANCES", "Restatement", "find_restatements"]

TOLERANCES = {"share": 0.001, "points": 0.1, "s": 0.01, "count": 0.005, "number": 0.01, "minor": 0.005}
"""By unit, how far a figure may move unnoticed: shares and points as they are, the others relative to their value."""
_ABSOLUTE = ("share", "points")
_MONTHS_AFTER = 1
_APART = ("demand", "workload")
"""Views of two tables that a unit's rows are chosen from one by one: split, the whole may say something else."""


@dataclass(frozen=True)
class Restatement:
    """A figure of a current edition that today's data give otherwise: beyond its tolerance."""

    edition: str
    metric: str
    published: float
    today: float


def find_restatements(lake: Lake, out: str | Path) -> list[Restatement]:
    """Compare the figures of all current editions with what today's data give.

    Only periods whose files or definitions have changed since the edition's snapshot are measured again, once for all
    editions of the period and kind of unit, and the answer is remembered for the snapshot: nothing is computed twice.
    Editions made from another lake are left alone.

    Parameters
    ----------
    lake : Lake
        At today's snapshot.
    out : str or Path
        The folder of all reports.

    Returns
    -------
    list of Restatement
        By edition; empty when everything published still holds.
    """
    catalogue_now = inputs.collect(lake, b"", {})["catalogue"]
    memory = Path(out) / ".restated" / f"{lake.snapshot.id:08d}-{catalogue_now[:8]}.json"
    known = _recall(memory)
    new = (edition for edition in _current(editions(out)) if _name(edition) not in known)
    current = [edition for edition in new if inputs.is_made_from(edition.manifest, lake)]
    asked: dict[tuple[str, str], list[Edition]] = {}
    for edition in current:
        known[_name(edition)] = []
        period = parse_period(edition.manifest["period"], lake.month_start)
        same_words = edition.manifest["inputs"].get("catalogue") == catalogue_now
        if edition.manifest.get("figures") and not (same_words and _untouched(lake, edition, period)):
            asked.setdefault((period.key, (edition.manifest.get("unit") or {}).get("by", "")), []).append(edition)
    for (key, by), same in asked.items():
        figures = {figure["id"] for edition in same for figure in edition.manifest["figures"]}
        for found in _moved(lake, parse_period(key, lake.month_start), by, figures, same):
            known[found.edition].append(asdict(found))
    if current:
        make_private(memory.parent)
        write_atomically(memory, json.dumps(known, ensure_ascii=False))
        for past in memory.parent.glob("*"):
            if past.name != memory.name:
                past.unlink(missing_ok=True)
    return [Restatement(**found) for name in sorted(known) for found in known[name]]


def _recall(memory: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        return json.loads(memory.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}


def _moved(lake: Lake, period: Period, by: str, figures: set[str], same: list[Edition]) -> Iterator[Restatement]:
    metrics = {metric.id: metric for metric in catalogue(lake).choose(None)}
    wanted = [name for name in metrics if name in figures]
    if by:  # what a unit's report says of it is what the whole says when it is split: one measurement for all units
        wanted = [name for name in wanted if metrics[name].view not in _APART]
        every = divide_measures(lake, wanted, by, period, before=False)
    else:
        every = measure(lake, wanted, every=period.kind, start=period.key, end=period.key)
    for edition in same:
        own = every[every[by] == edition.manifest["unit"]["name"]] if by and len(every) else every
        today = own.set_index("metric")["value"] if len(own) else {}
        for figure in edition.manifest["figures"]:
            name, then = figure["id"], figure["value"]
            if name not in metrics or name not in today or then is None:
                continue
            now, unit = float(today[name]), metrics[name].unit
            allowed = TOLERANCES[unit] * (1.0 if unit in _ABSOLUTE else max(abs(then), 1.0))
            if not abs(now - then) <= allowed:
                yield Restatement(_name(edition), name, float(then), now)


def _untouched(lake: Lake, edition: Edition, period: Period) -> bool:
    """Tell whether the files of the period's months, and of the month after, are those that the edition read."""
    then = read_snapshot(lake.path, edition.manifest["snapshot"]["id"])
    first = period.start.year * 12 + period.start.month - 1
    last = period.last.year * 12 + period.last.month - 1 + _MONTHS_AFTER
    for name in {*then.tables, *lake.snapshot.tables} - {"loads", "quarantine", "forecasts", "requirements"}:
        files = [
            {file for file in (state.files if state else ()) if first <= _month(file) <= last}
            for state in (then.tables.get(name), lake.snapshot.tables.get(name))
        ]
        if files[0] != files[1]:
            return False
    return True


def _month(file: str) -> int:
    if "month_key=" not in file:
        return -1
    key = month_of(file)
    return key // 100 * 12 + key % 100 - 1


def _current(found: Iterable[Edition]) -> Iterator[Edition]:
    newest: dict[Path, Edition] = {}
    for edition in found:
        place = edition.path.parent
        if place not in newest or newest[place].number < edition.number:
            newest[place] = edition
    return iter(newest.values())


def _name(edition: Edition) -> str:
    parts = edition.path.parts[-4:]
    return "/".join(parts)
