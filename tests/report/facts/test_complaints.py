"""What complaints are about, counted again by plain loops, and risen only where chance does not do it."""

from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.stats import binom

from svcanalytics.periods import parse_period
from svcanalytics.report.facts.complaints import count_topics

JULY = parse_period("2026-07")


def drawn(seed: int = 3, n: int = 900) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(rng.integers(0, 212, n), "D")
    return pd.DataFrame({"topic": rng.choice(list("abcdef"), n), "customer_id": rng.integers(0, 60, n), "day": days})


def test_counts_and_repeats_are_those_of_a_plain_loop():
    rows = drawn()
    found = count_topics(rows, JULY).set_index("topic")
    for topic, part in rows.groupby("topic"):
        now = part[part["day"].dt.month == 7]
        assert found.loc[topic, "count"] == len(now)
        assert found.loc[topic, "previous"] == (part["day"].dt.month == 6).sum()
        repeated = 0
        for _, own in part.groupby("customer_id"):
            days = sorted(own["day"])
            repeated += sum(b.month == 7 and (b - a).days <= 30 for a, b in pairwise(days))
        assert found.loc[topic, "repeated"] == repeated


def test_a_rise_is_sure_only_beyond_the_exact_test_of_two_counts():
    quiet = drawn()
    assert not count_topics(quiet, JULY)["rising"].any()
    more = pd.DataFrame({"topic": "a", "customer_id": np.arange(1000, 1040), "day": pd.Timestamp("2026-07-15")})
    found = count_topics(pd.concat([quiet, more]), JULY).set_index("topic")
    assert found["rising"].to_dict() == {topic: topic == "a" for topic in found.index}
    n, before = found.loc["a", ["count", "previous"]]
    assert binom.sf(n - 1, n + before, 31 / 61) < 0.05 / 6


def test_new_is_what_ninety_days_of_records_never_held():
    rows = drawn()
    strange = pd.DataFrame({"topic": ["z"], "customer_id": [1], "day": [pd.Timestamp("2026-07-03")]})
    found = count_topics(pd.concat([rows, strange]), JULY).set_index("topic")
    assert found.index[found["new"]].tolist() == ["z"]
    young = rows[rows["day"] >= "2026-06-01"]
    assert not count_topics(pd.concat([young, strange]), JULY)["new"].any()
