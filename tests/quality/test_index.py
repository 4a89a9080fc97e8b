from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import Cap, Goalposts, Profile, ProfileMetric, normalise, score

RATE = Goalposts(0.5, 0.9, 1.0)
WAIT = Goalposts(120, 30, 10, "down")
PROFILE = Profile(
    id="test",
    families={"response": 0.4, "resolution": 0.6},
    metrics=(
        ProfileMetric("answered", "response", 0.75, RATE),
        ProfileMetric("wait", "response", 0.25, WAIT),
        ProfileMetric("resolved", "resolution", 1.0, RATE),
    ),
    min_coverage=0.5,
)


def measures(values, period="2026-10", spread=0.0, **columns):
    rows = [
        {"metric": m, "period": period, "value": v, "low": v - spread, "high": v + spread, "flag": ""}
        for m, v in values.items()
    ]
    return pd.DataFrame(rows).assign(**columns)


def cell(result, family="", column="score", **where):
    rows = result.scores[result.scores["family"] == family]
    for key, value in where.items():
        rows = rows[rows[key] == value]
    return rows[column].item()


def test_the_index_is_the_weighted_mean_of_families_and_these_of_their_metrics():
    result = score(measures({"answered": 0.9, "wait": 10, "resolved": 0.7}), PROFILE)
    assert cell(result, "response") == pytest.approx(0.75 * 80 + 0.25 * 100)
    assert cell(result, "resolution") == pytest.approx(40)
    assert cell(result) == pytest.approx(0.4 * 85 + 0.6 * 40)
    assert (cell(result, column="grade"), cell(result, "response", "grade")) == ("D", "B")
    assert result.weights["points"].sum() == pytest.approx(cell(result))


def test_a_missing_measure_gives_its_weight_to_its_family_and_is_never_a_zero():
    frame = measures({"answered": 0.9, "wait": np.nan, "resolved": 0.9})
    result = score(frame, PROFILE)
    assert cell(result) == cell(result, "response") == pytest.approx(80)
    assert cell(result, column="coverage") == pytest.approx(0.9)
    assert cell(result, "response", "coverage") == pytest.approx(0.75)
    used = result.weights.set_index("metric")["used"]
    assert used.to_dict() == pytest.approx({"answered": 0.4, "wait": 0.0, "resolved": 0.6})


def test_a_suppressed_measure_counts_as_missing():
    frame = measures({"answered": 0.9, "wait": 10, "resolved": 0.9})
    frame.loc[frame["metric"] == "wait", "flag"] = "suppressed"
    assert cell(score(frame, PROFILE), "response") == pytest.approx(80)


def test_below_the_stated_coverage_there_is_no_index_and_the_flag_says_why():
    result = score(measures({"answered": 0.9, "wait": 10}), PROFILE)
    assert np.isnan(cell(result)) and cell(result, column="flag") == "coverage" and cell(result, column="grade") == ""
    assert cell(result, column="coverage") == pytest.approx(0.4)
    assert cell(result, "response") == pytest.approx(85)
    assert np.isnan(cell(result, "resolution"))


def test_an_incomplete_measure_flags_its_family_and_the_index():
    frame = measures({"answered": 0.9, "wait": 10, "resolved": 0.9})
    frame.loc[frame["metric"] == "wait", "flag"] = "incomplete"
    result = score(frame, PROFILE)
    assert [cell(result, f, "flag") for f in ("", "response", "resolution")] == ["incomplete", "incomplete", ""]


def test_every_group_of_the_measures_is_a_unit_of_its_own():
    values = {"answered": 0.9, "wait": 10, "resolved": 0.9}
    both = pd.concat([measures(values, team="A"), measures(values | {"resolved": 0.5}, team="B")])
    result = score(both, PROFILE)
    assert cell(result, unit="A") > cell(result, unit="B")
    assert set(score(both.assign(channel="app"), PROFILE).scores["unit"]) == {
        "team=A&channel=app",
        "team=B&channel=app",
    }


def test_measures_that_name_a_metric_twice_for_a_period_are_refused():
    frame = measures({"answered": 0.9})
    with pytest.raises(CatalogueError, match="answered occurs twice"):
        score(pd.concat([frame, frame]), PROFILE)


