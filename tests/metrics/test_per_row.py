"""Metrics of single contacts are those that `measure` gives a group of one."""

from __future__ import annotations

import pandas as pd
import pytest

from svcanalytics import store
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.per_row import measure_each

ZERO = pd.Timestamp("2026-03-02 01:00", tz="UTC")


@pytest.fixture
def calls(lake):
    waits = [5, 25, 100, None]
    answered = [ZERO + pd.Timedelta(seconds=w) if w is not None else pd.NaT for w in waits]
    contacts = pd.DataFrame(
        {
            "contact_id": ["C0", "C1", "C2", "C3"],
            "case_id": ["K0", "K0", "K1", None],
            "offered_at": ZERO,
            "queued_at": ZERO,
            "answered_at": answered,
            "human_at": answered,
            "ended_at": ZERO + pd.Timedelta(minutes=9),
            "abandoned": [False, False, False, True],
            "resolved": [True, False, True, None],
            "handled_by": "human",
        }
    )
    return store.write(lake, {"contacts": contacts})


def test_a_contact_has_its_own_wait_and_its_own_yes_or_no(calls):
    metrics = ["speed_of_answer", "service_level_20s_offered", "answer_rate", "contacts_offered", "csat_score"]
    found = measure_each(calls, metrics, "contact_id", ["C3", "C0", "C2", "C0", None, "C9"])
    assert found.index.tolist() == ["C3", "C0", "C2", "C9"]
    # A count means nothing for one row, and there are no surveys.
    assert found.columns.tolist() == metrics[:3]
    assert found["speed_of_answer"].tolist()[1:3] == [5, 100] and found["speed_of_answer"].isna().tolist()[0]
    assert found["service_level_20s_offered"].tolist()[:3] == [0, 1, 0]
    assert found["answer_rate"].tolist()[:3] == [0, 1, 1]
    assert found.loc["C9"].isna().all()


def test_a_case_has_the_mean_of_its_contacts(calls):
    found = measure_each(calls, ["speed_of_answer", "contact_resolution"], "case_id", ["K0", "K1"])
    assert found["speed_of_answer"].tolist() == [15, 100]
    assert found["contact_resolution"].tolist() == [0.5, 1]


def test_an_unknown_metric_is_refused(calls):
    with pytest.raises(CatalogueError, match="speed_of_answr"):
        measure_each(calls, ["speed_of_answr"], "contact_id", ["C0"])
