import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError, ContractError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality import Dependence, Goalposts, Profile, ProfileMetric, score
from svcanalytics.quality.comparison.adjustment import adjust_measures
from svcanalytics.quality.comparison.funnels import funnel
from svcanalytics.quality.comparison.units import compare, compare_counts

PROFILE = Profile(
    id="test",
    families={"speed": 0.5, "solving": 0.5},
    metrics=(
        ProfileMetric("answered", "speed", 0.6, Goalposts(0.5, 0.9, 1.0)),
        ProfileMetric("wait", "speed", 0.4, Goalposts(200, 60, 0, "down")),
        ProfileMetric("resolved", "solving", 1.0, Goalposts(0.4, 0.8, 1.0)),
    ),
)


def rates(metric, hits, n, teams=None, period="2026-10", **columns):
    """Return a share by team as `measure` gives it."""
    hits, n = np.asarray(hits), np.asarray(n)
    low, high = wilson_interval(hits, n)
    teams = [f"t{i:02}" for i in range(len(n))] if teams is None else teams
    return pd.DataFrame(
        {
            "metric": metric, "period": period, "start": period, "team": teams, **columns, "value": hits / n,
            "low": low, "high": high, "n": n, "numerator": hits, "denominator": n, "unit": "share", "flag": "",
        }
    )  # fmt: skip


def means(metric, mean, std, n, period="2026-10", **columns):
    mean, n = np.asarray(mean, float), np.asarray(n)
    half = 1.959964 * std / np.sqrt(n)
    return pd.DataFrame(
        {
            "metric": metric, "period": period, "start": period, "team": [f"t{i:02}" for i in range(len(n))], **columns,
            "value": mean, "low": mean - half, "high": mean + half, "n": n, "numerator": mean * n, "denominator": n,
            "unit": "s", "flag": "",
        }
    )  # fmt: skip


