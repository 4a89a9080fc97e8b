"""Are the data of a period complete? A report starts when they are, not merely when the clock says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal

from svcanalytics.metrics.completeness import covered_days
from svcanalytics.periods import Period

if TYPE_CHECKING:
    from svcanalytics.store import Lake

__all__ = ["Readiness", "examine_period"]

_TABLES = ("cases", "contacts", "surveys", "messages")
"""What comes day after day. Audits, training or duties come when they come: no day can be missing there."""
_AFTER = timedelta(days=42)
"""So many days after the period are looked at too: they show whether a thin end is the end of the data."""


@dataclass(frozen=True)
class Readiness:
    """Whether a period can be reported on.

    Attributes
    ----------
    period : Period
        The period.
    state : {"ready", "late", "running"}
        "running" until its last day has passed; then "late" while data are missing.
    missing : tuple of str
        What is missing, as "cases: there until 2026-09-12, needed until 2026-09-30".
    """

    period: Period
    state: Literal["ready", "late", "running"]
    missing: tuple[str, ...] = ()


def examine_period(lake: Lake, period: Period, today: date) -> Readiness:
    """Tell whether a period has ended and its data are there.

    A table is expected when the period before had rows of it, or when it begins with this period: surveys that were
    given up two years ago don't hold up a report. It is complete when it reaches the period's last day but
    for a gap as long as usual: data that end on a Friday cover a month that ends on the Sunday after.

    Parameters
    ----------
    lake : Lake
        Read at the snapshot it is opened at.
    period : Period
        What is to be reported on.
    today : date
        The local day it is.

    Returns
    -------
    Readiness
    """
    if today <= period.last:
        return Readiness(period, "running")
    missing, found = [], False
    for table in _TABLES:
        covered = _cover(lake, table, period)
        if covered is None:
            continue
        found = True
        _, last, gap = covered
        if last + timedelta(days=gap - 1) < period.last:
            missing.append(f"{table}: there until {last}, needed until {period.last}")
    if not found:
        missing.append(f"none of {', '.join(_TABLES)} has rows of {period.key} or of the periods before")
    return Readiness(period, "late" if missing else "ready", tuple(missing))


def _cover(lake: Lake, table: str, period: Period) -> tuple[date, date, int] | None:
    """Return what the rows of a table cover, or None when it is not expected in the period."""
    if not lake.has(table):
        return None
    until = f"{period.last + _AFTER:%Y%m%d}"
    counted = lake.sql(f"select day_key, count(*) as n from {table} where day_key <= {until} group by 1 order by 1")
    days = [date(key // 10_000, key // 100 % 100, key % 100) for key in counted["day_key"].tolist()]
    covered = covered_days(days, counted["n"].tolist())
    if covered is None:
        return None
    before = period.previous()
    usual = any(before.start <= day <= before.last for day in days)
    first, _, gap = covered
    begins = period.start <= first <= period.start + timedelta(days=gap - 1)
    return covered if usual or begins else None
