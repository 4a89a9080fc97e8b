"""The gate: each change of the data is found by its mark, with date and cost; a worse service is not taken for one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.tracing import artefact_findings, gate, mark_artefacts

DATE = pd.Timestamp("2026-07-20")


@pytest.fixture
def rows(make_cases):
    return make_cases(7, 8000, luck=0.0)


def spoil(rows, what, rng):
    """Return the rows with one artefact since DATE, and the rows that hold it."""
    after = rows["at"].ge(DATE)
    web = rows["channel"].eq("web") & after
    if what == "turned":
        rows = rows.assign(bad=np.where(web, 1 - rows["bad"], rows["bad"]))
    elif what == "renamed":
        rows = rows.assign(channel=rows["channel"].mask(web, "web 2"))
    elif what == "doubled":
        more = rows[after & rows["bad"].eq(1)]
        rows = pd.concat([rows, more.assign(id=more["id"] + "x")], ignore_index=True)
    elif what == "silent":
        rows = rows[~web]
    elif what == "clock":
        rows = rows.assign(at=rows["at"].mask(web, rows["at"] + pd.Timedelta(hours=8)))
    elif what == "lost":
        rows = rows[~(web & rows["bad"].eq(0) & (rng.random(len(rows)) < 0.6))]
    return rows.reset_index(drop=True)


@pytest.mark.parametrize(
    ("what", "where"),
    [
        ("turned", "channel=web"), ("renamed", "channel=web 2"), ("doubled", ""), ("silent", "channel=web"),
        ("clock", "channel=web"), ("lost", "channel=web"),
    ],
)  # fmt: skip
def test_each_kind_of_change_is_found_with_its_place_and_date(rows, make_material, what, where):
    spoiled = spoil(rows, what, np.random.default_rng(1))
    outcomes = {"late": spoiled} | ({"speed": rows} if what == "lost" else {})
    table = gate(make_material(outcomes)).query("measure == 'late'")
    assert table["what"].tolist() == [what] and table["where"].tolist() == [where]
    assert abs((table["since"].iloc[0] - DATE).days) <= (7 if what == "clock" else 2)


def test_a_scale_turned_on_the_first_day_of_a_short_period_among_few_rows_is_found(make_material):
    rng = np.random.default_rng(5)
    at = pd.Timestamp("2026-07-01") + pd.to_timedelta(np.sort(rng.integers(0, 62 * 24, 1200)), "h")
    now_on = pd.Timestamp("2026-08-01")
    now = at >= now_on
    rows = pd.DataFrame({"id": np.arange(1200).astype(str), "at": at, "period": np.where(now, "now", "before")})
    rows = rows.assign(queue=np.where(rng.random(1200) < 0.06, "south", "north"), bad=(rng.random(1200) < 0.06) * 1)
    rows["bad"] = np.where(now & rows["queue"].eq("south"), 1 - rows["bad"], rows["bad"])
    found = artefact_findings(make_material({"csat": rows}))
    assert [each.where for each in found] == ["queue=south"] and abs((found[0].since - now_on).days) <= 1


def test_unspoilt_data_and_a_service_that_got_worse_pass_the_gate(make_cases, make_material):
    for seed in range(5):
        rows = make_cases(seed, 6000, people=0.15)
        worse = rows["at"].ge(DATE) & rows["channel"].eq("web") & (np.random.default_rng(seed).random(len(rows)) < 0.3)
        rows = rows.assign(bad=rows["bad"].where(~worse, 1))
        assert gate(make_material({"late": rows})).empty


def test_a_new_definition_is_told_with_what_it_costs_and_how_much_of_the_move_it_is(make_cases, make_material):
    rows = make_cases(7, 8000, luck=0.0).assign(source=np.random.default_rng(2).choice(["crm_a", "crm_b"], 8000))
    struck = rows["source"].eq("crm_b") & rows["at"].ge(DATE) & (np.random.default_rng(3).random(8000) < 0.2)
    weeks = pd.date_range("2026-03-30", "2026-09-28", freq="7D")
    definitions = pd.DataFrame(
        {"what": "definition", "table": "cases", "name": "crm_b", "at": weeks, "value": (weeks >= DATE) + 1.0}
    )
    truth = int((struck & rows["bad"].eq(0)).sum())
    material = make_material({"late": rows.assign(bad=rows["bad"].where(~struck, 1))}, definitions=definitions)
    found = artefact_findings(material)
    assert [(f.kind, f.layer, f.where, f.since) for f in found] == [("artefact", "data", "source=crm_b", DATE)]
    assert abs(found[0].excess - truth) < 0.35 * truth and found[0].low < 0.01 * truth < found[0].high
    assert found[0].details["share_of_move"] == pytest.approx(1, abs=0.5) and len(found[0].cases) == 20
    unchanged = make_material({"late": rows}, definitions=definitions)
    assert len(gate(unchanged)) == 1 and artefact_findings(unchanged) == []


def test_a_column_no_longer_filled_is_told_where_the_metric_jumps(make_cases, make_material):
    rows = make_cases(7, 8000, luck=0.0)
    struck = rows["channel"].eq("web") & rows["at"].ge(DATE) & (np.random.default_rng(3).random(8000) < 0.3)
    weeks = pd.date_range("2026-03-30", "2026-09-28", freq="7D")
    definitions = pd.DataFrame(
        {"what": "missing", "table": "surveys", "name": "csat", "at": weeks,
         "value": np.where(weeks >= DATE, 0.3, 0.02), "n": 400.0}
    )  # fmt: skip
    material = make_material({"csat": rows.assign(bad=rows["bad"].where(~struck, 1))}, definitions=definitions)
    assert [(f.where, f.details["what"]) for f in artefact_findings(material)] == [("channel=web", "missing")]


def test_findings_that_rest_on_an_artefact_are_marked_and_others_are_not(rows, make_material):
    material = make_material({"late": spoil(rows, "turned", None)})
    artefacts = artefact_findings(material)
    template = Finding("segment", "late", "", 100, 10.0, 0.1, 0.0, 0.2, 0.01)
    found = [replace(template, where=where) for where in ("channel=web", "channel=web&team=A", "team=A", "theme=t1")]
    marked = mark_artefacts(material, found, artefacts)
    assert [each.kind for each in marked[:2]] == ["artefact", "artefact"]
    assert marked[0].details["artefact"] == artefacts[0].finding_id and marked[3].kind == "segment"


def test_a_gate_without_a_baseline_or_with_a_single_day_is_quiet(rows, make_material):
    now = rows[rows["period"] == "now"]
    assert gate(make_material({"late": now})).empty
    assert gate(make_material({"late": now.assign(at=DATE)})).empty
