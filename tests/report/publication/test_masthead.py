from __future__ import annotations

import json
from datetime import UTC, datetime

import openpyxl
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.errors import ConfigError, PublishError
from svcanalytics.periods import parse_period
from svcanalytics.report.output.gate import faults
from svcanalytics.report.parameters import declared
from svcanalytics.report.publication.masthead import (
    Masthead,
    cut_lake,
    mark_words,
    read_masthead,
    settle_masthead,
    time_of,
)
from svcanalytics.store import snapshot as snapshots

OCTOBER = parse_period("2026-10")
HOSTILE = '</style><script>x()</script> "\\'


@pytest.fixture
def configured(lake):
    """Return the lake of an installation that names its people and its mark."""
    text = (
        'organisation = "示范机构"\ntimezone = "Asia/Shanghai"\n[report]\nauthor = "质量部"\nconfidentiality = "秘密"\n'
    )
    (lake.path.parent / "svcanalytics.toml").write_text(text, "utf-8")
    return sv.open(lake.path)


def test_a_particular_is_the_one_given_else_the_notebooks_own_else_the_installations(configured):
    own = {
        "metadata": {"tags": ["parameters"]},
        "source": 'author: str = "张三"\nreviewer = "李四"\nconfidentiality = ""',
    }
    known = declared({"cells": [own]}, "own.ipynb")
    settled = settle_masthead({"reviewer": "王五"}, known, read_masthead(configured.path))
    assert settled == Masthead(author="张三", reviewer="王五", confidentiality="秘密")
    with pytest.raises(PublishError, match="no 'editor'"):
        settle_masthead({"editor": "x"}, known, Masthead())


@pytest.mark.parametrize("text", ["a\nb", "a\u202eb", "\x00", "x" * 61, 7])
def test_a_particular_is_a_short_line_of_printing_text(text, lake):
    with pytest.raises(PublishError, match="text for author"):
        Masthead(author=text)
    (lake.path.parent / "svcanalytics.toml").write_text(f"[report]\nauthor = {json.dumps(text)}\n", "utf-8")
    with pytest.raises(ConfigError, match="text for author"):
        read_masthead(lake.path)
    (lake.path.parent / "svcanalytics.toml").write_text('[report]\nauhtor = "x"\n', "utf-8")
    with pytest.raises(ConfigError, match="'auhtor'"):
        read_masthead(lake.path)


def test_an_edition_shows_its_particulars_everywhere_as_text_alone(configured, notebooks, tmp_path, instantly):
    given = {"issue": "特刊第1期", "reviewer": HOSTILE, "approver": "签发人"}
    out = tmp_path / "reports"

    def publish(mark: str):
        head = {**given, "confidentiality": mark}
        return sv.publish("tiny", "2026-10", configured, out, notebooks=notebooks(), masthead=head, formats=("docx",))

    edition = publish(HOSTILE)
    page = edition.page.read_text("utf-8")
    assert faults(page) == [] and "<script" not in page and "特刊第1期" in page and "签发人" in page
    assert page.count("</style>") == 1
    cells = {cell.value for row in openpyxl.load_workbook(edition.workbook).worksheets[0].iter_rows() for cell in row}
    assert {"质量部", HOSTILE, "签发人", "特刊第1期"} <= cells
    assert edition.manifest["masthead"]["issue"] == "特刊第1期"
    assert publish(HOSTILE).status == "up to date"
    public = publish("none")
    assert public.manifest["changed"] == ["masthead: confidentiality"]
    assert "内部" not in public.page.read_text("utf-8") and 'class="mark"' not in public.page.read_text("utf-8")
    assert mark_words("public", "en")[0] == "Public" and mark_words("绝密", "en") == ("绝密", "")


def test_what_was_loaded_after_the_cut_off_is_not_read(lake, notebooks, tmp_path, instantly, monkeypatch):
    for day, moment in ((1, "2026-11-03T01:00:00+00:00"), (2, "2026-11-09T01:00:00+00:00")):
        rows = pd.DataFrame({"case_id": [str(day)], "opened_at": pd.to_datetime([f"2026-10-0{day}"], utc=True)})
        lake = sv.store.write(lake, {"cases": rows})
        for file in (lake.path / "snapshot.json", lake.path / "snapshots" / f"{lake.snapshot.id:08d}.json"):
            file.write_text(json.dumps({**json.loads(file.read_text()), "created_at": moment}))
    lake = sv.open(lake.path)
    assert [s.id for s in snapshots.history(lake.path)][-2:] == [1, 2]
    assert time_of("+5d", OCTOBER, "Asia/Shanghai") == datetime(2026, 11, 5, 16, tzinfo=UTC)  # end of 5 November there
    assert time_of("2026-11-05", OCTOBER, "Asia/Shanghai") == datetime(2026, 11, 5, 16, tzinfo=UTC)
    cuts = {"+5d": 1, "2026-11-03 09:00": 1, "+9d": 2, "": 2}
    assert {text: cut_lake(lake, text, OCTOBER).snapshot.id for text in cuts} == cuts
    assert cut_lake(lake, "2999-01-01", OCTOBER) is lake
    for text, message in (("2026-11-03 08:59", "nothing had been loaded"), ("soon", "not a time"), ("+9999d", "not a")):
        with pytest.raises(PublishError, match=message):
            cut_lake(lake, text, OCTOBER)
    folder, head = notebooks(), {"cut_off": "+5d"}
    edition = sv.publish("tiny", "2026-10", lake, tmp_path / "reports", notebooks=folder, masthead=head)
    assert edition.manifest["snapshot"]["id"] == 1
    assert edition.manifest["snapshot"]["tables"]["cases"]["rows"] == 1
    assert "2026年11月5日 24:00" in edition.page.read_text("utf-8")
