"""The rest of the day, forecast again after its first slots: errors and coverage before and after.

    SVC_REAL_DATA=folder python -m benchmarks forecast_intraday [--days 60]

Each of a queue's last days is forecast the evening before with `model="auto"` and updated with its own first slots;
only slots that were still to come are scored.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import pandas as pd

from benchmarks.forecast_cases import Case, cases
from svcanalytics import demand

QUEUES = ("bank_calls", "incidents", "bank_contacts", "billing days", "quarter hours", "low counts")
AFTER = (1, 2, 4, 6, 10, 14)
BOUND = ("bank_calls", 10, 4.3)
"""Rest of day after so many slots: WAPE in per cent, at most."""


def main(arguments: list[str]) -> int:
    """Print a table per queue; return 0 when the bound holds."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks forecast_intraday")
    parser.add_argument("--days", type=int, default=60, help="last days of each queue, at most")
    options = parser.parse_args(arguments)
    data = os.environ.get("SVC_REAL_DATA")
    measured = None
    for case in cases(Path(data) if data else None):
        if case.name not in QUEUES:
            continue
        table = rest_of_day(case, options.days)
        print(f"\n== {case.name}: {len(table['day'].unique())} days, slots of {case.slot}")
        print(_summary(table).to_string())
        if case.name == BOUND[0]:
            measured = _summary(table).loc[BOUND[1], ("after", "WAPE")]
    if measured is None:
        print("bank_calls left out: SVC_REAL_DATA names no folder")
        return 0
    print(f"\n{BOUND[0]}: WAPE of the rest of the day after {BOUND[1]} slots {measured:.2f} (bound {BOUND[2]})")
    return 0 if measured <= BOUND[2] else 1


def rest_of_day(case: Case, days: int) -> pd.DataFrame:
    """Forecast each of the last days, update it after some slots, and keep both beside what came."""
    arrivals = case.arrivals
    (queue,) = arrivals.queues
    matrix = arrivals.matrices[queue]
    memory: dict = {}
    parts = []
    came = arrivals.table.dropna(subset="arrivals")
    for day in matrix.days[matrix.recorded][14:][-days:]:
        history, future = arrivals.upto(day), arrivals.following(day, 1)
        before = demand.forecast(history, days=1, future=future, memory=memory)
        actual = came[came["start"].dt.tz_localize(None).dt.normalize() == day].head(len(before.table))
        for n in AFTER:
            if n >= len(actual):
                continue
            after = demand.update(before, actual.head(n))
            for name, table in (("before", before.table), ("after", after.table)):
                rest = table.merge(actual[["start", "arrivals"]].iloc[n:], on="start")
                parts.append(rest.assign(forecast=name, slots=n, day=day))
    return pd.concat(parts, ignore_index=True)


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    table = table.assign(error=(table["mean"] - table["arrivals"]).abs())
    for level in (80, 95):
        table[f"in {level}"] = 100.0 * table["arrivals"].between(table[f"lower_{level}"], table[f"upper_{level}"])
        table[f"width {level}"] = table[f"upper_{level}"] - table[f"lower_{level}"]
    found = {}
    for name, rows in table.groupby("forecast"):
        groups = rows.groupby("slots")
        found[name] = groups[["in 80", "in 95", "width 80", "width 95"]].mean()
        found[name].insert(0, "WAPE", 100 * groups["error"].sum() / groups["arrivals"].sum())
    return pd.concat(found, axis=1)[["before", "after"]].round(2)
