"""Staffing end to end on real queues: forecast and planned before, judged on what really came.

    SVC_REAL_DATA=folder python -m benchmarks staffing_real

A bank's calls of 2003, counts alone: six times, the next ten working days are forecast from the days before. A handle
time of 240 s and a patience of 180 s are assumed. Another bank's contacts of January 1999, call by call: the last week
is forecast from the days before, whose log also gives handle times by weekday and hour, and patience from those who
hung up and those who did not (censored). What really came is then served with the last week's own handle times and
patience. Each is staffed for 80 % in 20 seconds, as required and as shifts of the shipped rules cover it. Figures are
printed as measured; nothing bounds them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.arrivals_real import SERIES
from benchmarks.timing import Result
from svcanalytics import demand
from svcanalytics.demand import Arrivals, Forecast
from svcanalytics.staffing import ShiftPlan, plan_shifts, read_shifts, requirement, simulate

HANDLE_S, PATIENCE_S, DAYS, ORIGINS, DRAWS, PLANNING_S = 240.0, 180.0, 10, 6, 4, 10.0
WAYS = {"forecast's mean": None, "average over paths": {}, "risk of 20 % of days": {"risk": 0.2}}
WEEK, DESKS = pd.Timestamp("1999-01-25"), {"IN": "internet desk"}


def run() -> list[Result]:
    """Return what each way of staffing would have delivered; nothing without the real files."""
    if not os.environ.get("SVC_REAL_DATA"):
        return []
    data = Path(os.environ["SVC_REAL_DATA"])
    return [*_calls(data), *_contacts(data)]


@dataclass(frozen=True, eq=False)
class _Log:
    """Contacts that asked for a person: queue, start, wait_s, abandoned, handle_s (of the answered)."""

    rows: pd.DataFrame

    def handle_s(self, table: pd.DataFrame) -> pd.DataFrame:
        """Handle times as the log's days forecast them, for each slot of a table."""
        known = demand.handle_times(self.rows[~self.rows["abandoned"]])
        keys = {"weekday": table["start"].dt.day_of_week, "hour": table["start"].dt.hour}
        found = table[["queue", "start"]].assign(**keys).merge(known, on=["queue", "weekday", "hour"], how="left")
        level = known.attrs["levels"].set_index("queue")["mean_s"]
        return found.assign(handle_s=found["mean_s"].fillna(found["queue"].map(level)))[["queue", "start", "handle_s"]]

    def patience_s(self) -> dict[str, float]:
        """Mean patience by queue."""
        return demand.patience(self.rows).set_index("group")["mean_s"].to_dict()

    def counts(self) -> pd.DataFrame:
        """Arrivals by queue and half-hour, quiet ones as zeros; 11 and 12 January are not recorded."""
        slots = pd.date_range("1999-01-01", "1999-02-01", freq="30min", inclusive="left")
        slots = slots[~slots.normalize().isin(pd.to_datetime(["1999-01-11", "1999-01-12"]))]
        counted = self.rows.groupby(["queue", self.rows["start"].dt.floor("30min")]).size()
        index = pd.MultiIndex.from_product([sorted(self.rows["queue"].unique()), slots], names=["queue", "start"])
        return counted.reindex(index, fill_value=0).rename("arrivals").reset_index()

    def part(self, before: bool) -> _Log:
        """The days before the week that is planned, or that week."""
        return _Log(self.rows[(self.rows["start"] < WEEK) == before])


def _calls(data: Path) -> list[Result]:
    series = SERIES["bank_calls"]
    frame = series.read(data)
    arrivals = Arrivals(frame, series.slot, holidays=series.country, timezone="UTC")
    came = frame.assign(start=frame["start"].dt.tz_localize("UTC"))
    days = np.unique(frame["start"].dt.normalize())[-DAYS * ORIGINS :]
    lived: dict[str, list[pd.DataFrame]] = {}
    for first in days[::DAYS]:
        forecast = demand.forecast(arrivals.upto(first), days=DAYS)
        for way, plan in _plans(forecast, HANDLE_S, PATIENCE_S).items():
            lived.setdefault(way, []).append(_judge(plan, came, HANDLE_S, PATIENCE_S))
    return [_result("bank calls", way, parts) for way, parts in lived.items()]


