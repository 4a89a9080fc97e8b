"""Every block of code in the documentation is run or checked: Python, TOML, and commands with their options."""

from __future__ import annotations

import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

import svcanalytics as sv
from svcanalytics import store

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {page.name: page.read_text("utf-8") for page in sorted(DOCS.glob("*.md"))}
# Every page with Python, and the test that runs it from top to bottom: each needs a small world of its own.
RUN_BY = {
    "causes-in-tables.md": "docs/test_code_on_pages.py",
    "causes.md": "causes/test_causes_page.py",
    "forecasting.md": "demand/test_forecasting_page.py",
    "own-data.md": "docs/test_code_on_pages.py",
    "quality-index.md": "quality/test_quality_page.py",
    "staffing.md": "staffing/test_staffing_page.py",
    "tutorial.md": "docs/test_code_on_pages.py",
}
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```", re.M | re.S)


def blocks(name: str, language: str) -> list[str]:
    return [code for kind, code in FENCE.findall(PAGES[name]) if kind.split(" ")[0] == language]


def with_blocks(language: str) -> list[str]:
    return [name for name in PAGES if blocks(name, language)]


def test_every_page_with_python_has_a_test_that_runs_it():
    assert with_blocks("python") == sorted(RUN_BY)
    for page, test in RUN_BY.items():
        assert page in (DOCS.parent / "tests" / test).read_text("utf-8")


@pytest.mark.slow
def test_the_page_on_causes_in_tables_finds_what_it_planted():
    names = run_page("causes-in-tables.md")
    assert names["found"]["segment"].iloc[0] == "channel=app&version=3.2"
    assert names["found"]["excess"].iloc[0] == pytest.approx(77, abs=1)
    assert len(set(names["themes"].labels)) == 3
    assert names["read"].bottlenecks["activity"].iloc[0] == "assigned"  # where cases lie until they are approved


def run_page(page: str) -> dict:
    """Run a page's Python from top to bottom and return the names it leaves."""
    names: dict = {}
    for block in blocks(page, "python"):
        exec(compile(block, page, "exec"), names)
    return names


def test_what_can_not_run_here_is_python_at_least():
    """Clusters of other makers: marked `no-run` on the page."""
    marked = [code for text in PAGES.values() for kind, code in FENCE.findall(text) if kind == "python no-run"]
    assert len(marked) == 3
    for code in marked:
        compile(code, "page", "exec")


def test_the_query_of_the_page_on_own_data_loads_from_a_database(tmp_path, monkeypatch):
    """The page's block with a database of the same table in the place of the PostgreSQL server."""
    import sqlite3

    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "sources").mkdir(parents=True)
    (tmp_path / "data" / "sources" / "helpdesk.toml").write_text(blocks("own-data.md", "toml")[0], "utf-8")
    store.open(tmp_path / "data" / "lake", timezone="Asia/Shanghai")
    with sqlite3.connect(tmp_path / "t.db") as database:
        database.execute("create table tickets (Ref, Logged, Fixed, Kind, Phone, Notes, Office)")
        database.execute("insert into tickets values ('R1', '13/10/2026 09:00', '-', 'Complaint', 'x', 'n/a', 'N')")
    code = blocks("own-data.md", "python")
    assert len(code) == 1 and "postgresql+psycopg://reader@db.example.org/service" in code[0]
    exec(code[0].replace("postgresql+psycopg://reader@db.example.org/service", "sqlite:///t.db"), {})
    assert len(store.open(tmp_path / "data" / "lake").sql("select * from cases")) == 1


@pytest.mark.parametrize("page", with_blocks("toml"))
def test_the_settings_of_a_page_can_be_read(page):
    for block in blocks(page, "toml"):
        assert tomllib.loads(block)


def test_the_schedule_of_the_page_is_one_that_the_settings_take(tmp_path, monkeypatch):
    """An unknown key would be refused."""
    from svcanalytics.report.scheduling.timetable import read_notify, read_timetable

    (tmp_path / "svcanalytics.toml").write_text(blocks("scheduling.md", "toml")[0], "utf-8")
    monkeypatch.chdir(tmp_path)
    assert tuple(read_timetable(tmp_path).languages) == ("zh", "en")
    assert read_notify(tmp_path).webhook[0].kind == "wecom"


def test_no_block_is_of_a_kind_that_nothing_checks():
    kinds = {kind.split(" ")[0] for text in PAGES.values() for kind, _ in FENCE.findall(text)}
    assert kinds <= {"", "python", "toml", "sh"}


@pytest.mark.parametrize("page", list(PAGES))
def test_every_command_and_option_on_a_page_exists(page):
    faults = [fault for command in commands(PAGES[page]) for fault in faults_of(command)]
    assert faults == []


def commands(text: str) -> list[str]:
    """Return what a page shows of `svcanalytics ...` in blocks and in the text."""
    text = text.replace("\\\n", " ")
    code = re.findall(r"`([^`\n]+)`", text)
    code += [line for line in text.splitlines() if re.match(r"    |svcanalytics |\.venv/bin/svcanalytics ", line)]
    found = (re.search(r"(?:^|/|\s)svcanalytics\s+([^#|&]*)", line) for line in code)
    return [match[1].strip() for match in found if match]


def faults_of(command: str) -> list[str]:
    import typer.main

    from svcanalytics.cli import app

    at, words = typer.main.get_command(app), shlex.split(command)
    known = {option for each in at.params for option in each.opts}
    if words and words[0] == "COMMAND":
        return []
    for word in words:
        inside = getattr(at, "commands", {})
        if word.startswith("-"):
            if word.split("=")[0] not in known | {"--help"}:
                return [f"{command}: no option {word}"]
        elif inside:
            if word not in inside:
                return [f"{command}: no command {word}"]
            at = inside[word]
            known |= {option for each in at.params for option in [*each.opts, *each.secondary_opts]}
    return []


def test_every_command_of_the_tutorial_is_one_that_ci_runs():
    ran = {line.strip() for line in (DOCS.parent / ".ci" / "run").read_text("utf-8").splitlines()}
    lines = [line.strip() for block in blocks("tutorial.md", "sh") for line in block.splitlines() if line.strip()]
    assert len(lines) >= 7 and [line for line in lines if line not in ran] == []


def test_the_tutorial_quotes_the_file_it_loads():
    quoted = next(code for kind, code in FENCE.findall(PAGES["tutorial.md"]) if kind == "")
    assert (DOCS / "examples" / "service_desk.csv").read_text("utf-8-sig").startswith(quoted)


def test_the_python_of_the_tutorial_says_what_the_tutorial_says(tmp_path, monkeypatch):
    """On the tutorial's own file: measures come out, and those the file can't answer are left out with a reason."""
    shutil.copy(DOCS / "examples" / "service_desk.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    lake = sv.open("data/lake", timezone="Europe/Oslo")
    sv.load(lake, "service_desk.csv", assume_yes=True)
    names = run_page("tutorial.md")
    assert set(names["months"]["metric"]) == {"cases_opened", "first_response_time", "reopen_rate"}
    assert names["missing"]["answer_rate"] == "no rows in contacts"
