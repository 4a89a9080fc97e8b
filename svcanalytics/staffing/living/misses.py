"""Where missed days come from: one source of trouble after the other is let in, on the same random days."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.formulas.sizing import Definition
from svcanalytics.staffing.living.simulation import Simulation, compare, simulate
from svcanalytics.staffing.promise import Setting
from svcanalytics.staffing.volumes import Demand, PathSource, Times

__all__ = ["trace_misses"]


def trace_misses(
    plan: pd.DataFrame,
    needed: pd.DataFrame,
    forecast: PathSource,
    handle_s: Times,
    *,
    service_level: Setting = 0.8,
    within_s: float | Mapping[str, float] = 20,
    patience_s: Setting = None,
    max_occupancy: Setting = None,
    max_abandonment: Setting = None,
    max_asa_s: Setting = None,
    definition: Definition = "offered",
    concurrency: float | Mapping[str, float] = 1,
    absence: float = 0.0,
    handle_noise: float = 0.0,
    handle_cv: float = 1.0,
    interval_s: float | None = None,
    draws: int = 200,
    seed: int = 1,
) -> pd.DataFrame:
    """Return how many of the days miss their promise, and what each source adds.

    The required agents first meet the forecast's mean with nothing but chance in calls and times. Then come, one after
    the other and each on top of the last: the error of the forecast, days on which everything takes longer, absence,
    and at last the plan in place of the requirement. What a source adds depends on this order, which is that of time:
    what is settled first comes first.

    Parameters
    ----------
    plan : DataFrame
        What shifts give: queue, start, agents.
    needed : DataFrame
        What `requirement` asked for.
    forecast : Forecast
        With sample paths.
    handle_s, interval_s, service_level, within_s, patience_s, max_occupancy, max_abandonment, max_asa_s, definition,
    concurrency, absence, handle_noise, handle_cv, draws, seed
        As in `simulate`.

    Returns
    -------
    pandas.DataFrame
        queue, source (chance, forecast, handle time, absence, shift fit), missed (share of days up to here), added,
        low, high (95 %, from draws).

    Raises
    ------
    StaffingError
        As in `simulate`; or the forecast is a plain table.
    """
    if isinstance(forecast, pd.DataFrame):
        raise StaffingError("a table of means has no error to trace", fix="give a forecast with sample paths")

    def live(agents: pd.DataFrame, demand: Demand, noise: float, away: float) -> Simulation:
        return simulate(
            agents, demand, handle_s, service_level=service_level, within_s=within_s, patience_s=patience_s,
            max_occupancy=max_occupancy, max_abandonment=max_abandonment, max_asa_s=max_asa_s, definition=definition,
            concurrency=concurrency, absence=away, handle_noise=noise, handle_cv=handle_cv, interval_s=interval_s,
            draws=draws, seed=seed,
        )  # fmt: skip

    steps = {
        "chance": live(needed, forecast.table, 0.0, 0.0),
        "forecast": live(needed, forecast, 0.0, 0.0),
        "handle time": live(needed, forecast, handle_noise, 0.0),
        "absence": live(needed, forecast, handle_noise, absence),
        "shift fit": live(plan, forecast, handle_noise, absence),
    }
    parts, before = [], None
    for source, after in steps.items():
        if before is None:
            found = after.promises.query("period == 'day' and target == 'all'")
            missed = 1 - found["probability"].to_numpy()
            bounds = missed, 1 - found["high"].to_numpy(), 1 - found["low"].to_numpy()
            queues = found["queue"].to_numpy()
        else:
            change = compare(before, after).query("measure == 'kept'")
            missed = 1 - change["after"].to_numpy()
            bounds = tuple(-change[name].to_numpy() for name in ("change", "high", "low"))
            queues = change["queue"].to_numpy()
        added, low, high = (np.asarray(each) + 0.0 for each in bounds)
        parts.append(
            pd.DataFrame(
                {"queue": queues, "source": source, "missed": missed, "added": added, "low": low, "high": high}
            )
        )
        before = after
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values("queue", kind="stable", ignore_index=True)
