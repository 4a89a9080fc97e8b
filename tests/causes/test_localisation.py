"""Segments: what was planted is found, what was not is not, and real incidents are named as their engineers did."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from svcanalytics.causes import segments, segments_of_counts
from svcanalytics.errors import CauseError

BY = ["team", "channel", "product"]


def cases(seed, n=3000, extra=0.0, times=1.0, where=("B", "app")):
    """Cases whose teams, channels and products differ of themselves; one segment may be worse."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"team": rng.choice(list("ABCDE"), n), "channel": rng.choice(["app", "web", "phone"], n)})
    frame["product"] = rng.choice([f"p{i}" for i in range(6)], n)
    odds = frame["team"].map(dict(zip("ABCDE", (-2, -1.5, -1, -1.8, -1.2), strict=True))) + frame["channel"].map(
        {"app": 0.0, "web": 0.3, "phone": -0.3}
    )
    inside = (frame["team"] == where[0]) & (frame["channel"] == where[1])
    frame["late"] = (rng.random(n) < 1 / (1 + np.exp(-odds)) + extra * inside).astype(int)
    frame["wait_s"] = np.exp(rng.normal(6 + 0.2 * odds, 0.9)) * np.where(inside, times, 1.0)
    return frame, inside.to_numpy()


@pytest.mark.parametrize(("outcome", "change"), [("late", {"extra": 0.3}), ("wait_s", {"times": 2.0})])
def test_a_planted_cause_comes_first_with_its_size_in_the_interval(outcome, change):
    named, covered = 0, 0
    for seed in range(14):
        before, _ = cases(seed)
        now, inside = cases(100 + seed, **change)
        twin, _ = cases(100 + seed)
        first = segments(now, outcome, BY, before).iloc[0]
        truth = (now[outcome] - twin[outcome])[inside].sum()
        named += first["segment"] == "team=B&channel=app" and first["p_value"] < 0.05
        covered += first["low"] <= truth <= first["high"]
        assert first["won"] == pytest.approx(first["excess"] / len(now))
    assert named >= 12 and covered >= 11


@pytest.mark.slow
@pytest.mark.parametrize("outcome", ["late", "wait_s"])
def test_when_nothing_changed_a_cause_is_rarely_named(outcome):
    found = [segments(cases(s)[0], outcome, BY, cases(5000 + s)[0], seed=s) for s in range(120)]
    false = sum(len(table) > 0 and table["p_value"].iloc[0] < 0.05 for table in found)
    assert false <= 13  # 5 % and three standard errors


@pytest.mark.slow
def test_lucky_weeks_of_a_team_pass_for_a_cause_less_often_when_weeks_are_known():
    def lucky(seed):
        frame, _ = cases(seed, n=4000)
        rng = np.random.default_rng(seed)
        frame["at"] = pd.Timestamp("2026-01-05") + pd.to_timedelta(rng.integers(0, 91, len(frame)), "D")
        week = (frame["at"] - pd.Timestamp("2026-01-05")).dt.days // 7
        luck = rng.normal(0, 0.3, (13, 5))
        odds = luck[week, frame["team"].map(dict(zip("ABCDE", range(5), strict=True)))] - 1.5
        return frame.assign(late=(rng.random(len(frame)) < 1 / (1 + np.exp(-odds))).astype(int))

    pairs = [(lucky(seed), lucky(500 + seed)) for seed in range(40)]
    told = [segments(now, "late", BY, before, 2, at="at").iloc[:1] for now, before in pairs]
    blind = [segments(now, "late", BY, before, 2).iloc[:1] for now, before in pairs]
    false, false_blind = (sum((t["p_value"] < 0.05).any() for t in each) for each in (told, blind))
    assert false <= 0.7 * false_blind


def test_dimensions_that_hang_together_are_not_counted_twice():
    """A channel that is always worse, under three names, is no news."""
    false = 0
    for seed in range(12):
        both = [cases(seed + 300 * k)[0] for k in (0, 1)]
        for frame in both:
            frame["device"], frame["route"] = frame["channel"] + "!", frame["channel"] + "?"
        kept = np.random.default_rng(seed).random(3000) < both[1]["channel"].map({"app": 0.5, "web": 1.0, "phone": 0.5})
        before, now = both[0], both[1][kept]
        false += (segments(now, "late", [*BY, "device", "route"], before)["p_value"] < 0.05).any()
    assert false <= 3


