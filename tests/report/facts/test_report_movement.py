"""Why it moved: what was planted is named, lines add up, and nothing breaks where there is little to go by."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import report, store
from svcanalytics.report.blocks import Blocks, Figure, Table, Text
from svcanalytics.report.facts.movement import fold_lines, single_profile

TEAMS = ("North", "South", "West")


def cases(n: int = 3000, seed: int = 5) -> pd.DataFrame:
    """Return cases of two months; in the second, South answers late and reopens far more."""
    rng = np.random.default_rng(seed)
    opened = pd.date_range("2026-08-01", "2026-09-30 15:00", n, tz="UTC")
    team = rng.choice(TEAMS, n)
    worse = (team == "South") & (opened.month == 9)
    late = rng.random(n) < np.where(worse, 0.35, 0.05)
    return pd.DataFrame(
        {
            "case_id": [f"C{number}" for number in range(n)],
            "opened_at": opened,
            "first_response_at": opened + pd.to_timedelta(np.where(late, 5400, 300), unit="s"),
            "resolved_at": opened + pd.to_timedelta(rng.integers(3600, 80_000, n), unit="s"),
            "due_at": opened + pd.Timedelta(days=2),
            "reopened_n": (rng.random(n) < np.where(worse, 0.25, 0.03)).astype(int),
            "transferred_n": (rng.random(n) < 0.1).astype(int),
            "owner_team": team,
            "agent": [f"{name}{number}" for name, number in zip(team, rng.integers(0, 4, n), strict=True)],
            "channel": rng.choice(["phone", "app"], n),
            "business_type": rng.choice(["help", "complaint"], n),
            "customer_id": [f"K{number}" for number in rng.integers(0, n, n)],
        }
    )


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    made = sv.open(tmp_path_factory.mktemp("moved") / "lake", timezone="UTC")
    store.write(made, {"cases": cases()})
    return made.refresh()


@pytest.fixture(scope="module")
def told(lake):
    return {lang: report.evaluate(lake, period="2026-09", language=lang) for lang in ("zh", "en")}


def flat(block) -> list:
    return [inner for item in block for inner in flat(item)] if isinstance(block, Blocks) else [block]


def opening(e) -> str:
    """Return what the report says first: the verdict, and what moved."""
    verdict, moved = [block for block in flat(report.summary(e)) if isinstance(block, Text)][:2]
    assert (verdict.role, moved.label) == ("lead", "变动" if e.language == "zh" else "Moved")
    return f"{verdict.label} {verdict.text} {moved.text}"


def tables(blocks) -> dict[str, list[dict]]:
    found = [b.data if isinstance(b, Figure) else b for b in flat(blocks)]
    return {
        t.id: [dict(zip([c.key for c in t.columns], row, strict=True)) for row in t.rows]
        for t in found
        if isinstance(t, Table)
    }


def test_the_opening_names_the_planted_causes_and_where_they_happened(told):
    for language, down, name in (("zh", "下降", "重开率"), ("en", "down", "reopen rate")):
        said = opening(told[language])
        assert down in said and name in said and "South" in said
        assert "North" not in said


def test_lines_shown_add_up_to_the_change_that_the_opening_tells(told):
    for e in told.values():
        *lines, total = tables(report.why_it_moved(e))["movement"]
        assert sum(line["contribution"].value for line in lines) == pytest.approx(total["contribution"].value, abs=1e-9)
        assert total["contribution"].value == e.index.change("2026-09", "2026-08").value
        told_first = opening(e)
        assert total["contribution"].text[1:] in told_first
        causes = told_first.split(":" if e.language == "en" else "：")[-1]
        said = [float(n.replace("−", "-")) for n in re.findall(r"[+−]\d+\.\d", causes)]
        assert sum(said) == pytest.approx(total["contribution"].value, abs=0.05 * (len(said) + 1))


def test_numbers_of_the_sentence_stand_in_the_table(told):
    for e in told.values():
        lead = opening(e)
        shown = {row["contribution"].text for row in tables(report.why_it_moved(e))["movement"]}
        named = re.findall(r"([+−]\d+\.\d) from (?:reopen|responded)", lead) + re.findall(
            r"重开率（[^）]*）([+−]\d+\.\d)", lead
        )
        assert named and set(named) <= shown


def test_only_the_team_that_changed_is_told_from_noise(told):
    rows = tables(report.why_it_moved(told["en"]))["movement_parts"]
    assert {row["group"].text for row in rows if abs(row["contribution"].value) > 0.1} == {"South"}


def test_where_nothing_changed_no_cause_is_named(tmp_path):
    still = sv.open(tmp_path / "lake", timezone="UTC")
    frame = cases()
    first = frame[frame["opened_at"].dt.month == 8]
    again = first.assign(
        case_id=first["case_id"] + "b",
        **{name: first[name] + pd.Timedelta(days=31) for name in first if name.endswith("_at")},
    )
    store.write(still, {"cases": pd.concat([first, again[again["opened_at"] < "2026-10-01"]])})
    e = report.evaluate(still.refresh(), period="2026-09", language="en")
    said = opening(e)
    assert said.startswith("= No significant change from last month")
    assert "No single measure moved it for certain" in said


def test_without_an_index_the_heaviest_measure_is_explained_in_its_own_unit(tmp_path):
    bare = sv.open(tmp_path / "lake", timezone="UTC")
    store.write(bare, {"cases": cases()[["case_id", "opened_at", "first_response_at", "owner_team"]]})
    e = report.evaluate(bare.refresh(), period="2026-09", language="en")
    assert e.movement.metric == "responded_15min"
    rows = tables(report.why_it_moved(e))["movement"]
    reading = e.reading("responded_15min")
    assert sum(row["contribution"].value for row in rows) == pytest.approx(reading.change, abs=1e-9)
    assert rows[0]["group"].text.startswith("South")


def test_what_went_from_floor_to_goal_is_certain_though_no_noise_is_left_to_test():
    from svcanalytics.report.facts.movement import _settled

    lines = pd.DataFrame(
        {
            "source": "score",
            "metric": ["a", "b", "c"],
            "contribution": [9.4, 9.4, 0.0],
            "p_value": np.nan,
            "certain": False,
        }
    )
    whole = pd.DataFrame(
        {"metric": ["a", "a", "b", "b", "c", "c"], "period": ["1", "2"] * 3, "low": [0.6, 1.1, None, None, 0, 0]}
    ).assign(high=lambda frame: frame["low"])
    assert _settled(lines, whole, ["1", "2"])["certain"].tolist() == [True, False, False]


@pytest.mark.parametrize("direction", ["up", "down"])
def test_a_single_measure_s_profile_is_a_straight_line(direction):
    from svcanalytics.quality import normalise

    profile, scale = single_profile("x", direction, 40.0)
    posts = profile.metrics[0].goalposts
    values = np.array([0.0, 7.0, 31.0, 40.0])
    scores = normalise(values, direction=direction, floor=posts.floor, target=posts.target, goal=posts.goal)
    np.testing.assert_allclose(np.diff(scores) * scale, np.diff(values), atol=1e-9)


def test_folding_keeps_the_sum_and_what_is_certain(told):
    lines = told["en"].movement.lines
    for most in (0, 1, 3, 50):
        folded = fold_lines(lines, most)
        assert folded["contribution"].sum() == pytest.approx(lines["contribution"].sum(), abs=1e-9)
        own = folded[~folded["source"].isin(["other", "weights", "missing"])]
        assert len(own) <= most
        sure = lines.set_index(["source", "key"])["certain"]
        assert all(sure[key] == value for key, value in own.set_index(["source", "key"])["certain"].items())


SECTIONS = ("summary", "quality_index", "why_it_moved", "unit_places")
THIN = {
    "one case": lambda frame: frame.tail(1),
    "a few in two months": lambda frame: frame.iloc[[0, 1, -2, -1]],
    "one month": lambda frame: frame[frame["opened_at"].dt.month == 9],
    "one team": lambda frame: frame.assign(owner_team="North", agent="A1"),
    "no team": lambda frame: frame.drop(columns=["owner_team", "agent", "channel"]),
    "a team each": lambda frame: frame.assign(owner_team=frame["case_id"], agent=frame["case_id"]).iloc[::6],
    "hardly a column": lambda frame: frame[["case_id", "opened_at"]],
    "all the same": lambda frame: frame.assign(reopened_n=0, transferred_n=0, first_response_at=frame["opened_at"]),
    "other teams each month": lambda frame: frame.assign(
        owner_team=frame["owner_team"] + frame["opened_at"].dt.month.astype(str)
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("thin", THIN)
def test_no_section_breaks_on_thin_data(tmp_path, thin):
    made = sv.open(tmp_path / "lake", timezone="UTC")
    store.write(made, {"cases": THIN[thin](cases(900))})
    made = made.refresh()
    evaluated = report.evaluate(made, period="2026-09", language="en")
    for language in ("en", "zh"):
        for name in SECTIONS:
            blocks = flat(getattr(report, name)(replace(evaluated, language=language)))
            assert blocks and all(block.to_json() for block in blocks)
            texts = " ".join(block.text for block in blocks if isinstance(block, Text))
            assert not re.search(r"\bnan\b|\bNone,|<NA>|NaT", texts)
