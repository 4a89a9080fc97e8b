from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.errors import PublishError
from svcanalytics.report import editions, publishing
from svcanalytics.report.gate import faults
from svcanalytics.report.runner import Run
from svcanalytics.store.failpoints import hooked

FILES = {"report.html", "report.ipynb", "report.xlsx", "manifest.json"}


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def grown(lake):
    """Return the lake after a load; `lake.at(0)` is as it was before."""
    days = pd.to_datetime(["2026-10-01", "2026-10-02"], utc=True)
    return sv.store.write(lake, {"cases": pd.DataFrame({"case_id": ["1", "2"], "opened_at": days})})


@pytest.fixture
def instantly(monkeypatch):
    """Let notebooks run without a kernel: their outputs are the blocks given here. Return how often one ran."""
    from svcanalytics.report.blocks import MIME, Cell, Column, Document, Table

    runs = []

    def run(source, parameters, folder, **rest):
        runs.append(parameters)
        table = Table("counts", "Cases", (Column("n", "Cases", "integer"),), ((Cell(len(runs), str(len(runs))),),))
        blocks = [Document("Tiny report", parameters["language"]), table]
        notebook = json.loads(source)
        for cell, block in zip(notebook["cells"][1:], blocks, strict=True):
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {MIME: block.to_json()}}]
        return Run(notebook, 0.0, (0.0,))

    monkeypatch.setattr(publishing, "run", run)
    return runs


def test_an_edition_holds_the_formats_asked_for_and_one_that_lacks_some_is_followed_by_one_that_has_them(
    grown, notebooks, out, instantly
):
    def publish(*formats):
        return sv.publish("tiny", "2026-10", grown, out, notebooks=notebooks(), formats=formats)

    plain, both = publish(), publish("docx", "pdf")
    assert {file.name for file in both.path.iterdir()} == FILES | {"report.pdf", "report.docx"}
    assert both.manifest["changed"] == ["formats"]
    assert [plain.number, both.number, publish("pdf").number, publish().number] == [1, 2, 2, 2]
    with pytest.raises(PublishError, match="odt"):
        publish("odt")


def test_the_same_inputs_answer_up_to_date_and_other_inputs_give_the_next_edition(lake, grown, notebooks, out):
    before_load = lake.at(0)
    folder = notebooks()
    first = sv.publish("tiny", "2026-10", before_load, out, notebooks=folder)
    assert (first.status, first.number) == ("published", 1)
    assert first.path == out / "tiny" / "2026-10" / "all-zh" / "1"
    before = {file.name: file.read_bytes() for file in first.path.iterdir()}
    assert set(before) == FILES
    assert sv.publish("tiny", "2026-10", before_load, out, notebooks=folder).status == "up to date"

    second = sv.publish("tiny", "2026-10", grown, out, notebooks=folder)
    assert (second.status, second.number, second.manifest["supersedes"]) == ("published", 2, 1)
    assert second.manifest["changed"] == ["data: cases"]
    assert {file.name: file.read_bytes() for file in first.path.iterdir()} == before
    executed = json.loads(second.notebook.read_text())
    assert str(out) not in second.notebook.read_text()
    assert executed["metadata"]["kernelspec"]["name"] == "python3"


def test_the_manifest_says_what_an_edition_was_made_from(grown, notebooks, out, instantly):
    manifest = sv.publish("tiny", "2026-10", grown, out, notebooks=notebooks()).manifest
    assert json.loads((out / "tiny/2026-10/all-zh/1/manifest.json").read_text()) == manifest
    assert manifest["snapshot"]["id"] == grown.snapshot.id == 1
    assert manifest["snapshot"]["tables"]["cases"]["rows"] == 2
    assert manifest["parameters"]["snapshot"] == 1
    assert manifest["inputs"]["package"]["version"] == sv.__version__
    assert set(manifest["files"]) == FILES - {"manifest.json"}
    assert {"catalogue", "notebook", "settings", "data"} <= set(manifest["inputs"])


@pytest.mark.parametrize("what", ["notebook", "catalogue", "settings", "package"])
def test_whatever_else_a_report_is_made_from_gives_a_new_edition_too(
    what, lake, notebooks, out, instantly, monkeypatch
):
    folder = notebooks()
    assert sv.publish("tiny", "2026-10", lake, out, notebooks=folder).number == 1
    if what == "notebook":
        notebooks("pass", "pass  # edited")
    elif what == "catalogue":
        (lake.path.parent / "catalogue").mkdir()
        (lake.path.parent / "catalogue" / "own.toml").write_text("# own")
    elif what == "settings":
        (lake.path.parent / "svcanalytics.toml").write_text('organisation = "New name"\ntimezone = "Asia/Shanghai"')
        lake = sv.open(lake.path)
    else:
        monkeypatch.setattr(sv, "__version__", "9.9.9")
    edition = sv.publish("tiny", "2026-10", lake, out, notebooks=folder)
    assert edition.number == 2
    assert [change.split(":")[0] for change in edition.manifest["changed"]] == [what]