def test_several_causes_are_peeled_one_after_another():
    before, _ = cases(1, n=8000)
    now, _ = cases(2, n=8000, extra=0.3)
    other = ((now["team"] == "D") & (now["product"] == "p3")).to_numpy()
    now.loc[other, "late"] = 1
    found = segments(now, "late", BY, before)
    causes = found[(found["role"] == "cause") & (found["p_value"] < 0.05)]
    assert set(causes["segment"]) == {"team=B&channel=app", "team=D&product=p3"}
    alternatives = found[found["role"] == "alternative"]
    assert (alternatives.groupby("cause").size() <= 2).all()


def test_low_satisfaction_is_found_when_low_is_worse():
    before, _ = cases(3)
    now, inside = cases(4)
    for frame in (before, now):
        frame["csat"] = np.random.default_rng(9).integers(3, 6, len(frame)).astype(float)
    now.loc[inside, "csat"] -= 1
    first = segments(now, "csat", BY, before, worse="low").iloc[0]
    assert first["segment"] == "team=B&channel=app"
    assert first["value"] == pytest.approx(now.loc[inside, "csat"].mean())
    assert first["excess"] > 0 and first["expected"] > first["value"]


def test_without_an_earlier_time_segments_are_held_against_all_cases():
    now, _ = cases(5, extra=0.4)
    assert segments(now, "late", BY).iloc[0]["segment"] == "team=B&channel=app"


def test_the_order_of_cases_changes_nothing():
    before, _ = cases(6)
    now, _ = cases(7, extra=0.3)
    pd.testing.assert_frame_equal(
        segments(now, "late", BY, before),
        segments(now.sample(frac=1, random_state=1), "late", BY, before.sample(frac=1, random_state=2)),
    )


def test_counts_and_cases_tell_of_the_same_cause():
    before, _ = cases(8)
    now, _ = cases(9, extra=0.3)
    tables = [frame.groupby(BY)["late"].agg(["sum", "count"]) for frame in (now, before)]
    counts = tables[0].join(tables[1], how="outer", suffixes=("", "_before")).fillna(0).reset_index()
    counts.columns = [*BY, "bad", "total", "bad_before", "total_before"]
    of_counts, of_cases = segments_of_counts(counts, BY).iloc[0], segments(now, "late", BY, before).iloc[0]
    assert of_counts[["segment", "n", "value"]].equals(of_cases[["segment", "n", "value"]])
    assert of_cases["low"] < of_counts["excess"] < of_cases["high"]


@pytest.mark.slow
@pytest.mark.real_data
def test_real_incidents_are_located_better_than_by_a_plain_likelihood_scan(real_data):
    incidents = pd.read_csv(real_data / "segments" / "incidents.csv.gz")
    causes = pd.read_csv(real_data / "segments" / "causes.csv")
    figures = {"ours": [0, 0], "plain": [0, 0]}
    wanted = 0
    for name, part in incidents.groupby("incident", sort=False):
        leaves = pd.DataFrame([dict(pair.split("=") for pair in s.split("&")) for s in part["segment"]])
        by = list(leaves)
        for column in ("bad", "total", "bad_before", "total_before"):
            leaves[column] = part[column].to_numpy()
        true = {frozenset(text.split("&")) for text in causes.loc[causes["incident"] == name, "cause"]}
        wanted += len(true)
        ranked = {"ours": segments_of_counts(leaves, by)["segment"], "plain": plain_scan(leaves, by)}
        for key, segment in ranked.items():
            told = [frozenset(text.split("&")) for text in segment[:3]]
            figures[key][0] += len(true & set(told[:1]))
            figures[key][1] += len(true & set(told))
    count = incidents["incident"].nunique()
    f1, recall = ({key: 2 * hits[0] / (count + wanted) for key, hits in figures.items()},
                  {key: hits[1] / wanted for key, hits in figures.items()})  # fmt: skip
    assert f1["ours"] >= max(0.70, f1["plain"] + 0.05), f1
    assert recall["ours"] >= max(0.90, recall["plain"] + 0.04), recall


def plain_scan(leaves, by):
    """Binomial likelihood ratio of every segment against its earlier rate shrunk to the whole (Kulldorff 1997)."""
    from itertools import combinations

    whole = leaves["bad_before"].sum() / leaves["total_before"].sum()
    leaves = leaves.assign(due=leaves["total"] * (leaves["bad_before"] + 20 * whole) / (leaves["total_before"] + 20))
    found = []
    for depth in (1, 2, 3):
        for chosen in combinations(by, depth):
            sums = leaves.groupby(list(chosen))[["bad", "total", "due"]].sum()
            sums = sums[(sums["total"] > 0) & (sums["bad"] > sums["due"])]
            q, e = (np.clip(sums[c] / sums["total"], 1e-9, 1 - 1e-9) for c in ("bad", "due"))
            gain = sums["bad"] * np.log(q / e) + (sums["total"] - sums["bad"]) * np.log((1 - q) / (1 - e))
            for key, value in gain.items():
                key = key if isinstance(key, tuple) else (key,)
                found.append((-value, depth, "&".join(f"{c}={v}" for c, v in zip(chosen, key, strict=True))))
    return [segment for _, _, segment in sorted(found)]


