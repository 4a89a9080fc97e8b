"""Rosters keep every rule, as a naive reading of the rules sees it, and leave open only what must stay open."""

from __future__ import annotations

from itertools import pairwise, product
from time import monotonic

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import StaffingError
from svcanalytics.staffing import RosterRules, explain_lacking, plan_roster, read_shifts, roster_rules

MONDAY = pd.Timestamp("2026-11-02", tz="Asia/Shanghai")
PATTERNS = {"early": (6, 8), "day": (9, 8), "late": (14, 8), "night": (22, 8), "short": (10, 4)}
LOOSE = RosterRules(days_off=0, days_off_together=False, max_days_in_a_row=31, max_nights_in_a_row=31)


def shifts(*wanted, monday=MONDAY):
    """One row per (day, pattern, count, group)."""
    rows = []
    for day, pattern, count, *group in wanted:
        hour, length = PATTERNS[pattern]
        start = (monday.tz_localize(None) + pd.Timedelta(days=day, hours=hour)).tz_localize(monday.tz)
        end = (monday.tz_localize(None) + pd.Timedelta(days=day, hours=hour + length)).tz_localize(monday.tz)
        rest = ((start + pd.Timedelta(hours=2), start + pd.Timedelta(hours=2.5), True),)
        rows.append((group[0] if group else "calls", pattern, start, end, rest, count, length * 3600))
    return pd.DataFrame(rows, columns=["group", "pattern", "start", "end", "breaks", "count", "paid_s"])


def people(*names, **more):
    return pd.DataFrame({"agent": list(names)} | more)


def on(day):
    return (MONDAY + pd.Timedelta(days=day)).tz_localize(None)


def violations(roster, plan, agents, rules, leave=None, history=None):
    """Read the rules one by one, with nothing of the package but its tables."""
    found = []
    given = roster.assignments.merge(agents.assign(agent=agents["agent"].astype(str)), on="agent", how="left")
    places = plan.groupby(["group", "pattern", "start"])["count"].sum()
    taken = roster.assignments.groupby(["group", "pattern", "start"]).size().reindex(places.index).fillna(0)
    short = roster.lacking.groupby(["group", "pattern", "start"])["missing"].sum().reindex(places.index).fillna(0)
    if not (taken + short == places).all():
        found.append("places and people do not add up")
    for agent, own in given.groupby("agent"):
        if "skills" in own and not all(
            group in skills for group, skills in zip(own["group"], own["skills"], strict=True)
        ):
            found.append(f"{agent} lacks a skill")
        past = history[history["agent"] == agent] if history is not None else own.iloc[:0]
        spans = sorted(zip([*past["start"], *own["start"]], [*past["end"], *own["end"]], strict=True))
        for (_, ended), (began, _) in pairwise(spans):
            if (began - ended) / pd.Timedelta(hours=1) < rules.rest_h - 1e-9:
                found.append(f"{agent} rests too little")
        for row in (leave if leave is not None else pd.DataFrame({"agent": [], "day": []})).itertuples():
            if row.agent == agent:
                low = pd.Timestamp(row.day, tz=MONDAY.tz)
                high = low + pd.DateOffset(days=1)
                if any(start < high and low < end for start, end in zip(own["start"], own["end"], strict=True)):
                    found.append(f"{agent} works on leave")
        worked = {start.tz_localize(None).normalize() for start, _ in spans}
        nights = {start.tz_localize(None).normalize() for start, _ in spans if start.hour == 22}
        for days, most in ((worked, rules.max_days_in_a_row), (nights, rules.max_nights_in_a_row)):
            for first in days:
                run = [first + pd.Timedelta(days=step) for step in range(most + 1)]
                if set(run) <= days and own["day"].isin(run).any():
                    found.append(f"{agent} works more than {most} days or nights in a row")
        weeks = {day - pd.Timedelta(days=day.day_of_week) for day in own["day"]}
        for monday in weeks:
            week = [monday + pd.Timedelta(days=step) for step in range(7)]
            inside = own[own["day"].isin(week)]
            absent = 0 if leave is None else sum(row.agent == agent and row.day in week for row in leave.itertuples())
            working = 7 - rules.days_off
            if len(inside) != inside["day"].nunique():
                found.append(f"{agent} has two shifts on a day")
            if inside["day"].nunique() > max(working - absent, 0):
                found.append(f"{agent} works too many days")
            hours = own["hours"].iloc[0] if "hours" in own else rules.hours_a_week
            contract = hours * max(working - absent, 0) / working
            limit = contract + rules.max_hours_a_week - rules.hours_a_week - rules.training_h
            if inside["paid_s"].sum() / 3600 > limit + 0.02:
                found.append(f"{agent} works too many hours")
            if rules.days_off_together and all(
                day in worked or day + pd.Timedelta(days=1) in worked for day in week[:-1]
            ):
                found.append(f"{agent} has no two days off together")
    return found


