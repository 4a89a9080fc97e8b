"""What is to be published: every period that has ended and has no edition yet, and whether its data are there."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from datetime import date
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from svcanalytics.errors import PassingFaultError, PublishError, SvcError
from svcanalytics.periods import Period, parse_period, period_of, periods_between
from svcanalytics.report.publication.edition import Edition, read
from svcanalytics.report.publication.publishing import publish
from svcanalytics.report.scheduling.readiness import examine_period
from svcanalytics.report.scheduling.timetable import Timetable
from svcanalytics.report.scopes import list_scopes, parse_scope, stands_for, suits
from svcanalytics.report.words.labels import REPORTS

if TYPE_CHECKING:
    from svcanalytics.report.publication.runner import Progress
    from svcanalytics.store import Lake

__all__ = ["Due", "Outcome", "list_due", "list_period", "publish_due"]

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
    scope : str
        Of what: "all", "team:NAME".
    """

    report: str
    period: Period
    language: str
    state: State
    missing: tuple[str, ...] = ()
    scope: str = "all"


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
        Which reports, of what, in which languages, since when. Of "team:*" teams with too little in a period are left
        out.
    today : date
        The local day it is.
    since, until : str, optional
        First and last period to look at, such as "2025-01"; instead of the timetable's `since`.

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
    for item in _undone(lake, Path(out), timetable, begin, min(end, today), today):
        key = item.period.key
        if key not in ready:
            readiness = examine_period(lake, item.period, today)
            ready[key] = ("due" if readiness.state == "ready" else "late", readiness.missing)
        state, missing = ready[key]
        found.append(replace(item, state=state, missing=missing))
    return sorted(found, key=lambda due: (due.period.last, due.report, due.scope != "all", due.scope, due.language))


def list_period(lake: Lake, timetable: Timetable, period: Period) -> list[Due]:
    """Return all that the timetable wants of one period, published or not."""
    return [
        Due(report, period, language, "due", scope=scope)
        for report in timetable.reports
        if REPORTS[report][0] == period.kind
        for text in timetable.scopes
        if suits(report, text)
        for scope in list_scopes(lake, text, period)[0]
        for language in timetable.languages or (lake.language,)
    ]


def publish_due(
    due: list[Due],
    lake: Lake,
    out: str | Path,
    timetable: Timetable,
    *,
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
    lake, out, timetable
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
        return _publish_one(item, lake, out, timetable, progress, wait)

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
    progress: Progress | None,
    wait: Callable[[float], None],
) -> Outcome:
    tries = 0
    while True:
        tries += 1
        try:
            edition = publish(
                item.report, item.period, lake, out, item.language, item.scope, progress, formats=timetable.formats
            )
        except PassingFaultError as error:
            if tries > timetable.retries:
                return Outcome(item, None, error, tries)
            wait(timetable.retry_wait_s * 2.0 ** (tries - 1))
        except SvcError as error:
            return Outcome(item, None, error, tries)
        else:
            return Outcome(item, edition, None, tries)


def _undone(lake: Lake, out: Path, timetable: Timetable, begin: date | None, end: date, today: date) -> Iterator[Due]:
    """Give what has ended and has no edition; whether its data are there is not looked at yet."""
    known: dict[tuple[str, str], list[str]] = {}
    for report, language in product(timetable.reports, timetable.languages or (lake.language,)):
        done = _published(out, report, language, lake.made_up)
        for text in timetable.scopes:
            if not suits(report, text):
                continue
            begun = {key for key, ids in done.items() if any(stands_for(text, id) for id in ids)}
            for period in _ended(report, begun, begin, end, today, lake.month_start):
                if (text, period.key) not in known:
                    known[text, period.key] = list_scopes(lake, text, period)[0]
                for scope in known[text, period.key]:
                    if parse_scope(scope).id not in done.get(period.key, ()):
                        yield Due(report, period, language, "due", scope=scope)


def _published(out: Path, report: str, language: str, made_up: bool) -> dict[str, set[str]]:
    """Return the ids of the scopes with an edition, by period; the demonstration's don't count for real data."""
    found: dict[str, set[str]] = defaultdict(set)
    for edition in (out / report).glob(f"[!.]*/*-{language}/[0-9]*"):
        if edition.name.isdecimal() and _is_about(edition, made_up):
            found[edition.parent.parent.name].add(edition.parent.name.removesuffix(f"-{language}"))
    return found


def _is_about(folder: Path, made_up: bool) -> bool:
    try:
        return read(folder).manifest["made_up"] == made_up
    except PublishError:  # a damaged edition is named by `status`; publishing beside it would not repair it
        return True


def _ended(report: str, done: set[str], begin: date | None, end: date, today: date, month_start: int) -> list[Period]:
    kind = REPORTS[report][0]
    newest = period_of(today, kind, month_start).previous()
    if begin is None:
        begin = min([newest, *(parse_period(key, month_start) for key in done)]).start
    return [period for period in periods_between(begin, end, kind, month_start) if period <= newest]
