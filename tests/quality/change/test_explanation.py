from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import svcanalytics as sv
from svcanalytics import sample, store
from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality import (
    Goalposts,
    Profile,
    ProfileMetric,
    aggregate,
    decompose,
    explain,
    profile,
    score,
    top_contributions,
)
from svcanalytics.quality.change.margins import add_up

LINEAR = Goalposts(0.0, 0.8, 1.0)  # a rate of 0.7 scores 70
PROFILE = Profile(
    id="test",
    families={"response": 0.4, "resolution": 0.6},
    metrics=(
        ProfileMetric("answered", "response", 0.75, LINEAR),
        ProfileMetric("abandoned", "response", 0.25, Goalposts(0.5, 0.1, 0.0, "down")),
        ProfileMetric("resolved", "resolution", 1.0, Goalposts(0.4, 0.9, 1.0)),
    ),
    min_coverage=0.3,
)
ONE = Profile(id="one", families={"all": 1.0}, metrics=(ProfileMetric("rate", "all", 1.0, LINEAR),))


def rows(counts, metric="rate", period="2026-10", by=("team",)):
    """Make measures of groups from {group: (numerator, denominator)}."""
    names = [group if isinstance(group, tuple) else (group,) for group in counts]
    x, n = (np.array(part, dtype=float) for part in zip(*counts.values(), strict=True))
    low, high = wilson_interval(x, n)
    frame = pd.DataFrame(dict(zip(by, zip(*names, strict=True), strict=True)))
    found = {"value": x / n, "low": low, "high": high, "n": n, "numerator": x, "denominator": n}
    return frame.assign(metric=metric, period=period, flag="", **found)


def whole(values, period="2026-10", spread=0.01):
    values = pd.Series(values, dtype=float)
    frame = pd.DataFrame({"metric": values.index, "period": period, "value": values.to_numpy()})
    return frame.assign(low=frame["value"] - spread, high=frame["value"] + spread)


def two(before, after):
    return pd.concat([whole(before, "2026-09"), whole(after, "2026-10")], ignore_index=True)


def lines(explanation):
    return explanation.set_index(["source", "key"])["contribution"].to_dict()


def test_a_metric_contributes_its_weight_times_its_change_of_score():
    frame = two(
        {"answered": 0.7, "abandoned": 0.1, "resolved": 0.9}, {"answered": 0.8, "abandoned": 0.2, "resolved": 0.9}
    )
    found = explain(frame, PROFILE, "2026-10", "2026-09")
    assert lines(found) == pytest.approx(
        {("score", "answered"): 0.3 * 10, ("score", "abandoned"): 0.1 * -20, ("score", "resolved"): 0.0}
    )
    assert found["contribution"].sum() == pytest.approx(score(frame, PROFILE).change("2026-10", "2026-09").value)
    answered = found.set_index("key").loc["answered"]
    half = 0.3 * 1.0 * np.sqrt(2)  # the score's own half-width of 1, on both sides
    assert (answered["low"], answered["high"]) == pytest.approx((3 - half, 3 + half))
    assert answered["certain"] and not found.set_index("key").loc["resolved", "certain"]


def test_headship_rates_split_into_mix_and_rate_as_das_gupta_published():
    """Census P23-186, example 5.1: 44.7268 to 47.6940, of which +1.2269 by age structure and +1.7403 by rates."""
    sizes = {
        "2026-09": [12.9, 10.9, 9.5, 8.0, 7.8, 8.4, 8.6, 7.8, 7.0, 5.9, 4.7, 3.6, 4.9],
        "2026-10": [10.1, 11.2, 11.6, 10.9, 9.4, 7.7, 6.3, 6.0, 6.3, 5.9, 5.1, 4.0, 5.5],
    }
    rates = {
        "2026-09": [1.9, 25.8, 45.7, 49.6, 51.2, 51.6, 51.8, 54.9, 58.7, 60.4, 62.8, 66.6, 66.8],
        "2026-10": [2.2, 24.3, 45.8, 52.5, 56.1, 55.6, 56.0, 57.4, 57.2, 61.2, 63.9, 68.6, 72.2],
    }
    frame = pd.concat(
        rows(
            {f"{a}": (r * n * 10, n * 1000) for a, (r, n) in enumerate(zip(rates[p], sizes[p], strict=True))}, period=p
        )
        for p in sizes
    )
    found = explain(frame, ONE, "2026-10", "2026-09", by="team")
    parts = found.groupby("source")["contribution"].sum()
    assert parts["mix"] == pytest.approx(1.2269, abs=5e-5) and parts["rate"] == pytest.approx(1.7403, abs=5e-5)
    assert found.attrs["before"] == pytest.approx(44.7268, abs=5e-5)
    assert found["contribution"].sum() == pytest.approx(found.attrs["change"], abs=1e-9)


