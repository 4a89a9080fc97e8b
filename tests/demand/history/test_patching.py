"""Days with a few missing slots are learned from; what they lack is estimated from themselves and the days before."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import demand
from svcanalytics.demand import Arrivals
from svcanalytics.demand.history.patching import fill_gaps

RNG = np.random.default_rng(3)


def counted(days: int = 90, level: float = 200.0) -> pd.DataFrame:
    opened = pd.bdate_range("2026-03-02", periods=days)
    starts = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in opened for hour in range(9, 17)])
    busy = np.repeat(RNG.gamma(100, 1 / 100, days), 8)
    return pd.DataFrame({"start": starts, "arrivals": RNG.poisson(level * busy * np.tile(np.linspace(1, 2, 8), days))})


def history(frame: pd.DataFrame):
    return next(iter(Arrivals(frame, "60min", holidays="").matrices.values()))


def test_a_missing_slot_takes_its_share_of_the_day():
    whole = counted()
    lost = whole.index[[8 * 40 + 3, 8 * 70]]
    filled = fill_gaps(history(whole.drop(index=lost)))
    truth = history(whole)
    assert filled.recorded.sum() == 90
    gaps = (filled.counts != truth.counts) & truth.open_slots
    assert gaps.sum() == 2
    assert filled.counts[gaps] == pytest.approx(truth.counts[gaps], rel=0.2)


def test_what_comes_later_fills_nothing_differently():
    whole = counted().drop(index=[8 * 40 + 3])
    late = whole.assign(arrivals=whole["arrivals"].where(whole.index < 8 * 60, whole["arrivals"] * 7))
    one, other = fill_gaps(history(whole)), fill_gaps(history(late))
    at = np.flatnonzero(one.open_days)[40]
    assert (one.counts[: at + 1][one.open_slots[: at + 1]] == other.counts[: at + 1][one.open_slots[: at + 1]]).all()


def test_a_day_of_which_most_is_missing_stays_missing():
    whole = counted()
    filled = fill_gaps(history(whole.drop(index=range(8 * 40 + 1, 8 * 40 + 6))))
    assert filled.recorded.sum() == 89


def test_slots_missing_at_random_cost_a_backtest_no_days():
    whole = counted()
    thin = whole[RNG.random(len(whole)) > 0.1]
    rows = demand.backtest(Arrivals(thin, "60min", holidays=""), 5, 4, 5, n_jobs=1, progress=False)
    full = demand.backtest(Arrivals(whole, "60min", holidays=""), 5, 4, 5, n_jobs=1, progress=False)
    assert rows["actual"].notna().all() and (rows["origin"].unique() == full["origin"].unique()).all()
    assert demand.scores(rows)["wape"][0] < 1.3 * demand.scores(full)["wape"][0]
