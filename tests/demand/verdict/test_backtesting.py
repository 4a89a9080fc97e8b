"""Backtests: which days are forecast from where, with what knowledge, and the same on any machine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from svcanalytics.demand import Arrivals, DayMatrix, backtest, forecast, scores
from svcanalytics.errors import DemandError


@dataclass(frozen=True)
class LastWeek:
    """Forecasts the counts of a week or more before, with Poisson noise."""

    name: str = "last_week"

    def fit(self, history: DayMatrix) -> FittedLastWeek:
        return FittedLastWeek(history)


@dataclass(frozen=True)
class FittedLastWeek:
    history: DayMatrix

    def mean(self, future: DayMatrix) -> np.ndarray:
        assert np.isnan(future.counts).all(), "a model was shown what came"
        assert len(self.history.days) == 0 or self.history.days[-1] < future.days[0]
        rows = []
        for day in future.days:
            same = (self.history.days.day_of_week == day.day_of_week) & self.history.recorded
            rows.append(self.history.counts[np.flatnonzero(same)[-1]] if same.any() else np.ones(len(future.slots)))
        return np.where(future.open_slots, np.vstack(rows), np.nan)

    def sample(self, future: DayMatrix, n: int, rng: np.random.Generator) -> np.ndarray:
        mean = self.mean(future)
        return np.where(np.isnan(mean), np.nan, rng.poisson(np.nan_to_num(mean), (n, *mean.shape)))


def counted(queues: int = 1, days: int = 60, seed: int = 0) -> pd.DataFrame:
    """Weekdays, four hours a day; 2026-03-12 and 2026-03-25 are missing."""
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2026-01-05", periods=days)
    dates = dates[~dates.isin(pd.to_datetime(["2026-03-12", "2026-03-25"]))]
    starts = [day + pd.Timedelta(hours=hour) for day in dates for hour in (9, 10, 11, 12)]
    parts = [
        pd.DataFrame({"queue": f"q{number}", "start": starts, "arrivals": rng.poisson(20 + number, len(starts))})
        for number in range(queues)
    ]
    return pd.concat(parts, ignore_index=True)


def taken_in(frame: pd.DataFrame) -> Arrivals:
    return Arrivals(frame, "60min", holidays=None, timezone="UTC")


def test_origins_and_horizons_are_days_on_record_and_the_last_ends_at_the_last_day():
    frame = counted()
    found = backtest(taken_in(frame), days=10, origins=6, step=2, models=[LastWeek()], n_jobs=1)
    found["start"] = found["start"].dt.tz_localize(None)
    recorded = frame["start"].dt.normalize().unique()
    assert len(found["origin"].unique()) == 6
    for number, origin in enumerate(found["origin"].unique()):
        first = len(recorded) - 10 - 2 * (5 - number)
        rows = found[found["origin"] == origin]
        assert origin == recorded[first]
        assert list(rows["start"].dt.normalize().unique()) == list(recorded[first : first + 10])
        assert list(rows["lead"].unique()) == list(range(1, 11))
        assert len(rows) == 40
    merged = found.merge(frame, on="start", suffixes=("", "_counted"))
    assert (merged["actual"] == merged["arrivals"]).all() and len(merged) == len(found)


def test_a_forecast_is_what_the_model_gives_with_the_history_before_the_origin():
    frame = counted()
    found = backtest(taken_in(frame), days=5, origins=4, step=3, models=[LastWeek()], n_jobs=1)
    counts = frame.set_index("start")["arrivals"]
    for row in found.assign(start=found["start"].dt.tz_localize(None)).itertuples():
        back = row.start - pd.Timedelta("7D")
        while back >= row.origin or back not in counts.index:
            back -= pd.Timedelta("7D")
        assert row.mean == counts[back]
    assert (found["lower_95"] <= found["lower_80"]).all() and (found["upper_80"] <= found["upper_95"]).all()


def test_what_came_later_changes_no_forecast_made_before():
    frame = counted()
    changed = frame.copy()
    last = changed["start"] >= "2026-03-20"
    changed.loc[last, "arrivals"] = changed.loc[last, "arrivals"].to_numpy()[::-1] * 3 + 1
    before, after = (
        backtest(taken_in(each), days=5, origins=4, step=3, light=True, n_jobs=1).query("origin <= '2026-03-20'")
        for each in (frame, changed)
    )
    assert len(before) > 40
    columns = ["origin", "start", "mean", "lower_80", "upper_80", "lower_95", "upper_95", "baseline", "scale"]
    pd.testing.assert_frame_equal(before[columns], after[columns])


def test_crps_is_that_of_the_paths():
    from svcanalytics.demand.verdict.backtesting import sample_crps

    rng = np.random.default_rng(4)
    paths, actual = rng.gamma(4, 5, (40, 3)), np.array([3.0, 18.0, 60.0])
    for column in range(3):
        x, y = paths[:, column], actual[column]
        naive = np.mean([abs(a - y) for a in x]) - np.mean([abs(a - b) for a in x for b in x]) / 2
        assert sample_crps(paths, actual)[column] == pytest.approx(naive, rel=1e-12)


def test_the_scale_is_the_mean_change_from_a_week_before():
    frame = counted()
    found = backtest(taken_in(frame), days=5, origins=1, models=[LastWeek()], n_jobs=1)
    counts = frame.set_index("start")["arrivals"]
    counts = counts[counts.index < found["origin"].iloc[0]]
    week = pd.Timedelta("7D")
    changes = [abs(counts[at] - counts[at - week]) for at in counts.index if at - week in counts.index]
    assert found["scale"].iloc[0] == pytest.approx(np.mean(changes))


def test_the_baseline_is_the_mean_of_the_last_eight_of_the_weekday_and_slot():
    frame = counted(days=75)
    found = backtest(taken_in(frame), days=5, origins=1, models=[LastWeek()], n_jobs=1)
    for row in found.itertuples():
        same = frame[(frame["start"] < row.origin) & (frame["start"].dt.day_of_week == row.start.day_of_week)]
        same = same[same["start"].dt.hour == row.start.hour]
        assert row.baseline == pytest.approx(same["arrivals"].tail(8).mean())


def test_several_processes_give_what_one_gives():
    arrivals = taken_in(counted(queues=2))
    one, two = (backtest(arrivals, 5, 2, models=["auto"], light=True, n_jobs=n) for n in (1, 2))
    pd.testing.assert_frame_equal(one, two)


def test_a_backend_that_hands_nothing_over_before_the_end_gives_the_same():
    """As joblib's Spark backend does."""
    import joblib
    from joblib.parallel import ThreadingBackend, register_parallel_backend

    class Plain(ThreadingBackend):
        supports_return_generator = False

    register_parallel_backend("plain", Plain)
    arrivals = taken_in(counted(queues=2))
    with joblib.parallel_config(backend="plain", n_jobs=2):
        spread = backtest(arrivals, 5, 3, models=[LastWeek()])
    pd.testing.assert_frame_equal(spread, backtest(arrivals, 5, 3, models=[LastWeek()], n_jobs=1))


