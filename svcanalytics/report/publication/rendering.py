"""Render an edition from a run: page, workbook, notebook, and the manifest that says what it was made from and how."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import svcanalytics
from svcanalytics.errors import PassingFaultError
from svcanalytics.periods import Period
from svcanalytics.report.parameters import Value
from svcanalytics.report.publication import inputs
from svcanalytics.report.publication.edition import FORMATS, MANIFEST, NOTEBOOK, PAGE, WORKBOOK, Edition, Place
from svcanalytics.report.publication.masthead import Masthead, mark_words, time_of, write_cut_off
from svcanalytics.report.publication.runner import Run
from svcanalytics.report.scopes import name_scope
from svcanalytics.report.words.labels import MARKS, issue_number, label, moment
from svcanalytics.store import Lake
from svcanalytics.store.failpoints import reach
from svcanalytics.store.files import hash_file

if TYPE_CHECKING:
    from svcanalytics.report.output.extraction import Content
    from svcanalytics.report.output.page import Imprint

__all__ = ["Job", "render_edition"]

_FORMAT = 1
_CLOCK_SET = 1980
"""A clock that shows an earlier year was never set; files of offices can't be dated before."""


@dataclass(frozen=True)
class Job:
    """One publication.

    Attributes
    ----------
    place : Place
        Where its editions stand.
    period : Period
        What it is about.
    lake : Lake
        At the snapshot that is read; of the unit that is reported on.
    scope : str
        What is reported on: "all", "team:NAME".
    name, source
        The notebook's name and its file's bytes.
    parameters : mapping
        What the notebook is given, checked.
    inputs, fingerprint
        See `report.inputs`.
    formats : tuple of str
        Files to write beside page, workbook and notebook: "pdf", "docx".
    masthead : Masthead
        What stands at the report's head.
    """

    place: Place
    period: Period
    lake: Lake
    scope: str
    name: str
    source: bytes
    parameters: Mapping[str, Value]
    inputs: Mapping[str, Any]
    fingerprint: str
    formats: tuple[str, ...] = ()
    masthead: Masthead = field(default_factory=Masthead)

    @property
    def mark(self) -> str:
        """The mark of confidentiality: the one given, else that of the report."""
        return self.masthead.confidentiality or MARKS.get(self.place.report, "internal")

    @property
    def cut_off(self) -> datetime | None:
        """Until when data count: the cut-off, once it has passed, else the moment of the snapshot."""
        created = self.lake.snapshot.created_at
        loaded = datetime.fromisoformat(created) if created else None
        asked = self.masthead.cut_off
        limit = time_of(asked, self.period, self.lake.timezone) if asked else None
        return limit if limit and limit <= datetime.now(UTC) else loaded


def render_edition(job: Job, result: Run, folder: Path, before: Edition | None) -> dict[str, Any]:
    """Write an edition into a folder.

    Parameters
    ----------
    job : Job
        What is published.
    result : Run
        The run of its notebook.
    folder : Path
        An empty folder.
    before : Edition, optional
        The edition that this one supersedes; of the demonstration for made-up data only.

    Returns
    -------
    dict
        The manifest.

    Raises
    ------
    PublishError
        When the notebook's outputs are no report, the page breaks the rules of `gate`, a file that was read again
        holds other numbers, or the clock was never set.
    """
    from svcanalytics.report.output import page, proofreading, workbook
    from svcanalytics.report.output.extraction import extract

    begun = time.monotonic()
    now = datetime.now(UTC).replace(microsecond=0)
    if now.year < _CLOCK_SET:
        raise PassingFaultError(f"the clock shows {now:%Y-%m-%d}", fix="set the clock, then publish again")
    content = extract(result.notebook, job.place.language, job.name)
    imprint = page.Imprint(**_particulars(job, before, now))
    reach("write page")
    html = page.render(content, imprint, where=job.name, workbook=WORKBOOK)
    (folder / PAGE).write_text(html, "utf-8")
    proofreading.proofread_page(content, (folder / PAGE).read_text("utf-8"), PAGE)
    reach("write workbook")
    workbook.write(content, imprint, folder / WORKBOOK, now)
    proofreading.proofread_workbook(content, folder / WORKBOOK)
    for name in job.formats:
        reach(f"write {name}")
        _write_format(name, content, imprint, html, folder / FORMATS[name], now)
    reach("write notebook")
    _write_json(folder / NOTEBOOK, _portable(result.notebook, job.name))
    timings = {
        "run_s": round(result.seconds, 3),
        "cells_s": [round(seconds, 3) for seconds in result.cells],
        "render_s": round(time.monotonic() - begun, 3),
    }
    written = (PAGE, WORKBOOK, NOTEBOOK, *(FORMATS[name] for name in job.formats))
    files = {name: _describe_file(folder / name) for name in written}
    head = {"title": content.document.title, "warnings": list(content.document.warnings)}
    head["figures"] = [dict(figure) for figure in content.figures]
    manifest = {**_manifest(job, before, now), **head, "timings": timings, "files": files}
    reach("write manifest")
    _write_json(folder / MANIFEST, manifest)
    return manifest


