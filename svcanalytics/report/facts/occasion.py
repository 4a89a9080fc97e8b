"""What every report begins with: whose it is, about which period, and how far its data reach."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from svcanalytics.errors import PublishError
from svcanalytics.periods import Period, parse_period
from svcanalytics.report.facts import gathering
from svcanalytics.report.words.labels import REPORTS

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Occasion", "open_occasion"]

#: No holiday closes a service for longer than this many days: a longer silence at the end means that data are missing.
_LONGEST_SILENCE = 7


@dataclass(frozen=True)
class Occasion:
    """What a report is about.

    Attributes
    ----------
    report : str
    period : Period
    language : str
        "zh" or "en".
    scope : str
    organisation : str
        "" when `svcanalytics.toml` gives none.
    data_until : date or None
        Local day of the newest case or contact.
    incomplete : bool
        The data stop inside the period.
    """

    report: str
    period: Period
    language: str
    scope: str
    organisation: str
    data_until: date | None
    incomplete: bool


def open_occasion(
    lake: Lake | str | Path, period: str, report: str, language: str, scope: str, snapshot: int | None
) -> tuple[Lake, Occasion]:
    """Open the lake at its snapshot, with the rows of the unit asked for, and check what is asked for.

    Raises
    ------
    PublishError
        When the report, the language or the scope is unknown, or the period is of another kind.
    """
    lake = gathering.open_lake(lake, snapshot, scope)
    asked = parse_period(period, lake.month_start)
    known = {"report": (report, tuple(REPORTS)), "language": (language, ("zh", "en"))}
    for name, (value, allowed) in known.items():
        if value not in allowed:
            raise PublishError(f"there is no {name} {value!r}", fix=f"use {' or '.join(allowed)}")
    if asked.kind != REPORTS[report][0]:
        raise PublishError(
            f"{asked.key} is not the period of a {report} report",
            where="period",
            fix=f"name a {REPORTS[report][0].replace('_', '-')}",
        )
    until = gathering.read_books(lake, asked).until
    silent = until is None or (asked.last - until).days > _LONGEST_SILENCE
    return lake, Occasion(report, asked, language, scope, lake.settings.organisation, until, silent)
