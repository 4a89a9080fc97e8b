"""Dates and times: their form is decided over the whole column, or refused."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import MappingError
from svcanalytics.store.engine import connect, literal
from svcanalytics.store.times import decide, duration_sql, local_sql, time_of_day_sql

UTC = dt.UTC


@pytest.fixture(scope="module")
def con():
    with connect() as connection:
        yield connection


def _fill(con, values):
    listed = ", ".join(f"({literal(value)})" for value in values)
    con.execute(f"create or replace table v as select t from (values {listed}) as x(t)")


def _read(con, values, order="auto", zone="UTC", offsets="keep"):
    _fill(con, values)
    formats = decide(con, "t", "v", order=order, where="x.toml: opened_at")
    sql = local_sql("t", formats, zone, offsets)
    return [row[0] for row in con.execute(f"select cast({sql} as varchar) from v").fetchall()]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31 09:05:07", "2026-01-31 09:05:07+00"),
        ("2026-01-31T09:05", "2026-01-31 09:05:00+00"),
        ("2026-01-31T09:05:07.250", "2026-01-31 09:05:07.25+00"),
        ("2026/1/31 9:05:07", "2026-01-31 09:05:07+00"),
        ("31/1/2026 09:05", "2026-01-31 09:05:00+00"),
        ("1/31/2026 9:05 AM", "2026-01-31 09:05:00+00"),
        ("1/31/2026 9:05:07 pm", "2026-01-31 21:05:07+00"),
        ("31.01.2026", "2026-01-31 00:00:00+00"),
        ("31-01-26", "2026-01-31 00:00:00+00"),
        ("31/Jan/26 3:04 PM", "2026-01-31 15:04:00+00"),
        ("31-Jan-2026", "2026-01-31 00:00:00+00"),
        ("Jan 31, 2026", "2026-01-31 00:00:00+00"),
        ("2026年1月31日", "2026-01-31 00:00:00+00"),
        ("2026年1月31日 9时5分7秒", "2026-01-31 09:05:07+00"),
        ("20260131", "2026-01-31 00:00:00+00"),
        ("20260131090507", "2026-01-31 09:05:07+00"),
        ("46053.378553", "2026-01-31 09:05:07+00"),
        ("1769850307", "2026-01-31 09:05:07+00"),
        ("1769850307000", "2026-01-31 09:05:07+00"),
        ("2026-01-31T09:05:07Z", "2026-01-31 09:05:07+00"),
        ("2026-01-31T17:05:07+08:00", "2026-01-31 09:05:07+00"),
    ],
)
def test_forms_in_common_use_are_read(con, text, moment):
    assert _read(con, [text]) == [moment]


def test_one_late_value_decides_the_whole_column(con):
    assert _read(con, ["1/2/2026"] * 6000 + ["13/2/2026"])[0] == "2026-02-01 00:00:00+00"
    assert _read(con, ["1/2/2026"] * 6000 + ["2/13/2026"])[0] == "2026-01-02 00:00:00+00"


def test_dates_that_could_be_either_are_refused_unless_the_source_says(con):
    with pytest.raises(MappingError, match="day/month from month/day") as caught:
        _read(con, ["1/2/2026", "3/4/2026"])
    assert "opened_at" in str(caught.value)
    assert "day_first" in str(caught.value)
    assert _read(con, ["1/2/2026"], order="day_first") == ["2026-02-01 00:00:00+00"]
    assert _read(con, ["1/2/2026"], order="month_first") == ["2026-01-02 00:00:00+00"]
    # Where both readings are the same day there is nothing to decide.
    assert _read(con, ["1/1/2026", "2/2/2026"]) == ["2026-01-01 00:00:00+00", "2026-02-02 00:00:00+00"]


def test_dates_that_contradict_one_another_are_refused_unless_the_source_says(con):
    with pytest.raises(MappingError, match="others only month/day"):
        _read(con, ["13/2/2026", "2/13/2026"])
    assert _read(con, ["13/2/2026", "2/13/2026"], order="day_first") == ["2026-02-13 00:00:00+00", None]


def test_two_styles_in_one_column_are_both_read(con):
    assert _read(con, ["2026-01-31 08:00:00", "31/1/2026 9:00", "20260131"]) == [
        "2026-01-31 08:00:00+00",
        "2026-01-31 09:00:00+00",
        "2026-01-31 00:00:00+00",
    ]


def test_words_are_no_dates(con):
    with pytest.raises(MappingError, match="none of a known date form"):
        _read(con, ["soon", "later"])
    assert _read(con, ["2026-01-31 08:00:00", "soon"]) == ["2026-01-31 08:00:00+00", None]


def test_offsets_that_flip_with_summer_time_name_the_same_clock(con):
    values = ["2026-03-29T01:30:00+01:00", "2026-03-29T03:10:00+02:00", "2026-03-29T03:10:00"]
    assert _read(con, values, zone="Europe/Stockholm") == [
        "2026-03-29 00:30:00+00",
        "2026-03-29 01:10:00+00",
        "2026-03-29 01:10:00+00",
    ]


def test_a_z_on_local_times_can_be_declared_wrong(con):
    assert _read(con, ["2026-01-31T09:00:00Z"], zone="Asia/Shanghai", offsets="ignore") == ["2026-01-31 01:00:00+00"]


FORMS = ["{0.year}/{0.month}/{0.day} {0.hour}:{0:%M:%S}", "{0:%Y-%m-%dT%H:%M:%S}", "{0:%d-%b-%Y %H:%M:%S}"]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2040, 1, 1)), min_size=1, max_size=8),
    st.sampled_from(
        ["{0.year}/{0.month}/{0.day} {0.hour}:{0:%M:%S}", "{0:%Y-%m-%d %H:%M:%S}", "{0:%d-%b-%Y %H:%M:%S}"]
    ),
)
def test_unambiguous_forms_come_back_as_they_were_written(con, moments, form):
    moments = [moment.replace(microsecond=0) for moment in moments]
    expected = [f"{moment:%Y-%m-%d %H:%M:%S}+00" for moment in moments]
    assert _read(con, [form.format(moment) for moment in moments]) == expected


@pytest.mark.parametrize(
    ("text", "unit", "seconds"),
    [
        ("0:02:23", "s", 143),
        ("17:00:05", "s", 61205),
        ("26:00:00", "s", 93600),
        ("-0:00:07", "s", -7),
        ("109", "s", 109),
        ("12.6", "s", 13),
        ("1500", "ms", 2),
        ("1.5", "min", 90),
        ("2", "h", 7200),
        ("2:23", "m:s", 143),
        ("2:23", "h:m", 8580),
        ("2:23", "s", None),
        ("soon", "s", None),
    ],
)
def test_durations_become_whole_seconds(con, text, unit, seconds):
    assert con.execute(f"select {duration_sql(literal(text), unit)}").fetchall() == [(seconds,)]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0:00:31", 31), ("23:59:59", 86399), ("9:05", 32700), ("12:05 AM", 300), ("1:00:00 pm", 46800), ("0.5", 43200)]
    + [("24:00:00", None), ("9:75", None), ("noon", None)],
)
def test_times_of_day_become_seconds_since_midnight(con, text, seconds):
    assert con.execute(f"select {time_of_day_sql(literal(text))}").fetchall() == [(seconds,)]
