from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.errors import PublishError
from svcanalytics.report import editions
from svcanalytics.report.output.gate import faults

FILES = {"report.html", "report.ipynb", "report.xlsx", "manifest.json"}


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def grown(lake):
    """Return the lake after a load; `lake.at(0)` is as it was before."""
    days = pd.to_datetime(["2026-10-01", "2026-10-02"], utc=True)
    return sv.store.write(lake, {"cases": pd.DataFrame({"case_id": ["1", "2"], "opened_at": days})})


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


def test_an_earlier_snapshot_finds_its_edition_and_an_undone_load_gives_a_new_one(lake, notebooks, out, instantly):
    folder = notebooks()
    (out.parent / "a.csv").write_text("case_id,opened_at\n1,2026-10-01 09:00:00\n")
    loaded = sv.load(lake, out.parent / "a.csv", "contract:cases")
    grown = lake.refresh()
    sv.publish("tiny", "2026-10", lake.at(0), out, notebooks=folder)
    sv.publish("tiny", "2026-10", grown, out, notebooks=folder)
    again = sv.publish("tiny", "2026-10", lake.at(0), out, notebooks=folder)
    assert (again.status, again.number) == ("up to date", 1)
    sv.undo(lake, loaded.load_id)
    assert sv.publish("tiny", "2026-10", lake.refresh(), out, notebooks=folder).number == 3


def test_a_real_report_supersedes_no_made_up_one(lake, grown, notebooks, out, instantly):
    folder = notebooks()
    shown = sv.publish("tiny", "2026-10", replace(lake.at(0), made_up=True), out, notebooks=folder)
    own = sv.publish("tiny", "2026-10", grown, out, notebooks=folder)
    assert (shown.number, own.number) == (1, 2)
    assert own.manifest["supersedes"] is None and own.manifest["changed"] == []
    index = (out / "index.html").read_text("utf-8")
    assert "made-up data" in index and "superseded" not in index


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


@pytest.mark.parametrize("scope", ["team=A", "team-a", "ALL", "agent:A07", "team:", "team:Nobody", "team:A\u202eB"])
def test_a_shipped_report_knows_the_whole_and_its_units_and_says_so_before_it_runs(scope, grown, out, instantly):
    with pytest.raises(PublishError, match=r"scope|know no team"):
        sv.publish("monthly", "2026-10", grown, out, scope=scope)
    assert not out.exists()


def test_a_shipped_report_takes_periods_of_its_own_kind(lake, out):
    with pytest.raises(PublishError, match="quarterly report is about a quarter"):
        sv.publish("quarterly", "2026-10", lake, out)


def test_a_shipped_report_needs_cases_or_contacts_and_an_unknown_one_is_told_which_there_are(lake, out, tmp_path):
    with pytest.raises(PublishError, match="neither cases nor contacts"):
        sv.publish("monthly", "2026-10", sv.open(tmp_path / "bare", timezone="UTC"), out)
    with pytest.raises(PublishError, match="no report 'montly'") as caught:
        sv.publish("montly", "2026-10", lake, out)
    assert {"monthly", "quarterly"} <= set(caught.value.fix.split())
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


def test_the_index_lists_all_editions_of_both_languages_newest_period_first(lake, grown, notebooks, out, instantly):
    before_load = lake.at(0)
    folder = notebooks()
    for period in ("2026-09", "2026-10", "2025-12"):
        sv.publish("tiny", period, before_load, out, notebooks=folder)
    sv.publish("tiny", "2026-10", before_load, out, "en", notebooks=folder)
    sv.publish("tiny", "2026-10", grown, out, notebooks=folder)
    page = (out / "index.html").read_text("utf-8")
    assert faults(page) == []
    new, page = page[: page.index('id="r-tiny"')], page[page.index('id="r-tiny"') :]
    assert "2026-10/all-zh/2" in new and "2025-12/all-zh/1" in new and "2026-10/all-zh/1" not in new
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
