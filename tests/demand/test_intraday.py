"""A forecast brought up to date with what has come so far today."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import demand
from svcanalytics.demand.ahead.conditioning import condition
from svcanalytics.demand.ahead.spread import Spread, Stretch
from svcanalytics.errors import DemandError

PLAIN = Stretch(np.array([[0.67448975, 1.28155157, 1.95996398]]))
SLOTS = 8


def frame_of(days=70, level=40.0, cv=0.2, seed=3, queue="calls"):
    """Days of eight hours whose busyness is gamma."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2026-01-05", periods=days)
    starts = np.add.outer(dates.to_numpy(), np.arange(9, 9 + SLOTS) * np.timedelta64(1, "h")).ravel()
    busy = np.repeat(rng.gamma(cv**-2, cv**2, days), SLOTS)
    return pd.DataFrame({"queue": queue, "start": starts, "arrivals": rng.poisson(level * busy)})


@pytest.fixture(scope="module")
def frame():
    return pd.concat([frame_of(), frame_of(seed=4, level=15, queue="mail")], ignore_index=True)


@pytest.fixture(scope="module")
def forecast(frame):
    arrivals = demand.Arrivals(frame, "60min", holidays="", timezone="Europe/Berlin")
    return demand.forecast(arrivals.upto("2026-04-06"), days=3)


def morning(frame, n, day="2026-04-06", queue="calls"):
    rows = frame[(frame["start"].dt.normalize() == day) & (frame["queue"] == queue)]
    return rows.head(n)


def test_one_busy_morning_of_a_single_day_factor_gives_the_gamma_like_posterior():
    # One day, no patterns: the log rate of all slots is one normal number with variance v; its posterior by quadrature.
    v, mean, came = 0.04, 50.0, 260.0
    spread = Spread(np.full((1, 6), mean), np.array([[v]]), PLAIN, np.zeros(1, int), np.zeros((0, 6)), np.zeros(6))
    known = np.full((1, 6), np.nan)
    known[0, :4] = came / 4
    shift = condition(spread, known).shift[0]
    x = np.linspace(-2, 2, 20001)
    weight = np.exp(-((x + v / 2) ** 2) / (2 * v) + came * x - 4 * mean * np.exp(x) - came * 0.3)
    exact = np.log((np.exp(x) * weight).sum() / weight.sum())
    # The stretch is linear between three quantiles: its variance is a few per cent short of the normal one.
    assert shift[5] == pytest.approx(exact, abs=0.01)
    assert 0 < shift[5] < np.log(came / (4 * mean))
    assert shift.std() == pytest.approx(0, abs=1e-9)


def test_slots_that_do_not_go_together_say_nothing_about_one_another():
    spread = Spread(
        np.full((2, 4), 30.0), 1e-12 * np.eye(2), PLAIN, np.zeros(2, int), np.zeros((0, 4)), np.full(4, 0.3)
    )
    known = np.full((2, 4), np.nan)
    known[0, 0] = 80
    shift = condition(spread, known).shift
    assert shift[0, 0] > 0.5
    assert np.abs(shift).sum() == pytest.approx(shift[0, 0], abs=1e-6)


def test_later_days_move_only_as_far_as_days_go_together():
    mean, days = np.full((3, 4), 100.0), 0.04 * np.array([[1, 0.5, 0], [0.5, 1, 0.5], [0, 0.5, 1]])
    known = np.full((3, 4), np.nan)
    known[0] = 130
    shift = condition(Spread(mean, days, PLAIN, np.zeros(3, int), np.zeros((0, 4)), np.zeros(4)), known).shift
    assert shift[0, 0] > shift[1, 0] > 0.3 * shift[0, 0]
    assert shift[2, 0] == pytest.approx(0, abs=1e-9)


def test_the_rest_of_the_day_moves_with_the_morning_and_what_is_over_is_known(frame, forecast):
    busy = morning(frame, 3).assign(arrivals=lambda rows: rows["arrivals"] * 2)
    updated = demand.update(forecast, busy)
    before, after = (f.table[f.table["queue"] == "calls"].reset_index(drop=True) for f in (forecast, updated))
    assert (after["mean"][:3] == busy["arrivals"].to_numpy()).all()
    assert (after.loc[:2, ["lower_80", "upper_95"]].to_numpy() == busy["arrivals"].to_numpy()[:, None]).all()
    assert (after["mean"][3:8] > 1.15 * before["mean"][3:8]).all()
    relative = [(rows["upper_80"] - rows["lower_80"])[3:8].sum() / rows["mean"][3:8].sum() for rows in (before, after)]
    assert relative[1] < 0.9 * relative[0]
    total = updated.totals("day").set_index(["queue", "start"]).loc[("calls", pd.Timestamp("2026-04-06"))]
    assert total["mean"] == pytest.approx(after["mean"][:8].sum())
    assert total["lower_95"] > busy["arrivals"].sum()
    assert "came in 3 slots" in updated.notes["note"].iloc[-1]


