"""From counts to a plan that was lived through: forecast, requirement with risk, shifts, 1,000 simulated days.

    python -m benchmarks staffing_chain

Ten queues of about 2,000 contacts a day, made up: a year of half-hours from 07:00 to 21:00 on weekdays, with a day's
busyness that is log-normal (10 %). The week ahead is forecast, staffed for 80 % in 20 seconds with a risk of 20 % of
days, covered with shifts, and lived through 200 times.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from benchmarks.staffing import PROFILE
from benchmarks.timing import Result
from svcanalytics import demand
from svcanalytics.demand import Arrivals
from svcanalytics.staffing import plan_shifts, read_shifts, requirement, risk_windows, simulate

QUEUES, WEEKS, A_DAY, DRAWS = 10, 52, 2_000, 200
HANDLE_S, PATIENCE_S, RISK = 240.0, 180.0, 0.2
PLANNING_S = 25.0
"""Time the shift solver may take at most; it returns its best and how far from the least it can be."""


def run() -> list[Result]:
    """Time each step by the clock, then judge the whole."""
    frame, spent = history(), {}
    began, processor = time.perf_counter(), time.process_time()

    def lap(step: str) -> None:
        spent[step] = time.perf_counter() - began - sum(spent.values())

    forecast = demand.forecast(Arrivals(frame, "30min", holidays="", timezone="Asia/Shanghai"), days=5)
    lap("forecast")
    needed = requirement(forecast, HANDLE_S, patience_s=PATIENCE_S, risk=RISK)
    lap("requirement")
    plan = plan_shifts(needed, read_shifts(name="hotline_24h"), PLANNING_S, patience_s=PATIENCE_S)
    lap("shifts")
    lived = simulate(plan, forecast, HANDLE_S, patience_s=PATIENCE_S, draws=DRAWS)
    lap("simulation")
    processor = time.process_time() - processor
    days = lived.draws.drop_duplicates(["day", "draw"])
    level = lived.draws["within"].sum() / lived.draws["base"].sum()
    steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in spent.items())
    worst = risk_windows(lived).sort_values("share", ascending=False)["window"].iloc[0]
    return [
        Result(
            f"{QUEUES} queues of {A_DAY:,}: forecast, requirement, shifts, {len(days):,} days lived through",
            sum(spent.values()), 90.0, "s",
            f"{steps} by the clock; {processor:.0f} s of processor time here; shifts {plan.status}, gap {plan.gap:.2%}",
        ),
        Result(
            "the same: days that miss", 100 * (1 - lived.draws["kept"].mean()), np.inf, "%",
            f"stated {RISK:.0%}; service level {level:.3f}; {plan.plan['agents'].sum() / 2:,.0f} hours for "
            f"{needed['agents'].sum() / 2:,.0f} needed; the risk sits most on {worst}",
        ),
    ]  # fmt: skip


def history(seed: int = 3) -> pd.DataFrame:
    """Return counts of weekdays by queue."""
    rng = np.random.default_rng(seed)
    days = pd.bdate_range("2025-11-03", periods=5 * WEEKS)
    parts = []
    for queue in range(QUEUES):
        variance = np.log1p(0.1**2)
        busy = np.exp(np.sqrt(variance) * rng.standard_normal(len(days)) - variance / 2)
        weekday = 1 + 0.1 * np.cos(days.day_of_week.to_numpy() + queue)
        rates = A_DAY * np.outer(busy * weekday, np.roll(PROFILE, queue % 3) / PROFILE.sum())
        start = days.repeat(len(PROFILE)) + pd.to_timedelta(
            np.tile(420 + 30 * np.arange(len(PROFILE)), len(days)), "min"
        )
        parts.append(pd.DataFrame({"queue": f"queue {queue}", "start": start, "arrivals": rng.poisson(rates).ravel()}))
    return pd.concat(parts, ignore_index=True)
