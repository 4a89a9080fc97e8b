"""Calls, chats with bot and hand-over, and counter visits, with the waiting that load makes."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.arrivals import draw_arrivals
from svcanalytics.sample.customers import Pool
from svcanalytics.sample.people import People
from svcanalytics.sample.planted import CAUSES
from svcanalytics.sample.queueing import serve
from svcanalytics.sample.structure import CATEGORIES, COUNTERS, TEAMS, category_shares, team_codes
from svcanalytics.sample.vocabulary import MILESTONES
from svcanalytics.sample.world import World

__all__ = ["HANDOVER", "QUEUES", "make_callbacks", "make_contacts"]

QUEUES = ("hotline", "english", "night", "chat", *COUNTERS)
"""Queues in the order of their codes."""

HANDOVER = np.array(
    ["asked for a person", "not understood", "emotion", "complaint", "needs a login check"], dtype=object
)

# Queue: median patience, median handle time, contacts at once, share a bot finishes.
_MANNERS = {
    "hotline": (260, 350, 1, 0.06),
    "english": (240, 400, 1, 0.0),
    "night": (190, 380, 1, 0.10),
    "chat": (240, 560, 3, 0.56),
    "counter": (2400, 620, 1, 0.0),
}
_CATEGORY_PACE = np.array([0.95, 1.05, 1.1, 0.9, 0.9, 1.3, 1.0, 1.1, 0.9])


def make_contacts(world: World, people: People, pool: Pool) -> pd.DataFrame:
    """Make up every inbound contact.

    Returns
    -------
    DataFrame
        Sorted by `offered`. Codes and seconds: queue, person and team (-1 none), category, customer, offered, queued
        (-1 never), human (-1 never), answered (-1 gave up), ended, talk, hold, wrap, bot (a bot finished it), handover
        (code or -1), concurrency, resolved.
    """
    parts = [_queue(world, people, pool, queue) for queue in QUEUES]
    return pd.concat(parts, ignore_index=True).sort_values(["offered", "queue"], ignore_index=True)


def _duty(world: World, people: People, queue: str) -> list[tuple[int, int, int, float]]:
    # Who takes a queue's contacts and how fast: new people are slower, and a knowledge base makes Hotline B faster.
    shifts = people.shifts
    own = [i for i, team in enumerate(TEAMS) if team.queue == queue]
    mine = shifts[shifts["team"].isin(own) & (shifts["state"] == "work")]
    days_in_post = mine["day"].to_numpy() - people.staff["first_shift"].to_numpy()[mine["person"]]
    skill = world.rng("pace").lognormal(0, 0.07, len(people.staff))[mine["person"]]
    pace = skill * np.where(days_in_post < 60, 1.18, 1.0)
    faster = (mine["team"] == team_codes()["热线B组 Hotline B"]) & world.since(
        "knowledge_base", mine["starts"].to_numpy()
    )
    pace = pace * np.where(faster, CAUSES["knowledge_base"].effect, 1.0)
    starts = mine["starts"].to_numpy() + 1800 * mine["meets"].to_numpy() + np.maximum(mine["late"].to_numpy(), 0)
    pause, ends = mine["pause"].to_numpy(), mine["ends"].to_numpy() - 7200 * mine["trains"].to_numpy()
    duty = []
    for who, begin, rest, end, speed in zip(
        mine["person"].tolist(), starts.tolist(), pause.tolist(), ends.tolist(), pace.tolist(), strict=True
    ):
        duty += [(who, begin, rest, speed), (who, rest + 2700, end, speed)]
    return sorted(duty, key=lambda row: (row[1], row[0]))


def _queue(world: World, people: People, pool: Pool, queue: str) -> pd.DataFrame:
    rng = world.rng(f"contacts {queue}")
    patience, handle, at_once, bot_share = _MANNERS["counter" if queue in COUNTERS else queue]
    offered = draw_arrivals(world, queue)
    n = len(offered)
    category = rng.choice(len(CATEGORIES), n, p=category_shares())
    among = pool.english if queue == "english" else None
    customer = pool.draw(rng, n, among)
    with_bot = queue == "chat" or bot_share > 0
    # The bot learns: it finishes a few points more each year.
    finishes = rng.random(n) < bot_share * (1 + 0.05 * offered / (365 * 86_400)) if with_bot else np.zeros(n, bool)
    before = (
        rng.integers(35, 150, n)
        if queue == "chat"
        else rng.integers(2, 7, n)
        if queue not in COUNTERS
        else np.zeros(n, np.int64)
    )
    asks = np.flatnonzero(~finishes)
    asks = asks[np.argsort((offered + before)[asks], kind="stable")]
    work = rng.lognormal(np.log(handle), 0.55, n) * _CATEGORY_PACE[category]
    vip = pool.tier[customer] == 2
    gives_up = rng.lognormal(np.log(patience), 0.7, n) * np.where(vip, 1.4, 1.0)
    who, wait, at_a_time, pace = serve(
        (offered + before)[asks],
        work[asks].astype(np.int64),
        gives_up[asks].astype(np.int64),
        _duty(world, people, queue),
        at_once,
    )
    person, waited, concurrency, speed = (np.full(n, -1), np.zeros(n, np.int64), np.zeros(n, np.int64), np.ones(n))
    person[asks], waited[asks], concurrency[asks], speed[asks] = who, wait, at_a_time, pace
    served = person >= 0
    gone = ~served & ~finishes
    work = work * speed
    wrap = np.where(served, work * rng.uniform(0.05, 0.2, n), 0).astype(np.int64)
    hold = np.where(served & (rng.random(n) < 0.18), rng.lognormal(np.log(35), 0.6, n).clip(5, 600), 0).astype(np.int64)
    hold = np.minimum(hold, (work * 0.5).astype(np.int64))
    bot_talk = rng.lognormal(np.log(70), 0.5, n).clip(15, 900)
    talk = np.where(served, work - wrap - hold, np.where(finishes, bot_talk, 0)).astype(np.int64)
    queued = np.where(finishes, -1, offered + before)
    # The phone rings, the chat opens, the customer walks to the window: nobody answers in no time.
    rings = np.where(served, rng.gamma(6.0, 0.9, n).astype(np.int64) + 1, 0)
    waited = waited + rings
    human = np.where(served, queued + waited, -1)
    # Chats are answered by the bot at once; only one given up in the queue counts as not answered.
    answered = np.where(gone, -1, np.where(finishes, offered + 2, offered + 2 if queue == "chat" else human))
    ended = np.where(gone, queued + waited, np.where(finishes, offered + 2 + talk, human + talk + hold))
    harder = np.array([0.02, 0.08, 0.10, 0.02, 0.0, 0.12, 0.0, 0.12, 0.05])[category]
    chance = np.where(finishes, 0.85, 0.88) - harder - 0.04 * (waited > 120)
    return pd.DataFrame(
        {
            "queue": QUEUES.index(queue),
            "person": person,
            "team": np.where(served, people.staff["team"].to_numpy()[person], -1),
            "category": category,
            "customer": customer,
            "offered": offered,
            "queued": queued,
            "human": human,
            "answered": answered,
            "ended": ended,
            "talk": talk,
            "hold": hold,
            "wrap": wrap,
            "waited": waited,
            "bot": finishes,
            "handover": np.where((queue == "chat") & ~finishes, rng.choice(5, n, p=[0.36, 0.28, 0.12, 0.10, 0.14]), -1),
            "concurrency": concurrency,
            "resolved": (served | finishes) & (rng.random(n) < chance),
        }
    )


def make_callbacks(world: World, cases: pd.DataFrame, steps: pd.DataFrame) -> pd.DataFrame:
    """Make up the outbound calls behind the follow-ups: the columns of `make_contacts`, with `case` and `outbound`."""
    rng = world.rng("callbacks")
    follow_ups = steps[steps["milestone"] == MILESTONES.index("followed_up")]
    calls = follow_ups[rng.random(len(follow_ups)) < 0.5]
    n, case = len(calls), calls["case"].to_numpy()
    talk = rng.lognormal(np.log(95), 0.5, n).astype(np.int64) + 10
    human = np.maximum(calls["at"].to_numpy() - talk, 0)
    return pd.DataFrame(
        {
            "queue": QUEUES.index("hotline"),
            "person": calls["person"].to_numpy(),
            "team": calls["team"].to_numpy(),
            "category": cases["category"].to_numpy()[case],
            "customer": cases["customer"].to_numpy()[case],
            "offered": np.maximum(human - 12, 0),
            "queued": -1,
            "human": human,
            "answered": human,
            "ended": human + talk,
            "talk": talk,
            "hold": 0,
            "wrap": 20,
            "waited": 0,
            "bot": False,
            "handover": -1,
            "concurrency": 1,
            "resolved": True,
            "case": case,
            "outbound": True,
        }
    )
