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
    assert np.isnan(normalise([np.nan, np.nan], "min_max")).all()


def test_a_constant_column_says_nothing_under_min_max():
    assert np.isnan(normalise([3.0, 3.0, 3.0], "min_max")).all()


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
