"""From a file to every published file: what customers and systems wrote arrives as text, and no row gets lost."""

from __future__ import annotations

import csv
import io
import json
import re
from html.parser import HTMLParser

import numpy as np
import openpyxl
import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import improve, resources
from svcanalytics.charts.characters import readable
from svcanalytics.report.output.gate import faults
from svcanalytics.report.output.word import read_word
from svcanalytics.report.publication.proof import explain_figure
from svcanalytics.report.scheduling.notices import Notice, webhook_payload

NAMES = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "+1+1",
    "-2+3",
    "\u202egnp.exe",
    '"><img src=x onerror=x()>',
    "a\x07b\x00c",
    "emoji \U0001f600\U0001f469\u200d\U0001f467",
    "{{ 7 * 7 }}{% raw %}",
    "'; drop table cases; --",
    "../../etc/passwd",
]
ORGANISATION = "</title><script>alert(2)</script>=1+1"
METRIC = "<img src=x onerror=x()>=2+2"
LONG = "<script>alert(3)</script>" * 400
BROKEN = [b"\xed\xa0\xbd", b"\xff\xfe"]  # half an emoji, as some systems write it; no UTF-8 at all
DIMENSIONS = ("channel", "team", "owner_team", "first_team", "category")


def rows(count: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    opened = pd.date_range("2026-08-01", "2026-10-31 20:00", count)
    times = {"first_response_at": rng.integers(60, 4000, count), "resolved_at": rng.integers(4000, 90000, count)}
    return pd.DataFrame(
        {
            "case_id": [f"=1+{number}" for number in range(count)],
            "opened_at": opened.strftime("%Y-%m-%d %H:%M:%S"),
            **{
                name: (opened + pd.to_timedelta(seconds, unit="s")).strftime("%Y-%m-%d %H:%M:%S")
                for name, seconds in times.items()
            },
            **{name: rng.choice(NAMES, count) for name in DIMENSIONS},
            "business_type": "complaint",
            "resolution": rng.choice(["yes", "no"], count),
            "text": LONG,
        }
    )


def written(frame: pd.DataFrame) -> bytes:
    """Return the rows as a CSV file, and two more with bytes that are no text."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerows([list(frame.columns), *frame.itertuples(index=False)])
    last = list(frame.iloc[-1])
    broken = [",".join(["case_x", str(last[1])]).encode() + b"," + bad for bad in BROKEN]
    return buffer.getvalue().encode() + b"".join(line + b"," * (len(last) - 3) + b"\r\n" for line in broken)


@pytest.fixture
def hostile_lake(tmp_path):
    """Return a lake loaded from a file whose teams, channels, categories and texts are all hostile."""
    (tmp_path / "svcanalytics.toml").write_text(
        f'organisation = "{ORGANISATION}"\ntimezone = "Asia/Shanghai"\nlanguage = "en"\n'
    )
    (tmp_path / "catalogue").mkdir()
    shipped = (resources.catalogue_path() / "metrics.toml").read_text("utf-8")
    entry = re.search(r"\[metrics\.resolution_rate\].*?(?=\n\[|\n# -----)", shipped, re.DOTALL)[0]
    words = f"{{ zh = '{METRIC}', en = '{METRIC}' }}"
    own = re.sub("name = .*", f"name = {words}", entry, count=1)
    (tmp_path / "catalogue" / "metrics.toml").write_text(own, "utf-8")
    lake = sv.open(tmp_path / "lake")
    (tmp_path / "export.csv").write_bytes(written(rows(600)))
    result = sv.load(lake, tmp_path / "export.csv", "contract:cases")
    assert (result.read, result.new, result.quarantined) == (602, 600, 2)
    return lake.refresh()


def test_every_row_of_a_hostile_file_is_in_the_lake_or_in_quarantine_and_nothing_in_it_was_obeyed(hostile_lake):
    held = hostile_lake.sql("select case_id, team, text from cases")
    assert set(held["case_id"]) == {f"=1+{number}" for number in range(600)}
    assert set(held["team"]) <= set(NAMES)
    assert set(held["text"]) == {LONG}
    refused = hostile_lake.sql("select line, reason from quarantine order by line")
    assert list(refused["line"]) == [602, 603]
    assert refused["reason"].str.contains("bytes").all()


def test_a_frame_may_hold_half_a_character_and_every_row_is_accounted_for(lake):
    frame = rows(len(NAMES) + 1).assign(team=[*NAMES, "half \ud83d"])
    result = sv.load(lake, frame, "contract:cases")
    assert (result.read, result.new, result.quarantined) == (len(frame), len(frame), 0)
    assert set(lake.refresh().sql("select team from cases")["team"]) == {*NAMES, "half \\ud83d"}


def test_quarantine_and_ledger_leave_the_lake_as_text_and_come_back_unchanged(hostile_lake, tmp_path):
    line = {"origin": "audit", "problem": LONG[:9000], "owner": NAMES[0], "department": NAMES[3]}
    line |= {"measure": NAMES[1], "acceptance": NAMES[8], "found_at": "2026-10-01", "due_at": "2026-11-01"}
    number = improve.add_action(hostile_lake, line)
    before = improve.read_actions(hostile_lake.refresh())
    file = improve.export_actions(hostile_lake.refresh(), tmp_path / "ledger.xlsx")
    assert kinds(file).isdisjoint("f")
    improve.import_actions(hostile_lake.refresh(), file)
    pd.testing.assert_frame_equal(improve.read_actions(hostile_lake.refresh()), before)
    assert number in set(before["action_id"])


@pytest.mark.slow
def test_a_lake_full_of_hostile_names_gives_an_edition_in_which_they_are_only_text(hostile_lake, tmp_path):
    edition = sv.publish("monthly", "2026-10", hostile_lake, tmp_path / "reports", "zh", formats=("docx", "pdf"))
    shown = [readable(text) for text in NAMES]
    for file in (edition.page, edition.path.parents[3] / "index.html"):
        page = file.read_text("utf-8")
        assert faults(page) == []
        assert not re.search(r"<script|<img|onerror=x\(\)>(?!&)", page.replace("&lt;", "").replace("&gt;", ""))
        assert ORGANISATION in "".join(texts_of(page))
    seen = "".join(texts_of(edition.page.read_text("utf-8")))
    assert all(text in seen for text in [*shown, METRIC])

    book = openpyxl.load_workbook(edition.workbook)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert "f" not in {cell.data_type for cell in cells}
    assert {*shown, METRIC, ORGANISATION} <= {cell.value for cell in cells}
    assert not any(cell.hyperlink and cell.hyperlink.target for cell in cells)
    read = read_word(edition.path / "report.docx")
    assert METRIC in read
    assert sum(text in read for text in shown) > len(shown) / 2  # tables behind figures are on the page alone

    explained = explain_figure(edition, "resolution_rate")
    assert (explained.name, explained.equal) == (METRIC, True)


def test_a_notice_quotes_markup_without_becoming_it():
    notice = Notice("k", "[click](http://x) <b>", "\u202etext\x00\ud83d")
    for kind in ("plain", "wecom", "dingtalk"):
        assert json.loads(json.dumps(webhook_payload(notice, kind)).encode())


def kinds(file) -> set[str]:
    book = openpyxl.load_workbook(file)
    return {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}


def texts_of(page: str) -> list[str]:
    found: list[str] = []
    reader = HTMLParser()
    reader.handle_data = found.append
    reader.feed(page)
    return found
