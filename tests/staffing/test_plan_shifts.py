"""Shifts for a requirement: against enumeration, a loop over minutes, the calendar, and their own limits."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import ShiftRules, explain_shortfalls, plan_shifts, read_shifts, requirement, simulate
from svcanalytics.staffing.promise import Promise
from svcanalytics.staffing.shifting.losses import weigh_losses

SLOPES = [1, 1.25, 1.5, 2, 2, 3, 3, 3, 3]


def rules(people=None, costs=None, **patterns):
    return ShiftRules.model_validate(
        {
            "id": "tests",
            "people": people or {},
            "costs": costs or {"hour": 10.0},
            "patterns": {id_: {"id": id_} | each for id_, each in patterns.items()},
        }
    )


LUNCH = {"minutes": 60, "after": 1, "before": 3, "every": 60}
TINY = rules(
    four={"starts": ["08:00", "09:00"], "hours": 4, "breaks": [LUNCH]}, three={"starts": ["10:00"], "hours": 3}
)


def hours(agents, start="2026-11-03 08:00", freq="1h", tz=None, queue="calls"):
    return pd.DataFrame(
        {"queue": queue, "start": pd.date_range(start, periods=len(agents), freq=freq, tz=tz), "agents": agents}
    )


def enumerated(required, shortfall, people, floor):
    """The least price over every way to put up to 4 people on each shift and break of TINY."""
    columns = []
    for first in (0, 1):
        for lunch in (1, 2):
            there = np.zeros(6)
            there[first : first + 4] = 1
            there[first + lunch] = 0
            columns.append((there, 30.0))
    columns.append((np.array([0, 0, 1, 1, 1, 0.0]), 30.0))
    best = np.inf
    for counts in product(range(4), repeat=len(columns)):
        if sum(counts) > people:
            continue
        planned = sum(n * there for n, (there, _) in zip(counts, columns, strict=True))
        if (planned < floor)[:5].any():  # the last hour is beyond what floors can hold here
            continue
        price = sum(n * cost for n, (_, cost) in zip(counts, columns, strict=True))
        for need, has in zip(required, planned, strict=True):
            top = np.ceil(need - 1e-6)
            for k in range(int(max(top - has, 0))):
                lacking = max(need - (top - k - 1), 0) - max(need - (top - k), 0)
                price += 10 * shortfall * SLOPES[k] * lacking
        best = min(best, price)
    return best


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("people", "floor"), [(9, 0), (2, 0), (9, 1)])
def test_the_plan_is_the_cheapest_of_all_that_can_be_written_down(seed, people, floor):
    required = np.round(np.random.default_rng(seed).uniform(0, 2.6, 6), 2)
    required[0] += 1
    required[5] = 0.0
    required = np.maximum(required, [floor] * 5 + [0])
    table = hours(required)
    firm = {"calls": floor}
    plan = plan_shifts(table[:5] if floor else table, TINY, agents=people, floor=firm, shortfall=1.4, gap=0.0)
    assert plan.status == "optimal"
    assert plan.price == pytest.approx(enumerated(required, 1.4, people, floor), abs=1e-6)


def by_minute(plan, slots, length, step=15):
    """People at work in each slot, looked for every so many minutes."""
    seen = []
    for moment in (slot + pd.Timedelta(minutes=m) for slot in slots for m in range(0, length, step)):
        there = plan.shifts[(plan.shifts["start"] <= moment) & (moment < plan.shifts["end"])]
        away = [any(begin <= moment < end for begin, end, _ in breaks) for breaks in there["breaks"]]
        seen.append(there["count"].to_numpy()[~np.array(away, dtype=bool)].sum())
    return np.reshape(seen, (len(slots), -1)).mean(axis=1)


@pytest.mark.parametrize("day", ["2026-03-28", "2026-10-24"])
def test_coverage_is_what_a_loop_over_minutes_counts_on_days_when_clocks_change(day):
    start = pd.date_range(day, periods=2 * 24 + (23 if "03" in day else 25) - 24, freq="1h", tz="Europe/Oslo")
    needed = 2 + 1.5 * np.sin(np.arange(len(start)) / 4)
    table = pd.DataFrame({"queue": "calls", "start": start, "agents": needed})
    hotline = read_shifts(name="hotline_24h")
    whole = {id_: each for id_, each in hotline.patterns.items() if not each.on_call}
    plan = plan_shifts(table, hotline.model_copy(update={"patterns": whole}), 5, gap=0.01)
    assert plan.coverage["planned"].to_numpy() == pytest.approx(by_minute(plan, start, 60))
    assert plan.cost == pytest.approx((plan.shifts["count"] * plan.shifts["cost"]).sum())


NIGHT = rules(night={"starts": ["22:00"], "hours": 8})


def test_a_night_shift_serves_the_morning_after_and_not_the_one_before():
    plan = plan_shifts(hours([1.0] * 6, "2026-11-04 00:00"), NIGHT)
    assert list(plan.shifts["start"]) == [pd.Timestamp("2026-11-03 22:00")]
    assert list(plan.shifts["end"]) == [pd.Timestamp("2026-11-04 06:00")]
    assert not plan.missing


@pytest.mark.parametrize(("day", "worked"), [("2026-03-28", 7), ("2026-10-24", 9), ("2026-11-07", 8)])
def test_a_night_on_which_clocks_change_is_paid_for_the_hours_it_has(day, worked):
    start = pd.date_range(f"{day} 22:00", periods=worked, freq="1h", tz="Europe/Oslo")
    plan = plan_shifts(pd.DataFrame({"queue": "calls", "start": start, "agents": 1.0}), NIGHT)
    assert plan.shifts["paid_s"].tolist() == [3600 * worked]
    assert (plan.coverage["planned"] == 1).all()


def test_shifts_keep_the_clock_of_their_own_place():
    desk = rules(day={"starts": ["08:00"], "hours": 8}).model_copy(update={"timezone": "Asia/Shanghai"})
    plan = plan_shifts(hours([1.0] * 8, "2026-11-03 00:00", tz="UTC"), desk)
    assert plan.shifts["start"].tolist() == [pd.Timestamp("2026-11-03 00:00", tz="UTC")]
    assert not plan.missing


def test_times_without_a_zone_are_on_the_clock_of_the_shifts():
    desk = rules(day={"starts": ["08:00"], "hours": 8}).model_copy(update={"timezone": "Asia/Shanghai"})
    plan = plan_shifts(hours([1.0] * 8), desk)
    assert plan.shifts["start"].tolist() == [pd.Timestamp("2026-11-03 08:00")]
    assert not plan.missing


def test_a_break_of_an_hour_that_is_skipped_comes_right_after_it():
    rest = {"minutes": 30, "from": "02:00", "to": "03:00"}
    night = rules(night={"starts": ["22:00"], "hours": 8, "breaks": [rest]})
    start = pd.date_range("2026-03-28 22:00", periods=7, freq="1h", tz="Europe/Oslo")
    plan = plan_shifts(pd.DataFrame({"queue": "calls", "start": start, "agents": 1.0}), night)
    ((begin, end, _),) = plan.shifts["breaks"][0]
    assert (begin, end) == (pd.Timestamp("2026-03-29 03:00", tz="Europe/Oslo"), begin + pd.Timedelta(minutes=30))


def test_a_week_goes_on_where_the_last_one_left_off():
    first = plan_shifts(hours([1.0] * 8, "2026-11-02 22:00"), NIGHT)
    then = plan_shifts(hours([1.0] * 6, "2026-11-03 00:00"), NIGHT, before=first)
    assert then.shifts.empty and not then.missing
    assert (then.coverage["planned"] == 1).all()


def test_night_and_holidays_are_paid_by_the_minute():
    costs = {"hour": 10, "night": {"share": 0.5, "from": "22:00", "to": "06:00"}, "holiday": 2.0, "weekend": 1.0}
    late = rules(costs=costs, late={"starts": ["20:00"], "hours": 6}).model_copy(update={"holidays": "CN"})
    plan = plan_shifts(hours([1.0] * 6, "2026-09-30 20:00", tz="Asia/Shanghai"), late)
    # Two plain hours, two of the night, two of the night on China's national day.
    assert plan.cost == pytest.approx(10 * (2 + 2 * 1.5 + 2 * 3.5))


def test_hours_beyond_the_usual_day_are_overtime():
    long = rules(
        people={"hours_a_day": 8}, costs={"hour": 10, "overtime": 1.5}, long={"starts": ["08:00"], "hours": 10}
    )
    assert plan_shifts(hours([1.0] * 10), long).cost == pytest.approx(10 * (8 + 2 * 1.5))


DESK = read_shifts()


def day_of(seed, top=9.0):
    rng = np.random.default_rng(seed)
    return hours(np.round(rng.uniform(0, top, 20), 2), "2026-11-03 08:00", "30min", "Europe/Oslo")


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), people=st.integers(0, 8))
def test_breaks_lie_in_their_windows_and_nobody_is_planned_who_is_not_there(seed, people):
    plan = plan_shifts(day_of(seed), DESK, 2, agents=people, gap=0.02)
    assert plan.shifts["count"].sum() <= people
    for shift in plan.shifts.itertuples():
        wanted = DESK.patterns[shift.pattern].breaks
        assert len(shift.breaks) == len(wanted)
        for (begin, end, paid), rule in zip(shift.breaks, wanted, strict=True):
            low, high = (shift.start + pd.Timedelta(hours=each) for each in (rule.after, rule.before))
            assert low <= begin and end <= high and paid == rule.paid
            assert end - begin == pd.Timedelta(minutes=rule.minutes)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6), slot=st.integers(0, 5), more=st.floats(0.1, 3))
def test_more_that_is_required_never_costs_less(seed, slot, more):
    required = np.random.default_rng(seed).uniform(0, 4, 6)
    least = plan_shifts(hours(required), TINY, gap=0.0).price
    required[slot] += more
    assert plan_shifts(hours(required), TINY, gap=0.0).price >= least - 1e-6


def test_people_rest_between_shifts_and_have_their_days_off():
    spans = {"starts": {"from": "00:00", "to": "23:00", "every": 60}, "hours": [8]}
    table = hours([3.0] * 7 * 24, "2026-11-02")
    plan = plan_shifts(table, rules(people={"days_off": 2, "min_rest_hours": 11}, any=spans), 10, agents=5, gap=0.02)
    assert plan.shifts["count"].sum() <= 5 * 5 + 5  # the night before belongs to the week before
    moments = pd.date_range("2026-11-01", "2026-11-10", freq="1h")
    rest = pd.Timedelta(hours=11)
    taken = [sum(s.count for s in plan.shifts.itertuples() if s.start <= moment < s.end + rest) for moment in moments]
    assert max(taken) <= 5
    assert any("all 5 agents are used up" in each for each in plan.missing)


def test_a_group_shares_its_time_among_its_queues_and_never_gives_it_twice():
    morning, noon = [3.0, 3, 3, 0, 0, 0], [0.0, 0, 0, 2, 2, 0]
    table = pd.concat([hours(morning), hours(noon, queue="mail")], ignore_index=True)
    apart = plan_shifts(table, TINY, gap=0.0)
    together = plan_shifts(table, TINY, groups={"all": ["calls", "mail"]}, gap=0.0)
    assert together.price < apart.price
    given_out = together.coverage.groupby("start")["planned"].sum()
    slots = pd.DatetimeIndex(given_out.index)
    assert given_out.to_numpy() == pytest.approx(by_minute(together, slots, 60))
    assert set(together.shifts["group"]) == {"all"}


def test_what_no_shift_reaches_is_said_in_words():
    late = hours([3.0] * 6, "2026-11-03 16:00", tz="Europe/Oslo")
    plan = plan_shifts(late, DESK)
    assert "calls: Tue 3 Nov 18:00\u201322:00 needs 3 more; no shift ends after 18:00" in plan.missing
    assert explain_shortfalls(plan.shortfalls, "zh")[-1].endswith(
        "18:00\u201322:00 \u8fd8\u7f3a3\u4eba\uff1b\u6ca1\u670918:00\u4e4b\u540e\u4e0b\u73ed\u7684\u73ed\u6b21"
    )
    early = plan_shifts(hours([2.0] * 4, "2026-11-03 06:00", "30min", "Europe/Oslo"), DESK)
    assert early.missing[0] == "calls: Tue 3 Nov 06:00\u201307:30 needs 2 more; no shift starts before 07:30"
    week = pd.concat([hours([2.0 + d] * 4, f"2026-11-0{d} 17:00", tz="Europe/Oslo") for d in (2, 3, 5, 6)])
    said = [each for each in plan_shifts(week, DESK).missing if "no shift ends after 18:00" in each]
    assert said == [
        "calls: Mon 2 Nov to Tue 3 Nov 18:00\u201321:00 needs up to 5 more; no shift ends after 18:00",
        "calls: Thu 5 Nov to Fri 6 Nov 18:00\u201321:00 needs up to 8 more; no shift ends after 18:00",
    ]
    closed = plan_shifts(hours([2.0] * 4, "2026-11-07 09:00", tz="Europe/Oslo"), DESK)
    assert closed.missing == ["calls: Sat 7 Nov 09:00\u201313:00 needs 2 more; no shift works on Saturdays"]


def test_people_who_are_lacking_are_counted_by_day():
    spread = rules(day={"starts": ["08:00"], "hours": 8})
    plan = plan_shifts(hours([15.0] * 8, "2026-11-02 08:00"), spread, agents=3)
    assert plan.missing == [
        "calls: needs 12 more agents on Mon 2 Nov (08:00\u201316:00); all 3 agents are planned that day"
    ]


def test_each_group_has_its_own_people():
    table = pd.concat([hours([2.0] * 4), hours([2.0] * 4, queue="mail")], ignore_index=True)
    plan = plan_shifts(table, rules(day={"starts": ["08:00"], "hours": 4}), agents={"calls": 1, "mail": 5})
    assert plan.shifts.groupby("group")["count"].sum().to_dict() == {"calls": 1, "mail": 2}
    assert [each.split(" on ")[0] for each in plan.missing] == ["calls: needs 1 more agent"]
    few = plan_shifts(table, rules(day={"starts": ["08:00"], "hours": 4}), agents={"calls": 1, "mail": 1})
    assert len(few.missing) == 2


def test_no_more_work_a_shift_than_it_takes():
    few = {"starts": ["08:00"], "hours": 4, "most": 2}
    plan = plan_shifts(hours([5.0] * 4), rules(few=few))
    assert plan.shifts["count"].sum() == 2
    assert plan.missing[0].endswith("no more than 2 a day may work the shift few")


def test_agents_too_many_can_have_their_price():
    table = hours([1.0, 1, 3, 1])
    long = rules(long={"starts": ["08:00"], "hours": 4})
    assert plan_shifts(table, long).coverage["planned"].max() == 3
    assert plan_shifts(table, long, surplus=5.0).coverage["planned"].max() < 3


def test_an_agent_on_call_counts_for_part_of_one_at_part_of_the_pay():
    home = {"starts": ["08:00"], "hours": 4, "on_call": True, "counts": 0.5}
    plan = plan_shifts(hours([1.0] * 4), rules(costs={"hour": 10, "on_call": 0.2}, home=home))
    assert plan.shifts["count"].tolist() == [2]
    assert plan.cost == pytest.approx(2 * 4 * 10 * 0.2)


def test_people_who_serve_all_queues_are_lacking_once():
    table = pd.concat([hours([2.0] * 4), hours([2.0] * 4, queue="mail")], ignore_index=True)
    plan = plan_shifts(table, rules(day={"starts": ["08:00"], "hours": 4}), agents=1)
    assert len(plan.missing) == 1
    assert plan.missing[0].startswith("calls, mail: needs 3 more agents on Tue 3 Nov (08:00\u201312:00)")


def test_a_floor_is_held_whatever_it_costs():
    table = hours([0.2] * 4)
    assert plan_shifts(table, TINY, shortfall=0.1).shifts.empty
    assert (plan_shifts(table, TINY, shortfall=0.1, floor=2).coverage["planned"] >= 2).all()


ANY_HOUR = {"from": "00:00", "to": "23:30", "every": 30}
LONG = {"starts": ANY_HOUR, "hours": [8.5, 9], "breaks": [{"minutes": 30, "after": 3, "before": 4.75}]}


@pytest.mark.parametrize("people", [None, 60])
def test_a_plan_that_runs_out_of_time_is_the_best_so_far_with_its_gap(people):
    start = pd.date_range("2026-11-02", periods=672, freq="15min")
    needed = 40 + 30 * np.sin(np.arange(672) / 96 * 2 * np.pi) + np.random.default_rng(1).uniform(0, 5, 672)
    table = pd.DataFrame({"queue": "calls", "start": start, "agents": needed})
    began = time.process_time()
    plan = plan_shifts(table, rules(long=LONG), 0.3, agents=people, gap=0.0)
    assert time.process_time() - began < 10
    assert plan.status == "time limit" and 0 < plan.gap < (0.1 if people is None else 0.3)
    assert plan.bound <= plan.price
    assert people is None or plan.shifts.groupby("day")["count"].sum().max() <= people
    assert plan.coverage["planned"].to_numpy()[::24] == pytest.approx(by_minute(plan, start[::24], 15))


def test_people_away_for_training_and_illness_are_scheduled_and_not_at_work():
    table = hours([3.0] * 4).assign(scheduled=4.0)
    plan = plan_shifts(table, rules(day={"starts": ["08:00"], "hours": 4}))
    assert plan.coverage["planned"].tolist() == [4.0] * 4
    assert plan.plan["agents"].tolist() == [3.0] * 4


def test_an_agent_missing_weighs_as_much_as_the_service_lost_by_it():
    table = pd.DataFrame(
        {"queue": "calls", "required": [12.0, 12.0], "given": 0.0, "grain": 1.0, "arrivals": [80.0, 40.0], "load": 10.0}
    )
    losses = weigh_losses(table, 1800, 1.0, {"calls": Promise()})
    assert (np.diff(losses.slope, axis=1) >= 0).all()
    assert losses.cost(np.array([11.0, 11.0]))[0] > losses.cost(np.array([11.0, 11.0]))[1]
    assert losses.cost(np.array([12.0, 13.0])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"requirement": hours([1.0]).drop(columns="agents"), "interval_s": 3600}, "no column 'agents'"),
        ({"requirement": hours([-1.0, 2])}, "agents is -1.0"),
        ({"requirement": pd.concat([hours([1.0, 2])] * 2)}, "is given twice"),
        ({"requirement": hours([])}, "no rows"),
        ({"agents": -1}, "agents is -1"),
        ({"agents": {"night": 3}}, "no group 'night'"),
        ({"groups": {"all": ["mail"]}}, "no queue 'mail'"),
        ({"until": 0}, "over before it began"),
        ({"shortfall": -1}, "shortfall is -1"),
    ],
)
def test_what_makes_no_sense_is_refused(change, said):
    with pytest.raises(StaffingError, match=said):
        plan_shifts(**{"requirement": hours([1.0, 2]), "shifts": TINY} | change)


@pytest.mark.slow
def test_forecast_requirement_shifts_and_simulation_make_one_chain(made_up):
    forecast = made_up(error=0.08)
    needed = requirement(forecast, 240, patience_s=180, risk=0.2)
    desk = DESK.model_copy(update={"timezone": None})
    patterns = {id_: each.model_copy(update={"days": tuple(range(7))}) for id_, each in desk.patterns.items()}
    plan = plan_shifts(needed, desk.model_copy(update={"patterns": patterns}), 10, patience_s=180)
    lived = {
        name: simulate(each, forecast, 240, patience_s=180).days["kept"].mean()
        for name, each in (("needed", needed), ("planned", plan.plan))
    }
    assert not plan.missing
    # Shifts round up more than down: the promise of the requirement holds for them too.
    assert lived["needed"] > 0.72 and lived["planned"] >= lived["needed"] - 0.08


def test_rules_may_be_named_by_their_file_and_anything_else_is_refused(tmp_path):
    (tmp_path / "own.toml").write_text('[desk.patterns.day]\nstarts = ["08:00"]\nhours = 4\n', "utf-8")
    assert plan_shifts(hours([1, 1, 1, 1]), tmp_path / "own.toml").shifts["count"].sum() == 1
    with pytest.raises(StaffingError, match="a dict is no shift rules"):
        plan_shifts(hours([1, 1]), {})
    with pytest.raises(StaffingError, match="a NoneType is no requirement"):
        plan_shifts(None, TINY)
    with pytest.raises(StaffingError, match="floor is -1"):
        plan_shifts(hours([1, 1]), TINY, floor=-1)
    with pytest.raises(StaffingError, match="a start is missing"):
        plan_shifts(hours([1, 1]).assign(start=[pd.NaT, pd.Timestamp("2026-11-03")]), TINY)


@pytest.mark.parametrize(("people", "words"), [(0, "there are no agents"), (1, "the only agent is planned that day")])
def test_one_agent_or_none_is_said_as_people_say_it(people, words):
    told = plan_shifts(hours([3, 3, 3, 3]), TINY, agents=people).missing
    assert told and words in told[0]


def test_a_week_of_one_day_is_told_as_that_day():
    row = ("calls", pd.Timestamp("2026-11-06 08:00"), pd.Timestamp("2026-11-06 17:00"), 1, "week", "5", "calls")
    short = pd.DataFrame([row], columns=["queue", "start", "end", "missing", "reason", "detail", "groups"])
    told = "calls: needs 1 more agent on Fri 6 Nov (08:00\u201317:00); the days and hours of all 5 agents are used up"
    assert explain_shortfalls(short) == [told]


def test_an_evening_that_only_the_night_s_shift_covers_asks_for_the_next_day():
    around = rules(
        late={"starts": ["15:00"], "hours": 8},
        night={"starts": ["22:00"], "hours": 8},
        early={"starts": ["06:00"], "hours": 9},
    )
    last = plan_shifts(hours([2] * 24, "2026-11-03 00:00"), around)
    assert [(row.reason, row.start.hour) for row in last.shortfalls.itertuples()] == [("beyond", 23)]
    assert "plan the next day too" in last.missing[0] and "次日" in explain_shortfalls(last.shortfalls, "zh")[0]
    whole = plan_shifts(hours([2] * 48, "2026-11-03 00:00"), around)
    assert whole.shortfalls["start"].dt.day.tolist() == [4]
