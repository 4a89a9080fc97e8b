"""Arrivals on their calendar: hours, closed, zero, missing, clock changes, and what is to come."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.demand import Arrivals, DayMatrix
from svcanalytics.errors import DemandError

HALF = pd.Timedelta("30min")


def made_up(first: str, last: str, spans: dict[int, tuple[float, float]], mean: float = 20.0, seed: int = 0):
    """Return Poisson counts per half hour; `spans` gives each weekday's opening and closing hour."""
    rng = np.random.default_rng(seed)
    starts = [
        start
        for day in pd.date_range(first, last)
        if day.day_of_week in spans
        for start in pd.date_range(
            day + pd.Timedelta(hours=spans[day.day_of_week][0]),
            day + pd.Timedelta(hours=spans[day.day_of_week][1]),
            freq=HALF,
            inclusive="left",
        )
    ]
    return pd.DataFrame({"start": starts, "arrivals": rng.poisson(mean, len(starts))})


OFFICE = dict.fromkeys(range(5), (8, 18))
ALWAYS_OFFICE = dict.fromkeys(range(7), (8, 18))
ALWAYS = dict.fromkeys(range(7), (0, 24))


def on(frame: pd.DataFrame, day: str) -> pd.Series:
    return frame["start"].dt.strftime("%Y-%m-%d") == day


def only(arrivals: Arrivals) -> DayMatrix:
    return next(iter(arrivals.matrices.values()))


def reported(arrivals: Arrivals, what: str) -> list[str]:
    report = arrivals.report
    return report.loc[report["what"] == what, "start"].dt.strftime("%Y-%m-%d").tolist()


def test_every_day_has_a_row_and_closed_ones_neither_count_nor_exposure():
    frame = made_up("2026-01-05", "2026-03-29", OFFICE)
    matrix = only(Arrivals(frame, holidays=""))
    assert len(matrix.days) == 82  # up to the last day with a row, a Friday
    assert matrix.counts.shape == (82, 20)
    weekend = matrix.days.day_of_week >= 5
    assert (matrix.exposure[weekend] == 0).all() and np.isnan(matrix.counts[weekend]).all()
    assert (matrix.exposure[~weekend] == 1).all() and matrix.recorded.sum() == 60
    assert np.nansum(matrix.counts) == frame["arrivals"].sum()
    assert matrix.slots[[0, -1]].tolist() == [8 * 3600, 17.5 * 3600]


def test_an_absent_public_holiday_is_closed_and_an_absent_ordinary_day_missing():
    frame = made_up("2026-03-02", "2026-10-30", OFFICE)
    frame = frame[~on(frame, "2026-05-25") & ~on(frame, "2026-07-03") & ~on(frame, "2026-04-08")]
    arrivals = Arrivals(frame, holidays="US")
    matrix = only(arrivals)
    state = pd.DataFrame({"open": matrix.open_days, "recorded": matrix.recorded}, index=matrix.days)
    assert not state.loc["2026-05-25", "open"] and not state.loc["2026-07-03", "open"]
    assert state.loc["2026-04-08"].tolist() == [True, False]
    # Labour Day and Columbus Day have arrivals: the history says they are open.
    assert state.loc[["2026-09-07", "2026-10-12"]].all(axis=None)
    assert reported(arrivals, "holiday without arrivals") == ["2026-05-25", "2026-07-03"]
    assert reported(arrivals, "missing day") == ["2026-04-08"]
    # Without a calendar the same days are missing.
    assert reported(Arrivals(frame, holidays=""), "missing day") == ["2026-04-08", "2026-05-25", "2026-07-03"]


def test_holidays_to_come_are_as_the_history_had_them():
    frame = made_up("2025-01-06", "2026-04-24", OFFICE)
    kept = frame[~frame["start"].dt.strftime("%m-%d").isin(["05-26"])]
    ahead = only_future(Arrivals(kept, holidays="US"), 30)
    open_ = pd.Series(ahead.open_days, index=ahead.days)
    assert not open_["2026-05-25"]  # Memorial Day, closed the year before on the 26th
    worked = only_future(Arrivals(frame, holidays="US"), 30)
    assert worked.open_days[worked.days == "2026-05-25"].all()


def only_future(arrivals: Arrivals, days: int) -> DayMatrix:
    return next(iter(arrivals.future(days).values()))


