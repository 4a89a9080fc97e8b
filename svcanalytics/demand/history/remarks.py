"""What a planner should know about a history before trusting a forecast of it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from svcanalytics.demand.history.findings import Finding
from svcanalytics.demand.history.hours import OpeningHours
from svcanalytics.demand.matrix import DayMatrix

__all__ = ["remark"]

_SHORT_HISTORY = 14
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def remark(matrix: DayMatrix, hours: OpeningHours, country: str, ahead: pd.DataFrame) -> Iterator[Finding]:
    """Return what is not known: days, weekdays, holidays, announcements, regressors.

    Parameters
    ----------
    matrix : DayMatrix
        A queue's history.
    hours : OpeningHours
    country : str
        Whose holidays count, "" for none.
    ahead : pandas.DataFrame
        The described days of the weeks to come.
    """
    queue, first, last = matrix.queue, matrix.days[0], matrix.days[-1]
    recorded = int(matrix.recorded.sum())
    if recorded < _SHORT_HISTORY:
        yield Finding(queue, first, last, "short history", f"{recorded} days on record", "taken as it is")
    if not np.nansum(matrix.counts):
        yield Finding(queue, first, last, "no arrivals", "all counts are zero", "open where rows stand")
    elif hours.unseen:
        names = ", ".join(_WEEKDAYS[day] for day in hours.unseen)
        done = "hours taken from like weekdays, closed if there are none"
        yield Finding(queue, first, last, "weekdays not seen", names, done)
    if hours.inferred and country and not hours.holidays:
        done = "those to come are taken as open; give hours or events to close them"
        yield Finding(queue, first, last, "no public holiday seen", country, done)
    for features, done in (
        (matrix.features, "statutory days only"),
        (ahead, "statutory days only; a scenario can be given"),
    ):
        days = features.index[features["provisional"].to_numpy()]
        if len(days):
            yield Finding(queue, days[0], days[-1], "provisional calendar", "moved days are not announced yet", done)
    for name in matrix.features.columns:
        unknown = matrix.features[name].isna().to_numpy() if name.startswith("x_") else np.array([False])
        if unknown.any():
            days = matrix.days[unknown]
            detail = f"{name[2:]} lacks {len(days)} days"
            yield Finding(queue, days[0], days[-1], "regressor unknown", detail, "left missing")
