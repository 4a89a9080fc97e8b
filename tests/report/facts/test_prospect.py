"""Chances of missed targets hold on series whose future is known."""

import numpy as np
import pytest
from scipy import stats

from svcanalytics.report.facts.prospect import Outlook, miss_chance, predict_next


@pytest.mark.parametrize(
    ("walk", "noise", "slope", "within"), [(1.0, 0.5, 0.0, 0.1), (0.0, 1.0, 0.0, 0.1), (0.3, 0.3, 0.8, 0.2)]
)
def test_the_chance_of_a_miss_is_how_often_the_next_value_misses(walk, noise, slope, within):
    rng = np.random.default_rng(5)
    n, length = 1200, 12
    level = np.cumsum(rng.normal(slope, walk, (n, length + 1)), axis=1)
    series = level + rng.normal(0, noise, (n, length + 1))
    # Targets at every distance from the last level, so that all chances occur.
    targets = level[:, length - 1] + rng.normal(slope, 2 * (walk**2 + noise**2) ** 0.5, n)
    outlooks = [predict_next(row[:-1]) for row in series]
    chances = np.array([miss_chance(o, t, "up") for o, t in zip(outlooks, targets, strict=True)])
    missed = series[:, -1] < targets
    for low, high in ((0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)):
        inside = (chances >= low) & (chances <= high)
        assert abs(missed[inside].mean() - chances[inside].mean()) < within, (low, high)
    assert ((chances - missed) ** 2).mean() < 0.75 * missed.mean() * (1 - missed.mean())


def test_a_chance_is_students_and_both_directions_share_it():
    outlook = Outlook(0.9, 0.02, 7)
    assert miss_chance(outlook, 0.95, "up") == pytest.approx(stats.t.cdf(2.5, 7))
    assert miss_chance(outlook, 0.95, "up") + miss_chance(outlook, 0.95, "down") == pytest.approx(1)
    assert predict_next([1.0, 2.0, 3.0]) is None
    assert predict_next([5.0] * 8, error=0.3) == Outlook(5.0, 0.3, 6)
