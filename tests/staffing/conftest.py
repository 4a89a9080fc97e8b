"""A forecast made up: what staffing needs of one, with a spread that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

DAY = np.array([20, 45, 75, 90, 85, 75, 80, 78, 70, 60, 42, 30, 22, 15.0])


@dataclass(frozen=True)
class MadeUp:
    table: pd.DataFrame
    error: float

    def paths(self, n, seed=0):
        rng = np.random.default_rng(seed)
        day = self.table.groupby(["queue", self.table["start"].dt.normalize()], sort=False).ngroup().to_numpy()
        variance = np.log1p(self.error**2)
        busy = np.exp(np.sqrt(variance) * rng.standard_normal((day.max() + 1, n)) - variance / 2)
        rates = self.table["mean"].to_numpy()[:, None] * busy[day]
        return pd.DataFrame(rng.poisson(rates), index=pd.MultiIndex.from_frame(self.table[["queue", "start"]]))


@pytest.fixture(scope="session")
def made_up():
    def make(error=0.1, scale=1.0, queues=("calls",), days=2):
        starts = [
            pd.Timestamp("2026-11-02 08:00", tz="Asia/Shanghai") + pd.Timedelta(days=day, minutes=30 * slot)
            for day in range(days)
            for slot in range(len(DAY))
        ]
        one = pd.DataFrame({"start": starts, "mean": scale * np.tile(DAY, days)})
        table = pd.concat([one.assign(queue=name) for name in queues], ignore_index=True)
        return MadeUp(table[["queue", "start", "mean"]], error)

    return make
