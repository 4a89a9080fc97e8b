from __future__ import annotations

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.periods import parse_period
from svcanalytics.report.blocks import Table, Text
from svcanalytics.report.facts.carried import read_standing
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.sections.ledger_section import rectification

ROWS = [
    ("Z1", "2026-06-01", "2026-07-15", "2026-07-10", "closed"),
    ("Z2", "2026-07-06", "2026-07-20", None, "doing"),
    ("Z3", "2026-07-06", "2026-09-20", None, "open"),
    ("Z4", "2026-07-08", "2026-07-30", "2026-07-29", "done"),
]


@pytest.fixture
def filled(lake):
    rows = pd.DataFrame(ROWS, columns=["action_id", "found_at", "due_at", "done_at", "status"])
    for name in ("found_at", "due_at", "done_at"):
        rows[name] = pd.to_datetime(rows[name]).dt.tz_localize("Asia/Shanghai")
    rows["accepted_at"] = rows["verified_at"] = rows["done_at"].where(rows["status"] == "closed")
    rows = rows.assign(origin="audit", problem="长" * 200, department="运营部", owner="M7")
    return sv.store.write(lake, {"actions": rows})


def section(lake, language: str):
    july = parse_period("2026-07")
    return rectification(Evaluation("monthly", july, language, ledger=read_standing(lake, july)))


@pytest.mark.parametrize(
    ("language", "words"), [("zh", "期末在办3项，其中1项超期"), ("en", "3 open at the end, 1 of them")]
)
def test_the_section_counts_the_ledger_and_shows_what_is_past_its_date_first(filled, language, words):
    blocks = section(filled, language)
    assert any(words in block.text for block in blocks if isinstance(block, Text))
    counts, lines = (block for block in blocks if isinstance(block, Table))
    assert [cell.value for cell in counts.rows[0]] == [1, 3, 2, 1, 3, 1]
    assert [row[0].value for row in lines.rows] == ["Z2", "Z4", "Z3"]
    assert lines.rows[0][-1].light == "red"
    assert "M7" not in str(blocks)  # who owns a line is for the workbook of the departments
    assert max(len(row[2].text) for row in lines.rows) <= 60


def test_a_lake_without_a_ledger_is_said_to_have_none(lake):
    assert "未提供" in section(lake, "zh")[1].text
