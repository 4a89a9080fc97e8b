"""The section on what comes next: figures where the history allows, one sentence where it does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.periods import parse_period
from svcanalytics.report.blocks import Table, Text
from svcanalytics.report.facts.evaluation import Evaluation
from svcanalytics.report.facts.foresight import foresee
from svcanalytics.report.sections.demand_section import demand_ahead

OCTOBER = parse_period("2026-10", 1)


def evaluated(lake, first, last, language):
    rng = np.random.default_rng(2)
    parts = [
        pd.DataFrame(
            {"queue": f"q{queue}", "offered_at": day + pd.to_timedelta(rng.integers(9, 17, 20 - 3 * queue), "h")}
        )
        for day in pd.bdate_range(first, last)
        for queue in range(6)
    ]
    contacts = pd.concat(parts, ignore_index=True)
    contacts["offered_at"] = contacts["offered_at"].dt.tz_localize("Asia/Shanghai")
    contacts["contact_id"] = contacts.index.astype(str)
    store.write(lake, {"contacts": contacts})
    ahead = foresee(lake.refresh(), OCTOBER)
    return Evaluation(report="monthly", period=OCTOBER, language=language, ahead=ahead)


@pytest.mark.parametrize(("language", "words"), [("zh", "预计2026年11月将有"), ("en", "are expected in November 2026")])
def test_the_next_month_is_forecast_by_its_largest_queues_and_the_rest(lake, language, words):
    _, sentence, table, *_ = demand_ahead(evaluated(lake, "2026-03-02", "2026-10-30", language)).items
    assert words in sentence.text and isinstance(table, Table)
    names = [row[0].text for row in table.rows]
    assert names[1:4] == ["q0", "q1", "q2"] and len(names) == 5
    expected = [row[2].value for row in table.rows]
    assert abs(expected[0] - sum(expected[1:])) <= 2
    assert expected[0] == pytest.approx(21 * sum(20 - 3 * queue for queue in range(6)), rel=0.1)


@pytest.mark.parametrize("dates", [("2026-09-28", "2026-10-30"), ("2026-03-02", "2026-10-16")])
def test_a_history_that_is_too_short_or_stops_early_is_said_in_one_sentence(lake, dates):
    blocks = demand_ahead(evaluated(lake, *dates, "en")).items
    assert [type(block) for block in blocks[1:]] == [Text]
    assert "too short" in blocks[1].text


def test_a_lake_without_arrivals_has_none_ahead(lake):
    assert foresee(lake, OCTOBER) is None
