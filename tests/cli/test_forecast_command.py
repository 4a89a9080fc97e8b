"""The planner's command: forecast, keep, update, compare."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from svcanalytics import store
from svcanalytics.cli import app


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Return a lake with ten weeks of two queues whose data end on a Wednesday at 12:30."""
    folder = tmp_path_factory.mktemp("planner") / "lake"
    rng = np.random.default_rng(3)
    parts = []
    for queue, level in (("calls", 30), ("mail", 8)):
        for day in pd.bdate_range("2026-08-03", "2026-10-14"):
            seconds = np.sort(rng.uniform(9 * 3600, 17 * 3600, rng.poisson(8 * level)))
            parts.append(pd.DataFrame({"queue": queue, "offered_at": day + pd.to_timedelta(seconds, unit="s")}))
    contacts = pd.concat(parts, ignore_index=True)
    contacts["offered_at"] = contacts["offered_at"].dt.floor("s").dt.tz_localize("Europe/Oslo")
    contacts = contacts[contacts["offered_at"] < pd.Timestamp("2026-10-14 12:30", tz="Europe/Oslo")]
    contacts["contact_id"] = [f"c{n}" for n in range(len(contacts))]
    store.write(store.open(folder, timezone="Europe/Oslo"), {"contacts": contacts})
    return folder


def run(lake, *words):
    result = CliRunner().invoke(app, ["--lake", str(lake), "forecast", "--slot", "60min", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.output


def test_days_are_shown_written_kept_and_compared(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shown = run(filled, "--days", 2, "--out", tmp_path / "f.xlsx", "--model", "eight_week_average")
    assert "2026-10-15" in shown and "80 % from" in shown and "mail" in shown
    assert pd.read_excel(tmp_path / "f.xlsx", sheet_name=None, engine="openpyxl").keys() == {
        "Days",
        "Slots",
        "Data found",
        "Notes",
    }
    assert "Kept in the lake" in shown
    kept = store.open(filled).sql("select distinct queue from forecasts")["queue"]
    assert set(kept) == {"calls", "mail"}


def test_today_is_what_came_and_what_is_still_expected(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(filled, "--today", "--days", 1, "--out", "t.csv", "--model", "eight_week_average")
    table = pd.read_csv("t.csv").set_index("queue")
    calls = table.loc["calls"]
    assert (calls["lower_80"] == calls["mean"]).tolist() == [True] * 3 + [False] * 5  # 12:00 is not over
    lake = store.open(filled)
    came = lake.sql(
        "select count(*) n from contacts where queue = 'calls' and offered_at >= '2026-10-14 00:00+02' "
        "and offered_at < '2026-10-14 12:00+02'"
    )["n"].iloc[0]
    assert calls["mean"].head(3).sum() == came
