"""The main job on the small export that the README loads: load, measure, publish, load a newer one, publish again."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import svcanalytics as sv

EXPORT = Path(__file__).parent.parent / "docs" / "examples" / "service_desk.csv"


@pytest.fixture(scope="module")
def export() -> pd.DataFrame:
    rows = pd.read_csv(EXPORT, dtype=str)
    for name in ("Created", "First reply", "Resolved"):
        rows[name] = pd.to_datetime(rows[name], format="%d/%m/%Y %H:%M")
    return rows


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Load the export as a user without a mapping does."""
    lake = sv.open(tmp_path_factory.mktemp("desk") / "data" / "lake", timezone="Europe/Oslo")
    result = sv.load(lake, EXPORT, assume_yes=True)
    assert (result.read, result.new, result.quarantined) == (900, 900, 0)
    return lake.refresh()


def test_measures_equal_what_pandas_says_of_the_same_file(desk, export):
    month = export["Created"].dt.strftime("%Y-%m")
    got = sv.measure(desk, ["cases_opened", "responded_15min"]).set_index(["metric", "period"])
    assert got.loc["cases_opened", "value"].to_dict() == month.value_counts().sort_index().to_dict()
    quick = (export["First reply"] - export["Created"]).dt.total_seconds() <= 900
    assert got.loc["responded_15min", "numerator"].to_dict() == quick.groupby(month).sum().to_dict()


def test_teams_add_up_to_the_whole_exactly(desk):
    whole = sv.measure(desk, ["first_response_time"]).set_index("period")
    teams = sv.measure(desk, ["first_response_time"], by="team").groupby("period")[["numerator", "denominator"]].sum()
    pd.testing.assert_frame_equal(teams, whole[["numerator", "denominator"]], check_names=False)


@pytest.mark.slow
def test_a_report_is_published_once_and_again_only_when_the_data_change(desk, tmp_path):
    first = sv.publish("monthly", "2026-09", desk, out=tmp_path, language="en")
    page = first.page.read_text("utf-8")
    assert first.status == "published" and (tmp_path / "index.html").is_file()
    share = sv.measure(desk, ["responded_15min"], start="2026-09", end="2026-09")["value"].item()
    assert f"{share:.1%}" in page
    assert not re.search(r"<script|https?://(?!www\.w3\.org)", page)
    assert sv.publish("monthly", "2026-09", desk, out=tmp_path, language="en").status == "up to date"
    chinese = sv.publish("monthly", "2026-09", desk, out=tmp_path, language="zh")
    assert 'lang="zh' in chinese.page.read_text("utf-8")
    newer = pd.read_csv(EXPORT, dtype=str).iloc[-450:].assign(Reopened="1")
    loaded = sv.load(desk, newer, source=desk.sql("select source from loads")["source"].item())
    assert loaded.updated > 0 and loaded.new == 0
    second = sv.publish("monthly", "2026-09", desk.refresh(), out=tmp_path, language="en")
    assert (second.status, second.number) == ("published", 2)
    assert first.page.read_text("utf-8") == page
