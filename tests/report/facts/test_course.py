"""The map of steps counts what a plain loop over the events counts."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd

import svcanalytics as sv
from svcanalytics import store
from svcanalytics.periods import parse_period
from svcanalytics.report.facts.course import read_course

SEPTEMBER = parse_period("2026-09")


def test_ways_and_their_times_are_those_of_a_plain_loop(lake):
    rng = np.random.default_rng(4)
    days = pd.date_range("2026-08-20", "2026-10-05", tz="Asia/Shanghai").repeat(3)
    cases = pd.DataFrame({"case_id": [f"C{n}" for n in range(len(days))], "opened_at": days})
    rows = []
    for case in cases.to_dict("records"):
        at = case["opened_at"]
        for seq, step in enumerate(["open", *rng.choice(["ask", "work", "pass on"], rng.integers(0, 5)), "close"]):
            rows.append({"case_id": case["case_id"], "seq": seq, "activity": step, "milestone": "progress", "at": at})
            at += pd.Timedelta(minutes=int(rng.choice([0, 5, 90])))
    store.write(lake, {"cases": cases, "events": pd.DataFrame(rows)})
    found = read_course(sv.open(lake.path), SEPTEMBER)
    inside = set(cases.loc[cases["opened_at"].dt.month == 9, "case_id"])
    ways, waits = Counter(), {}
    for case in inside:
        own = [row for row in rows if row["case_id"] == case]
        for a, b in pairwise(own):
            way = a["activity"], b["activity"]
            ways[way] += 1
            waits.setdefault(way, []).append((b["at"] - a["at"]).total_seconds())
    assert found.cases == len(inside) == 90
    table = found.transitions.set_index(["source", "target"])
    assert table["n"].to_dict() == dict(ways)
    for way, seconds in waits.items():
        assert table.loc[way, "median_s"] == sorted(seconds)[(len(seconds) - 1) // 2]
    assert found.activities.set_index("activity").loc["open", "starts"] == 90
    assert read_course(sv.open(lake.path), parse_period("2025-09")) is None
