from __future__ import annotations

from datetime import date
from threading import Barrier
from types import SimpleNamespace

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics.errors import ConfigError, PassingFaultError, PublishError
from svcanalytics.periods import parse_period
from svcanalytics.report.scheduling import agenda
from svcanalytics.report.scheduling.agenda import list_due, publish_due
from svcanalytics.report.scheduling.readiness import examine_period
from svcanalytics.report.scheduling.timetable import Timetable, read_notify, read_timetable


def daily(first: str, last: str, skip: tuple[str, str] | None = None) -> pd.DataFrame:
    """Return three cases a day, a customer each."""
    days = pd.date_range(first, last, freq="D", tz="Asia/Shanghai") + pd.Timedelta(hours=10)
    if skip:
        days = days[(days < skip[0]) | (days >= skip[1])]
    opened = days.repeat(3).tz_convert("UTC")
    return pd.DataFrame({"case_id": [f"c{n}" for n in range(len(opened))], "opened_at": opened})


def filled(lake: sv.Lake, last: str, first: str = "2026-01-01") -> sv.Lake:
    return sv.store.write(lake, {"cases": daily(first, last)})


def touch_edition(out, report: str, period: str, language: str = "zh") -> None:
    (out / report / period / f"all-{language}" / "1").mkdir(parents=True)


MONTHLY = Timetable(reports=("monthly",), languages=("zh",))


def keys(due) -> list[tuple[str, str]]:
    return [(item.period.key, item.state) for item in due]


def test_a_period_is_ready_when_it_is_over_and_its_data_reach_its_last_day(lake):
    lake = filled(lake, "2026-09-20")
    state = {
        month: examine_period(lake, parse_period(month), date(2026, 10, 3)).state for month in ("2026-08", "2026-10")
    }
    assert state == {"2026-08": "ready", "2026-10": "running"}
    late = examine_period(lake, parse_period("2026-09"), date(2026, 10, 3))
    assert late.state == "late"
    assert late.missing == ("cases: there until 2026-09-20, needed until 2026-09-30",)


def test_data_that_end_on_a_friday_cover_a_month_that_ends_on_the_sunday_after(lake):
    rows = daily("2026-01-01", "2026-05-29")
    weekdays = rows["opened_at"].dt.tz_convert("Asia/Shanghai").dt.day_of_week < 5
    lake = sv.store.write(lake, {"cases": rows[weekdays]})
    assert examine_period(lake, parse_period("2026-05"), date(2026, 6, 1)).state == "ready"


def test_surveys_given_up_long_ago_do_not_hold_up_a_report_but_missing_ones_do(lake):
    asked = pd.DataFrame({"survey_id": [f"s{n}" for n in range(90)], "case_id": "c1", "csat": 4})
    asked["at"] = pd.date_range("2026-01-01", periods=90, freq="D", tz="UTC")
    lake = sv.store.write(lake, {"cases": daily("2026-01-01", "2026-09-30"), "surveys": asked})
    today = date(2026, 10, 2)
    assert examine_period(lake, parse_period("2026-09"), today).state == "ready"
    assert examine_period(lake, parse_period("2026-04"), today).missing == (
        "surveys: there until 2026-03-31, needed until 2026-04-30",
    )


def test_a_missed_period_is_due_until_it_has_an_edition(lake, tmp_path):
    lake = filled(lake, "2026-08-31")
    touch_edition(tmp_path, "monthly", "2026-05")
    touch_edition(tmp_path, "monthly", "2026-07")
    assert keys(list_due(lake, tmp_path, MONTHLY, date(2026, 9, 1))) == [("2026-06", "due"), ("2026-08", "due")]


def test_a_period_shown_with_made_up_data_is_still_due_for_real_ones(lake, tmp_path, lay_edition):
    lake = filled(lake, "2026-08-31")
    lay_edition(tmp_path, "monthly/2026-07/all-zh/1", made_up=True)
    lay_edition(tmp_path, "monthly/2026-06/all-zh/1")
    due = keys(list_due(lake, tmp_path, MONTHLY, date(2026, 9, 1)))
    assert due == [("2026-07", "due"), ("2026-08", "due")]


