from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import charts, staffing
from svcanalytics.errors import StaffingError

MONTHS = pd.period_range("2027-01", periods=8, freq="M")
STAYING = {"agents": 50, "leavers": 0, "agent_months": 1e9, "leave": (0.0,) * 12, "shrinkage": 0.0}
STEADY = staffing.Workforce(**STAYING, curve=(), training_months=0, lead_months=0)


def hours(people, *, spread: float = 0.0, paths: int = 400, workforce=STEADY) -> pd.DataFrame:
    """Return the hours of so many productive people a month, known up to a common factor."""
    each = workforce.paid_hours * MONTHS.days_in_month.to_numpy() / 30.4375
    each = each * (1 - np.array([workforce.leave[m.month - 1] for m in MONTHS])) * (1 - workforce.shrinkage)
    factor = np.random.default_rng(0).lognormal(0, spread, (1, paths)) if spread else np.ones((1, paths))
    people = np.broadcast_to(np.asarray(people, dtype="float64"), (len(MONTHS),))
    return pd.DataFrame((people * each)[:, None] * factor, index=MONTHS)


def test_people_who_stay_and_suffice_need_no_new_ones():
    plan = staffing.plan_capacity(hours(50.0), STEADY)
    assert plan.hires == 0
    assert (plan.months["short"] == 0).all()
    assert plan.sentences("en") == ["Nobody need be hired."]


def test_known_demand_is_met_by_exactly_the_people_lacking_and_not_a_month_too_soon():
    plan = staffing.plan_capacity(hours([50, 50, 52, 52, 55, 55, 55, 55]), STEADY)
    assert list(plan.months["hires"]) == [0, 0, 2, 0, 3, 0, 0, 0]


def test_training_and_learning_move_hiring_forward():
    slow = staffing.Workforce(**STAYING, curve=(0.5,), training_months=1, lead_months=1)
    plan = staffing.plan_capacity(hours([50, 50, 50, 50, 50, 56, 56, 56]), slow)
    # Six whole people in June: half a person each in May's class, whole ones from April's.
    assert plan.months["hires"].sum() == 6
    assert plan.months["hires"].iloc[:4].sum() == 6
    late = staffing.plan_capacity(hours([56] * 8), slow)
    reasons = {month: why for month, _, _, why in late.missing}
    assert reasons == {"2027-01": "lead", "2027-02": "lead"}


@pytest.mark.parametrize("risk", [0.1, 0.3])
def test_the_risk_asked_for_holds_in_courses_that_were_not_planned_on(risk):
    workforce = staffing.Workforce(80, leavers=24, agent_months=960, lead_months=1, training_months=1)
    demand = hours([78, 79, 80, 84, 86, 88, 88, 90], spread=0.05, workforce=workforce)
    plan = staffing.plan_capacity(demand, workforce, risk=risk, seed=0)
    reached = plan.months["short"].iloc[3:]
    assert (reached <= risk + 0.03).all()
    assert reached.max() > risk / 3  # and not by hiring the town
    # A naive loop, person by person, on other luck.
    rng = np.random.default_rng(99)
    short = np.zeros(len(MONTHS))
    draws = 1500
    each = demand.to_numpy()
    per_person = hours(1.0, workforce=workforce).to_numpy()[:, 0]
    for _ in range(draws):
        chance = 1 - np.exp(-rng.gamma(24.5, 1 / 972))
        cohorts = [[80, -1]]
        needed = each[:, rng.integers(each.shape[1])] / per_person
        for month in range(len(MONTHS)):
            for cohort in cohorts:
                cohort[0] -= rng.binomial(cohort[0], chance)
            if plan.months["hires"].iloc[month]:
                cohorts.append([int(plan.months["hires"].iloc[month]), month])
            able = 0.0
            for heads, start in cohorts:
                step = month - start
                learned = (0.0, 0.6, 0.75, 0.87, 0.95)
                able += heads * (1.0 if start < 0 or step >= len(learned) else learned[step])
            short[month] += able < needed[month]
    assert np.abs(short / draws - plan.months["short"]).max() < 0.06


