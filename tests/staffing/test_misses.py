"""Sources of missed days: they add up, and each shows when it is there and is nil when it is not."""

from __future__ import annotations

import pytest

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import requirement, simulate, trace_misses


def test_sources_add_up_to_the_misses_of_the_plan_and_show_where_they_are(made_up):
    forecast = made_up(0.1, queues=("a", "b"))
    needed = requirement(forecast, 240, patience_s=180, fractional=False)
    plan = needed.assign(agents=needed["agents"] - (needed["queue"] == "a"))
    trouble = {"patience_s": 180, "absence": 0.03, "draws": 100}
    found = trace_misses(plan, needed, forecast, 240, **trouble).set_index(["queue", "source"])
    lived = simulate(plan, forecast, 240, **trouble).draws.groupby("queue")["kept"].mean()
    for queue in ("a", "b"):
        own = found.loc[queue]
        assert own["added"].sum() == pytest.approx(own["missed"].iloc[-1]) == 1 - lived[queue]
        assert own.loc["handle time", "added"] == 0 and own.loc["absence", "low"] > 0
    assert found.loc[("a", "shift fit"), "low"] > 0 and found.loc[("b", "shift fit"), "added"] == 0


def test_a_plain_table_has_no_forecast_error(made_up):
    table = made_up().table
    with pytest.raises(StaffingError, match="no error to trace"):
        trace_misses(table.assign(agents=9), table.assign(agents=9), table, 240)
