"""The catalogue of standards: what ships, what can be provided, and how a bad definition is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import resources, store
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics import clock_calendars, clock_rows, rulebook, standards
from svcanalytics.metrics.views import view
from svcanalytics.store.contract import contract
from svcanalytics.store.mapping import mappings

# Every row of the standards documents: limit, share, calendar; typed in by hand.
PROMISED = {
    "confirmed_by_person": ("30 s", None),
    "first_response": ("15 min", 0.95),
    "first_response_consultation": ("3 min", None),
    "response_timeliness": ("", 0.98),
    "preliminary_solution": ("15 min", None),
    "handed_to_experts": ("10 min", None),
    "written_progress": ("2 h", None),
    "complex_resolved": ("48 h", None),
    "booking_confirmed": ("1 h", None),
    "repair_progress": ("30 min", None),
    "repair_progress_repeated": ("30 min", None),
    "cross_team_plan": ("2 h", None),
    "joint_meeting": ("4 h", None),
    "escalation_handled": ("4 h", None),
    "complaint_contacted_serious": ("24 h", None),
    "complaint_told_serious": ("3 working days", None),
    "complaint_contacted_ordinary": ("12 h", None),
    "complaint_solved_ordinary": ("2 working days", None),
    "suggestion_listed": ("7 days", None),
    "adoption_told": ("1 month", None),
    "complaint_response": ("24 h", None),
    "complaint_handled": ("48 h", None),
    "complaint_told_after_investigation": ("48 h", None),
    "suggestion_answered": ("48 h", None),
    "urgent_defect_fixed": ("48 h", None),
    "incident_response_started": ("15 min", None),
    "incident_assessed": ("1 h", None),
    "incident_plan": ("2 h", None),
    "incident_parties_told": ("4 h", None),
    "switched_over": ("10 min", None),
    "finding_planned": ("", None),
    "finding_rectified": ("", None),
    "finding_rechecked": ("", None),
    "behaviour_data_refreshed": ("7 days", None),
    "procedure_revised": ("3 months", None),
    "drill_held": ("6 months", None),
    "emergency_plan_revised": ("1 year", None),
}


def test_every_row_of_the_standards_documents_ships_with_its_limit_and_share():
    shipped = rulebook().standards
    assert {name: (shipped[name].limit, shipped[name].share) for name in PROMISED} == PROMISED
    assert not set(PROMISED) - set(shipped)


def test_every_shipped_standard_is_named_in_both_languages():
    for rule in rulebook().standards.values():
        assert re.search(r"[一-鿿]", rule.name["zh"]) and rule.name["en"].isascii(), rule.id


def test_working_day_limits_name_a_calendar_that_knows_holidays():
    known = clock_calendars()
    for rule in rulebook().standards.values():
        if rule.limit and rule.span().kind == "working_days":
            assert not known[rule.calendar].runs_always, rule.id


@pytest.mark.parametrize("rule", [rule for rule in rulebook().standards.values() if not rule.of], ids=lambda r: r.id)
def test_what_a_shipped_clock_needs_can_be_provided_by_a_mapping_or_a_fill_in_workbook(rule):
    tables = {name: table for name, table in contract().tables.items() if table.template}
    provided = {(name, column) for name, table in tables.items() for column in table.columns}
    for mapping in mappings().values():
        provided |= {(name, column) for name, table in mapping.tables.items() for column in table.columns}
    if rule.table == "cases":
        milestones = {rule.from_, *rule.to, *rule.until}
        assert milestones <= set(contract()["events"].columns["milestone"].allowed)
        needed = {("events", "milestone"), ("events", "at"), ("cases", "opened_at")}
        needed |= {("events", "medium")} if rule.medium else set()
    else:
        (table, *_) = view(rule.table).tables
        columns = {rule.from_, *rule.to, *rule.until, *([rule.due] if rule.due else [])} - {"next"}
        needed = {(table, column) for column in columns & set(contract()[table].columns)}
        assert columns <= set(view(rule.table).columns())
        needed |= {(table, contract()[table].key[0])}
    (table, *_) = view(rule.table).tables
    needed |= {(table, column) for column in rule.condition.columns & set(contract()[table].columns)}
    needed |= {("cases", rule.due)} if rule.due and rule.table == "cases" else set()
    assert needed <= provided


def own(lake: sv.Lake, text: str) -> None:
    folder = lake.path.parent / "catalogue"
    folder.mkdir(exist_ok=True)
    (folder / "standards.toml").write_text(text, "utf-8")


GOOD = """
[standards.mine]
name = { zh = "自定", en = "Mine" }
document = "own"
to = "resolved"
limit = "8 h"
calendar = "business_hours"
"""


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (('to = "resolved"', 'to = "solved"'), 5, "no milestone"),
        (('limit = "8 h"', 'limit = "8 hours"'), 6, "not a duration"),
        (('limit = "8 h"', ""), 2, "limit or the column"),
        (('limit = "8 h"', 'due = "booked"'), 6, "no time column"),
        (('document = "own"', 'documents = "own"'), 2, "document"),
        (('to = "resolved"', 'to = "resolved"\ncolour = "red"'), 6, "colour"),
        (('limit = "8 h"', 'limit = "8 h"\nfor = "chanel = \'app\'"'), 7, "no column 'chanel'"),
        (('limit = "8 h"', 'limit = "8 h"\nfor = "grade"'), 7, "not yes or no"),
        (('limit = "8 h"', 'limit = "8 h"\nfor = "(select 1) = 1"'), 7, "not allowed"),
        (('limit = "8 h"', 'limit = "2 working days"\npauses = "customer"'), 7, "pause"),
    ],
)
def test_a_bad_standard_is_refused_with_file_line_and_remedy(lake, change, line, says):
    assert change[0] in GOOD
    own(lake, GOOD.replace(*change))
    with pytest.raises(CatalogueError, match=re.escape(says)) as caught:
        rulebook(lake)
    assert caught.value.where == f"standards.toml:{line}"
    assert caught.value.fix


def test_a_standard_that_names_no_calendar_or_an_unknown_clock_is_refused(lake):
    own(lake, GOOD.replace("business_hours", "moon_phases"))
    with pytest.raises(CatalogueError, match="moon_phases"):
        rulebook(lake)
    own(lake, '[standards.all]\nname = { zh = "全", en = "All" }\ndocument = "own"\nof = ["nothing"]\n')
    with pytest.raises(CatalogueError, match="nothing"):
        rulebook(lake)


def test_an_unknown_standard_is_answered_with_the_nearest(lake):
    with pytest.raises(CatalogueError, match="first_response"):
        standards(lake, "first_respons")


def test_an_organisation_adds_and_replaces_standards_and_calendars(lake):
    own(lake, GOOD + GOOD.replace("mine", "first_response").replace("8 h", "20 min").replace("business_hours", "night"))
    (lake.path.parent / "catalogue" / "calendars.toml").write_text(
        '[night]\nname = { zh = "夜间", en = "Night" }\nhours = { mon-sun = ["00:00-06:00"] }\n', "utf-8"
    )
    book = rulebook(lake)
    assert book.standards["first_response"].limit == "20 min"
    assert book.standards["mine"].calendar == "business_hours"
    assert len(book.standards) == len(rulebook().standards) + 1


def test_a_revised_standard_applies_from_its_first_day(lake):
    later = GOOD.replace("mine", "mine_stricter").replace("8 h", "1 h") + 'valid_from = "2026-03-03"\nspecificity = 1\n'
    later = later.replace('"2026-03-03"', "2026-03-03").replace("business_hours", "round_the_clock")
    own(lake, GOOD.replace("business_hours", "round_the_clock") + later)
    # 2 March 23:59 and 3 March 00:00 in Shanghai.
    opened = pd.to_datetime(["2026-03-02T15:59Z", "2026-03-02T16:00Z"])
    resolved = opened + pd.Timedelta("2h")
    cases = pd.DataFrame({"case_id": ["before", "after"], "opened_at": opened, "resolved_at": resolved})
    rows = clock_rows(store.write(lake, {"cases": cases}), ["mine", "mine_stricter"]).set_index("id")
    assert rows["standard"].to_dict() == {"before": "mine", "after": "mine_stricter"}
    assert rows["state"].to_dict() == {"before": "on_time", "after": "late"}


def test_business_hours_of_the_organisations_own_zone_count(lake):
    own(lake, GOOD)
    # Friday 30 January 2026 17:00 in Shanghai, one open hour left; 8 h end on Monday at 15:30.
    case = {"case_id": ["C"], "opened_at": [pd.Timestamp("2026-01-30T09:00Z")], "resolved_at": [pd.NaT]}
    witness = {"case_id": ["W"], "opened_at": case["opened_at"], "resolved_at": case["opened_at"]}
    frame = pd.concat([pd.DataFrame(case), pd.DataFrame(witness)])
    rows = clock_rows(store.write(lake, {"cases": frame}), "mine").set_index("id")
    assert rows.loc["C", "due"] == pd.Timestamp("2026-02-02T15:30", tz="Asia/Shanghai")


def test_the_shipped_files_are_the_ones_read():
    assert Path(resources.catalogue_path(), "standards.toml").is_file()
    assert {"round_the_clock", "business_hours", "working_days"} <= set(clock_calendars())