def test_make_up_days_are_open_and_substituted_ones_closed_for_an_office_in_china():
    frame = made_up("2025-01-06", "2026-01-30", OFFICE)
    off = ["2025-01-28", "2025-01-29", "2025-01-30", "2025-01-31", "2025-02-03", "2025-02-04", "2025-04-04"]
    off += ["2025-05-01", "2025-05-02", "2025-05-05", "2025-06-02", "2025-10-01", "2025-10-02", "2025-10-03"]
    off += ["2025-10-06", "2025-10-07", "2025-10-08", "2026-01-01", "2026-01-02"]
    frame = frame[~frame["start"].dt.strftime("%Y-%m-%d").isin(off)]
    made = [made_up(day, day, ALWAYS_OFFICE) for day in ("2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28")]
    ahead = only_future(Arrivals(pd.concat([frame, *made]), holidays="CN"), 20)
    open_ = pd.Series(ahead.open_days, index=ahead.days)
    assert open_["2026-02-14"] and open_["2026-02-28"]  # worked Saturdays
    assert not open_["2026-02-16":"2026-02-23"].any()
    assert open_.sum() == 20 and open_["2026-02-02":"2026-02-13"].sum() == 10
    # A history without any make-up day: an office that keeps holidays keeps the days that make up for them.
    unseen = frame[(frame["start"] >= "2025-05-26") & (frame["start"] < "2025-09-27")]
    ahead = only_future(Arrivals(unseen, holidays="CN"), 10)
    days = ahead.days[ahead.open_days].strftime("%m-%d").tolist()
    assert days == ["09-28", "09-29", "09-30", "10-09", "10-10", "10-11", "10-13", "10-14", "10-15", "10-16"]
    # Who was never there on one will not be.
    never = only_future(Arrivals(frame, holidays="CN"), 20)
    assert not never.open_days[never.days == "2026-02-14"].any()


def test_a_service_closed_on_the_festival_may_work_on_the_days_off_around_it():
    frame = made_up("2025-01-06", "2026-02-06", ALWAYS_OFFICE)
    festival = ["2025-01-28", "2025-01-29", "2025-01-30", "2025-01-31"]
    arrivals = Arrivals(frame[~frame["start"].dt.strftime("%Y-%m-%d").isin(festival)], holidays="CN")
    ahead = only_future(arrivals, 20)
    closed = ahead.days[~ahead.open_days].strftime("%m-%d").tolist()
    assert closed == ["02-16", "02-17", "02-18", "02-19"]  # statutory; 20 and 23 February stand in for worked days


def test_shorter_hours_of_a_holiday_come_again_with_it():
    frame = made_up("2025-01-06", "2026-04-24", ALWAYS_OFFICE)
    hour, day = frame["start"].dt.hour, frame["start"].dt.strftime("%m-%d")
    frame.loc[day.isin(["05-01", "05-02"]) & ((hour < 10) | (hour >= 14)), "arrivals"] = 0
    arrivals = Arrivals(frame, holidays="CN")
    ahead = only_future(arrivals, 15)
    labour_day = ahead.open_slots[ahead.days == "2026-05-01"][0]
    assert ahead.slots[labour_day][[0, -1]].tolist() == [10 * 3600, 13.5 * 3600]
    assert ahead.open_slots[ahead.days == "2026-04-29"].all()
    past = only(arrivals)
    assert past.recorded.all() and past.open_slots[past.days == "2025-05-01"].sum() == 8


def test_the_rarest_arrivals_close_no_weekday_by_chance():
    rng = np.random.default_rng(6)
    days = pd.date_range("2026-01-01", periods=150)
    frame = pd.DataFrame({"start": days, "arrivals": rng.poisson(0.06, 150)})
    assert only(Arrivals(frame, slot="day", holidays="")).recorded.all()
    workdays = frame.assign(arrivals=np.where(days.day_of_week < 5, rng.poisson(1.0, 150), 0))
    assert only(Arrivals(workdays, slot="day", holidays="")).open_days.sum() == (days.day_of_week < 5).sum()


def test_days_are_open_days_and_closed_ones_lie_between():
    ahead = only_future(Arrivals(made_up("2026-01-05", "2026-03-27", OFFICE), holidays=""), 10)
    assert ahead.days[0] == pd.Timestamp("2026-03-28") and ahead.days[-1] == pd.Timestamp("2026-04-10")
    assert ahead.open_days.sum() == 10 and np.isnan(ahead.counts).all()


