"""Are promises kept in simulated weeks: service delivered against promised, risk met against stated.

    python -m benchmarks promises

The forecasts are made up: Poisson counts about a day's profile, times a log-normal busyness of the day whose
coefficient of variation is the day-to-day error. A plan is made from 500 sample paths and judged on other weeks: ten
plans, each on a tenth of the weeks. Nothing was tuned on these seeds.
"""

from __future__ import annotations

import numpy as np

from benchmarks.staffing import PROFILE, made_up
from benchmarks.timing import Result
from svcanalytics.staffing import requirement, simulate, skilled_requirement

WEEKS, PLANS, DAYS = 2_000, 10, 5
HANDLE_S, PATIENCE_S, TARGET, RISK = 240.0, 180.0, 0.8, 0.2
TROUBLE = {"absence": 0.05, "handle_noise": 0.05}
"""People away for the day, and days on which everything takes longer."""


def run() -> list[Result]:
    """Return every promise as it was kept."""
    plain: dict[str, float] = {}
    cases = [(error, scale, PATIENCE_S, plain) for error in (0.05, 0.10) for scale in (0.3, 1.0)]
    cases += [(0.10, 1.0, None, plain), (0.05, 1.0, PATIENCE_S, TROUBLE), (0.10, 1.0, PATIENCE_S, TROUBLE)]
    return [*(each for case in cases for each in _kept(*case)), *_long_calls(), _shared()]


def _kept(error: float, scale: float, patience_s: float | None, trouble: dict[str, float]) -> list[Result]:
    """The average promised against delivered, and the risk stated against met."""
    forecast = made_up(error, scale, days=DAYS)
    delivered, missed, naive = [], [], []
    for number in range(PLANS):
        common = {"patience_s": patience_s, "service_level": TARGET}
        real = {"draws": WEEKS // PLANS, "seed": 1000 + number} | common
        plans = [requirement(forecast, HANDLE_S, risk=risk, seed=number, **common, **trouble) for risk in (None, RISK)]
        lived = [simulate(plan, forecast, HANDLE_S, **real, **trouble).draws for plan in plans]
        delivered.append(lived[0]["within"].sum() / lived[0]["offered"].sum())
        missed.append(1 - lived[1]["kept"].mean())
        if number == 0:
            point = requirement(forecast.table, HANDLE_S, fractional=False, **common)
            days = simulate(point, forecast, HANDLE_S, **real, **trouble).draws
            naive = [days["within"].sum() / days["offered"].sum(), 1 - days["kept"].mean()]
    patience = "no hanging up" if patience_s is None else f"patience {patience_s:.0f} s"
    what = f"{forecast.table['mean'].sum() / DAYS:.0f} a day, {error:.0%} error, {patience}"
    what += ", 5 % away, handle time 5 %" if trouble else ""
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


def _shared() -> Result:
    """Two queues and people who know both: the risk stated is that of each queue's day."""
    forecast = made_up(0.10, 0.4, queues=2, days=1)
    crews = {"one": ["queue 0"], "other": ["queue 1"], "both": ["queue 0", "queue 1"]}
    cost = {"one": 1.0, "other": 1.0, "both": 1.15}
    plan = skilled_requirement(forecast, HANDLE_S, crews, cost=cost, patience_s=PATIENCE_S, risk=RISK, paths=200)
    lived = simulate(plan, forecast, HANDLE_S, crews=crews, patience_s=PATIENCE_S, draws=1000, seed=1000)
    missed = 1 - lived.days["kept"].to_numpy()
    return Result(
        "risk met above stated, worst of two queues with shared people",
        100 * max(missed.max() - RISK, 0), 3.0, "points",
        f"{missed.round(3).tolist()} for {RISK}; {plan['agents'].sum() / 2:.0f} hours",
    )  # fmt: skip