def month(rng, teams=20, answered=0.9, resolved=0.8, wait=60.0, n=300):
    size = rng.integers(n // 3, 2 * n, teams)
    return pd.concat(
        [
            rates("answered", rng.binomial(size, answered), size),
            rates("resolved", rng.binomial(size, resolved), size),
            means("wait", rng.normal(wait, 40 / np.sqrt(size)), 40, size),
        ],
        ignore_index=True,
    )


def test_the_index_of_each_unit_is_the_one_that_score_gives():
    measures = month(np.random.default_rng(1))
    found = compare(measures, PROFILE, "team", of=["index", "speed"])
    scores = score(measures, PROFILE).scores
    for key, family in (("index", ""), ("speed", "speed")):
        ours = found[found["of"] == key].set_index("unit")["value"]
        theirs = scores[scores["family"] == family].set_index("unit")["score"]
        assert ours.sort_index().to_numpy() == pytest.approx(theirs.sort_index().to_numpy())


def test_a_team_that_is_far_better_stands_out_alone_and_the_rest_share_places():
    rng = np.random.default_rng(2)
    resolved = np.full(12, 0.7)
    resolved[4] = 0.95
    found = compare(month(rng, 12, resolved=resolved, n=600), PROFILE, "team", of=["index", "resolved"])
    best = found[found["of"] == "resolved"].iloc[0]
    assert (best["unit"], best["rank_low"], best["rank_high"], best["places"]) == ("t04", 1, 1, "1")
    assert best["stands_out"] == "better" and best["unusual"] == "better"
    others = found[(found["of"] == "resolved") & (found["unit"] != "t04")]
    assert others["places"].eq("2\u201312").all() and others["stands_out"].ne("better").all()


def test_measures_that_go_together_leave_more_places_open():
    measures = month(np.random.default_rng(3), 10)
    names = ["answered", "wait", "resolved"]
    together = Dependence(pd.DataFrame(0.1 * np.eye(3) + 0.9, names, names), pd.Series(2.0, index=names))
    apart, bound = (compare(measures, PROFILE, "team", dependence=d).set_index("unit") for d in (None, together))
    assert ((bound["high"] - bound["low"]) > 1.2 * (apart["high"] - apart["low"])).all()
    assert (bound["rank_high"] - bound["rank_low"] >= apart["rank_high"] - apart["rank_low"]).all()
    assert bound["value"].sort_index().to_numpy() == pytest.approx(apart["value"].sort_index().to_numpy())


def test_less_is_better_where_the_profile_says_so():
    n = np.full(6, 400)
    waits = pd.concat([means("wait", [30, 60, 60, 60, 60, 120], 20, n), rates("answered", n * 0.9, n)])
    found = compare(waits, PROFILE, "team", of="wait").set_index("unit")
    assert found.loc["t00", ["rank", "stands_out"]].tolist() == [1, "better"]
    assert found.loc["t05", ["rank", "stands_out"]].tolist() == [6, "worse"]
    assert found["shrunk"]["t05"] < 120


def test_units_that_can_not_be_placed_are_listed_and_say_why():
    full = rates("resolved", [80, 90, 85, 9, 70], [100, 100, 100, 10, 100])
    full.loc[4, ["value", "low", "high", "numerator"]] = np.nan
    full.loc[4, "flag"] = "suppressed"
    other = pd.concat([full, rates("resolved", [50, 60], [90, 90], teams=["t00", "gone"], period="2026-09")])
    found = compare(other, PROFILE, "team", of="resolved").set_index("unit")
    assert found["flag"].to_dict() == {
        "t00": "", "t01": "", "t02": "", "t03": "small", "t04": "suppressed", "gone": "no_data"
    }  # fmt: skip
    unplaced = found.loc[["t03", "t04", "gone"]]
    assert unplaced[["rank", "value", "low", "numerator"]].isna().all(axis=None) and unplaced["places"].eq("").all()
    assert found["rank"].tolist()[:3] == [1, 2, 3]


def test_a_unit_that_rests_in_this_period_is_listed_as_one_without_data():
    now = pd.concat([rates(m, [80, 90, 85], [100] * 3) for m in ("answered", "resolved")])
    then = now.assign(period="2026-09")
    now.loc[now["team"] == "t02", ["value", "low", "high", "numerator", "denominator", "n"]] = [np.nan] * 5 + [0]
    found = compare(pd.concat([then, now]), PROFILE, "team", of=["index", "resolved"], period="2026-10")
    assert found.set_index(["of", "unit"])["flag"].to_dict() == {
        ("index", "t00"): "", ("index", "t01"): "", ("index", "t02"): "no_data",
        ("resolved", "t00"): "", ("resolved", "t01"): "", ("resolved", "t02"): "no_data",
    }  # fmt: skip
    with pytest.raises(CatalogueError, match="unit t02 has no data"):
        compare(now, PROFILE, "team")


def test_units_whose_index_rests_on_different_measures_say_how_much_was_there():
    full = month(np.random.default_rng(1), 3)
    part = full[(full["team"] != "t01") | (full["metric"] != "answered")]
    found = compare(part, PROFILE, "team", of=["index", "speed", "resolved"]).set_index(["of", "unit"])["coverage"]
    assert found["index"].to_dict() == pytest.approx({"t00": 1.0, "t01": 0.7, "t02": 1.0})
    assert found["speed", "t01"] == pytest.approx(0.4) and found["resolved"].isna().all()


def test_an_index_on_too_little_weight_has_no_place():
    found = compare(
        pd.concat([rates("answered", [90, 80, 70], [100] * 3), rates("resolved", [90, 80], [100] * 2)]),
        PROFILE, "team",
    ).set_index("unit")  # fmt: skip
    assert found["flag"].to_dict() == {"t00": "", "t01": "", "t02": "coverage"}


def test_a_team_with_harder_cases_is_not_blamed_for_them():
    """Same skill on each kind of case, very different mixes: adjusted rates are equal, plain ones are not."""
    rng = np.random.default_rng(5)
    easy = np.array([900, 500, 500, 500, 100])
    parts = [
        rates("resolved", rng.binomial(n, p), n, kind=kind)
        for kind, p, n in (("easy", 0.9, easy), ("hard", 0.5, 1000 - easy))
    ]
    measures = pd.concat(parts, ignore_index=True)
    plain = measures.groupby("team", as_index=False)[["numerator", "denominator"]].sum()
    crude = compare(rates("resolved", plain["numerator"], plain["denominator"]), PROFILE, "team", of="resolved")
    assert set(crude["stands_out"]) == {"better", "no", "worse"}
    adjusted = compare(measures, PROFILE, "team", of="resolved")
    assert adjusted["stands_out"].eq("no").all() and adjusted["places"].eq("1\u20135").all()
    assert adjusted["value"].to_numpy() == pytest.approx(0.7, abs=0.04)


def test_adjusting_without_difference_in_mix_changes_nothing_but_uses_all_kinds():
    n = np.array([200, 300, 400])
    cells = pd.concat([means("wait", [50, 60, 70], 20, n, kind=k) for k in ("x", "y")], ignore_index=True)
    found = adjust_measures(cells, "team")
    whole = means("wait", [50, 60, 70], 20, 2 * n)
    for name in ("value", "low", "high"):
        assert found[name].to_numpy() == pytest.approx(whole[name].to_numpy())
    assert found["n"].tolist() == [400, 600, 800]


def test_a_team_of_which_every_kind_of_case_is_suppressed_says_so():
    n = np.full(3, 200)
    cells = pd.concat([rates("resolved", [150, 160, 170], n, kind=kind) for kind in ("x", "y")], ignore_index=True)
    hidden = cells["team"] == "t02"
    cells["numerator"], cells["denominator"] = (cells[c].astype("Int64") for c in ("numerator", "denominator"))
    cells.loc[hidden, ["numerator", "denominator"]] = pd.NA
    cells.loc[hidden, ["value", "low", "high"]] = np.nan
    cells.loc[hidden, "flag"] = "suppressed"
    found = compare(cells, PROFILE, "team", of="resolved").set_index("unit")
    assert found["flag"].to_dict() == {"t00": "", "t01": "", "t02": "suppressed"}


def test_metrics_whose_units_have_no_cases_in_common_drop_out_alone():
    n = np.full(4, 200)
    alike = [rates("resolved", [150, 160, 170, 140], n, kind=kind) for kind in ("x", "y")]
    apart = [rates("answered", [180], [200], teams=[team], kind=team) for team in ("t00", "t01")]
    measures = pd.concat([*alike, *apart], ignore_index=True)
    found = compare(measures, PROFILE, "team", of=["resolved", "answered"])
    assert found[found["of"] == "resolved"]["flag"].eq("").all()
    assert found[found["of"] == "answered"].set_index("unit")["flag"].to_dict() == {
        "t00": "no_overlap", "t01": "no_overlap", "t02": "no_data", "t03": "no_data"
    }  # fmt: skip
    with pytest.raises(CatalogueError, match="kinds of cases in common"):
        compare(pd.concat(apart), PROFILE, "team", of="answered")
    quantile = alike[0].assign(metric="wait", numerator=pd.NA, denominator=pd.NA)
    with pytest.raises(CatalogueError, match="metric wait has no sums"):
        compare(pd.concat([*alike, quantile]), PROFILE, "team", of="wait")


def test_counts_and_measures_of_the_same_rates_are_placed_alike():
    hits, n = np.array([180, 150, 160, 120]), np.array([200, 180, 200, 200])
    teams = [f"t{i:02}" for i in range(4)]
    counts = compare_counts(pd.DataFrame({"unit": teams, "numerator": hits, "denominator": n}))
    measures = compare(rates("resolved", hits, n), PROFILE, "team", of="resolved")
    same = ["unit", "value", "low", "high", "shrunk", "centre", "rank", "rank_low", "rank_high", "places", "p_value"]
    pd.testing.assert_frame_equal(counts[same], measures[same], check_dtype=False)


def test_a_unit_whose_months_swing_is_given_more_room():
    rng = np.random.default_rng(6)
    steady = rng.binomial(500, 0.8, (10, 12))
    swinging = rng.binomial(500, np.clip(rng.normal(0.8, 0.08, 12), 0, 1))
    counts = pd.DataFrame(
        {
            "unit": np.repeat([f"u{i}" for i in range(11)], 12), "month": np.tile(np.arange(12), 11),
            "numerator": np.vstack([steady, swinging]).ravel(), "denominator": 500,
        }
    )  # fmt: skip
    with_time = compare_counts(counts, period="month").set_index("unit")
    wide = (with_time["high"] - with_time["low"]).sort_index()
    assert wide["u10"] > 2 * wide.drop("u10").max()
    plain = compare_counts(counts).set_index("unit")
    assert (plain["high"] - plain["low"])["u10"] < 1.1 * (plain["high"] - plain["low"])["u0"]


def test_a_season_that_all_share_is_no_unit_s_fault():
    """A unit that only worked in the bad months is held against those months."""
    rows = [(u, m, 90 if m < 6 else 60, 100) for u in "abcd" for m in range(12)]
    rows += [("winter", m, 60, 100) for m in range(6, 12)]
    found = compare_counts(
        pd.DataFrame(rows, columns=["unit", "month", "numerator", "denominator"]), period="month"
    ).set_index("unit")
    assert found["stands_out"].eq("no").all() and found["value"].to_numpy() == pytest.approx(found["value"].iloc[0])


@settings(max_examples=8)
@given(st.randoms(use_true_random=False), st.integers(0, 10_000))
def test_the_order_of_rows_changes_nothing(random, seed):
    measures = month(np.random.default_rng(seed), 6)
    order = random.sample(range(len(measures)), len(measures))
    keys = ["index", "solving", "resolved", "wait"]
    ours, theirs = (compare(m, PROFILE, "team", of=keys) for m in (measures, measures.iloc[order]))
    pd.testing.assert_frame_equal(ours, theirs)


COUNTS = pd.DataFrame({"unit": ["a", "b", "c"], "numerator": [50, 60, 70], "denominator": [100, 100, 100]})


@pytest.mark.parametrize(
    ("counts", "options", "error", "what"),
    [
        (COUNTS.assign(numerator=[-1, 2, 3]), {}, ContractError, "unit a: a count is negative"),
        (COUNTS.assign(numerator=[101, 2, 3]), {}, ContractError, "unit a: a numerator is above its denominator"),
        (COUNTS.assign(denominator=[100, np.nan, 3]), {}, ContractError, "unit b: a count is missing"),
        (COUNTS.iloc[:1], {}, CatalogueError, "one unit alone can't be compared"),
        (COUNTS.assign(denominator=np.inf), {}, CatalogueError, "denominator: a value is infinite"),
        (COUNTS.assign(numerator="many"), {}, CatalogueError, "numerator: not all values are numbers"),
        (COUNTS, {"unit": "team"}, CatalogueError, "no column 'team'"),
        (COUNTS, {"mix": ["kind"]}, CatalogueError, "no column 'kind'"),
        (COUNTS, {"direction": "sideways"}, CatalogueError, "no direction 'sideways'"),
        (COUNTS, {"level": 95}, CatalogueError, "level 95 is not between 0 and 1"),
    ],
)
def test_counts_that_can_not_be_compared_are_refused(counts, options, error, what):
    with pytest.raises(error, match=what):
        compare_counts(counts, **options)


def test_a_unit_that_is_left_alone_has_no_place():
    found = compare_counts(COUNTS.assign(denominator=[100, 20, 10], numerator=[50, 6, 7])).set_index("unit")
    assert found["flag"].to_dict() == {"a": "alone", "b": "small", "c": "small"} and found["rank"].isna().all()


@pytest.mark.parametrize(("hits", "rate"), [([0, 0, 0], 0.0), ([100, 100, 100], 1.0)])
def test_units_that_all_fail_or_all_succeed_are_tied(hits, rate):
    found = compare_counts(COUNTS.assign(numerator=hits))
    assert found["value"].eq(rate).all() and found["places"].eq("1\u20133").all()
    assert found["stands_out"].eq("no").all() and found["unusual"].eq("no").all()


def test_a_unit_without_cases_is_listed_without_a_place():
    empty = COUNTS.assign(numerator=[50, 60, 0], denominator=[100, 100, 0])
    found = compare_counts(empty).set_index("unit")
    assert found.loc["c", "flag"] == "no_data" and pd.isna(found.loc["c", "rank"])


@pytest.mark.parametrize(
    ("change", "options", "what"),
    [
        ({}, {"unit": "agent"}, "no column 'agent'"),
        ({}, {"unit": "unit"}, "'unit' is no column of units"),
        ({}, {"of": "warmth"}, "'warmth' is no family or metric"),
        ({}, {"period": "2020-01"}, "no such period"),
        ({"team": "one"}, {}, "one unit alone"),
        ({"metric": "warmth"}, {}, "no metric of profile test"),
    ],
)
def test_measures_that_can_not_be_compared_are_refused(change, options, what):
    measures = month(np.random.default_rng(1), 3).assign(**change)
    with pytest.raises(CatalogueError, match=what):
        compare(measures, PROFILE, **{"unit": "team", **options})


@pytest.mark.real_data
def test_a_real_panel_of_emergency_departments_is_compared_in_seconds(real_data):
    """A year of 137 major departments: nearly all lie outside the limits of chance, none outside the usual spread."""
    panel = pd.read_csv(real_data / "panel" / "nhs_ae_attendances.csv")
    year = panel[(panel["type"] == "1") & (panel["period"] >= "2018-04")]
    began = time.perf_counter()
    found = compare_counts(
        year, unit="org_code", numerator="breaches", denominator="attendances", direction="down", period="period"
    )
    limits = {kind: funnel(found, dispersion=kind) for kind in ("none", "additive")}
    assert time.perf_counter() - began < 2
    outside = {kind: limits[kind].units["outlier"].ne("").sum() for kind in limits}
    assert len(found) == 137 and outside == {"none": 130, "additive": 0} and limits["none"].ratio > 1000
    assert found["unit"].tolist()[:3] == ["RCU", "RA4", "RC9"]
    # What a month swings makes most places open; sampling error alone would leave six.
    assert (found["rank_high"] - found["rank_low"]).mean() > 40


@pytest.mark.slow
def test_of_months_without_any_difference_at_most_one_in_twenty_names_somebody():
    """100 months of 40 equal teams: the share that names any team better or worse, with its upper 95 % bound."""
    from scipy.stats import beta

    rng = np.random.default_rng(9)
    named = {"index": 0, "resolved": 0}
    months = 100
    for _ in range(months):
        size = rng.integers(30, 400, 40)
        measures = pd.concat(
            [
                rates("answered", rng.binomial(size, 0.95), size),
                rates("resolved", rng.binomial(size, 0.8), size),
                means("wait", rng.normal(60, 40 / np.sqrt(size)), 40, size),
            ]
        )
        found = compare(measures, PROFILE, "team", of=list(named))
        for key in named:
            named[key] += found.loc[found["of"] == key, "stands_out"].ne("no").any()
    for key, count in named.items():
        assert beta.ppf(0.05, count, months - count + 1) <= 0.05 if count else True, (key, count / months)