def test_zeros_of_a_busy_queue_are_closed_days_and_those_of_a_quiet_queue_zeros():
    days = pd.date_range("2026-01-01", periods=120)
    busy = np.where(days.day_of_week == 6, 0, 500)
    busy[[30, 31]] = 0
    quiet = np.random.default_rng(1).poisson(0.4, len(days))
    frame = pd.DataFrame(
        {"queue": ["busy"] * 120 + ["quiet"] * 120, "start": [*days, *days], "arrivals": [*busy, *quiet]}
    )
    arrivals = Arrivals(frame, slot="day", holidays="")
    busy_, quiet_ = arrivals.matrices["busy"], arrivals.matrices["quiet"]
    assert busy_.open_days.sum() == (busy > 0).sum()
    assert quiet_.recorded.all() and quiet_.counts.sum() == quiet.sum()
    assert reported(arrivals, "zeros on a usual day of business") == ["2026-01-31"]


def test_nobody_calling_a_quiet_queue_on_a_holiday_does_not_close_it():
    days = pd.date_range("2025-01-01", "2026-03-31")
    count = np.random.default_rng(7).poisson(0.7, len(days))
    count[days.strftime("%m-%d").isin(["10-01", "01-01"])] = 0
    arrivals = Arrivals(pd.DataFrame({"start": days, "arrivals": count}), slot="day", holidays="CN")
    assert only(arrivals).recorded.all() and only_future(arrivals, 60).open_days.all()


@pytest.mark.parametrize("weekdays", [7, 5])
def test_a_long_stretch_of_zeros_is_closed_unless_it_lasts_to_the_end(weekdays):
    days = pd.date_range("2026-01-01", periods=200)
    worked = days.day_of_week < weekdays
    count = np.where(worked, 500, 0)
    count[60:120] = 0
    frame = pd.DataFrame({"start": days, "arrivals": count})
    assert only(Arrivals(frame, slot="day", holidays="")).open_days.sum() == (count > 0).sum()
    gone = only(Arrivals(frame.iloc[:120], slot="day", holidays=""))
    assert gone.recorded.sum() == worked[:120].sum() and np.nansum(gone.counts[60:]) == 0


def test_a_day_that_is_not_over_is_no_days_count():
    frame = made_up("2026-01-05", "2026-03-27", OFFICE)
    until = frame[frame["start"] < "2026-03-27 10:30"]
    arrivals = Arrivals(until, slot="day", holidays="")
    assert only(arrivals).recorded.sum() == 59 and reported(arrivals, "day recorded in part") == ["2026-03-27"]
    assert only(Arrivals(frame, slot="day", holidays="")).recorded.sum() == 60
    # In half hours the morning counts.
    log = until[until["arrivals"] > 0]
    assert np.isnan(only(Arrivals(log, holidays="", absent="zero")).counts[-1]).sum() == 15


def test_slots_left_out_are_zero_in_logs_and_missing_in_grids():
    frame = made_up("2026-01-05", "2026-03-27", OFFICE, mean=1.5)
    log = frame[frame["arrivals"] > 0]
    matrix = only(Arrivals(log, holidays=""))
    assert np.nansum(matrix.counts) == frame["arrivals"].sum()
    assert (matrix.counts[matrix.open_slots] == 0).sum() == (frame["arrivals"] == 0).sum()
    gone = frame.drop(index=[45, 46])
    holed = only(Arrivals(gone, holidays=""))
    assert np.isnan(holed.counts[holed.open_slots]).sum() == 2
    assert not holed.recorded[2]
    # Said otherwise, it is so.
    filled = only(Arrivals(gone, holidays="", absent="zero"))
    assert filled.recorded[2] and (filled.counts[2] == 0).sum() >= 2


def test_hours_are_inferred_by_weekday_with_a_lunch_break_and_shown():
    spans = OFFICE | {5: (9, 13)}
    frame = made_up("2026-01-05", "2026-03-28", spans)
    lunch = frame["start"].dt.hour.eq(12) & frame["start"].dt.day_of_week.eq(2)
    shown = Arrivals(frame[~lunch], holidays="").hours.set_index("day")["hours"]
    assert shown["mon"] == "08:00-18:00" and shown["sat"] == "09:00-13:00" and shown["sun"] == "closed"
    assert shown["wed"] == "08:00-12:00, 13:00-18:00"


