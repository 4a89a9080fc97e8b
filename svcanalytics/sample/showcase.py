"""The demonstration: the made-up organisation in a lake of its own, and its reports."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics import store
from svcanalytics.errors import LakeError
from svcanalytics.sample.assembly import END, organisation
from svcanalytics.sample.world import TIMEZONE

if TYPE_CHECKING:
    import pandas as pd

    from svcanalytics.store import Lake, LoadResult

__all__ = ["demo", "load"]

VERSION = 3
"""Raise it when the made-up data change: a demonstration made by another version is made anew."""

_MARK = "sample.json"
_AT_ONCE = 2

Progress = Callable[[str, int, int], None]


def load(
    lake: Lake, frames: Mapping[str, pd.DataFrame] | None = None, progress: Progress | None = None
) -> dict[str, LoadResult]:
    """Load the made-up organisation the way real files are loaded: checked, masked, hashed, quarantined.

    Parameters
    ----------
    lake : Lake
        A lake of made-up data.
    frames : mapping of table to DataFrame, optional
        Default: ``organisation(broken=True)``.
    progress : callable, optional
        Called with what is being done, steps done and steps in all.

    Returns
    -------
    dict of table to LoadResult

    Raises
    ------
    LakeError
        When the lake is not one of made-up data.
    """
    frames = organisation(broken=True) if frames is None else frames
    results = {}
    with tempfile.TemporaryDirectory(prefix="svcanalytics-") as folder:
        for done, (table, frame) in enumerate(frames.items()):
            if progress:
                progress(table, done, len(frames))
            file = Path(folder, f"{table}.parquet")
            _write(frame, file)
            results[table] = store.load(lake, file, f"contract:{table}", made_up=True)
    return results


def demo(
    folder: str | Path = "data/demo",
    out: str | Path = "reports",
    progress: Progress | None = None,
    *,
    months: int = 30,
    seed: int = 7,
    end: date | str = END,
) -> Path:
    """Make up the organisation, load it into a lake of its own, and publish its reports.

    The monthly reports of the last three months and the report of the last whole quarter come in Chinese; the latest of
    each comes in English too. What is there already is left as it is: a second run is quick.

    Parameters
    ----------
    folder : str or Path
        The lake's folder. A demonstration made with other settings, or by another version, is replaced.
    out : str or Path
        The folder of reports.
    progress : callable, optional
        Called with what is being done, steps done and steps in all.
    months, seed, end
        As in `organisation`.

    Returns
    -------
    Path
        ``index.html`` of the reports.

    Raises
    ------
    LakeError
        When the folder holds real data or something else.
    """
    from svcanalytics import report

    folder, out = Path(folder).absolute(), Path(out).absolute()
    wanted = editions(end)
    tell = progress or (lambda doing, done, total: None)
    recipe = {"version": VERSION, "months": months, "seed": seed, "end": str(end)}
    steps = len(wanted) + 4
    tell("", 0, steps)
    if _made(folder) != recipe:
        _clear(folder)
        frames = organisation(months, seed, end, broken=True)
        lake = store.open(folder, timezone=TIMEZONE, made_up=True)
        # Loading counts for three steps of the bar, whatever the number of tables.
        load(lake, frames, lambda doing, done, total: tell(doing, 1 + 3 * done // total, steps))
        folder.joinpath(_MARK).write_text(json.dumps(recipe), "utf-8")
    lake = store.open(folder, create=False)
    tell("reports", 4, steps)
    # Each report runs in a process of its own, so two at a time keep two cores busy.
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        running = {
            pool.submit(report.publish, kind, period, lake, out=out, language=language): f"{kind} {period} {language}"
            for kind, period, language in wanted
        }
        for done, finished in enumerate(as_completed(running), start=5):
            finished.result()
            tell(running[finished], done, steps)
    return out / "index.html"


def editions(end: date | str) -> list[tuple[str, str, str]]:
    """List the demonstration's editions for data that end on a day: report, period, language."""
    end = date.fromisoformat(end) if isinstance(end, str) else end
    last = end + timedelta(days=1)
    last = (last if last.day == 1 else last.replace(day=1)) - timedelta(days=1)
    months = [(last.year * 12 + last.month - 1 - back) for back in (2, 1, 0)]
    keys = [f"{month // 12}-{month % 12 + 1:02d}" for month in months]
    quarter = (last.year * 12 + last.month) // 3 - 1
    quarterly = f"{quarter // 4}Q{quarter % 4 + 1}"
    return [
        *(("monthly", key, "zh") for key in keys),
        ("quarterly", quarterly, "zh"),
        ("monthly", keys[-1], "en"),
        ("quarterly", quarterly, "en"),
    ]


def _made(folder: Path) -> dict[str, object] | None:
    # The mark is written last, so a demonstration that was interrupted has none and is made anew.
    try:
        return json.loads(folder.joinpath(_MARK).read_text("utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def _clear(folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        return
    lake = store.open(folder, create=False)
    if not lake.made_up:
        raise LakeError("this lake holds real data", where=str(folder), fix="name another folder for the demonstration")
    from svcanalytics.store.files import remove_tree

    for place in (lake.landing, lake.path):
        if place.exists():
            remove_tree(place)


def _write(frame: pd.DataFrame, file: Path) -> None:
    import duckdb

    con = duckdb.connect()
    con.execute(f"set timezone = '{TIMEZONE}'")
    con.register("frame", frame)
    con.execute(f"copy (from frame) to '{str(file).replace(chr(39), chr(39) * 2)}' (format parquet, compression zstd)")
    con.close()
