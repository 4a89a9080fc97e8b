"""Staffing end to end on a real bank's calls: forecast and staffed before, judged on what really came.

    SVC_REAL_DATA=folder python -m benchmarks staffing_real

Six times, the next ten working days are forecast from the days before, staffed for 80 % in 20 seconds, and the calls
that really came are served. The file has counts alone: a handle time of 240 s and a patience of 180 s are assumed, not
estimated. Figures are printed as measured; nothing bounds them.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.arrivals_real import SERIES
from benchmarks.timing import Result
from svcanalytics import demand
from svcanalytics.demand import Arrivals
from svcanalytics.staffing import requirement, simulate

HANDLE_S, PATIENCE_S, DAYS, ORIGINS, DRAWS = 240.0, 180.0, 10, 6, 4
WAYS = {"forecast's mean": None, "average over paths": {}, "risk of 20 % of days": {"risk": 0.2}}


def run() -> list[Result]:
    """Return what each way of staffing would have delivered; nothing without the real files."""
    if not os.environ.get("SVC_REAL_DATA"):
        return []
    series = SERIES["bank_calls"]
    frame = series.read(Path(os.environ["SVC_REAL_DATA"]))
    arrivals = Arrivals(frame, series.slot, holidays=series.country, timezone="UTC")
    came = frame.assign(start=frame["start"].dt.tz_localize("UTC"))
    days = np.unique(frame["start"].dt.normalize())[-DAYS * ORIGINS :]
    lived: dict[str, list[pd.DataFrame]] = {way: [] for way in WAYS}
    for first in days[::DAYS]:
        forecast = demand.forecast(arrivals.upto(first), days=DAYS)
        for way, settings in WAYS.items():
            source = forecast.table if settings is None else forecast
            plan = requirement(source, HANDLE_S, patience_s=PATIENCE_S, **(settings or {}))
            real = came.merge(plan[["queue", "start"]], on=["queue", "start"])
            used = plan.merge(real[["queue", "start"]], on=["queue", "start"])
            lived[way].append(simulate(used, real, HANDLE_S, patience_s=PATIENCE_S, draws=DRAWS).draws)
    results = []
    for way, parts in lived.items():
        draws = pd.concat(parts, ignore_index=True)
        level, hours = draws["within"].sum() / draws["offered"].sum(), draws["paid_s"].sum() / 3600 / DRAWS
        detail = f"{1 - draws['kept'].mean():.3f} of {draws['day'].nunique()} days missed; {hours:,.0f} hours"
        results.append(Result(f"bank calls, staffed for the {way}: service level", 100 * level, np.inf, "%", detail))
    return results
