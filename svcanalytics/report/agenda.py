"""What is to be published: every period that has ended and has no edition yet, and whether its data are there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from svcanalytics.errors import PassingFaultError, SvcError
from svcanalytics.periods import Period, parse_period, period_of, periods_between
from svcanalytics.report.edition import Edition, Place
from svcanalytics.report.labels import REPORTS
from svcanalytics.report.publishing import publish
from svcanalytics.report.readiness import examine_period
from svcanalytics.report.timetable import Timetable

if TYPE_CHECKING:
    from svcanalytics.report.runner import Progress
    from svcanalytics.store import Lake

__all__ = ["Due", "Outcome", "list_due", "publish_due"]

State = Literal["due", "late"]


@dataclass(frozen=True)
class Due:
    """A report that ought to be published.

    Attributes
    ----------
    report, period, language : str
        What, about when, for whom.
    state : {"due", "late"}
        "late" while data of the period are missing.
    missing : tuple of str
        What is missing.
    """

    report: str
    period: Period
    language: str
    state: State
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """How a publication ended: with an edition, or with the last error after so many tries."""

    due: Due
    edition: Edition | None
    error: SvcError | None
    tries: int


def list_due(
    lake: Lake,
    out: str | Path,
    timetable: Timetable,
    today: date,
    *,
    since: str | None = None,
    until: str | None = None,
    scope: str = "all",
) -> list[Due]:
    """Return what ought to have been published by a day and was not, the oldest period first.

    A period with an edition is done: newer data make a new edition when somebody publishes it again, not by
    themselves.

    Parameters
    ----------
    lake : Lake
        Read at the snapshot it is opened at.
    out : str or Path
        The folder of all reports.
    timetable : Timetable
        Which reports, in which languages, since when.
    today : date
        The local day it is.
    since, until : str, optional
        First and last period to look at, such as "2025-01"; instead of the timetable's `since`.
    scope : str
        Which part of the organisation.

    Returns
    -------
    list of Due

    Raises
    ------
    PeriodError
        When `since` or `until` is no period.
    """
    found = []
    first = since or timetable.since
    begin = parse_period(first, lake.month_start).start if first else None
    end = parse_period(until, lake.month_start).last if until else today
    ready: dict[str, tuple[State, tuple[str, ...]]] = {}
    for report in timetable.reports:
        for language in timetable.languages or (lake.language,):
            done = _published(Path(out), report, scope, language)
            for period in _ended(report, done, begin, min(end, today), today, lake.month_start):
                if period.key in done:
                    continue
                if period.key not in ready:
                    readiness = examine_period(lake, period, today)
                    ready[period.key] = ("due" if readiness.state == "ready" else "late", readiness.missing)
                found.append(Due(report, period, language, *ready[period.key]))
    return sorted(found, key=lambda due: (due.period.last, due.report, due.language))


def publish_due(
    due: list[Due],
    lake: Lake,
    out: str | Path,
    timetable: Timetable,
    *,
    scope: str = "all",
    progress: Progress | None = None,
    wait: Callable[[float], None] = time.sleep,
    workers: int = 1,
) -> Iterator[Outcome]:
    """Publish what is due and not late, one after another or several at a time; a failure does not stop the others.

    Only a `PassingFaultError` is tried again, as often as the timetable says: a notebook that fails on its data fails
    again.

    Parameters
    ----------
    due : list of Due
        From `list_due`.
    lake, out, timetable, scope
        As `list_due` takes them.
    progress : callable, optional
        As `publish` takes it.
    wait : callable
        Called with the seconds to wait before another try.
    workers : int
        How many are published at a time. Each runs its notebook in a process of its own, which takes about one core and
        as much memory as one report does.

    Yields
    ------
    Outcome
        One for each that was due, as soon as it is known.
    """
    asked = [item for item in due if item.state == "due"]

    def run(item: Due) -> Outcome:
        return _publish_one(item, lake, out, timetable, scope, progress, wait)

    if workers <= 1:
        yield from map(run, asked)
        return
    pool = ThreadPoolExecutor(workers, thread_name_prefix="publish")
    try:
        for done in as_completed([pool.submit(run, item) for item in asked]):
            yield done.result()
    finally:
        # Whoever stops listening wants no more of them; what has begun is finished.
        pool.shutdown(cancel_futures=True)


def _publish_one(
    item: Due,
    lake: Lake,
    out: str | Path,
    timetable: Timetable,
    scope: str,
    progress: Progress | None,
    wait: Callable[[float], None],
) -> Outcome:
    tries = 0
    while True:
        tries += 1
        try:
            edition = publish(
                item.report, item.period, lake, out, item.language, scope, progress, formats=timetable.formats
            )
        except PassingFaultError as error:
            if tries > timetable.retries:
                return Outcome(item, None, error, tries)
            wait(timetable.retry_wait_s * 2.0 ** (tries - 1))
        except SvcError as error:
            return Outcome(item, None, error, tries)
        else:
            return Outcome(item, edition, None, tries)


def _published(out: Path, report: str, scope: str, language: str) -> set[str]:
    folder = out / report
    names = [entry.name for entry in folder.iterdir() if entry.name[0] != "."] if folder.is_dir() else []
    return {name for name in names if Place(out, report, name, scope, language).numbers()}


def _ended(report: str, done: set[str], begin: date | None, end: date, today: date, month_start: int) -> list[Period]:
    kind = REPORTS[report][0]
    newest = period_of(today, kind, month_start).previous()
    if begin is None:
        begin = min([newest, *(parse_period(key, month_start) for key in done)]).start
    return [period for period in periods_between(begin, end, kind, month_start) if period <= newest]
