"""Publish a report: run its notebook, render page and workbook, and put the edition in place in one rename.

An edition never changes. The same inputs answer "up to date" and run nothing; other inputs give the next edition, whose
manifest says what it supersedes and why.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from svcanalytics import resources
from svcanalytics.errors import PassingFaultError, PublishError
from svcanalytics.periods import Period, parse_period
from svcanalytics.report.parameters import Parameter, check, declared
from svcanalytics.report.publication import index, inputs
from svcanalytics.report.publication.edition import FORMATS, Edition, Place, read
from svcanalytics.report.publication.masthead import Masthead, cut_lake, read_masthead, settle_masthead
from svcanalytics.report.publication.rendering import Job, render_edition
from svcanalytics.report.publication.runner import Progress, run
from svcanalytics.report.scopes import narrow_lake, parse_scope, require_enough, suits
from svcanalytics.report.words.labels import REPORTS
from svcanalytics.store import Lake
from svcanalytics.store.failpoints import reach
from svcanalytics.store.files import make_private, remove_tree, sync

__all__ = ["publish"]

_LASTING = frozenset((errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ELOOP))


def publish(
    report: str,
    period: str | Period,
    lake: Lake,
    out: str | Path = "reports",
    language: str = "zh",
    scope: str = "all",
    progress: Progress | None = None,
    *,
    formats: Sequence[str] = (),
    masthead: Masthead | Mapping[str, str] | None = None,
    notebooks: str | Path | None = None,
    cell_timeout_s: int = 600,
    timeout_s: int = 3600,
) -> Edition:
    """Publish a report about a period, or say that the current edition is up to date.

    Parameters
    ----------
    report : str
        "monthly", "quarterly", or any notebook ``<report>_evaluation.ipynb`` or ``<report>.ipynb`` in `notebooks`.
    period : str or Period
        Such as "2026-10" or "2026Q3"; the shipped reports take periods of their own kind only.
    lake : Lake
        Read at the snapshot it is opened at; at today's when the current edition was made from a later one by then.
    out : str or Path
        The folder of all reports; the edition stands in ``<out>/<report>/<period>/<scope>-<language>/<n>/``.
    language : str
        "zh" or "en".
    scope : str
        "all"; one unit, such as "team:技术组", by team, site, queue, channel or business_type; or a word that an own
        notebook knows.
    progress : callable, optional
        Called with what is being done ("run", "render"), steps begun and steps in all.
    formats : sequence of str
        What the edition holds beside page, workbook and notebook: "pdf" (needs the extra ``pdf``), "docx".
    masthead : Masthead or mapping, optional
        Issue, author, reviewer, approver, cut-off and confidentiality; what is left out comes from the notebook's
        parameters of these names, then from ``[report]`` of ``svcanalytics.toml``.
    notebooks : str or Path, optional
        A folder of own report notebooks; default: those that ship.
    cell_timeout_s, timeout_s : int
        Longest time for one cell and for the run, in seconds.

    Returns
    -------
    Edition
        Its `status` is "published" or "up to date".

    Raises
    ------
    PublishError
        When a name or parameter is refused, the run fails, the page breaks the rules of `gate`, or the folder can't be
        written to. Nothing is published then; the notebook of a failed run is kept in ``<out>/.failed/``. A
        `PassingFaultError` when trying again can help: a kernel or process that died, a disk that was full.
    PeriodError
        When `period` is no period.
    """
    job = _prepare(report, period, lake, Path(out).absolute(), language, scope, notebooks, formats, masthead)
    try:
        return _publish(job, progress, cell_timeout_s, timeout_s)
    except OSError as error:
        lasting = error.errno in _LASTING
        raise (PublishError if lasting else PassingFaultError)(
            f"the edition could not be published: {error.strerror or error}",
            where=str(error.filename or job.place.folder),
            fix="see that it can be written to" if lasting else "make room, then publish again",
        ) from error


def _publish(job: Job, progress: Progress | None, cell_timeout_s: int, timeout_s: int) -> Edition:
    staging = job.place.out / ".staging"
    draft = staging / job.place.name
    edition = _current(job)
    if edition and not draft.exists():
        return edition
    from filelock import FileLock

    make_private(staging)
    # Another publisher of the same report waits here, then finds the work done.
    with FileLock(staging / f"{job.place.name}.lock"):
        remove_tree(draft)  # what a publisher left that died
        job = _catch_up(job)
        edition = _current(job)
        if edition:
            return edition
        make_private(draft)
        try:
            edition = _make(job, draft, progress, cell_timeout_s, timeout_s)
        finally:
            remove_tree(draft)
    index.rebuild(job.place.out, job.lake.language)
    return edition


def _prepare(
    report: str,
    period: str | Period,
    lake: Lake,
    out: Path,
    language: str,
    scope: str,
    notebooks: str | Path | None,
    formats: Sequence[str],
    masthead: Masthead | Mapping[str, str] | None,
) -> Job:
    if unknown := [name for name in formats if name not in FORMATS]:
        raise PublishError(f"no reports as {unknown[0]!r}", where="formats", fix=f"use {', '.join(FORMATS)}")
    span = parse_period(period, lake.month_start)
    shipped = notebooks is None
    about = parse_scope(scope)
    place = Place(out, report, span.key, about.id, language)
    place.check_links()
    if shipped and report in REPORTS and span.kind != REPORTS[report][0]:
        raise PublishError(
            f"the {report} report is about a {REPORTS[report][0].replace('_', '-')}, {span.key} is a {span.kind}",
            fix="name a period of that kind, such as 2026-10 for a month or 2026Q3 for a quarter",
        )
    if shipped and not suits(report, scope):
        raise PublishError(f"there is no {report} report by {about.by}", where="scope", fix='use "all"')
    file = _find(report, resources.notebooks_path() / "reports" if shipped else Path(notebooks))
    source, known = _read_notebook(file)
    head = settle_masthead(masthead, known, read_masthead(lake.path))
    lake = cut_lake(lake, head.cut_off, span)
    if about.by or shipped:
        lake = narrow_lake(lake, scope)
    if about.by:
        require_enough(lake, scope, span)
    if shipped and not (lake.has("cases") or lake.has("contacts")):
        raise PublishError("there are neither cases nor contacts", where=str(lake.path), fix="load an export first")
    given = {
        "lake": str(lake.path),
        "snapshot": lake.snapshot.id,
        "report": report,
        "period": span.key,
        "language": language,
        "scope": str(about),
        **{name: text for name, text in head.given().items() if name in known},
    }
    parameters = check(known, given, file.name)
    asked = tuple(name for name in FORMATS if name in formats)
    found = inputs.collect(lake, source, parameters, head.given())
    print_ = inputs.fingerprint(found)
    return Job(place, span, lake, str(about), file.name, source, parameters, found, print_, asked, head)


def _read_notebook(file: Path) -> tuple[bytes, dict[str, Parameter]]:
    source = file.read_bytes()
    try:
        return source, declared(json.loads(source), file.name)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PublishError(f"not a notebook ({error})", where=file.name, fix="save it with Jupyter again") from None


def _find(report: str, folder: Path) -> Path:
    for name in (f"{report}_evaluation.ipynb", f"{report}_plan.ipynb", f"{report}.ipynb"):
        file = folder / name
        if file.is_symlink():
            raise PublishError("a symbolic link is no report notebook", where=str(file), fix="copy the notebook there")
        if file.is_file():
            return file
    known = sorted(file.stem.removesuffix("_evaluation").removesuffix("_plan") for file in folder.glob("*.ipynb"))
    raise PublishError(f"there is no report {report!r}", fix=f"use {' or '.join(known) or 'a folder with notebooks'}")


def _current(job: Job) -> Edition | None:
    """Return the edition that was made from the same inputs, if it still is the current one, and see that it is listed.

    Asked for an earlier snapshot, any edition will do. Otherwise only the latest: after a wrong load is undone, the
    data are those of an edition that was superseded, and readers need a new one.
    """
    numbers = job.place.numbers()
    for number in reversed(numbers if job.lake.pinned else numbers[-1:]):
        edition = read(job.place.folder / str(number))
        held = all(FORMATS[name] in edition.manifest["files"] for name in job.formats)
        if held and edition.manifest["fingerprint"] == job.fingerprint:
            if not index.lists(job.place.out, edition):
                index.rebuild(job.place.out, job.lake.language)
            return edition
    return None


def _catch_up(job: Job) -> Job:
    """Return the job on today's data when an edition was made from later data than its own, by another publisher."""
    latest = job.place.latest(job.lake.made_up)
    if job.lake.pinned or not latest or latest.manifest["snapshot"]["id"] <= job.lake.snapshot.id:
        return job
    if not inputs.is_made_from(latest.manifest, job.lake):
        return job
    lake = job.lake.refresh()
    parameters = {**job.parameters, "snapshot": lake.snapshot.id}
    found = inputs.collect(lake, job.source, parameters, job.masthead.given())
    return replace(job, lake=lake, parameters=parameters, inputs=found, fingerprint=inputs.fingerprint(found))