def test_queues_without_rows_stay_as_they_are(frame, forecast):
    updated = demand.update(forecast, morning(frame, 3))
    other = [f.table[f.table["queue"] == "mail"].reset_index(drop=True) for f in (forecast, updated)]
    pd.testing.assert_frame_equal(*other)


def test_days_before_today_stay_as_they_are(frame, forecast):
    updated = demand.update(forecast, morning(frame, 3, day="2026-04-07"))
    first = [f.table[f.table["start"].dt.day == 6].reset_index(drop=True) for f in (forecast, updated)]
    pd.testing.assert_frame_equal(*first)


def test_updating_again_is_updating_once_with_all_slots(frame, forecast):
    once = demand.update(forecast, morning(frame, 5))
    again = demand.update(demand.update(forecast, morning(frame, 2)), morning(frame, 5))
    pd.testing.assert_frame_equal(once.table, again.table)


def test_aware_starts_are_the_same_moments(frame, forecast):
    local = morning(frame, 2)
    aware = local.assign(start=local["start"].dt.tz_localize("Europe/Berlin").dt.tz_convert("UTC"))
    pd.testing.assert_frame_equal(demand.update(forecast, local).table, demand.update(forecast, aware).table)


def test_sample_paths_hold_what_came_and_agree_with_the_table(frame, forecast):
    updated = demand.update(forecast, morning(frame, 4))
    paths = updated.paths(3000, seed=5)
    np.testing.assert_array_equal(paths.iloc[:4, 17], morning(frame, 4)["arrivals"])
    assert (paths.iloc[:4].std(axis=1) == 0).all()
    assert paths.iloc[4:24].mean(axis=1).to_numpy() == pytest.approx(updated.table["mean"].to_numpy()[4:24], rel=0.02)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.assign(queue="sales"), "no such queue"),
        (lambda rows: rows.assign(start=rows["start"] - pd.Timedelta(days=365)), "does not hold this day"),
        (lambda rows: rows.assign(start=rows["start"] + pd.Timedelta(minutes=30)), "overlap"),
        (lambda rows: pd.concat([rows, rows]), "stands there twice"),
        (lambda rows: pd.concat([rows, rows.assign(start=rows["start"] + pd.Timedelta(days=1))]), "several days"),
        (lambda rows: rows.assign(arrivals=-1), "negative"),
        (lambda rows: rows.assign(arrivals=np.nan), "no row of today has a count"),
    ],
)
def test_rows_that_make_no_sense_are_refused(frame, forecast, change, message):
    with pytest.raises(DemandError, match=message):
        demand.update(forecast, change(morning(frame, 3)))


def test_what_came_in_closed_slots_is_left_out_and_said(frame, forecast):
    night = morning(frame, 1).assign(start=pd.Timestamp("2026-04-06 03:00"), arrivals=7)
    updated = demand.update(forecast, pd.concat([night, morning(frame, 2)]))
    assert "7 came in closed slots" in updated.notes["note"].iloc[-1]
    pd.testing.assert_frame_equal(updated.table, demand.update(forecast, morning(frame, 2)).table)


def test_a_forecast_of_whole_days_cannot_be_updated(frame):
    daily = frame.assign(start=frame["start"].dt.normalize()).groupby(["queue", "start"], as_index=False).sum()
    forecast = demand.forecast(demand.Arrivals(daily, "day", holidays=""), days=2, model="eight_week_average")
    with pytest.raises(DemandError, match="whole days"):
        demand.update(forecast, daily.tail(1))


@pytest.mark.slow
def test_an_update_is_nearly_as_good_as_that_of_who_knows_how_the_days_are_made():
    level, cv = 40.0, 0.25
    frame = frame_of(days=150, level=level, cv=cv, seed=11)
    arrivals = demand.Arrivals(frame, "60min", holidays="")
    (matrix,) = arrivals.matrices.values()
    memory, parts = {}, []
    for day in matrix.days[matrix.recorded][-60:]:
        before = demand.forecast(arrivals.upto(day), 1, future=arrivals.following(day, 1), memory=memory, light=True)
        came = frame[frame["start"].dt.normalize() == day]
        rows = demand.update(before, came.head(3)).table.assign(arrivals=came["arrivals"].to_numpy())
        # Gamma busyness and Poisson counts are conjugate.
        knowing = level * (cv**-2 + came["arrivals"].head(3).sum()) / (cv**-2 + 3 * level)
        parts.append(rows.assign(before=before.table["mean"], knowing=knowing).iloc[3:])
    rows = pd.concat(parts)
    error = {name: (rows[name] - rows["arrivals"]).abs().mean() for name in ("before", "mean", "knowing")}
    assert error["mean"] < error["knowing"] + 0.1 * (error["before"] - error["knowing"])
    assert 0.74 < rows["arrivals"].between(rows["lower_80"], rows["upper_80"]).mean() < 0.88
