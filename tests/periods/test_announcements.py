"""Holidays given by hand, and the published Chinese calendar held against another's."""

from __future__ import annotations

from datetime import date

import chinese_calendar
import pandas as pd
import pytest

from svcanalytics.errors import PeriodError
from svcanalytics.periods import day_classes, last_announced_year, read_holidays

OFF = ["holiday", "substituted", "weekend"]
NEXT = (last_announced_year("CN") or 0) + 1


def test_every_day_from_2010_to_2026_is_off_worked_or_made_up_as_announced():
    frame = day_classes(date(2010, 1, 1), date(2027, 1, 1), "CN")
    days = [day.date() for day in frame["day"]]
    worked = pd.Series([chinese_calendar.is_workday(day) for day in days])
    made_up = worked & pd.Series([day.weekday() >= 5 for day in days])
    assert len(days) == 6209
    assert (~frame["day_class"].isin(OFF)).tolist() == worked.tolist()
    assert (frame["day_class"] == "make_up").tolist() == made_up.tolist()
    assert made_up.sum() > 90


def test_a_scenario_of_a_year_not_announced_takes_its_place(tmp_path):
    file = tmp_path / "next.toml"
    text = (
        f'country = "CN"\n[{NEXT}]\ndays_off = ["{NEXT}-10-01 to {NEXT}-10-07"]\n'
        f'make_up = ["{next_sunday(date(NEXT, 10, 8))}"]\n'
    )
    file.write_text(text, encoding="utf-8")
    calendar = read_holidays(file)
    frame = day_classes(date(NEXT, 10, 1), date(NEXT, 10, 20), calendar).set_index("day")["day_class"]
    assert not day_classes(date(NEXT, 10, 1), date(NEXT, 10, 20), calendar)["provisional"].any()
    assert frame.iloc[:7].isin(OFF).all() and (frame.iloc[:3] == "holiday").all()
    assert (frame == "make_up").sum() == 1 and frame.loc[str(next_sunday(date(NEXT, 10, 8)))] == "make_up"
    weekdays_off = frame.iloc[3:7][frame.index[3:7].day_of_week < 5]
    assert (weekdays_off == "substituted").all()


def next_sunday(day: date) -> date:
    return (pd.Timestamp(day) + pd.offsets.Week(weekday=6)).date()


def test_a_mapping_of_days_to_names_is_all_the_holidays_there_are():
    calendar = read_holidays({"2026-03-04": "Founding day"})
    frame = day_classes(date(2026, 1, 1), date(2026, 4, 1), calendar)
    assert frame.loc[frame["day_class"] == "holiday", "day"].tolist() == [pd.Timestamp("2026-03-04")]
    assert calendar.year(2026).names == {date(2026, 3, 4): "Founding day"}


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ({"country": "CN", 2027: {"days_off": ["2027-02-30"]}}, "no day"),
        ({"country": "CN", 2027: {"days_off": ["2026-02-05"]}}, "not a day of 2027"),
        ({"country": "CN", 2027: {"days_off": ["2027-02-11 to 2027-02-05"]}}, "ends before it begins"),
        ({"country": "CN", 2027: {"make_up": ["2027-02-17"]}}, "Wednesday, a working day anyway"),
        ({"country": "CN", 2027: {"days_off": ["2027-02-14"], "make_up": ["2027-02-14"]}}, "worked and is a day off"),
        ({"country": "CN", 2027: {"make_up": ["2027-02-06"]}}, "worked and is a day off"),
        ({"country": "CN", 2027: {"off": []}}, "unknown key"),
        ({"country": "ZZ"}, "no holiday calendar"),
        ({"year 2027": {}}, "no year"),
        ("ZZ", "no holiday calendar"),
        ("nowhere.toml", "no such file"),
    ],
)
def test_a_wrong_holiday_file_is_refused_with_where_and_how_to_fix_it(source, what):
    with pytest.raises(PeriodError, match=what) as error:
        read_holidays(source)
    assert error.value.fix


def test_a_file_with_a_day_that_does_not_exist_is_named(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text("[2027]\ndays_off = [2027-02-30]\n", encoding="utf-8")
    with pytest.raises(PeriodError, match=r"own\.toml"):
        read_holidays(file)
