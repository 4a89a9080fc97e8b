"""From the lake to page and workbook: what customers and systems wrote arrives as text, also inside pictures."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np
import openpyxl
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.report.gate import faults

HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "\u202egnp.exe",
    '"><img src=x onerror=x()>',
    "a\x07b",
]


@pytest.fixture
def hostile_lake(lake):
    """Return a lake whose teams, channels, categories and texts are all hostile."""
    rng, n = np.random.default_rng(1), 1200
    opened = pd.date_range("2026-08-01", "2026-10-31 20:00", n, tz="UTC")
    frame = pd.DataFrame(
        {
            "case_id": [f"=1+{number}" for number in range(n)],
            "opened_at": opened,
            "first_response_at": opened + pd.to_timedelta(rng.integers(60, 4000, n), unit="s"),
            "resolved_at": opened + pd.to_timedelta(rng.integers(4000, 90000, n), unit="s"),
            **{name: rng.choice(HOSTILE, n) for name in ("channel", "team", "owner_team", "first_team", "category")},
            "business_type": "complaint",
            "resolution": rng.choice(["yes", "no"], n),
            "text": HOSTILE[0] * 500,
        }
    )
    return sv.store.write(lake, {"cases": frame})


@pytest.mark.slow
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_lake_full_of_hostile_names_gives_a_report_in_which_they_are_only_text(hostile_lake, tmp_path, language):
    edition = sv.publish("monthly", "2026-10", hostile_lake, tmp_path / "reports", language)
    page = edition.page.read_text("utf-8")
    assert faults(page) == []
    assert not re.search(r"<script|<img|onerror=x\(\)>(?!&)", page.replace("&lt;", "").replace("&gt;", ""))
    seen = "".join(_texts(page))
    shown = [text.replace("\x07", "\u2407") for text in HOSTILE]
    assert all(text in seen for text in shown)

    book = openpyxl.load_workbook(edition.workbook)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert set(shown) <= {cell.value for cell in cells}
    assert not any(cell.hyperlink and cell.hyperlink.target for cell in cells)


def _texts(page: str) -> list[str]:
    found: list[str] = []
    reader = HTMLParser()
    reader.handle_data = found.append
    reader.feed(page)
    return found