def _write_format(name: str, content: Content, imprint: Imprint, html: str, path: Path, now: datetime) -> None:
    from svcanalytics.report.output.proofreading import proofread_texts

    if name == "pdf":
        from svcanalytics.report.output.pdf import read_pdf, write_pdf

        signs = write_pdf(html, path)
        proofread_texts(content, read_pdf(path), path.name, paper=True, signs=signs)
    else:
        from svcanalytics.report.output.word import read_word, write_word

        write_word(content, imprint, path, now)
        proofread_texts(content, [read_word(path)], path.name, paper=False)


def _particulars(job: Job, before: Edition | None, now: datetime) -> dict[str, Any]:
    language, lake = job.place.language, job.lake
    edition = label("edition_n", language, _number(job))
    if before:
        words = label("supersedes", language, before.number)
        edition += f"（{words}）" if language == "zh" else f" ({words})"
    mark, mark_note = mark_words(job.mark, language)
    head = job.masthead
    return {
        "author": head.author,
        "reviewer": head.reviewer,
        "approver": head.approver,
        "mark": mark,
        "mark_note": mark_note,
        "organisation": lake.settings.organisation,
        "issue": head.issue or issue_number(job.period, language),
        "cut_off": write_cut_off(job.cut_off, lake.timezone, language) if job.cut_off else "",
        "period": _span(job.period, language),
        "edition": edition,
        "published": moment(now, lake.timezone, language),
        "snapshot": str(lake.snapshot.id),
        "scope": name_scope(job.scope, language) or label("scope_all", language),
        "made_up": lake.made_up,
        "version": svcanalytics.__version__,
    }


def _manifest(job: Job, before: Edition | None, now: datetime) -> dict[str, Any]:
    """Return what an edition was made from, and what it supersedes and why."""
    lake, snapshot = job.lake, job.lake.snapshot
    return {
        "format": _FORMAT,
        "report": job.place.report,
        "period": job.period.key,
        "period_start": job.period.start.isoformat(),
        "period_end": job.period.last.isoformat(),
        "period_label": {language: job.period.label(language) for language in ("zh", "en")},
        "scope": job.place.scope,
        "unit": {"by": lake.unit.by, "name": lake.unit.name} if lake.unit else None,
        "language": job.place.language,
        "masthead": {
            **job.masthead.given(),
            "issue": job.masthead.issue or issue_number(job.period, job.place.language),
            "cut_off": job.cut_off.isoformat() if job.cut_off else "",
            "confidentiality": job.mark,
        },
        "edition": _number(job),
        "status": "published",
        "organisation": lake.settings.organisation,
        "timezone": lake.timezone,
        "made_up": lake.made_up,
        "published_at": now.isoformat(),
        "supersedes": before.number if before else None,
        "changed": (inputs.changes(before.manifest["inputs"], job.inputs) or ["formats"]) if before else [],
        "fingerprint": job.fingerprint,
        "inputs": dict(job.inputs),
        "snapshot": {
            "id": snapshot.id,
            "created_at": snapshot.created_at,
            "tables": {name: {"version": table.version, "rows": table.rows} for name, table in snapshot.tables.items()},
        },
        "parameters": dict(job.parameters),
        "python": sys.version.split()[0],
    }


def _number(job: Job) -> int:
    return max(job.place.numbers(), default=0) + 1


def _describe_file(file: Path) -> dict[str, Any]:
    return {"sha256": hash_file(file), "bytes": file.stat().st_size}


def _write_json(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8", errors="replace")


def _portable(notebook: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the notebook without the staging folder's names, opening with any Python kernel."""
    metadata = {key: value for key, value in notebook["metadata"].items() if key != "widgets"}
    metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}
    metadata["papermill"] = {**metadata.get("papermill", {}), "input_path": name, "output_path": NOTEBOOK}
    return {**notebook, "metadata": metadata}


def _span(period: Period, language: str) -> str:
    named, span = period.label(language), period.span(language)
    if period.kind == "day":
        return named
    return f"{named}（{span}）" if language == "zh" else f"{named} ({span})"
