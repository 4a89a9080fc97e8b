"""What is worked out once for many questions gives the answers of every question asked alone."""

from __future__ import annotations

import pandas as pd
import pytest

import svcanalytics as sv
from svcanalytics import metrics, sample, store


def _answers(lake: sv.Lake) -> dict[str, pd.DataFrame]:
    known = metrics.catalogue(lake).metrics
    of_cases = [metric.id for metric in known.values() if metric.view == "cases"]
    found = {"all": metrics.measure(lake, every="quarter", start="2026-10")}
    found["cases"] = metrics.measure(lake, of_cases, ["channel", "owner_team"], start="2026-10")
    found["standards"] = metrics.standards(lake, by="team", start="2026-10")
    return found | metrics.list_rows(lake, of_cases[:9], ["agent", "case_id"], "2026-10")


@pytest.mark.slow
def test_a_held_lake_measures_the_same_atoms_whatever_was_asked_before_and_of_whichever_unit(tmp_path):
    lake = sv.open(tmp_path / "lake", timezone="Asia/Shanghai", made_up=True)
    lake = store.write(lake, sample.organisation(months=3))
    for each in (lake, lake.only("channel", "phone")):
        alone = _answers(each)
        with each.held() as held:
            metrics.clock_rows(held, start="2026-09")
            again = _answers(held)
        for name, frame in alone.items():
            order = [column for column in ("case_id", *frame.columns) if column in frame.columns]
            frames = [of.sort_values(order, ignore_index=True) for of in (frame, again[name])]
            pd.testing.assert_frame_equal(*frames, check_exact=True, obj=name)
