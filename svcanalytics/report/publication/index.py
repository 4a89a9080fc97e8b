"""The list of everything published: ``index.html``, rebuilt from the editions' manifests after each publication."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import svcanalytics
from svcanalytics.report.output.gate import check_page
from svcanalytics.report.publication.edition import FORMATS, MANIFEST, NOTEBOOK, PAGE, WORKBOOK, Edition, editions
from svcanalytics.report.publication.masthead import mark_words
from svcanalytics.report.scopes import name_scope
from svcanalytics.report.words.labels import MARKS, REPORTS, label, moment, report_name
from svcanalytics.report.words.vocabulary import dimension_name, group_name
from svcanalytics.store.contract import contract
from svcanalytics.store.files import write_atomically

__all__ = ["INDEX", "is_personal", "lists", "rebuild"]

INDEX = "index.html"
_NEW = 6


def lists(out: Path, edition: Edition) -> bool:
    """Tell whether the index names an edition, or never will: a publisher can die between publishing and listing."""
    if is_personal(edition.manifest):
        return True
    try:
        page = (out / INDEX).read_text("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    return f'"{edition.path.relative_to(out).as_posix()}/{PAGE}"' in page


def is_personal(manifest: Mapping[str, Any]) -> bool:
    """Tell whether an edition is about persons: no index that others read names it, its owner alone can open it."""
    return manifest.get("masthead", {}).get("confidentiality", MARKS.get(manifest["report"])) == "personnel"


def rebuild(out: Path, language: str) -> Path:
    """Write the index anew, in one rename; editions about persons are not in it.

    Parameters
    ----------
    out : Path
        The folder of all reports.
    language : str
        The language of the list itself; reports of both languages stand in it.

    Raises
    ------
    PublishError
        When the page breaks the gate's rules.
    """
    from filelock import FileLock

    from svcanalytics.report.output.page import template

    # One at a time: the last to write has seen every edition.
    with FileLock(out / ".index.lock"):
        for draft in out.glob(f".{INDEX}.*.tmp"):
            draft.unlink()  # of a publisher that died
        page = template("index.html.j2").render(
            groups=(groups := _groups(out, language)),
            news=_news(groups),
            language=language,
            version=svcanalytics.__version__,
            label=lambda key, *values: label(key, language, *values),
            count=_count([edition for edition in editions(out) if not is_personal(edition.manifest)]),
        )
        check_page(page, INDEX)
        write_atomically(out / INDEX, page)
    return out / INDEX


def _count(found: list[Edition]) -> tuple[int, int]:
    return len({edition.path.parent for edition in found}), len(found)


def _news(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was published last: each report of the whole organisation, those of units as one per kind."""
    found = []
    for report in groups:
        for period in report["periods"]:
            common = {"title": report["title"], "period": period["title"], "id": period["id"]}
            found += [{**common, **place["current"], "count": 1} for place in period["wholes"]]
            for kind in period["kinds"]:
                last = max((place["current"] for place in kind["places"]), key=lambda entry: entry["published"])
                found.append({**common, **last, "count": len(kind["places"]), "kind": kind["title"]})
    return sorted(found, key=lambda entry: entry["published"], reverse=True)[:_NEW]


def _kinds(report: str, period: str, places: list[dict[str, Any]], language: str) -> dict[str, Any]:
    """Part the places of a period into those of the whole organisation and those of its units, by kind."""
    units: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for place in places:
        units[place["current"]["by"]].append(place)
    wholes = units.pop("", [])
    kinds = []
    for by, of in units.items():
        title = dimension_name(by, language)
        summary = label("scope_each", language, title if language == "zh" else title.lower(), len(of))
        kinds.append({"title": summary, "places": sorted(of, key=lambda place: place["current"]["unit"])})
    return {"id": f"{report}-{period}".lower(), "wholes": wholes, "kinds": kinds}


