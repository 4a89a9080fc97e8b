"""Scores against plain loops, closed forms and simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.demand import compare_models, scores
from svcanalytics.demand.verdict.scoring import interval_score, poisson_deviation
from svcanalytics.errors import DemandError


@pytest.fixture
def backtested() -> pd.DataFrame:
    """Two models, two queues, six overlapping origins, three slots on four days."""
    rng = np.random.default_rng(3)
    days = pd.date_range("2026-03-02", periods=9)
    counts = {
        (queue, day + pd.Timedelta(f"{hour}h")): rng.poisson(rate * hour)
        for queue, rate in (("calls", 3), ("chats", 0.4))
        for day in days
        for hour in (9, 10, 11)
    }
    rows = []
    for model, skew in (("ours", 1.0), ("theirs", 1.2)):
        for queue, rate in (("calls", 3), ("chats", 0.4)):
            for origin in days[:6]:
                for lead in range(4):
                    for hour in (9, 10, 11):
                        start = origin + pd.Timedelta(days=lead, hours=hour)
                        mean = rate * hour * skew
                        rows.append(
                            {
                                "model": model,
                                "origin": origin,
                                "queue": queue,
                                "start": start,
                                "mean": mean,
                                "lower_80": mean * 0.7,
                                "upper_80": mean * 1.3,
                                "lower_95": mean * 0.5,
                                "upper_95": mean * 1.6,
                                "actual": counts[queue, start],
                                "baseline": rate * hour * 1.1,
                                "scale": rate,
                            }
                        )
    return pd.DataFrame(rows)


def in_a_loop(rows: pd.DataFrame) -> dict[str, float]:
    """Every score once more, an arrival at a time."""
    total = absolute = signed = scaled = pinball = weighted = baseline = 0.0
    inside, width, winkler = dict.fromkeys((80, 95), 0.0), dict.fromkeys((80, 95), 0.0), dict.fromkeys((80, 95), 0.0)
    for row in rows.itertuples():
        total += row.actual
        absolute += abs(row.mean - row.actual)
        signed += row.mean - row.actual
        scaled += abs(row.mean - row.actual) / row.scale
        baseline += abs(row.baseline - row.actual)
        interval_scores = 0.5 * abs(row.mean - row.actual)
        for level in (80, 95):
            low, high, alpha = getattr(row, f"lower_{level}"), getattr(row, f"upper_{level}"), 1 - level / 100
            inside[level] += low <= row.actual <= high
            width[level] += high - low
            score = high - low
            if row.actual < low:
                score += 2 / alpha * (low - row.actual)
            if row.actual > high:
                score += 2 / alpha * (row.actual - high)
            winkler[level] += score
            interval_scores += alpha / 2 * score
            for quantile, p in ((low, alpha / 2), (high, 1 - alpha / 2)):
                gap = row.actual - quantile
                pinball += (p * gap if gap >= 0 else (p - 1) * gap) / 4
        weighted += interval_scores / 2.5
    n = len(rows)
    found = {"n": n, "wape": absolute / total, "bias": signed / total, "mase": scaled / n, "pinball": pinball / n}
    found |= {"crps": weighted / n, "value_added": (baseline - absolute) / total}
    for level in (80, 95):
        found |= {f"coverage_{level}": inside[level] / n, f"width_{level}": width[level] / n}
        found |= {f"interval_score_{level}": winkler[level] / n}
    return found


@pytest.mark.parametrize("by", [(), "queue", ("lead", "slot"), "weekday", ["origin"]])
def test_every_score_is_what_a_loop_over_the_rows_gives(backtested, by):
    found = scores(backtested, by)
    frame = backtested.assign(
        slot=backtested["start"].dt.strftime("%H:%M"),
        weekday=backtested["start"].dt.day_of_week,
        lead=(backtested["start"].dt.normalize() - backtested["origin"]).dt.days + 1,
    )
    groups = ["model", *([by] if isinstance(by, str) else by)]
    assert len(found) == frame.groupby(groups).ngroups
    for row in found.to_dict("records"):
        rows = frame[np.logical_and.reduce([frame[name] == row[name] for name in groups])]
        for name, value in in_a_loop(rows).items():
            assert row[name] == pytest.approx(value, rel=1e-12), name


def test_the_floor_is_the_error_of_one_who_knows_the_rate():
    rng = np.random.default_rng(0)
    for rate in (0.2, 0.7, 1.0, 4.3, 50.0):
        counts = rng.poisson(rate, 400_000)
        assert poisson_deviation(rate) == pytest.approx(np.abs(counts - rate).mean(), rel=0.01)
    assert poisson_deviation(1157.0) == pytest.approx(math.sqrt(2 / math.pi * 1157), rel=1e-3)
    assert poisson_deviation(0.0) == 0


def test_a_perfect_rate_scores_the_floor_and_a_skill_of_zero():
    rng = np.random.default_rng(1)
    start = pd.date_range("2024-01-01 09:00", periods=4000, freq="D")
    rate = 20.0 + 5 * start.day_of_week
    frame = pd.DataFrame({"model": "truth", "origin": start[0], "queue": "q", "start": start, "mean": rate})
    frame = frame.assign(actual=rng.poisson(rate), baseline=rate * 1.5)
    found = scores(frame).iloc[0]
    assert found["wape"] == pytest.approx(found["floor"], rel=0.03)
    assert abs(found["skill"]) < 0.02


def test_crps_comes_from_paths_where_a_model_has_them_for_all_rows(backtested):
    paths = backtested.assign(crps=np.where(backtested["model"] == "ours", 7.0, np.nan))
    found = scores(paths).set_index("model")["crps"]
    assert found["ours"] == pytest.approx(7)
    assert found["theirs"] == pytest.approx(scores(backtested).set_index("model")["crps"]["theirs"])


def test_rows_without_an_actual_are_left_out(backtested):
    holed = backtested.assign(actual=backtested["actual"].where(backtested.index % 3 > 0))
    pd.testing.assert_frame_equal(scores(holed), scores(holed.dropna(subset="actual")))


@settings(max_examples=15)
@given(st.floats(0.1, 100))
def test_scaling_volumes_scales_losses_and_leaves_ratios(k):
    rng = np.random.default_rng(5)
    start = pd.date_range("2026-01-05", periods=60, freq="D")
    frame = pd.DataFrame(
        {"model": "m", "origin": start[0], "queue": "q", "start": start, "mean": rng.uniform(50, 90, 60)}
    )
    frame = frame.assign(lower_80=frame["mean"] - 9, upper_80=frame["mean"] + 9, actual=rng.uniform(50, 90, 60))
    larger = frame.assign(**{name: frame[name] * k for name in ("mean", "lower_80", "upper_80", "actual")})
    one, other = scores(frame).iloc[0], scores(larger).iloc[0]
    for name in ("wape", "bias", "coverage_80"):
        assert other[name] == pytest.approx(one[name], rel=1e-9)
    for name in ("pinball", "crps", "width_80", "interval_score_80"):
        assert other[name] == pytest.approx(k * one[name], rel=1e-9)


def test_the_interval_score_is_least_at_the_true_quantiles():
    draws = np.random.default_rng(2).gamma(9, 10, 100_000)
    low, high = np.quantile(draws, [0.1, 0.9])
    best = interval_score(draws, low, high, 0.8).mean()
    for shift in (-10, -4, 4, 10):
        assert interval_score(draws, low + shift, high, 0.8).mean() > best
        assert interval_score(draws, low, high + shift, 0.8).mean() > best


def test_missing_columns_unknown_groups_and_nothing_recorded_are_told(backtested):
    with pytest.raises(DemandError, match="mean, actual"):
        scores(backtested.drop(columns=["mean", "actual"]))
    with pytest.raises(DemandError, match="colour"):
        scores(backtested, "colour")
    with pytest.raises(DemandError, match="no row"):
        scores(backtested.assign(actual=np.nan))


def test_a_model_compared_with_itself_differs_by_nothing(backtested):
    twin = pd.concat([backtested, backtested[backtested["model"] == "ours"].assign(model="twin")])
    found = compare_models(twin, "ours", "twin").iloc[0]
    assert (found["difference"], found["low"], found["high"]) == (0, 0, 0)


def test_models_are_compared_within_groups_as_scores_are(backtested):
    found = compare_models(backtested, "ours", "theirs", by="lead").set_index("lead")
    by_lead = scores(backtested, "lead").set_index(["model", "lead"])["wape"]
    assert np.allclose(found["difference"], by_lead["ours"] - by_lead["theirs"])
    with pytest.raises(DemandError, match="no model 'hers'"):
        compare_models(backtested, "ours", "hers")
    with pytest.raises(DemandError, match="can't be compared by"):
        compare_models(backtested, "ours", "theirs", measure="beauty")


def test_the_interval_of_a_difference_covers_the_truth_as_often_as_it_says():
    """Two models whose errors differ by a known amount, the same days hit by several origins."""
    rng = np.random.default_rng(11)
    origins, days, covered, runs = 30, 5, 0, 70
    for _ in range(runs):
        busy = rng.normal(0, 10, origins + days)
        start = pd.Timestamp("2026-01-01")
        rows = [
            (
                model,
                start + pd.Timedelta(days=o),
                "q",
                start + pd.Timedelta(days=o + d),
                100.0 + bias,
                100 + busy[o + d],
            )
            for model, bias in (("a", 0.0), ("b", 15.0))
            for o in range(origins)
            for d in range(days)
        ]
        frame = pd.DataFrame(rows, columns=["model", "origin", "queue", "start", "mean", "actual"])
        found = compare_models(frame, "a", "b", draws=300).iloc[0]
        truth = (math.sqrt(2 / math.pi) * 10 - _folded(15, 10)) / 100
        covered += found["low"] <= truth <= found["high"]
    assert 0.90 <= covered / runs <= 1


def _folded(mean: float, sd: float) -> float:
    """E|N(mean, sd)| in closed form."""
    phi = math.exp(-(mean**2) / (2 * sd**2))
    return sd * math.sqrt(2 / math.pi) * phi + mean * math.erf(mean / (sd * math.sqrt(2)))
