import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, normalise, removal, score

RATE = Goalposts(0.5, 0.9, 1.0)
PROFILE = Profile(
    id="test",
    families={"response": 0.4, "resolution": 0.6},
    metrics=(
        ProfileMetric("answered", "response", 0.75, RATE),
        ProfileMetric("in_time", "response", 0.25, RATE),
        ProfileMetric("resolved", "resolution", 1.0, RATE),
    ),
)


def measures(teams=12, periods=("2026-09", "2026-10"), seed=0):
    rng = np.random.default_rng(seed)
    keys = pd.MultiIndex.from_product(
        [[f"T{number}" for number in range(teams)], periods, [m.metric for m in PROFILE.metrics]],
        names=["team", "period", "metric"],
    ).to_frame(index=False)
    return keys.assign(value=rng.uniform(0.4, 1.0, len(keys)))


def naive_index(values, without):
    """The index by hand, from a dict of values; weights of what is missing go to the rest of the family, then on."""
    score = {m: np.interp(v, [0.5, 0.9, 1.0], [0, 80, 100]) for m, v in values.items() if m not in without}
    total, weight = 0.0, 0.0
    for family, share in PROFILE.families.items():
        own = {m.metric: m.weight for m in PROFILE.metrics if m.family == family and m.metric in score}
        if own:
            total += share * sum(w * score[m] for m, w in own.items()) / sum(own.values())
            weight += share
    return total / weight


@pytest.mark.parametrize("of", ["metric", "family"])
def test_every_removal_is_what_a_naive_loop_over_units_and_periods_gives(of):
    frame = measures().drop(index=[4, 9])  # two measures are missing
    table = removal(frame, PROFILE, of=of).set_index("removed")
    members = {f: [m.metric for m in PROFILE.metrics if m.family == f] for f in PROFILE.families}
    parts = members if of == "family" else {m.metric: [m.metric] for m in PROFILE.metrics}
    assert set(table.index) == set(parts)
    for name, without in parts.items():
        changes, shifts = [], []
        for _, period in frame.groupby("period"):
            units = {team: dict(zip(g["metric"], g["value"], strict=True)) for team, g in period.groupby("team")}
            units = {team: values for team, values in units.items() if set(values) - set(without)}
            before = pd.Series({team: naive_index(values, []) for team, values in units.items()})
            after = pd.Series({team: naive_index(values, without) for team, values in units.items()})
            changes += list(after - before)
            shifts += list((after.rank(ascending=False) - before.rank(ascending=False)).abs())
        row = table.loc[name]
        assert row["change"] == pytest.approx(np.mean(changes))
        assert row["largest"] == pytest.approx(np.max(np.abs(changes)))
        assert row["rank_shift"] == pytest.approx(np.mean(shifts)) and row["rank_shift_largest"] == np.max(shifts)


def test_what_weighs_nothing_changes_nothing_and_the_order_is_by_rank_shift():
    weights = pd.Series({"answered": 0.4, "in_time": 0.0, "resolved": 0.6})
    table = removal(measures(), PROFILE, weights=weights)
    nothing = table.set_index("removed").loc["in_time"]
    assert (nothing[["weight", "change", "largest", "rank_shift"]].astype(float).abs() < 1e-9).all()
    assert table["rank_shift"].is_monotonic_decreasing


def test_a_single_unit_has_no_ranks_to_shift():
    table = removal(measures(teams=1), PROFILE)
    assert table["rank_shift"].isna().all() and table["change"].notna().all()


def test_only_metrics_and_families_can_be_removed():
    with pytest.raises(CatalogueError, match="nothing named 'team'"):
        removal(measures(), PROFILE, of="team")
    with pytest.raises(CatalogueError, match="no metric of profile test"):
        removal(measures().assign(metric="other").drop_duplicates(["team", "period"]), PROFILE)


@pytest.mark.real_data
def test_the_asem_index_without_each_pillar_shifts_ranks_as_published(real_data):
    """COINr's example: denominated, imputed by continent, outliers treated, min-max; mean |change of rank|."""
    meta = pd.read_csv(real_data / "oracles" / "asem_imeta.csv").set_index("iCode")
    data = pd.read_csv(real_data / "oracles" / "asem_idata.csv").set_index("uCode")
    level = meta[meta["Type"] == "Indicator"]
    values = data[level.index].astype("float64")
    for code, by in level["Denominator"].dropna().items():
        values[code] /= data[by]
    values = values.fillna(values.groupby(data["EurAsia_group"]).transform("mean")).apply(treat_outliers)
    scores = pd.DataFrame(
        {
            code: normalise(values[code], "min_max", direction="up" if row.Direction > 0 else "down")
            for code, row in level.iterrows()
        },
        index=values.index,
    )
    pillars = scores.T.groupby(level["Parent"]).mean()
    measures = pillars.rename_axis("metric").reset_index().melt("metric", var_name="country")
    parents = meta.loc[pillars.index, "Parent"]
    profile = Profile(
        id="asem",
        families={"Conn": 0.5, "Sust": 0.5},
        metrics=tuple(
            ProfileMetric(pillar, parent, 1 / (parents == parent).sum(), Goalposts(0, 80, 100))
            for pillar, parent in parents.items()
        ),
    )
    measures["period"] = "2018"
    index = score(measures, profile).scores.query("family == ''").set_index("unit")["score"]
    assert index["IND"] == pytest.approx(39.79, abs=0.005) and index.rank(ascending=False)["IND"] == 45
    shift = removal(measures, profile).set_index("removed")["rank_shift"]
    published = {"Physical": 1.529, "ConEcFin": 2.627, "Political": 2.902, "Instit": 1.176}
    published |= {"P2P": 1.686, "Environ": 3.098, "Social": 3.961, "SusEcFin": 2.627}
    assert shift.round(3).to_dict() == published


def treat_outliers(values):
    """Winsorise up to five values while |skew| > 2 and kurtosis > 3.5; take logarithms where that is not enough."""

    def calm(each):
        return abs(each.skew()) < 2 or each.kurt() < 3.5

    moved, count = values.copy(), 0
    while not calm(moved) and count < 5:
        outermost = np.max if moved.skew() >= 0 else np.min
        at = moved == outermost(moved)
        moved[at], count = outermost(moved[~at]), at.sum()
    if calm(moved):
        return moved
    return np.log(values - values.min() + 0.01 * (values.max() - values.min()))
