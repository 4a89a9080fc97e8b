"""The made-up organisation that findings are judged on: it is what it says, and its judge is fair."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks.causes_world import PLANTS, found, make_world


@pytest.fixture(scope="module")
def empty():
    return make_world(7, ())


@pytest.fixture(scope="module")
def full():
    return make_world(7, PLANTS)


@pytest.mark.parametrize("cause", ["bad_version", "new_hires", "slow_queue", "inverted_scale"])
def test_a_cause_adds_what_the_truth_says_to_its_cases_and_nothing_to_others(cause, empty):
    world = make_world(7, [cause])
    truth = world.truth.iloc[0]
    with_it, without = (each.material.outcomes[truth["measure"]].set_index("id")["bad"] for each in (world, empty))
    assert with_it.index.equals(without.index)
    added = with_it - without
    assert added.sum() == truth["excess"] > 0
    assert set(added[added != 0].index) <= world.ids[cause]
    rows = world.material.outcomes[truth["measure"]]
    assert (rows.loc[rows["id"].isin(world.ids[cause]), "period"] == "now").all()


def test_causes_are_neither_trifles_nor_landslides(full):
    assert set(full.truth["cause"]) == set(PLANTS) and len(PLANTS) >= 10
    assert full.truth["points"].between(0.3, 1.5).all()
    assert full.truth["standard_errors"].between(4, 8).all()


def test_a_world_with_nothing_planted_changes_little(empty):
    assert empty.truth.empty
    for metric, rows in empty.material.outcomes.items():
        now, before = (rows.loc[rows["period"] == when, "bad"] for when in ("now", "before"))
        error = np.sqrt(now.var() / len(now) + before.var() / len(before))
        assert abs(now.mean() - before.mean()) < 4 * error, metric


def test_a_world_is_the_same_every_time_and_another_by_another_seed(full):
    again, other = make_world(7, PLANTS), make_world(8, PLANTS)
    pd.testing.assert_frame_equal(again.truth, full.truth)
    pd.testing.assert_frame_equal(again.material.texts, full.material.texts)
    assert not other.truth["excess"].equals(full.truth["excess"])


def test_the_judge_takes_true_names_and_their_like_alone(full):
    def judge(rows):
        table = pd.DataFrame(rows, columns=["measure", "where", "layer", "cases"])
        return found(table, full).set_index("cause")

    theme = tuple(sorted(full.case_ids["theme"]))[:10]
    told = judge(
        [
            ("csat", "version=5.2", "data", ()),  # the right place, another measure
            ("repeat_case_7d", "channel=app&version=5.2", "process", ()),  # the same cases, another layer
            ("repeat_case_7d", "version=5.2", "data", ()),
            ("repeat_case_7d", "team=Technical 1", "people", ()),
            ("responded_15min", "category=refund&queue=refunds", "process", ()),  # nearly the same cases
            ("csat", "theme=T-1", "process", theme),
            ("attitude_score", "weekend=yes", "people", ()),
        ]
    )
    assert told.loc["bad_version", ["rank", "right", "rank_right"]].tolist() == [2, False, 3]
    assert told.loc["slow_queue", "rank_right"] == 5 and told.loc["theme", "rank_right"] == 6
    assert (told.drop(["bad_version", "slow_queue", "theme"])["rank"] == 0).all()
