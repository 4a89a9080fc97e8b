import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import judge

NATIONS = ["US", "USSR", "China", "France", "UK", "Japan", "W. Germany"]
WEALTH = [[4, 9, 6, 6, 5, 5], [7, 5, 5, 3, 4], [1 / 5, 1 / 5, 1 / 7, 1 / 5], [1, 1 / 3, 1 / 3], [1 / 3, 1 / 3], [2]]
DRINKS = ["coffee", "wine", "tea", "beer", "sodas", "milk", "water"]
DRUNK = [
    [9, 5, 2, 1, 1, 1 / 2],
    [1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9],
    [1 / 3, 1 / 4, 1 / 3, 1 / 9],
    [1 / 2, 1, 1 / 3],
    [2, 1 / 2],
    [1 / 3],
]
SCHOOLS = [[4, 3, 1, 3, 4], [7, 3, 1 / 5, 1], [1 / 5, 1 / 5, 1 / 6], [1, 1 / 3], [3]]


def upper(rows, names):
    """Return the matrix of judgements of which only the part right of the diagonal is filled in."""
    frame = pd.DataFrame(np.nan, index=names, columns=names)
    for i, row in enumerate(rows):
        frame.iloc[i, i + 1 :] = row
    return frame


def test_saatys_wealth_of_nations_comes_out():
    """Saaty 1977: .427 .230 .021 .052 .052 .123 .094, largest eigenvalue 7.608."""
    found = judge(upper(WEALTH, NATIONS))
    np.testing.assert_allclose(found.weights, [0.427, 0.230, 0.021, 0.052, 0.052, 0.123, 0.094], atol=0.0006)
    assert found.eigenvalue == pytest.approx(7.608, abs=0.0005)
    assert found.ratio == pytest.approx(0.608 / 6 / 1.32, abs=2e-4)


def test_saatys_drinks_come_out():
    """Saaty 2008: .177 .019 .042 .116 .190 .129 .327, consistency ratio .022."""
    found = judge(upper(DRUNK, DRINKS))
    np.testing.assert_allclose(found.weights, [0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327], atol=0.0006)
    assert found.ratio == pytest.approx(0.022, abs=0.0005)


def test_saatys_choice_of_a_school_is_refused_with_the_judgement_to_look_at_unless_contradictions_are_accepted():
    """Published weights .32 .14 .03 .13 .24 .14; its judgements contradict each other far beyond the rule of 0.1."""
    names = ["learning", "friends", "life", "training", "college", "music"]
    with pytest.raises(CatalogueError, match=r"consistency ratio 0\.23, more than 0\.1") as error:
        judge(upper(SCHOOLS, names))
    assert "against" in error.value.fix
    found = judge(upper(SCHOOLS, names), limit=None)
    np.testing.assert_allclose(found.weights, [0.3208, 0.1395, 0.0348, 0.1285, 0.2374, 0.1391], atol=5e-5)


@given(st.lists(st.floats(0.05, 20), min_size=1, max_size=8), st.data())
def test_judgements_that_agree_give_back_the_weights_they_came_from(truth, data):
    names = [f"m{i}" for i in range(len(truth))]
    order = data.draw(st.permutations(range(len(truth))))
    pairs = {
        (names[order[i]], names[order[j]]): truth[order[i]] / truth[order[j]]
        for i in range(len(truth))
        for j in range(i + 1, len(truth))
    }
    found = judge(pairs) if pairs else judge(pd.DataFrame([[1.0]], index=names, columns=names))
    np.testing.assert_allclose(found.weights[names], np.array(truth) / sum(truth), rtol=1e-6)
    assert found.ratio < 1e-6


def test_the_judgement_that_does_not_fit_is_named():
    pairs = {("a", "b"): 2, ("b", "c"): 2, ("a", "c"): 4, ("a", "d"): 8, ("b", "d"): 4, ("c", "d"): 1 / 5}
    assert set(judge(pairs, limit=None).worst[:2]) == {"c", "d"}


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ({("a", "b"): 2, ("b", "c"): 3}, "were not compared"),
        ({("a", "b"): 2, ("b", "a"): 2}, "but b against a|but a against b"),
        ({("a", "b"): 0}, "a against b is|b against a is"),
        ({("a", "b"): -3}, "positive"),
        ({("a", "b"): "3"}, "a against b is '3'"),
        ({("a", "a"): 2, ("a", "b"): 2}, "a against a"),
    ],
)
def test_judgements_that_cannot_be_used_are_refused_with_their_pair(pairs, said):
    with pytest.raises(CatalogueError) as error:
        judge(pairs)
    assert re.search(said, str(error.value))


def test_a_matrix_whose_rows_are_not_named_like_its_columns_is_refused():
    with pytest.raises(CatalogueError, match="no square matrix of the same names"):
        judge(pd.DataFrame([[1, 2], [0.5, 1]], index=["a", "b"], columns=["b", "a"]))
    with pytest.raises(CatalogueError, match="16 things"):
        judge(np.ones((16, 16)))
