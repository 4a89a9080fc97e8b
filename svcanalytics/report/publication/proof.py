"""Any published figure again: from the snapshot it was made from, by a query anybody can run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from svcanalytics.errors import PublishError
from svcanalytics.metrics.definitions import catalogue
from svcanalytics.metrics.querying import query_of
from svcanalytics.metrics.views import view
from svcanalytics.report.publication.edition import LANGUAGES, Edition, Place
from svcanalytics.report.scopes import parse_scope
from svcanalytics.store import open as open_lake

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Explanation", "explain_figure", "find_edition", "lake_of"]

_CLOSE = 1e-9


@dataclass(frozen=True)
class Explanation:
    """A published figure and where it comes from.

    Attributes
    ----------
    id, name, definition : str
        The measure, in the edition's language.
    published, recomputed : float
        The value as published and as the query gives it today from the edition's snapshot.
    equal : bool
        Whether they are the same.
    numerator, denominator : int
        What the query summed; of a quantile its value and the number of rows.
    counted, among, at, scale : str, str, str, int
        What the numerator counts, among which rows, by which time, and how many atoms make one unit.
    period : str
        The edition's period.
    unit : str
        The unit whose rows count, as "team:NAME"; "" for the whole organisation.
    snapshot : int
        The lake's snapshot.
    query : str
        SQL for `lake.sql`; of a unit for `lake.only(by, name).sql`.
    sources : pandas.DataFrame
        The loads whose rows the tables held then: source, name, at, sha256.
    """

    id: str
    name: str
    definition: str
    published: float
    recomputed: float
    equal: bool
    numerator: int
    denominator: int
    counted: str
    among: str
    at: str
    scale: int
    period: str
    unit: str
    snapshot: int
    query: str
    sources: Any


def find_edition(out: str | Path, name: str) -> Edition:
    """Return an edition by the name people give it.

    Parameters
    ----------
    out : str or Path
        The folder of all reports.
    name : str
        "quarterly/2026Q3", "quarterly/2026Q3/all-zh" or "quarterly/2026Q3/all-zh/2", or with a scope in place of its
        folder: "quarterly/2026Q3/team:技术组-zh"; what is left out is the only one there is, and the newest edition.

    Raises
    ------
    PublishError
        When there is none, or more than one place fits.
    """
    parts = [part for part in name.replace("\\", "/").split("/") if part]
    base = Path(out, *parts[:2])
    places = sorted(folder.name for folder in base.iterdir() if folder.is_dir()) if base.is_dir() else []
    if len(parts) > 2:
        places = [place for place in places if place in _folders(parts[2])]
    if len(parts) < 2 or not places:
        raise PublishError("there is no such edition", where=name, fix="name it as quarterly/2026Q3/all-zh/1")
    if len(places) > 1:
        raise PublishError("several editions fit", where=name, fix=f"add one of {', '.join(places)}")
    scope, _, language = places[0].rpartition("-")
    place = Place(Path(out), parts[0], parts[1], scope, language)
    numbers = place.numbers()
    wanted = int(parts[3]) if len(parts) > 3 and parts[3].isdecimal() else max(numbers, default=0)
    if wanted not in numbers:
        raise PublishError(
            "there is no such edition", where=name, fix=f"use one of {', '.join(map(str, numbers)) or 'none'}"
        )
    from svcanalytics.report.publication.edition import read

    return read(place.folder / str(wanted))


def _folders(part: str) -> set[str]:
    """Return the folders that part of an edition's name may mean: itself, or those of a scope as people write it."""
    texts = [part, *(part.removesuffix(f"-{language}") for language in LANGUAGES if part.endswith(f"-{language}"))]
    named = set()
    for text in texts if ":" in part else ():
        written = part[len(text) + 1 :]
        named |= {f"{parse_scope(text).id}-{language}" for language in LANGUAGES if written in ("", language)}
    return {part, *named}


def lake_of(edition: Edition, lake: Lake | None = None) -> Lake:
    """Return the lake that an edition was made from, at the snapshot it read and with the rows of its unit.

    Parameters
    ----------
    edition : Edition
    lake : Lake, optional
        Where the lake stands now; default: where it stood then.

    Raises
    ------
    LakeError
        When it is not there, or never had the snapshot.
    """
    found = lake or open_lake(edition.manifest["parameters"]["lake"], create=False)
    pinned, unit = found.at(edition.manifest["snapshot"]["id"]), edition.manifest.get("unit")
    return pinned.only(unit["by"], unit["name"]) if unit else pinned


def explain_figure(edition: Edition, id: str, lake: Lake | None = None) -> Explanation:
    """Compute a published figure again and say what it is made of.

    Parameters
    ----------
    edition : Edition
        Where it was published.
    id : str
        The measure's id, as the report's definitions give it.
    lake : Lake, optional
        Where the lake stands now; default: where it stood then.

    Returns
    -------
    Explanation

    Raises
    ------
    PublishError
        When the edition holds no such figure; names those it has.
    LakeError
        When its snapshot is gone.
    """
    figures = {figure["id"]: figure for figure in edition.manifest.get("figures", ())}
    if id not in figures or id.startswith("index"):
        known = ", ".join(name for name in figures if not name.startswith("index"))
        raise PublishError(f"this edition has no figure {id!r}", where=str(edition.path), fix=f"use one of {known}")
    pinned = lake_of(edition, lake)
    metric = catalogue(pinned)[id]
    period, language = edition.manifest["period"], edition.manifest["language"]
    query = query_of(pinned, id, period, period)
    row = pinned.sql(query).iloc[0]
    above, below = (0 if row[name] is None or row[name] != row[name] else int(row[name]) for name in row.index)
    divisor = 1 if metric.kind in ("count", "quantile") else below
    value = above / divisor / metric.scale if divisor else math.nan
    published = float(figures[id]["value"])
    return Explanation(
        id=id,
        name=metric.name[language],
        definition=metric.definition[language],
        published=published,
        recomputed=value,
        equal=math.isclose(published, value, rel_tol=_CLOSE, abs_tol=_CLOSE),
        numerator=above,
        denominator=below,
        counted=metric.numerator,
        among=metric.denominator,
        at=metric.at,
        scale=metric.scale,
        period=period,
        unit=f"{pinned.unit.by}:{pinned.unit.name}" if pinned.unit else "",
        snapshot=pinned.snapshot.id,
        query=query,
        sources=_sources(pinned, view(metric.view).needs),
    )


def _sources(lake: Lake, tables: tuple[str, ...]) -> Any:
    held = [f"select distinct load_id from {name}" for name in tables if lake.has(name)]
    loads = " union ".join(held)
    return lake.sql(f'select source, name, "at", sha256 from loads where load_id in ({loads}) order by "at"')
