"""The event engine beside other people's: SimPy with the same customers one by one, and Ciw in its own random world."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.staffing_peers import by_ciw, by_simpy, examples
from svcanalytics.staffing import route

pytest.importorskip("simpy")
pytest.importorskip("ciw")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["two skills", "priorities", "breaks"])
def test_every_customer_waits_as_long_as_in_simpy(name):
    streams, crews = examples(2000, seed=21)[name]
    calls = route(streams, crews)
    np.testing.assert_allclose(calls["wait_s"], by_simpy(streams, crews), atol=1e-6)
    assert 0.05 < 1 - calls["answered"].mean() < 0.3


@pytest.mark.slow
def test_as_many_hang_up_as_in_ciw_with_two_priorities():
    assert all(each.measured < each.bound for each in by_ciw(15_000))
