"""Errors say what was wrong, where, and how to fix it, also when they come from another process."""

from __future__ import annotations

import pickle

import pytest

from svcanalytics import errors


@pytest.mark.parametrize("name", errors.__all__)
def test_an_error_survives_the_way_from_another_process(name):
    said = getattr(errors, name)("no such model", where="models[2]", fix="use one of: auto")
    back = pickle.loads(pickle.dumps(said))
    assert type(back) is type(said)
    assert str(back) == "models[2]: no such model\nTo fix: use one of: auto"