@pytest.fixture(params=["milp", "cp-sat"])
def solver(request):
    if request.param == "cp-sat":
        pytest.importorskip("ortools")
    return request.param


@st.composite
def worlds(draw):
    wanted = draw(
        st.lists(
            st.tuples(
                st.integers(0, 8),
                st.sampled_from(sorted(PATTERNS)),
                st.integers(1, 2),
                st.sampled_from(["calls", "mail"]),
            ),
            min_size=1,
            max_size=12,
            unique_by=lambda each: (each[0], each[1], each[3]),
        )
    )
    count = draw(st.integers(1, 5))
    known = [["calls"], ["mail"], ["calls", "mail"]]
    agents = people(
        *(f"a{n}" for n in range(count)),
        skills=[draw(st.sampled_from(known)) for _ in range(count)],
        hours=[draw(st.sampled_from([16.0, 32.0, 40.0])) for _ in range(count)],
    )
    away = draw(st.lists(st.tuples(st.integers(0, count - 1), st.integers(0, 8)), max_size=3, unique=True))
    leave = pd.DataFrame([(f"a{n}", on(day)) for n, day in away], columns=["agent", "day"])
    before = [
        (f"a{n}", "late", MONDAY + pd.Timedelta(days=day, hours=14), MONDAY + pd.Timedelta(days=day, hours=22))
        for n in range(count)
        for day in draw(st.sets(st.integers(-6, -1), max_size=4))
    ]
    history = pd.DataFrame(before, columns=["agent", "pattern", "start", "end"])
    rules = RosterRules(
        days_off_together=draw(st.booleans()), max_days_in_a_row=draw(st.integers(3, 6)),
        max_nights_in_a_row=draw(st.integers(1, 4)), max_hours_a_week=draw(st.sampled_from([40.0, 48.0])),
        rest_h=draw(st.sampled_from([8.0, 11.0, 12.0])), training_h=draw(st.sampled_from([0.0, 4.0])),
    )  # fmt: skip
    return shifts(*wanted), agents, leave, history, rules


@settings(max_examples=25)
@given(worlds())
def test_every_rule_holds_and_both_solvers_are_equally_good(world):
    plan, agents, leave, history, rules = world
    if not any(group in skills for group in plan["group"] for skills in agents["skills"]):
        return
    points = []
    for solver in ("milp", "cp-sat"):
        roster = plan_roster(
            plan, agents, rules, leave=leave, history=history if len(history) else None, solver=solver, time_limit_s=20
        )
        assert violations(roster, plan, agents, rules, leave, history) == []
        assert roster.status == "optimal" and roster.gap <= 1e-3
        points.append(roster.points)
    # Weeks follow one another, so that equally good first weeks may leave second weeks that differ.
    if (plan["start"] < MONDAY + pd.Timedelta(days=7)).all():
        assert points[0] == pytest.approx(points[1], rel=2e-4, abs=1)


def test_no_roster_leaves_fewer_places_open_than_it_must(solver):
    pytest.importorskip("ortools")
    rng = np.random.default_rng(5)
    for _ in range(4):
        days = rng.choice(5, 3)
        wanted = {
            (int(day), str(rng.choice(["early", "late", "night"])), str(rng.choice(["calls", "mail"]))) for day in days
        }
        plan = shifts(*((day, pattern, 1, group) for day, pattern, group in sorted(wanted)))
        skills = [["calls"], ["mail"], ["calls", "mail"]]
        agents = people("x", "y", skills=[skills[n] for n in rng.integers(0, 3, 2)], hours=[16.0, 8.0])
        rules = RosterRules(max_days_in_a_row=1)
        best = 99
        for choice in product([None, "x", "y"], repeat=len(plan)):
            rows = plan.assign(agent=choice).dropna(subset=["agent"]).assign(breaks=None)
            rows["day"] = rows["start"].dt.tz_localize(None).dt.normalize()
            lacking = plan[[each is None for each in choice]].assign(missing=1)
            tried = type("Tried", (), {"assignments": rows.drop(columns="count"), "lacking": lacking})
            if not violations(tried, plan, agents, rules):
                best = min(best, len(lacking))
        try:
            roster = plan_roster(plan, agents, rules, solver=solver, time_limit_s=10)
        except StaffingError:  # nobody has any of the skills
            assert best == len(plan)
            continue
        assert roster.lacking["missing"].sum() == best


