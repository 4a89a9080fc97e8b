"""Who is at work: numbers by slot and shifts with breaks turned into people, some of whom are away or late."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import StaffingError
from svcanalytics.staffing.living.presence import Attendance, Presence, attend, prolong, read_teams, whole_agents
from svcanalytics.staffing.volumes import read_volumes

DAY = pd.Timestamp("2026-11-02", tz="Asia/Shanghai")


def volumes(slots=8, queue="calls"):
    start = pd.date_range(DAY + pd.Timedelta(hours=8), periods=slots, freq="30min")
    return read_volumes(pd.DataFrame({"queue": queue, "start": start, "mean": 10.0}), 240)


def by_slot(agents):
    (volume,) = volumes(len(agents))
    plan = pd.DataFrame({"queue": "calls", "start": volume.start, "agents": agents})
    return read_teams(plan, [volume], None)[0], volume


def shifts(*rows, group="calls", on_call=False, counts=1.0):
    def at(clock):
        return DAY + pd.Timedelta(clock + ":00")

    table = pd.DataFrame(
        [
            (group, "early", DAY.tz_localize(None), at(a), at(b), tuple((at(x), at(y), True) for x, y in rests), n)
            for a, b, rests, n in rows
        ],
        columns=["group", "pattern", "day", "start", "end", "breaks", "count"],
    )
    pattern = SimpleNamespace(on_call=on_call, counts=counts)
    coverage = pd.DataFrame({"agents": [1.0], "planned": [1.0]})
    return SimpleNamespace(shifts=table, rules=SimpleNamespace(patterns={"early": pattern}), coverage=coverage)


def levels(team, volume, attendance=None, draws=2, seed=1):
    present = attend(team, attendance or Attendance(), volume.start[0], draws, seed)
    return present.seconds(volume.second, volume.interval_s) / volume.interval_s


@pytest.mark.parametrize("agents", [[2, 3, 1, 4, 4, 0, 2, 2], [0, 0, 1, 1, 0, 5, 5, 1]])
def test_people_by_slot_add_up_to_the_plan(agents):
    team, volume = by_slot(agents)
    assert levels(team, volume)[:, 0].tolist() == agents and team.hours == sum(agents) / 2


def test_people_are_away_for_the_whole_day_and_the_same_ones_whatever_the_plan():
    team, volume = by_slot([4] * 8)
    found = levels(team, volume, Attendance(absence=0.3), 400)
    assert (found == found[0]).all() and found.mean() == pytest.approx(2.8, abs=0.1)
    fewer, _ = by_slot([3] * 8)
    assert (levels(fewer, volume, Attendance(absence=0.3), 400) <= found).all()
    # Two ill: two fewer in every draw, whoever they are; more than there are leaves nobody.
    for ill, left in ((2, 2), (9, 0)):
        assert (levels(team, volume, Attendance(ill=ill), 5) == left).all()
    other_day = np.datetime64("2026-11-03", "ns")
    assert (levels(team, volume, Attendance(ill=2, ill_on=(other_day,))) == 4).all()


def test_who_comes_late_is_missing_at_the_beginning_alone():
    team, volume = by_slot([10] * 8)
    found = levels(team, volume, Attendance(late=0.5, late_s=600), 2000)
    missing = 10 * 0.5 * 600 / 1800
    assert (10 - found).sum(axis=0).mean() == pytest.approx(missing, rel=0.05)
    assert (found[4:] > 9.9).mean() > 0.98


def test_shifts_hold_their_hours_and_breaks_to_the_minute():
    plan = shifts(("08:00", "11:00", [("09:10", "09:25")], 2), ("09:00", "12:00", [], 1))
    (volume,) = volumes()
    (team,) = read_teams(plan, [volume], None)
    expected = [2, 2, 3 - 2 * 15 / 30, 3, 3, 3, 1, 1]
    np.testing.assert_allclose(levels(team, volume)[:, 0], expected)
    steps, agents = attend(team, Attendance(), volume.start[0], 1, 1).between(3600.0, 5400.0, 0)
    assert steps.tolist() == [3600, 4200, 5100] and agents.tolist() == [3, 1, 3]


def test_somebody_on_call_comes_as_often_as_they_count():
    plan = shifts(("08:00", "12:00", [], 5), on_call=True, counts=0.4)
    (volume,) = volumes()
    assert levels(read_teams(plan, [volume], None)[0], volume, draws=500).mean() == pytest.approx(2.0, abs=0.1)


def test_where_shifts_allow_for_shrinkage_those_at_work_count():
    (volume,) = volumes()
    plan = shifts(("08:00", "12:00", [], 5))
    plan.coverage = pd.DataFrame({"queue": "calls", "start": volume.start, "planned": 5.0, "agents": 4.0})
    (team,) = read_teams(plan, [volume], None)
    assert (levels(team, volume) == 4).all()


def test_the_last_people_stay_when_a_day_is_prolonged():
    (volume,) = volumes()
    close = {DAY.tz_localize(None): volume.start[-1] + pd.Timedelta("30min")}
    slots, _ = by_slot([2, 3, 3, 3, 3, 3, 2, 1])
    people = read_teams(shifts(("08:00", "11:00", [], 2), ("09:00", "12:00", [], 1)), [volume], None)[0]
    (longer,) = volumes(12)
    for team in (slots, people):
        found = levels(prolong(team, close, 14 * 60), longer)[:, 0]
        assert found[8:].tolist() == [1, 1, 1, 1] and (found[:8] == levels(team, volume)[:, 0]).all()


def test_whole_agents_keep_the_hours():
    agents = np.array([2.4, 2.4, 2.4, 2.4, 2.4, 0.2, 0.2])
    whole = whole_agents(agents, np.array([True, False, False, False, False, True, False]))
    assert whole[:5].sum() == 12 and whole[5:].sum() == 0 and set(whole[:5]) == {2, 3}


def test_hands_are_people_times_what_each_holds_rounded_down():
    held = Presence.of_slots(np.zeros(1), np.array([3]), 1).times(2.5)
    assert held.courses[0][1].tolist() == [7]


def test_a_plan_of_nobody_known_is_refused_in_words():
    (volume,) = volumes()
    for plan, words in (
        (shifts(("08:00", "12:00", [], 5), group="all"), "no queue 'all'"),
        ("Monday", "a str is no plan"),
        (pd.DataFrame({"crew": ["x"], "start": volume.start[:1], "agents": [1.0]}), "no queue 'x'"),
    ):
        with pytest.raises(StaffingError, match=words):
            read_teams(plan, [volume], None)
