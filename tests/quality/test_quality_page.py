"""The page on the index keeps its word: its profile can be read, its Python runs, its figures are right."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import quality, store

PAGE = (Path(__file__).parents[2] / "docs" / "quality-index.md").read_text("utf-8")


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Make the folder the page speaks of: a lake of calls, and the page's profile beside it."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    offered = pd.date_range("2026-01-01", "2026-11-01", freq="3h", tz="Asia/Shanghai")
    n = len(offered)
    wait = pd.to_timedelta(rng.exponential(30, n).round(), unit="s")
    abandoned = rng.random(n) < 0.05 + 0.05 * np.sin(np.arange(n) / 200)
    answered = pd.Series(offered + wait).where(~abandoned)
    contacts = pd.DataFrame(
        {
            "contact_id": [f"c{i}" for i in range(n)],
            "channel": "phone",
            "direction": "in",
            "team": rng.choice(["A", "B", "C"], n),
            "agent": [f"a{i % 5}" for i in range(n)],
            "customer_id": [f"k{i}" for i in rng.integers(0, 400, n)],
            "offered_at": offered,
            "queued_at": offered,
            "answered_at": answered,
            "ended_at": offered + wait + pd.Timedelta(minutes=5),
            "abandoned": abandoned,
            "resolved": rng.random(n) < 0.8 + 0.1 * np.cos(np.arange(n) / 300),
        }
    )
    seconds = np.asarray(wait / pd.Timedelta(seconds=1)) * np.where(offered.day_of_week >= 5, 2.4, 1.0)
    pleased = 3.7 - 0.008 * seconds - 0.6 * ~contacts["resolved"] + rng.normal(0, 0.6, n)
    csat = pleased.round().clip(1, 5).where(rng.random(n) < 0.7).astype("Int64")
    surveys = contacts[["contact_id"]].assign(
        survey_id=[f"s{i}" for i in range(n)], invited_at=offered, at=offered, csat=csat, scale=5, route="ivr"
    )
    lake = sv.open(tmp_path / "data" / "demo", timezone="Asia/Shanghai")
    store.write(lake, {"contacts": contacts, "surveys": surveys[~abandoned]})
    (tmp_path / "data" / "catalogue").mkdir()
    (tmp_path / "data" / "catalogue" / "profiles.toml").write_text(re.search(r"```toml\n(.*?)```", PAGE, re.S)[1])
    return lake.refresh()


@pytest.mark.slow
def test_every_block_of_python_on_the_page_runs_one_after_the_other(desk):
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict = {}
    for block in blocks:
        exec(compile(block, "docs/quality-index.md", "exec"), names)
    assert len(blocks) >= 5
    assert not names["index"].scores.query("family == ''")["score"].isna().all()
    june = names["year"][names["year"]["start"] == "2026-06-10"].groupby("family")["weight"].sum()
    assert june["response"] == pytest.approx(0.4)
    changed = names["constant"].weights["weight"] != names["index"].weights["weight"]
    assert changed.any()
    assert names["judged"].weights.round(3).tolist() == [0.54, 0.297, 0.163]
    assert names["learned"].used and {"2026Q1", "2026Q2"} <= set(names["path"].table["period"])
    assert names["sensitive"]["text"][0].startswith("At weekends customers are 2.")
    assert names["judged"].ratio == pytest.approx(0.008, abs=0.001)


def test_the_scores_written_on_the_page_are_those_that_come_out():
    waits = [25, 40, 95, 95, None]
    found = quality.normalise(waits, direction="down", floor=120, target=30, goal=10)
    np.testing.assert_allclose(found, [85, 71.1, 22.2, 22.2, np.nan], atol=0.05)
    ranks = quality.normalise(waits, "rank", direction="down")
    np.testing.assert_allclose(ranks, [100, 66.7, 16.7, 16.7, np.nan], atol=0.05)
