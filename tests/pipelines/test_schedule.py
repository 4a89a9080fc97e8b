from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pandas as pd
import pytest
from dagster import DagsterInstance

import pipelines.assets
import pipelines.triggers
import svcanalytics as sv
from pipelines.assets import show_first
from pipelines.definitions import build_definitions
from pipelines.installation import Installation, find_installation
from pipelines.partitions import partitions_of, period_of_key
from pipelines.serving import serve, settle_runs
from svcanalytics.causes.finding import tabulate
from svcanalytics.errors import ConfigError, LakeError, PassingFaultError, PublishError
from svcanalytics.report.scheduling.timetable import Notify, Timetable

ZONE = "Asia/Shanghai"


@pytest.fixture(scope="module")
def lake_path(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("schedule") / "lake"
    lake = sv.open(folder, timezone=ZONE)
    opened = (pd.date_range("2026-01-01", "2026-09-30", tz=ZONE) + pd.Timedelta(hours=9)).repeat(3).tz_convert("UTC")
    rows = pd.DataFrame({"case_id": [f"c{n}" for n in range(len(opened))], "opened_at": opened})
    rows["resolved_at"] = rows["opened_at"] + pd.Timedelta(hours=5)
    sv.store.write(lake, {"cases": rows})
    return folder


@pytest.fixture(scope="module")
def instance(tmp_path_factory):
    """Return one instance for all: definitions keep hold of the first they met."""
    with DagsterInstance.local_temp(str(tmp_path_factory.mktemp("instance"))) as found:
        yield found


@pytest.fixture
def installation(lake_path, tmp_path) -> Installation:
    timetable = Timetable(reports=("monthly", "quarterly", "half_yearly"), languages=("zh",), retries=2, retry_wait_s=0)
    return Installation(lake_path, tmp_path / "reports", tmp_path / "inbox", timetable, Notify())


@pytest.fixture
def published(monkeypatch, installation):
    """Publish an empty page instead of running notebooks; `fail` holds errors that the next tries end with."""
    state = SimpleNamespace(calls=[], fail=[], told=[])

    def publish(report, period, lake, out, language, scope, formats):
        state.calls.append((report, period.key, language))
        if state.fail:
            raise state.fail.pop(0)
        folder = Path(out).absolute() / report / period.key / f"all-{language}" / "1"
        folder.mkdir(parents=True, exist_ok=True)
        return SimpleNamespace(path=folder, page=folder / "report.html", number=1)

    monkeypatch.setattr(pipelines.assets.sv, "publish", publish, raising=False)
    monkeypatch.setattr(sv.causes, "findings", lambda *_: tabulate([]), raising=False)
    monkeypatch.setattr(pipelines.assets, "tell_news", lambda outcome, *_: state.told.append(outcome) or [])
    return state


def tick(installation: Installation, name: str, moment: str, instance: DagsterInstance):
    """Return the partitions that a schedule asks for at a moment of local time, or why it asks for none."""
    repository = build_definitions(installation).get_repository_def()
    schedule = repository.get_schedule_def(name)
    when = pd.Timestamp(moment, tz=ZONE).tz_convert("UTC").to_pydatetime()
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=when, repository_def=repository)
    result = schedule.evaluate_tick(context)
    return [request.partition_key for request in result.run_requests] or result.skip_message


def edition(installation: Installation, report: str, period: str) -> None:
    (installation.reports / report / period / "all-zh" / "1").mkdir(parents=True)


@pytest.mark.parametrize(
    ("schedule", "moment", "asked"),
    [
        ("month_reports", "2026-09-30 06:15", ["2026-08-01"]),
        ("month_reports", "2026-10-01 06:15", ["2026-09-01"]),
        ("quarter_reports", "2026-09-30 06:15", ["2026-04-01"]),
        ("quarter_reports", "2026-10-01 06:15", ["2026-07-01"]),
        ("half_year_reports", "2026-07-01 06:15", ["2026-01-01"]),
    ],
)
def test_a_schedule_asks_for_the_period_that_ended_last(installation, instance, schedule, moment, asked):
    assert tick(installation, schedule, moment, instance) == asked


def test_a_missed_quarter_is_caught_up_with_and_one_that_is_published_is_not_asked_for(installation, instance):
    edition(installation, "quarterly", "2026Q1")
    assert tick(installation, "quarter_reports", "2026-10-02 06:15", instance) == ["2026-04-01", "2026-07-01"]
    edition(installation, "quarterly", "2026Q2")
    edition(installation, "quarterly", "2026Q3")
    assert tick(installation, "quarter_reports", "2026-10-03 06:15", instance) == "nothing is due"


def test_a_period_without_its_data_is_late_and_says_what_is_missing(installation, instance):
    said = tick(installation, "month_reports", "2026-11-02 06:15", instance)
    assert said == "2026-10 is late: cases: there until 2026-09-30, needed until 2026-10-31"


