"""Shifts for a week at 15 minutes: how fast, how near the least price, and what planning by hand would cost.

    python -m benchmarks shifts

Round the clock, Erlang C at 80 % in 20 seconds with a peak of about 150 agents; shifts start every half hour and last
4, 6, 8.5 or 9 hours, with a break in one of five to seven places: 672 intervals by some 6,000 columns. The requirement
is made up (two humps a day, quiet weekends, 4 % noise); nothing was tuned on it. Two things are computed apart from the
product: a lower bound (the relaxation over every shift with every break written out, with a matrix of its own), and a
peer who plans by hand, adding one after the other the shift that fills most missing agents for its pay.
"""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, hstack, identity

from benchmarks.timing import Result
from svcanalytics.staffing import ShiftRules, plan_shifts, required_agents
from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.shifting.losses import Losses, weigh_losses

HANDLE_S, INTERVAL_S, PEAK, PAY, NIGHT, SHORTFALL = 240.0, 900.0, 520.0, 30.0, 0.25, 5.0
LENGTHS = {4.0: (), 6.0: (8, 9, 10, 11, 12), 8.5: (12, 13, 14, 15, 16, 17), 9.0: (12, 13, 14, 15, 16, 17, 18)}
"""Hours, and after how many quarters of an hour the break of 30 minutes may begin."""


def run() -> list[Result]:
    """Plan, compare with bound and peer, and plan again with too few people."""
    needed, rules = requirement_of_a_week(), shift_rules()
    wall, processor = time.perf_counter(), time.process_time()
    plan = plan_shifts(needed, rules, 60, shortfall=SHORTFALL)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    table = needed.assign(required=needed["agents"], given=0.0, grain=1.0)
    losses = weigh_losses(table, INTERVAL_S, SHORTFALL * PAY * INTERVAL_S / 3600, {"calls": Promise()})
    cover, pay = every_column()
    least = relaxation(cover, pay, losses)
    hand = by_hand(cover, pay, needed["agents"].to_numpy())
    hand_price = float(hand @ pay + losses.cost(cover @ hand).sum())
    hours = plan.shifts["count"] @ plan.shifts["paid_s"] / 3600
    detail = f"{len(needed)} x {len(pay)}; {wall:.1f} s by the clock; {plan.status}; {hours:,.0f} paid hours"
    few = time.process_time()
    short = plan_shifts(needed, rules, 20, agents=220, shortfall=SHORTFALL)
    few = time.process_time() - few
    return [
        Result("shifts: a week at 15 minutes, processor", processor, 15, "s", detail),
        Result("shifts: gap to the solver's bound", 100 * plan.gap, 0.1, "%", f"price {plan.price:,.0f}"),
        Result("shifts: above a relaxation written apart", 100 * (plan.price / least - 1), 0.2, "%", f"{least:,.0f}"),
        Result("shifts: price against planning by hand", plan.price / hand_price, 1, "ratio", f"{hand_price:,.0f}"),
        Result(
            "shifts: the same with 220 people, processor", few, 40, "s",
            f"{short.status}, gap {short.gap:.2%}; {len(short.missing)} sentences: {short.missing[0]}",
        ),
    ]  # fmt: skip


def requirement_of_a_week() -> pd.DataFrame:
    """Return queue, start, arrivals, load and agents of 672 quarters of an hour."""
    start = pd.date_range("2026-11-02", periods=672, freq="15min")
    hour, weekday = np.asarray(start.hour + start.minute / 60.0), np.asarray(start.day_of_week)
    day = 0.12 + np.exp(-(((hour - 10.5) / 2.6) ** 2)) + 0.8 * np.exp(-(((hour - 15.5) / 3) ** 2))
    level = day * np.array([1.15, 1.05, 1, 1, 0.95, 0.6, 0.5])[weekday]
    arrivals = PEAK * level / level.max() * np.random.default_rng(3).normal(1, 0.04, len(start))
    agents = required_agents(arrivals, HANDLE_S, interval_s=INTERVAL_S, fractional=True)
    load = arrivals * HANDLE_S / INTERVAL_S
    return pd.DataFrame({"queue": "calls", "start": start, "arrivals": arrivals, "load": load, "agents": agents})


def shift_rules() -> ShiftRules:
    """Return the same shifts as `every_column`, in the product's terms."""
    starts = {"from": "00:00", "to": "23:30", "every": 30}
    patterns = {}
    for hours, places in LENGTHS.items():
        window = {"after": places[0] / 4, "before": places[-1] / 4 + 0.5} if places else {}
        breaks = [{"minutes": 30, **window}] if places else []
        patterns[f"h{hours:g}"] = {"id": f"h{hours:g}", "starts": starts, "hours": [hours], "breaks": breaks}
    costs = {"hour": PAY, "night": {"share": NIGHT, "from": "22:00", "to": "06:00"}}
    return ShiftRules.model_validate({"id": "benchmark", "costs": costs, "patterns": patterns})


def every_column() -> tuple[csr_matrix, NDArray[np.float64]]:
    """Return who is there in each of 672 quarters and the pay of every shift with every break, quarter by quarter."""
    columns, pay = [], []
    for first, (hours, places) in product(range(-96, 672, 2), LENGTHS.items()):
        for place in places or (None,):
            quarters = np.arange(first, first + round(4 * hours))
            paid = np.delete(quarters, [] if place is None else [place, place + 1])
            inside = paid[(paid >= 0) & (paid < 672)]
            if len(inside) and first + round(4 * hours) > 0:
                at_night = (paid % 96 >= 88) | (paid % 96 < 24)
                overtime = max(len(paid) / 4 - 8, 0) * 0.5
                columns.append(inside)
                pay.append(PAY * (len(paid) / 4 + NIGHT * at_night.sum() / 4 + overtime))
    many = [len(each) for each in columns]
    spots = (np.concatenate(columns), np.repeat(np.arange(len(columns)), many))
    return csr_matrix((np.ones(sum(many)), spots), shape=(672, len(columns))), np.array(pay)


def relaxation(cover: csr_matrix, pay: NDArray[np.float64], losses: Losses) -> float:
    """Return the least price were shifts divisible."""
    row, piece = np.nonzero(losses.width)
    pieces = identity(672, format="csr")[:, row]
    bounds = [*((0, None) for _ in pay), *((0, width) for width in losses.width[row, piece])]
    cost = np.concatenate([pay, losses.slope[row, piece]])
    return float(linprog(cost, A_ub=-hstack([cover, pieces]), b_ub=-losses.top, bounds=bounds).fun)


def by_hand(cover: csr_matrix, pay: NDArray[np.float64], required: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many work each column, added one by one until less than half an agent is missing anywhere."""
    counts, missing = np.zeros(len(pay)), required.copy()
    while missing.max() >= 0.5:
        filled = cover.T @ np.clip(missing, 0.0, 1.0)
        best = int(np.argmax(filled / pay))
        # Where the best shift no longer reaches the gap that is left, the shift that fills most of it is taken.
        if filled[best] < 0.5:
            best = int(np.argmax(cover.T @ (missing >= 0.5)))
        counts[best] += 1
        missing = missing - cover[:, [best]].toarray()[:, 0]
    return counts
