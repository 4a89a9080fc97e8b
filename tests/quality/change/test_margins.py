import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality.change.margins import add_up


def rates(x, n, **by):
    x, n = np.array(x), np.array(n)
    low, high = wilson_interval(x, n)
    found = {"value": x / n, "low": low, "high": high, "n": n, "numerator": x, "denominator": n, "flag": ""}
    return pd.DataFrame({"metric": "rate", "period": "2026-10", **by, **found})


def test_groups_add_up_to_the_whole_and_to_each_margin():
    frame = rates([30, 20, 5, 40], [40, 50, 10, 100], team=["A", "A", "B", "B"], channel=["x", "y", "x", "y"])
    whole = add_up(frame).iloc[0]
    assert (whole["numerator"], whole["denominator"], whole["value"]) == (95, 200, 95 / 200)
    teams = add_up(frame, ["team"]).set_index("team")["value"]
    assert teams.to_dict() == {"A": 50 / 90, "B": 45 / 110}


def test_the_interval_of_a_sum_is_close_to_that_of_the_whole_measured_at_once():
    frame = rates([300, 200, 50, 400], [400, 500, 100, 1000], team=list("ABCD"))
    whole, direct = add_up(frame).iloc[0], wilson_interval([950], [2000])
    assert (whole["low"], whole["high"]) == pytest.approx([side[0] for side in direct], abs=5e-4)


def test_a_mean_in_a_unit_of_its_own_and_a_count_keep_their_scale():
    mean = rates([3, 4], [2, 2], team=["A", "B"]).assign(value=[0.15, 0.2], low=[0.1, 0.1], high=[0.2, 0.3])
    assert add_up(mean)["value"].item() == pytest.approx(0.175)
    count = mean.assign(value=[3.0, 4.0], low=[1.0, 2.0], high=[5.0, 6.0], denominator=np.nan)
    found = add_up(count).iloc[0]
    assert (found["value"], found["low"], found["high"]) == pytest.approx((7, 7 - 8**0.5, 7 + 8**0.5))
    assert np.isnan(found["denominator"])


def test_a_sum_without_its_suppressed_groups_says_that_it_is_incomplete():
    frame = rates([3, 4], [5, 5], team=["A", "B"])
    frame.loc[1, "flag"] = "suppressed"
    found = add_up(frame).iloc[0]
    assert (found["value"], found["flag"]) == (0.6, "incomplete")


def test_measures_without_their_sums_are_refused():
    with pytest.raises(CatalogueError, match="no column 'numerator'"):
        add_up(rates([1], [2]).drop(columns="numerator"))