def test_without_any_metric_of_the_profile_there_are_no_scores():
    assert score(measures({"other": 1.0}), PROFILE).scores.empty


def test_the_band_of_one_metric_is_its_own_interval_seen_through_the_goalposts():
    frame = measures({"resolved": 0.85}, spread=0.1)
    result = score(frame, PROFILE)
    low, high = normalise([0.75, 0.95], floor=0.5, target=0.9, goal=1.0)
    assert (cell(result, column="low"), cell(result, column="high")) == pytest.approx((low, high))


def test_the_band_agrees_with_simulation_and_with_the_delta_method():
    """Away from the corners of the goalposts all three are the same to sampling noise."""
    n, truth = 2000, {"answered": 0.7, "resolved": 0.75}
    se = {m: np.sqrt(p * (1 - p) / n) for m, p in truth.items()} | {"wait": 0.8}
    value = truth | {"wait": 70.0}
    frame = measures(value)
    frame["low"] = [value[m] - 1.959964 * se[m] for m in frame["metric"]]
    frame["high"] = [value[m] + 1.959964 * se[m] for m in frame["metric"]]
    result = score(frame, PROFILE)
    rng = np.random.default_rng(11)
    weight = {m.metric: PROFILE.families[m.family] * m.weight for m in PROFILE.metrics}
    drawn = sum(
        weight[m.metric] * normalise(rng.normal(value[m.metric], se[m.metric], 200_000), **vars(m.goalposts))
        for m in PROFILE.metrics
    )
    slope = {"answered": 80 / 0.4, "resolved": 80 / 0.4, "wait": 80 / 90}
    delta = 1.959964 * np.sqrt(sum((weight[m] * slope[m] * se[m]) ** 2 for m in value))
    band = cell(result, column="low"), cell(result, column="high")
    assert band == pytest.approx((cell(result) - delta, cell(result) + delta), abs=1e-4)
    assert band == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.03)


def test_a_change_is_certain_only_when_its_interval_leaves_out_zero():
    values = {"answered": 0.8, "wait": 60, "resolved": 0.8}
    near = pd.concat([measures(values, "2026-09", 0.02), measures(values | {"resolved": 0.81}, "2026-10", 0.02)])
    far = pd.concat([measures(values, "2026-09", 0.02), measures(values | {"resolved": 0.89}, "2026-10", 0.02)])
    assert not score(near, PROFILE).change("2026-10", "2026-09").certain
    change = score(far, PROFILE).change("2026-10", "2026-09")
    assert change.certain and change.value == pytest.approx(0.6 * 80 * 0.09 / 0.4)
    assert change.low < change.value < change.high


rates = st.floats(0, 1)


@given(
    rates,
    rates,
    rates,
    st.floats(0, 0.2),
    st.floats(0, 200),
    st.sets(st.sampled_from(["answered", "wait", "resolved"])),
)
def test_the_index_stays_within_its_band_and_both_within_0_and_100(a, r, better, spread, wait, missing):
    values = {m: v for m, v in {"answered": a, "wait": wait, "resolved": r}.items() if m not in missing}
    if not values:
        return
    scores = score(measures(values, spread=spread), PROFILE).scores.dropna(subset="score")
    assert (scores["low"] >= 0).all() and (scores["high"] <= 100).all()
    assert (scores["low"] <= scores["score"] + 1e-9).all() and (scores["score"] <= scores["high"] + 1e-9).all()
    if not missing:
        improved = score(measures(values | {"answered": max(a, better), "wait": wait * r}), PROFILE)
        assert cell(improved) >= cell(score(measures(values), PROFILE)) - 1e-9


@given(st.permutations(["answered", "wait", "resolved"]), st.integers(0, 5))
def test_the_order_of_rows_and_other_periods_change_nothing(order, others):
    values = {"answered": 0.8, "wait": 55, "resolved": 0.77}
    alone = score(measures(values, spread=0.05), PROFILE).scores
    among = pd.concat(
        [measures({m: values[m] for m in order}, spread=0.05)]
        + [measures(values | {"wait": 10.0 * i}, f"2025-{i + 1:02}") for i in range(others)]
    )
    result = score(among, PROFILE).scores
    pd.testing.assert_frame_equal(result[result["period"] == "2026-10"].reset_index(drop=True), alone)


