"""Made-up cases with one planted cause each: skill, a version, a slow step, or a team for no known reason."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.gathering.material import Material
from svcanalytics.periods import parse_period


@pytest.fixture
def make_cases() -> Callable[..., pd.DataFrame]:
    """Cases of two quarters: low tenure gathers in team B, version 3.2 in team C, team D may wait at a step."""

    def cases(
        seed: int, n: int = 6000, *, people: float = 0.0, data: float = 0.0, process: float = 0.0, team: float = 0.0,
        luck: float = 0.03,
    ) -> pd.DataFrame:  # fmt: skip
        rng = np.random.default_rng(seed)
        of_team = np.repeat(list("ABCDEF"), 10)
        new = rng.random(60) < np.where(of_team == "B", 0.6, 0.15)
        agent = rng.integers(0, 60, n)
        now = rng.random(n) < 0.5
        day = rng.integers(0, 90, n) + np.where(now, 91, 0)
        rows = pd.DataFrame(
            {
                "id": [f"c{i}" for i in range(n)],
                "at": pd.Timestamp("2026-04-01") + pd.to_timedelta(day * 86400 + rng.integers(28800, 72000, n), "s"),
                "period": np.where(now, "now", "before"),
                "agent": [f"a{i}" for i in agent],
                "team": of_team[agent],
                "channel": rng.choice(["app", "web", "phone"], n),
                "version": np.where(rng.random(n) < np.where(of_team[agent] == "C", 0.6, 0.2), "3.2", "3.1"),
                "tenure": np.where(new[agent] & now, "new", "old"),
            }
        )
        rows["wait_check"] = rng.exponential(2, n) + 5 * (process > 0) * ((rows["team"] == "D") & now)
        rate = 0.1 + rng.normal(0, luck, 60)[agent] + people * (rows["tenure"] == "new")
        rate += data * ((rows["version"] == "3.2") & now) + process * (rows["wait_check"] - 2)
        rate += team * ((rows["team"] == "B") & now)
        rows["bad"] = (rng.random(n) < rate.clip(0, 1)).astype(int)
        return rows

    return cases


@pytest.fixture
def make_material() -> Callable[..., Material]:
    """A material of the given metrics, each case that went wrong worth a hundredth of a point."""

    def material(outcomes: dict[str, pd.DataFrame], **frames: pd.DataFrame) -> Material:
        worth = pd.DataFrame({"metric": list(outcomes), "points": 0.01})
        return Material(parse_period("2026Q3"), parse_period("2026Q2"), outcomes, worth, **frames)

    return material
