import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError
from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, sensitivity

RATE = Goalposts(0.0, 0.8, 1.0)
PROFILE = Profile(
    id="test",
    families={"response": 0.5, "resolution": 0.5},
    metrics=tuple(
        ProfileMetric(m, f, 0.5, RATE) for m, f in zip("abcd", ["response"] * 2 + ["resolution"] * 2, strict=True)
    ),
)


def measures(n=200, teams=6, seed=1):
    rng = np.random.default_rng(seed)
    keys = pd.MultiIndex.from_product([[f"T{i}" for i in range(teams)], ["2026-10"], list("abcd")])
    frame = keys.set_names(["team", "period", "metric"]).to_frame(index=False)
    hits = rng.binomial(n, rng.uniform(0.4, 0.9, len(frame)))
    low, high = wilson_interval(hits, np.full(len(frame), n))
    return frame.assign(value=hits / n, low=low, high=high, n=n, numerator=hits, denominator=n)


def exactly(frame):
    return frame.assign(low=frame["value"], high=frame["value"])


SETTLED = {"normalisations": ["goalposts"], "powers": [1.0], "weight_spread": None, "leave_out": False}


def shares(frame, **options):
    found = sensitivity(frame, PROFILE, "2026-10", **{**SETTLED, "samples": 512} | options)
    return found.set_index(["output", "unit", "choice"])


def test_a_choice_that_is_the_only_open_one_has_all_the_variance():
    found = shares(exactly(measures()), powers=[1.0, 0.0])
    assert found.index.get_level_values("choice").unique().tolist() == ["aggregation"]
    index = found.loc["index"]
    assert index["first"].to_numpy() == pytest.approx(1, abs=0.02)
    assert index["total"].to_numpy() == pytest.approx(1, abs=0.02)


def test_two_choices_have_the_shares_that_all_their_combinations_give():
    """Means and the metric left out, enumerated: (mean, metric) -> index is all there is to know."""
    frame = exactly(measures(teams=2))
    found = shares(frame, powers=[1.0, -1.0], leave_out=True, samples=4096).loc["index"]
    values = frame.pivot_table("value", "team", "metric").to_numpy() * 100
    table = np.empty((2, 5, 2))
    for i, power in enumerate((1.0, -1.0)):
        for j in range(5):
            kept = [[c for c in family if c != j - 1] for family in ((0, 1), (2, 3))]
            parts = [np.mean(values[:, columns] ** power, axis=1) ** (1 / power) for columns in kept]
            table[i, j] = np.mean(np.array(parts) ** power, axis=0) ** (1 / power)
    for unit in range(2):
        cells = table[..., unit]
        of_mean, of_metric = cells.mean(axis=1).var() / cells.var(), cells.mean(axis=0).var() / cells.var()
        row = found.loc[f"T{unit}"]
        assert row.loc["aggregation", "first"] == pytest.approx(of_mean, abs=0.02)
        assert row.loc["metric", "first"] == pytest.approx(of_metric, abs=0.02)
        assert row.loc["metric", "total"] == pytest.approx(1 - of_mean, abs=0.02)
    variance = table.var(axis=(0, 1))
    pooled = (variance * [found.loc[(f"T{u}", "metric"), "first"] for u in range(2)]).sum() / variance.sum()
    assert found.loc[("", "metric"), "first"] == pytest.approx(pooled, abs=0.01)


def test_sampling_error_matters_less_the_more_rows_there_are():
    few, many = (shares(measures(n), weight_spread=100.0).loc[("index", "", "sampling"), "total"] for n in (50, 50_000))
    assert few > 0.5 > 0.05 > many


def test_a_rule_for_missing_measures_is_open_only_when_one_is_missing():
    frame = measures()
    rules = {"missing": ["share", "average"]}
    assert "missing" not in shares(frame, **rules).index.get_level_values("choice")
    found = shares(exactly(frame.drop(index=2)), **rules)
    assert found.loc[("index", "T0", "missing"), "first"] == pytest.approx(1, abs=0.02)
    assert found.loc[("index", "T1", "missing"), "first"] == 0


def test_the_same_seed_gives_the_same_shares_and_ranks_are_not_asked_of_one_unit():
    frame = measures()
    pd.testing.assert_frame_equal(shares(frame, seed=2), shares(frame.sample(frac=1, random_state=0), seed=2))
    alone = shares(frame[frame["team"] == "T0"])
    assert alone.index.get_level_values("output").unique().tolist() == ["index"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"missing": ["zero"]}, "no rule 'zero'"),
        ({"samples": 100}, "make no Sobol design"),
        ({"normalisations": ["z"]}, "not on the scale"),
        ({"weight_spread": -1.0}, "concentration of -1"),
    ],
)
def test_options_that_do_not_fit_are_refused(options, message):
    with pytest.raises(CatalogueError, match=message):
        shares(measures(), **options)


def test_there_must_be_a_period_and_a_choice():
    with pytest.raises(CatalogueError, match="no unit has an index"):
        sensitivity(measures(), PROFILE, "2026-09")
    with pytest.raises(CatalogueError, match="nothing is left open"):
        shares(exactly(measures()))


def test_sampling_errors_are_those_of_the_band_under_every_normalisation():
    """With the normalisation settled on one that is no more than a change of scale, the shares are the same."""
    frame = measures(100)
    same = shares(frame, normalisations=["goalposts"], weight_spread=200.0)
    both = shares(frame, normalisations=["goalposts", "goalposts"], weight_spread=200.0)
    for choice in ("weights", "sampling"):
        total = both.loc[("index", "", choice), "total"]
        assert total == pytest.approx(same.loc[("index", "", choice), "total"], abs=0.05)
    assert both.loc[("index", "", "normalisation"), "total"] == pytest.approx(0, abs=1e-9)


def test_a_metric_that_nobody_measured_is_no_obstacle():
    found = sensitivity(measures().query("metric != 'b'"), PROFILE, "2026-10", samples=64)
    assert np.isfinite(found[["first", "total"]]).all(axis=None)