def test_nights_and_weekends_go_round_counting_those_worked_before(solver):
    week = [(day, "night", 1) for day in (0, 2, 4)] + [(5, "day", 1), (6, "day", 1)]
    agents = people("a", "b", "c")
    rules = RosterRules(days_off_together=False)
    first = plan_roster(shifts(*week), agents, rules, solver=solver)
    assert first.fairness["nights"].tolist() == [1, 1, 1]
    assert first.fairness["weekends"].max() == 1 and first.fairness["contract_h"].tolist() == [40] * 3
    later = plan_roster(
        shifts(*week[:2], monday=MONDAY + pd.Timedelta(days=7)), agents, rules, solver=solver, history=first.assignments
    )
    seen = first.fairness["nights"] + later.fairness["nights"]
    assert sorted(seen) == [1, 2, 2]
    # Who had two more than others has none now.
    burdened = pd.concat([first.assignments.query("night and agent == 'a'")] * 2).assign(
        start=[MONDAY - pd.Timedelta(days=3, hours=2), MONDAY - pd.Timedelta(days=5, hours=2)],
        end=[MONDAY - pd.Timedelta(days=3, hours=-6), MONDAY - pd.Timedelta(days=5, hours=-6)],
    )
    eased = plan_roster(shifts(*week[:2]), agents, rules, solver=solver, history=burdened)
    assert eased.fairness["nights"].tolist() == [0, 1, 1]


def test_wishes_are_met_where_the_work_allows(solver):
    plan = shifts(*((day, pattern, 1) for day in range(5) for pattern in ("early", "late")))
    wishes = pd.DataFrame(
        {
            "agent": ["a", "b", "c", "c"],
            "day": [on(0), on(1), on(2), on(3)],
            "pattern": ["off", "late", None, "early"],
            "strength": [1, 1, 1, -1],
        }
    )
    roster = plan_roster(plan, people("a", "b", "c"), RosterRules(), wishes=wishes, solver=solver)
    assert roster.fairness["wishes_met"].sum() == 4
    own = roster.assignments
    assert not ((own["agent"] == "a") & (own["day"] == on(0))).any()
    assert ((own["agent"] == "b") & (own["day"] == on(1)) & (own["pattern"] == "late")).any()


def test_people_keep_their_pattern_and_move_on_in_turn(solver):
    weeks = [
        (7 * week + day, pattern, 1) for week in range(3) for day in range(5) for pattern in ("early", "day", "late")
    ]
    kept = plan_roster(shifts(*weeks), people("a", "b", "c"), RosterRules(), solver=solver)
    assert kept.assignments.groupby("agent")["pattern"].nunique().tolist() == [1, 1, 1]
    rules = RosterRules(rotation=("early", "day", "late"))
    moved = plan_roster(shifts(*weeks), people("a", "b", "c"), rules, solver=solver).assignments
    week = moved["day"].dt.isocalendar().week
    usual = moved.assign(week=week).pivot_table("pattern", "agent", "week", aggfunc=lambda given: given.mode()[0])
    follows = {"early": "day", "day": "late", "late": "early"}
    for _, own in usual.iterrows():
        assert [follows[pattern] for pattern in own[:-1]] == own[1:].tolist()


def test_overtime_is_worked_before_a_shift_stays_open_and_training_is_kept_free(solver):
    plan = shifts(*((day, "day", 1) for day in range(6)))
    rules = RosterRules(days_off=1, days_off_together=False, max_hours_a_week=48)
    over = plan_roster(plan, people("a"), rules, solver=solver)
    assert over.lacking.empty and over.fairness["overtime_h"].tolist() == [8]
    both = plan_roster(plan, people("a", "b"), rules, solver=solver)
    assert both.fairness["overtime_h"].tolist() == [0, 0] and both.fairness["hours"].tolist() == [24, 24]
    trained = plan_roster(plan, people("a", training_h=[2.0]), rules, solver=solver)
    assert trained.fairness["hours"].tolist() == [40] and trained.lacking["missing"].sum() == 1


