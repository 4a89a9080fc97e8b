"""From codes and seconds to the contract's columns."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd

from svcanalytics.sample.cases import BUSINESS_TYPES, CHANNEL_NAMES, VERSIONS
from svcanalytics.sample.contacts import HANDOVER, QUEUES
from svcanalytics.sample.customers import TIERS, TYPES, Pool, customer_ids
from svcanalytics.sample.feedback import ROUTES
from svcanalytics.sample.people import People
from svcanalytics.sample.planted import CAUSES
from svcanalytics.sample.structure import CATEGORIES, COUNTERS, TEAMS
from svcanalytics.sample.vocabulary import MILESTONES, REASONS
from svcanalytics.sample.world import World

__all__ = [
    "case_ids",
    "cases_table",
    "contact_ids",
    "contacts_table",
    "events_table",
    "named",
    "surveys_table",
    "whole",
]

_TEAM_NAMES = np.array([team.name for team in TEAMS] + [None], dtype=object)
_CATEGORY_NAMES = np.array(list(CATEGORIES) + [None], dtype=object)
_HEAD_OFFICE = TEAMS[0].site


def named(names: tuple[str, ...] | np.ndarray, codes: np.ndarray, known: np.ndarray | None = None) -> np.ndarray:
    """Return names for codes as objects; None for a negative code or where not known."""
    codes = np.asarray(codes)
    codes = codes if known is None else np.where(known, codes, -1)
    return np.append(np.asarray(names, dtype=object), None)[codes]


def whole(values: np.ndarray, known: np.ndarray | None = None) -> pd.Series:
    """Return integers that may be missing: negative, or not known."""
    values = np.asarray(values).astype(np.int64)
    missing = values < 0 if known is None else ~np.asarray(known)
    return pd.Series(pd.arrays.IntegerArray(values, missing))


def truth_values(values: np.ndarray, known: np.ndarray) -> pd.Series:
    """Return booleans that may be missing."""
    return pd.Series(pd.arrays.BooleanArray(np.asarray(values, bool), ~np.asarray(known)))


def case_ids(n: int) -> np.ndarray:
    """Return the numbers of `n` cases as objects, None last (for -1)."""
    return np.array([f"S{i:07d}" for i in range(1, n + 1)] + [None], dtype=object)


def contact_ids(n: int) -> np.ndarray:
    """Return the numbers of `n` contacts as objects, None last (for -1)."""
    return np.array([f"T{i:07d}" for i in range(1, n + 1)] + [None], dtype=object)


def agents_named(people: People, person: np.ndarray) -> np.ndarray:
    """Return agent numbers as objects; None for -1."""
    return np.append(people.codes, None)[person]


def _objects(columns: dict[str, np.ndarray]) -> np.ndarray:
    # Few combinations of few values: write each JSON text once.
    names = list(columns)
    keys = pd.MultiIndex.from_arrays([pd.Series(column, dtype=object).fillna("") for column in columns.values()])
    codes, unique = pd.factorize(keys)
    texts = [json.dumps({k: v for k, v in zip(names, row, strict=True) if v}, ensure_ascii=False) for row in unique]
    return np.array([None if text == "{}" else text for text in texts], dtype=object)[codes]


def cases_table(world: World, people: People, pool: Pool, cases: pd.DataFrame, texts: pd.DataFrame) -> pd.DataFrame:
    """Return the cases; what lies after the data stop is not known yet."""
    ids = case_ids(len(cases))
    col = {name: cases[name].to_numpy() for name in cases.columns}
    now = world.cutoff
    solved = (col["resolved"] >= 0) & (col["resolved"] < now)
    ended = col["closed"] < now
    back = (col["reopened"] >= 0) & (col["reopened"] < now)
    # The first solution counts until the case was reopened.
    unsettled = (col["reopened"] >= 0) & ~back & (col["done"] < now) & (col["outcome"] != 2)
    resolved = np.where(unsettled, col["done"], np.where(solved, col["resolved"], now))
    known = solved | unsettled
    answered = col["answered"].copy()
    web = (col["channel"] == CHANNEL_NAMES.index("web")) & world.since("shifted_clock", col["opened"])
    answered = answered + np.where(web, int(CAUSES["shifted_clock"].effect), 0)
    transferred = (cases["office"] & (cases["owner_team"] != cases["first_team"])).to_numpy() & (col["picked"] < now)
    queue_site = np.array([COUNTERS.get(team.queue, team.site) for team in TEAMS], dtype=object)
    systems = np.array([system for _, _, system in CATEGORIES.values()], dtype=object)
    customer = col["customer"]
    has = customer >= 0
    late_rating = ended | known
    kind = col["kind"]
    frame = {
        "case_id": ids[:-1],
        "opened_at": world.stamps(col["opened"]),
        "occurred_at": world.later(np.maximum(col["opened"] - col["ago"], 0)),
        "first_response_at": world.stamps(answered),
        "resolved_at": world.stamps(resolved, known),
        "closed_at": world.stamps(col["closed"], ended),
        "due_at": world.later(col["due"]),
        "sla_met": truth_values(resolved <= col["due"], (col["due"] >= 0) & (known | (col["due"] < now))),
        "channel": named(CHANNEL_NAMES, col["channel"]),
        "site": queue_site[col["first_team"]],
        "business_type": named(BUSINESS_TYPES, kind),
        "complaint_level": whole(col["level"], col["level"] > 0),
        "urgency": named(("low", "normal", "urgent", "critical"), col["urgent"]),
        "complexity": named(("simple", "complex"), col["complex"].astype(np.int64)),
        "grade": whole(col["grade"], col["grade"] > 0),
        "category": _CATEGORY_NAMES[col["category"]],
        "system": systems[col["category"]],
        "customer_id": customer_ids(customer),
        "customer_type": np.where(has, TYPES[pool.type[customer]], "internal"),
        "first_team": _TEAM_NAMES[col["first_team"]],
        "owner_team": _TEAM_NAMES[col["owner_team"]],
        "team": _TEAM_NAMES[np.where(col["picked"] < now, col["owner_team"], col["first_team"])],
        "agent": agents_named(people, np.where(col["picked"] < now, col["owner_person"], col["first_person"])),
        "reopened_n": whole(back.astype(np.int64)),
        "transferred_n": whole(transferred.astype(np.int64)),
        "resolution": named(("yes", "partly", "no"), col["outcome"], late_rating),
        "cause": texts["cause"].where(late_rating, None),
        "need_met": truth_values((col["outcome"] == 0) & col["fits"], late_rating),
        "related_case_id": ids[col["related"]],
        "booked_for": world.later(col["booked"]),
        "text": texts["text"],
        "reply_text": texts["reply"].where(answered < now, None),
        "language": np.where(col["english"], "en", "zh").astype(object),
        "attributes": _objects(
            {
                "product_version": named(VERSIONS, col["version"]),
                "tier": np.where(has, TIERS[pool.tier[customer]], None),
                "product": texts["product"].to_numpy(dtype=object),
            }
        ),
    }
    return pd.DataFrame(frame)


def contacts_table(
    world: World, people: People, pool: Pool, contacts: pd.DataFrame, ids_of_cases: np.ndarray
) -> pd.DataFrame:
    """Return the contacts."""
    ids = contact_ids(len(contacts))
    col = {name: contacts[name].to_numpy() for name in contacts.columns}
    sites = np.array([COUNTERS.get(q, _HEAD_OFFICE) for q in QUEUES], dtype=object)
    channels = np.array(
        ["counter" if q in COUNTERS else "chat" if q == "chat" else "phone" for q in QUEUES], dtype=object
    )
    counter = channels[col["queue"]] == "counter"
    served = col["person"] >= 0
    team = col["team"]
    seat = people.staff["seat"].to_numpy()[col["person"]] + 1
    frame = {
        "contact_id": ids[:-1],
        "case_id": ids_of_cases[col["case"]],
        "channel": channels[col["queue"]],
        "direction": np.where(col["outbound"], "outbound", "inbound").astype(object),
        "site": sites[col["queue"]],
        "window": np.where(counter & served, seat.astype(str), None),
        "queue": np.where(col["outbound"], None, np.asarray(QUEUES, dtype=object)[col["queue"]]),
        "team": _TEAM_NAMES[np.where(served, team, -1)],
        "agent": agents_named(people, col["person"]),
        "category": _CATEGORY_NAMES[col["category"]],
        "customer_id": customer_ids(col["customer"]),
        "customer_type": TYPES[pool.type[col["customer"]]],
        "priority": np.where(pool.tier[col["customer"]] == 2, "high", "normal").astype(object),
        "offered_at": world.stamps(col["offered"]),
        "queued_at": world.stamps(col["queued"], col["queued"] >= 0),
        "answered_at": world.stamps(col["answered"], col["answered"] >= 0),
        "human_at": world.stamps(col["human"], col["human"] >= 0),
        "ended_at": world.stamps(col["ended"]),
        "abandoned": (col["answered"] < 0),
        "talk_s": whole(col["talk"], col["answered"] >= 0),
        "hold_s": whole(col["hold"], served),
        "wrap_s": whole(col["wrap"], served),
        "resolved": truth_values(col["resolved"], col["answered"] >= 0),
        "handled_by": np.where(col["bot"], "bot", np.where(served, "human", None)),
        "handover_reason": named(HANDOVER, col["handover"]),
        "concurrency": whole(col["concurrency"], served),
        "attributes": _objects({"tier": TIERS[pool.tier[col["customer"]]]}),
    }
    return pd.DataFrame(frame)


def events_table(world: World, people: People, steps: pd.DataFrame, ids_of_cases: np.ndarray) -> pd.DataFrame:
    """Return the events."""
    col = {name: steps[name].to_numpy() for name in steps.columns}
    known = col["person"] >= 0
    return pd.DataFrame(
        {
            "case_id": ids_of_cases[col["case"]],
            "seq": col["seq"],
            "milestone": named(MILESTONES, col["milestone"]),
            "activity": col["activity"],
            "started_at": world.stamps(np.minimum(col["started"], col["at"])),
            "at": world.stamps(col["at"]),
            "team": _TEAM_NAMES[np.where(known, col["team"], -1)],
            "agent": agents_named(people, col["person"]),
            "by": named(("human", "bot", "automatic"), col["by"]),
            "medium": named(("written", "phone", "message", "meeting"), col["medium"]),
            "reason": REASONS[col["reason"]],
            "waits_for": named(("us", "customer", "supplier"), col["waits"]),
            "attributes": None,
        }
    )


def surveys_table(
    world: World, surveys: pd.DataFrame, ids_of_cases: np.ndarray, ids_of_contacts: np.ndarray, comments: np.ndarray
) -> pd.DataFrame:
    """Return the surveys."""
    col = {name: surveys[name].to_numpy() for name in surveys.columns}
    return pd.DataFrame(
        {
            "survey_id": [f"R{i:07d}" for i in range(1, len(surveys) + 1)],
            "case_id": ids_of_cases[col["case"]],
            "contact_id": ids_of_contacts[col["contact"]],
            "invited_at": world.stamps(col["invited"]),
            "at": world.stamps(col["at"]),
            "route": ROUTES[col["route"]],
            "csat": whole(col["csat"]),
            "scale": whole(np.full(len(surveys), 5)),
            "nps": whole(col["nps"]),
            "attitude": whole(col["attitude"]),
            "skill": whole(col["skill"]),
            "environment": whole(col["environment"]),
            "default_rating": col["default"],
            "comment": comments,
        }
    )
