"""Verdicts: the layer that was planted is named, also where it hides behind a team, and no layer without evidence."""

from __future__ import annotations

import numpy as np
import pytest

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.tracing import locate, trace_all, trace_cases
from svcanalytics.errors import CauseError


def finding(where, measure="late"):
    return Finding("segment", measure, where, 0, 1.0, 0.1, 0.0, 0.2, 0.01)


@pytest.mark.parametrize(
    ("planted", "where", "layer", "evidence"),
    [
        ({"people": 0.15}, "team=B", "people", "tenure=new"),
        ({"data": 0.2}, "team=C", "data", "version=3.2"),
        ({"process": 0.03}, "team=D", "process", "wait_check"),
        ({"data": 0.2}, "version=3.2", "data", "version=3.2"),
    ],
)
def test_the_planted_layer_is_named_with_what_carries_it(make_cases, planted, where, layer, evidence):
    right = 0
    for seed in range(10):
        found = trace_cases(make_cases(seed, 8000, **planted), where)
        row = found.layers.set_index("layer").loc[layer]
        right += found.verdict == layer and evidence in row["evidence"] and row["p_value"] < 0.05
    assert right >= 9


def test_a_team_that_got_worse_for_no_recorded_reason_is_put_down_to_who_works_there(make_cases):
    columns = ["team", "channel", "version"]
    found = [trace_cases(make_cases(seed, 8000, team=0.12), "team=B", by=columns) for seed in range(60)]
    assert sum((each.verdict, each.basis) == ("people", "team") for each in found) >= 54
    assert "nothing on record says why" in found[0].sentence("en") and "不能说明原因" in found[0].sentence("zh")
    # Cases of a channel have nothing of the kind in common.
    rows = make_cases(0, 8000)
    rows["bad"] = rows["bad"].where(~(rows["channel"].eq("app") & rows["period"].eq("now") & (rows.index % 7 == 0)), 1)
    found = trace_cases(rows, "channel=app", by=columns)
    assert found.verdict == "" and "does not say" in found.sentence("en") and "证据不足" in found.sentence("zh")


def test_a_version_that_breaks_one_kind_of_cases_only_is_named_within_them(make_cases):
    for seed in range(5):
        rows = make_cases(seed, 8000, luck=0.0)
        broken = rows["channel"].eq("app") & rows["version"].eq("3.2") & rows["period"].eq("now")
        rows["bad"] = rows["bad"].mask(broken & (rows.index % 3 == 0), 1)
        # As many others go right, so that the version does no harm on the whole.
        fine = rows["channel"].ne("app") & rows["version"].eq("3.2") & rows["period"].eq("now")
        rows["bad"] = rows["bad"].mask(fine & (rows["bad"] == 1) & (rows.index % 5 > 0), 0)
        found = trace_cases(rows, "channel=app")
        assert (found.verdict, found.basis, found.within) == ("data", "within", "version=3.2")
    assert "3.2" in found.sentence("en") and "3.2" in found.sentence("zh")


def test_what_is_missing_because_a_case_went_wrong_does_not_explain_it(make_cases):
    rows = make_cases(0, 8000, team=0.15)
    rows["skill_level"] = np.where(rows["tenure"].eq("new"), "1", "2")
    rows.loc[rows["bad"].eq(1), "skill_level"] = None
    found = trace_cases(rows, "team=B&channel=app", by=["team", "channel", "version", "skill_level"])
    assert found.verdict != "people" and abs(found.layers.set_index("layer").loc["people", "amount"]) < 1


def test_a_change_that_makes_no_difference_elsewhere_is_at_most_said_to_coincide(make_cases):
    found = [trace_cases(make_cases(seed, 8000, team=0.15, luck=0.0), "team=B") for seed in range(10)]
    assert {each.basis for each in found} <= {"coincides", "team"}
    said = next(each for each in found if each.basis == "coincides")
    assert said.changed[0][0] == "tenure=new"
    assert "makes no such difference elsewhere" in said.sentence("en")


def test_cases_of_which_none_went_wrong_have_no_layer_but_their_own(make_cases):
    rows = make_cases(0, 2000, people=0.15).assign(bad=0)
    assert trace_cases(rows, "team=B").verdict == "" and trace_cases(rows, "version=3.2").verdict == "data"


def test_without_a_baseline_or_agents_the_layer_is_told_all_the_same(make_cases):
    rows = make_cases(0, 8000, people=0.2)
    now = rows[rows["period"] == "now"].drop(columns="period")
    assert trace_cases(now, "team=B").verdict == trace_cases(rows.drop(columns="agent"), "team=B").verdict == "people"


def test_findings_of_several_metrics_are_traced_in_their_order(make_cases, make_material):
    late = make_cases(1, 8000, people=0.15)
    again = late.assign(bad=make_cases(1, 8000, data=0.2)["bad"])
    material = make_material({"late": late, "again": again})
    asked = [finding("team=B"), finding("version=3.2", "again"), finding("team=B&channel=app")]
    found = trace_all(material, asked)
    assert [(each.measure, each.where) for each in found] == [(f.measure, f.where) for f in asked]
    assert [each.verdict for each in found][:2] == ["people", "data"]
    verdict, evidence = locate(material, asked[0])
    assert verdict == "people" and set(evidence["layers"]) >= {"data", "process", "people", "rest"}
    assert trace_all(material, []) == []


def test_ids_say_which_cases_a_theme_is_about(make_cases, make_material):
    rows = make_cases(1, 8000, people=0.15)
    material = make_material({"late": rows})
    theme = finding("theme=t1")
    ids = list(rows.loc[rows["team"].eq("B"), "id"])
    assert trace_all(material, [theme], {theme.finding_id: ids})[0].verdict == "people"
    with pytest.raises(CauseError, match="no column 'theme'"):
        trace_all(material, [theme])
    with pytest.raises(CauseError, match="no cases of 'speed'"):
        trace_all(material, [finding("team=B", "speed")])
