"""A plan from end to end, and what is written of it: verdict, workbook, calendars."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from svcanalytics import charts, staffing, store
from svcanalytics.errors import StaffingError
from svcanalytics.staffing.weekly import planning
from svcanalytics.staffing.weekly.assumptions import Assumptions
from svcanalytics.staffing.weekly.coverage import cover
from svcanalytics.staffing.weekly.staff import Staff

HOSTILE = ["=cmd|' /C calc'!A0", "@SUM(A1:A9)", "+1+1", "-2+3", "a/b", "a:b", "\u202eevil", "王芳"]
MADE = datetime(2026, 10, 30, 9, 0, tzinfo=UTC)


def assumptions(queues):
    rows = [(queue, "handle_s", 240.0, 230.0, 250.0, 900, "measured") for queue in queues]
    rows += [(queue, "patience_s", 180.0, 150.0, 220.0, 900, "measured") for queue in queues]
    rows += [("", "shrinkage", 0.05, np.nan, np.nan, 0, "given"), ("", "absence", 0.02, np.nan, np.nan, 0, "given")]
    table = pd.DataFrame(rows, columns=["queue", "what", "value", "low", "high", "n", "source"])
    return Assumptions(table, pd.DataFrame({"queue": [], "weekday": [], "hour": [], "mean_s": []}))


@pytest.fixture(scope="module")
def plan(made_up):
    queues = ["calls", "=HYPERLINK(1)"]
    forecast = made_up(0.08, 0.5, queues)
    agents = pd.DataFrame({"agent": HOSTILE, "skills": [queues] * len(HOSTILE), "hours": 40.0})
    nothing = pd.DataFrame(columns=["agent", "start", "end"])
    staff = Staff(agents, nothing, nothing.assign(pattern=""))
    rules = staffing.read_shifts(name="hotline_24h")
    return staffing.plan_staffing(
        forecast, assumptions(queues), rules, staffing.Goal(within_s={"calls": 20, "=HYPERLINK(1)": 60}), staff=staff,
        draws=60, shift_limit_s=5, roster_limit_s=5,
    )  # fmt: skip


def test_the_parts_of_a_plan_fit_together(plan):
    given = plan.roster.assignments.groupby(["group", "pattern", "start"]).size().sum()
    assert given == plan.lived_shifts["count"].sum()
    assert given + plan.roster.lacking["missing"].sum() == plan.shifts.shifts["count"].sum()
    assert plan.hours == pytest.approx(plan.roster.assignments["paid_s"].sum() / 3600)
    draws = plan.lived.draws
    for queue, part in draws.groupby("queue"):
        level = part.groupby("draw")["within"].sum() / part.groupby("draw")["base"].sum()
        row = plan.promises.set_index("queue").loc[queue]
        assert row["week_kept"] == pytest.approx((level >= 0.8).mean())
        assert row["week_low"] <= row["week_kept"] <= row["week_high"]


def test_coverage_is_what_people_on_shift_and_not_at_a_break_give(plan):
    found = cover(plan.lived_shifts, plan.shifts)
    length = pd.Timedelta(seconds=plan.shifts.interval_s)
    for row in found.sample(8, random_state=1).itertuples():
        at_work = 0.0
        for minute in range(int(length.total_seconds() // 60)):
            moment = row.start + pd.Timedelta(minutes=minute)
            for shift in plan.lived_shifts[plan.lived_shifts["group"] == row.queue].itertuples():
                here = shift.start <= moment < shift.end and not any(a <= moment < b for a, b, _ in shift.breaks)
                pattern = plan.rules.patterns[shift.pattern]
                count = plan.lived_shifts.loc[shift.Index, "count"]
                at_work += here * count * (pattern.counts if pattern.on_call else 1)
        assert row.planned == pytest.approx(at_work / (length.total_seconds() / 60))
        assert row.shortfall == pytest.approx(max(row.required - row.planned, 0))


def test_a_window_has_its_date_where_the_weekday_does_not_tell():
    start, end = (pd.Timestamp(f"2026-11-14 {clock}", tz="Asia/Shanghai") for clock in ("08:00", "13:30"))
    assert staffing.describe_window(start, end, "en") == "Saturday 08:00–13:30"
    assert staffing.describe_window(start, end, "en", dated=True) == "Saturday 14 Nov 08:00–13:30"
    assert staffing.describe_window(start, end, "zh", dated=True) == "周六（11月14日）08:00–13:30"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_verdict_says_how_sure_it_is_and_where_the_risk_sits(plan, language):
    first, *rest = staffing.describe_verdict(plan, language)
    worst = plan.promises.iloc[1:].sort_values("week_kept").iloc[0]
    number = round(100 * worst["week_kept"])
    assert f"{worst['queue']} {number if worst['week_kept'] in (0, 1) else min(max(number, 1), 99)}" in first
    assert "100" in first and ("interval" in first or "区间" in first)
    window = staffing.worst_windows(plan).iloc[0]
    assert staffing.describe_window(window["start"], window["end"], language) in rest[0]
    assert any(f"{plan.cost:,.0f} CNY" in sentence for sentence in rest)


def test_more_service_takes_and_costs_more_and_delivers_it(plan):
    found = staffing.weigh_targets(plan, (0.6, 0.9))
    assert (found.diff().iloc[1][["hours", "cost", "service_level"]] > 0).all()
    assert (found["service_level"] >= found["target"]).all() and (found["day_kept"] > 0.8).all()
    assert charts.svg(charts.draw_frontier(found, 9e3, 0.8, unit="CNY", language="zh"), "zh").startswith("<svg")


def test_the_workbook_holds_the_plan_and_no_formula(plan, tmp_path):
    import openpyxl

    path = staffing.write_workbook(plan, tmp_path / "new" / "plan.xlsx", organisation="=1+1")
    book = openpyxl.load_workbook(path)
    assert len(book.sheetnames) == 9
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert not [cell for cell in cells if cell.data_type == "f"]
    text = {str(cell.value) for cell in cells}
    assert set(HOSTILE) <= text and "=HYPERLINK(1)" in text
    needed = pd.read_excel(path, sheet_name="Requirement", engine="openpyxl")
    assert needed["agents scheduled"].to_numpy() == pytest.approx(plan.requirement["scheduled"].to_numpy())
    assert needed["start"].tolist() == plan.requirement["start"].dt.tz_localize(None).tolist()
    heat = book["Coverage"]
    assert len(heat.conditional_formatting) == 2
    spare = [c.value for row in heat.iter_rows(min_row=3, min_col=2) for c in row if isinstance(c.value, int | float)]
    expected = (plan.coverage["planned"] - plan.coverage["required"]).sum()
    assert sum(spare) == pytest.approx(expected, abs=0.01 * len(spare))
    roster = book["Roster"]
    filled = [c for row in roster.iter_rows(min_row=2, min_col=2) for c in row if c.value]
    assert len(filled) == len(plan.roster.assignments)
    staffing.write_workbook(plan, tmp_path / "zh.xlsx", language="zh")
    assert "覆盖热力图" in openpyxl.load_workbook(tmp_path / "zh.xlsx").sheetnames
    with pytest.raises(StaffingError, match=r"not written as \.pdf"):
        staffing.write_workbook(plan, tmp_path / "plan.pdf")


def test_calendars_give_the_same_moments_and_keep_their_names(plan, tmp_path):
    from icalendar import Calendar

    written = staffing.write_calendars(plan.roster, tmp_path / "ics", made=MADE)
    assert all(path.parent == tmp_path / "ics" for path in written)
    rows = plan.roster.assignments
    assert len(written) == len({path.name.casefold() for path in written}) == rows["agent"].nunique()
    found, uids = [], []
    for path, (agent, own) in zip(written, rows.groupby("agent", sort=False), strict=True):
        calendar = Calendar.from_ical(path.read_bytes())
        assert [str(zone["TZID"]) for zone in calendar.walk("VTIMEZONE")] == ["Asia/Shanghai"]
        events = calendar.walk("VEVENT")
        uids += [str(event["UID"]) for event in events]
        found += [(agent, event.decoded("DTSTART"), event.decoded("DTEND")) for event in events]
        breaks = [str(event["DESCRIPTION"]).count("reak: ") for event in events]
        assert breaks == [len(each) for each in own["breaks"]]
    assert found == list(zip(rows["agent"], rows["start"], rows["end"], strict=True))
    assert len(set(uids)) == len(rows)
    again = staffing.write_calendars(plan.roster, tmp_path / "later", made=datetime(2026, 11, 1, tzinfo=UTC))
    later = [str(e["UID"]) for path in again for e in Calendar.from_ical(path.read_bytes()).walk("VEVENT")]
    assert later == uids


def test_people_are_shared_out_to_the_queues_that_lack_most():
    agents = pd.DataFrame(
        {"agent": list("abcd"), "skills": [["x"], ["x", "y"], ["x", "y"], ["y", "z", "x"]], "hours": 40.0}
    )
    staff = Staff(agents, pd.DataFrame(), pd.DataFrame())
    assert staff.share_out({"x": 60, "y": 50, "z": 30}) == {"x": 2, "y": 1, "z": 1}
    assert staff.share_out({"x": 10, "y": 0}) == {"x": 2, "y": 2}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """Eight weeks of calls from 9 to 17, exponential handle times, patience of three minutes, five agents."""
    rng = np.random.default_rng(8)
    parts = []
    for day in pd.bdate_range("2026-08-31", "2026-10-30"):
        n = rng.poisson(130)
        at = day + pd.to_timedelta(np.sort(rng.uniform(9 * 3600, 17 * 3600, n)).round(), unit="s")
        wait, patience = rng.exponential(15, n).round(), rng.exponential(180, n).round()
        talk = rng.exponential(300, n).round()
        part = pd.DataFrame({"queue": "calls", "offered_at": at, "queued_at": at, "talk_s": talk.astype(int)})
        part["abandoned"] = patience < wait
        answered = at + pd.to_timedelta(np.minimum(wait, patience), unit="s")
        part["answered_at"] = answered.where(~part["abandoned"])
        part["ended_at"] = answered + pd.to_timedelta(np.where(part["abandoned"], 0, talk), unit="s")
        part["talk_s"] = part["talk_s"].where(~part["abandoned"]).astype("Int64")
        part["agent"] = pd.Series([f"p{k}" for k in rng.integers(0, 5, n)]).where(~part["abandoned"])
        parts.append(part.assign(channel="phone"))
    contacts = pd.concat(parts, ignore_index=True)
    for name in ("offered_at", "queued_at", "answered_at", "ended_at"):
        contacts[name] = contacts[name].dt.tz_localize("Europe/Oslo")
    contacts["contact_id"] = [f"c{n}" for n in range(len(contacts))]
    folder = tmp_path_factory.mktemp("week") / "lake"
    store.write(store.open(folder, timezone="Europe/Oslo"), {"contacts": contacts})
    return store.open(folder)


def test_shipped_rules_take_a_country_s_holidays_and_foreign_pay_becomes_hours():
    hotline, desk = (staffing.read_shifts(name=name) for name in ("hotline_24h", "service_desk"))
    assert planning.at_home(hotline, "CN") == hotline
    abroad = planning.at_home(hotline, "NO")
    assert (abroad.holidays, abroad.currency, abroad.costs.hour) == ("NO", "", 1.0)
    assert abroad.patterns["peak"].hour == pytest.approx(26 / 32) and abroad.patterns["night"].hour is None
    assert planning.at_home(desk, "NO").holidays == "NO" and planning.at_home(desk, "NO").currency == "EUR"


@pytest.mark.slow
def test_a_week_is_planned_from_what_the_lake_knew_before_it(lake):
    plan = staffing.plan_week(lake, date(2026, 10, 26), draws=40, shift_limit_s=5, roster_limit_s=5)
    known = plan.assumptions.table.set_index("what")
    assert known.loc["handle_s", "low"] < 300 < known.loc["handle_s", "high"]
    assert known.loc["patience_s", "low"] < 180 < known.loc["patience_s", "high"]
    assert plan.requirement["start"].dt.date.min() == date(2026, 10, 26)
    assert plan.requirement["start"].dt.date.max() == date(2026, 10, 30)
    assert plan.rules.id == "service_desk" and set(plan.roster.fairness["agent"]) == {f"p{k}" for k in range(5)}
    # Nothing of the week itself was looked at.
    earlier = store.open(lake.path)
    assert plan.assumptions.table["n"].max() < len(earlier.sql("select 1 from contacts"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"first": date(2027, 6, 7)}, "too long before"),
        ({"first": date(2026, 9, 7)}, "the history has 5 days"),
        ({"days": 0}, "0 days can't be planned"),
        pytest.param({"goal": staffing.Goal(within_s={"chess": 20})}, "no queue 'chess'", marks=pytest.mark.slow),
        ({"first": date(2026, 10, 31), "days": 2}, "nothing is open"),
    ],
)
def test_what_can_t_be_planned_is_refused_with_a_reason(lake, words, told):
    with pytest.raises(StaffingError, match=told):
        staffing.plan_week(lake, **({"first": date(2026, 11, 2), "draws": 20} | words))


@pytest.mark.slow
@pytest.mark.real_data
def test_a_week_of_a_real_bank_is_planned_from_the_weeks_before_it(real_data, tmp_path):
    bank = store.open(tmp_path / "lake", timezone="Asia/Jerusalem")
    store.load(bank, real_data / "contacts" / "bank_contacts_1999_01.txt", source="telephony_log")
    plan = staffing.plan_week(bank.refresh(), date(1999, 1, 24), draws=60, shift_limit_s=10, roster_limit_s=10)
    known = plan.assumptions.table.set_index(["what", "queue"])
    assert 150 < known.loc[("handle_s", "general"), "value"] < 260
    assert known.loc[("patience_s", "general"), "low"] > 120
    assert plan.coverage["shortfall"].sum() < 0.2 * plan.coverage["required"].sum()
    general = plan.promises.set_index("queue").loc["general"]
    assert general["service_level"] > 0.75


def test_a_wish_for_a_shift_that_no_rule_knows_is_refused(plan):
    wishes = pd.DataFrame({"agent": ["a/b"], "day": [pd.Timestamp("2026-11-02")], "pattern": ["Nachtschicht"]})
    agents = pd.DataFrame({"agent": HOSTILE})
    with pytest.raises(StaffingError, match=r"no pattern 'Nachtschicht'\n.*off, early"):
        staffing.plan_roster(plan.shifts, agents, wishes=wishes)
