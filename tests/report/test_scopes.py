from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import svcanalytics as sv
from svcanalytics import report
from svcanalytics.errors import PublishError
from svcanalytics.periods import parse_period
from svcanalytics.report.parameters import check_id
from svcanalytics.report.publication.proof import explain_figure, find_edition
from svcanalytics.report.publication.restatement import find_restatements
from svcanalytics.report.scheduling.agenda import list_due, list_period
from svcanalytics.report.scheduling.timetable import Timetable
from svcanalytics.report.scopes import list_scopes, name_scope, narrow_lake, parse_scope, suits

AUGUST = parse_period("2026-08")
PROOF = """
from svcanalytics import measure
from svcanalytics.report.blocks import *
from svcanalytics.report.blocks import plain
from svcanalytics.report.facts.gathering import open_lake
found = measure(open_lake(lake, snapshot, scope), start=period, end=period).to_dict("records")
Proof(tuple({"id": row["metric"], "value": plain(row["value"]), "n": plain(row["n"])} for row in found))
"""
HEAD = "from svcanalytics.report.blocks import *\nDocument(title='Tiny report', language=language)"


def cases(counts: dict[str, int], month: str = "2026-08", hours: float = 5.0) -> pd.DataFrame:
    rows = [(team, n) for team, count in counts.items() for n in range(count)]
    opened = [
        pd.Timestamp(f"{month}-01 09:00", tz="Asia/Shanghai") + pd.Timedelta(hours=n * 700 // 60) for _, n in rows
    ]
    made = pd.DataFrame({"case_id": [f"{month} {team} {n}" for team, n in rows], "opened_at": opened})
    return made.assign(owner_team=[team for team, _ in rows], resolved_at=made["opened_at"] + pd.Timedelta(hours=hours))


@pytest.fixture
def teams(lake):
    """Return a lake of two months: 甲组 and 乙组 with enough cases for a report, Night with too few."""
    first = cases({"甲组": 60, "乙组": 40, "Night": 9}, "2026-07")
    return sv.store.write(lake, {"cases": pd.concat([first, cases({"甲组": 60, "乙组": 40, "Night": 9})])})


@given(name=st.text(min_size=1, max_size=60), other=st.text(min_size=1, max_size=60))
def test_whatever_a_unit_is_called_its_folder_is_a_plain_id_of_its_own(name, other):
    ids = []
    for text in (name, other):
        try:
            scope = parse_scope(f"team:{text}")
        except PublishError:
            assert not text.isprintable() or not text.strip()
            return
        ids.append(check_id(scope.id, "scope"))
        assert Path("reports", scope.id).resolve().parent == Path("reports").resolve()
    assert (ids[0] == ids[1]) == (name.strip() == other.strip())


HOSTILE = ("team:../../etc", "queue:C:\\x", "channel:a\u202eb", "team:\x00", "agent:7", "team:", "team:" + "x" * 300)


def test_a_hostile_scope_is_refused_before_anything_is_written(teams, tmp_path, notebooks, instantly):
    out, folder = tmp_path / "reports", notebooks()
    before = {path.name for path in tmp_path.iterdir()}
    for text in HOSTILE:
        with pytest.raises(PublishError):
            sv.publish("tiny", "2026-08", teams, out, scope=text, notebooks=folder)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_an_unknown_unit_is_refused_with_the_nearest_known_ones_and_a_small_one_with_its_count(teams):
    with pytest.raises(PublishError) as caught:
        narrow_lake(teams, "team:nihgt")
    assert caught.value.fix == "use one near it: Night"
    with pytest.raises(PublishError) as caught:
        narrow_lake(teams, "team:丁")
    assert caught.value.fix == "use one of: 甲组, 乙组, Night"
    with pytest.raises(PublishError, match="name no site") as caught:
        sv.publish("monthly", "2026-08", teams, "nowhere", scope="site:North")
    with pytest.raises(PublishError, match=r"'Night' has 9 cases .* fewer than 30"):
        sv.publish("monthly", "2026-08", teams, "nowhere", scope="team:Night")
    assert not suits("staffing", "team:甲组") and suits("staffing", "queue:a") and suits("monthly", "team:甲组")


def test_an_edition_of_a_unit_stands_in_a_folder_of_its_own_under_its_name(teams, tmp_path, notebooks, instantly):
    out = tmp_path / "reports"
    edition = sv.publish("tiny", "2026-08", teams, out, scope="team:甲组", notebooks=notebooks())
    assert edition.manifest["unit"] == {"by": "team", "name": "甲组"}
    assert edition.path.parent.name == f"{parse_scope('team:甲组').id}-zh" == f"{edition.manifest['scope']}-zh"
    assert "团队：甲组" in edition.page.read_text("utf-8")
    assert "Team: 甲组" in (out / "index.html").read_text("utf-8")
    assert sv.publish("tiny", "2026-08", teams, out, scope="team:甲组", notebooks=notebooks()).status == "up to date"
    for name in ("tiny/2026-08", "tiny/2026-08/team:甲组", "tiny/2026-08/team:甲组-zh/1"):
        assert find_edition(out, name).path == edition.path
    assert name_scope("team:甲组", "en") == "Team: 甲组" and name_scope("all", "zh") == ""


def test_each_team_with_enough_is_due_and_small_ones_are_left_out(teams, tmp_path):
    assert list_scopes(teams, "team:*", AUGUST) == (["team:甲组", "team:乙组"], ["team:Night"])
    timetable = Timetable(reports=("monthly",), languages=("zh",), scopes=("all", "team:*"), since="2026-07")
    (tmp_path / "monthly" / "2026-07" / f"{parse_scope('team:甲组').id}-zh" / "1").mkdir(parents=True)
    due = list_due(teams, tmp_path, timetable, date(2026, 9, 1))
    assert [(d.period.key, d.scope) for d in due] == [
        *[("2026-07", "all"), ("2026-07", "team:乙组")],
        *[("2026-08", "all"), ("2026-08", "team:乙组"), ("2026-08", "team:甲组")],
    ]
    assert [d.scope for d in list_period(teams, timetable, AUGUST)] == ["all", "team:甲组", "team:乙组"]
    with pytest.raises(ValueError, match="no scope 'north'"):
        Timetable(scopes=("north",))


@pytest.mark.slow
def test_figures_of_a_unit_are_computed_again_and_restated_only_when_its_own_rows_change(teams, tmp_path, notebooks):
    out = tmp_path / "reports"
    edition = sv.publish("tiny", "2026-08", teams, out, scope="team:甲组", notebooks=notebooks(HEAD, PROOF))
    figures = {figure["id"]: figure["value"] for figure in edition.manifest["figures"]}
    assert figures["cases_opened"] == 60
    others = sv.store.write(teams, {"cases": cases({"乙组": 40}, hours=50)})
    assert find_restatements(others, out) == []
    own = sv.store.write(others, {"cases": cases({"甲组": 60}, hours=50)})
    assert "resolution_time" in {r.metric for r in find_restatements(own, out)}
    for id in figures:
        explained = explain_figure(edition, id, own)
        assert explained.equal and explained.unit == "team:甲组", id


@pytest.mark.slow
def test_a_units_report_shows_the_whole_beside_it_and_compares_by_what_it_is_divided_into(teams):
    rows = cases({"甲组": 60, "乙组": 40})
    rows["channel"] = ["phone", "app"] * 50
    lake = sv.store.write(teams, {"cases": rows})
    found = report.evaluate(lake, period="2026-08", scope="team:甲组", language="en")
    assert found.whole["cases_opened"] == 109 and found.reading("cases_opened").value == 60
    assert set(found.units) <= {"channel"} and found.stars is None
    text = json.dumps([block.to_json() for block in report.indicators(found)], ensure_ascii=False)
    assert "Whole organisation" in text
    assert "Team: 甲组" in report.opening(found).subtitle
