"""Layers: columns and descriptions of cases are put where the contract's words put them."""

from __future__ import annotations

import pytest

from svcanalytics.causes.tracing import layer_of, layer_of_column
from svcanalytics.causes.tracing.layers import conditions_of
from svcanalytics.errors import CauseError


@pytest.mark.parametrize(
    ("where", "layer"),
    [
        ("version=3.2", "data"),
        ("device=android&route=gateway b", "data"),
        ("step=supplier check", "process"),
        ("channel=app&step=supplier check", "process"),
        ("tenure=0-2 months", "people"),
        ("shift=evening&team=B", "people"),
        ("team=B", ""),
        ("tenure=new&version=3.2", ""),
        ("", ""),
    ],
)
def test_a_description_speaks_for_the_one_layer_of_its_dimensions(where, layer):
    assert layer_of(where) == layer


def test_own_columns_can_be_put_on_a_layer_and_go_before_what_is_known():
    assert layer_of_column("robot") == ""
    assert layer_of_column("robot", {"robot": "data"}) == "data"
    assert layer_of("version=2", {"version": "process"}) == "process"
    assert layer_of_column("attributes.device") == layer_of_column("case_device") == "data"
    with pytest.raises(CauseError, match="no layer 'machine'"):
        layer_of_column("robot", {"robot": "machine"})


def test_a_value_may_hold_an_ampersand():
    assert conditions_of("team=R&D&version=1") == [("team", "R&D"), ("version", "1")]
    with pytest.raises(CauseError, match="names no column"):
        conditions_of("team B")