def _contacts(data: Path) -> list[Result]:
    log = read_log(data)
    before, after = log.part(True), log.part(False)
    counts = log.counts()
    history = Arrivals(counts[counts["start"] < WEEK], "30min", holidays="IL", timezone="Asia/Jerusalem")
    forecast = demand.forecast(history, days=7)
    handle, patience = before.handle_s(forecast.table), before.patience_s()
    came = counts[counts["start"] >= WEEK]
    came = came.assign(start=came["start"].dt.tz_localize("Asia/Jerusalem"))
    real = after.handle_s(came), after.patience_s()
    week = after.rows
    got = (~week["abandoned"] & (week["wait_s"] <= 20)).mean()
    known = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in patience.items())
    results = [
        Result(
            "bank contacts, as the bank was staffed: service level", 100 * got, np.inf, "%",
            f"{week['abandoned'].mean():.1%} hung up; patience estimated {known}; handle time "
            f"{before.rows['handle_s'].mean():.0f} s before, {week['handle_s'].mean():.0f} s in the week",
        )
    ]  # fmt: skip
    for way, plan in _plans(forecast, handle, patience).items():
        results.append(_result("bank contacts", way, [_judge(plan, came, *real)]))
    return results


def read_log(data: Path) -> _Log:
    """Read the contacts that asked for a person; `PHANTOM` and those who left the voice menu are none."""
    raw = pd.read_csv(data / "contacts/bank_contacts_1999_01.txt", sep="\t", dtype=str)
    raw = raw[raw["outcome"] != "PHANTOM"]
    wait, handle = (pd.to_numeric(raw[name]) for name in ("q_time", "ser_time"))
    answered = (raw["outcome"] == "AGENT") & (handle > 0)
    gone = (raw["outcome"] == "HANG") & (wait > 0)
    clock = raw["q_start"].where(raw["q_start"] != "0:00:00", raw["ser_start"])
    start = pd.to_datetime("19" + raw["date"], format="%Y%m%d") + pd.to_timedelta(clock)
    rows = pd.DataFrame(
        {
            "queue": raw["type"].map(DESKS).fillna("service"),
            "start": start,
            "wait_s": wait.clip(lower=0),
            "abandoned": gone,
            "handle_s": handle.where(answered),
        }
    )
    return _Log(rows[answered | gone].reset_index(drop=True))


def _plans(
    forecast: Forecast, handle_s: float | pd.DataFrame, patience_s: float | dict[str, float]
) -> dict[str, pd.DataFrame | ShiftPlan]:
    plans: dict[str, pd.DataFrame | ShiftPlan] = {}
    for way, settings in WAYS.items():
        source = forecast.table if settings is None else forecast
        plans[way] = requirement(source, handle_s, patience_s=patience_s, **(settings or {}))
        if settings is not None:
            rules = read_shifts(name="hotline_24h").model_copy(update={"timezone": None, "holidays": ""})
            plans[f"{way}, in shifts"] = plan_shifts(plans[way], rules, PLANNING_S, patience_s=patience_s, gap=0.005)
    return plans


def _judge(
    plan: pd.DataFrame | ShiftPlan, came: pd.DataFrame, handle_s: float | pd.DataFrame,
    patience_s: float | dict[str, float],
) -> pd.DataFrame:  # fmt: skip
    """What really came in the plan's slots, served by the plan."""
    slots = plan.plan if isinstance(plan, ShiftPlan) else plan
    real = came.merge(slots[["queue", "start"]], on=["queue", "start"])
    used = plan if isinstance(plan, ShiftPlan) else slots.merge(real[["queue", "start"]], on=["queue", "start"])
    return simulate(used, real, handle_s, patience_s=patience_s, draws=DRAWS).draws


def _result(queue: str, way: str, parts: list[pd.DataFrame]) -> Result:
    draws = pd.concat(parts, ignore_index=True)
    level, hours = draws["within"].sum() / draws["base"].sum(), draws["paid_s"].sum() / 3600 / DRAWS
    days = len(draws) // DRAWS
    detail = f"{1 - draws['kept'].mean():.3f} of {days} queue-days missed; {hours:,.0f} hours"
    return Result(f"{queue}, staffed for the {way}: service level", 100 * level, np.inf, "%", detail)
