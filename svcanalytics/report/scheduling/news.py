"""News of publications: what is about to be published is remembered, and told later if nobody lived to tell it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable
from pathlib import Path

from svcanalytics.errors import PublishError
from svcanalytics.periods import parse_period
from svcanalytics.report.publication.edition import Place
from svcanalytics.report.scheduling.agenda import Due, Outcome
from svcanalytics.report.scheduling.notices import compose_notice, send_notice
from svcanalytics.report.scheduling.timetable import Notify
from svcanalytics.report.scopes import parse_scope
from svcanalytics.store.files import make_private, write_atomically

__all__ = ["expect_news", "tell_missed_news", "tell_news"]

_LEDGER, _EXPECTED = ".notices", "expected"


def expect_news(due: Iterable[Due], out: str | Path) -> None:
    """Remember what is about to be published, before it is.

    Parameters
    ----------
    due : iterable of Due
        What `publish_due` is given.
    out : str or Path
        The folder of all reports.
    """
    # Publishing meets the same full disk and says so better.
    with contextlib.suppress(OSError):
        for item in due:
            if item.state != "due":
                continue
            file = _file(item, out)
            make_private(file.parent.parent)
            known = {
                "report": item.report,
                "period": item.period.key,
                "month_start": item.period.month_start,
                "scope": item.scope,
                "language": item.language,
                "after": max(_place(item, out).numbers(), default=0),
            }
            write_atomically(file, json.dumps(known, ensure_ascii=False), mode=0o600)


def tell_news(outcome: Outcome, out: str | Path, notify: Notify) -> list[str]:
    """Tell how a publication ended, once to each channel.

    Parameters
    ----------
    outcome : Outcome
        From `publish_due`.
    out : str or Path
        The folder of all reports, which remembers what was told.
    notify : Notify
        Whom to tell.

    Returns
    -------
    list of str
        What went wrong, one sentence per channel. A channel that could not be reached is tried again by
        `tell_missed_news`.
    """
    troubles = send_notice(compose_notice(outcome, out, notify.link), notify, Path(out, _LEDGER))
    if outcome.edition and not troubles:
        with contextlib.suppress(OSError):
            _file(outcome.due, out).unlink(missing_ok=True)
    return troubles


def tell_missed_news(out: str | Path, notify: Notify) -> list[str]:
    """Tell of the editions that were expected and stand, and of which not every channel has heard.

    Parameters
    ----------
    out : str or Path
        The folder of all reports.
    notify : Notify
        Whom to tell.

    Returns
    -------
    list of str
        As `tell_news` gives it.
    """
    troubles = []
    for file in sorted(Path(out, _LEDGER, _EXPECTED).glob("*.json")):
        try:
            known = json.loads(file.read_text("utf-8"))
            period = parse_period(known["period"], known["month_start"])
            due = Due(known["report"], period, known["language"], "due", scope=known["scope"])
            edition = _place(due, out).latest()
        except (OSError, ValueError, KeyError, TypeError, PublishError):
            continue
        if edition and edition.number > known["after"]:
            troubles += tell_news(Outcome(due, edition, None, 1), out, notify)
    return troubles


def _place(due: Due, out: str | Path) -> Place:
    return Place(Path(out).absolute(), due.report, due.period.key, parse_scope(due.scope).id, due.language)


def _file(due: Due, out: str | Path) -> Path:
    return Path(out, _LEDGER, _EXPECTED, f"{_place(due, out).name}.json")