def materialize(installation: Installation, kind: str, key: str, instance: DagsterInstance):
    job = build_definitions(installation).resolve_job_def(f"{kind}_report")
    return job.execute_in_process(instance=instance, partition_key=key, raise_on_error=False)


def errors(result) -> str:
    return " ".join(str(e.event_specific_data) for e in result.all_events if e.is_failure)


@pytest.mark.parametrize(
    ("fail", "calls", "success"),
    [
        ([], 1, True),
        ([PassingFaultError("the kernel died")], 2, True),
        ([PassingFaultError("the kernel died")] * 3, 3, False),
        ([PublishError("the cell failed with KeyError")], 1, False),
    ],
)
def test_a_run_publishes_and_is_tried_again_by_its_cause(installation, published, instance, fail, calls, success):
    published.fail = list(fail)
    result = materialize(installation, "quarter", "2026-07-01", instance)
    assert result.success == success, errors(result)
    assert published.calls == [("quarterly", "2026Q3", "zh")] * calls
    assert len(published.told) == 1  # once, whether it went well or not


def test_a_run_of_a_period_without_its_data_fails_before_anything_is_published(installation, published, instance):
    result = materialize(installation, "month", "2026-10-01", instance)
    assert not result.success
    assert not published.calls
    assert "2026-10 is late: cases: there until 2026-09-30" in errors(result)


def test_own_months_make_partitions_from_the_26th_to_the_25th():
    quarters = partitions_of("quarter", date(2025, 12, 26), ZONE, 26)
    keys = quarters.get_partition_keys(current_time=datetime(2026, 10, 1, tzinfo=UTC))
    assert keys == ["2025-12-26", "2026-03-26", "2026-06-26"]
    assert [period_of_key(key, "quarter", 26).key for key in keys] == ["2026Q1", "2026Q2", "2026Q3"]


class Clock(datetime):
    """A clock that is ahead of the machine's, or behind."""

    ahead = timedelta(0)

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.ahead


def test_a_dropped_file_is_loaded_once_with_the_mapping_its_folder_names(installation, instance, monkeypatch):
    repository = build_definitions(installation).get_repository_def()
    sensor = repository.get_sensor_def("drop_folder")
    file = installation.inbox / "servicenow" / "export.csv"
    file.parent.mkdir(parents=True)
    file.write_text("number\n")
    (file.parent / ".half.csv").write_text("n")

    def ask():
        context = dg.build_sensor_context(instance=instance, repository_def=repository)
        return sensor.evaluate_tick(context).run_requests

    monkeypatch.setattr(pipelines.triggers, "datetime", Clock)
    assert not ask()  # it is still being written
    os.utime(file, (time.time() + 9e6,) * 2)  # the time of another machine
    monkeypatch.setattr(Clock, "ahead", timedelta(minutes=1))
    first = ask()
    monkeypatch.setattr(Clock, "ahead", -timedelta(days=1))
    again = ask()
    assert [r.run_key for r in first] == [r.run_key for r in again]  # the same key never starts a second run
    assert first[0].run_config["ops"]["loads"]["config"] == {"file": str(file), "source": "servicenow"}


def test_an_installation_without_configuration_is_the_demonstration_and_never_made_by_the_schedule(tmp_path):
    found = find_installation(tmp_path)
    assert found.lake_path == tmp_path / "data" / "demo"
    with pytest.raises(LakeError):
        found.open_lake()
    assert not (tmp_path / "data").exists()


def test_a_run_that_was_cut_short_is_no_longer_under_way_when_the_schedule_starts_again(tmp_path, installation):
    job = build_definitions(installation).resolve_job_def("make_forecast")
    with DagsterInstance.from_config(str(tmp_path)) as there:
        cut = there.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
        done = there.create_run_for_job(job, status=dg.DagsterRunStatus.SUCCESS)
        settle_runs(tmp_path)
        assert there.get_run_by_id(cut.run_id).status == dg.DagsterRunStatus.FAILURE
        assert there.get_run_by_id(done.run_id).status == dg.DagsterRunStatus.SUCCESS


def test_a_second_schedule_of_the_same_installation_does_not_start(tmp_path):
    with (tmp_path / ".lock").open("w") as lock:
        print(4711, file=lock, flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match=r"(?s)runs already.*end process 4711"):
            serve(tmp_path, tmp_path, 0)


def test_names_from_the_data_are_no_markup_on_the_page_of_a_run():
    names = ["<script>alert(1)</script>", "a|b", "[x](http://y)", "**b**", "line\nbreak", "nul\x00"]
    told = show_first(pd.DataFrame({"where": names, "n": range(len(names))}))
    assert "<" not in told and "http://y)" not in told and "**" not in told
    assert len(told.splitlines()) == 2 + len(names)
    assert "a\\|b" in told


@pytest.mark.slow
def test_the_schedule_starts_answers_and_stops(tmp_path):
    (tmp_path / "svcanalytics.toml").write_text('organisation = "X"\nlanguage = "en"\n')
    root = Path(pipelines.assets.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-m", "pipelines", "--check"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "answered" in done.stdout