@pytest.mark.slow
def test_the_band_covers_the_true_index_as_often_as_it_says():
    """Rates from binomial draws with Wilson intervals, a mean from normal draws: 2,000 quarters, 95 % band."""
    from statsmodels.stats.proportion import proportion_confint

    rng = np.random.default_rng(5)
    truth, n = {"answered": 0.93, "resolved": 0.82, "wait": 45.0}, {"answered": 900, "resolved": 250}
    expected = cell(score(measures(truth), PROFILE))
    quarters = []
    for metric in ("answered", "resolved"):
        hits = rng.binomial(n[metric], truth[metric], 2000)
        low, high = proportion_confint(hits, n[metric], method="wilson")
        quarters.append(pd.DataFrame({"metric": metric, "value": hits / n[metric], "low": low, "high": high}))
    mean = rng.normal(truth["wait"], 2.0, 2000)
    quarters.append(pd.DataFrame({"metric": "wait", "value": mean, "low": mean - 3.92, "high": mean + 3.92}))
    frame = pd.concat([q.assign(period=[f"q{i}" for i in range(2000)]) for q in quarters])
    index = score(frame, PROFILE).scores.query("family == ''")
    covered = ((index["low"] <= expected) & (expected <= index["high"])).mean()
    assert 0.935 <= covered <= 0.97


GEOMETRIC = replace(PROFILE, power=0.0, power_within=-1.0)


def test_the_band_under_another_mean_agrees_with_simulation_and_with_the_delta_method():
    n, truth = 2000, {"answered": 0.7, "resolved": 0.75}
    se = {m: np.sqrt(p * (1 - p) / n) for m, p in truth.items()} | {"wait": 0.8}
    value = truth | {"wait": 70.0}
    frame = measures(value)
    frame["low"] = [value[m] - 1.959964 * se[m] for m in frame["metric"]]
    frame["high"] = [value[m] + 1.959964 * se[m] for m in frame["metric"]]
    result = score(frame, GEOMETRIC)
    rng = np.random.default_rng(11)
    posts = {m.metric: vars(m.goalposts) for m in PROFILE.metrics}
    s = {m: normalise(value[m], **posts[m]) for m in value}
    drawn = {m: normalise(rng.normal(value[m], se[m], 200_000), **posts[m]) for m in value}

    def index(s):
        return (1 / (0.75 / s["answered"] + 0.25 / s["wait"])) ** 0.4 * s["resolved"] ** 0.6

    slope = {
        m: (index(s | {m: s[m] + 1e-5}) - index(s)) / 1e-5 * {"wait": 80 / 90}.get(m, 200)  # points per unit
        for m in value
    }
    delta = 1.959964 * np.sqrt(sum((slope[m] * se[m]) ** 2 for m in value))
    assert cell(result) == pytest.approx(index(s))
    band = cell(result, column="low"), cell(result, column="high")
    assert band == pytest.approx((cell(result) - delta, cell(result) + delta), abs=0.1)
    assert band == pytest.approx(np.quantile(index(drawn), [0.025, 0.975]), abs=0.1)


def test_a_weak_family_caps_the_grade_and_leaves_the_score():
    values = {"answered": 0.6, "wait": 100, "resolved": 1.0}
    free = score(measures(values), PROFILE)
    capped = score(measures(values), replace(PROFILE, caps=(Cap("D", below=60),)))
    assert (cell(free, column="grade"), cell(capped, column="grade")) == ("C", "D")
    assert cell(capped) == cell(free)
    assert (cell(capped, column="capped_by"), cell(free, column="capped_by")) == ("response", "")
    elsewhere = score(measures(values), replace(PROFILE, caps=(Cap("D", family="resolution", below=60),)))
    assert cell(elsewhere, column="grade") == "C"
    kind = score(measures(values), replace(PROFILE, caps=(Cap("B", below=60),)))
    assert (cell(kind, column="grade"), cell(kind, column="capped_by")) == ("C", "")  # it was no better anyway


