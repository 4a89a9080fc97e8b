"""Deferred work: limits met, no lower peak possible, backlog carried over, nights between."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import deferred_requirement


def mail(days=3, mean=20.0, seed=None):
    start = pd.date_range("2026-11-02", periods=24 * days, freq="h", tz="Asia/Shanghai")
    level = mean if seed is None else np.random.default_rng(seed).uniform(0, 2 * mean, len(start))
    return pd.DataFrame({"queue": "mail", "start": start, "mean": level})


def office(table, first=9, last=17):
    start = pd.DatetimeIndex(table["start"])
    return start[(start.hour >= first) & (start.hour < last)]


def one_by_one(table, agents, limit_hours, handle_h):
    """Serve hour by hour, oldest first, in small pieces; return the longest wait in wall-clock hours."""
    line, longest = [], 0
    for hour, (came, capacity) in enumerate(zip(table["mean"], agents, strict=True)):
        while line and capacity > 1e-12:
            born, left = line[0]
            step = min(left, capacity)
            capacity -= step
            longest = max(longest, hour + 1 - born)
            line[0] = (born, left - step)
            if left - step <= 1e-9:
                line.pop(0)
        line.append((hour, came * handle_h))
    return longest, max((len(table) - born for born, _ in line), default=0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_all_is_done_within_the_limit_and_no_plan_has_a_lower_peak(seed):
    table = mail(seed=seed)
    plan = deferred_requirement(table, 600, 24 * 3600, working=office(table), clock="wall")
    longest, left = one_by_one(table, plan["agents"], 24, 1 / 6)
    assert longest <= 24 and left <= 24
    assert plan["on_time"].min() == pytest.approx(1.0)
    at_work = table["start"].isin(office(table)).to_numpy()
    assert (plan["agents"][~at_work] == 0).all()
    # The least peak by linear programming: served by the due hour, never before it came, the same total at the end.
    work = table["mean"].to_numpy() / 6
    n = len(work)
    lower = np.tril(np.ones((n, n))) * at_work
    come = np.concatenate([[0], np.cumsum(work)[:-1]])
    owed = np.array([work[: max(hour - 22, 0)].sum() for hour in range(n)])
    done = lower[-1] @ plan["agents"]
    peak = linprog(
        np.eye(1, n + 1, n)[0],
        A_ub=np.vstack([
            np.hstack([lower, np.zeros((n, 1))]), np.hstack([-lower, np.zeros((n, 1))]),
            np.hstack([np.eye(n), -np.ones((n, 1))]),
        ]),
        b_ub=np.concatenate([come, -owed, np.zeros(n)]),
        A_eq=np.append(lower[-1], 0)[None], b_eq=[done],
    )  # fmt: skip
    assert plan["agents"].max() == pytest.approx(peak.fun, rel=1e-6)


def test_a_short_limit_follows_the_arrivals_and_a_long_one_is_level():
    table = mail(seed=4, days=2)
    short = deferred_requirement(table, 600, 2 * 3600, clock="wall")["agents"]
    level = deferred_requirement(table, 600, 40 * 3600, clock="wall")["agents"]
    np.testing.assert_allclose(short[1:-1], table["mean"][:-2] / 6, rtol=0.6)
    assert level[8:].std() < 0.5 * short[8:].std()


def test_what_waits_at_the_start_goes_first_and_as_much_is_left_and_shares_come_last():
    table = mail(days=2)
    plain, heavy = (deferred_requirement(table, 600, 4 * 3600, backlog=b) for b in (0, 60))
    assert heavy["backlog"].iloc[-1] == pytest.approx(60) and plain["backlog"].iloc[-1] == pytest.approx(20)
    assert heavy["agents"][:4].sum() >= 10 and heavy["on_time"].min() == pytest.approx(1)
    half = deferred_requirement(table, 600, 4 * 3600, utilisation=0.5, shrinkage=0.2)
    np.testing.assert_allclose(half["agents"], 2 * plain["agents"])
    np.testing.assert_allclose(half["scheduled"], half["agents"] / 0.8)
    assert (deferred_requirement(table.assign(mean=0.0), 600, 3600)["agents"] == 0).all()


def test_a_share_on_time_holds_over_the_paths_and_less_risk_takes_more(made_up):
    forecast = made_up(0.15, days=3)
    hours = {}
    for risk in (None, 0.3, 0.05):
        plan = deferred_requirement(forecast, 600, 2 * 3600, on_time=0.9, risk=risk, paths=200)
        hours[risk] = plan["agents"].sum()
        if risk is None:
            assert np.average(plan["on_time"], weights=plan["arrivals"]) == pytest.approx(0.9, abs=0.01)
    assert hours[0.3] < hours[0.05]


def test_what_can_not_be_done_is_said_in_words():
    table = mail()
    with pytest.raises(StaffingError, match="due before Mon 09:00 and can't be begun"):
        deferred_requirement(table, 600, 4 * 3600, working=office(table), clock="wall")
    for change, words in (
        ({"within_s": 0}, "within_s is out of range"),
        ({"clock": "sun"}, "no clock"),
        ({"risk": 0.1}, "needs a forecast"),
        ({"utilisation": 0}, "are shares"),
        ({"working": table["start"][:0]}, "nobody works"),
    ):
        with pytest.raises(StaffingError, match=words):
            deferred_requirement(table, 600, **({"within_s": 3600} | change))
