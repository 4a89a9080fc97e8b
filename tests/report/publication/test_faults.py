"""Publishing cut short, crowded or lied to: readers see the old edition or the new one, and the next run repairs."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import multiprocessing
import os
import re
import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

import svcanalytics as sv
from svcanalytics.errors import PassingFaultError, PublishError
from svcanalytics.report import editions
from svcanalytics.report.output import pdf
from svcanalytics.report.output.gate import faults
from svcanalytics.report.publication import publishing, rendering
from svcanalytics.store.failpoints import hooked

FORMATS = ("pdf", "docx")
FUTURE = 4_000_000_000


@pytest.fixture
def fork():
    return multiprocessing.get_context("fork")


@pytest.fixture
def grown(lake, tmp_path):
    """Return the lake after a load; `lake.at(0)` is as it was before."""
    (tmp_path / "a.csv").write_text(
        "case_id,opened_at,customer_id\n1,2026-10-01 09:00:00,C1\n2,2026-10-02 09:00:00,C2\n"
    )
    sv.load(lake, tmp_path / "a.csv", "contract:cases")
    return lake.refresh()


@pytest.fixture
def publish(notebooks, monkeypatch, instantly):
    """Return a function that publishes in all formats, the slow one (PDF) as plain text."""
    folder = notebooks()
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # what a killed process wrote, others read without it
    monkeypatch.setattr(pdf, "write_pdf", lambda page, path: path.write_text(re.sub("<[^>]+>", " ", page)) and {})
    monkeypatch.setattr(pdf, "read_pdf", lambda path: [path.read_text()])

    def call(lake, out, period="2026-10"):
        return sv.publish("tiny", period, lake, out, notebooks=folder, formats=FORMATS)

    return call


def check_library(out: Path, numbers: list[int], *, listed: bool) -> None:
    """See that every edition is whole, and that the list leads to whole editions only; `listed` to all of them."""
    found = editions(out)
    assert sorted(edition.number for edition in found) == numbers
    for edition in found:
        assert {file.name for file in edition.path.iterdir()} == {"manifest.json", *edition.manifest["files"]}
        for name, file in edition.manifest["files"].items():
            assert hashlib.sha256((edition.path / name).read_bytes()).hexdigest() == file["sha256"]
    page = (out / "index.html").read_text("utf-8") if (out / "index.html").exists() else ""
    assert not page or faults(page) == []
    linked = set(re.findall(r'href="([^"#]+)"', page))
    assert all((out / address).is_file() for address in linked)
    pages = {edition.page.relative_to(out).as_posix() for edition in found}
    assert (linked >= pages) if listed else True


def check_tidy(out: Path) -> None:
    """See that nothing is left but editions, their list and the locks."""
    left = [path.relative_to(out).as_posix() for path in out.rglob(".*") if path.is_file() and path.suffix != ".lock"]
    assert left == []
    assert [path for path in (out / ".staging").iterdir() if path.is_dir()] == []
    assert not (out / ".failed").exists() or list((out / ".failed").iterdir()) == []


def stop_at(number: int, stop):
    left = [number]

    def hook(place: str) -> None:
        left[0] -= 1
        if left[0] < 0:
            stop()

    return hook


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fill_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def places_of(publish, lake, out: Path) -> list[str]:
    places: list[str] = []
    with hooked(places.append):
        publish(lake, out)
    steps = {"run", "write page", "write workbook", "write pdf", "write docx", "write notebook", "write manifest"}
    assert steps | {"rename edition", "renamed edition", "write index.html", "renamed index.html"} <= set(places)
    return places


@pytest.mark.parametrize("number", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_wherever_the_publisher_is_killed_there_is_the_old_edition_or_the_new(grown, publish, fork, tmp_path, number):
    before = tmp_path / "before"
    if number == 2:
        publish(grown.at(0), before)
    else:
        before.mkdir()
    places = places_of(publish, grown, shutil.copytree(before, tmp_path / "count"))
    seen, old = set(), list(range(1, number))
    for stop, place in enumerate(places):
        if place.startswith("fsync"):
            continue  # changes nothing that a reader sees
        out = shutil.copytree(before, tmp_path / f"out{stop}")
        if old:
            os.utime(out / "index.html", (FUTURE, FUTURE))  # a clock that was ahead must not hide what comes

        def task(out=out, stop=stop):
            with hooked(stop_at(stop, die)):
                publish(grown, out)

        child = fork.Process(target=task)
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL, place
        now = [number] if (out / f"tiny/2026-10/all-zh/{number}").exists() else []
        seen.add(bool(now))
        check_library(out, old + now, listed=False)

        after = publish(grown, out)
        assert (after.number, after.status) == (number, "up to date" if now else "published"), place
        check_library(out, [*old, number], listed=True)
        check_tidy(out)
    assert seen == {False, True}


def test_wherever_the_disk_is_full_nothing_half_is_published_and_trying_again_helps(grown, publish, tmp_path):
    before = tmp_path / "before"
    publish(grown.at(0), before)
    places = places_of(publish, grown, shutil.copytree(before, tmp_path / "count"))
    for stop, place in enumerate(places):
        if place.startswith(("remove", "fsync r")):
            continue  # removing needs no room, and one file is like another
        out = shutil.copytree(before, tmp_path / f"out{stop}")
        with hooked(stop_at(stop, fill_disk)), pytest.raises(PassingFaultError, match="No space left"):
            publish(grown, out)
        stands = (out / "tiny/2026-10/all-zh/2").exists()
        check_library(out, [1, 2] if stands else [1], listed=False)
        assert publish(grown, out).number == 2, place
        check_library(out, [1, 2], listed=True)
        check_tidy(out)


def test_a_workbook_for_which_there_is_no_room_is_a_fault_that_may_pass(lake, publish, tmp_path):
    import resource

    def shrink(place: str) -> None:
        if place == "write workbook":
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, kept[1]))

    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with hooked(shrink), pytest.raises(PassingFaultError, match="File too large"):
            publish(lake, tmp_path / "out")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
        signal.signal(signal.SIGXFSZ, ignored)
    assert editions(tmp_path / "out") == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_where_nobody_may_write_the_old_edition_stands_and_trying_again_is_no_use(grown, publish, tmp_path, number):
    publish(grown.at(0), tmp_path)

    def refuse() -> None:
        raise OSError(number, os.strerror(number), str(tmp_path / "tiny"))

    with hooked(stop_at(0, refuse)), pytest.raises(PublishError, match=os.strerror(number)) as caught:
        publish(grown, tmp_path)
    assert not isinstance(caught.value, PassingFaultError)
    assert "tiny" in caught.value.where
    check_library(tmp_path, [1], listed=True)


def test_a_target_that_is_no_folder_is_named(lake, publish, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(PublishError, match=r"(?s)file/reports.*could not be published.*see that"):
        publish(lake, tmp_path / "file" / "reports")


class Clock(datetime):
    """A clock that shows what it is told."""

    shown = datetime(2026, 11, 5, tzinfo=UTC)

    @classmethod
    def now(cls, tz=None):
        return cls.shown.astimezone(tz)


def test_a_clock_set_back_changes_neither_the_numbers_of_editions_nor_their_order(
    lake, grown, publish, tmp_path, monkeypatch
):
    monkeypatch.setattr(rendering, "datetime", Clock)
    first = publish(grown.at(0), tmp_path)
    Clock.shown = datetime(2026, 11, 4, tzinfo=UTC)
    second = publish(grown, tmp_path)
    assert [first.number, second.number, second.manifest["supersedes"]] == [1, 2, 1]
    assert first.manifest["published_at"] > second.manifest["published_at"]
    page = (tmp_path / "index.html").read_text("utf-8")
    assert page.index("all-zh/2/report.html") < page.index("all-zh/1/report.html")
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    assert publish(grown, tmp_path).status == "up to date"
    monkeypatch.undo()
    time.tzset()


def test_a_clock_that_was_never_set_publishes_nothing_and_says_so(lake, publish, tmp_path, monkeypatch):
    monkeypatch.setattr(rendering, "datetime", Clock)
    monkeypatch.setattr(Clock, "shown", datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
    with pytest.raises(PassingFaultError, match=r"(?s)1970-01-01.*set the clock"):
        publish(lake, tmp_path)
    assert editions(tmp_path) == []


@pytest.mark.parametrize(
    "periods",
    [["2026-10"] * 8, pytest.param([f"2026-{month:02}" for month in range(1, 9)], marks=pytest.mark.slow)],
)
def test_eight_publishers_at_once_make_each_edition_once_and_list_them_all(grown, publish, fork, tmp_path, periods):
    barrier, queue = fork.Barrier(8), fork.SimpleQueue()

    def task(period: str) -> None:
        barrier.wait(20)
        queue.put((period, publish(grown, tmp_path / "out", period).status))

    children = [fork.Process(target=task, args=(period,)) for period in periods]
    for child in children:
        child.start()
    for child in children:
        child.join()
    ends = [queue.get() for _ in children]
    made = [period for period, status in ends if status == "published"]
    assert sorted(made) == sorted(set(periods))
    check_library(tmp_path / "out", [1] * len(made), listed=True)
    check_tidy(tmp_path / "out")


def test_a_publisher_with_data_of_yesterday_does_not_supersede_an_edition_of_today(grown, publish, tmp_path):
    yesterday = dataclasses.replace(grown.at(0), pinned=False)  # opened before the load
    newest = publish(grown, tmp_path)
    late = publish(yesterday, tmp_path)
    assert (late.number, late.status, late.manifest["snapshot"]) == (1, "up to date", newest.manifest["snapshot"])
    other = sv.open(tmp_path / "other", timezone="UTC")  # a lake of its own has an order of its own
    assert publish(other, tmp_path).number == 2


def test_a_load_taken_back_while_a_report_is_made_gives_that_edition_and_then_the_next(
    grown, publish, tmp_path, monkeypatch
):
    alone = publishing.run

    def run(*given, **named):
        (load,) = grown.sql("select load_id from loads")["load_id"]
        sv.undo(sv.open(grown.path), load)
        return alone(*given, **named)

    monkeypatch.setattr(publishing, "run", run)
    first = publish(grown, tmp_path)
    monkeypatch.setattr(publishing, "run", alone)
    assert first.manifest["snapshot"]["id"] == grown.snapshot.id
    second = publish(grown.refresh(), tmp_path)
    assert second.manifest["changed"] == ["data: cases, loads"]
    check_library(tmp_path, [1, 2], listed=True)


def test_a_customer_erased_while_a_report_is_made_is_a_fault_that_passes(grown, publish, tmp_path, monkeypatch):
    alone = publishing.run

    def run(*given, **named):
        sv.erase(sv.open(grown.path), "C1")
        raise PublishError("the cell failed with IOException", where="tiny.ipynb, cell 2", fix="open the notebook")

    monkeypatch.setattr(publishing, "run", run)
    with pytest.raises(PassingFaultError, match="erased"):
        publish(grown, tmp_path / "out")
    monkeypatch.setattr(publishing, "run", alone)
    assert publish(grown, tmp_path / "out").number == 1
    check_tidy(tmp_path / "out")


def test_a_damaged_or_foreign_folder_stops_neither_the_list_nor_other_reports(grown, publish, tmp_path):
    first = publish(grown, tmp_path)
    broken = tmp_path / "tiny" / "2026-09" / "all-zh" / "1"
    shutil.copytree(first.path, broken)
    about = {**first.manifest, "period": "2026-09"}
    altered = [
        {"title": None},
        {"masthead": None},
        {"period_label": {}},
        {"timezone": "Mars"},
        {"published_at": "soon"},
    ]
    texts = ["", "{", "[]", '{"edition": 1}', *(json.dumps({**about, **change}) for change in altered)]
    for damage in texts:
        (broken / "manifest.json").chmod(0o644)
        (broken / "manifest.json").write_text(damage)
        (tmp_path / "index.html").unlink()
        assert publish(grown, tmp_path).status == "up to date"
        assert "2026-09" not in (tmp_path / "index.html").read_text("utf-8")
        with pytest.raises(PublishError, match=r"(?s)2026-09.*manifest"):
            publish(grown, tmp_path, "2026-09")
