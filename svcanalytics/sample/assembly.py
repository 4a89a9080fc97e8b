"""The whole organisation, put together."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from svcanalytics.sample.breakage import break_rows
from svcanalytics.sample.business import forecasts_table, outcomes_table, requirements_table
from svcanalytics.sample.cases import make_cases
from svcanalytics.sample.contacts import make_callbacks, make_contacts
from svcanalytics.sample.customers import customers, make_pool
from svcanalytics.sample.feedback import make_surveys
from svcanalytics.sample.governance import actions_table, duties_table, pilots_table, risks_table
from svcanalytics.sample.inspection import audits_table
from svcanalytics.sample.people import make_people
from svcanalytics.sample.staffing import agents_table, roster_table, training_table
from svcanalytics.sample.steps import make_steps
from svcanalytics.sample.structure import teams
from svcanalytics.sample.tables import case_ids, cases_table, contact_ids, contacts_table, events_table, surveys_table
from svcanalytics.sample.talk import messages_table
from svcanalytics.sample.wording import case_texts, comments
from svcanalytics.sample.world import DAY, World, make_world

__all__ = ["END", "organisation"]

END = date(2026, 10, 31)
"""The last day made up unless another is asked for."""


def organisation(
    months: int = 30,
    seed: int = 7,
    end: date | str = END,
    planted: tuple[str, ...] | None = None,
    broken: bool = False,
) -> dict[str, pd.DataFrame]:
    """Make up a bilingual service organisation: every table of the contract.

    Parameters
    ----------
    months : int
        Whole months of data, the last one that in which `end` is the last day, or the one before `end`.
    seed : int
        The same seed gives the same frames.
    end : date or str
        Last day.
    planted : tuple of str, optional
        Causes to plant, by name (see `truth`); default all, ``()`` none.
    broken : bool
        Add some rows that break the contract (see `BROKEN`), as real exports have them.

    Returns
    -------
    dict of table to DataFrame
        Columns of the contract in its order; times aware, in Asia/Shanghai; customers and texts not masked yet.
    """
    world = make_world(months, seed, end, planted)
    people, pool = make_people(world), make_pool(world)
    contacts = make_contacts(world, people, pool)
    cases = make_cases(world, people, pool, contacts)
    _link(world, contacts, cases)
    steps = make_steps(world, cases)
    surveys = make_surveys(world, people, contacts, cases)
    # Behind the inbound contacts, whose places others know by now.
    inbound = len(contacts)
    contacts = pd.concat([contacts, make_callbacks(world, cases, steps)], ignore_index=True)
    of_case, of_contact = case_ids(len(cases)), contact_ids(len(contacts))
    audits = audits_table(world, people, contacts[:inbound], of_case, of_contact)
    frames = {
        "teams": teams(),
        "agents": agents_table(world, people),
        "customers": customers(world, pool),
        "cases": cases_table(world, people, pool, cases, case_texts(world, cases)),
        "contacts": contacts_table(world, people, pool, contacts, of_case),
        "events": events_table(world, people, steps, of_case),
        "surveys": surveys_table(world, surveys, of_case, of_contact, comments(world, surveys)),
        "messages": messages_table(world, people, pool, contacts[:inbound], of_case, of_contact),
        "audits": audits,
        "roster": roster_table(world, people),
        "training": training_table(world, people),
        "outcomes": outcomes_table(world, pool, contacts[:inbound]),
        "actions": actions_table(world, cases, of_case, audits),
        "duties": duties_table(world),
        "risks": risks_table(world),
        "pilots": pilots_table(world),
        "forecasts": forecasts_table(world),
        "requirements": requirements_table(world),
    }
    return break_rows(frames) if broken else frames


def _link(world: World, contacts: pd.DataFrame, cases: pd.DataFrame) -> None:
    # A contact belongs to the case it opened; some of the others ask again about a case of the days before.
    rng = world.rng("links")
    n = len(contacts)
    case = np.full(n, -1)
    opened_by = cases["contact"].to_numpy()
    rows = np.flatnonzero(opened_by >= 0)
    case[opened_by[rows]] = rows
    offered = contacts["offered"].to_numpy()
    earlier = np.searchsorted(cases["opened"].to_numpy(), offered) - rng.integers(2, 320, n)
    asks = (case < 0) & (contacts["human"] >= 0).to_numpy() & (earlier >= 0) & (rng.random(n) < 0.16)
    asks &= ~cases["settled"].to_numpy()[earlier] & (cases["customer"].to_numpy()[earlier] >= 0)
    asks &= offered - cases["opened"].to_numpy()[earlier] < 6 * DAY
    case[asks] = earlier[asks]
    contacts["case"] = case
    # The contact that opened a case was the case's customer's.
    customer = np.where(case >= 0, cases["customer"].to_numpy()[case], contacts["customer"].to_numpy())
    contacts["customer"] = customer
    contacts["category"] = np.where(case >= 0, cases["category"].to_numpy()[case], contacts["category"].to_numpy())
    contacts["outbound"] = False
