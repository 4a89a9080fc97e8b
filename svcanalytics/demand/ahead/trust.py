"""How far an update deserves to be believed: what it would have said on past days, beside what then came."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.ahead.conditioning import Pull, condition
from svcanalytics.demand.ahead.spread import Spread

__all__ = ["Record", "believe"]

_DOUBT = 0.5
"""By how much belief may differ from queue to queue: its standard deviation before anything was seen."""
_HALFWAY = 20.0
"""Days on record from which patterns within the day are half believed."""


@dataclass(frozen=True, eq=False)
class Record:
    """Past days as they were forecast before and as they came.

    Attributes
    ----------
    expected, actual : numpy.ndarray, shape ``(N, S)``
        NaN where closed.
    lead_group : numpy.ndarray of int, shape ``(N,)``
        How far ahead each was forecast, as in `Spread`.
    days : int
        How many days the spread's patterns were learned from.
    """

    expected: NDArray[np.float64]
    actual: NDArray[np.float64]
    lead_group: NDArray[np.intp]
    days: int


def believe(pull: Pull, spread: Spread, record: Record, came: NDArray[np.float64]) -> Pull:
    """Return a pull that moves as far as such pulls have been right.

    On each past day the same slots are taken as known, and the rest of the day is regressed through the origin on what
    they would have made of it. The slope, at most 1, is what the pull is multiplied by. It is drawn to what the number
    of days speaks for, the more so the less the past days tell (ridge regression, which is Bayes' rule for a normal
    prior: Hoerl and Kennard 1970, Technometrics 12:55).

    Parameters
    ----------
    pull : Pull
    spread : Spread
    record : Record
    came : numpy.ndarray, shape ``(D, S)``
        Counts of the spread's days; NaN where none is known yet.
    """
    today = int(np.flatnonzero(np.isfinite(came).any(axis=1))[-1])
    alike = record.lead_group == spread.lead_group[today]
    said, found = _rehearsed(spread, today, record.expected[alike], record.actual[alike], np.isfinite(came[today]))
    slope = record.days / (record.days + _HALFWAY)
    if said.any():
        ridge = np.mean(found**2) / _DOUBT**2
        slope = float(np.clip((said @ found + ridge * slope) / (said @ said + ridge), 0.0, 1.0))
    return replace(pull, gain=slope * pull.gain, shift=slope * pull.shift)


def _rehearsed(
    spread: Spread, today: int, expected: NDArray[np.float64], actual: NDArray[np.float64], known: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """By what share the rest of each past day was to move, and by what share it did."""
    one = slice(today, today + 1)
    said, found = [], []
    for mean, counts in zip(expected, actual, strict=True):
        both = np.isfinite(mean) & np.isfinite(counts)
        seen, rest = both & known, both & ~known
        total = mean[rest].sum()
        if not seen.any() or not total > 0:
            continue
        day = replace(
            spread, mean=np.where(both, mean, np.nan)[None], covariance=spread.covariance[one, one],
            lead_group=spread.lead_group[one],
        )  # fmt: skip
        moved = condition(day, np.where(seen, counts, np.nan)[None]).shift[0]
        said.append(mean[rest] @ np.expm1(moved[rest]) / total)
        found.append(counts[rest].sum() / total - 1)
    return np.array(said), np.array(found)