def test_a_stray_contact_at_night_opens_nothing_and_is_set_aside():
    frame = made_up("2026-01-05", "2026-06-26", OFFICE)
    stray = pd.DataFrame({"start": [pd.Timestamp("2026-02-03 03:00"), pd.Timestamp("2026-02-08 10:00")], "arrivals": 1})
    arrivals = Arrivals(pd.concat([frame, stray]), holidays="")
    matrix = only(arrivals)
    assert matrix.counts.shape[1] == 20
    assert np.nansum(matrix.counts) == frame["arrivals"].sum()
    assert reported(arrivals, "arrivals while closed") == ["2026-02-03", "2026-02-08"]


def test_a_weekday_taken_up_or_given_up_is_open_only_then():
    spans = OFFICE | {5: (9, 13)}
    frame = made_up("2026-01-05", "2026-06-27", spans)
    saturday = frame["start"].dt.day_of_week == 5
    late = Arrivals(frame[~saturday | (frame["start"] >= "2026-05-01")], holidays="")
    matrix = only(late)
    saturdays = matrix.days[matrix.open_days & (matrix.days.day_of_week == 5)]
    assert saturdays[0] == pd.Timestamp("2026-05-02") and len(saturdays) == 9
    assert only_future(late, 6).open_days[only_future(late, 6).days.day_of_week == 5].all()
    early = Arrivals(frame[~saturday | (frame["start"] < "2026-05-01")], holidays="")
    assert only(early).open_days[only(early).days.day_of_week == 5].sum() == 16
    assert not only_future(early, 10).open_days[only_future(early, 10).days.day_of_week == 5].any()


def test_longer_hours_count_from_the_day_they_begin():
    frame = made_up("2026-01-05", "2026-06-26", OFFICE)
    late = made_up("2026-05-04", "2026-06-26", dict.fromkeys(range(5), (18, 20)), seed=1)
    matrix = only(Arrivals(pd.concat([frame, late]), holidays=""))
    evening = matrix.open_slots[:, matrix.slots >= 18 * 3600]
    before = matrix.days < "2026-05-04"
    assert not evening[before].any() and evening[~before & (matrix.days.day_of_week < 5)].all()


def test_a_dead_hour_on_a_busy_day_is_missing_not_zero():
    frame = made_up("2026-01-05", "2026-03-27", OFFICE)
    dead = on(frame, "2026-02-11") & frame["start"].dt.hour.isin([10, 11, 12])
    frame.loc[dead, "arrivals"] = 0
    arrivals = Arrivals(frame, holidays="")
    matrix = only(arrivals)
    assert np.isnan(matrix.counts[matrix.days == "2026-02-11"]).sum() == 6
    assert reported(arrivals, "gap within a day") == ["2026-02-11"]


def test_given_hours_win_and_what_lies_outside_is_said():
    frame = made_up("2026-01-05", "2026-03-27", OFFICE)
    arrivals = Arrivals(frame, hours={"mon-thu": ["09:00-17:00"], "fri": ["09:00-12:30"]}, holidays="")
    matrix = only(arrivals)
    assert matrix.slots[[0, -1]].tolist() == [9 * 3600, 16.5 * 3600]
    friday = matrix.open_slots[matrix.days.day_of_week == 4]
    assert friday.sum(axis=1).tolist() == [7] * 12
    inside = frame[(frame["start"].dt.hour >= 9) & (frame["start"].dt.hour < 17)]
    after = inside["start"].dt.day_of_week.eq(4) & (inside["start"].dt.strftime("%H:%M") >= "12:30")
    assert np.nansum(matrix.counts) == inside.loc[~after, "arrivals"].sum()
    assert (arrivals.report["what"] == "arrivals while closed").any()
    assert set(arrivals.hours["source"]) == {"given"}


def test_given_hours_close_holidays_and_open_make_up_days_when_they_say_so():
    frame = made_up("2026-03-02", "2026-04-24", OFFICE)
    definition = {"hours": {"mon-fri": ["08:00-18:00"]}, "holidays": True, "closed": ["2026-05-12"]}
    open_ = pd.Series(dtype=bool)
    ahead = only_future(Arrivals(frame, hours=definition, holidays="CN"), 15)
    open_ = pd.Series(ahead.open_days, index=ahead.days)
    assert not open_["2026-05-01":"2026-05-05"].any() and open_["2026-05-09"] and not open_["2026-05-12"]
    without = only_future(Arrivals(frame, hours={"mon-fri": ["08:00-18:00"]}, holidays="CN"), 15)
    assert pd.Series(without.open_days, index=without.days)["2026-05-01"]


