"""Weights that follow the season: shown where a profile has situations, and never taken for quality."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import report, store
from svcanalytics.report.blocks import Blocks, Figure, Table, Text

PROFILE = """
[profiles.cases]
name = { zh = "事项", en = "Cases" }
tables = ["cases"]
min_coverage = 0.4
caps = [{ grade = "D", family = "response", below = 99 }, { grade = "D", metric = "first_response" }]
[profiles.cases.families.response]
weight = 50
[profiles.cases.families.response.metrics]
responded_15min = 100
[profiles.cases.families.resolution]
weight = 50
[profiles.cases.families.resolution.metrics]
reopen_rate = 100
[profiles.cases.situations.autumn]
name = { zh = "秋季", en = "Autumn" }
months = [9]
pins = { response = 80 }
transition_days = 0
"""


@pytest.fixture(scope="module")
def seasonal(tmp_path_factory):
    """Return an organisation whose service stands still while its weights change in September."""
    folder = tmp_path_factory.mktemp("seasonal") / "data"
    made = sv.open(folder / "lake", timezone="UTC")
    (folder / "catalogue").mkdir()
    (folder / "catalogue" / "profiles.toml").write_text(PROFILE, "utf-8")
    rows = []
    for day in pd.date_range("2026-07-01", "2026-09-30", tz="UTC"):
        opened = day + pd.to_timedelta(np.arange(20) * 1800, unit="s")
        first = opened + pd.to_timedelta(np.where(np.arange(20) < 2, 4000, 60), unit="s")  # a tenth late, every day
        again = np.zeros(20, int)
        ids = [f"{day:%m%d}{n}" for n in range(20)]
        rows.append(
            pd.DataFrame(
                {
                    "case_id": ids,
                    "opened_at": opened,
                    "first_response_at": first,
                    "resolved_at": opened + pd.Timedelta(hours=2),
                    "reopened_n": again,
                    "owner_team": np.where(np.arange(20) % 2, "A", "B"),
                }
            )
        )
    store.write(made, {"cases": pd.concat(rows)})
    return {lang: report.evaluate(made.refresh(), period="2026-09", language=lang) for lang in ("zh", "en")}


def flat(block) -> list:
    return [inner for item in block for inner in flat(item)] if isinstance(block, Blocks) else [block]


def test_a_change_of_weights_is_told_as_one_and_not_as_quality(seasonal):
    e = seasonal["en"]
    verdict, moved = [block.text for block in flat(report.summary(e)) if isinstance(block, Text)][:2]
    assert "from changed weights" in moved and "responded" not in verdict + moved
    said = next(block.text for block in flat(report.why_it_moved(e)) if isinstance(block, Text))
    assert "no change of quality" in said


def test_the_chained_index_stands_still_while_service_does(seasonal):
    blocks = flat(report.quality_index(seasonal["zh"]))
    chained = next(block for block in blocks if isinstance(block, Table) and block.id == "chained")
    rows = [{c.key: cell.value for c, cell in zip(chained.columns, row, strict=True)} for row in chained.rows]
    assert len({round(row["chained"], 6) for row in rows}) == 1
    assert rows[-1]["score"] - rows[-2]["score"] == pytest.approx(rows[-1]["by_weights"], abs=1e-9)
    assert rows[-1]["by_weights"] < -1


def test_the_year_s_weights_are_drawn_with_the_days_that_count_otherwise(seasonal):
    figure = next(
        b for b in flat(report.quality_index(seasonal["zh"])) if isinstance(b, Figure) and b.id == "weights_figure"
    )
    assert "秋季30天" in figure.title
    month = next(row for row in figure.data.rows if row[0].text == "2026-09")
    assert sorted(cell.value for cell in month[1:]) == pytest.approx([0.2, 0.8])


def test_a_grade_that_floor_rules_hold_down_says_so_and_by_what(seasonal):
    for language, words in (
        ("zh", ("底线规则：响应速度、", "15分钟")),
        ("en", ("Floor rule: Response speed and First response",)),
    ):
        texts = [block.text for block in flat(report.quality_index(seasonal[language])) if isinstance(block, Text)]
        assert any(all(word in text for word in words) for text in texts), texts
