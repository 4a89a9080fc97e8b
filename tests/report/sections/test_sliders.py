from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import staffing
from svcanalytics.report.sections.sliders import what_if_panel


class Flat:
    """Two days of 100 calls an interval, give or take chance."""

    def __init__(self, queues=("a",)):
        starts = pd.date_range("2026-11-02 09:00", periods=16, freq="30min", tz="Asia/Shanghai")
        starts = starts.append(starts + pd.Timedelta(days=1))
        index = pd.MultiIndex.from_product([queues, starts], names=["queue", "start"])
        self.table = index.to_frame(index=False).assign(mean=100.0)
        self.index = index

    def paths(self, n, seed=0):
        values = np.random.default_rng(seed).poisson(100, (len(self.index), n))
        return pd.DataFrame(values, index=self.index)


@pytest.fixture(scope="module")
def lived():
    forecast = Flat()
    plan = forecast.table[["queue", "start"]].assign(agents=16)
    return staffing.simulate(plan, forecast, 240.0, patience_s=120.0, draws=40)


def sliders(panel):
    return {slider.description: slider for slider in panel.children[0].children}


def test_a_slider_that_is_moved_lives_through_the_days_again_and_back_gives_the_plan(lived):
    panel = what_if_panel(lived, language="en")
    answer = panel.children[1]
    planned = answer.value
    assert "Nothing has been changed yet." in planned
    volume = sliders(panel)["Volume (%)"]
    volume.value = 130
    assert "Days that keep the promise" in answer.value
    assert answer.value != planned
    volume.value = 100
    assert answer.value == planned


@pytest.mark.parametrize(("more", "sign"), [(3, 1), (-3, -1)])
def test_agents_more_or_less_change_the_service_that_way(lived, more, sign):
    panel = what_if_panel(lived, language="zh")
    sliders(panel)["坐席增减（人）"].value = more
    row = panel.children[1].value.split("时限内应答率")[1].split("</tr>")[0]
    change = float(row.split("<td")[3].split(">")[1].split("<")[0])
    assert change * sign > 1


def test_the_panel_is_of_one_queue():
    forecast = Flat(("a", "b"))
    plan = forecast.table[["queue", "start"]].assign(agents=16)
    with pytest.raises(ValueError, match="one queue"):
        what_if_panel(staffing.simulate(plan, forecast, 240.0, draws=5))
