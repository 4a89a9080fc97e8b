"""The command line as a user meets it: each command runs in this process on a lake of its own."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from svcanalytics import store
from svcanalytics.cli import app
from svcanalytics.errors import ConfigError, ContractError, LakeError, LoadError, MappingError, PeriodError


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a command in an empty folder and give back its status and what it printed."""
    monkeypatch.chdir(tmp_path)

    def call(*words, answers=None):
        result = CliRunner().invoke(app, [str(word) for word in words], input=answers)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return call


def test_init_writes_the_configuration_once(run, tmp_path):
    answers = [
        "init",
        "--organisation",
        "某市热线",
        "--timezone",
        "Asia/Shanghai",
        "--country",
        "CN",
        "--language",
        "zh",
    ]
    assert run(*answers).exit_code == 0
    from svcanalytics.store.settings import settings

    assert settings(tmp_path).organisation == "某市热线"
    assert (tmp_path / "data" / "catalogue").is_dir()
    with pytest.raises(ConfigError, match="set up already"):
        run(*answers)
    with pytest.raises(ConfigError, match="unknown time zone 'Mars/Base'"):
        run("init", "--force", "--organisation", "X", "--timezone", "Mars/Base")
    with pytest.raises(PeriodError, match="ZZ"):
        run("init", "--force", "--organisation", "X", "--country", "ZZ")
    assert settings(tmp_path).organisation == "某市热线"