@pytest.mark.slow
def test_a_dask_cluster_gives_what_one_process_gives():
    import joblib
    from distributed import Client, LocalCluster

    arrivals = taken_in(counted(queues=2))
    alone = backtest(arrivals, 5, 3, models=["eight_week_average"], n_jobs=1)
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        spread = backtest(arrivals, 5, 3, models=["eight_week_average"])
    pd.testing.assert_frame_equal(alone, spread)


def test_too_short_a_history_says_how_many_origins_there_is_room_for():
    arrivals = taken_in(counted(days=40))  # all before March
    with pytest.raises(DemandError, match="room for 8 origins, not 26"):
        backtest(arrivals, days=10, origins=26, step=2, models=[LastWeek()])
    assert len(backtest(arrivals, 10, 8, 2, [LastWeek()], n_jobs=1)["origin"].unique()) == 8
    with pytest.raises(DemandError, match="use fewer days"):
        backtest(arrivals, days=30, origins=1, models=[LastWeek()])


def test_a_newer_queue_is_backtested_from_the_origins_it_has_room_for():
    frame = counted(queues=2)
    frame = frame[(frame["queue"] == "q0") | (frame["start"] >= "2026-02-24")]
    with pytest.warns(UserWarning, match="'q1' 2"):
        found = backtest(taken_in(frame), days=5, origins=6, step=2, models=[LastWeek()], n_jobs=1)
    assert found.groupby("queue", observed=True)["origin"].nunique().to_dict() == {"q0": 6, "q1": 2}


@pytest.mark.parametrize(
    "wrong", [{"days": 0}, {"origins": 0}, {"step": -1}, {"models": ()}, {"models": ("auto",) * 2}]
)
def test_senseless_settings_are_refused(wrong):
    with pytest.raises(DemandError):
        backtest(taken_in(counted()), **wrong)


def test_scores_of_a_backtest_hold_every_column():
    found = scores(backtest(taken_in(counted()), 5, 4, models=["eight_week_average"], n_jobs=1), by="lead")
    assert len(found) == 5
    assert found.notna().all(axis=None)
    assert np.allclose(found["wape"], found["baseline"]) and np.allclose(found["value_added"], 0)


@pytest.mark.slow
@pytest.mark.real_data
def test_the_eight_week_average_scores_on_bank_calls_what_others_measured(real_data):
    """Reference: 6.79 over ten days from 26 origins, and a floor of 2.29."""
    raw = pd.read_csv(real_data / "arrivals/bank_calls.csv")
    start = pd.to_datetime(raw["DateTime"]).dt.tz_localize(None)
    counts = raw[start.dt.hour < 21].groupby(start.dt.floor("30min"))["Calls"].sum()
    frame = pd.DataFrame({"queue": "calls", "start": counts.index, "arrivals": counts.to_numpy()})
    arrivals = Arrivals(frame, "30min", holidays="US", timezone="America/New_York")
    found = scores(backtest(arrivals, models=["eight_week_average"], n_jobs=1)).iloc[0]
    assert found["n"] == 26 * 10 * 28
    assert found["wape"] == pytest.approx(0.0679, abs=5e-5)
    assert found["floor"] == pytest.approx(0.0229, abs=5e-4)


def test_a_backtest_holds_what_the_door_would_have_given_on_that_day():
    arrivals = taken_in(counted(days=70))
    found = backtest(arrivals, days=5, origins=1, n_jobs=1)
    then = forecast(arrivals.upto(found["origin"].iloc[0]), days=5).table.drop(columns="queue")
    pd.testing.assert_frame_equal(found[then.columns], then, check_dtype=False)


def test_trials_shared_by_origins_change_no_forecast():
    arrivals = taken_in(counted(days=90, queues=4))  # four queues: the origins of each are one task
    found = backtest(arrivals, days=5, origins=2, step=6, light=True, n_jobs=1)
    for origin in found["origin"].unique():
        then = forecast(arrivals.upto(origin), days=5, light=True).table
        rows = found[found["origin"] == origin]
        assert np.allclose(rows["mean"], then["mean"], rtol=1e-9)
