"""The planner's second command: from a lake to the honest answer, a workbook and calendars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from svcanalytics import store
from svcanalytics.cli import app
from svcanalytics.errors import StaffingError


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """Return a lake with five weeks of cases that three agents solved; nothing says how long they took."""
    rng = np.random.default_rng(3)
    days = pd.bdate_range("2026-09-07", "2026-10-09")
    at = np.concatenate([day + pd.to_timedelta(np.sort(rng.integers(8 * 60, 17 * 60, 25)), "min") for day in days])
    cases = pd.DataFrame({"opened_at": pd.DatetimeIndex(at).tz_localize("Europe/Oslo"), "channel": "mail"})
    cases["case_id"] = cases.index.astype(str)
    cases["agent"] = [f"p{n % 3}" for n in cases.index]
    folder = tmp_path_factory.mktemp("staff") / "lake"
    store.write(store.open(folder, timezone="Europe/Oslo"), {"cases": cases})
    return folder


def run(lake, *words):
    result = CliRunner().invoke(app, ["--lake", str(lake), "staff", *map(str, words)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0
    return result.output


@pytest.mark.slow
def test_cases_are_planned_written_and_put_into_calendars(filled, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wishes.csv").write_text("agent,day,pattern\np0,2026-10-12,off\n")
    words = [
        "--table",
        "cases",
        "--wishes",
        "wishes.csv",
        "--slot",
        "60min",
        "--handle",
        1200,
        "--draws",
        30,
        "--seconds",
        5,
    ]
    shown = run(filled, *words, "--wishes", "wishes.csv", "--out", "plan.xlsx", "--calendars", "people")
    assert "of 100 such weeks" in shown and "80% within 4 h" in shown and "paid hours" in shown
    assert "Requirement" in pd.ExcelFile("plan.xlsx", engine="openpyxl").sheet_names
    kept = store.open(filled).sql("select * from requirements")
    needed = pd.read_excel("plan.xlsx", sheet_name="Requirement", engine="openpyxl")
    assert kept["agents"].sum() == np.ceil(needed["agents scheduled"]).sum()
    people = pd.read_excel("plan.xlsx", sheet_name="People", engine="openpyxl").set_index("agent")
    assert people["wishes"].to_dict() == {"p0": 1, "p1": 0, "p2": 0}
    assert {path.name for path in (tmp_path / "people").iterdir()} <= {"p0.ics", "p1.ics", "p2.ics"}
    assert "2026-10-12" in pd.read_excel("plan.xlsx", sheet_name="Cover", engine="openpyxl").to_string()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "the lake has no contacts"),
        (("--table", "cases"), "hold no handle times"),
        (("--table", "visits"), "the lake has no visits"),
        (("--table", "cases", "--within", "soon"), "'soon' is no limit"),
        (("--table", "cases", "--within", "20", "--within", "mail=60"), "a limit for all and limits for queues"),
        (("--table", "cases", "--wishes", "none.csv"), "wishes can't be read"),
        (("--table", "cases", "--slot", "day", "--handle", "60"), "can't be fitted to days"),
        (("--table", "cases", "--rules", "nowhere"), "no shift rules 'nowhere'"),
    ],
)
def test_what_can_t_be_done_is_said_with_a_remedy(filled, words, told):
    with pytest.raises(StaffingError, match=told):
        run(filled, *words)
