from __future__ import annotations

import dataclasses

import pytest

from svcanalytics.errors import PublishError
from svcanalytics.periods import parse_period
from svcanalytics.report.publication.edition import read
from svcanalytics.report.scheduling import notices
from svcanalytics.report.scheduling.agenda import Due, Outcome
from svcanalytics.report.scheduling.news import expect_news, tell_missed_news, tell_news
from svcanalytics.report.scheduling.timetable import Notify

DUE = Due("monthly", parse_period("2026-10"), "zh", "due")
NAME = "monthly/2026-10/all-zh"
NOTIFY = Notify(webhook=[{"url": "https://one.example"}, {"url": "https://two.example"}])


@pytest.fixture
def heard(monkeypatch):
    """Return what each address was told; an address in `deaf` can't be reached."""
    told: dict[str, list[str]] = {"https://one.example": [], "https://two.example": []}
    deaf: set[str] = set()

    def post(notice, webhook, environment):
        if webhook.url in deaf:
            raise OSError("unreachable")
        told[webhook.url].append(notice.key)

    monkeypatch.setattr(notices, "_post", post)
    post.told, post.deaf = told, deaf
    return post


def test_who_was_killed_between_publishing_and_telling_tells_in_the_next_run(tmp_path, heard, lay_edition):
    lay_edition(tmp_path, f"{NAME}/1")
    expect_news([DUE], tmp_path)
    assert tell_missed_news(tmp_path, NOTIFY) == []  # killed before: edition 1 is old news
    assert set(map(len, heard.told.values())) == {0}
    lay_edition(tmp_path, f"{NAME}/2")
    for _ in range(2):
        assert tell_missed_news(tmp_path, NOTIFY) == []
    assert {len(keys) for keys in heard.told.values()} == {1}
    assert heard.told["https://one.example"][0].endswith(" 2")


def test_a_channel_that_was_deaf_hears_of_a_publication_in_the_next_run_and_the_others_not_again(
    tmp_path, heard, lay_edition
):
    expect_news([DUE, dataclasses.replace(DUE, scope="team:=1+1", state="late")], tmp_path)
    outcome = Outcome(DUE, read(lay_edition(tmp_path, f"{NAME}/1")), None, 1)
    heard.deaf.add("https://two.example")
    assert len(tell_news(outcome, tmp_path, NOTIFY)) == 1
    assert len(tell_missed_news(tmp_path, NOTIFY)) == 1
    heard.deaf.clear()
    assert tell_missed_news(tmp_path, NOTIFY) == tell_missed_news(tmp_path, NOTIFY) == []
    assert [len(keys) for keys in heard.told.values()] == [1, 1]
    assert list((tmp_path / ".notices" / "expected").iterdir()) == []


def test_a_failure_is_told_and_the_edition_that_comes_after_all_is_news_too(tmp_path, heard, lay_edition):
    expect_news([DUE], tmp_path)
    failed = Outcome(DUE, None, PublishError("the cell failed", where="cell 3"), 1)
    assert tell_news(failed, tmp_path, NOTIFY) == []
    lay_edition(tmp_path, f"{NAME}/1")
    (tmp_path / ".notices" / "expected" / "cut.json").write_text("{")
    assert tell_missed_news(tmp_path, NOTIFY) == []
    assert [key.split()[0] for key in heard.told["https://one.example"]] == ["failed", "published"]


def test_where_nothing_can_be_remembered_telling_says_so_instead_of_failing(tmp_path, lay_edition, heard):
    outcome = Outcome(DUE, read(lay_edition(tmp_path, f"{NAME}/1")), None, 1)
    (tmp_path / ".notices").write_text("no folder")
    expect_news([DUE], tmp_path)
    assert [trouble.split(": ")[1] for trouble in tell_news(outcome, tmp_path, NOTIFY)] == ["FileExistsError"] * 2
