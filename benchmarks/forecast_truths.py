"""Made-up arrivals whose truth is known: make-up days of the Chinese calendar, and days that vary by a known amount."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.arrivals_made_up import COVERAGE_ONLY, KINDS, day_rates, simulate
from svcanalytics import demand

__all__ = ["Bound", "gamma_days", "make_up_days"]

Bound = tuple[str, float, float, float]
"""What, measured, and the least and most it may be."""


def make_up_days(peers: bool = True, quick: bool = False) -> list[Bound]:
    """Forecast 2026 from five years of days: all of it at once on 1 January, and ten days at a time.

    Working days 1,000, weekends 500, days off 350 and 5 % noise: Prophet with ``add_country_holidays('CN')`` misses by
    201 % on days off that were substituted and by 50 % on weekends that are worked.
    """
    kind = replace(KINDS["make-up days"], days=2191, last="2026-12-31")
    days = pd.date_range(end=kind.last, periods=kind.days)
    noise = np.random.default_rng(2026).normal(1, 0.05, kind.days)
    counts = np.round(kind.level * day_rates(kind, days) * noise).astype(int)
    frame = pd.DataFrame({"queue": "make-up days", "start": days, "arrivals": counts})
    arrivals = demand.Arrivals(frame, "day", holidays="CN", timezone="Asia/Shanghai")
    runs = {"2026 in one": demand.backtest(arrivals, days=365, origins=1, progress=False)}
    if not quick:
        runs["ten days at a time"] = demand.backtest(arrivals, days=10, origins=36, step=10, progress=False)
    if peers:
        runs["Prophet, 2026 in one"] = _prophet(frame, runs["2026 in one"])
    lines, bounds = [], []
    for name, rows in runs.items():
        error = _wape_by_kind(rows)
        lines.append(pd.Series(100 * error, name=name))
        if not name.startswith("Prophet"):
            bounds += [
                (f"{name}: error on {kind}", float(100 * error[kind]), 0, 8) for kind in ("make-up", "substituted")
            ]
    print("\n== Chinese calendar: WAPE in % by kind of day")
    print(pd.DataFrame(lines).round(1).to_string())
    return bounds


def gamma_days(quick: bool = False) -> list[Bound]:
    """Forecast Poisson counts whose days vary by a gamma factor: is its size found, and do intervals hold?

    The factor's coefficient of variation is read from the sample paths: ``sqrt(var(total) / mean**2 - 1 / mean)`` of
    each day's total, which holds the uncertainty of the day's mean too.
    """
    bounds = []
    for name in ("gamma days, cv 0.10", "gamma days, cv 0.20"):
        kind, found, runs = COVERAGE_ONLY[name], [], []
        for seed in range(2 if quick else 8):
            frame = simulate(f"gamma {seed}", kind, np.random.default_rng([seed, 77]))
            slot = {"1h": "60min"}.get(kind.slot, kind.slot)
            arrivals = demand.Arrivals(frame, slot, holidays=None, timezone="UTC")
            runs.append(demand.backtest(arrivals, days=10, origins=6, step=10, progress=False))
            paths = demand.forecast(arrivals, days=10).paths(1000, seed=seed)
            totals = paths.groupby(paths.index.get_level_values("start").normalize()).sum()
            mean = totals.mean(axis=1)
            found.append((totals.var(axis=1) / mean**2 - 1 / mean).mean())
        scores = demand.scores(pd.concat(runs)).iloc[0]
        ratio = float(np.sqrt(np.mean(found)) / kind.cv)
        bounds += [
            (f"{name}: variation found over true", ratio, 0.9, 1.1),
            (f"{name}: coverage of 80 %", float(100 * scores["coverage_80"]), 78, 82),
            (f"{name}: coverage of 95 %", float(100 * scores["coverage_95"]), 93, 97),
        ]
    return bounds


def _wape_by_kind(rows: pd.DataFrame) -> pd.Series:
    import holidays

    calendar = holidays.country_holidays("CN", years=range(2021, 2028), language="en_US")
    kinds = {}
    for day in rows["start"].unique():
        name, weekend, works = calendar.get(day, ""), day.day_of_week >= 5, calendar.is_working_day(day)
        if name:
            kinds[day] = "substituted" if "substituted" in name else "holiday"
        else:
            kinds[day] = ("make-up" if works else "weekend") if weekend else "ordinary"
    kind = rows["start"].map(kinds)
    error = (rows["mean"] - rows["actual"]).abs()
    return error.groupby(kind).sum() / rows["actual"].groupby(kind).sum()


def _prophet(frame: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    from benchmarks.forecast_peers import PEERS, Task

    starts = pd.DatetimeIndex(rows["start"]).tz_localize(None)
    history = frame.loc[frame["start"] < starts[0], ["start", "arrivals"]]
    table = PEERS["Prophet"](Task(history, starts, "CN"))
    return table.assign(actual=rows["actual"].to_numpy())
