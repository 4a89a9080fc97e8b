"""How fast staffing is: formulas, requirements, and the whole chain from forecast to simulated days.

    python -m benchmarks staffing

The forecasts are made up: Poisson counts about a day's profile, times a log-normal busyness of the day. Whether plans
keep their promise is measured by `promises`, engines beside others' by `staffing_peers`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.timing import Result
from svcanalytics.staffing import erlang_a, requirement, simulate, what_if

PATIENCE_S, RISK = 180.0, 0.2
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


def made_up(error: float, scale: float = 1.0, queues: int = 1, days: int = 5) -> MadeUp:
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
    """Measure speed; the bounds are for an idle core."""
    rng = np.random.default_rng(5)
    arrivals, agents = rng.uniform(10, 2000, 1_000_000), rng.integers(2, 300, 1_000_000)
    common = {"patience_s": PATIENCE_S, "risk": RISK}
    trouble = {"absence": 0.05, "handle_noise": 0.05}
    fortnight = made_up(0.1, queues=10, days=12)  # 12 days of 28 intervals: 336
    one = made_up(0.1, 1.25)
    plan = requirement(one, 240.0, **common)
    lived = simulate(plan, one, 240.0, patience_s=PATIENCE_S, draws=40)
    paths = "336 intervals, 10 queues, 500 paths"
    timed: list[tuple[str, float, Callable[[], object]]] = [
        ("1,000,000 evaluations of Erlang A", 20, lambda: erlang_a(arrivals, 240, agents, 180)),
        (f"{paths}: requirement", 10, lambda: requirement(fortnight, 240.0, **common)),
        (f"{paths}: in whole agents", 10, lambda: requirement(fortnight, 240.0, fractional=False, **common)),
        (f"{paths}: absence and slow days", 10, lambda: requirement(fortnight, 240.0, **common, **trouble)),
        ("what if: 200 days of 2,000 calls", 1, lambda: what_if(lived, volume=1.1, absent=2)),
    ]
    return [Result(name, _seconds(call), bound, "s", "processor time") for name, bound, call in timed]


def _seconds(call: Callable[[], object]) -> float:
    began = time.process_time()
    call()
    return time.process_time() - began
