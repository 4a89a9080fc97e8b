"""Agents, their roster and their training, in the contract's form."""

from __future__ import annotations

import numpy as np
import pandas as pd

from svcanalytics.sample.people import People
from svcanalytics.sample.structure import TEAMS
from svcanalytics.sample.tables import whole
from svcanalytics.sample.world import World

__all__ = ["agents_table"]


def agents_table(world: World, people: People) -> pd.DataFrame:
    """Return the agents."""
    rng = world.rng("agents")
    staff = people.staff
    n = len(staff)
    hired, left = staff["hired"].to_numpy(), staff["left"].to_numpy()
    competent = hired + rng.integers(50, 120, n)
    passed = rng.random(n) < 0.97
    days_in_post = np.minimum(left, world.n_days) - hired
    return pd.DataFrame(
        {
            "agent": people.codes,
            "team": np.array([t.name for t in TEAMS], dtype=object)[staff["team"]],
            "role": staff["role"].to_numpy(dtype=object),
            "hired_on": world.dates(hired),
            "left_on": world.dates(left, left < world.n_days),
            "tools": whole(1 + (days_in_post > 60) + (days_in_post > 300) + rng.integers(0, 2, n)),
            "certificates": whole(rng.integers(0, 2, n) + (days_in_post > 200) + (staff["role"] == "manager")),
            "exam_passed": passed,
            "competent_on": world.dates(
                competent, (competent < world.n_days) & (competent < left) & (rng.random(n) < 0.93)
            ),
            "satisfaction": whole(rng.normal(78, 9, n).clip(35, 100)),
        }
    )
