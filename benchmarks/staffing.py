"""Staffing: are promises kept in simulated weeks, and how fast. Every figure is printed as measured.

    python -m benchmarks staffing

The forecasts are made up: Poisson counts about a day's profile, times a log-normal busyness of the day whose
coefficient of variation is the day-to-day error. A plan is made from 500 sample paths and judged on other weeks: ten
plans, each on a tenth of the weeks. Nothing was tuned on these seeds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.timing import Result
from svcanalytics.staffing import Crew, Stream, erlang_a, requirement, route, simulate
from svcanalytics.staffing.living.line import serve

WEEKS, PLANS, DAYS = 2_000, 10, 5
HANDLE_S, PATIENCE_S, TARGET, RISK = 240.0, 180.0, 0.8, 0.2
PROFILE = np.array(
    [20, 30, 45, 60, 75, 85, 90, 90, 85, 80, 75, 75, 78, 80, 80, 78, 75, 70, 65, 60, 50, 42, 36, 30, 26, 22, 18, 15.0]
)
"""Mean arrivals of the half-hours from 07:00 to 21:00."""


@dataclass(frozen=True)
class MadeUp:
    """A forecast whose paths are what really comes: means times a busyness of the day, counted with Poisson noise."""

    table: pd.DataFrame
    error: float

    def paths(self, n: int, seed: int = 0) -> pd.DataFrame:
        """Return `n` courses indexed by queue and start."""
        rng = np.random.default_rng(seed)
        day = self.table.groupby(["queue", self.table["start"].dt.normalize()], sort=False).ngroup().to_numpy()
        variance = np.log1p(self.error**2)
        busy = np.exp(np.sqrt(variance) * rng.standard_normal((day.max() + 1, n)) - variance / 2)
        rates = self.table["mean"].to_numpy()[:, None] * busy[day]
        return pd.DataFrame(rng.poisson(rates), index=pd.MultiIndex.from_frame(self.table[["queue", "start"]]))


def made_up(error: float, scale: float = 1.0, queues: int = 1, days: int = DAYS) -> MadeUp:
    """Return a forecast of working days from 07:00 to 21:00."""
    starts = [
        pd.Timestamp("2026-11-02 07:00") + pd.Timedelta(days=day, minutes=30 * slot)
        for day in range(days)
        for slot in range(len(PROFILE))
    ]
    one = pd.DataFrame({"start": starts, "mean": scale * np.tile(PROFILE, days)})
    table = pd.concat([one.assign(queue=f"queue {number}") for number in range(queues)], ignore_index=True)
    return MadeUp(table[["queue", "start", "mean"]], error)


def run() -> list[Result]:
    """Measure promises, then speed."""
    kept = [each for error in (0.05, 0.10) for scale in (0.3, 1.0) for each in _kept(error, scale, PATIENCE_S)]
    return [*kept, *_kept(0.10, 1.0, None), *_long_calls(), *_speed()]


def _kept(error: float, scale: float, patience_s: float | None) -> list[Result]:
    """The average promised against delivered, and the risk stated against met."""
    forecast = made_up(error, scale)
    delivered, missed, naive = [], [], []
    for number in range(PLANS):
        common = {"patience_s": patience_s, "service_level": TARGET}
        real = {"draws": WEEKS // PLANS, "seed": 1000 + number} | common
        plans = [requirement(forecast, HANDLE_S, risk=risk, seed=number, **common) for risk in (None, RISK)]
        lived = [simulate(plan, forecast, HANDLE_S, **real).draws for plan in plans]
        delivered.append(lived[0]["within"].sum() / lived[0]["offered"].sum())
        missed.append(1 - lived[1]["kept"].mean())
        if number == 0:
            point = requirement(forecast.table, HANDLE_S, fractional=False, **common)
            days = simulate(point, forecast, HANDLE_S, **real).draws
            naive = [days["within"].sum() / days["offered"].sum(), 1 - days["kept"].mean()]
    patience = "no hanging up" if patience_s is None else f"patience {patience_s:.0f} s"
    what = f"{forecast.table['mean'].sum() / DAYS:.0f} a day, {error:.0%} error, {patience}"
    return [
        Result(
            f"delivered against promised: {what}", 100 * abs(np.mean(delivered) - TARGET), 1.0, "points",
            f"{np.mean(delivered):.4f} for {TARGET}; plans {min(delivered):.3f} to {max(delivered):.3f}; "
            f"staffed for the mean {naive[0]:.3f}",
        ),
        Result(
            f"risk met against stated: {what}", 100 * abs(np.mean(missed) - RISK), 3.0, "points",
            f"{np.mean(missed):.3f} for {RISK}; plans {min(missed):.3f} to {max(missed):.3f}; "
            f"staffed for the mean {naive[1]:.3f}",
        ),
    ]  # fmt: skip


def _long_calls() -> list[Result]:
    """Handle time of 15 minutes: the worst interval's service level, with and without what the last one leaves."""
    results = []
    for scale in (1.0, 2.0):
        forecast = made_up(0.0, scale, days=1)
        worst, hours = [], []
        for lagged in (True, False):
            plan = requirement(forecast.table, 900.0, patience_s=PATIENCE_S, fractional=False, lagged=lagged)
            lived = simulate(plan, forecast.table, 900.0, patience_s=PATIENCE_S, draws=2000)
            worst.append(float(lived.intervals["service_level"].min()))
            hours.append(plan["agents"].sum() / 2)
        results.append(
            Result(
                f"handle time 15 min, {scale * PROFILE.sum():.0f} a day: worst interval below target",
                100 * max(TARGET - worst[0], 0.0), 2.0, "points",
                f"{worst[0]:.3f} with {hours[0]:.0f} hours; each by itself {worst[1]:.3f} with {hours[1]:.0f}",
            )
        )  # fmt: skip
    return results


