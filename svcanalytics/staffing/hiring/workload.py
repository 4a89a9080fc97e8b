"""Hours of work that months to come will bring, as sample paths."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.volumes import PathSource

__all__ = ["monthly_workload"]


def monthly_workload(
    forecast: PathSource,
    handle_s: float | Mapping[str, float],
    *,
    occupancy: float = 0.8,
    growth: tuple[float, float] = (0.0, 0.0),
    n: int = 500,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the hours that agents must be at their desks, month by month, in equally likely courses.

    Only months that the forecast covers whole, from their first to their last day, are given. A forecast knows less of
    a year ahead than its days' errors say: `growth` adds what business may do beside.

    Parameters
    ----------
    forecast : Forecast
        Of the months to come, such as ``demand.forecast(arrivals, days=130)``.
    handle_s : float or mapping of queue to float
        Mean handle time in seconds.
    occupancy : float
        Share of the time at their desks that agents spend on contacts; what service level and size allow.
    growth : tuple of float
        Mean and standard deviation of a yearly growth beyond the forecast, as shares.
    n, seed : int
        Number of courses, and their seed.

    Returns
    -------
    pandas.DataFrame
        Index: months (Period, freq M); columns 0 to n - 1: hours.

    Raises
    ------
    StaffingError
        When a handle time lacks or the forecast covers no whole month.
    """
    if not 0 < occupancy <= 1:
        raise StaffingError(f"an occupancy of {occupancy}", where="occupancy", fix="give a share above 0, at most 1")
    paths = forecast.paths(n, seed)
    queues = paths.index.get_level_values("queue")
    seconds = handle_s if isinstance(handle_s, Mapping) else dict.fromkeys(queues.unique(), float(handle_s))
    if lacking := [queue for queue in queues.unique() if queue not in seconds]:
        raise StaffingError("a queue has no handle time", where=str(lacking[0]), fix="give handle_s for every queue")
    starts = pd.DatetimeIndex(paths.index.get_level_values("start")).tz_localize(None)
    hours = paths.to_numpy() * queues.map(seconds).to_numpy(dtype="float64")[:, None] / 3600 / occupancy
    table = pd.DataFrame(hours).groupby(starts.to_period("M")).sum()
    # A weekend at either end is no reason to leave a month out.
    whole = [
        (starts.min() - month.start_time).days <= 3 and (month.end_time - starts.max()).days <= 3
        for month in table.index
    ]
    table = table[np.array(whole, dtype=bool)]
    if table.empty:
        raise StaffingError("the forecast covers no whole month", where="forecast", fix="forecast more days ahead")
    rng = np.random.default_rng(seed)
    years = (np.arange(len(table)) + 0.5) / 12
    drift = rng.normal(growth[0], growth[1], n) if growth[1] else np.full(n, growth[0])
    return table.rename_axis("month") * np.exp(np.outer(years, np.log1p(np.maximum(drift, -0.99))))