def test_without_any_edition_only_the_last_period_is_due_and_a_range_catches_up(lake, tmp_path):
    lake = filled(lake, "2026-08-31")
    today = date(2026, 9, 1)
    assert keys(list_due(lake, tmp_path, MONTHLY, today)) == [("2026-08", "due")]
    both = Timetable(reports=("monthly", "quarterly"), since="2026-03")
    assert keys(list_due(lake, tmp_path, both, today, until="2026-06")) == [
        *[("2026-03", "due"), ("2026Q1", "due")],
        *[("2026-04", "due"), ("2026-05", "due"), ("2026-06", "due"), ("2026Q2", "due")],
    ]


@pytest.fixture
def published(monkeypatch):
    """Publish nothing, but say so: `fail` maps a period to the errors its first tries end with."""
    state = SimpleNamespace(calls=[], fail={})

    def publish(report, period, lake, out, language, scope, progress, formats):
        state.calls.append(period.key)
        if state.fail.get(period.key):
            raise state.fail[period.key].pop(0)
        return SimpleNamespace(status="published")

    monkeypatch.setattr(agenda, "publish", publish)
    return state


def test_only_a_fault_that_may_pass_is_tried_again_and_a_failure_stops_no_other(lake, tmp_path, published):
    lake = filled(lake, "2026-08-31")
    due = list_due(lake, tmp_path, Timetable(reports=("monthly",), since="2026-05"), date(2026, 9, 1))
    published.fail = {
        "2026-05": [PassingFaultError("the kernel died")] * 2,
        "2026-06": [PublishError("the cell failed")],
        "2026-07": [PassingFaultError("the disk is full")] * 9,
    }
    waits: list[float] = []
    timetable = Timetable(retries=2, retry_wait_s=10)
    ends = {o.due.period.key: o for o in publish_due(due, lake, tmp_path, timetable, wait=waits.append)}
    assert {key: o.tries for key, o in ends.items()} == {"2026-05": 3, "2026-06": 1, "2026-07": 3, "2026-08": 1}
    assert [key for key, o in ends.items() if o.edition] == ["2026-05", "2026-08"]
    assert waits == [10, 20, 10, 20]


def test_two_workers_publish_at_the_same_time_and_everything_once(lake, tmp_path, published, monkeypatch):
    lake = filled(lake, "2026-08-31")
    due = list_due(lake, tmp_path, Timetable(reports=("monthly",), since="2026-05"), date(2026, 9, 1))
    published.fail = {"2026-06": [PublishError("the cell failed")], "2026-07": [PassingFaultError("the kernel died")]}
    both, alone = Barrier(2, timeout=20), agenda.publish

    def publish(*given, **named):
        if given[1].key in ("2026-05", "2026-06"):  # neither ends before the other has begun
            both.wait()
        return alone(*given, **named)

    monkeypatch.setattr(agenda, "publish", publish)
    ends = {o.due.period.key: o for o in publish_due(due, lake, tmp_path, MONTHLY, wait=lambda _: None, workers=2)}
    assert {key: bool(o.edition) for key, o in ends.items()} == {
        "2026-05": True, "2026-06": False, "2026-07": True, "2026-08": True,
    }  # fmt: skip
    assert sorted(published.calls) == ["2026-05", "2026-06", "2026-07", "2026-07", "2026-08"]


def test_what_is_late_is_not_published(lake, tmp_path, published):
    lake = filled(lake, "2026-08-20")
    due = list_due(lake, tmp_path, MONTHLY, date(2026, 9, 1))
    assert keys(due) == [("2026-08", "late")]
    assert list(publish_due(due, lake, tmp_path, MONTHLY)) == []
    assert published.calls == []


def test_the_timetable_comes_from_the_configuration_and_a_wrong_key_is_named(tmp_path):
    file = tmp_path / "svcanalytics.toml"
    file.write_text(
        'language = "en"\n[schedule]\nreports = ["quarterly"]\nsince = "2025Q1"\n[notify]\nlink = "https://x"\n'
    )
    assert read_timetable(tmp_path) == Timetable(reports=("quarterly",), since="2025Q1")
    assert read_notify(tmp_path).link == "https://x"
    file.write_text('[schedule]\nreports = ["yesterly"]\n')
    with pytest.raises(ConfigError, match="yesterly"):
        read_timetable(tmp_path)
    file.write_text("[schedule]\nreprots = []\n")
    with pytest.raises(ConfigError, match=r"schedule\.reprots"):
        read_timetable(tmp_path)
