"""Sources of missed days: they add up, and each shows when it is there and is nil when it is not."""

from __future__ import annotations

import pytest

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import requirement, simulate, trace_misses


def test_sources_add_up_to_the_misses_of_the_plan_and_show_where_they_are(made_up):
    forecast = made_up(0.1, queues=("a", "b"))
    needed = requirement(forecast, 240, patience_s=180, fractional=False)
    plan = needed.assign(agents=needed["agents"] - (needed["queue"] == "a"))
    trouble = {"patience_s": 180, "absence": 0.03, "draws": 60}
    found = trace_misses(simulate(plan, forecast, 240, **trouble), needed).set_index(["queue", "source"])
    lived = simulate(plan, forecast, 240, **trouble).draws.groupby("queue")["kept"].mean()
    for queue in ("a", "b"):
        own = found.loc[queue]
        assert own["added"].sum() == pytest.approx(own["missed"].iloc[-1]) == 1 - lived[queue]
        assert own.loc["handle time", "added"] == 0 and own.loc["shrinkage", "low"] > 0
    # One agent fewer in every interval is fewer people, not people at the wrong time.
    assert found.loc[("a", "staffing"), "low"] > 0
    assert (found.loc["b"].loc[["staffing", "shift fit"], "added"] == 0).all()


def test_people_at_the_wrong_time_are_a_bad_fit_and_not_too_few(made_up):
    forecast = made_up(0.05)
    needed = requirement(forecast, 240, patience_s=180, fractional=False)
    turned = needed.assign(agents=needed["agents"].to_numpy()[::-1])
    found = trace_misses(simulate(turned, forecast, 240, patience_s=180, draws=40), needed).set_index("source")
    assert found.loc["staffing", "added"] == 0 and found.loc["shift fit", "low"] > 0.2


def test_a_plain_table_has_no_forecast_error(made_up):
    table = made_up().table
    with pytest.raises(StaffingError, match="no error to trace"):
        trace_misses(simulate(table.assign(agents=9), table, 240, draws=2), table.assign(agents=9))
