import numpy as np
import pandas as pd
import pytest

from svcanalytics.errors import CatalogueError, ContractError
from svcanalytics.quality.comparison.casemix import average_cases, expect, standardise, standardise_cases


def strata(rows):
    return pd.DataFrame(rows, columns=["team", "kind", "numerator", "denominator"])


EQUAL = strata([("a", "easy", 90, 900), ("a", "hard", 5, 10), ("b", "easy", 9, 90), ("b", "hard", 50, 100)])


def test_teams_that_do_the_same_on_each_kind_of_case_come_out_equal():
    found = standardise(EQUAL, "team", ["kind"])
    assert found["crude"].tolist() == pytest.approx([95 / 910, 59 / 190])
    assert found["ratio"].tolist() == pytest.approx([1, 1])
    assert found["adjusted"].tolist() == pytest.approx([154 / 1100] * 2)
    assert average_cases(found).sum() == pytest.approx(1100)


def test_without_strata_the_plain_rates_come_back():
    found = standardise(EQUAL, "team", [])
    assert found["adjusted"].to_numpy() == pytest.approx(found["crude"].to_numpy())


def test_expected_counts_are_the_textbook_sums():
    """Indirect standardisation by a plain loop, with the unit in the reference and out of it."""
    cells = strata([("a", "x", 10, 100), ("a", "y", 4, 10), ("b", "x", 6, 20), ("b", "y", 30, 50), ("c", "x", 3, 30)])
    for reference in ("all", "others"):
        found = standardise(cells, "team", ["kind"], reference=reference).set_index("team")
        for team in "abc":
            expected = 0.0
            for row in cells[cells["team"] == team].itertuples():
                like = cells[(cells["kind"] == row.kind) & ((reference == "all") | (cells["team"] != team))]
                expected += row.denominator * like["numerator"].sum() / like["denominator"].sum()
            assert found.loc[team, "expected"] == pytest.approx(expected)
            assert found.loc[team, "ratio"] == pytest.approx(found.loc[team, "observed"] / expected)


def test_joint_rates_are_those_of_a_poisson_model_with_units_and_strata():
    import statsmodels.formula.api as smf
    from statsmodels.api import families

    rng = np.random.default_rng(2)
    cells = pd.DataFrame([(t, k) for t in "abcde" for k in "wxyz"], columns=["team", "kind"])
    cells["denominator"] = rng.integers(20, 200, len(cells))
    cells["numerator"] = rng.poisson(0.3 * cells["denominator"])
    found = standardise(cells, "team", ["kind"])
    model = smf.glm(
        "numerator ~ 0 + team + kind", cells, family=families.Poisson(), offset=np.log(cells["denominator"])
    ).fit()
    effects = np.exp(model.params.filter(like="team").to_numpy())
    assert (found["ratio"] / found["ratio"].iloc[0]).to_numpy() == pytest.approx(effects / effects[0])
    assert found["expected"].sum() == pytest.approx(found["observed"].sum())


def test_a_unit_that_makes_up_a_stratum_does_not_judge_itself():
    """Team a has nine tenths of the hard cases and fails twice as often; with itself as the yardstick that vanishes."""
    cells = strata([("a", "hard", 360, 900), ("b", "hard", 20, 100), ("b", "easy", 40, 400), ("c", "easy", 50, 500)])
    ratio = {r: standardise(cells, "team", ["kind"], reference=r).set_index("team")["ratio"] for r in ("all", "joint")}
    assert ratio["all"]["a"] / ratio["all"]["b"] < 1.5
    assert ratio["joint"]["a"] / ratio["joint"]["b"] == pytest.approx(2)


