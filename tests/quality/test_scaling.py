import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.errors import CatalogueError
from svcanalytics.quality import normalise

finite = st.floats(-1e6, 1e6, allow_nan=False)


def test_floor_target_and_goal_score_0_80_and_100_with_straight_lines_between():
    scores = normalise([0.5, 0.7, 0.9, 0.95, 1.0], floor=0.7, target=0.9, goal=1.0)
    np.testing.assert_allclose(scores, [0, 0, 80, 90, 100])


def test_a_measure_that_should_be_small_is_scored_the_other_way_round():
    scores = normalise([400, 300, 200, 150, 100, 0], floor=300, target=200, goal=100, direction="down")
    np.testing.assert_allclose(scores, [0, 0, 80, 90, 100, 100])


def test_where_the_target_is_the_goal_one_line_runs_from_0_to_100():
    np.testing.assert_allclose(normalise([0.8, 0.9, 1.0], floor=0.8, target=1.0, goal=1.0), [0, 50, 100])


def test_a_missing_value_stays_missing():
    assert np.isnan(normalise([np.nan], floor=0, target=1, goal=2)).all()
    for method in ("min_max", "z", "rank", "distance"):
        assert np.isnan(normalise([np.nan, np.nan], method, target=1)).all()
        assert np.isnan(normalise([1, np.nan, 3, 9], method, target=5)).tolist() == [False, True, False, False]


@pytest.mark.parametrize("method", ["min_max", "z", "rank", "distance"])
def test_a_constant_column_says_nothing_when_scores_rest_on_the_values_there(method):
    assert np.isnan(normalise([3.0, 3.0, 3.0], method, target=5)).all()
    assert np.isnan(normalise([0.1 + 0.2, 0.3, 0.3], method, target=5)).all()  # differ by a rounding error only


def test_distance_to_target_runs_from_the_floor_or_the_worst_value_to_the_target():
    np.testing.assert_allclose(normalise([10, 15, 20, 30], "distance", target=20), [0, 50, 100, 100])
    np.testing.assert_allclose(normalise([10, 15, 20], "distance", floor=0, target=20), [50, 75, 100])
    np.testing.assert_allclose(normalise([10, 15, 40], "distance", target=15, direction="down"), [100, 100, 0])
    np.testing.assert_allclose(normalise([10, 15], "distance", target=5), [100, 100])
    for posts in ({}, {"floor": 9, "target": 5}):
        with pytest.raises(CatalogueError):
            normalise([1.0, 2.0], "distance", **posts)


def test_z_counts_standard_deviations_and_rank_the_share_of_others_beaten():
    values = [4, 8, 6, 8]
    np.testing.assert_allclose(normalise(values, "z"), (np.array(values) - 6.5) / np.std(values, ddof=1))
    np.testing.assert_allclose(normalise(values, "rank"), [0, 250 / 3, 100 / 3, 250 / 3])
    for method in ("z", "rank", "min_max"):
        turned = normalise(values, method, direction="down")
        np.testing.assert_allclose(turned, normalise([-v for v in values], method))
    with pytest.raises(CatalogueError, match="no normalisation named 'borda'"):
        normalise(values, "borda")


def test_one_infinite_value_does_not_decide_over_the_scores_of_all_others():
    for method in ("min_max", "z", "rank"):
        with pytest.raises(CatalogueError, match="a value is infinite"):
            normalise([1.0, 2.0, float("inf")], method)
    with pytest.raises(CatalogueError, match="not all values are numbers"):
        normalise(["n/a", 1.0], "rank")


@pytest.mark.parametrize(
    ("posts", "direction"),
    [((0.9, 0.8, 1.0), "up"), ((0.5, 0.5, 0.9), "up"), ((100, 200, 300), "down"), ((0.1, 0.2, float("inf")), "up")],
)
def test_goalposts_out_of_order_are_refused(posts, direction):
    with pytest.raises(CatalogueError):
        normalise([1.0], floor=posts[0], target=posts[1], goal=posts[2], direction=direction)


@given(finite, finite, st.lists(st.integers(-1000, 1000), min_size=3, max_size=3, unique=True), st.booleans())
def test_a_better_value_never_scores_less_and_scores_stay_within_0_and_100(first, second, posts, down):
    worst, middle, best = sorted(posts, reverse=down)
    direction = "down" if down else "up"
    a, b = normalise([first, second], floor=worst, target=middle, goal=best, direction=direction)
    assert all(0 <= each <= 100 for each in (a, b))
    assert (a - b) * (first - second) * (-1 if down else 1) >= 0
