"""Customers' requests: where they come from, who answers for them, and how long they take."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.arrivals import draw_arrivals
from svcanalytics.sample.customers import Pool
from svcanalytics.sample.people import People
from svcanalytics.sample.planted import CAUSES
from svcanalytics.sample.structure import CATEGORIES, TEAMS, category_shares, expert_team, team_codes
from svcanalytics.sample.world import DAY, World

__all__ = ["BUSINESS_TYPES", "CHANNEL_NAMES", "VERSIONS", "make_cases"]

BUSINESS_TYPES = (
    "consultation", "complaint", "help", "report", "praise",
    "suggestion", "after_sales", "booking", "repair", "incident",
)  # fmt: skip
"""In the order of their codes."""

CHANNEL_NAMES = ("phone", "chat", "counter", "app", "web", "mail", "monitoring")
"""In the order of their codes."""

VERSIONS = ("5.0", "5.1", "5.2")
"""Versions of the app, each taking over from the one before."""

_CHANNEL_OF_QUEUE = np.array([0, 0, 0, 1, 2, 2, 2])
_OPENS_A_CASE = 0.43

# What customers of each category ask for: shares over the first nine business types.
_MIX = np.array(
    [
        [0.42, 0.05, 0.16, 0.03, 0.03, 0.03, 0.18, 0.10, 0.00],  # delivery
        [0.30, 0.06, 0.14, 0.02, 0.01, 0.02, 0.43, 0.02, 0.00],  # refund
        [0.16, 0.09, 0.06, 0.06, 0.03, 0.05, 0.33, 0.05, 0.17],  # quality
        [0.56, 0.05, 0.20, 0.05, 0.02, 0.04, 0.08, 0.00, 0.00],  # billing
        [0.52, 0.03, 0.30, 0.03, 0.02, 0.05, 0.00, 0.05, 0.00],  # account
        [0.22, 0.06, 0.26, 0.04, 0.01, 0.05, 0.02, 0.06, 0.28],  # technical
        [0.66, 0.02, 0.08, 0.01, 0.05, 0.09, 0.03, 0.06, 0.00],  # product
        [0.10, 0.38, 0.05, 0.10, 0.30, 0.07, 0.00, 0.00, 0.00],  # attitude
        [0.20, 0.14, 0.10, 0.12, 0.12, 0.22, 0.00, 0.00, 0.10],  # environment
    ]
)
# Median working hours of a case that is not settled at once, by business type.
_WORK_H = np.array([1.2, 5.0, 2.2, 7.0, 0.6, 8.0, 4.5, 0.6, 1.0, 1.6])
# The source's own targets in hours; 0: none.
_TARGET_H = np.array([48, 120, 72, 168, 0, 168, 120, 24, 48, 12])
_SUPPLIER = np.array([0.30, 0.75, 0.35, 0.02, 0.0, 0.03, 0.05, 0.0, 0.05])


def make_cases(world: World, people: People, pool: Pool, contacts: pd.DataFrame) -> pd.DataFrame:
    """Make up every case, in order of opening.

    Returns
    -------
    DataFrame
        Codes and seconds (-1: never): opened, contact, channel, category, customer, kind, level, grade, urgent,
        complex, english, enterprise, first_team, owner_team, first_person, owner_person, answered, settled (at the
        first contact), picked, checked, customer_back, supplier_back, done (the first time), reopened, resolved,
        closed, due, outcome, fits, related, version, booked, ago, office (worked by experts).
    """
    cases = _origins(world, pool, contacts)
    _describe(world, pool, cases)
    _assign(world, people, contacts, cases)
    _work(world, contacts, cases)
    return cases


def _origins(world: World, pool: Pool, contacts: pd.DataFrame) -> pd.DataFrame:
    rng = world.rng("cases")
    opens = (contacts["human"] >= 0) & (rng.random(len(contacts)) < _OPENS_A_CASE)
    from_contacts = contacts.loc[opens, ["offered", "category", "customer", "queue"]]
    parts = [
        pd.DataFrame(
            {
                "opened": from_contacts["offered"],
                "contact": from_contacts.index,
                "channel": _CHANNEL_OF_QUEUE[from_contacts["queue"]],
                "category": from_contacts["category"],
                "customer": from_contacts["customer"],
                "version": -1,
            }
        )
    ]
    for channel in ("app", "web", "mail", "monitoring"):
        opened = draw_arrivals(world, channel)
        n = len(opened)
        category = rng.choice(len(CATEGORIES), n, p=category_shares())
        customer = pool.draw(rng, n)
        if channel == "monitoring":
            category, customer = np.where(rng.random(n) < 0.6, 5, 3), np.full(n, -1)
        code = CHANNEL_NAMES.index(channel)
        version = np.full(n, -1)
        if channel == "app":
            version = np.digitize(opened + rng.integers(-40, 40, n) * DAY, _released(world)) - 1
            opened, category, customer, version = _login_faults(world, rng, opened, category, customer, version)
        parts.append(
            pd.DataFrame(
                {
                    "opened": opened,
                    "contact": -1,
                    "channel": code,
                    "category": category,
                    "customer": customer,
                    "version": version,
                }
            )
        )
    return pd.concat(parts).sort_values(["opened", "channel"], kind="stable", ignore_index=True)


def _released(world: World) -> np.ndarray:
    return np.array([-(10**9), world.second("2025-05-20"), world.second("2026-07-25")])


def _login_faults(world: World, rng: np.random.Generator, *columns: np.ndarray) -> list[np.ndarray]:
    # A faulty version brings more technical requests of the same kind: existing ones are doubled, a little later.
    opened, category, _, version = columns
    hit = (category == 5) & (version == 2) & world.since("faulty_version", opened)
    rows = np.flatnonzero(hit)
    more = np.repeat(rows, rng.poisson(CAUSES["faulty_version"].effect - 1, len(rows)))
    out = [np.concatenate([column, column[more]]) for column in columns]
    out[0][len(opened) :] += rng.integers(0, 5 * DAY, len(more))
    out[0][len(opened) :] = np.minimum(out[0][len(opened) :], world.cutoff - 1)
    return out


def _describe(world: World, pool: Pool, cases: pd.DataFrame) -> None:
    rng = world.rng("case kinds")
    n = len(cases)
    category = cases["category"].to_numpy()
    steps = np.cumsum(_MIX / _MIX.sum(axis=1, keepdims=True), axis=1)
    kind = (rng.random(n)[:, None] > steps[category]).sum(axis=1).clip(0, 8)
    monitoring = cases["channel"].to_numpy() == 6
    kind = np.where(monitoring, 9, kind)
    cases["kind"] = kind
    cases["level"] = np.where(kind == 1, rng.choice([1, 2, 3], n, p=[0.10, 0.62, 0.28]), 0)
    cases["grade"] = np.where(kind == 9, rng.choice([1, 2, 3, 4], n, p=[0.03, 0.10, 0.27, 0.60]), 0)
    cases["urgent"] = np.where(
        monitoring | (cases["level"] == 1),
        rng.choice(4, n, p=[0, 0.1, 0.5, 0.4]),
        rng.choice(4, n, p=[0.2, 0.66, 0.12, 0.02]),
    )
    cases["complex"] = rng.random(n) < np.array([0.06, 0.50, 0.18, 0.5, 0.02, 0.3, 0.25, 0.04, 0.30, 0.8])[kind]
    cases["related"] = _related(rng, cases)
    chained = cases["related"].to_numpy() >= 0
    customer = cases["customer"].to_numpy().copy()
    customer[chained] = customer[cases["related"].to_numpy()[chained]]
    cases["customer"] = customer
    cases["enterprise"] = np.where(customer >= 0, pool.type[customer] == 1, False)
    cases["english"] = np.where(customer >= 0, pool.english[customer], False) & (rng.random(n) < 0.9)


def _related(rng: np.random.Generator, cases: pd.DataFrame) -> np.ndarray:
    # Some requests repeat one of the weeks before: same subject, and from then on the same customer.
    n = len(cases)
    earlier = np.arange(n) - rng.integers(20, 900, n)
    category, customer = cases["category"].to_numpy(), cases["customer"].to_numpy()
    repeats = (
        (earlier >= 0)
        & (rng.random(n) < 0.30)
        & (category == category[earlier])
        & (customer >= 0)
        & (customer[earlier] >= 0)
    )
    return np.where(repeats & ~repeats[earlier], earlier, -1)


def _assign(world: World, people: People, contacts: pd.DataFrame, cases: pd.DataFrame) -> None:
    rng = world.rng("case owners")
    codes = team_codes()
    contact = cases["contact"].to_numpy()
    day = cases["opened"].to_numpy() // DAY
    by_contact = contact >= 0
    person_of_contact = contacts["person"].to_numpy()[contact]
    team_of_contact = np.where(by_contact, people.staff["team"].to_numpy()[person_of_contact], 0)
    written = np.where(cases["channel"] == 5, codes["热线A组 Hotline A"], codes["在线组 Online"])
    night = (cases["opened"] % DAY < 8 * 3600) | (cases["opened"] % DAY >= 21 * 3600)
    written = np.where(night, codes["夜班组 Night desk"], written)
    written = np.where(cases["channel"] == 6, codes["技术组 Technical"], written)
    cases["first_team"] = np.where(by_contact, team_of_contact, written)
    picked = people.pick(rng, cases["first_team"].to_numpy(), day)
    cases["first_person"] = np.where(by_contact, person_of_contact, picked)
    kind = cases["kind"].to_numpy()
    settles = contacts["resolved"].to_numpy()[contact] & by_contact
    cases["settled"] = (
        settles
        & ~np.isin(kind, [3, 5, 8, 9])
        & ((kind != 1) | (cases["level"] == 3).to_numpy())
        & ~cases["complex"].to_numpy()
    )
    owner = np.where(
        kind == 1,
        np.where(rng.random(len(cases)) < 0.45, codes["投诉组 Complaints"], expert_team(cases["category"])),
        expert_team(cases["category"]),
    )
    stays = cases["settled"].to_numpy() | (
        rng.random(len(cases)) < np.array([0.8, 0.1, 0.5, 0.1, 0.95, 0.3, 0.35, 0.9, 0.3, 0.0])[kind]
    )
    cases["owner_team"] = np.where(kind == 9, codes["技术组 Technical"], np.where(stays, cases["first_team"], owner))
    own = people.pick(rng, cases["owner_team"].to_numpy(), day)
    cases["owner_person"] = np.where(stays, cases["first_person"], own)


def _work(world: World, contacts: pd.DataFrame, cases: pd.DataFrame) -> None:
    rng = world.rng("case work")
    n = len(cases)
    opened, contact = cases["opened"].to_numpy(), cases["contact"].to_numpy()
    kind, settled = cases["kind"].to_numpy(), cases["settled"].to_numpy()
    incident = kind == 9
    office = np.array([t.kind == "expert" for t in TEAMS])[cases["owner_team"]] & ~incident

    def after(t: np.ndarray, work_s: np.ndarray) -> np.ndarray:
        desk = np.where(incident | (kind == 8), t + work_s.astype(np.int64), world.desk.after(t, work_s))
        return np.where(office & (kind != 8), world.office.after(t, work_s), desk)

    answered = _first_response(world, rng, contacts, cases)
    picked = after(answered, rng.lognormal(np.log(1500), 0.8, n))
    work = _WORK_H[kind] * 3600 * np.where(cases["complex"], 1.5, 0.9) * rng.lognormal(0, 0.65, n)
    # A team with many cases at hand takes longer over each.
    per_day = np.bincount(opened // DAY, minlength=world.n_days)
    recent = np.convolve(per_day, np.ones(7) / 7)[: world.n_days]
    work = work * (recent / np.median(recent))[opened // DAY] ** 0.6
    share = rng.uniform(0.3, 0.6, n)
    checked = after(picked, work * share)
    asks = office & (rng.random(n) < 0.16)
    customer_back = checked + np.where(asks, rng.lognormal(np.log(6 * 3600), 0.9, n), 0).astype(np.int64)
    supplier = office & ~asks & (rng.random(n) < _SUPPLIER[cases["category"]])
    wait = rng.lognormal(np.log(3.5 * 3600), 0.6, n)
    stuck = (
        (cases["category"] == 1) & (cases["channel"] == 3) & (cases["owner_team"] == team_codes()["售后组 After-sales"])
        & world.since("supplier_check", opened)
    )  # fmt: skip
    wait = wait * np.where(stuck, CAUSES["supplier_check"].effect, 1.0)
    supplier_back = np.where(supplier, world.office.after(checked, wait), customer_back)
    fixed = after(supplier_back, work * (1 - share))
    done = np.where(settled, contacts["ended"].to_numpy()[contact], fixed)

    again = np.where(settled, 0.012, 0.045)
    again = again + np.where(
        (cases["owner_team"] == team_codes()["技术组 Technical"]) & world.since("reorganised_team", opened),
        CAUSES["reorganised_team"].effect,
        0,
    )
    reopens = (rng.random(n) < again) & ~incident & (kind != 4)
    reopened = done + rng.lognormal(np.log(20 * 3600), 0.7, n).astype(np.int64)
    resolved = np.where(reopens, after(reopened, work * 0.6 + 1800), done)
    outcome = np.where(settled, 0, rng.choice(3, n, p=[0.93, 0.045, 0.025]))
    lag = np.where(settled, rng.integers(10, 240, n), rng.lognormal(np.log(5 * 3600), 0.8, n)).astype(np.int64)
    cases["answered"], cases["picked"], cases["checked"] = answered, picked, checked
    cases["customer_back"] = np.where(asks & ~settled, customer_back, -1)
    cases["supplier_back"] = np.where(supplier & ~settled, supplier_back, -1)
    cases["done"], cases["reopened"] = done, np.where(reopens, reopened, -1)
    # What can't be solved is closed without being resolved.
    cases["resolved"] = np.where(outcome == 2, -1, resolved)
    cases["closed"] = resolved + lag
    cases["outcome"] = outcome
    cases["due"] = np.where(_TARGET_H[kind] > 0, opened + _TARGET_H[kind] * 3600, -1)
    cases["booked"] = np.where(
        kind == 7, opened // DAY * DAY + rng.integers(1, 8, n) * DAY + rng.integers(18, 34, n) * 1800, -1
    )
    cases["office"] = office & ~settled
    cases["ago"] = rng.lognormal(np.log(9 * 3600), 1.2, n).astype(np.int64)
    cases["fits"] = rng.random(n) < 0.96


def _first_response(world: World, rng: np.random.Generator, contacts: pd.DataFrame, cases: pd.DataFrame) -> np.ndarray:
    n = len(cases)
    opened, contact = cases["opened"].to_numpy(), cases["contact"].to_numpy()
    at_night = (opened % DAY < 8 * 3600) | (opened % DAY >= 21 * 3600)
    median = np.where(cases["channel"] == 6, 150, np.where(at_night, 540, 400))
    delay = rng.lognormal(np.log(median), 0.75, n)
    written = np.isin(cases["channel"], [3, 4, 5])
    delay = delay * np.where(written & world.since("response_fix", opened), CAUSES["response_fix"].effect, 1.0)
    return np.where(contact >= 0, contacts["human"].to_numpy()[contact], opened + delay.astype(np.int64) + 10)
