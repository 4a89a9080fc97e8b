"""An update is believed as far as it would have been right on past days."""

from __future__ import annotations

import numpy as np
import pytest

from svcanalytics.demand.ahead.conditioning import condition
from svcanalytics.demand.ahead.spread import Spread, conformal_stretch
from svcanalytics.demand.ahead.trust import Record, believe

SLOTS, MEAN = 10, 200.0


def spread(days=1):
    stretch = conformal_stretch(np.empty(0), np.empty(0, int), 1)
    covariance = np.eye(days) * 0.1**2
    nothing = np.zeros((0, SLOTS)), np.full(SLOTS, 0.02)
    return Spread(np.full((days, SLOTS), MEAN), covariance, stretch, np.zeros(days, int), *nothing)


def past(n, seed, together):
    """Days whose first slots go with the rest as the spread says, or not at all."""
    rng = np.random.default_rng(seed)
    busy = 0.1 * rng.standard_normal((n, 1))
    first, rest = busy, busy if together else 0.1 * rng.standard_normal((n, 1))
    log = np.where(np.arange(SLOTS) < 3, first, rest) + 0.02 * rng.standard_normal((n, SLOTS))
    expected = np.full((n, SLOTS), MEAN)
    return Record(expected, rng.poisson(MEAN * np.exp(log)).astype(float), np.zeros(n, int), 200)


def morning():
    came = np.full((1, SLOTS), np.nan)
    came[0, :3] = 1.2 * MEAN
    return came


def moved(record):
    came = morning()
    pull = condition(spread(), came)
    return believe(pull, spread(), record, came).shift[0, -1] / pull.shift[0, -1]


@pytest.mark.parametrize("seed", range(5))
def test_updates_that_were_right_are_believed_and_those_that_were_not_are_not(seed):
    assert moved(past(40, seed, together=True)) > 0.8
    assert moved(past(40, seed, together=False)) < 0.45


def test_without_past_days_belief_grows_with_the_days_that_patterns_were_learned_from():
    none = np.empty((0, SLOTS))
    for days, share in ((0, 0.0), (20, 0.5), (180, 0.9)):
        assert moved(Record(none, none, np.empty(0, int), days)) == pytest.approx(share)


def test_few_past_days_move_belief_a_little_and_closed_slots_are_left_out():
    one, many = past(2, 3, together=False), past(200, 3, together=False)
    assert moved(many) < moved(one) < 200 / 220 + 0.05
    closed = many.actual.copy()
    closed[:, 5:] = np.nan
    assert moved(Record(many.expected, closed, many.lead_group, 200)) < 0.45


def test_days_forecast_as_far_ahead_are_the_ones_that_count():
    right, wrong = past(40, 1, together=True), past(40, 2, together=False)
    both = Record(
        np.vstack([right.expected, wrong.expected]), np.vstack([right.actual, wrong.actual]),
        np.repeat([0, 1], 40), 200,
    )  # fmt: skip
    assert moved(both) == moved(right)
