"""Months, quarters and half-years as Dagster's partitions; own months (26th to 25th) as well."""

from __future__ import annotations

from datetime import date, datetime

import dagster as dg

from svcanalytics.periods import Period, period_of

__all__ = ["KINDS", "partition_key", "partitions_of", "period_of_key"]

KINDS = ("month", "quarter", "half_year")
_FIRST_MONTHS = {"month": range(1, 13), "quarter": (1, 4, 7, 10), "half_year": (1, 7)}
_FORMAT = "%Y-%m-%d"


def partitions_of(kind: str, first: date, timezone: str, month_start: int = 1) -> dg.TimeWindowPartitionsDefinition:
    """Return the partitions of one kind of period; a partition's key is its first day.

    Parameters
    ----------
    kind : {"month", "quarter", "half_year"}
        The kind of period.
    first : date
        The first partition is the one that holds this day.
    timezone : str
        IANA name; a partition ends at midnight there.
    month_start : int
        Day on which months begin.
    """
    # An own month is named after the calendar month it ends in, so it begins in the one before.
    earlier = int(month_start > 1)
    months = sorted((month - 1 - earlier) % 12 + 1 for month in _FIRST_MONTHS[kind])
    start = period_of(first, kind, month_start).start
    return dg.TimeWindowPartitionsDefinition(
        start=datetime(start.year, start.month, start.day),
        cron_schedule=f"0 0 {month_start} {','.join(map(str, months))} *",
        fmt=_FORMAT,
        timezone=timezone,
    )


def period_of_key(key: str, kind: str, month_start: int = 1) -> Period:
    """Return the period that a partition's key stands for."""
    return period_of(date.fromisoformat(key), kind, month_start)


def partition_key(period: Period) -> str:
    """Return the key of a period's partition."""
    return period.start.strftime(_FORMAT)