STONES = {  # Charig et al. 1986, BMJ 292:879: stones removed, by treatment and size
    "2026-09": {"small": (234, 270), "large": (55, 80)},
    "2026-10": {"small": (81, 87), "large": (192, 263)},
}


def test_every_group_better_and_the_whole_worse_is_flagged_as_simpson_s_paradox():
    frame = pd.concat(rows(counts, period=period) for period, counts in STONES.items())
    found = explain(frame, ONE, "2026-10", "2026-09", by="team")
    parts = found.groupby("source")["contribution"].sum()
    assert parts["rate"] > 0 > parts["mix"] and parts.sum() == pytest.approx(100 * (273 / 350 - 289 / 350))
    assert (found["flag"] == "simpson").all()
    one_way = frame[(frame["team"] == "small") | (frame["period"] == "2026-09")]
    assert not explain(one_way, ONE, "2026-10", "2026-09", by="team")["flag"].str.contains("simpson").any()


def test_groups_that_come_and_go_are_sources_of_their_own():
    frame = pd.concat(
        [
            rows({"A": (80, 100), "old": (10, 100)}, period="2026-09"),
            rows({"A": (80, 100), "new": (90, 100)}, period="2026-10"),
        ]
    )
    found = lines(explain(frame, ONE, "2026-10", "2026-09", by="team"))
    middle = (0.45 + 0.85) / 2
    assert found == pytest.approx(
        {
            ("rate", "rate&team=A"): 0,
            ("mix", "rate&team=A"): 0,
            ("new", "rate&team=new"): 100 * 0.5 * (0.9 - middle),
            ("vanished", "rate&team=old"): -100 * 0.5 * (0.1 - middle),
        }
    )