def test_queues_may_have_hours_of_their_own_and_calendars_are_known_by_id():
    frame = made_up("2026-01-05", "2026-03-27", OFFICE)
    both = pd.concat([frame.assign(queue="a"), frame.assign(queue="b")])
    arrivals = Arrivals(both, hours={"a": "infer", "b": "counter_hours"}, holidays="CN")
    shown = arrivals.hours.set_index(["queue", "day"])["hours"]
    assert shown["a", "mon"] == "08:00-18:00" and shown["b", "mon"] == "09:00-17:30"
    with pytest.raises(DemandError, match="no calendar 'teatime'"):
        Arrivals(frame, hours="teatime")
    with pytest.raises(DemandError, match="has no hours"):
        Arrivals(both, hours={"a": "infer"})


@pytest.mark.parametrize("aware", [True, False])
def test_clocks_that_change_leave_an_hour_out_and_give_one_twice(aware):
    zone = "America/New_York"
    instants = pd.date_range("2026-02-23", "2026-11-08", freq=HALF, tz=zone, inclusive="left")
    counts = np.random.default_rng(2).poisson(30, len(instants))
    starts = instants.tz_convert("UTC") if aware else instants.tz_localize(None)
    arrivals = Arrivals(pd.DataFrame({"start": starts, "arrivals": counts}), holidays="", timezone=zone)
    matrix = only(arrivals)
    spring, autumn = matrix.days == "2026-03-08", matrix.days == "2026-11-01"
    assert matrix.exposure[spring][0, :6].tolist() == [1, 1, 1, 1, 0, 0]
    assert matrix.exposure[autumn][0, :6].tolist() == [1, 1, 2, 2, 1, 1]
    assert (matrix.exposure[~spring & ~autumn] == 1).all()
    assert np.nansum(matrix.counts) == counts.sum() and np.isnan(matrix.counts[spring]).sum() == 2
    twice = counts[(instants >= "2026-11-01 01:00-04:00") & (instants < "2026-11-01 02:00-05:00")]
    assert matrix.counts[autumn][0, 2:4].tolist() == [twice[0] + twice[2], twice[1] + twice[3]]
    assert matrix.recorded.all()


def test_days_to_come_know_when_clocks_change():
    frame = made_up("2026-01-05", "2026-03-26", ALWAYS)
    ahead = only_future(Arrivals(frame, holidays="", timezone="Europe/Berlin"), 5)
    assert ahead.exposure.sum(axis=1).tolist() == [48, 48, 46, 48, 48]


def test_a_local_time_that_does_not_exist_is_refused_unless_nothing_came():
    frame = pd.DataFrame({"start": pd.date_range("2026-03-01", "2026-03-31", freq="1h"), "arrivals": 3})
    with pytest.raises(DemandError, match=r"does not exist in Europe/Berlin[\s\S]*aware") as error:
        Arrivals(frame, "60min", holidays="", timezone="Europe/Berlin")
    assert "2026-03-29 02:00" in error.value.where
    frame.loc[frame["start"] == "2026-03-29 02:00", "arrivals"] = 0
    arrivals = Arrivals(frame, "60min", holidays="", timezone="Europe/Berlin")
    assert reported(arrivals, "skipped hour") == ["2026-03-29"]


def test_finer_rows_are_summed_and_a_half_hour_recorded_in_part_is_dropped():
    starts = [
        start
        for day in pd.bdate_range("2026-01-05", "2026-03-27")
        for start in pd.date_range(day + pd.Timedelta(hours=7), day + pd.Timedelta(hours=21), freq="5min")
    ]
    frame = pd.DataFrame({"start": starts, "arrivals": np.random.default_rng(3).poisson(9, len(starts))})
    arrivals = Arrivals(frame, holidays="")
    matrix = only(arrivals)
    inside = frame[frame["start"].dt.hour < 21]
    assert matrix.counts.shape[1] == 28
    naive = inside.groupby(inside["start"].dt.floor("30min"))["arrivals"].sum()
    np.testing.assert_array_equal(matrix.counts[matrix.open_days].ravel(), naive.to_numpy())
    assert reported(arrivals, "slot recorded in part") == ["2026-01-05"]
    # One five minutes gone: that half hour is not known.
    holed = only(Arrivals(inside.drop(index=inside.index[40]), holidays=""))
    assert np.isnan(holed.counts[holed.open_slots]).sum() == 1


