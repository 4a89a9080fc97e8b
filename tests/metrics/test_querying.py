from __future__ import annotations

import pandas as pd

import svcanalytics as sv
from svcanalytics.metrics.querying import query_of


def test_the_query_of_a_metric_gives_the_whole_numbers_that_measure_gives(lake):
    opened = pd.date_range("2026-08-25", "2026-10-05", freq="5h", tz="Asia/Shanghai").tz_convert("UTC")
    rows = pd.DataFrame({"case_id": [str(n) for n in range(len(opened))], "opened_at": opened})
    rows["resolved_at"] = rows["opened_at"] + pd.to_timedelta(range(len(rows)), unit="min")
    rows["reopened_n"] = [n % 3 == 0 for n in range(len(rows))]
    rows["transferred_n"] = [n % 4 for n in range(len(rows))]
    lake = sv.store.write(lake, {"cases": rows})
    names = ["cases_opened", "resolution_time", "resolution_time_p90", "reopen_rate", "transfers_per_case"]
    for row in sv.measure(lake, names, every="month", start="2026-09", end="2026-09").itertuples():
        found = lake.sql(query_of(lake, row.metric, "2026-09", "2026-09")).iloc[0]
        if row.metric == "resolution_time_p90":
            assert (found["numerator"], found["denominator"]) == (row.value, row.n)
        else:
            assert int(found["numerator"]) == row.numerator
            assert pd.isna(row.denominator) or int(found["denominator"]) == row.denominator
