from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import Goalposts, Profile, ProfileMetric, chain, explain, score

PROFILE = Profile(
    id="test",
    families={"response": 0.4, "resolution": 0.6},
    metrics=(
        ProfileMetric("answered", "response", 0.75, Goalposts(0.0, 0.8, 1.0)),
        ProfileMetric("wait", "response", 0.25, Goalposts(120, 30, 10, "down")),
        ProfileMetric("resolved", "resolution", 1.0, Goalposts(0.0, 0.8, 1.0)),
    ),
    min_coverage=0.0,
)
NAMES = [m.metric for m in PROFILE.metrics]


def measures(values, unit=None):
    """Make measures of months from one row of values per month; None leaves a measure out."""
    rows = [
        {"metric": name, "period": f"2026-{month:02d}", "value": value}
        for month, row in enumerate(values, 1)
        for name, value in zip(NAMES, row, strict=True)
        if value is not None
    ]
    return pd.DataFrame(rows).assign(**({} if unit is None else {"team": unit}))


def weights(rows):
    periods = [f"2026-{month:02d}" for month in range(1, len(rows) + 1)]
    frame = pd.DataFrame(rows, index=pd.Index(periods, name="period"), columns=NAMES)
    return frame.reset_index().melt("period", var_name="metric", value_name="weight")


SEASONS = weights([[0.3, 0.1, 0.6], [0.5, 0.1, 0.4], [0.5, 0.1, 0.4], [0.3, 0.1, 0.6]])


def test_other_weights_move_the_scored_index_and_never_the_chained_one():
    found = chain(measures([[0.6, 30, 0.9]] * 4), PROFILE, weights=SEASONS)
    assert found["score"].tolist() == pytest.approx([80, 74, 74, 80])
    assert found["chained"].tolist() == pytest.approx([80] * 4) == found["constant"].tolist()
    assert found["by_weights"].tolist()[1:] == pytest.approx([-6, 0, 6])


def test_with_constant_weights_the_three_series_are_one():
    found = chain(measures([[0.6, 30, 0.9], [0.7, 60, 0.8], [0.5, 20, 0.95]]), PROFILE)
    for name in ("chained", "constant"):
        np.testing.assert_allclose(found[name], found["score"], atol=1e-12)
    assert (found[["by_weights", "by_missing"]].iloc[1:] == 0).all().all()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_a_link_is_what_explain_leaves_to_the_scores(seed):
    rng = np.random.default_rng(seed)
    values = [[rng.uniform(), rng.uniform(5, 130), rng.uniform()] for _ in range(4)]
    values[2][1] = None
    given_ = weights(rng.dirichlet(np.ones(3), 4))
    frame = measures(values)
    found = chain(frame, PROFILE, weights=given_).set_index("period")
    np.testing.assert_allclose(
        found["score"], score(frame, PROFILE, weights=given_).scores.query("family == ''")["score"]
    )
    for before, now in zip(found.index, found.index[1:], strict=False):
        parts = explain(frame, PROFILE, now, before, weights=given_).groupby("source")["contribution"].sum()
        assert found.loc[now, "chained"] - found.loc[before, "chained"] == pytest.approx(parts["score"], abs=1e-9)
        steps = found.loc[now, ["by_scores", "by_weights", "by_missing"]].astype(float)
        assert steps.sum() == pytest.approx(found.loc[now, "score"] - found.loc[before, "score"], abs=1e-9)


def test_a_measure_that_comes_or_goes_does_not_move_the_chain():
    found = chain(measures([[0.6, 30, 0.9], [0.6, None, 0.9], [0.6, 30, 0.9]]), PROFILE)
    assert found["score"].tolist() == pytest.approx([80, 78, 80])
    assert found["chained"].tolist() == pytest.approx([80] * 3)
    assert found["by_missing"].tolist()[1:] == pytest.approx([-2, 2])


def test_a_period_without_an_index_is_bridged():
    frame = measures([[0.6, 30, 0.9], [None, 30, None], [0.7, 30, 0.9]])
    found = chain(frame, replace(PROFILE, min_coverage=0.3))
    assert np.isnan(found.loc[1, ["score", "chained", "constant"]].astype(float)).all()
    assert found["chained"].tolist()[2] == pytest.approx(83)


def test_units_and_the_base_period_are_chained_each_on_its_own():
    frame = pd.concat([measures([[0.6, 30, 0.9]] * 4, "A"), measures([[0.8, 30, 0.5]] * 4, "B")])
    found = chain(frame, PROFILE, "2026-02", weights=SEASONS).set_index(["unit", "period"])
    for unit in ("A", "B"):
        part = found.loc[unit]
        assert (
            part["chained"].tolist() == pytest.approx([part.loc["2026-02", "score"]] * 4) == part["constant"].tolist()
        )


def test_a_base_period_without_an_index_is_refused():
    with pytest.raises(CatalogueError, match="no index to begin the chain") as error:
        chain(measures([[0.6, 30, 0.9]]), PROFILE, "2025-12")
    assert "2026-01" in error.value.fix


def test_a_unit_without_any_index_is_missing_and_does_not_keep_the_others_from_theirs():
    frame = pd.concat([measures([[0.6, 30, 0.9]] * 2, "A"), measures([[None, 30, None]] * 2, "B")])
    found = chain(frame, replace(PROFILE, min_coverage=0.5)).set_index("unit")
    assert found.loc["B", ["score", "chained", "constant", "by_scores"]].isna().all(axis=None)
    assert found.loc["A", "chained"].notna().all()
    for none in (measures([[None, 30, None]], "B"), frame.iloc[:0]):
        with pytest.raises(CatalogueError, match="no index to begin the chain"):
            chain(none, replace(PROFILE, min_coverage=0.5))