def _speed() -> list[Result]:
    rng = np.random.default_rng(5)
    arrivals, agents = rng.uniform(10, 2000, 1_000_000), rng.integers(2, 300, 1_000_000)
    calls = 1_500_000
    at = np.cumsum(rng.exponential(1.25, calls))
    times, patience = rng.exponential(60, calls), rng.exponential(120, calls)
    week = made_up(0.1, queues=10, days=12)  # 12 days of 28 intervals: 336
    common = {"patience_s": PATIENCE_S, "risk": RISK}
    alone, always = np.zeros(1), np.array([50])
    streams = [
        Stream(name, at[:50_000] * 2, times[part], patience[part], priority)
        for priority, (name, part) in enumerate((("a", slice(0, 50_000)), ("b", slice(50_000, 100_000))))
    ]
    shifts = ((("a",), 15), (("b",), 15), (("a", "b"), 20))
    crews = [Crew(skills, alone, np.array([agents])) for skills, agents in shifts]
    paths = "336 intervals, 10 queues, 500 paths"
    timed: list[tuple[str, float, Callable[[], object]]] = [
        ("1,000,000 evaluations of Erlang A", 20, lambda: erlang_a(arrivals, 240, agents, 180)),
        ("1,500,000 calls through one queue", 1, lambda: serve(at, times, patience, alone, always)),
        ("100,000 calls by event: 2 queues, 3 crews", 1, lambda: route(streams, crews)),
        (f"{paths}: requirement", 10, lambda: requirement(week, 240.0, **common)),
        (f"{paths}: in whole agents", 10, lambda: requirement(week, 240.0, fractional=False, **common)),
        ("10 queues: requirement, then 996 days simulated", 90, lambda: _chain(week)),
    ]
    return [Result(name, _seconds(call), bound, "s", "processor time") for name, bound, call in timed]


def _chain(forecast: MadeUp) -> None:
    """Requirement and simulation of queues of about 1,600 contacts over 83 times 12 days."""
    plan = requirement(forecast, 240.0, patience_s=PATIENCE_S, risk=RISK)
    simulate(plan, forecast, 240.0, patience_s=PATIENCE_S, draws=83)


def _seconds(call: Callable[[], object]) -> float:
    # The bounds are for an idle core.
    began = time.process_time()
    call()
    return time.process_time() - began