def test_units_without_common_kinds_of_cases_are_not_compared():
    apart = strata([("a", "x", 1, 50), ("b", "x", 2, 50), ("c", "y", 3, 40), ("d", "y", 5, 30), ("e", "z", 1, 99)])
    found = standardise(apart, "team", ["kind"]).set_index("team")
    assert found["flag"].to_dict() == {"a": "", "b": "", "c": "no_overlap", "d": "no_overlap", "e": "no_overlap"}
    assert found.loc["c":, "adjusted"].isna().all()
    mostly = strata([("a", "x", 1, 50), ("b", "x", 2, 50), ("b", "own", 9, 60), ("c", "x", 2, 50)])
    assert standardise(mostly, "team", ["kind"]).set_index("team")["flag"]["b"] == "no_overlap"
    with pytest.raises(CatalogueError, match="no two units have enough kinds of cases in common"):
        standardise(apart[apart["team"].isin(list("ace"))], "team", ["kind"])


@pytest.fixture(scope="module")
def cases():
    """Resolution falls with difficulty and differs by channel; one team does better, one has harder cases."""
    rng = np.random.default_rng(8)
    n = 40_000
    team = rng.choice(["good", "hard", *"abcdef"], n)
    difficulty = rng.normal(np.where(team == "hard", 1.0, 0.0), 1).round(1)
    channel = rng.choice(["phone", "chat", "mail"], n)
    logit = 1.2 - 0.8 * difficulty + np.where(channel == "mail", -0.5, 0) + np.where(team == "good", 0.5, 0)
    solved = rng.random(n) < 1 / (1 + np.exp(-logit))
    return pd.DataFrame({"team": team, "difficulty": difficulty, "channel": channel, "solved": solved.astype(int)})


def test_regression_takes_out_what_the_cases_explain_and_leaves_what_the_team_does(cases):
    expected = expect(cases, "solved", ["difficulty", "channel"], unit="team")
    found = standardise_cases(cases, "solved", expected, unit="team").set_index("team")
    assert found["crude"]["hard"] < 0.62 < found["crude"]["a"]
    assert found["ratio"]["hard"] == pytest.approx(1, abs=0.04)
    assert found["ratio"]["good"] > 1.06


def test_no_case_is_expected_from_its_own_unit(cases):
    """Changing a unit's outcomes changes no expectation of its own cases."""
    small = cases.head(2000)
    before = expect(small, "solved", ["difficulty"], unit="team", folds=10)
    own = small["team"] == "a"
    changed = small.assign(solved=small["solved"].where(~own, 0))
    after = expect(changed, "solved", ["difficulty"], unit="team", folds=10)
    assert np.allclose(before[own], after[own]) and not np.allclose(before[~own], after[~own])


def test_a_category_that_only_one_unit_has_expects_nothing():
    solved = [1, 0, 0, 0, 0, 1, 1, 0] * 5
    frame = pd.DataFrame({"team": list("aabb") * 10, "kind": ["x", "y", "x", "x"] * 10, "solved": solved})
    expected = expect(frame, "solved", ["kind"], unit="team")
    assert expected[frame["kind"] == "y"].isna().all() and expected[frame["kind"] == "x"].notna().all()
    assert standardise_cases(frame, "solved", expected, unit="team")["overlap"].tolist() == [0.5, 1.0]


@pytest.mark.parametrize(
    ("change", "options", "error", "what"),
    [
        ({"solved": 2}, {}, ContractError, "outcomes lie between 0 and 1"),
        ({"channel": None}, {}, ContractError, "column channel: missing values"),
        ({"team": "a"}, {}, CatalogueError, "one unit alone"),
        ({}, {"kind": "probit"}, CatalogueError, "no regression of kind 'probit'"),
        ({}, {"mix": ["colour"]}, CatalogueError, "no column 'colour'"),
    ],
)
def test_cases_that_can_not_be_regressed_are_refused(cases, change, options, error, what):
    with pytest.raises(error, match=what):
        expect(cases.head(50).assign(**change), "solved", **{"mix": ["channel"], "unit": "team", **options})


@pytest.mark.parametrize(
    ("cells", "what"),
    [(EQUAL.assign(numerator=-1), "missing or negative"), (EQUAL.assign(denominator=np.nan), "missing or negative")],
)
def test_negative_and_missing_counts_are_refused(cells, what):
    with pytest.raises(ContractError, match=what):
        standardise(cells, "team", ["kind"])
