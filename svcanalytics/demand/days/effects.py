"""What the calendar does to demand: weekdays, kinds of days, parts of the month, each against what is usual."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.history.arrivals import Arrivals
from svcanalytics.demand.matrix import DayMatrix

__all__ = ["calendar_effects"]

_AROUND = 5
_ENOUGH = 3
_MONTH_PARTS = ((1, 3), (4, 10), (11, 20), (21, 27), (28, 31))


def calendar_effects(arrivals: Arrivals) -> pd.DataFrame:
    """Compare days by what the calendar says of them.

    A day's total over the median of the ordinary days of the same weekday within five weeks; for weekdays, over the
    mean of the ordinary days of its own week. Days left out of learning do not count.

    Returns
    -------
    pandas.DataFrame
        queue, kind (``weekday``; ``day_class``; ``month``: part of the month, of ordinary days), value (0 is Monday; a
        day class; ``1-3``), days, effect (geometric mean of the ratios: 1.2 is a fifth more), low, high (its 95 %
        interval by Student's t on logs). Values of fewer than three days are left out.
    """
    rows = [(name, *row) for name, matrix in arrivals.matrices.items() for row in _effects(matrix)]
    return pd.DataFrame(rows, columns=["queue", "kind", "value", "days", "effect", "low", "high"])


def _effects(matrix: DayMatrix) -> Iterator[tuple]:
    features = matrix.features
    use = matrix.recorded & ~features["excluded"].to_numpy(bool)
    total = np.where(use, np.nansum(matrix.counts, axis=1), np.nan)
    weekday = features["weekday"].to_numpy(int)
    classes = features["day_class"].astype(str).to_numpy()
    usual = np.where(np.isin(classes, ("ordinary", "weekend")), total, np.nan)
    week = (np.arange(len(total)) + weekday[0]) // 7
    frame = pd.DataFrame({"week": week, "usual": usual})
    of_week = frame.groupby("week")["usual"].transform("mean").to_numpy()
    in_week = frame.groupby("week")["usual"].transform("count").to_numpy()
    full = in_week >= np.median(in_week[in_week > 0]) if (in_week > 0).any() else in_week > 0
    for day in range(7):
        yield from _summed("weekday", day, np.where(full & (weekday == day), usual / of_week, np.nan))
    typical = _same_weekday(usual)
    for name in pd.unique(classes):
        if name not in ("ordinary", "weekend"):
            yield from _summed("day_class", name, np.where(classes == name, total / typical, np.nan))
    month_day = features["day_of_month"].to_numpy(int)
    for first, last in _MONTH_PARTS:
        inside = (month_day >= first) & (month_day <= last)
        yield from _summed("month", f"{first}-{last}", np.where(inside, usual / typical, np.nan))


def _same_weekday(usual: NDArray[np.float64]) -> NDArray[np.float64]:
    # The median of the weeks around, the day itself left out.
    series = pd.Series(usual)
    around = [series.shift(7 * weeks) for weeks in range(-_AROUND, _AROUND + 1) if weeks]
    return pd.concat(around, axis=1).median(axis=1).to_numpy()


def _summed(kind: str, value: object, ratios: NDArray[np.float64]) -> Iterator[tuple]:
    from scipy.stats import t

    logs = np.log(ratios[np.isfinite(ratios) & (ratios > 0)])
    if len(logs) >= _ENOUGH:
        half = t.ppf(0.975, len(logs) - 1) * logs.std(ddof=1) / np.sqrt(len(logs))
        middle = logs.mean()
        yield kind, value, len(logs), *np.exp([middle, middle - half, middle + half]).tolist()
