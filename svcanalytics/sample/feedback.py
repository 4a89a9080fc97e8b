"""What customers say when asked: invitations, answers, silence, and ratings set by default."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.contacts import QUEUES
from svcanalytics.sample.people import People
from svcanalytics.sample.planted import CAUSES
from svcanalytics.sample.structure import COUNTERS
from svcanalytics.sample.world import DAY, World

__all__ = ["ROUTES", "make_surveys"]

ROUTES = np.array(["ivr", "chat", "kiosk", "sms"], dtype=object)
"""Ways of asking, in the order of their codes."""

_IVR, _CHAT, _KIOSK, _SMS = range(4)
_INVITED = np.array([0.34, 0.36, 0.30, 0.28])
_ANSWERS = np.array([0.38, 0.30, 0.55, 0.31])
# Satisfaction lost per minute waited on a working day.
_PER_MINUTE = np.array([0.10, 0.07, 0.020, 0.0])


def make_surveys(world: World, people: People, contacts: pd.DataFrame, cases: pd.DataFrame) -> pd.DataFrame:
    """Make up the invitations and what came back, in order of invitation.

    Returns
    -------
    DataFrame
        contact, case (row numbers, -1: none), invited, at (seconds), route (code), and csat, nps, attitude, skill,
        environment (-1: not given), default.
    """
    rng = world.rng("surveys")
    frame = pd.concat([_after_contacts(world, rng, contacts), _after_cases(world, rng, cases)], ignore_index=True)
    frame = frame[frame["invited"] < world.cutoff].sort_values(["invited", "route", "contact"], ignore_index=True)
    n = len(frame)
    person, route = frame["person"].to_numpy(), frame["route"].to_numpy()
    manner = rng.normal(0, 0.13, len(people.staff))[person]
    in_post = frame["invited"].to_numpy() // DAY - people.staff["first_shift"].to_numpy()[person]
    green = (in_post < 60) & ("new_hires" in world.planted)
    attitude = 4.62 + manner + rng.normal(0, 0.55, n) + np.where(green, CAUSES["new_hires"].effect, 0.0)
    pleased = 4.74 - frame["lost"].to_numpy() + manner + 0.35 * (attitude - 4.6) + rng.normal(0, 0.68, n)
    csat = np.rint(pleased).clip(1, 5).astype(np.int64)
    upside_down = (
        (route == _KIOSK)
        & (frame["site"] == "南城窗口 South")
        & world.since("inverted_kiosk", frame["invited"].to_numpy())
    )
    csat = np.where(upside_down, 6 - csat, csat)
    # Those who are very unhappy answer more often, as everywhere.
    answers = rng.random(n) < _ANSWERS[route] * np.where(pleased < 2.6, 1.35, 1.0)
    default = ~answers & (route == _KIOSK) & (rng.random(n) < 0.5)
    given = answers | default
    delay = np.select(
        [route == _KIOSK, route == _SMS],
        [rng.integers(5, 60, n), rng.lognormal(np.log(5400), 1.0, n)],
        rng.integers(8, 120, n),
    )
    at = np.where(answers, frame["invited"] + delay.astype(np.int64), frame["invited"])
    answers &= at < world.cutoff
    at = np.where(answers, at, frame["invited"])
    given &= answers | default
    skill = np.rint(4.5 - 0.5 * frame["lost"].to_numpy() + rng.normal(0, 0.6, n)).clip(1, 5)
    nps = np.rint(1.9 * pleased + 0.1 + rng.normal(0, 1.0, n)).clip(0, 10)
    return frame.assign(
        at=at,
        csat=np.where(default, 5, np.where(given, csat, -1)),
        nps=np.where(answers & np.isin(route, [_SMS, _CHAT]), nps, -1).astype(np.int64),
        attitude=np.where(answers & (route != _SMS), np.rint(attitude).clip(1, 5), -1).astype(np.int64),
        skill=np.where(answers & (route != _SMS), skill, -1).astype(np.int64),
        environment=np.where(answers & (route == _KIOSK), np.rint(4.4 + rng.normal(0, 0.7, n)).clip(1, 5), -1).astype(
            np.int64
        ),
        default=default,
        answered=answers,
    )


def _weekend(world: World, t: np.ndarray) -> np.ndarray:
    free = world.days["weekday"].to_numpy()[np.minimum(t // DAY, len(world.days) - 1)] >= 5
    return np.where(free & ("weekend_sensitivity" in world.planted), CAUSES["weekend_sensitivity"].effect, 1.0)


def _after_contacts(world: World, rng: np.random.Generator, contacts: pd.DataFrame) -> pd.DataFrame:
    queue = contacts["queue"].to_numpy()
    route_of_queue = np.array([_KIOSK if q in COUNTERS else _CHAT if q == "chat" else _IVR for q in QUEUES])
    route = route_of_queue[queue]
    asked = np.flatnonzero((contacts["human"] >= 0) & (rng.random(len(contacts)) < _INVITED[route]))
    waited = contacts["waited"].to_numpy()[asked] / 60
    ended = contacts["ended"].to_numpy()[asked]
    lost = waited * _PER_MINUTE[route[asked]] * _weekend(world, ended) + 0.45 * ~contacts["resolved"].to_numpy()[asked]
    sites = np.array([COUNTERS.get(q, "") for q in QUEUES], dtype=object)
    return pd.DataFrame(
        {
            "contact": asked,
            "case": contacts["case"].to_numpy()[asked],
            "person": contacts["person"].to_numpy()[asked],
            "site": sites[queue[asked]],
            "route": route[asked],
            "invited": ended + 5,
            "lost": lost,
        }
    )


def _after_cases(world: World, rng: np.random.Generator, cases: pd.DataFrame) -> pd.DataFrame:
    closed = cases["closed"].to_numpy()
    asked = np.flatnonzero((closed < world.cutoff) & (cases["kind"] != 9) & (rng.random(len(cases)) < _INVITED[_SMS]))
    rows = cases.iloc[asked]
    hours = (rows["closed"] - rows["opened"]).to_numpy() / 3600
    minutes = ((rows["answered"] - rows["opened"]).to_numpy() / 60).clip(0, 60)
    lost = 0.10 * np.log2(1 + hours / 4) + 0.012 * minutes * _weekend(world, rows["opened"].to_numpy())
    lost = (
        lost
        + np.array([0.0, 0.8, 1.5])[rows["outcome"]]
        + 0.55 * (rows["reopened"] >= 0).to_numpy()
        + 0.25 * (rows["kind"] == 1).to_numpy()
    )
    # Messages go out in the daytime only.
    invited = world.desk.after(closed[asked], rng.integers(300, 3600, len(asked)))
    return pd.DataFrame(
        {
            "contact": -1,
            "case": asked,
            "person": rows["owner_person"].to_numpy(),
            "site": "",
            "route": _SMS,
            "invited": invited,
            "lost": lost,
        }
    )