def test_a_failed_standard_caps_the_grade_though_it_is_no_part_of_the_index():
    values = {"answered": 1.0, "wait": 10, "resolved": 1.0}
    frame = pd.concat([measures(values | {"complaint_2h": 0.7}, period) for period in ("2026-09", "2026-10")])
    frame["met"] = pd.array([None, None, None, False] + [None, None, None, True], dtype="boolean")
    result = score(frame, replace(PROFILE, caps=(Cap("B", metric="complaint_2h"), Cap("C", metric="wait", below=80))))
    assert [cell(result, column="grade", period=p) for p in ("2026-09", "2026-10")] == ["B", "A"]
    assert [cell(result, column="capped_by", period=p) for p in ("2026-09", "2026-10")] == ["complaint_2h", ""]
    slow = frame.copy()
    slow.loc[slow["metric"] == "wait", ["value", "low", "high"]] = 60.0
    both = score(slow, replace(PROFILE, caps=(Cap("B", metric="complaint_2h"), Cap("C", metric="wait", below=80))))
    assert cell(both, column="grade", period="2026-09") == "C"
    assert cell(both, column="capped_by", period="2026-09") == "complaint_2h, wait"


WRONG = {
    "infinite": ({"value": np.inf}, "metric resolved is infinite"),
    "text": ({"value": "n/a"}, "column value are numbers: .*n/a"),
    "without a period": ({"period": None}, "metric resolved has no period"),
    "percent beside shares": ({"value": 88.0, "low": 0.85, "high": 0.9}, "lies outside its own interval"),
    "percent": ({"value": 88.0, "low": 85.0, "high": 90.0, "numerator": 88, "denominator": 100}, "is no share"),
    "negative": ({"value": -0.1, "low": -0.2, "high": 0.0}, "is no share"),
}


@pytest.mark.parametrize("said", WRONG.values(), ids=WRONG)
def test_a_value_that_can_not_be_is_refused_with_its_metric_unit_and_period(said):
    change, message = said
    frame = measures({"answered": 0.9, "wait": 10, "resolved": 0.9}, team="A").astype("object")
    frame[["unit", "numerator", "denominator"]] = ["share", 90, 100]
    frame.loc[frame["metric"] == "wait", "unit"] = "s"
    assert cell(score(frame, PROFILE)) > 0
    frame.loc[2, list(change)] = list(change.values())
    with pytest.raises(CatalogueError, match=message) as error:
        score(frame, PROFILE)
    assert error.value.where.startswith("measures") and error.value.fix


def test_an_interval_of_which_one_end_is_not_known_reaches_as_far_to_either_side():
    frame = measures({"resolved": 0.7}, spread=0.1)
    full = score(frame, PROFILE).scores
    for end in ("low", "high"):
        half = score(frame.assign(**{end: np.nan}), PROFILE).scores
        pd.testing.assert_frame_equal(half, full)


@pytest.mark.parametrize("level", [0, 1, 95, float("nan")])
def test_a_level_that_is_none_is_refused(level):
    with pytest.raises(CatalogueError, match="between 0 and 1"):
        score(measures({"resolved": 0.7}), PROFILE, level=level)


def test_weights_may_come_as_a_plain_mapping():
    frame = measures({"answered": 0.8, "wait": 40, "resolved": 0.7})
    shares = {"answered": 0.5, "wait": 0.0, "resolved": 0.5}
    given = [score(frame, PROFILE, weights=w).scores for w in (shares, pd.Series(shares))]
    pd.testing.assert_frame_equal(*given)
    with pytest.raises(CatalogueError, match="weights by metric"):
        score(frame, PROFILE, weights=np.array([0.5, 0.5, 0.0]))


def test_a_unit_with_no_data_is_refused_by_name_and_one_with_too_few_is_not():
    known = measures({"answered": 0.9, "wait": 10, "resolved": 0.9}, team="A")
    empty = measures({"answered": np.nan, "wait": np.nan}, team="B")
    with pytest.raises(CatalogueError, match="unit B has no data"):
        score(pd.concat([known, empty]), PROFILE)
    assert np.isnan(cell(score(pd.concat([known, empty.assign(n=7)]), PROFILE), unit="B"))
    few = score(pd.concat([known, empty.assign(flag="suppressed")]), PROFILE)
    assert np.isnan(cell(few, unit="B")) and cell(few, unit="B", column="flag") == "coverage"
