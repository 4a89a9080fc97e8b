from __future__ import annotations

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.errors import LakeError, PublishError
from svcanalytics.report.publication.proof import explain_figure, find_edition, lake_of
from svcanalytics.report.publication.restatement import find_restatements

HEAD = """
from svcanalytics.report.blocks import *
Document(title="Tiny report", language=language)
"""
PROOF = """
import svcanalytics as sv
from svcanalytics.report.blocks import plain
found = sv.measure(sv.open(lake).at(snapshot), every="month", start=period, end=period)
names = ("value", "n")
Proof(tuple({"id": row["metric"], **{name: plain(row[name]) for name in names}} for row in found.to_dict("records")))
"""


def cases(first: str, last: str, hours: float = 5.0) -> pd.DataFrame:
    opened = pd.date_range(first, last, freq="6h", tz="Asia/Shanghai").tz_convert("UTC")
    rows = pd.DataFrame({"case_id": [f"{first}-{n}" for n in range(len(opened))], "opened_at": opened})
    rows["resolved_at"] = rows["opened_at"] + pd.Timedelta(hours=hours)
    return rows


@pytest.fixture
def published(lake, notebooks, tmp_path):
    """Return the lake after an edition of September was published from it, and the edition."""
    lake = sv.store.write(lake, {"cases": cases("2026-08-01", "2026-10-10")})
    edition = sv.publish("tiny", "2026-09", lake, tmp_path / "reports", notebooks=notebooks(HEAD, PROOF))
    return lake, edition


@pytest.mark.slow
def test_any_published_figure_is_computed_again_from_its_snapshot_by_another_query(published, tmp_path):
    lake, edition = published
    later = sv.store.write(lake, {"cases": cases("2026-09-05", "2026-09-06", hours=50)})
    ids = [figure["id"] for figure in edition.manifest["figures"]]
    assert {"cases_opened", "resolution_time", "resolution_time_p90", "resolution_rate"} <= set(ids)
    for id in ids:
        explained = explain_figure(edition, id, later)
        assert explained.equal, id
        assert explained.snapshot == edition.manifest["snapshot"]["id"] < later.snapshot.id
    assert explain_figure(edition, "cases_opened").numerator == 30 * 4
    with pytest.raises(PublishError, match="no figure 'cases_closed'"):
        explain_figure(edition, "cases_closed")
    assert lake_of(edition).snapshot.id == edition.manifest["snapshot"]["id"]


@pytest.mark.slow
def test_an_edition_is_to_be_restated_when_its_own_months_say_something_else(published, tmp_path):
    lake, _ = published
    out = tmp_path / "reports"
    assert find_restatements(lake, out) == []
    other_months = sv.store.write(lake, {"cases": cases("2026-12-01", "2026-12-10")})
    assert find_restatements(other_months, out) == []
    late = sv.store.write(other_months, {"cases": cases("2026-09-05", "2026-09-08", hours=50)})
    found = {r.metric: r for r in find_restatements(late, out)}
    assert (found["cases_opened"].published, found["cases_opened"].today) == (120, 133)
    assert found["resolution_time"].today > found["resolution_time"].published
    assert "resolution_rate" not in found  # 100 % then and now
    assert {r.edition for r in found.values()} == {"tiny/2026-09/all-zh/1"}
    assert find_restatements(late, out) == list(found.values())  # remembered


def test_an_edition_is_found_by_as_much_of_its_name_as_it_takes(tmp_path, lay_edition):
    for place in (
        "quarterly/2026Q3/all-zh/1",
        "quarterly/2026Q3/all-zh/2",
        "monthly/2026-09/all-zh/1",
        "monthly/2026-09/all-en/1",
    ):
        lay_edition(tmp_path, place)
    assert find_edition(tmp_path, "quarterly/2026Q3").number == 2
    assert find_edition(tmp_path, "quarterly/2026Q3/all-zh/1").number == 1
    with pytest.raises(PublishError, match="several editions fit"):
        find_edition(tmp_path, "monthly/2026-09")
    for name in ("quarterly", "quarterly/2026Q4", "quarterly/2026Q3/all-zh/7", "../x"):
        with pytest.raises(PublishError, match="no such edition"):
            find_edition(tmp_path, name)


@pytest.mark.slow
def test_a_lake_that_is_gone_is_said_to_be(published, tmp_path):
    lake, edition = published
    lake.path.rename(tmp_path / "elsewhere")
    with pytest.raises(LakeError):
        explain_figure(edition, "cases_opened")
    assert explain_figure(edition, "cases_opened", sv.open(tmp_path / "elsewhere")).equal
