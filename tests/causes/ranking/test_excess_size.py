"""An excess whose first day nobody knows: its interval holds the truth as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from svcanalytics.causes.ranking.sizing import size_excess


def draw(rng, n=400, before=400, rate=0.2, more=0.15):
    """Return the rows of a segment, what its past says of it, and what a cause that began on some day really cost."""
    order, luck = rng.random(n), rng.random(n)
    touched = order >= rng.uniform(0, 0.4)
    bad = luck < rate + more * touched
    past = rng.random(before) < rate
    truth = (bad & (luck >= rate)).sum()
    return order, bad.astype(float), past.mean() - rate, past.var() / before, truth, rate


def test_the_interval_holds_the_truth_in_nineteen_of_twenty_and_the_best_week_alone_does_not():
    rng = np.random.default_rng(1)
    held, best, off = [], [], []
    for _ in range(600):
        order, bad, usual, doubt, truth, rate = draw(rng)
        excess, error = size_excess(order, bad - rate, bad, usual, doubt, least=20)
        held.append(abs(excess - truth) < 1.96 * error)
        off.append((excess - truth) / truth)
        alone = []
        for week in range(9):
            since = order >= week / 13
            gap = (bad - rate - usual)[since].sum()
            alone.append((gap, np.sqrt(since.sum() * bad[since].var() + since.sum() ** 2 * doubt)))
        gap, error = max(alone, key=lambda each: each[0] / each[1])
        best.append(abs(gap - truth) < 1.96 * error)
    assert 0.94 < np.mean(held) < 0.99 and np.mean(best) < np.mean(held)
    assert abs(np.mean(off)) < 0.1


def test_without_days_it_is_what_is_left_less_the_past_with_its_binomial_error():
    bad = np.repeat([1.0, 0.0], [30, 70])
    excess, error = size_excess(np.zeros(100), bad - 0.1, bad, 0.05, 0.0, widen=2.0)
    assert excess == pytest.approx(30 - 10 - 5) and error == pytest.approx(2 * np.sqrt(100 * 0.3 * 0.7))
