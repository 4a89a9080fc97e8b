"""Shift rules: what may be written, and what a reader is told of what may not."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import read_shifts

GOOD = """
[desk.people]
max_hours_a_day = 10
[desk.patterns.day]
starts = ["08:00", "09:30"]
hours = 8.5
days = ["mon-thu", "sat"]
breaks = [{ minutes = 30, after = 3, before = 5 }]
"""


def write(folder, text):
    file = folder / "own.toml"
    file.write_text(text, "utf-8")
    return file


def test_a_file_says_when_a_shift_starts_how_long_it_is_and_on_which_days(tmp_path):
    day = read_shifts(write(tmp_path, GOOD)).patterns["day"]
    assert (day.starts, day.hours, day.days) == ((480, 570), (8.5,), (0, 1, 2, 3, 5))
    assert day.breaks[0].window(480) == (180, 300)


def test_the_shipped_rules_tell_of_a_desk_by_day_and_of_a_hotline_round_the_clock():
    desk, hotline = read_shifts(), read_shifts(name="hotline_24h")
    assert all(start + 60 * hours <= 18 * 60 for p in desk.patterns.values() for start in p.starts for hours in p.hours)
    night = hotline.patterns["night"]
    assert min(night.starts) + 60 * min(night.hours) > 24 * 60
    assert hotline.people.rotation == ("early", "late", "night")
    assert hotline.patterns["on_call"].on_call


@pytest.mark.parametrize(
    ("old", "new", "where", "fix"),
    [
        ("before = 5", "before = 3.2", "own.toml, desk.patterns.day.breaks.0", "widen it"),
        ("before = 5", "before = 9", "own.toml, desk.patterns.day.breaks.0", "move or narrow it"),
        ("before = 5 }", 'before = 5 }, { minutes = 60, from = "12:00", to = "14:00" }', "breaks.1", "part them"),
        ("before = 5", 'before = 5, from = "12:00"', "breaks.0", "give after and before, or from and to"),
        ("8.5", "12", "own.toml, desk.patterns.day.hours", "raise the limit"),
        ('"09:30"', '"9.30"', "own.toml, desk.patterns.day.starts", "write 08:30"),
        ('"09:30"', '"08:00"', "desk.patterns.day.starts", "give each once"),
        ('["08:00", "09:30"]', "[]", "desk.patterns.day.starts", "list one or more"),
        ('["08:00", "09:30"]', '"08:00"', "desk.patterns.day.starts", "list one or more"),
        ("mon-thu", "monday", "desk.patterns.day.days", "write mon or mon-fri"),
        ("hours = 8.5\n", "", "desk.patterns.day.hours", "add hours"),
        ("starts", "start", "desk.patterns.day.starts", "add starts"),
        ("max_hours_a_day = 10", "max_hours_a_day = 7", "desk.people", "raise it"),
        ("max_hours_a_day = 10", 'rotation = ["night"]', "desk.people.rotation", "use day"),
        ("max_hours_a_day = 10", "max_hours = 10", "desk.people.max_hours", "correct its spelling"),
        ("[desk.people]", '[desk]\ntimezone = "Oslo"\n[desk.people]', "desk.timezone", "Europe/Oslo"),
        ("[desk.people]", '[desk]\nholidays = "XX"\n[desk.people]', "desk.holidays", "ISO code"),
        ("hours = 8.5", "hours = = 8.5", "own.toml", "correct the line named"),
    ],
)
def test_rules_that_contradict_each_other_are_named_with_file_key_and_remedy(tmp_path, old, new, where, fix):
    assert old in GOOD
    with pytest.raises(StaffingError) as caught:
        read_shifts(write(tmp_path, GOOD.replace(old, new)))
    assert where in caught.value.where and fix in caught.value.fix


def test_a_missing_file_or_place_says_what_there_is(tmp_path):
    with pytest.raises(StaffingError, match="there is no such file"):
        read_shifts(tmp_path / "none.toml")
    with pytest.raises(StaffingError, match="use one of desk"):
        read_shifts(write(tmp_path, GOOD), "hotline")


def test_an_organisation_has_its_own_rules_beside_the_shipped_ones(tmp_path):
    (tmp_path / "shifts.toml").write_text(GOOD, "utf-8")
    lake = SimpleNamespace(catalogue_paths=[tmp_path])
    assert read_shifts(lake=lake).id == "desk"
    assert read_shifts(name="hotline_24h", lake=lake).id == "hotline_24h"
