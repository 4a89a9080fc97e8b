"""Frames that can't be right are refused with where and how to put it right; what can be repaired is, and said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.demand.history.intake import take_in
from svcanalytics.errors import DemandError


def hours(days: int = 20, every: str = "1h") -> pd.DataFrame:
    starts = pd.date_range("2026-03-02", periods=days * pd.Timedelta("1D") // pd.Timedelta(every), freq=every)
    return pd.DataFrame({"start": starts, "arrivals": np.arange(len(starts)) % 7 + 1})


def with_count(value: object) -> pd.DataFrame:
    frame = hours().astype({"arrivals": object})
    frame.loc[5, "arrivals"] = value
    return frame


@pytest.mark.parametrize(
    ("frame", "what", "where"),
    [
        (with_count(-1), "negative", "2026-03-02 05:00"),
        (with_count(2.5), "not a whole number", "2026-03-02 05:00"),
        (with_count(float("inf")), "not a whole number", "2026-03-02 05:00"),
        (with_count("many"), "not a number", "2026-03-02 05:00"),
        (hours().rename(columns={"arrivals": "calls"}), "no column 'arrivals'", "calls"),
        (hours().iloc[:0], "no rows", ""),
        (hours().set_index("start")["arrivals"], "not as Series", ""),
        (pd.concat([hours(), hours()[["arrivals"]]], axis=1), "column stands there twice", "arrivals"),
        (hours().assign(start="soon"), "can't be read as times", "soon"),
        (hours().assign(start="1-2-2026"), "can't be read as times", "1-2-2026"),
        (hours().assign(start=range(480)), "can't be read as times", "0"),
        (hours().assign(start=lambda f: f["start"].where(f.index != 3)), "no start", ""),
        (hours().assign(queue=lambda f: np.where(f.index == 3, None, "a")), "no queue", "03:00"),
        (pd.concat([hours(), hours().iloc[[3]].assign(arrivals=99)]), "twice with different counts", "03:00"),
        (hours(every="20min"), "20 minutes apart do not fill slots of 30", ""),
        (hours(every="1h"), "60 minutes apart do not fill slots of 30", ""),
    ],
)
def test_a_frame_that_cannot_be_right_is_refused(frame, what, where):
    with pytest.raises(DemandError, match=what) as error:
        take_in(frame, "30min", None)
    assert where in error.value.where and error.value.fix


def test_starts_may_be_texts_or_days():
    texts = hours().assign(start=lambda f: f["start"].dt.strftime("%Y-%m-%d %H:%M"))
    np.testing.assert_array_equal(
        take_in(texts, "1h", None).tallies[""].counts, take_in(hours(), "1h", None).tallies[""].counts
    )
    days = pd.DataFrame({"start": pd.date_range("2026-03-02", periods=9).date, "arrivals": 3})
    assert take_in(days, "day", None).tallies[""].counts.shape == (9, 1)


def test_an_unknown_slot_or_zone_is_refused():
    with pytest.raises(DemandError, match="no slot '7min'"):
        take_in(hours(), "7min", None)
    with pytest.raises(DemandError, match="no time zone 'Mars'"):
        take_in(hours(), "1h", "Mars")


def test_rows_that_stand_there_again_with_the_same_count_count_once():
    frame = pd.concat([hours(), hours().iloc[10:30]])
    intake = take_in(frame, "1h", None)
    assert np.nansum(intake.tallies[""].counts) == hours()["arrivals"].sum()
    assert [(f.what, f.done) for f in intake.findings] == [("duplicated rows", "one of each kept")]
    assert "20 rows" in intake.findings[0].detail


def test_the_same_slot_in_two_queues_is_no_duplicate():
    both = pd.concat([hours().assign(queue="a"), hours().assign(queue="b", arrivals=2)])
    intake = take_in(both, "1h", None)
    assert list(intake.tallies) == ["a", "b"] and intake.findings == []


def test_slots_of_mixed_lengths_are_refused_or_summed_to_the_longer_and_said():
    half, whole = hours(20, "30min"), hours(40)
    mixed = pd.concat([half, whole[whole["start"] > half["start"].max()]])
    with pytest.raises(DemandError, match=r"mixed lengths: rows are 30 minutes apart on some days and 60") as error:
        take_in(mixed, "30min", None)
    assert "2026-03-22" in error.value.where
    intake = take_in(mixed, "60min", None)
    assert np.nansum(intake.tallies[""].counts) == mixed["arrivals"].sum()
    assert [f.what for f in intake.findings] == ["mixed slot lengths"]


def test_logs_that_list_only_what_came_are_no_mixture():
    rng = np.random.default_rng(0)
    frame = hours(200, "30min").assign(arrivals=lambda f: rng.poisson(0.4, len(f)))
    intake = take_in(frame[frame["arrivals"] > 0], "30min", None)
    assert intake.findings == [] and not intake.lists_zeros
    summed = take_in(frame[frame["arrivals"] > 0], "60min", None)
    assert np.nansum(summed.tallies[""].counts) == frame["arrivals"].sum() and summed.findings == []


def test_a_handful_of_contacts_that_lie_far_apart_is_no_coarse_grid():
    few = pd.DataFrame({"start": pd.to_datetime(["2026-03-02 08:00", "2026-03-04 10:00"]), "arrivals": 1})
    counts = take_in(few, "30min", None).tallies[""].counts
    assert counts.shape == (3, 48) and np.nansum(counts) == 2


def test_moments_at_any_second_are_summed_to_slots():
    at = pd.Timestamp("2026-03-02") + pd.to_timedelta(np.random.default_rng(1).integers(0, 86400 * 9, 5000), unit="s")
    frame = pd.Series(at).value_counts().rename_axis("start").reset_index(name="arrivals")
    counts = take_in(frame, "15min", None).tallies[""].counts
    naive = pd.Series(at).dt.floor("15min").value_counts()
    assert np.nansum(counts) == 5000
    for start, n in naive.items():
        day, second = (start - pd.Timestamp("2026-03-02")).days, start.hour * 3600 + start.minute * 60
        assert counts[day, second // 900] == n


def test_a_local_hour_that_comes_twice_and_stands_there_once_is_the_count_of_both():
    frame = pd.DataFrame({"start": pd.date_range("2026-10-19", "2026-10-30", freq="1h"), "arrivals": 4})
    intake = take_in(frame, "60min", "Europe/Berlin")
    assert [(f.what, f.done) for f in intake.findings] == [("repeated hour", "taken as the counts of both hours")]
    assert intake.tallies[""].counts[6, 2] == 4
    twice = pd.concat([frame, frame[frame["start"] == "2026-10-25 02:00"]])
    intake = take_in(twice, "60min", "Europe/Berlin")
    assert intake.findings[0].done == "each pair summed" and intake.tallies[""].counts[6, 2] == 8


def test_aware_starts_are_put_into_the_zone_asked_for():
    utc = hours().assign(start=lambda f: f["start"].dt.tz_localize("UTC"))
    assert take_in(utc, "1h", None).timezone == "UTC"
    shanghai = take_in(utc, "1h", "Asia/Shanghai")
    assert shanghai.timezone == "Asia/Shanghai" and np.isnan(shanghai.tallies[""].counts[0, :8]).all()
    assert shanghai.tallies[""].counts[0, 8] == utc["arrivals"].iloc[0]


@pytest.mark.parametrize("wrong", ["1970-01-01 09:00", "2059-12-31 09:00"])
def test_a_handful_of_rows_years_away_is_left_out_and_said(wrong: str) -> None:
    intake = take_in(pd.concat([hours(), hours().iloc[:1].assign(start=pd.Timestamp(wrong))]), "60min", None)
    assert (intake.days[0], intake.days[-1]) == (pd.Timestamp("2026-03-02"), pd.Timestamp("2026-03-21"))
    assert [(f.what, wrong[:10] in f.detail) for f in intake.findings] == [("dates far off", True)]


def test_a_history_with_a_gap_of_years_is_kept() -> None:
    later = hours().assign(start=lambda f: f["start"] + pd.Timedelta("800D"))
    assert (
        np.nansum(take_in(pd.concat([hours(), later]), "60min", None).tallies[""].counts) == 2 * hours().arrivals.sum()
    )
