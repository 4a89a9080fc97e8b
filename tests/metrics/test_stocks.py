"""The backlog against a plain count of the cases open at each period's end."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import backlog
from svcanalytics.periods import parse_period


def test_the_backlog_equals_a_plain_count_at_every_period_end(lake):
    rng = np.random.default_rng(5)
    n = 300
    opened = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(rng.integers(0, 100 * 86400, n), unit="s")
    closed = (opened + pd.to_timedelta(rng.integers(0, 40 * 86400, n), unit="s")).where(rng.random(n) < 0.8)
    resolved = (opened + pd.to_timedelta(rng.integers(0, 40 * 86400, n), unit="s")).where(rng.random(n) < 0.5)
    frame = pd.DataFrame({"case_id": [f"c{i}" for i in range(n)], "opened_at": opened, "closed_at": closed})
    frame["resolved_at"], frame["team"] = resolved, rng.choice(["A", "B"], n)
    lake = store.write(lake, {"cases": frame})
    newest = max(opened.max(), closed.max(), resolved.max())
    finished = frame["closed_at"].fillna(frame["resolved_at"])
    for every, by in (("month", ["team"]), ("week", [])):
        found = backlog(lake, by=by, every=every)
        for key, rows in found.groupby("period"):
            end = pd.Timestamp(parse_period(key).end, tz=ZoneInfo("Asia/Shanghai"))
            at = min(end, newest)
            is_open = (frame["opened_at"] < end) & ~(finished < end) & ~(finished <= at)
            assert rows["open"].sum() == is_open.sum(), key
            ages = (at - frame.loc[is_open, "opened_at"]).dt.total_seconds()
            assert rows["oldest_s"].max() == int(ages.max())
            assert rows.loc[rows["to_d"] == 1, "open"].sum() == (ages < 86400).sum()
    assert set(backlog(lake, where={"team": "A"}, start="2026-03", end="2026-03")["period"]) == {"2026-03"}


def test_without_cases_there_is_no_backlog_and_an_unknown_column_is_refused(lake):
    assert backlog(lake).empty
    frame = pd.DataFrame({"case_id": ["a"], "opened_at": pd.to_datetime(["2026-03-01T00:00Z"])})
    lake = store.write(lake, {"cases": frame})
    assert backlog(lake)["open"].tolist() == [1]
    with pytest.raises(CatalogueError, match="colour"):
        backlog(lake, by="colour")
