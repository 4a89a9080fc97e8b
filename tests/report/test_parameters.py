from __future__ import annotations

import datetime

import pytest

from svcanalytics.errors import PublishError
from svcanalytics.report.parameters import check, declared

PARAMETERS = 'snapshot: int = 0\nperiod: str = "2026-10"'


def notebook_of(*sources: str) -> dict:
    return {"cells": [{"metadata": {"tags": ["parameters"]}, "source": source} for source in sources]}


def test_types_come_from_annotations_or_from_defaults():
    found = declared(notebook_of('a: int = 1\nb = "x"\nc: str | None = None\nd: float = 1\ne = None'), "n")
    assert {name: (p.types, p.optional) for name, p in found.items()} == {
        "a": (("int",), False),
        "b": (("str",), False),
        "c": (("str",), True),
        "d": (("float",), False),
        "e": (("str", "int", "float", "bool"), True),
    }
    assert check(found, {"d": 2, "c": None}, "n") == {"d": 2, "c": None}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"perod": "2026-10"}, "no parameter 'perod'"),
        ({"period": 2026}, "is int, not str"),
        ({"snapshot": "3"}, "is str, not int"),
        ({"snapshot": True}, "is bool, not int"),
        ({"snapshot": None}, "is NoneType, not int"),
        ({"period": datetime.date(2026, 10, 1)}, "is date, not str"),
        ({"period": "a\nb"}, "control characters"),
        ({"import os; os.abort(); x": "1"}, "not a parameter's name"),
        ({"class": "1"}, "not a parameter's name"),
        ({"__builtins__": "1"}, "not a parameter's name"),
    ],
)
def test_an_unknown_mistyped_or_badly_named_parameter_is_refused(given, message):
    with pytest.raises(PublishError, match=message):
        check(declared(notebook_of(PARAMETERS), "n"), given, "n")


@pytest.mark.parametrize(
    "cell", ["import os", "a = open('x')", "a: list = []", "a = b = 1", "a, b = 1, 2", "a =", "A = 1"]
)
def test_a_parameters_cell_holds_literals_only(cell):
    with pytest.raises(PublishError, match="parameters cell"):
        declared(notebook_of(cell), "n")


def test_exactly_one_cell_declares_parameters():
    for sources in ((), ("a = 1", "b = 1")):
        with pytest.raises(PublishError, match=f"{len(sources)} cells"):
            declared(notebook_of(*sources), "n")
