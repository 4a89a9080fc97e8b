"""The steps that a made-up case goes through: waits, work, hand-overs, and the log of them.

Time passes from 8 to 20 o'clock, every day; durations are hours of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.causes_cases import START
from benchmarks.causes_staff import TEAMS

__all__ = ["ANSWER", "LIMITS", "Steps", "draw_steps", "log", "to_clock"]

Array = np.ndarray

ANSWER = 0.25
"""Hours within which a case is to be answered."""

LIMITS = {"account": 12.5, "advice": 12.5, "billing": 14.0, "delivery": 26.0, "refund": 28.0, "technical": 13.0}
"""Hours within which a case is due."""

_HANDED_ON = {"account": 0.12, "advice": 0.08, "billing": 0.2, "delivery": 0.18, "refund": 0.15, "technical": 0.3}


@dataclass(frozen=True, eq=False)
class Steps:
    """Hours before and in each step, and whether a case has it; all arrays have one value per case."""

    answer: Array
    classify: Array
    transfers: Array
    transfer: Array
    work_wait: Array
    work: Array
    supplied: Array
    supplier: Array
    asked: Array
    documents: Array
    reply: Array
    confirmed: Array
    confirm: Array

    @property
    def total(self) -> Array:
        """Hours from opening to the reply that resolves the case."""
        return (
            self.answer + self.classify + self.transfers * self.transfer + self.work_wait + self.work
            + self.supplied * self.supplier + self.asked * self.documents + self.reply
        )  # fmt: skip


def draw_steps(rng: np.random.Generator, cases: pd.DataFrame, delay: Array) -> Steps:
    """Draw the steps; `delay` is the logarithm by which a case's waits are longer than usual."""
    n = len(cases)
    luck = rng.random((5, n))
    normal = rng.standard_normal((9, n))
    category = cases["category"].to_numpy("object")

    def hours(row: int, median: float, spread: float, slow: Array | float = 0.0) -> Array:
        return median * np.exp(spread * normal[row] + slow)

    quick = np.where(cases["channel"].to_numpy("object") == "phone", -0.2, 0.05)
    handed = np.array([_HANDED_ON[each] for each in category])
    return Steps(
        answer=hours(0, 0.078, 1.0, delay + quick),
        classify=hours(1, 0.05, 0.4),
        transfers=(luck[0] < handed).astype(int) + (luck[0] < handed / 5),
        transfer=hours(2, 1.6, 0.8),
        work_wait=hours(3, 3.0, 0.85, delay),
        work=hours(4, 420 / 3600, 0.5),
        supplied=np.isin(category, ("refund", "delivery")) & (luck[1] < 0.6),
        supplier=hours(5, 6.5, 0.65),
        asked=luck[2] < 0.12,
        documents=hours(6, 3.5, 0.8),
        reply=hours(7, 0.5, 0.7),
        confirmed=luck[3] > 0.06,
        confirm=hours(8, 10.0, 0.5),
    )


def to_clock(worked: Array) -> pd.DatetimeIndex:
    """Return the time of the clock after so many hours since the first day's opening at 8."""
    day, hour = np.divmod(worked, 12.0)
    seconds = np.round(day * 86_400 + (hour + 8) * 3600).astype("int64")
    return START + pd.to_timedelta(seconds, "s")


def log(rng: np.random.Generator, cases: pd.DataFrame, steps: Steps, names: Array) -> pd.DataFrame:
    """Write the log of the steps, in order of case and time; `names` are those of all agents."""
    begun = cases["day"].to_numpy() * 12 + cases["hour"].to_numpy() - 8
    own, team = cases["agent"].to_numpy("object"), cases["team"].to_numpy("object")
    other = names[rng.integers(0, len(names), len(cases))]
    elsewhere = np.array(TEAMS, dtype=object)[rng.integers(0, len(TEAMS), len(cases))]
    everyone = np.ones(len(cases), dtype=bool)
    plan = (  # activity, milestone, who has it, wait before it, time it takes, by whom, whom it waited for
        ("register", "opened", everyone, 0.0, 0.0, None, ""),
        ("classify", "first_response", everyone, steps.answer, steps.classify, own, "us"),
        ("transfer", "transferred", steps.transfers > 0, steps.transfer * 0.95, steps.transfer * 0.05, other, "us"),
        ("transfer", "transferred", steps.transfers > 1, steps.transfer * 0.95, steps.transfer * 0.05, other, "us"),
        ("handle", "investigated", everyone, steps.work_wait, steps.work, own, "us"),
        ("supplier check", "progress", steps.supplied, steps.supplier * 0.97, steps.supplier * 0.03, own, "supplier"),
        ("ask documents", "customer_contacted", steps.asked, steps.documents * 0.98, steps.documents * 0.02, own,
         "customer"),
        ("reply", "resolved", everyone, steps.reply * 0.8, steps.reply * 0.2, own, "us"),
        ("confirm", "followed_up", steps.confirmed, steps.confirm * 0.99, steps.confirm * 0.01, own, "us"),
        ("close", "closed", everyone, 0.02, 0.0, None, ""),
    )  # fmt: skip
    now, parts = begun.astype("float64"), []
    for seq, (activity, milestone, has, wait, takes, agent, waits_for) in enumerate(plan):
        start = now + has * wait
        now = start + has * takes
        rows = np.flatnonzero(has)
        parts.append(
            pd.DataFrame(
                {
                    "row": rows, "seq": seq, "at": to_clock(now[rows]), "activity": activity, "milestone": milestone,
                    "started_at": to_clock(start[rows]), "agent": None if agent is None else agent[rows],
                    "team": None if agent is None else (elsewhere if agent is other else team)[rows],
                    "by": "automatic" if agent is None else "human", "waited_for": waits_for,
                }
            )
        )  # fmt: skip
    out = pd.concat(parts, ignore_index=True).sort_values(["row", "seq"], ignore_index=True)
    # Whom the case waits for from a step on is what the next one waited for.
    after = out.groupby("row")["waited_for"].shift(-1).fillna("")
    out["waits_for"] = after.where(after != "", None)
    return out.drop(columns="waited_for")