def test_a_table_of_open_slots_comes_back_as_it_went_in():
    frame = made_up("2026-01-05", "2026-03-27", OFFICE)
    table = Arrivals(frame, holidays="", timezone="Asia/Shanghai").table
    assert table["start"].dt.tz is not None
    again = Arrivals(table, holidays="")
    assert again.timezone == "Asia/Shanghai"
    pd.testing.assert_frame_equal(again.table, table)


def test_what_comes_later_changes_nothing_before():
    frame = made_up("2026-01-05", "2026-06-26", OFFICE)
    later = frame["start"] >= "2026-05-01"
    changed = frame.copy()
    changed.loc[later, "arrivals"] = changed.loc[later, "arrivals"].to_numpy()[::-1] * 7
    one, two = (only(Arrivals(f, holidays="US").upto("2026-05-01")) for f in (frame, changed))
    np.testing.assert_array_equal(one.counts, two.counts)
    np.testing.assert_array_equal(one.exposure, two.exposure)
    pd.testing.assert_frame_equal(one.features, two.features)
    cut = only(Arrivals(frame[~later], holidays="US"))
    np.testing.assert_array_equal(one.counts, cut.counts)


def test_a_moment_stands_for_its_local_day():
    arrivals = Arrivals(made_up("2026-01-05", "2026-06-26", OFFICE), holidays="", timezone="Asia/Shanghai")
    for day in (
        "2026-05-01",
        "2026-05-01 10:30",
        pd.Timestamp("2026-04-30 20:00", tz="UTC"),
        pd.Timestamp("2026-05-01"),
    ):
        assert arrivals.upto(day).last_day == pd.Timestamp("2026-04-30")
    with pytest.raises(DemandError, match="no history before"):
        arrivals.upto("2026-01-05")
    with pytest.raises(DemandError, match="whole days, at least one"):
        arrivals.future(0)


def test_what_followed_counts_closures_as_announced():
    frame = made_up("2026-03-02", "2026-06-26", OFFICE)
    frame = frame[~on(frame, "2026-05-25") & ~on(frame, "2026-05-20")]
    arrivals = Arrivals(frame, holidays="US")
    came = next(iter(arrivals.following("2026-05-18", 10).values()))
    assert came.open_days.sum() == 10 and came.recorded.sum() == 10
    assert came.days[-1] == pd.Timestamp("2026-06-02")
    assert not came.open_days[came.days.isin(["2026-05-20", "2026-05-25"])].any()
    assert arrivals.following("2026-06-20", 10) == {}


def test_what_is_wrong_with_a_day_is_not_known_before_it():
    frame = made_up("2026-03-02", "2026-06-26", OFFICE, mean=90)
    frame.loc[on(frame, "2026-05-20"), "arrivals"] = frame.loc[on(frame, "2026-05-13"), "arrivals"].to_numpy()
    arrivals = Arrivals(frame, holidays="")
    assert only(arrivals).features["excluded"].sum() == 1
    assert not next(iter(arrivals.following("2026-05-18", 10).values())).features["excluded"].any()


def test_regressors_nobody_knows_ahead_end_with_the_history():
    frame = made_up("2026-01-05", "2026-03-27", OFFICE)
    drivers = pd.DataFrame({"day": pd.date_range("2026-01-05", "2026-05-01"), "rain": 1.0, "booked": 2.0})
    arrivals = Arrivals(frame, holidays="", regressors=drivers, unknown_ahead=["rain"])
    assert only(arrivals).features[["x_rain", "x_booked"]].notna().all(axis=None)
    for ahead in (only_future(arrivals, 10), only(arrivals.upto("2026-03-01"))):
        assert ahead.features["x_booked"].notna().all()
    assert only_future(arrivals, 10).features["x_rain"].isna().all()
    assert next(iter(arrivals.following("2026-03-02", 10).values())).features["x_rain"].isna().all()
    late = Arrivals(frame, holidays="", regressors=drivers[drivers["day"] >= "2026-02-01"])
    assert set(late.report.loc[late.report["what"] == "regressor unknown", "detail"]) == {
        "rain lacks 27 days",
        "booked lacks 27 days",
    }
    with pytest.raises(DemandError, match="no regressor 'snow'"):
        Arrivals(frame, regressors=drivers, unknown_ahead=["snow"])


