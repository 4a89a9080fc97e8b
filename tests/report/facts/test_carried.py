"""What became of last period's decisions, and what the measure that a line names did."""

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import improve, store
from svcanalytics.metrics import catalogue
from svcanalytics.periods import parse_period
from svcanalytics.report.blocks import Table
from svcanalytics.report.facts.carried import name_measure, read_carried, tell_state
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.topics import Topics
from svcanalytics.report.sections.decisions_section import carried_out

SEPTEMBER = parse_period("2026-09")
LINES = [
    ("Z1", "evaluation", "2026-08-03", "2026-09-15", "2026-09-10", "closed", "better", "重开率低于3%"),
    ("Z2", "evaluation", "2026-08-06", "2026-09-20", None, "doing", None, "有改善"),
    ("Z3", "evaluation", "2026-08-06", "2026-11-20", None, "open", None, None),
    ("Z4", "audit", "2026-08-08", "2026-09-30", "2026-09-29", "done", None, None),
    ("Z5", "evaluation", "2026-07-08", "2026-07-30", "2026-07-29", "done", None, None),
]


@pytest.fixture
def filled(lake):
    names = ["action_id", "origin", "found_at", "due_at", "done_at", "status", "effect", "acceptance"]
    lines = pd.DataFrame(LINES, columns=names).assign(problem="问题", department="运营部", scope="All")
    for name in ("found_at", "due_at", "done_at"):
        lines[name] = pd.to_datetime(lines[name]).dt.tz_localize("Asia/Shanghai")
    lines["accepted_at"] = lines["verified_at"] = lines["done_at"].where(lines["status"] == "closed")
    days = pd.date_range("2026-08-01", "2026-09-30", tz="Asia/Shanghai").repeat(40)
    cases = pd.DataFrame({"case_id": [f"C{n}" for n in range(len(days))], "opened_at": days})
    cases["resolved_at"] = cases["closed_at"] = cases["opened_at"] + pd.Timedelta(hours=1)
    # In August every tenth case was opened again, in September every twentieth.
    every = cases["opened_at"].dt.month.map({8: 10, 9: 20})
    cases["reopened_n"] = (cases.index % every == 0).astype(int)
    store.write(lake, {"cases": cases, "actions": lines})
    return sv.open(lake.path)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_each_decision_of_last_period_is_told_with_its_state_and_its_measure_before_and_after(filled, language):
    lines = improve.read_actions(filled)
    found = read_carried(filled, SEPTEMBER, lines).set_index("action_id")
    assert found["state"].to_dict() == {"Z1": "closed", "Z2": "overdue", "Z3": "open"}
    assert found["metric"].to_dict() == {"Z1": "reopen_rate", "Z2": "", "Z3": ""}
    told = found.loc["Z1"]
    assert (told["before"], told["after"]) == pytest.approx((0.1, 0.05))
    assert told["change_low"] < -0.05 < told["change_high"] < 0
    e = Evaluation("monthly", SEPTEMBER, language, metrics=catalogue(filled).metrics,
                   topics=Topics(lines=lines, carried=found.reset_index()))  # fmt: skip
    blocks = carried_out(e)
    table = next(block for block in blocks if isinstance(block, Table))
    assert [row[0].text for row in table.rows] == ["Z2", "Z3", "Z1"]
    assert "→" in table.rows[-1][-1].text.replace("10.0%", "")
    assert ("销号1项" if language == "zh" else "1 closed") in blocks[1].text


def test_a_state_is_that_of_the_moment_asked_for(filled):
    lines = improve.read_actions(filled)
    then = pd.Timestamp("2026-09-11", tz="Asia/Shanghai")
    assert tell_state(lines, then) == ["done", "closed", "open", "open", "open"]


def test_the_longest_name_in_a_text_is_meant():
    class Metric:
        kind = "rate"

        def __init__(self, name: str) -> None:
            self.name = {"zh": name, "en": "some measure"}

    known = {"a": Metric("满意度"), "b": Metric("客户满意度")}
    assert name_measure("客户满意度达到95%", known) == "b"
    assert name_measure("等待时间减半", known) == ""
