"""The people of the made-up organisation: who is hired, trained, certified and rostered, and who gets which case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = ["TEAMS", "Staff", "assign", "make_staff"]

TEAMS = ("After-sales A", "After-sales B", "Hotline A", "Hotline B", "Key accounts", "Technical 1", "Technical 2")
_SEATS = (10, 7, 10, 10, 7, 9, 9)
_STAY = 75  # days; how long those who do not stay do
_SKILL = ("refund", "refund", "general", "general", "enterprise", "technical", "technical")


@dataclass(frozen=True, eq=False)
class Staff:
    """Agents, and whether each works a day's shift.

    Attributes
    ----------
    people : DataFrame
        One row per agent: agent, team, hired_on, left_on, joined_team_on, certificates, skill_level.
    training : DataFrame
    works : numpy.ndarray of bool, shape ``(agents, days, 2)``
        0 is the morning shift, 1 the evening.
    team : numpy.ndarray of int, shape ``(agents, days)``
        The place in TEAMS; a reorganisation moves agents.
    skilled : numpy.ndarray of bool, shape ``(agents, days)``
        Holds the certificate of the team's work.
    tenure : numpy.ndarray of int, shape ``(agents, days)``
        Days in post.
    """

    people: pd.DataFrame
    training: pd.DataFrame
    works: np.ndarray
    team: np.ndarray
    skilled: np.ndarray
    tenure: np.ndarray


def make_staff(rng: np.random.Generator, start: pd.Timestamp, days: int, planted: dict[str, int]) -> Staff:
    """Make up agents and their roster; `planted` names what is changed and from which day on.

    One seat in five changes hands every few weeks, so there are always some new agents.
    """
    seat_team = np.repeat(np.arange(len(TEAMS)), _SEATS)
    restless = rng.random(len(seat_team)) < 0.2
    rows = []
    for team, changing in zip(seat_team, restless, strict=True):
        if not changing:
            rows.append((team, -int(rng.integers(120, 2500)), 10**6))
            continue
        day = -int(rng.integers(0, _STAY))
        while day < days:
            stay = int(rng.normal(_STAY, 10))
            rows.append((team, day, day + stay))
            day += stay
    team, hired, left = (np.array(column) for column in zip(*rows, strict=True))
    agents = len(team)
    calendar = np.arange(days)
    teams = np.repeat(team[:, None], days, axis=1)
    skilled = np.repeat((rng.random(agents) < 0.85)[:, None], days, axis=1)
    skill = np.array(_SKILL, dtype=object)[team]
    joined = hired.copy()
    _swap(rng, team, hired, left, planted, teams, skilled, joined)
    employed = (calendar >= hired[:, None]) & (calendar < left[:, None])
    # Five days of seven; each agent's days off move on week by week.
    off = (calendar + rng.integers(0, 7, agents)[:, None] + 2 * (calendar // 7)) % 7 < 2
    evening = (rng.integers(0, 2, agents)[:, None] + calendar // 7) % 2
    present = employed & ~off & (rng.random((agents, days)) > 0.05)
    works = np.stack([present & (evening == 0), present & (evening == 1)], axis=2)
    weekend = (start.day_of_week + calendar) % 7 >= 5
    thin = rng.random((agents, days))
    works &= ~(weekend & (thin < 0.15))[..., None]
    if "weekend" in planted:
        works &= ~(weekend & (calendar >= planted["weekend"]) & (thin < 0.5))[..., None]
    if "overloaded_shift" in planted:
        rare = (teams == TEAMS.index("Hotline B")) & (calendar >= planted["overloaded_shift"]) & (thin > 0.45)
        works[..., 1] &= ~rare
    names = np.array([f"a{number:03d}" for number in range(agents)], dtype=object)
    people = pd.DataFrame(
        {
            "agent": names,
            "team": np.array(TEAMS, dtype=object)[teams[:, -1]],
            "role": "agent",
            "hired_on": start + pd.to_timedelta(hired, "D"),
            "left_on": [start + pd.Timedelta(days=int(d)) if d < days else pd.NaT for d in left],
            "joined_team_on": start + pd.to_timedelta(joined, "D"),
            "certificates": np.where(skilled[:, 0], skill, ""),
            "skill_level": np.where(hired < -700, 3, np.where(hired < -200, 2, 1)),
        }
    )
    # New agents are trained before their first shift; those hired after the planted day are not.
    untrained = (hired >= planted["new_hires"]) if "new_hires" in planted else np.zeros(agents, dtype=bool)
    untrained |= rng.random(agents) < 0.08
    training = pd.DataFrame(
        {
            "agent": names[~untrained],
            "at": people["hired_on"][~untrained].to_numpy() - np.timedelta64(2, "D"),
            "course": "induction",
            "duration_s": 16 * 3600,
        }
    )
    return Staff(people, training, works, teams, skilled, np.maximum(calendar - hired[:, None], 0))


def assign(
    rng: np.random.Generator, staff: Staff, team: np.ndarray, day: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give each case one of the agents of its team who work that shift, by equal chances.

    Returns
    -------
    tuple of numpy.ndarray
        The agent's number, and the load: cases of the shift per agent of the team. Where nobody is on shift, somebody
        of the team's other shifts is called in.
    """
    days = staff.works.shape[1]
    number, on_day, on_shift = np.nonzero(staff.works)
    cell = (staff.team[number, on_day] * days + on_day) * 2 + on_shift
    order = np.argsort(cell, kind="stable")
    counts = np.bincount(cell, minlength=len(TEAMS) * days * 2)
    begin = np.concatenate([[0], np.cumsum(counts)[:-1]])
    wanted = (team * days + day) * 2 + shift
    asked = np.bincount(wanted, minlength=len(counts))
    wanted = np.where(counts[wanted] > 0, wanted, wanted ^ 1)
    luck = rng.random(len(team))
    place = begin[wanted] + np.floor(luck * np.maximum(counts[wanted], 1)).astype(int)
    someone = number[order][np.minimum(place, len(order) - 1)]
    return someone, asked[(team * days + day) * 2 + shift] / np.maximum(counts[(team * days + day) * 2 + shift], 0.5)


def _swap(
    rng: np.random.Generator,
    team: np.ndarray,
    hired: np.ndarray,
    left: np.ndarray,
    planted: dict[str, int],
    teams: np.ndarray,
    skilled: np.ndarray,
    joined: np.ndarray,
) -> None:
    # The reorganisation: half of the team goes to the hotline, as many come from there without its certificate.
    one, other = TEAMS.index("Technical 2"), TEAMS.index("Hotline A")
    ready = rng.permutation(len(team))
    if "reorganised_team" not in planted:
        return
    day = planted["reorganised_team"]
    there = (hired < day - 30) & (left > day)
    going = [a for a in ready if there[a] and team[a] == one][:4]
    coming = [a for a in ready if there[a] and team[a] == other][:4]
    for movers, target in ((going, other), (coming, one)):
        teams[movers, day:], skilled[movers, day:], joined[movers] = target, False, day