def _make(job: Job, draft: Path, progress: Progress | None, cell_timeout_s: int, timeout_s: int) -> Edition:
    work = make_private(draft / "work")
    reach("run")
    try:
        result = run(
            job.source,
            job.parameters,
            work,
            name=job.name,
            cell_timeout_s=cell_timeout_s,
            timeout_s=timeout_s,
            progress=progress,
        )
    except PublishError as error:
        kept = _keep_failed(job, work)
        if _is_overtaken(job.lake):
            raise PassingFaultError(
                "rows were erased from the lake while the report was made", where=error.where, fix="publish again"
            ) from None
        raise type(error)(error.what, where=error.where, fix=f"{error.fix}; what it left is in {kept}") from None
    if progress:
        progress("render", 1, 1)
    folder = draft / "edition"
    folder.mkdir()
    manifest = render_edition(job, result, folder, job.place.latest(job.lake.made_up))
    _move(folder, job.place.folder / str(manifest["edition"]), private=index.is_personal(manifest))
    shutil.rmtree(_failed(job), ignore_errors=True)
    return Edition(job.place.folder / str(manifest["edition"]), manifest, "published")


def _move(draft: Path, final: Path, *, private: bool) -> None:
    """Put the finished edition in place: everything is on disk before its name is, and the name comes in one rename.

    What is about persons is its owner's alone to read: whoever else may is given it by hand.
    """
    for file in draft.iterdir():
        file.chmod(0o400 if private else 0o444)
    draft.chmod(0o700 if private else 0o755)
    sync(draft.iterdir())
    final.parent.mkdir(parents=True, exist_ok=True)
    reach("rename edition")
    if final.exists():
        raise PublishError("this edition stands already", where=str(final), fix="publish again")
    draft.rename(final)
    reach("renamed edition")
    handle = os.open(final.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _is_overtaken(lake: Lake) -> bool:
    """Tell whether an erasure removed files of the snapshot that is read; the snapshot names others in their place."""
    files = (file for table in lake.snapshot.tables.values() for file in table.files)
    return not all((lake.path / file).exists() for file in files)


def _failed(job: Job) -> Path:
    return job.place.out / ".failed" / job.place.name


def _keep_failed(job: Job, work: Path) -> Path:
    """Keep what shows why a run failed; only its owner can read it, and the next success removes it."""
    make_private(job.place.out / ".failed")
    kept = make_private(_failed(job))
    for name in ("output.ipynb", "input.ipynb", "child.log"):
        if (work / name).exists():
            shutil.copyfile(work / name, kept / name)
    return kept
