"""The steps of a case's life, as events with milestones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.vocabulary import ACTIVITIES, MILESTONES, REASON
from svcanalytics.sample.world import DAY, World

__all__ = ["Steps", "make_steps"]

_HUMAN, _AUTOMATIC = 0, 2  # 1 is a bot, which takes no steps in cases
_NO_MEDIUM, _WRITTEN, _PHONE, _MESSAGE, _MEETING = -1, 0, 1, 2, 3
_NOBODY, _US, _CUSTOMER, _SUPPLIER = -1, 0, 1, 2
_FIRST, _OWNER = 0, 1


class Steps:
    """Collects steps of many cases at once."""

    def __init__(self, cases: pd.DataFrame) -> None:
        self._cases = {
            name: cases[name].to_numpy() for name in ("first_team", "owner_team", "first_person", "owner_person")
        }
        self._parts: list[dict[str, np.ndarray]] = []

    def add(
        self,
        milestone: str,
        case: np.ndarray,
        at: np.ndarray,
        *,
        started: np.ndarray | None = None,
        who: int = _OWNER,
        by: int = _HUMAN,
        medium: int | np.ndarray = _NO_MEDIUM,
        reason: int | np.ndarray = 0,
        waits: int | np.ndarray = _NOBODY,
        word: str = "",
    ) -> None:
        """Add one step for each of `case` (row numbers) at seconds `at`, done by the first or the owning team."""
        role = "first" if who == _FIRST else "owner"
        n = len(case)
        self._parts.append(
            {
                "case": case,
                "at": np.asarray(at, np.int64),
                "started": np.asarray(at if started is None else started, np.int64),
                "milestone": np.full(n, MILESTONES.index(milestone)),
                "activity": np.full(n, word or ACTIVITIES[milestone], dtype=object),
                "team": self._cases[f"{role}_team"][case],
                "person": np.where(by == _HUMAN, self._cases[f"{role}_person"][case], -1),
                "by": np.full(n, by),
                "medium": np.broadcast_to(medium, n),
                "reason": np.broadcast_to(reason, n),
                "waits": np.broadcast_to(waits, n),
            }
        )

    def frame(self) -> pd.DataFrame:
        """Return all steps in order of case and time, numbered within the case."""
        columns = {name: np.concatenate([part[name] for part in self._parts]) for name in self._parts[0]}
        order = np.lexsort((columns["milestone"], columns["at"], columns["case"]))
        frame = pd.DataFrame({name: column[order] for name, column in columns.items()})
        case = frame["case"].to_numpy()
        first = np.flatnonzero(np.r_[True, case[1:] != case[:-1]])
        frame["seq"] = np.arange(len(frame)) - np.repeat(first, np.diff(np.r_[first, len(frame)])) + 1
        return frame


def make_steps(world: World, cases: pd.DataFrame) -> pd.DataFrame:
    """Lay out every case's steps.

    Returns
    -------
    DataFrame
        Codes and seconds: case, seq, at, started, milestone, activity (text), team, person, by, medium, reason, waits.
        Steps after the data stop are left out.
    """
    steps = Steps(cases)
    rng = world.rng("steps")
    _open(rng, steps, cases)
    _treat(rng, steps, cases)
    _complain(rng, steps, cases)
    _suggest(rng, steps, cases)
    _alarm(rng, steps, cases)
    _finish(rng, steps, cases)
    frame = steps.frame()
    return frame[frame["at"] < world.cutoff].reset_index(drop=True)


def _where(mask: pd.Series | np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.asarray(mask))


def _lag(rng: np.random.Generator, median_s: float, n: int, sigma: float = 0.6) -> np.ndarray:
    return rng.lognormal(np.log(median_s), sigma, n).astype(np.int64) + 1


def _open(rng: np.random.Generator, steps: Steps, cases: pd.DataFrame) -> None:
    opened, answered, channel = (cases[c].to_numpy() for c in ("opened", "answered", "channel"))
    written = _where(np.isin(channel, [3, 4, 5]))
    steps.add(
        "acknowledged",
        written,
        opened[written] + rng.integers(2, 40, len(written)),
        who=_FIRST,
        by=_AUTOMATIC,
        medium=_MESSAGE,
    )
    every = np.arange(len(cases))
    medium = np.array([_PHONE, _MESSAGE, _NO_MEDIUM, _MESSAGE, _WRITTEN, _WRITTEN, _MESSAGE])[channel]
    steps.add("first_response", every, answered, who=_FIRST, medium=medium, waits=_US)
    bookings = _where(cases["kind"] == 7)
    steps.add(
        "confirmed",
        bookings,
        np.maximum(answered[bookings], opened[bookings] + _lag(rng, 1300, len(bookings), 0.7)),
        who=_FIRST,
        medium=_MESSAGE,
    )
    asked = _where((cases["kind"] == 0) & ~cases["settled"])
    steps.add(
        "preliminary_solution", asked, answered[asked] + _lag(rng, 300, len(asked)), who=_FIRST, medium=medium[asked]
    )
    told = _where((cases["kind"] == 0) & cases["settled"])
    steps.add(
        "preliminary_solution",
        told,
        np.minimum(answered[told] + _lag(rng, 110, len(told)), cases["done"].to_numpy()[told]),
        who=_FIRST,
        medium=medium[told],
    )


def _treat(rng: np.random.Generator, steps: Steps, cases: pd.DataFrame) -> None:
    opened, picked, checked, done = (cases[c].to_numpy() for c in ("opened", "picked", "checked", "done"))
    away = _where(cases["office"] & (cases["owner_team"] != cases["first_team"]))
    wrong = rng.random(len(away)) < 0.08
    steps.add(
        "transferred",
        away,
        picked[away],
        started=cases["answered"].to_numpy()[away],
        reason=np.where(wrong, REASON["wrong team"], REASON["experts"]),
        waits=_US,
        medium=np.where(rng.random(len(away)) < 0.7, _MESSAGE, _NO_MEDIUM),
    )
    back = away[wrong]
    steps.add(
        "transferred",
        back,
        (picked[back] + checked[back]) // 2,
        started=picked[back],
        reason=REASON["experts"],
        waits=_US,
    )
    office = _where(cases["office"])
    waits = np.where(cases["customer_back"] >= 0, _CUSTOMER, np.where(cases["supplier_back"] >= 0, _SUPPLIER, _US))[
        office
    ]
    steps.add(
        "investigated",
        office,
        checked[office],
        started=picked[office],
        waits=waits,
        reason=np.array([0, REASON["customer"], REASON["supplier"]])[waits],
    )
    for column, word in (
        ("customer_back", "客户已补充 Customer replied"),
        ("supplier_back", "供应商核查 Supplier check"),
    ):
        came = _where(cases[column] >= 0)
        steps.add("progress", came, cases[column].to_numpy()[came], started=checked[came], waits=_US, word=word)
    experts = _where(cases["enterprise"] & np.isin(cases["kind"], [1, 2]) & np.isin(cases["category"], [4, 5, 6]))
    steps.add(
        "handed_to_experts",
        experts,
        opened[experts] + _lag(rng, 330, len(experts), 0.5),
        who=_FIRST,
        reason=REASON["experts"],
        waits=_US,
    )
    steps.add("progress", experts, opened[experts] + _lag(rng, 4300, len(experts), 0.45), medium=_WRITTEN)
    # Repairs: a message every half hour until the repair is done, some late, at most thirty.
    repairs = _where(cases["kind"] == 8)
    times = np.clip((done[repairs] - opened[repairs]) // 1500, 1, 30)
    rows, nth = (
        np.repeat(repairs, times),
        np.concatenate([np.arange(1, k + 1) for k in times]) if len(times) else np.zeros(0, np.int64),
    )
    steps.add(
        "progress",
        rows,
        opened[rows] + nth * 1500 - 90 + (rng.gamma(1.5, 75, len(rows))).astype(np.int64),
        medium=_MESSAGE,
    )
    across = _where(cases["office"] & cases["complex"] & (rng.random(len(cases)) < 0.22))
    begins = picked[across] + _lag(rng, 1500, len(across))
    plan = begins + _lag(rng, 4200, len(across), 0.5)
    steps.add("cross_team_opened", across, begins, reason=REASON["departments"], waits=_US)
    steps.add("plan", across, plan, started=begins)
    steps.add("joint_meeting", across, plan + _lag(rng, 4000, len(across), 0.5), medium=_MEETING)
    chance = np.where(cases["kind"] == 1, 0.10, 0.02) * np.asarray(cases["office"])
    raised = _where(rng.random(len(cases)) < chance)
    at = picked[raised] + _lag(rng, 5400, len(raised))
    steps.add(
        "escalated",
        raised,
        at,
        reason=rng.choice([REASON["asked"], REASON["late"], REASON["attitude"]], len(raised), p=[0.4, 0.45, 0.15]),
        waits=_US,
    )
    steps.add("escalation_handled", raised, at + _lag(rng, 6500, len(raised), 0.65), started=at)


def _complain(rng: np.random.Generator, steps: Steps, cases: pd.DataFrame) -> None:
    complaints = _where(cases["kind"] == 1)
    opened, level = cases["opened"].to_numpy()[complaints], cases["level"].to_numpy()[complaints]
    median = np.select([level == 1, level == 2], [9 * 3600, 5 * 3600], 12 * 3600)
    contacted = opened + (median * rng.lognormal(0, 0.55, len(complaints))).astype(np.int64)
    contacted = np.maximum(contacted, cases["answered"].to_numpy()[complaints] + 60)
    steps.add(
        "customer_contacted",
        complaints,
        contacted,
        medium=np.where(rng.random(len(complaints)) < 0.8, _PHONE, _MESSAGE),
    )
    told = _where(np.isin(cases["kind"], [1, 3, 5]) & (cases["outcome"] != 2))
    steps.add(
        "result_told",
        told,
        cases["done"].to_numpy()[told] + _lag(rng, 3000, len(told), 0.8),
        medium=rng.choice([_WRITTEN, _PHONE, _MESSAGE], len(told)),
    )


def _suggest(rng: np.random.Generator, steps: Steps, cases: pd.DataFrame) -> None:
    ideas = _where((cases["kind"] == 5) | (cases["level"] == 3))
    listed = cases["opened"].to_numpy()[ideas] + _lag(rng, 3.2 * DAY, len(ideas), 0.5)
    steps.add("listed", ideas, listed)
    kept = rng.random(len(ideas)) < 0.32
    adopted = listed + _lag(rng, 9 * DAY, len(ideas), 0.4)
    told = adopted + _lag(rng, 2.5 * DAY, len(ideas), 0.6)
    steps.add("adopted", ideas[kept], adopted[kept])
    # Whoever made a suggestion is told the decision, whichever it is; a few are forgotten.
    hears = rng.random(len(ideas)) < 0.95
    steps.add("adoption_told", ideas[hears], told[hears], medium=_MESSAGE)
    shown = kept & (rng.random(len(ideas)) < 0.4)
    steps.add("published", ideas[shown], told[shown] + _lag(rng, 6 * DAY, int(shown.sum())), medium=_WRITTEN)


def _alarm(rng: np.random.Generator, steps: Steps, cases: pd.DataFrame) -> None:
    incidents = _where(cases["kind"] == 9)
    n, opened = len(incidents), cases["opened"].to_numpy()[incidents]
    begun = opened + _lag(rng, 420, n, 0.5)
    assessed = begun + _lag(rng, 1600, n, 0.5)
    planned = assessed + _lag(rng, 1800, n, 0.5)
    steps.add("response_started", incidents, begun)
    steps.add("assessed", incidents, assessed, started=begun)
    steps.add("plan", incidents, planned, started=assessed)
    steps.add("parties_told", incidents, planned + _lag(rng, 2700, n, 0.6), medium=_MESSAGE)
    steps.add("switched_over", incidents, opened + _lag(rng, 380, n, 0.45))
    steps.add(
        "restored",
        incidents,
        cases["done"].to_numpy()[incidents]
        - rng.integers(60, 600, n).clip(max=(cases["done"].to_numpy()[incidents] - opened) // 2),
    )


def _finish(rng: np.random.Generator, steps: Steps, cases: pd.DataFrame) -> None:
    done, reopened, resolved, closed = (cases[c].to_numpy() for c in ("done", "reopened", "resolved", "closed"))
    solved = _where(cases["outcome"] != 2)
    steps.add(
        "resolved",
        solved,
        done[solved],
        started=np.where(cases["settled"], done, cases["checked"])[solved],
        waits=np.where(cases["office"].to_numpy()[solved], _CUSTOMER, _NOBODY),
    )
    again = _where(reopened >= 0)
    steps.add("reopened", again, reopened[again], reason=REASON["not solved"], waits=_US)
    twice = again[resolved[again] >= 0]
    steps.add("resolved", twice, resolved[twice], started=reopened[twice])
    ends = _where(~cases["settled"])
    steps.add("closed", ends, closed[ends])
    called = _where(~cases["settled"] & (rng.random(len(cases)) < np.where(cases["kind"] == 1, 0.7, 0.2)))
    steps.add("followed_up", called, closed[called] + _lag(rng, 1.2 * DAY, len(called), 0.5), who=_FIRST, medium=_PHONE)
