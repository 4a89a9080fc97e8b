"""Proposed mappings: from headings, values and what is unique; shown masked, kept when agreed to."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics.errors import MappingError
from svcanalytics.store.engine import connect
from svcanalytics.store.mapping import prepare
from svcanalytics.store.proposal import examine, propose
from svcanalytics.store.reading import read

N = 40


def _propose(frame):
    with connect() as con:
        return propose(con, read(con, frame), "Asia/Shanghai")


def _tickets(**more):
    return pd.DataFrame(
        {
            "工单号": [f"G{i:04d}" for i in range(N)],
            "受理时间": [f"2026/{i % 12 + 1}/{i % 28 + 1} 9:05:00" for i in range(N)],
            "办结时间": [f"2026/{i % 12 + 1}/{i % 28 + 2} 9:05:00" for i in range(N)],
            "诉求内容": ["请联系我 13800138000"] * N,
            "区县": ["东区", "西区"] * (N // 2),
            **more,
        }
    )


def test_headings_in_common_use_are_understood_and_the_rest_kept():
    proposal = _propose(_tickets())
    assert proposal.mapping.primary == "cases"
    assert proposal.sources == {
        "case_id": "工单号",
        "opened_at": "受理时间",
        "closed_at": "办结时间",
        "text": "诉求内容",
    }
    assert proposal.attributes == ("区县",)
    assert proposal.bad == 0
    assert list(proposal.rows["opened_at"])[:2] == ["2026-01-01 09:05:00", "2026-02-02 09:05:00"]


def test_headings_of_two_rows_and_paths_of_nested_fields_are_understood_by_their_parts():
    usual = _tickets()
    two_rows = usual.rename(columns={"工单号": "工单 编号", "受理时间": "时间 受理", "办结时间": "时间 办结"})
    assert _propose(two_rows).sources == {
        **_propose(usual).sources,
        "case_id": "工单 编号",
        "opened_at": "时间 受理",
        "closed_at": "时间 办结",
    }
    nested = usual.assign(**{"via.channel": "mail", "requester.id": range(N), "organisation.id": 7})
    found = _propose(nested).sources
    assert (found["channel"], found["customer_id"], found["case_id"]) == ("via.channel", "requester.id", "工单号")


def test_a_file_of_headings_alone_is_called_that():
    with pytest.raises(MappingError, match="no rows"):
        _propose(_tickets().head(0))


def test_what_is_shown_is_masked():
    shown = _propose(_tickets(客户编号=[f"K{i}" for i in range(N)])).rows.to_csv()
    assert "13800138000" not in shown
    assert "K1" not in shown


def test_unknown_headings_are_told_from_their_values():
    frame = pd.DataFrame(
        {
            "a": ["x", "y"] * (N // 2),
            "b": [f"2026-03-{i % 28 + 1:02d}" for i in range(N)],
            "c": [f"{i % 24}:{i % 60:02d}:00" for i in range(N)],
            "ref no": [f"{i:06d}" for i in range(N)],
        }
    )
    proposal = _propose(frame)
    key, time = ("contact_id", "offered_at") if proposal.mapping.primary == "contacts" else ("case_id", "opened_at")
    assert proposal.sources == {key: "ref no", time: "b + c"}
    assert proposal.rows[time][3] == "2026-03-04 03:03:00"


def test_calls_are_told_from_cases():
    frame = pd.DataFrame(
        {
            "Call ID": range(N),
            "Start time": [f"2026-03-{i % 28 + 1:02d} 10:00:00" for i in range(N)],
            "Agent": ["a"] * N,
            "Talk time": ["0:03:20"] * N,
            "Abandoned": ["N"] * N,
        }
    )
    proposal = _propose(frame)
    assert proposal.mapping.primary == "contacts"
    assert proposal.sources["talk_s"] == "Talk time"


def test_a_heading_that_sounds_like_a_time_and_holds_none_is_kept_as_an_attribute():
    frame = _tickets().assign(解决时间=[str(i) for i in range(N)])
    proposal = _propose(frame)
    assert "resolved_at" not in proposal.sources
    assert "解决时间" in proposal.attributes


@pytest.mark.parametrize("unit", [1, 1000])
def test_seconds_since_1970_are_times_under_a_heading_of_a_time_only(unit):
    stamps = [(1_772_442_300 + i) * unit for i in range(N)]
    found = _propose(_tickets(受理时间=stamps, 办结时间=[None] * N, 计数=stamps))
    assert found.rows["opened_at"].iloc[0] == "2026-03-02 17:05:00"
    with pytest.raises(MappingError, match="no column says when"):
        _propose(_tickets(计数=stamps).drop(columns=["受理时间", "办结时间"]))


def test_dates_that_could_be_either_are_refused_not_guessed():
    frame = _tickets(受理时间=[f"{i % 12 + 1}/{(i + 1) % 12 + 1}/2026" for i in range(N)])
    with pytest.raises(MappingError, match="day/month from month/day"):
        _propose(frame.drop(columns="办结时间"))


def test_a_file_that_names_no_row_or_no_time_is_refused():
    with pytest.raises(MappingError, match="names a row"):
        _propose(pd.DataFrame({"who": ["a", "b"] * N, "created": ["2026-01-31 10:00:00"] * 2 * N}))
    with pytest.raises(MappingError, match="when a row was"):
        _propose(pd.DataFrame({"id": range(N), "text": ["x"] * N}))


def test_an_agreed_proposal_is_kept_and_recognises_next_months_file(tmp_path):
    own = tmp_path / "sources"
    for month in ("09", "10"):
        _tickets().to_csv(tmp_path / f"hotline_2026_{month}.csv", index=False)
    found = examine(tmp_path / "hotline_2026_09.csv", [], "Asia/Shanghai")
    assert found.mapping is None
    file = found.proposal.save(own)
    assert file.name == "hotline.toml"
    with connect() as con:
        mapping, _ = prepare(con, tmp_path / "hotline_2026_10.csv", None, [own])
    assert mapping.name == "hotline"
    assert mapping.tables["cases"].model_dump() == found.proposal.mapping.tables["cases"].model_dump()
    assert examine(tmp_path / "hotline_2026_10.csv", [own]).proposal is None