@st.composite
def situations(draw):
    """A profile of any means, weights by period, and measures by team and channel in which things come and go."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    powers = st.sampled_from([1.0, 0.5, 0.0, -1.0, -3.0])
    chosen = replace(PROFILE, power=draw(powers), power_within=draw(powers), min_coverage=0.0)
    parts = []
    for metric in chosen.metrics:
        for period in ("2026-09", "2026-10"):
            if rng.uniform() < 0.15 and metric.metric != "resolved":
                continue
            cells = {(t, c): rng.integers(0, 60) * rng.integers(0, 2) for t in "ABC" for c in "xy"}
            cells = {cell: int(n) for cell, n in cells.items() if n} or {("A", "x"): 5}
            counts = {cell: (int(rng.binomial(n, rng.uniform())), n) for cell, n in cells.items()}
            parts.append(rows(counts, metric.metric, period, by=("team", "channel")))
    weights = None
    if draw(st.booleans()):
        given_ = pd.DataFrame(rng.dirichlet(np.ones(3), 2), index=["2026-09", "2026-10"], columns=list(_names(chosen)))
        weights = given_.rename_axis("period").reset_index().melt("period", var_name="metric", value_name="weight")
    return chosen, pd.concat(parts, ignore_index=True), weights, rng


def _names(of):
    return [m.metric for m in of.metrics]


@settings(max_examples=15)
@given(situations(), st.sampled_from([(), ("team",), ("team", "channel")]))
def test_contributions_add_up_and_the_order_of_rows_metrics_and_names_does_not_matter(case, by):
    chosen, frame, weights, rng = case
    total = add_up(frame)

    def call(of, measured, period="2026-10", baseline="2026-09"):
        if not by:
            return explain(add_up(measured), of, period, baseline, weights=weights)
        return explain(measured, of, period, baseline, by=by, weights=weights)

    found = call(chosen, frame)
    change = score(total, chosen, weights=weights).change("2026-10", "2026-09").value
    assert found["contribution"].sum() == pytest.approx(change, abs=1e-9)
    assert (found["low"] <= found["contribution"] + 1e-12).all() and (
        found["high"] >= found["contribution"] - 1e-12
    ).all()
    again = call(
        replace(chosen, metrics=chosen.metrics[::-1]), frame.sample(frac=1, random_state=int(rng.integers(99)))
    )
    pd.testing.assert_series_equal(
        again.set_index(["source", "key"])["contribution"].sort_index(),
        found.set_index(["source", "key"])["contribution"].sort_index(),
        atol=1e-9,
    )
    back = lines(call(chosen, frame, "2026-09", "2026-10"))
    swap = {"new": "vanished", "vanished": "new"}
    assert {(swap.get(s, s), k): -v for (s, k), v in back.items()} == pytest.approx(lines(found), abs=1e-9)
    # Lines of the groups add up to the metric's line.
    coarse = explain(total, chosen, "2026-10", "2026-09", weights=weights).groupby("metric")["contribution"].sum()
    pd.testing.assert_series_equal(found.groupby("metric")["contribution"].sum(), coarse, atol=1e-9)


def test_no_change_explains_as_zeros():
    frame = pd.concat(rows(STONES["2026-09"], period=period) for period in STONES)
    found = explain(frame, ONE, "2026-10", "2026-09", by="team")
    assert (found["contribution"] == 0).all() and not found["certain"].any()


def test_other_weights_are_lines_of_their_own_and_equal_the_shapley_value():
    before, after = (
        {"answered": 0.7, "abandoned": 0.1, "resolved": 0.9},
        {"answered": 0.8, "abandoned": 0.2, "resolved": 0.7},
    )
    weights = pd.DataFrame({"metric": _names(PROFILE) * 2, "period": ["2026-09"] * 3 + ["2026-10"] * 3})
    weights["weight"] = [0.3, 0.1, 0.6, 0.45, 0.15, 0.4]
    found = explain(two(before, after), PROFILE, "2026-10", "2026-09", weights=weights)
    scores = [[70, 80, 80], [80, 60, 48]]
    players = decompose(
        lambda w, s: aggregate(s[None], w, PROFILE).index[0],
        [weights["weight"][:3], scores[0]],
        [weights["weight"][3:], scores[1]],
    )
    parts = found.groupby("source")["contribution"].sum()
    assert (parts["weights"], parts["score"]) == pytest.approx(tuple(players))
    moved = found[found["source"] == "weights"].set_index("key")["contribution"]
    assert (
        set(moved.index) == {"response", "resolution"} and (moved > 0).all()
    )  # from what scores low to what scores high
    few = top_contributions(found, 0)
    assert dict(zip(few["source"], few["contribution"], strict=True)) == pytest.approx(
        {"other": parts["score"], "weights": parts["weights"]}
    )
    still = explain(two(before, before), PROFILE, "2026-10", "2026-09", weights=weights)
    assert set(still.loc[still["contribution"] != 0, "source"]) == {"weights"}


def test_a_measure_that_appears_shifts_weight_and_is_no_change_of_its_score():
    before = {"answered": 0.7, "resolved": 0.9}
    found = explain(two(before, before | {"abandoned": 0.4}), PROFILE, "2026-10", "2026-09")
    moved = found[found["contribution"] != 0]
    assert set(moved["source"]) == {"missing"} and moved["contribution"].sum() < 0
    assert moved["contribution"].sum() == pytest.approx(found.attrs["change"], abs=1e-9)


def test_several_dimensions_split_rates_by_cell_and_mix_by_dimension():
    counts = [
        {("A", "x"): (90, 100), ("A", "y"): (60, 100), ("B", "x"): (70, 100), ("B", "y"): (40, 100)},
        {("A", "x"): (45, 50), ("A", "y"): (90, 150), ("B", "x"): (35, 50), ("B", "y"): (60, 150)},
    ]
    frame = pd.concat(rows(c, period=p, by=("team", "channel")) for c, p in zip(counts, STONES, strict=True))
    found = explain(frame, ONE, "2026-10", "2026-09", by=("team", "channel"))
    parts = found.groupby(["source", "dimension"])["contribution"].sum()
    # Only the channels' shares moved, by 25 points between rates 30 points apart.
    assert parts.to_dict() == pytest.approx({("rate", ""): 0, ("mix", "team"): 0, ("mix", "channel"): -7.5}, abs=1e-9)
    cells = found.loc[found["source"] == "rate", "key"]
    assert "rate&team=A&channel=x" in set(cells)


def test_quantiles_and_metrics_without_the_dimension_keep_one_line_that_says_so():
    frame = pd.concat(rows(counts, "answered", period) for period, counts in STONES.items())
    quantile = two({"resolved": 0.6}, {"resolved": 0.7})
    total = pd.concat([add_up(frame), quantile])
    found = explain(frame, PROFILE, "2026-10", "2026-09", by="team", total=total)
    line = found[found["metric"] == "resolved"]
    assert line["source"].tolist() == ["score"] and line["flag"].tolist() == ["not_split"]
    assert found["contribution"].sum() == pytest.approx(
        score(total, PROFILE).change("2026-10", "2026-09").value, abs=1e-9
    )


def test_what_is_too_small_to_show_makes_up_the_rest():
    frame = pd.concat(rows(counts | {"tiny": (1, 2)}, period=period) for period, counts in STONES.items())
    total = add_up(frame)
    hidden = frame["team"] == "tiny"
    frame.loc[hidden, ["value", "low", "high", "numerator", "denominator"]] = np.nan
    frame.loc[hidden, "flag"] = "suppressed"
    found = explain(frame, ONE, "2026-10", "2026-09", by="team", total=total)
    assert "(rest)" in set(found["group"]) and "tiny" not in set(found["group"])
    assert found["contribution"].sum() == pytest.approx(found.attrs["change"], abs=1e-9)


def test_a_numerator_without_a_denominator_is_not_lost():
    """A team that closed 5 cases and was given none has no row of its own, but counts in the whole."""
    frame = pd.concat(rows(counts, period=period) for period, counts in STONES.items())
    total = add_up(frame)
    late = total["period"] == "2026-10"
    total.loc[late, ["numerator", "value"]] += [5, 5 / 350]
    found = explain(frame, ONE, "2026-10", "2026-09", by="team", total=total)
    assert lines(found)["rate", "rate&team=(rest)"] == pytest.approx(100 * 5 / 350)
    assert found["contribution"].sum() == pytest.approx(found.attrs["change"], abs=1e-9)


@pytest.mark.parametrize("groups", [["A", None], pd.array([3, pd.NA], dtype="Int64")])
def test_rows_without_a_group_are_a_group_without_a_name(groups):
    frame = pd.concat(rows(counts, period=period) for period, counts in STONES.items())
    found = explain(frame.assign(team=[*groups, *groups]), ONE, "2026-10", "2026-09", by="team")
    assert set(found["group"]) == {str(groups[0]), ""}


def test_counts_are_split_by_volume():
    of = replace(ONE, metrics=(ProfileMetric("rate", "all", 1.0, Goalposts(500.0, 100.0, 0.0, "down")),))
    frame = pd.concat(
        rows({"A": (60 + more, 1), "B": (40, 1)}, period=p) for more, p in ((0, "2026-09"), (20, "2026-10"))
    )
    found = lines(
        explain(frame.assign(value=frame["numerator"], denominator=np.nan), of, "2026-10", "2026-09", by="team")
    )
    assert found == pytest.approx({("volume", "rate&team=A"): -20 * 80 / 400, ("volume", "rate&team=B"): 0})


def test_the_few_lines_worth_saying_are_the_certain_ones_and_the_rest_still_adds_up():
    frame = pd.concat(rows(counts, period=period) for period, counts in STONES.items())
    found = explain(frame, ONE, "2026-10", "2026-09", by="team")
    few = top_contributions(found, 1)
    assert few["source"].tolist() == ["mix", "other"] and few["certain"].tolist()[0]
    assert few["contribution"].sum() == pytest.approx(found.attrs["change"], abs=1e-9)
    none = top_contributions(
        explain(pd.concat(rows(STONES["2026-09"], period=p) for p in STONES), ONE, *STONES, by="team")
    )
    assert none["source"].tolist() == ["other"] and not none["certain"].any()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: explain(f, ONE, "2026-10", "2026-09", by="site"), "no dimension 'site'"),
        (lambda f: explain(f, ONE, "2026-10", "2026-09"), "not of the whole but by team"),
        (lambda f: explain(f, ONE, "2026-10", "2025-09", by="team"), "no period '2025-09'"),
        (lambda f: explain(f, ONE, "2026-10", "2026-10", by="team"), "by itself"),
        (
            lambda f: explain(f.drop(columns="denominator"), ONE, "2026-10", "2026-09", by="team"),
            "no column 'denominator'",
        ),
        (
            lambda f: explain(f, ONE, "2026-10", "2026-09", by="team", total=add_up(f[f["team"] == "small"])),
            "more than",
        ),
        (lambda f: explain(f, ONE, "2026-10", "2026-09", by="team", tests="some"), "no way of testing"),
        (lambda f: explain(f, ONE, "2026-10", "2026-09", by="team", level=95), "between 0 and 1"),
        (lambda f: explain(pd.concat([f, f.iloc[:1]]), ONE, "2026-10", "2026-09", by="team"), "rate occurs twice"),
        (
            lambda f: explain(f.assign(value=f["value"].round(2)), ONE, "2026-10", "2026-09", "team", total=add_up(f)),
            "do not make up",
        ),
        (
            lambda f: explain(f.assign(period=f["period"].str.replace("-", "").astype(int)), ONE, "2026-10", "2026-09"),
            "no period '2026-09'",
        ),
    ],
)
def test_what_can_not_be_explained_is_refused_with_what_to_do(change, said):
    frame = pd.concat(rows(counts, period=period) for period, counts in STONES.items())
    with pytest.raises(CatalogueError, match=said) as error:
        change(frame)
    assert error.value.fix


# --- what intervals and verdicts promise -----------------------------------------------------------------------------

_PERIODS = ("2026-10", "2026-09")
_RATES = {"answered": [0.6, 0.7, 0.75, 0.85], "abandoned": [0.15, 0.2, 0.3, 0.35], "resolved": [0.6, 0.7, 0.8, 0.85]}
_MOVES = {"answered": [0.05, -0.04, 0, 0.08], "abandoned": [0, 0.05, -0.05, 0], "resolved": [-0.05, 0.04, 0, 0]}
_SHARES = np.array([[0.4, 0.3, 0.2, 0.1], [0.3, 0.3, 0.2, 0.2]])


def drawn(rng, size, moved=True):
    """Draw a quarter before and after; with no generator, so many that sampling error is gone."""
    parts = []
    for metric, rates in _RATES.items():
        for side, period in enumerate(STONES):
            share = _SHARES[side if moved else 0]
            rate = np.array(rates) + (np.array(_MOVES[metric]) if side and moved else 0)
            n = share * size if rng is None else rng.multinomial(rng.poisson(size), share)
            x = n * rate if rng is None else rng.binomial(n, rate)
            parts.append(rows({f"T{i}": pair for i, pair in enumerate(zip(x, n, strict=True))}, metric, period))
    return pd.concat(parts, ignore_index=True)


@pytest.mark.slow
def test_intervals_cover_the_truth_of_scores_rates_mix_and_weights():
    weights = pd.DataFrame({"metric": _names(PROFILE) * 2, "period": np.repeat(_PERIODS, 3)})
    weights["weight"] = [0.4, 0.2, 0.4, 0.3, 0.1, 0.6]

    def call(frame):
        coarse = explain(add_up(frame), PROFILE, *_PERIODS, weights=weights)
        return pd.concat([coarse, explain(frame, PROFILE, *_PERIODS, by="team")]).set_index(["source", "key"])

    truth = call(drawn(None, 1e8))["contribution"]
    rng, hits = np.random.default_rng(8), []
    for _ in range(120):
        found = call(drawn(rng, 600))
        hits.append(found["low"].le(truth) & found["high"].ge(truth))
    covered = pd.DataFrame(hits).mean().groupby(level=0).mean()
    assert set(covered.index) == {"score", "rate", "mix", "weights"}
    assert ((covered > 0.92) & (covered < 0.98)).all(), covered


@pytest.mark.slow
def test_without_a_real_change_hardly_ever_is_any_line_called_certain():
    rng = np.random.default_rng(9)
    frames = [drawn(rng, 600, moved=False) for _ in range(120)]
    alarms = sum(explain(f, PROFILE, *_PERIODS, by="team")["certain"].any() for f in frames)
    assert alarms <= 0.05 * len(frames)


# --- on data nobody made for this ------------------------------------------------------------------------------------


@pytest.mark.real_data
@pytest.mark.slow
def test_the_servicenow_index_of_a_month_is_explained_by_assignment_group(real_data, tmp_path):
    lake = sv.open(tmp_path / "lake", timezone="UTC")
    sv.load(lake, real_data / "cases" / "servicenow_incident_log.zip", source="servicenow", assume_yes=True)
    lake, of = lake.refresh(), profile("cases", lake)
    total, teams = sv.measure(lake), sv.measure(lake, by="team")
    for period, baseline in (("2016-04", "2016-03"), ("2016-05", "2016-04")):
        found = explain(teams, of, period, baseline, by="team", total=total)
        change = score(total, of).change(period, baseline)
        assert found["contribution"].sum() == pytest.approx(change.value, abs=1e-9)
        coarse = explain(total, of, period, baseline).groupby("metric")["contribution"].sum()
        pd.testing.assert_series_equal(found.groupby("metric")["contribution"].sum(), coarse, atol=1e-9)
    # April to May: the index rose, above all by what one large group resolved at first contact.
    top = found.iloc[0]
    assert change.certain and change.value == pytest.approx(4.0, abs=0.1)
    assert (top["source"], top["group"], top["metric"]) == ("rate", "Group 70", "first_contact_resolution")
    assert top["certain"] and 0.8 < top["low"] < top["contribution"] < top["high"] < 1.6


@pytest.mark.slow
def test_causes_planted_in_the_made_up_organisation_come_out_on_top(tmp_path):
    made = sample.organisation(months=6, end="2026-09-30")
    tables = {name: made[name] for name in ("teams", "agents", "cases", "contacts", "surveys", "events")}
    lake = store.write(sv.open(tmp_path / "demo", timezone="Asia/Shanghai", made_up=True), tables)
    of = profile("default", lake)
    wanted = [m.metric for m in of.metrics if m.metric in ("csat", "reopen_rate", "responded_15min", "resolution_rate")]
    wanted += ["first_response_time", "answer_rate", "service_level_20s_offered", "first_contact_resolution"]
    total = sv.measure(lake, wanted, every="quarter")
    said = {}
    for by in ("team", "channel"):
        found = explain(sv.measure(lake, wanted, by=by, every="quarter"), of, "2026Q3", "2026Q2", by=by, total=total)
        assert found["contribution"].sum() == pytest.approx(found.attrs["change"], abs=1e-9)
        few = top_contributions(found, 3)
        said[by] = set(zip(few["metric"], few["group"], few["contribution"] < 0, strict=True))
    # inverted_kiosk (scores of the south counter upside down), reorganised_team, shifted_clock (web, eight hours late)
    assert ("csat", "南城窗口 South", True) in said["team"]
    assert ("reopen_rate", "技术组 Technical", True) in said["team"]
    assert {("responded_15min", "web", True), ("first_response_time", "web", True)} <= said["channel"]
