"""Which periods are incomplete: data that begin or stop inside them, or a tail of stragglers after data really end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from svcanalytics.periods import Period

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["covered_days", "incomplete_periods"]

_WEEK = 7
_ENOUGH = 20
"""Rows a usual week must hold before a thin tail means anything."""
_HOLIDAY = 10
"""Days of next to nothing at the end that may still be a holiday."""
_COLLAPSE = 0.15
"""A tail below this share of the usual volume is stragglers, not demand."""


def covered_days(days: Sequence[date], counts: Sequence[int]) -> tuple[date, date, int] | None:
    """Return the first and the last day that the data really cover, and the longest usual gap in days.

    The last day is not that of the newest row: an export can end in stragglers (the log of a service that
    moved elsewhere in May holds a handful of cases opened later). The usual week is the one that the median row lies
    in, so that a platform that grew is measured by its grown size.

    Parameters
    ----------
    days : sequence of date
        Days with rows, ascending.
    counts : sequence of int
        Rows of each.

    Returns
    -------
    first, last, gap : date, date, int
        `gap` is the 99th percentile of the days between two days with usual volume (1: every day has rows, 3: weekends
        have none). None without rows.
    """
    if not len(days):
        return None
    order = np.array([day.toordinal() for day in days])
    volume = np.asarray(counts, dtype=np.int64)
    span = order - order[0]
    daily = np.zeros(span[-1] + 1, dtype=np.int64)
    daily[span] = volume
    trailing = np.convolve(daily, np.ones(_WEEK, dtype=np.int64))[: len(daily)]
    usual = _weighted_median(trailing[span], volume)
    last, busy = len(daily) - 1, span
    if usual >= _ENOUGH:
        lively = np.flatnonzero(trailing >= _COLLAPSE * usual)
        full_days = np.flatnonzero(daily >= max(_COLLAPSE * usual / _WEEK, 1))
        real = int(full_days[full_days <= lively[-1]][-1])
        last = real if last - real >= _HOLIDAY else last
        busy = full_days  # years with a row a month don't excuse a missing week
    busy = busy[busy <= last]
    gap = int(np.percentile(np.diff(busy), 99, method="higher")) if len(busy) > 1 else 1
    return date.fromordinal(int(order[0])), date.fromordinal(int(order[0]) + last), gap


def incomplete_periods(
    periods: Sequence[Period], covered: tuple[date, date, int] | None, start: date | None, end: date | None
) -> np.ndarray:
    """Tell which periods aren't fully covered by the data, or are cut by `start` and `end` (both inclusive).

    A period counts as covered when what is missing at its edge is no longer than a usual gap: data that end on a Friday
    cover a month that ends on the Sunday after.

    Returns
    -------
    ndarray of bool, shape (len(periods),)
    """
    flags = np.zeros(len(periods), dtype=bool)
    for i, period in enumerate(periods):
        cut = (start is not None and start > period.start) or (end is not None and end < period.last)
        short = covered is None or (
            covered[0] - timedelta(days=covered[2] - 1) > period.start
            or covered[1] + timedelta(days=covered[2] - 1) < period.last
        )
        flags[i] = cut or short
    return flags


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
