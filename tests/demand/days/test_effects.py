"""Calendar effects: what weekdays, kinds of days and parts of the month do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import demand


def test_planted_effects_are_found():
    rng = np.random.default_rng(5)
    days = pd.date_range("2024-01-01", "2025-12-31")
    described = demand.describe_days(days, "CN")
    rate = np.full(len(days), 1000.0)
    rate[days.day_of_week == 0] *= 1.2
    rate[days.day <= 3] *= 1.15
    rate[described["day_class"].isin(["holiday", "substituted"])] = 500
    frame = pd.DataFrame({"queue": "q", "start": days, "arrivals": rng.poisson(rate)})
    found = demand.calendar_effects(demand.Arrivals(frame, "day")).set_index(["kind", "value"])
    assert found.loc[("weekday", 0), "effect"] / found.loc[("weekday", 3), "effect"] == pytest.approx(1.2, abs=0.02)
    assert found.loc[("month", "1-3"), "effect"] == pytest.approx(1.15, abs=0.02)
    assert found.loc[("month", "11-20"), "effect"] == pytest.approx(1, abs=0.02)
    assert found.loc[("day_class", "holiday"), "high"] < 0.6
    assert (found["low"] <= found["effect"]).all() and (found["effect"] <= found["high"]).all()
