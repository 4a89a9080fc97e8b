"""The staffing report says what the plan says: in words, in tables, in pictures, in both languages."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest

from svcanalytics import report, staffing, store
from svcanalytics.errors import PublishError
from svcanalytics.periods import parse_period
from svcanalytics.report.blocks import Figure, Table, Text
from svcanalytics.report.facts.staffing_review import StaffingReview
from svcanalytics.report.publication.publishing import publish
from svcanalytics.staffing.weekly.assumptions import Assumptions

SECTIONS = ("verdict", "coverage", "risk", "people", "costs", "assumptions")


class Steady:
    """A Monday and a Tuesday of one queue, Poisson about the same mean in each half-hour."""

    def __init__(self, queue):
        starts = [pd.Timestamp(f"2026-11-0{day} 09:00", tz="Asia/Shanghai") for day in (2, 3)]
        slots = [start + pd.Timedelta(minutes=30 * step) for start in starts for step in range(12)]
        self.table = pd.DataFrame({"queue": queue, "start": slots, "mean": 20.0})

    def paths(self, n, seed=0):
        counts = np.random.default_rng(seed).poisson(20.0, (len(self.table), n))
        return pd.DataFrame(counts, index=pd.MultiIndex.from_frame(self.table[["queue", "start"]]))


@pytest.fixture(scope="module")
def plan():
    queue = "<b>calls</b>"
    rows = [
        (queue, "handle_s", 240.0, 230.0, 250.0, 900, "measured"),
        (queue, "patience_s", np.inf, 900.0, np.nan, 9, "measured"),
    ]
    rows += [("", what, 0.0, np.nan, np.nan, 0, "not known") for what in ("shrinkage", "absence")]
    table = pd.DataFrame(rows, columns=["queue", "what", "value", "low", "high", "n", "source"])
    known = Assumptions(table, pd.DataFrame({"queue": [], "weekday": [], "hour": [], "mean_s": []}))
    rules = staffing.read_shifts(name="hotline_24h")
    return staffing.plan_staffing(Steady(queue), known, rules, staffing.Goal(0.95, 20, 0.5), draws=40, shift_limit_s=5)


def review(plan, language):
    return StaffingReview(parse_period("2026-W45"), language, "Northern Desk", date(2026, 11, 1), plan)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_section_says_what_the_plan_says(plan, language):
    found = {name: getattr(report, f"staffing_{name}")(review(plan, language)) for name in SECTIONS}
    head = report.staffing_opening(review(plan, language))
    assert "Northern Desk" in head.subtitle and ("95% within 20 s" if language == "en" else "95%在20秒内") in str(
        head.facts
    )
    first = next(block for block in found["verdict"] if isinstance(block, Text))
    assert first.role == "lead" and first.text == staffing.describe_verdict(plan, language)[0]
    promises = next(block for block in found["verdict"] if isinstance(block, Table))
    assert promises.rows[0][2].value == pytest.approx(plan.promises["service_level"].iloc[0])
    pictures = [block for name in ("coverage", "risk") for block in found[name] if isinstance(block, Figure)]
    assert [figure.svg.startswith("<svg") for figure in pictures] == [True] * 3
    slots = pictures[0].data
    assert [row[1].value for row in slots.rows] == pytest.approx(plan.coverage["required"].tolist())
    misses = found["risk"].items[-1]
    assert [row[0].value for row in misses.rows] == ["<b>calls</b>"]
    assert sum(cell.value for cell in misses.rows[0][2:]) == pytest.approx(misses.rows[0][1].value)
    assert isinstance(found["costs"].items[-1], Figure) and len(found["costs"].items[-1].data.rows) == 3
    costs = next(block for block in found["costs"] if isinstance(block, Table))
    assert costs.rows[-1][3].value == pytest.approx(plan.cost)
    everything = json.dumps([blocks.to_json() for blocks in found.values()], ensure_ascii=False)
    assert "nan" not in everything.lower().replace("finance", "")
    assert "<b>calls" not in "".join(blocks.preview() for blocks in found.values())
    assert ("nobody gives up" if language == "en" else "无人放弃") in everything


def test_a_plan_without_people_says_so(plan):
    told = [block.text for block in report.staffing_people(review(plan, "en")) if isinstance(block, Text)]
    assert any("name no agents" in text for text in told)


def test_the_report_is_about_a_week(lake):
    store.write(
        lake, {"contacts": pd.DataFrame({"contact_id": ["1"], "offered_at": [pd.Timestamp("2026-10-01", tz="UTC")]})}
    )
    for change in ({"period": "2026-11"}, {"report": "monthly"}, {"language": "fr"}, {"scope": "north"}):
        with pytest.raises(PublishError):
            report.review_staffing(lake.refresh(), **({"period": "2026-W45"} | change))


@pytest.mark.slow
def test_the_report_is_published_with_its_workbook(lake, tmp_path):
    rng = np.random.default_rng(4)
    at = pd.DatetimeIndex(
        np.concatenate(
            [
                day + pd.to_timedelta(rng.integers(9 * 60, 17 * 60, 60), "min")
                for day in pd.bdate_range("2026-09-07", "2026-10-30")
            ]
        )
    ).tz_localize("Asia/Shanghai")
    contacts = pd.DataFrame({"offered_at": at, "answered_at": at, "talk_s": 200, "queue": "calls", "channel": "phone"})
    contacts["contact_id"] = contacts.index.astype(str)
    contacts["agent"] = [f"p{n % 6}" for n in contacts.index]
    store.write(lake, {"contacts": contacts})
    edition = publish("staffing", "2026-W45", lake.refresh(), tmp_path, language="en")
    page = (edition.path / "report.html").read_text("utf-8")
    assert "Will we keep it?" in page and "Staffing report" in page
    assert (edition.path / "report.xlsx").exists()
    assert publish("staffing", "2026-W45", lake.refresh(), tmp_path, language="en").status == "up to date"
