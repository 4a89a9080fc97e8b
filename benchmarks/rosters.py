"""Named rosters for a week: seconds, what is left open and how good they can be said to be, by both solvers.

Two skills, five kinds of shift round the clock at half-hour starts, leave, wishes, part-timers; a week that takes 85 %
of all contracts. The gap is to the best bound that any of them proved; one place of the smallest week must stay open.
"""

from __future__ import annotations

import time

import numpy as np
import pandas as pd

from benchmarks.timing import Result
from svcanalytics.staffing import Roster, RosterRules, plan_roster

MONDAY = pd.Timestamp("2026-11-02", tz="Asia/Shanghai")
PATTERNS = {"early": (6.0, 6.5, 7.0), "day": (8.0, 8.5, 9.0, 9.5), "middle": (11.0, 12.0), "late": (14.0, 14.5)}
PATTERNS |= {"night": (22.0, 22.5)}
BUSY = (1.1, 1.05, 1.0, 1.0, 1.0, 0.75, 0.7)
RULES = RosterRules(max_hours_a_week=44, rotation=("early", "late", "night"))
LIMIT_S, SEED = 55.0, 1


def run() -> list[Result]:
    """Make rosters of 30, 80 and 150 people by both solvers."""
    results = []
    for people, bound_s in ((30, 60.0), (80, 60.0), (150, 90.0)):
        world = make_week(people)
        found: dict[str, tuple[Roster, float]] = {}
        for solver in ("auto", "milp", "cp-sat"):
            began = time.perf_counter()
            roster = plan_roster(**world, rules=RULES, solver=solver, time_limit_s=LIMIT_S)
            found[solver] = roster, time.perf_counter() - began
        proved = max(roster.points * (1 - min(roster.gap, 1e9)) for roster, _ in found.values())
        for solver, (roster, seconds) in found.items():
            gap = (roster.points - proved) / max(abs(roster.points), 1)
            even, open_ = roster.fairness, int(roster.lacking["missing"].sum())
            told = (
                f"{world['plan']['count'].sum()} places, {open_} open; gap {gap:.1%} ({roster.status}); "
                f"wishes met {even['wishes_met'].sum()} of {even['wishes'].sum()}; nights 0-{even['nights'].max()}"
            )
            results.append(Result(f"{people} people, a week, {solver}: seconds", seconds, bound_s, "s", told))
            if solver != "cp-sat" and people <= 80:
                results.append(Result(f"{people} people, a week, {solver}: gap", 100 * gap, 1.0, "%"))
    return results


def make_week(people: int, seed: int = SEED) -> dict[str, pd.DataFrame]:
    """Return a plan's shifts, agents, leave and wishes for so many people."""
    rng = np.random.default_rng([seed, people])
    agents = pd.DataFrame({"agent": [f"a{n:03}" for n in range(people)]})
    agents["skills"] = [[["A", "B"], ["A"], ["A"], ["B"], ["B"]][n % 5] for n in range(people)]
    agents["hours"] = [32.0 if n % 4 == 0 else 40.0 for n in range(people)]
    away = rng.choice(people, people // 12, replace=False)
    places = round(0.85 * (agents["hours"].sum() - 8 * len(away)) / 8)
    kinds = [(day, name, start) for day in range(7) for name, starts in PATTERNS.items() for start in starts]
    weight = np.array([BUSY[day] * (0.4 if name == "night" else 1.0) for day, name, _ in kinds])
    counts = rng.multinomial(places, weight / weight.sum())
    rows = []
    for (day, name, hour), count in zip(kinds, counts, strict=True):
        start = MONDAY + pd.Timedelta(days=day, hours=hour)
        rest = ((start + pd.Timedelta(hours=4), start + pd.Timedelta(hours=4.5), False),)
        of_a = int(rng.binomial(count, 0.5))
        for group, number in (("A", of_a), ("B", int(count) - of_a)):
            if number:
                rows.append((group, name, start, start + pd.Timedelta(hours=8.5), rest, number, 8 * 3600))
    first = MONDAY.tz_localize(None)
    days = [first + pd.Timedelta(days=int(day)) for day in rng.integers(0, 7, people)]
    wanted = rng.choice(["off", *PATTERNS], people)
    return {
        "plan": pd.DataFrame(rows, columns=["group", "pattern", "start", "end", "breaks", "count", "paid_s"]),
        "agents": agents,
        "leave": pd.DataFrame({"agent": agents["agent"].to_numpy()[away], "day": [days[n] for n in away]}),
        "wishes": pd.DataFrame({"agent": agents["agent"], "day": days, "pattern": wanted}),
    }
