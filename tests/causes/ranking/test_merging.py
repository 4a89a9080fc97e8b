"""What different searches say of the same cases is one finding."""

from __future__ import annotations

import numpy as np
import pytest

from svcanalytics.causes.finding import Finding
from svcanalytics.causes.ranking.candidates import Candidate
from svcanalytics.causes.ranking.merging import merge, merge_measures, overlap


def one(where, cases, *, kind="segment", measure="csat", p=0.01, excess=10.0, points=1.0):
    wrong = frozenset(cases)
    finding = Finding(kind, measure, where, len(wrong), excess, points, points / 2, points * 2, p)
    return Candidate(finding, np.zeros(1, dtype=bool), wrong, wrong)


def names(candidates):
    return [each.finding.where for each in candidates]


def test_a_mechanism_is_kept_before_a_place_and_names_it():
    kept = merge([one("team=B", range(100), p=1e-6), one("theme=T-1", range(10, 110), kind="theme", p=1e-4)])
    assert names(kept) == ["theme=T-1"]
    assert kept[0].finding.details["also"] == [{"kind": "segment", "where": "team=B", "p_value": 1e-6}]


def test_a_step_that_all_cases_of_a_place_have_adds_nothing_to_it():
    assert names(merge([one("step=reply&team=B", range(100), kind="step"), one("team=B", range(95))])) == ["team=B"]


def test_a_far_surer_place_is_kept():
    assert names(merge([one("team=B", range(100), p=1e-12), one("theme=x", range(100), kind="theme")])) == ["team=B"]


@pytest.mark.parametrize("order", [1, -1])
def test_an_artefact_is_kept_however_much_surer_the_place_is(order):
    both = [one("queue=south", range(60), p=1e-40), one("queue=south", range(60), kind="artefact", p=0.004)]
    (kept,) = merge(both[::order])
    assert kept.finding.kind == "artefact"
    assert kept.finding.details["also"] == [{"kind": "segment", "where": "queue=south", "p_value": 1e-40}]


def test_other_cases_another_size_or_another_measure_stay_apart():
    first = one("team=B", range(100))
    assert len(merge([first, one("channel=app", range(60, 200))])) == 2
    assert len(merge([first, one("channel=app", range(100), excess=50.0)])) == 2
    assert len(merge([first, one("team=B", range(100), measure="nps")])) == 2


def test_costs_on_other_measures_are_added_to_the_dearest():
    kept = merge_measures([one("team=B", range(100), points=0.5), one("team=B", range(95), measure="nps", points=0.8)])
    assert [each.finding.measure for each in kept] == ["nps"]
    assert kept[0].finding.details["points_in_all"] == 1.3
    assert len(merge_measures([one("a=1", range(100)), one("b=1", range(50, 150), measure="nps")])) == 2


def test_overlap_is_the_share_in_common():
    assert overlap(frozenset("abc"), frozenset("bcd")) == 0.5
    assert overlap(frozenset(), frozenset("a")) == 0.0