def test_a_dimension_of_very_many_values_and_missing_ones_are_borne():
    before, _ = cases(10, n=20_000)
    now, inside = cases(11, n=20_000, extra=0.3)
    for number, frame in enumerate((before, now)):
        frame["customer"] = [f"c{number}-{row}" for row in range(len(frame))]
        frame.loc[frame["channel"] == "app", "channel"] = None
    found = segments(now, "late", [*BY, "customer"], before)
    assert found.iloc[0][["segment", "n"]].tolist() == ["team=B&channel=", inside.sum()]
    assert found.attrs["left_out"] == {"customer": 40_000 - 199}


def test_one_dimension_and_hardly_any_case_are_enough_for_an_answer():
    few = pd.DataFrame({"team": ["A", "B", "B"], "late": [0, 1, 1]})
    assert segments(few, "late", "team", few).empty
    assert list(segments(few, "late", "team", few).columns) == list(segments(few, "late", "team").columns)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"outcome": "nobody"}, "no column"),
        ({"outcome": "team", "by": ["channel"]}, "not a number"),
        ({"by": []}, "no dimension"),
        ({"baseline": pd.DataFrame({"late": [1]})}, "baseline.*no column"),
    ],
)
def test_what_can_not_be_looked_at_is_named(change, words):
    now, _ = cases(1, n=50)
    with pytest.raises(CauseError, match=words):
        segments(now, **({"outcome": "late", "by": BY} | change))


def test_negative_and_impossible_counts_are_named():
    counts = pd.DataFrame({"team": ["A", "B"], "bad": [1, -1], "total": [2, 2], "bad_before": 0, "total_before": 2})
    with pytest.raises(CauseError, match="row 1, bad"):
        segments_of_counts(counts, ["team"])
    with pytest.raises(CauseError, match="more is bad"):
        segments_of_counts(counts.assign(bad=[3, 1]), ["team"])


STRANGE = {
    "the outcome among the dimensions": ({"by": ["team", "late"]}, "outcome itself"),
    "a name of our own": ({"by": ["period"]}, "can't be called 'period'"),
    "half a dimension": ({"depth": 1.5}, "depth"),
    "no depth": ({"depth": 0}, "depth"),
    "no dimension": ({"by": []}, "no dimension"),
    "a way that is none": ({"worse": "up"}, "no way"),
}


@pytest.mark.parametrize("case", STRANGE)
@pytest.mark.parametrize("against", [True, False])
def test_strange_arguments_are_refused_in_words(case, against):
    given, said = STRANGE[case]
    frame = cases(0, n=300)[0].assign(period="morning")
    with pytest.raises(CauseError, match=said):
        segments(frame, "late", **({"by": BY, "baseline": frame if against else None} | given))


def test_strange_outcomes_and_times_are_refused_and_truth_values_with_gaps_are_read():
    frame, _ = cases(1, n=400)
    with pytest.raises(CauseError, match="infinite"):
        segments(frame.assign(wait_s=np.inf), "wait_s", BY)
    with pytest.raises(CauseError, match="not a number"):
        segments(frame.assign(late=frame["late"].astype(str)), "late", BY)
    truth = frame["late"].astype(bool).astype(object).where(frame.index > 9)
    plain = segments(frame[frame.index > 9], "late", BY)
    pd.testing.assert_frame_equal(segments(frame.assign(late=truth), "late", BY), plain)
    at = pd.Timestamp("2026-07-01") + pd.to_timedelta(frame.index, "h")
    with pytest.raises(CauseError, match="zone"):
        segments(frame.assign(at=at.tz_localize("UTC")), "late", BY, frame.assign(at=at), at="at")


def test_a_dimension_named_twice_counts_once():
    frame, _ = cases(2, n=400, extra=0.3)
    pd.testing.assert_frame_equal(segments(frame, "late", ["team", "team"]), segments(frame, "late", ["team"]))


def test_counts_without_end_or_dimension_are_refused():
    counts = pd.DataFrame({"team": ["A", "B"], "bad": [1, 2], "total": [9, 9], "bad_before": 1, "total_before": 9})
    for given, by in ((counts.assign(total=np.inf), ["team"]), (counts, []), (counts, ["bad"])):
        with pytest.raises(CauseError):
            segments_of_counts(given, by)
