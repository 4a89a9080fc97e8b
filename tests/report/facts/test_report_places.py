"""Places that noise leaves open, and stars only where somebody stands out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import report, store
from svcanalytics.report.blocks import Blocks, Figure, Table, Text


def cases(rates: dict[str, float], n: int = 1500, seed: int = 2) -> pd.DataFrame:
    """Return two months of cases whose share answered late differs by team as told."""
    rng = np.random.default_rng(seed)
    parts = []
    for team, late in rates.items():
        opened = pd.date_range("2026-08-01", "2026-09-30 15:00", 2 * n, tz="UTC")
        slow = rng.random(2 * n) < late
        parts.append(
            pd.DataFrame(
                {
                    "case_id": [f"{team}{number}" for number in range(2 * n)],
                    "opened_at": opened,
                    "first_response_at": opened + pd.to_timedelta(np.where(slow, 5400, 300), unit="s"),
                    "resolved_at": opened + pd.Timedelta(hours=5),
                    "due_at": opened + pd.to_timedelta(np.where(slow, 4, 40), unit="h"),
                    "reopened_n": (rng.random(2 * n) < late / 3).astype(int),
                    "owner_team": team,
                    "agent": f"agent of {team}",
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def evaluated(folder, rates, language="en"):
    made = sv.open(folder / "lake", timezone="UTC")
    store.write(made, {"cases": cases(rates)})
    return report.evaluate(made.refresh(), period="2026-09", language=language)


def flat(block) -> list:
    return [inner for item in block for inner in flat(item)] if isinstance(block, Blocks) else [block]


def found(blocks, id: str) -> list[dict]:
    tables = [b.data if isinstance(b, Figure) else b for b in flat(blocks)]
    table = next(t for t in tables if isinstance(t, Table) and t.id == id)
    return [dict(zip([c.key for c in table.columns], row, strict=True)) for row in table.rows]


@pytest.fixture(scope="module")
def unequal(tmp_path_factory):
    return evaluated(tmp_path_factory.mktemp("unequal"), {"Ahead": 0.01, "B": 0.2, "C": 0.2, "D": 0.2, "Behind": 0.5})


def test_the_best_and_the_worst_stand_out_and_the_middle_is_a_tie(unequal):
    rows = {row["unit"].text: row for row in found(report.unit_places(unequal), "places")}
    assert rows["Ahead"]["stands"].text == "better for sure" and rows["Ahead"]["places"].text == "Place 1"
    assert rows["Behind"]["stands"].text == "worse for sure" and rows["Behind"]["places"].text == "Place 5"
    assert {rows[team]["places"].text for team in "BCD"} == {"Places 2–4"}
    assert {rows[team]["moved"].text for team in rows} == {"no clear change"}
    said = next(block.text for block in flat(report.unit_places(unequal)) if isinstance(block, Text))
    assert "2–4" in said and "Ahead" in said and "Behind" in said


def test_the_star_is_the_agent_who_stands_out_with_the_reason(unequal):
    rows = found(report.unit_places(unequal), "stars")
    assert rows[0]["unit"].text == "agent of Ahead"
    assert "agent of Behind" not in {row["unit"].text for row in rows}
    assert rows[0]["why"].text.startswith("Better than the mean of")


def test_among_equals_nobody_is_named_and_no_place_is_told_apart(tmp_path):
    e = evaluated(tmp_path, dict.fromkeys("ABCDE", 0.2), "zh")
    blocks = flat(report.unit_places(e))
    assert "无法分出先后" in next(block.text for block in blocks if isinstance(block, Text))
    assert not any(isinstance(block, Table) and block.id == "stars" for block in blocks)
    assert any("不评选" in block.text for block in blocks if isinstance(block, Text))


def test_a_place_has_changed_only_where_the_possible_places_part(unequal):
    from svcanalytics.report.sections.places_section import _moved

    row = {"rank_low": 1, "rank_high": 2}
    assert _moved(row, pd.Series({"rank": 4, "rank_low": 3, "rank_high": 5}), "en") == "up"
    assert _moved(row, pd.Series({"rank": 4, "rank_low": 2, "rank_high": 5}), "en") == "no clear change"
    assert (
        _moved({"rank_low": 4, "rank_high": 5}, pd.Series({"rank": 1, "rank_low": 1, "rank_high": 3}), "zh") == "下降"
    )
    assert _moved(row, None, "en") == "–"
