"""The command line as a user meets it: each command runs in this process on a lake of its own."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

import pandas as pd
import pytest
from typer.testing import CliRunner

from svcanalytics import store
from svcanalytics.cli import app
from svcanalytics.errors import ConfigError


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


@pytest.mark.slow
def test_lab_starts_answers_and_stops(run):
    assert "answered" in run("lab", "--check").output
