"""Impacts follow from weights and goalposts, chances of late lines from the year before; levels are as printed."""

import pandas as pd
import pytest

from svcanalytics import quality
from svcanalytics.periods import parse_period
from svcanalytics.report.blocks import Table
from svcanalytics.report.facts import risks
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.prospect import Outlook
from svcanalytics.report.facts.readings import Clock, Reading
from svcanalytics.report.facts.risks import Risk
from svcanalytics.report.facts.topics import Topics
from svcanalytics.report.sections.risk_section import risk_list

JULY = parse_period("2026-07")


def test_a_miss_costs_the_weight_times_the_score_below_the_target():
    # 0.875 lies half-way from the floor to the target: 40 points of 80 are lost, a quarter of the index of them.
    posts = quality.Goalposts(floor=0.8, target=0.95, goal=0.99, direction="up")
    reading = Reading("m", "M", value=0.875, target=0.95)
    assert risks._cost(Outlook(0.875, 1e-9, 7), posts, reading, 0.25) == pytest.approx(10.0)
    assert risks._cost(Outlook(0.5, 1e-9, 7), posts, reading, 0.25) == pytest.approx(20.0)


def test_lines_due_next_are_late_as_often_as_those_of_the_year_before():
    due = pd.date_range("2025-09-01", periods=20, freq="15D", tz="UTC")
    past = pd.DataFrame({"due_at": due, "found_at": due - pd.Timedelta(days=20), "done_at": due, "status": "closed"})
    past.loc[:4, "done_at"] += pd.Timedelta(days=3)
    ahead = pd.Timestamp("2026-08-10", tz="UTC")
    coming = pd.DataFrame({"due_at": [ahead] * 3, "found_at": ahead - pd.Timedelta(days=30), "status": "open"})
    (risk,) = risks._ledger(pd.concat([past, coming], ignore_index=True), JULY)
    assert risk.probability == pytest.approx(1 - 0.75**3)
    assert risk.probability * risk.amount == pytest.approx(3 * 0.25)


def test_levels_are_the_printed_limits_and_the_gravest_come_first():
    assert Risk("measure", "a", 0.95, 1.2).levels == (5, 5)
    assert Risk("measure", "a", 0.05, 0.01).levels == (1, 1)
    assert Risk("standard", "a", 0.30, amount=5, share=0.1).severity == 3 * 4

    def clock(name: str, value: float, change: float) -> Clock:
        reading = Reading(name, name, value=value, low=value - 0.01, high=value + 0.01, target=0.95, light="yellow",
                          change=change)  # fmt: skip
        return Clock(reading, 100, int(100 * value), round(100 * (1 - value)), 0, None)

    clocks = (clock("safe", 0.999, 0.0), clock("even", 0.95, 0.0), clock("bad", 0.5, 0.0))
    found = risks.list_risks(Evaluation("monthly", JULY, "en", clocks=clocks))
    assert [(risk.subject, round(risk.probability, 2)) for risk in found] == [("bad", 1.0), ("even", 0.5)]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_register_stands_beside_what_was_computed(language):
    register = pd.DataFrame(
        {"risk": ["舆情"], "probability": [5], "impact": [4], "answer": ["reduce"], "at": [pd.Timestamp("2026-06-01")]}
    )
    e = Evaluation("monthly", JULY, language, topics=Topics(register=register))
    table = next(block for block in risk_list(e) if isinstance(block, Table))
    (row,) = [{c.key: cell for c, cell in zip(table.columns, line, strict=True)} for line in table.rows]
    assert row["mark"].text == "A"
    assert row["grade"].text.endswith(" 20")
    assert row["grade"].light == "red"
    assert len(risk_list(Evaluation("monthly", JULY, language)).items) == 2
