"""The customers: who they are, how often they turn up, and what they do afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from svcanalytics.sample.world import World

__all__ = ["TIERS", "TYPES", "Pool", "customer_ids", "customers", "make_pool"]

TYPES = np.array(["individual", "enterprise", "internal", "other"], dtype=object)
TIERS = np.array(["standard", "gold", "vip"], dtype=object)
_SIZE = 12_000


@dataclass(frozen=True)
class Pool:
    """The customers by number: codes into `TYPES` and `TIERS`, the day they joined, and how often they turn up."""

    type: np.ndarray
    tier: np.ndarray
    since: np.ndarray
    english: np.ndarray
    weight: np.ndarray

    def draw(self, rng: np.random.Generator, n: int, among: np.ndarray | None = None) -> np.ndarray:
        """Draw `n` customers by how often they turn up, among those marked."""
        weight = self.weight if among is None else self.weight * among
        steps = np.cumsum(weight)
        return np.searchsorted(steps, rng.random(n) * steps[-1], side="right").clip(0, len(steps) - 1)


def make_pool(world: World) -> Pool:
    """Make up the customers."""
    rng = world.rng("customers")
    kind = rng.choice(4, _SIZE, p=[0.82, 0.15, 0.02, 0.01])
    return Pool(
        type=kind,
        tier=rng.choice(3, _SIZE, p=[0.80, 0.14, 0.06]),
        since=-rng.integers(30, 2500, _SIZE),
        english=rng.random(_SIZE) < 0.10,
        # A few turn up often, enterprises more than others.
        weight=rng.lognormal(0, 0.8, _SIZE) * np.where(kind == 1, 2.0, 1.0),
    )


def customer_ids(number: np.ndarray) -> np.ndarray:
    """Return customers' ids as objects; None for -1."""
    ids = np.array([f"C{200_000 + i}" for i in range(_SIZE)] + [None], dtype=object)
    return ids[number]


def customers(world: World, pool: Pool) -> pd.DataFrame:
    """Return the customers in the contract's form."""
    number = np.arange(_SIZE)
    return pd.DataFrame(
        {
            "customer_id": customer_ids(number),
            "type": TYPES[pool.type],
            "tier": TIERS[pool.tier],
            "since": world.dates(pool.since),
        }
    )