def test_events_of_one_queue_are_not_another_queues():
    frame = made_up("2026-01-05", "2026-03-27", OFFICE)
    both = pd.concat([frame.assign(queue="a"), frame.assign(queue="b")])
    events = [{"name": "cut", "start": "2026-02-02", "effect": "outage", "queue": "a"}]
    events += [{"name": "shut", "start": "2026-03-31", "effect": "closed", "queue": "b"}]
    arrivals = Arrivals(both, holidays="", events=events)
    assert arrivals.matrices["a"].features["excluded"].sum() == 1
    assert arrivals.matrices["b"].features["excluded"].sum() == 0
    ahead = arrivals.future(5)
    assert ahead["a"].open_days.sum() == ahead["b"].open_days.sum() == 5
    assert ahead["b"].days[-1] - ahead["a"].days[-1] == pd.Timedelta("3D")  # over the weekend


def test_one_queue_alone_is_the_same_and_small():
    rng = np.random.default_rng(4)
    frame = made_up("2026-01-05", "2026-03-27", OFFICE)
    many = pd.concat([frame.assign(queue=f"q{i}", arrivals=rng.poisson(9, len(frame))) for i in range(20)])
    arrivals = Arrivals(many, holidays="")
    alone = pickle.loads(pickle.dumps(arrivals.only("q7")))
    assert alone.queues == ["q7"] and len(pickle.dumps(alone)) < 0.3 * len(pickle.dumps(arrivals))
    np.testing.assert_array_equal(alone.upto("2026-03-01").matrices["q7"].counts[:, 0], counts_before(arrivals, "q7"))
    with pytest.raises(DemandError, match="no queue 'x'"):
        arrivals.only("x")


def counts_before(arrivals: Arrivals, queue: str) -> np.ndarray:
    matrix = arrivals.matrices[queue]
    return matrix.counts[matrix.days < "2026-03-01", 0]


EIGHT_WEEKS = made_up("2026-01-05", "2026-02-27", OFFICE)


@settings(max_examples=20)
@given(st.randoms(use_true_random=False), st.integers(2, 9))
def test_the_order_of_rows_is_nothing_and_volumes_scale(random, factor):
    order = list(range(len(EIGHT_WEEKS)))
    random.shuffle(order)
    one = only(Arrivals(EIGHT_WEEKS, holidays=""))
    two = only(Arrivals(EIGHT_WEEKS.iloc[order].assign(arrivals=lambda f: f["arrivals"] * factor), holidays=""))
    np.testing.assert_array_equal(two.counts, one.counts * factor)
    np.testing.assert_array_equal(two.exposure, one.exposure)


@settings(max_examples=40)
@given(
    seed=st.integers(0, 10**6),
    n=st.sampled_from([1, 2, 9, 60, 900]),
    days=st.sampled_from([1, 4, 30, 400]),
    mean=st.sampled_from([0, 0.1, 3, 400]),
    slot=st.sampled_from(["15min", "60min", "day"]),
    country=st.sampled_from(["CN", "US", ""]),
)
def test_whatever_was_recorded_days_are_whole_and_nothing_is_lost_unsaid(seed, n, days, mean, slot, country):
    rng = np.random.default_rng(seed)
    at = pd.Timestamp("2025-10-01") + pd.to_timedelta(np.unique(rng.integers(0, days * 96, n)) * 15, unit="min")
    frame = pd.DataFrame({"start": at, "arrivals": rng.poisson(mean, len(at))})
    arrivals = Arrivals(frame, slot, holidays=country)
    matrix = only(arrivals)
    assert matrix.counts.shape == matrix.exposure.shape == (len(matrix.days), len(matrix.slots))
    assert (np.diff(matrix.days) == np.timedelta64(1, "D")).all() and matrix.features.index.equals(matrix.days)
    assert np.isnan(matrix.counts[matrix.exposure == 0]).all()
    lost = frame["arrivals"].sum() - np.nansum(matrix.counts)
    said = {"arrivals while closed", "day recorded in part", "gap within a day", "slot recorded in part", "shorter day"}
    assert lost == 0 or (lost > 0 and said & set(arrivals.report["what"]))
    ahead = only_future(arrivals, 3)
    assert ahead.days[0] == arrivals.last_day + pd.Timedelta(days=1) and len(ahead.slots) == len(matrix.slots)
    assert set(arrivals.hours.columns) == {"queue", "day", "hours", "source"}