def test_a_full_class_leaves_months_short_and_says_so():
    crowded = staffing.Workforce(**STAYING, curve=(), training_months=0, lead_months=0, most_hires=2)
    plan = staffing.plan_capacity(hours([60] * 8), crowded)
    assert plan.months["hires"].max() <= 2
    assert plan.missing[0][3] == "class"
    assert "full" in " ".join(plan.sentences("en"))
    assert "名额已满" in " ".join(plan.sentences("zh"))


def test_less_risk_and_more_attrition_never_take_fewer_people():
    demand = hours([50, 51, 52, 53, 54, 55, 56, 57], spread=0.05)
    by_risk = [staffing.plan_capacity(demand, STEADY, risk=risk).hires for risk in (0.4, 0.2, 0.05)]
    assert by_risk == sorted(by_risk)
    leaving = [
        staffing.plan_capacity(demand, staffing.Workforce(50, leavers=n, agent_months=1000, lead_months=0)).hires
        for n in (0, 20, 60)
    ]
    assert leaving == sorted(leaving)


def test_the_learning_curve_halves_what_is_missing():
    curve = staffing.learning_curve(0.6, 3, months=7)
    assert curve[0] == pytest.approx(0.6)
    assert curve[3] == pytest.approx(0.8)
    assert curve[6] == pytest.approx(0.9)


def test_the_workload_of_a_month_is_its_contacts_times_their_handle_time():
    class Flat:
        table = None

        def paths(self, n, seed=0):
            starts = pd.date_range("2026-12-15", "2027-03-10", freq="D", tz="Asia/Shanghai")
            index = pd.MultiIndex.from_product([["a", "b"], starts], names=["queue", "start"])
            return pd.DataFrame(np.full((len(index), n), 100.0), index=index)

    load = staffing.monthly_workload(Flat(), {"a": 180.0, "b": 360.0}, occupancy=0.5, n=3)
    assert list(load.index.astype(str)) == ["2027-01", "2027-02"]  # the others are not whole
    assert load.loc["2027-01"].tolist() == pytest.approx([31 * 100 * 540 / 3600 / 0.5] * 3)
    grown = staffing.monthly_workload(Flat(), 180.0, growth=(0.12, 0.0), n=3)
    assert grown.iloc[0, 0] / staffing.monthly_workload(Flat(), 180.0, n=3).iloc[0, 0] == pytest.approx(
        1.12 ** (0.5 / 12)
    )
    with pytest.raises(StaffingError, match="no handle time"):
        staffing.monthly_workload(Flat(), {"a": 180.0})


def test_the_workforce_of_a_lake_is_who_is_there_and_who_left_of_late(lake):
    people = pd.DataFrame(
        {
            "agent": list("ABCD"),
            "role": ["agent", "agent", "agent", "manager"],
            "hired_on": ["2020-01-01", "2025-10-01", "2024-10-01", "2019-01-01"],
            "left_on": [None, None, "2026-04-01", None],
        }
    )
    for name in ("hired_on", "left_on"):
        people[name] = pd.to_datetime(people[name]).dt.date
    lake = sv.store.write(lake, {"agents": people})
    found = staffing.describe_workforce(lake, pd.Timestamp("2026-10-01"), months=12, roles=["agent"])
    assert (found.agents, found.leavers) == (2, 1)
    assert found.agent_months == pytest.approx(12 + 12 + 6, abs=0.1)


@pytest.mark.parametrize(
    "wrong", [{"agents": -1}, {"shrinkage": 1.0}, {"leave": (0.1,)}, {"curve": (1.2,)}, {"paid_hours": 0}]
)
def test_a_workforce_that_cannot_be_is_refused(wrong):
    with pytest.raises(StaffingError, match=next(iter(wrong))):
        staffing.Workforce(**{"agents": 10, **wrong})


def test_the_picture_names_the_people_who_start():
    plan = staffing.plan_capacity(hours([50, 50, 52, 52, 55, 55, 55, 55]), STEADY)
    drawn = charts.svg(charts.draw_headcount(plan.months, language="zh"), "zh")
    assert "+3人" in drawn