def test_an_error_says_what_where_and_how_to_fix_it_without_a_traceback(tmp_path):
    command = [sys.executable, "-c", "from svcanalytics.cli import main; main()", "--lake", "nowhere", "status"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "there is no lake here" in done.stderr and "to fix:" in done.stderr and "where:" in done.stderr
    assert "Traceback" not in done.stderr


def test_doctor_ends_with_status_1_only_when_something_is_grave(run, tmp_path):
    from svcanalytics.store.keys import key

    lake = store.open(tmp_path / "data" / "lake", timezone="UTC")
    key(lake)
    opened = datetime(2026, 10, 1, tzinfo=UTC)
    store.write(lake, {"cases": pd.DataFrame({"case_id": ["a"], "opened_at": [opened]})})
    assert run("doctor").exit_code == 0
    store.write(lake.refresh(), {"cases": pd.DataFrame({"case_id": ["b"], "opened_at": [opened], "grade": [9]})})
    result = run("doctor")
    assert result.exit_code == 1 and "cases.grade" in result.output


def test_status_lists_tables_that_hold_rows_and_the_last_snapshots(run, tmp_path):
    lake = store.open(tmp_path / "data" / "lake", timezone="UTC")
    store.write(lake, {"cases": pd.DataFrame({"case_id": ["a"], "opened_at": [datetime(2026, 10, 1, tzinfo=UTC)]})})
    output = run("status").output
    assert "cases" in output and "surveys" not in output


EXPORT = """Ticket No;Opened;Solved;Channel;Team;Customer;Notes
A1;2026-10-03 09:00;2026-10-03 10:00;phone;East;K001;the bill is wrong
A2;2026-10-13 09:00;;app;West;K002;call 13912345678 please
A3;2026-10-14 09:00;2026-10-15 10:00;app;West;K002;again
"""


def test_an_unknown_file_is_shown_as_understood_and_loaded_only_when_agreed_to(run, tmp_path):
    (tmp_path / "desk.csv").write_text(EXPORT, "utf-8")
    with pytest.raises(MappingError, match="nothing was loaded"):
        run("load", "desk.csv", answers="n\n")
    assert not (tmp_path / "data" / "sources").exists()
    agreed = run("load", "desk.csv", answers="y\n")
    assert "case_id" in agreed.output and "13912345678" not in agreed.output
    assert (tmp_path / "data" / "sources" / "desk.toml").is_file()
    again = run("load", "desk.csv")
    assert "loaded before" in again.output
    status = run("status").output
    load_id = re.search(r"\d{8}T\d{6}-\w{6}", status)[0]
    assert "removed" in run("undo", load_id).output


def test_a_customer_is_erased_only_after_a_question(run, tmp_path):
    (tmp_path / "desk.csv").write_text(EXPORT, "utf-8")
    run("load", "desk.csv", "--yes")
    assert run("erase", "K002", answers="n\n").exit_code == 1
    assert "nothing of this customer was found" in run("erase", "K-002", "--yes").output
    run("erase", "K002", answers="y\n")
    assert list(store.open(tmp_path / "data" / "lake").sql("select case_id from cases")["case_id"]) == ["A1"]


def test_measures_standards_and_overdue_come_as_table_or_csv(run, tmp_path):
    (tmp_path / "desk.csv").write_text(EXPORT, "utf-8")
    run("load", "desk.csv", "--yes")
    assert "cases_opened" in run("measure", "cases_opened", "--by", "team").output
    run("measure", "cases_opened", "--every", "year", "--csv", "m.csv")
    assert pd.read_csv(tmp_path / "m.csv")["value"].tolist() == [3]
    run("overdue", "--csv", "o.csv")
    assert "team" in pd.read_csv(tmp_path / "o.csv", encoding="utf-8-sig").columns
    assert run("standards").exit_code == 0


def test_what_can_not_be_meant_is_answered_in_words(run, tmp_path):
    (tmp_path / "desk.csv").write_text(EXPORT, "utf-8")
    run("load", "desk.csv", "--yes")
    assert "has no column or attribute 'shoe_size'" in run("measure", "--by", "shoe_size").output
    assert run("measure", "--csv", "new/folder/m.csv").exit_code == 0
    with pytest.raises(LoadError, match="needs a query"):
        run("load", "sqlite:///tickets.db")
    assert run("overdue", "--at", "2026-10-31T08:30+02:00").exit_code == 0
    with pytest.raises(PeriodError, match="this is no time"):
        run("overdue", "--at", "yesterday evening")


def test_a_template_is_written_where_asked_and_an_unknown_table_refused(run, tmp_path):
    run("template", "surveys", "s.xlsx", "--language", "zh")
    assert (tmp_path / "s.xlsx").stat().st_size > 5_000
    with pytest.raises(ContractError):
        run("template", "nothing")


def test_quarantine_lists_by_reason_and_releases_after_the_mapping_is_mended(run, tmp_path):
    (tmp_path / "desk.csv").write_text(EXPORT.replace("2026-10-15", "2026-10-12"), "utf-8")
    run("load", "desk.csv", "--yes")
    listed = run("quarantine").output
    assert "before opened_at" in listed
    load_id = re.search(r"\d{8}T\d{6}-\w{6}", listed)[0]
    mapping = tmp_path / "data" / "sources" / "desk.toml"
    mapping.write_text(re.sub(r"(?m)^resolved_at = .*\n", "", mapping.read_text("utf-8")), "utf-8")
    run("quarantine", "release", load_id)
    assert "Nothing" in run("quarantine").output
    assert len(store.open(tmp_path / "data" / "lake").sql("select * from cases")) == 3


def test_the_mapping_that_the_documentation_writes_loads_a_query_on_a_database(run, tmp_path):
    text = (Path(__file__).parents[2] / "docs" / "own-data.md").read_text("utf-8")
    (tmp_path / "data" / "sources").mkdir(parents=True)
    (tmp_path / "data" / "sources" / "helpdesk.toml").write_text(
        re.search(r"```toml\n(.*?)```", text, re.S)[1], "utf-8"
    )
    with closing(sqlite3.connect(tmp_path / "t.db")) as database, database:
        database.execute("create table tickets (Ref, Logged, Fixed, Kind, Phone, Notes, Office)")
        rows = [
            ("R1", "13/10/2026 09:00", "-", "Complaint", "x", "n/a", "N"),
            ("R2", "1/11/2026 9:00", "", "How-to", "y", "", "S"),
        ]
        database.executemany("insert into tickets values (?, ?, ?, ?, ?, ?, ?)", rows)
    run("load", "sqlite:///t.db", "--query", "select * from tickets", "--source", "helpdesk")
    cases = store.open(tmp_path / "data" / "lake").sql("select * from cases order by case_id")
    assert cases["business_type"].tolist() == ["complaint", "consultation"]
    assert cases["month_key"].tolist() == [202610, 202611] and cases["attributes"].str.contains("Office").all()


@pytest.mark.slow
def test_lab_starts_answers_and_stops(run):
    assert "answered" in run("lab", "--check").output


def test_a_real_export_can_not_be_loaded_into_the_made_up_lake(run, tmp_path):
    store.open(tmp_path / "data/demo", timezone="UTC", made_up=True)
    (tmp_path / "export.csv").write_text("case_id,opened_at\nA1,2026-03-02 10:00\n", "utf-8")
    with pytest.raises(LakeError, match="real data can't enter"):
        run("--lake", "data/demo", "load", "export.csv", "--source", "contract:cases")
    assert not store.open(tmp_path / "data/demo").has("cases")