def test_a_lake_that_moved_and_a_snapshot_without_change_are_the_same_inputs(grown, notebooks, out, instantly):
    folder = notebooks()
    sv.publish("tiny", "2026-10", grown, out, notebooks=folder)
    elsewhere = grown.path.parent / "elsewhere"
    grown.path.rename(elsewhere)
    assert sv.publish("tiny", "2026-10", sv.open(elsewhere), out, notebooks=folder).status == "up to date"


def test_an_earlier_snapshot_finds_its_edition_and_an_undone_load_gives_a_new_one(
    lake, grown, notebooks, out, instantly
):
    folder = notebooks()
    sv.publish("tiny", "2026-10", lake.at(0), out, notebooks=folder)
    sv.publish("tiny", "2026-10", grown, out, notebooks=folder)
    again = sv.publish("tiny", "2026-10", lake.at(0), out, notebooks=folder)
    assert (again.status, again.number) == ("up to date", 1)
    undone = dataclasses.replace(lake.at(0), pinned=False)
    assert sv.publish("tiny", "2026-10", undone, out, notebooks=folder).number == 3


def test_a_failed_run_publishes_nothing_and_keeps_its_notebook(lake, notebooks, out):
    with pytest.raises(PublishError, match="cell 2"):
        sv.publish("tiny", "2026-10", lake, out, notebooks=notebooks("1 / 0"))
    assert editions(out) == []
    assert not (out / "index.html").exists()
    kept = out / ".failed" / "tiny_2026-10_all-zh"
    assert "ZeroDivisionError" in (kept / "output.ipynb").read_text()
    assert (kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777) == (0o700, 0o700)
    sv.publish("tiny", "2026-10", lake, out, notebooks=notebooks())
    assert not kept.exists()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ({"report": "../tiny"}, "not a report"),
        ({"report": "Tiny"}, "not a report"),
        ({"report": "tiny\n"}, "not a report"),
        ({"report": "t" * 65}, "not a report"),
        ({"scope": "../../etc"}, "not a scope"),
        ({"scope": ""}, "not a scope"),
        ({"scope": "{report}"}, "not a scope"),
        ({"language": "de"}, "language 'de'"),
        ({"period": "../2026-10"}, "not a period"),
        ({"report": "other"}, "no report 'other'"),
    ],
)
def test_names_that_are_no_plain_ids_are_refused(names, message, lake, notebooks, out, instantly):
    given = {"report": "tiny", "period": "2026-10", "language": "zh", "scope": "all", **names}
    with pytest.raises(sv.errors.SvcError, match=message):
        sv.publish(given.pop("report"), given.pop("period"), lake, out, notebooks=notebooks(), **given)
    assert not out.exists()


@pytest.mark.parametrize("scope", ["team=A", "team-a", "ALL"])
def test_a_shipped_report_knows_no_scope_but_all_and_says_so_before_it_runs(scope, lake, out, instantly):
    with pytest.raises(PublishError, match="no scope") as caught:
        sv.publish("monthly", "2026-10", lake, out, scope=scope)
    assert caught.value.fix == 'use "all"'
    assert not out.exists()


def test_a_shipped_report_takes_periods_of_its_own_kind(lake, out):
    with pytest.raises(PublishError, match="quarterly report is about a quarter"):
        sv.publish("quarterly", "2026-10", lake, out)


def test_a_shipped_report_needs_cases_or_contacts_and_an_unknown_one_is_told_which_there_are(lake, out, tmp_path):
    with pytest.raises(PublishError, match="neither cases nor contacts"):
        sv.publish("monthly", "2026-10", sv.open(tmp_path / "bare", timezone="UTC"), out)
    with pytest.raises(PublishError, match="no report 'montly'") as caught:
        sv.publish("montly", "2026-10", lake, out)
    assert "monthly or quarterly" in caught.value.fix
    assert not out.exists()


def test_symbolic_links_among_reports_and_notebooks_are_refused(lake, notebooks, out, tmp_path, instantly):
    folder = notebooks()
    (tmp_path / "away").mkdir()
    out.mkdir()
    (out / "tiny").symlink_to(tmp_path / "away")
    with pytest.raises(PublishError, match="symbolic link"):
        sv.publish("tiny", "2026-10", lake, out, notebooks=folder)
    (out / "tiny").unlink()
    (folder / "linked.ipynb").symlink_to(folder / "tiny.ipynb")
    with pytest.raises(PublishError, match="symbolic link"):
        sv.publish("linked", "2026-10", lake, out, notebooks=folder)
    assert list((tmp_path / "away").iterdir()) == []


def test_a_notebook_that_declares_other_parameters_is_refused_before_it_runs(lake, notebooks, out, instantly):
    with pytest.raises(PublishError, match="no parameter 'scope'"):
        folder = notebooks(parameters='lake = ""\nsnapshot = 0\nreport = ""\nperiod = ""\nlanguage = ""')
        sv.publish("tiny", "2026-10", lake, out, notebooks=folder)
    assert instantly == []