def test_taking_a_closed_days_rows_away_changes_nothing_elsewhere():
    frame = made_up("2026-01-05", "2026-06-26", OFFICE)
    one = only(Arrivals(frame, holidays="US"))
    two = only(Arrivals(frame[~on(frame, "2026-05-25")], holidays="US"))
    other = one.days != "2026-05-25"
    np.testing.assert_array_equal(one.counts[other], two.counts[other])
    np.testing.assert_array_equal(one.exposure[other], two.exposure[other])
    assert two.exposure[~other].sum() == 0


def test_a_queue_without_any_arrivals_is_open_where_its_rows_stand():
    frame = made_up("2026-01-05", "2026-02-27", OFFICE).assign(arrivals=0)
    arrivals = Arrivals(frame, holidays="")
    matrix = only(arrivals)
    assert matrix.recorded.sum() == 40 and np.nansum(matrix.counts) == 0
    assert only_future(arrivals, 10).open_days.sum() == 10
    assert reported(arrivals, "no arrivals") == ["2026-01-05"]


def test_two_days_are_taken_as_they_are_and_said_to_be_few():
    arrivals = Arrivals(made_up("2026-01-05", "2026-01-06", OFFICE), holidays="")
    matrix = only(arrivals)
    assert matrix.recorded.sum() == 2
    assert reported(arrivals, "short history") == ["2026-01-05"]
    # Hours of weekdays that never were are those of like weekdays.
    assert only_future(arrivals, 5).days[-1] == pd.Timestamp("2026-01-13")
    assert "wed, thu, fri, sat, sun" in arrivals.report["detail"].tolist()


def test_a_horizon_beyond_the_described_days_is_described():
    arrivals = Arrivals(made_up("2026-01-05", "2026-02-27", OFFICE), holidays="")
    ahead = only_future(arrivals, 500)
    assert ahead.open_days.sum() == 500 and len(ahead.features) == len(ahead.days)


def test_the_future_in_a_year_not_announced_says_so():
    arrivals = Arrivals(made_up("2026-10-05", "2026-12-18", OFFICE), holidays="CN")
    ahead = only_future(arrivals, 15)
    assert ahead.features["provisional"].tolist() == (ahead.days.year > 2026).tolist()


@pytest.mark.slow
def test_a_thousand_queues_of_a_year_fit_into_two_gigabytes_and_a_minute():
    import resource
    import time

    frame = made_up("2025-01-01", "2025-12-31", OFFICE)
    queues = pd.Categorical.from_codes(np.repeat(np.arange(1000), len(frame)), [f"q{i}" for i in range(1000)])
    counts = np.random.default_rng(5).poisson(6, len(frame) * 1000)
    many = pd.DataFrame({"queue": queues, "start": np.tile(frame["start"].to_numpy(), 1000), "arrivals": counts})
    began = time.perf_counter()
    arrivals = Arrivals(many, holidays="")
    assert time.perf_counter() - began < 60 and len(arrivals.queues) == 1000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2e6


def test_a_year_of_one_queue_is_ready_in_a_fraction_of_a_second():
    import time

    frame = made_up("2025-01-01", "2025-12-31", OFFICE)
    Arrivals(frame)
    best = min(timed(time.perf_counter, frame) for _ in range(5))
    assert best < 0.3


def timed(clock, frame: pd.DataFrame) -> float:
    began = clock()
    Arrivals(frame)
    return clock() - began


def test_one_wild_count_closes_no_day_around_it():
    frame = made_up("2026-03-02", "2026-06-26", OFFICE)
    wild = frame.assign(arrivals=frame["arrivals"].where(frame.index != 700, 10**9))
    tame, matrix = only(Arrivals(frame, holidays="")), only(Arrivals(wild, holidays=""))
    assert (matrix.exposure == tame.exposure).all()
    assert (matrix.counts != tame.counts)[tame.open_slots].sum() == 1


def test_hours_that_hold_no_arrivals_at_all_are_refused():
    frame = made_up("2026-03-02", "2026-04-24", OFFICE)
    with pytest.raises(DemandError, match="all arrivals lie outside the hours"):
        Arrivals(frame, hours={"sat": ["08:00-12:00"]}, holidays="")