def _groups(out: Path, language: str) -> list[dict[str, Any]]:
    """Return reports, their periods newest first, and for each scope and language its editions newest first."""
    places: dict[Path, list[Edition]] = defaultdict(list)
    for edition in editions(out):
        if not is_personal(edition.manifest):
            places[edition.path.parent].append(edition)
    reports: dict[str, dict[str, list[dict[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    starts: dict[tuple[str, str], str] = {}
    for place, found in places.items():
        found.sort(key=lambda edition: -edition.number)
        head = found[0].manifest
        starts[head["report"], head["period"]] = head["period_start"]
        entries = [
            _entry(out, edition, _successor(edition, found[:number]), language) for number, edition in enumerate(found)
        ]
        reports[head["report"]][head["period"]].append(
            {"place": place.name, "current": entries[0], "older": entries[1:]}
        )
    order = [*REPORTS, *sorted(set(reports) - set(REPORTS))]
    return [
        {
            "id": report,
            "title": report_name(report, language),
            "periods": [
                {
                    "key": period,
                    "title": places_of[0]["current"][f"period_{language}"],
                    "issue": places_of[0]["current"]["issue"],
                    **_kinds(
                        report, period, sorted(places_of, key=lambda entry: _order(entry["place"], language)), language
                    ),
                }
                for period, places_of in sorted(
                    reports[report].items(), key=lambda item: starts[report, item[0]], reverse=True
                )
            ],
        }
        for report in order
        if report in reports
    ]


def _successor(edition: Edition, later: list[Edition]) -> Edition | None:
    """Return what superseded an edition; a demonstration is superseded by none about real data, nor the reverse."""
    alike = [other for other in later if other.manifest["made_up"] == edition.manifest["made_up"]]
    return alike[-1] if alike else None


def _entry(out: Path, edition: Edition, newer: Edition | None, language: str) -> dict[str, Any]:
    manifest = edition.manifest
    folder = edition.path.relative_to(out).as_posix()
    published = datetime.fromisoformat(manifest["published_at"])
    unit, head = manifest.get("unit") or {}, manifest.get("masthead", {})
    mark = head.get("confidentiality", "internal")
    about = name_scope(f"{unit['by']}:{unit['name']}", language) if unit else ""
    return {
        "by": unit.get("by", ""),
        "unit": group_name(unit["name"], language) if unit else "",
        "issue": head.get("issue", ""),
        "mark": "" if mark == "internal" else mark_words(mark, language)[0],
        "number": edition.number,
        "language": manifest["language"],
        "scope": label("scope_all", language) if manifest["scope"] == "all" else about or manifest["scope"],
        "title": manifest["title"],
        "organisation": manifest["organisation"],
        "published": published,
        "moment": {key: moment(published, manifest["timezone"], key) for key in ("zh", "en")},
        "superseded_by": newer.number if newer else None,
        "changed": [_change(text, language) for text in manifest["changed"]],
        "made_up": manifest["made_up"],
        "warnings": manifest["warnings"],
        "period_zh": manifest["period_label"]["zh"],
        "period_en": manifest["period_label"]["en"],
        "page": f"{folder}/{PAGE}",
        "workbook": f"{folder}/{WORKBOOK}",
        "formats": [(name, f"{folder}/{file}") for name, file in FORMATS.items() if file in manifest["files"]],
        "notebook": f"{folder}/{NOTEBOOK}",
        "manifest": f"{folder}/{MANIFEST}",
    }


def _order(place: str, language: str) -> tuple[bool, str, bool]:
    """Sort the whole organisation first, and the reader's language before the other."""
    scope, _, written_in = place.rpartition("-")
    return scope != "all", scope, written_in != language


def _change(text: str, language: str) -> str:
    """Return an input that changed, in words: "data: cases" is "数据（工单）" where the table is named so."""
    name, _, keys = text.partition(": ")
    tables = contract().tables if name == "data" else {}
    words = [getattr(tables[key], language) if key in tables else key for key in keys.split(", ") if key]
    listed = "、".join(words) if language == "zh" else ", ".join(words)
    shown = listed if name == "data" else ""
    if not shown:
        return label(f"input_{name}", language)
    return label(f"input_{name}", language) + (f"（{shown}）" if language == "zh" else f" ({shown})")
