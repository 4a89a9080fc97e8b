"""The door: tables, paths and totals that agree, whatever the queue's history and hours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.arrivals_made_up import Kind, draw, simulate
from benchmarks.arrivals_real import SERIES
from svcanalytics.demand import Arrivals, backtest, forecast
from svcanalytics.demand.ahead.borrowing import borrow_past, is_new
from svcanalytics.demand.ahead.outlook import look_ahead
from svcanalytics.demand.ahead.trials import run_trials
from svcanalytics.demand.models.averages import WeekdayAverage
from svcanalytics.demand.result import bounds_of
from svcanalytics.errors import DemandError

HOURLY = Kind(120, 150, "1h", 8, 18, cv=0.08)


def frame_of(kind: Kind = HOURLY, seed: int = 1, queue: str = "calls") -> pd.DataFrame:
    return simulate(queue, kind, np.random.default_rng(seed))


@pytest.fixture(scope="module")
def arrivals() -> Arrivals:
    chats = frame_of(replace(HOURLY, level=40, opens=9), 2, "chats")
    return Arrivals(pd.concat([frame_of(), chats]), slot="60min", holidays="", timezone="Europe/Berlin")


@pytest.fixture(scope="module")
def found(arrivals):
    return forecast(arrivals, days=10, levels=(0.5, 0.8, 0.95))


def test_a_row_is_an_open_slot_of_one_of_the_next_ten_open_days(found, arrivals):
    table = found.table
    assert list(table.columns[:3]) == ["queue", "start", "mean"]
    assert str(table["start"].dt.tz) == "Europe/Berlin"
    for queue, slots in (("calls", 10), ("chats", 9)):
        starts = table.loc[table["queue"] == queue, "start"]
        assert len(starts) == 10 * slots and starts.is_monotonic_increasing
        assert starts.dt.normalize().nunique() == 10 and not starts.dt.day_of_week.isin([5, 6]).any()
        assert starts.iloc[0].tz_localize(None) > arrivals.last_day


def test_bounds_lie_within_each_other_and_never_below_zero(found):
    table = found.table
    order = ["lower_95", "lower_80", "lower_50", "mean", "upper_50", "upper_80", "upper_95"]
    assert (table[order].diff(axis=1).iloc[:, 1:] >= 0).all().all()
    assert (table["lower_95"] >= 0).all()


def test_the_same_seed_gives_the_same_paths_and_another_seed_others(found, arrivals):
    again = forecast(arrivals, days=10, levels=(0.5, 0.8, 0.95))
    pd.testing.assert_frame_equal(found.table, again.table)
    pd.testing.assert_frame_equal(found.paths(20, seed=3), again.paths(20, seed=3))
    assert not found.paths(20, seed=3).equals(found.paths(20, seed=4))


def test_paths_are_indexed_as_the_table_and_agree_with_its_means_and_bounds(found):
    paths = found.paths(3000, seed=1)
    assert list(paths.index) == list(zip(found.table["queue"], found.table["start"], strict=True))
    assert np.allclose(paths.mean(axis=1), found.table["mean"], rtol=0.03)
    inside = paths.ge(found.table["lower_80"].to_numpy(), axis=0) & paths.le(found.table["upper_80"].to_numpy(), axis=0)
    assert inside.to_numpy().mean() == pytest.approx(0.8, abs=0.02)


def test_totals_add_up_from_slots_to_days_to_weeks_and_from_queues_to_all(found):
    everything = found.table["mean"].sum()
    for by in ("slot", "day", "week", "horizon"):
        for queues in (None, "all", {"calls": "voice", "chats": "text"}):
            assert found.totals(by, queues=queues, n=50)["mean"].sum() == pytest.approx(everything)
    days = found.totals("day", n=500)
    added = found.table.groupby(["queue", found.table["start"].dt.tz_localize(None).dt.normalize()])
    width = (days["upper_80"] - days["lower_80"]).to_numpy()
    by_slots = (added["upper_80"].sum() - added["lower_80"].sum()).to_numpy()
    assert (width < by_slots).all()


def test_totals_by_an_unknown_word_are_refused(found):
    with pytest.raises(DemandError, match="fortnight"):
        found.totals("fortnight")


def test_weights_of_each_queue_add_up_and_losses_are_those_of_trials(found):
    sums = found.selection.groupby("queue")["weight"].sum()
    assert np.allclose(sums, 1) and len(sums) == 2
    assert found.selection["loss"].between(0, 1).all()


def test_counts_after_the_origin_change_nothing():
    frame = frame_of()
    days = frame["start"].dt.normalize()
    cut = sorted(days.unique())[-12]
    changed = frame.assign(arrivals=np.where(days >= cut, frame["arrivals"] * 3 + 1, frame["arrivals"]))
    tables = [forecast(Arrivals(f, slot="60min", holidays="").upto(cut)).table for f in (frame, changed)]
    pd.testing.assert_frame_equal(*tables)


def test_hours_added_after_the_origin_move_no_mean():
    frame = frame_of()
    cut = sorted(frame["start"].dt.normalize().unique())[-12]
    nights = pd.DataFrame({"queue": "calls", "start": pd.date_range(cut, periods=24 * 9, freq="1h"), "arrivals": 7})
    longer = pd.concat([frame, nights]).drop_duplicates(["queue", "start"])
    tables = [forecast(Arrivals(f, slot="60min", holidays="").upto(cut)).table for f in (frame, longer)]
    np.testing.assert_allclose(*(table["mean"] for table in tables), rtol=1e-9)


def test_no_trial_sees_a_day_after_its_own_origin():
    history = Arrivals(frame_of(), slot="60min", holidays="").matrices["calls"]
    seen = []

    class Watcher:
        name = "watcher"

        def fit(self, part):
            seen.append(part.days[-1])
            return self

        def mean(self, future):
            assert np.isnan(future.counts).all()
            return np.where(future.open_slots, 1.0, np.nan)

    trials = run_trials(history, [Watcher()], 10, count=6)
    assert len(trials) == 6
    assert all(last < history.days[rows[0]] for last, rows in zip(seen, trials.rows, strict=True))


def test_a_remembered_trial_is_the_one_that_would_be_run_again():
    arrivals = Arrivals(frame_of(), slot="60min", holidays="")
    days = arrivals.matrices["calls"].days[arrivals.matrices["calls"].recorded]
    memory: dict = {}
    for origin in days[-24:-10:3]:
        part = arrivals.upto(origin)
        kept, fresh = forecast(part, memory=memory), forecast(part)
        pd.testing.assert_frame_equal(kept.table, fresh.table)


def test_trials_are_not_remembered_across_other_hours():
    rng = np.random.default_rng(5)
    days = pd.bdate_range("2024-01-01", periods=140)
    starts = pd.DatetimeIndex([day + pd.Timedelta(hours=hour) for day in days for hour in range(9, 18)])
    bursts = pd.DataFrame({"start": starts, "arrivals": rng.negative_binomial(0.5, 0.5 / 20.5, len(starts))})
    rows = backtest(Arrivals(bursts, "60min", holidays=""), 10, 8, 4, n_jobs=1, progress=False)
    assert len(rows["origin"].unique()) == 8


def test_scaling_volumes_scales_forecast_and_bounds():
    frame = frame_of(replace(HOURLY, level=400))
    once = forecast(Arrivals(frame, slot="60min", holidays="")).table
    frame["arrivals"] *= 5
    five = forecast(Arrivals(frame, slot="60min", holidays="")).table
    assert np.allclose(five["mean"], 5 * once["mean"], rtol=0.01)
    # Counts five times as large are less noisy by chance, but what was counted varies as much as before.
    assert np.allclose(five["upper_80"], 5 * once["upper_80"], rtol=0.05)


def test_queues_that_were_busy_together_are_forecast_to_be_busy_together():
    rng = np.random.default_rng(0)
    base = frame_of(replace(HOURLY, cv=0, level=200))
    days = base["start"].dt.normalize()
    busy = pd.Series(np.exp(0.15 * rng.standard_normal(days.nunique())), index=days.unique())
    frames = [base.assign(queue=name, arrivals=rng.poisson(200 * days.map(busy))) for name in ("a", "b")]
    frames.append(frame_of(replace(HOURLY, cv=0.15), 9, "c"))
    paths = forecast(Arrivals(pd.concat(frames), slot="60min", holidays="")).paths(800)
    total = paths.groupby("queue").sum().T
    assert total["a"].corr(total["b"]) > 0.4
    assert abs(total["a"].corr(total["c"])) < 0.3


def test_the_hour_that_comes_twice_has_two_rows_and_the_one_skipped_none():
    frame = frame_of(Kind(120, 60, "1h", 0, 24, (1,) * 7, last="2026-10-23"))
    table = forecast(Arrivals(frame, slot="60min", holidays="", timezone="Europe/Berlin"), days=5).table
    rows = table.groupby(table["start"].dt.date).size()
    assert rows[pd.Timestamp("2026-10-25").date()] == 25 and rows.sum() == 5 * 24 + 1
    assert table["start"].is_unique
    twice = table[table["start"].dt.strftime("%m-%d %H") == "10-25 02"]
    assert twice["mean"].iloc[0] == pytest.approx(twice["mean"].iloc[1])
    paths = forecast(Arrivals(frame, slot="60min", holidays="", timezone="Europe/Berlin"), days=5).paths(200)
    assert len(paths) == len(table) and np.allclose(paths.mean(axis=1), table["mean"], rtol=0.12)


@pytest.mark.parametrize("days", [2, 5, 9])
def test_a_few_days_of_history_give_a_wide_forecast_that_says_so(days):
    frame = frame_of()
    kept = frame["start"].dt.normalize().isin(sorted(frame["start"].dt.normalize().unique())[-days:])
    found = forecast(Arrivals(frame[kept], slot="60min", holidays=""))
    assert found.notes["note"].str.contains(f"{days} days on record are too few").any()
    mean = frame.loc[kept, "arrivals"].mean()
    assert found.table["mean"].mean() == pytest.approx(mean, rel=0.15)
    assert (found.table["upper_80"] - found.table["lower_80"]).mean() > 2 * 1.28 * np.sqrt(mean)


def test_a_queue_where_nothing_ever_came_is_forecast_to_stay_so():
    found = forecast(Arrivals(frame_of().assign(arrivals=0), slot="60min", holidays=""))
    assert (found.table["upper_95"] < 1).all()
    assert found.notes["note"].str.contains("nothing ever came").any()


def test_a_new_queue_borrows_week_and_day_and_keeps_its_own_level():
    old = frame_of(replace(HOURLY, level=200, days=150))
    late = old["start"] >= sorted(old["start"].dt.normalize().unique())[-4]
    rng = np.random.default_rng(0)
    new = old[late].assign(queue="new", arrivals=rng.poisson(old.loc[late, "arrivals"] / 5))
    both = Arrivals(pd.concat([old, new]), slot="60min", holidays="")
    found = forecast(both)
    assert found.notes["note"].str.contains("borrowed from calls").any()
    table = found.table.pivot_table("mean", "start", "queue")
    assert table["new"].sum() == pytest.approx(table["calls"].sum() / 5, rel=0.1)
    shape = table["new"] / table["new"].sum() - table["calls"] / table["calls"].sum()
    assert np.abs(shape).sum() < 0.1


def test_a_past_is_lent_only_by_queues_that_have_one():
    histories = Arrivals(pd.concat([frame_of(), frame_of(seed=3, queue="b")]), slot="60min", holidays="").matrices
    young = histories["calls"].rows(len(histories["calls"].days) - 5, len(histories["calls"].days))
    assert is_new(young) and not is_new(histories["b"])
    lent, lenders = borrow_past(young, [histories["b"]])
    assert lenders == ("b",) and len(lent.days) == len(young.days) + 56
    assert borrow_past(young, [young])[1] == ()


def test_a_year_not_announced_is_said_to_be_provisional():
    days = pd.date_range("2026-03-01", "2026-12-27")
    frame = pd.DataFrame({"start": days, "arrivals": np.random.default_rng(0).poisson(300, len(days))})
    # What is announced changes every November: the features are marked here, not asked for.
    arrivals = Arrivals(frame, slot="day", holidays="CN")
    history, future = arrivals.matrices[""], arrivals.future(10)[""]
    marked = replace(future, features=future.features.assign(provisional=future.days.year == 2027))
    notes = look_ahead(history, marked).notes
    assert any("2027" in note and "provisional" in note for note in notes)


def test_the_lighter_ladder_says_so(arrivals):
    found = forecast(arrivals, light=True)
    assert found.notes["note"].str.contains("many queues").all()
    assert set(found.selection["model"]) < set(forecast(arrivals).selection["model"])


def test_one_model_by_name_gets_the_spread_of_its_own_errors(arrivals):
    found = forecast(arrivals, model="seasonal_naive")
    best = forecast(arrivals)
    assert set(found.selection["model"]) == {"seasonal_naive"} and found.model == "seasonal_naive"
    width = [(f.totals("day", n=400)["upper_80"] - f.totals("day", n=400)["lower_80"]).mean() for f in (found, best)]
    assert width[0] > 1.1 * width[1]


@pytest.mark.parametrize(
    "wrong", [{"days": 0}, {"days": 2.5}, {"levels": (80,)}, {"levels": ()}, {"levels": 0.8}, {"model": "oracle"}]
)
def test_senseless_requests_are_refused(wrong, arrivals):
    with pytest.raises(DemandError):
        forecast(arrivals, **wrong)


@pytest.mark.slow
def test_intervals_of_a_poisson_gamma_truth_cover_as_often_as_they_say():
    inside = {80: [], 95: []}
    for seed in range(12):
        arrivals = Arrivals(frame_of(replace(HOURLY, cv=0.12, days=160), seed), slot="60min", holidays="")
        matrix = arrivals.matrices["calls"]
        days = matrix.days[matrix.recorded]
        for origin in (days[-30], days[-20], days[-10]):
            came = arrivals.following(origin, 10)["calls"]
            found = forecast(arrivals.upto(origin), future={"calls": came}, light=True).table
            actual = came.counts[came.open_slots]
            for level in inside:
                inside[level].append((found[f"lower_{level}"] <= actual) & (actual <= found[f"upper_{level}"]))
    assert np.mean(inside[80]) == pytest.approx(0.80, abs=0.035)
    assert np.mean(inside[95]) == pytest.approx(0.95, abs=0.025)


def test_the_variation_of_days_is_recovered_within_a_tenth():
    found = []
    for seed in range(5):
        frame = frame_of(replace(HOURLY, cv=0.12, days=200), seed)
        found.append(forecast(Arrivals(frame, slot="60min", holidays="")).day_variation["cv"].iloc[0])
    assert np.mean(found) == pytest.approx(0.12, rel=0.1)


@pytest.mark.slow
def test_thorough_tries_all_models_and_leaves_out_those_that_cannot_run():
    frame = draw("new queue")
    kept = frame["start"] >= sorted(frame["start"].dt.normalize().unique())[-18]
    found = forecast(Arrivals(frame[kept], slot="60min", holidays=""), thorough=True, days=4).selection
    weights = found.set_index("model")["weight"]
    assert {"boosting", "prophet", "mstl_ets", "day_factors"} <= set(weights.index)
    assert weights["boosting"] == 0 and weights.sum() == pytest.approx(1)


@pytest.mark.slow
def test_queues_forecast_side_by_side_are_those_forecast_one_after_the_other(arrivals):
    pd.testing.assert_frame_equal(forecast(arrivals, n_jobs=2).table, forecast(arrivals).table)


@pytest.mark.slow
@pytest.mark.real_data
def test_calls_of_a_bank_are_forecast_ten_days_ahead_better_than_by_the_eight_week_average(real_data):
    frame = SERIES["bank_calls"].read(real_data)
    arrivals = Arrivals(frame, slot="30min", holidays="US", timezone="America/New_York")
    matrix = arrivals.matrices["bank_calls"]
    days = matrix.days[matrix.recorded]
    memory: dict = {}
    missed, inside = {"auto": 0.0, "average": 0.0}, []
    for origin in days[-60:-9:7]:
        history, came = arrivals.upto(origin).matrices["bank_calls"], arrivals.following(origin, 10)["bank_calls"]
        outlook = look_ahead(history, came, memory=memory)
        bounds = bounds_of(outlook.sample(400), (0.8,))
        at = came.open_slots
        inside.append(((came.counts >= bounds["lower_80"]) & (came.counts <= bounds["upper_80"]))[at].mean())
        missed["auto"] += np.abs(outlook.mean - came.counts)[at].sum() / came.counts[at].sum()
        average = WeekdayAverage(8).fit(history).mean(came)
        missed["average"] += np.abs(average - came.counts)[at].sum() / came.counts[at].sum()
    assert missed["auto"] / len(inside) <= 0.053
    assert missed["auto"] < 0.8 * missed["average"]
    assert np.mean(inside) == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize(
    ("timezone", "end", "slot"),
    [("Europe/Berlin", "2026-10-23", "30min"), ("Australia/Lord_Howe", "2026-04-03", "60min")],
)
def test_rows_follow_the_time_also_where_the_clock_says_the_same_twice(timezone, end, slot):
    starts = pd.date_range(end=end, periods=60 * 48, freq="30min", tz=timezone, inclusive="left")
    counts = np.random.default_rng(0).poisson(20, len(starts))
    frame = pd.DataFrame({"start": starts.tz_convert("UTC"), "arrivals": counts})
    found = forecast(Arrivals(frame, slot, holidays="", timezone=timezone), days=4)
    assert found.table["start"].dt.tz_convert("UTC").is_monotonic_increasing
    assert not found.table["start"].duplicated().any()
    paths = found.paths(50)
    assert (paths.index.get_level_values("start") == pd.DatetimeIndex(found.table["start"])).all()
    assert paths.to_numpy().mean() == pytest.approx(found.table["mean"].mean(), rel=0.05)
