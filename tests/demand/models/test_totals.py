"""The grid of day totals that series models stand on, and the new queue's borrowed past beneath it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.demand import Arrivals
from svcanalytics.demand.models.boosting import Boosting
from svcanalytics.demand.models.decomposition import SeasonalTrend
from svcanalytics.demand.models.shapes import fit_shapes
from svcanalytics.demand.models.totals import lay_grid, recorded_rows


@pytest.fixture(scope="module")
def history():
    days = pd.bdate_range("2026-01-05", "2026-05-29")
    days = days[days != "2026-03-18"]  # a Wednesday without a record
    level = np.array([1300, 1100, 1000, 900, 800])[np.asarray(days.day_of_week)]
    frame = pd.DataFrame({"start": days, "arrivals": np.random.default_rng(0).poisson(level)})
    return next(iter(Arrivals(frame, slot="day", holidays="").matrices.values()))


def test_a_gap_takes_the_mean_of_the_same_weekday_before_and_after_so_that_weeks_stay_in_step(history):
    grid = lay_grid(history, fit_shapes(history), recorded_rows(history, 15, "a model"))
    assert grid.week == 5 and len(grid.days) == 5 * 21
    logs = pd.Series(grid.log, grid.days)
    assert logs["2026-03-18"] == pytest.approx((logs["2026-03-11"] + logs["2026-03-25"]) / 2)


def test_steps_count_usual_weekdays_and_an_unusual_one_is_as_far_as_the_one_before(history):
    grid = lay_grid(history, fit_shapes(history), recorded_rows(history, 15, "a model"))
    days = pd.DatetimeIndex(["2026-06-01", "2026-06-05", "2026-06-06", "2026-06-08"])
    assert list(grid.steps(days)) == [1, 5, 5, 6]


@pytest.mark.parametrize("model", [SeasonalTrend(), Boosting()], ids=lambda model: model.name)
def test_the_week_comes_back_after_a_gap(model, history):
    ahead = history.rows(len(history.days) - 14, len(history.days))
    mean = model.fit(history.rows(0, len(history.days) - 14)).mean(ahead)[ahead.open_days, 0]
    weekday = ahead.days[ahead.open_days].day_of_week.to_numpy()
    assert mean == pytest.approx(np.array([1300, 1100, 1000, 900, 800])[weekday], rel=0.07)