def test_what_is_missing_is_said_in_words():
    plan = shifts((5, "night", 3, "B"), (4, "late", 1, "A"), (5, "day", 1, "A"))
    agents = people(*"abcdef", skills=[["B"], ["B"], ["B"], ["A"], ["A, B"], ["B"]], hours=[40, 40, 0, 40, 40, 40])
    leave = pd.DataFrame({"agent": ["a", "b"], "day": [on(5), on(6)]})
    history = pd.DataFrame(
        {"agent": ["f"], "pattern": ["day"], "start": [MONDAY + pd.Timedelta(days=5, hours=8)],
         "end": [MONDAY + pd.Timedelta(days=5, hours=16)]}
    )  # fmt: skip
    roster = plan_roster(plan, agents, LOOSE, leave=leave, history=history)
    assert roster.missing == [
        "Sat 7 Nov 22:00–06:00 (night) needs 3 more with skill B: of 4 who have it, 2 on leave, "
        "1 at their maximum hours, 1 on another shift that day."
    ]
    assert explain_lacking(roster.lacking, "zh")[0].startswith(
        "周六（11月7日）22:00–06:00“night”班还差3名会B的人：全部4人中2人休假"
    )
    nobody = plan_roster(plan, people("d", skills=[["A"]]), LOOSE).missing
    assert "Sat 7 Nov 22:00–06:00 (night) needs 3 more with skill B: nobody has it." in nobody


def test_rest_is_elapsed_time_when_clocks_change():
    spring = pd.Timestamp("2026-03-23", tz="Europe/Oslo")
    plan = shifts((5, "late", 1), (6, "day", 1), monday=spring)  # 22:00 to 09:00 is ten hours in that night
    agents = people("a")
    assert plan_roster(plan, agents, LOOSE).lacking["missing"].sum() == 1
    usual = shifts((4, "late", 1), (5, "day", 1), monday=spring)
    assert plan_roster(usual, agents, LOOSE).lacking.empty


def test_the_time_limit_holds_and_the_best_so_far_keeps_every_rule():
    rng = np.random.default_rng(2)
    wanted = [(day, pattern, int(rng.integers(1, 5))) for day in range(7) for pattern in PATTERNS]
    agents = people(*(f"a{n}" for n in range(30)))
    plan, rules = shifts(*wanted), RosterRules(rotation=("early", "day", "late"))
    began = monotonic()
    roster = plan_roster(plan, agents, rules, time_limit_s=0.3)
    assert monotonic() - began < 8
    assert violations(roster, plan, agents, rules) == []
    assert roster.gap >= 0 and roster.status in ("optimal", "time limit")


def test_rules_of_shifts_are_rules_of_rosters():
    shipped = read_shifts(name="hotline_24h")
    rules = roster_rules(shipped)
    assert (rules.rest_h, rules.rotation) == (shipped.people.min_rest_hours, shipped.people.rotation)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"agents": people("a", "a")}, "agent a stands twice"),
        ({"agents": people()}, "there are no agents"),
        ({"agents": pd.DataFrame({"name": ["a"]})}, "no column 'agent'"),
        ({"agents": people("a", hours=[-1])}, "hours is -1"),
        ({"agents": people("a", skills=["chess"])}, "no agent has a skill"),
        ({"leave": pd.DataFrame({"agent": ["z"], "day": [on(0)]})}, "there is no agent z"),
        ({"leave": pd.DataFrame({"agent": ["a"], "start": [on(1)], "end": [on(0)]})}, "ends before it begins"),
        ({"solver": "guess"}, "there is no solver 'guess'"),
        ({"time_limit_s": 0}, "the time limit is 0"),
        ({"plan": shifts((0, "day", 1)).drop(columns="paid_s")}, "no column 'paid_s'"),
        ({"plan": shifts((0, "day", 0))}, "the plan has no shifts"),
    ],
)
def test_bad_input_is_told_by_name(change, told):
    given = {"plan": shifts((0, "day", 1)), "agents": people("a"), "rules": RosterRules()} | change
    with pytest.raises(StaffingError, match=told):
        plan_roster(**given)


@pytest.mark.parametrize(
    "change", [{"rest_h": 25}, {"days_off": 1}, {"weekend": (7,)}, {"hours_a_week": 50}, {"max_days_in_a_row": 0}]
)
def test_rules_that_make_no_sense_are_refused(change):
    with pytest.raises(StaffingError):
        RosterRules(**change)
