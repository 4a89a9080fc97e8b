"""What was counted in a share of the cases is said as of all of them; what is a share or a price stays."""

from __future__ import annotations

import pandas as pd

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.ranking.upscaling import scale_up

FOUND = Finding(
    "step", "csat", "team=B", 30, 12.5, 0.4, 0.2, 0.6, 0.01, since=pd.Timestamp("2026-07-02"),
    details={
        "n_before": 7,
        "usual": 90.0,
        "also_costs": [{"measure": "nps", "where": "team=B", "excess": 5.0, "points": 0.1}],
        "layers": {"excess": 12.5, "layers": [{"layer": "process", "share": 0.8}]},
    },
)  # fmt: skip


def test_counts_grow_each_by_the_share_of_its_own_measure_and_nothing_else_does():
    scaled = scale_up(FOUND, {"csat": 0.25, "nps": 0.5})
    assert (scaled.n, scaled.excess, scaled.points, scaled.low, scaled.high) == (120, 50.0, 0.4, 0.2, 0.6)
    assert scaled.details["n_before"] == 28 and scaled.details["usual"] == 90.0 and scaled.details["sampled"] == 0.25
    assert scaled.details["also_costs"] == [{"measure": "nps", "where": "team=B", "excess": 10.0, "points": 0.1}]
    assert scaled.details["layers"] == {"excess": 50.0, "layers": [{"layer": "process", "share": 0.8}]}


def test_what_was_looked_at_as_a_whole_is_left_alone():
    assert scale_up(FOUND, {}) is FOUND
    assert scale_up(FOUND, {"nps": 0.5}).excess == FOUND.excess