def test_two_publishers_at_once_make_one_edition(lake, notebooks, out, instantly):
    folder, barrier = notebooks(), threading.Barrier(2)

    def publish(_):
        barrier.wait()
        return sv.publish("tiny", "2026-10", lake, out, notebooks=folder).status

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(publish, range(2))) == ["published", "up to date"]
    assert len(instantly) == len(editions(out)) == 1


def places_of_a_publication(lake, folder, out) -> list[str]:
    places: list[str] = []
    with hooked(places.append):
        sv.publish("tiny", "2026-10", lake, out, notebooks=folder)
    return places


def test_wherever_the_publisher_is_killed_there_is_the_old_edition_or_the_new(
    lake, grown, notebooks, tmp_path, instantly
):
    before_load = lake.at(0)
    folder = notebooks()
    places = places_of_a_publication(before_load, folder, tmp_path / "count")
    assert {"run", "write page", "rename edition", "renamed edition", "rename index.html"} <= set(places)
    seen = set()
    for stop in range(len(places)):
        out = tmp_path / f"out{stop}"
        sv.publish("tiny", "2026-10", before_load, out, notebooks=folder)
        child = multiprocessing.get_context("fork").Process(target=publish_and_die, args=(grown, folder, out, stop))
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL, places[stop]
        found = sorted(edition.number for edition in editions(out))
        seen.add(tuple(found))
        assert found in ([1], [1, 2]), places[stop]
        for number in found:
            check_whole(out / "tiny/2026-10/all-zh" / str(number))
        assert faults((out / "index.html").read_text()) == []

        after = sv.publish("tiny", "2026-10", grown, out, notebooks=folder)
        assert after.number == 2
        assert sorted(edition.number for edition in editions(out)) == [1, 2]
        assert "all-zh/2/report.html" in (out / "index.html").read_text()
        assert not [entry for entry in (out / ".staging").iterdir() if entry.is_dir()]
    assert seen == {(1,), (1, 2)}


def publish_and_die(lake, folder, out, stop):
    left = [stop]

    def die(place):
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        left[0] -= 1

    with hooked(die):
        sv.publish("tiny", "2026-10", lake, out, notebooks=folder)


def test_wherever_the_disk_is_full_nothing_half_is_published(lake, notebooks, tmp_path, instantly):
    folder = notebooks()
    places = places_of_a_publication(lake, folder, tmp_path / "count")
    for stop, place in enumerate(places):
        out = tmp_path / f"out{stop}"
        left = [stop]

        def fail(place, left=left):
            left[0] -= 1
            if left[0] == -1:
                raise OSError(28, "No space left on device")

        with hooked(fail), pytest.raises((PublishError, OSError), match="No space left"):
            sv.publish("tiny", "2026-10", lake, out, notebooks=folder)
        for edition in editions(out):
            check_whole(edition.path)
        assert sv.publish("tiny", "2026-10", lake, out, notebooks=folder).number == 1, place
        assert "all-zh/1/report.html" in (out / "index.html").read_text()


def check_whole(folder: Path) -> None:
    import hashlib

    manifest = json.loads((folder / "manifest.json").read_text())
    assert {file.name for file in folder.iterdir()} == FILES
    for name, file in manifest["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]


def test_the_index_lists_all_editions_of_both_languages_newest_period_first(lake, grown, notebooks, out, instantly):
    before_load = lake.at(0)
    folder = notebooks()
    for period in ("2026-09", "2026-10", "2025-12"):
        sv.publish("tiny", period, before_load, out, notebooks=folder)
    sv.publish("tiny", "2026-10", before_load, out, "en", notebooks=folder)
    sv.publish("tiny", "2026-10", grown, out, notebooks=folder)
    page = (out / "index.html").read_text("utf-8")
    assert faults(page) == []
    assert page.index("2026-10/all") < page.index("2026-09/all") < page.index("2025-12/all")
    assert page.index("2026-10/all-zh/2/report.html") < page.index("2026-10/all-zh/1/report.html")
    assert "superseded by edition 2" in page
    for edition in editions(out):
        for name in FILES:
            assert f'href="{edition.path.relative_to(out).as_posix()}/{name}"' in page
            assert (edition.path / name).is_file()


def test_a_page_the_gate_refuses_is_not_published(lake, notebooks, out, monkeypatch):
    head = "from svcanalytics.report.blocks import *; Document('x', language)"
    image = """Figure("f", "t", "a", '<svg xmlns="http://www.w3.org/2000/svg"><image href="http://example.org/x"/></svg>')"""
    with pytest.raises(PublishError, match="does not draw"):
        sv.publish("tiny", "2026-10", lake, out, notebooks=notebooks(head, image))
    assert editions(out) == []
