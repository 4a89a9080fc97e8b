import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from svcanalytics.report import blocks
from svcanalytics.report.blocks import Blocks, Cell, Column, Document, Figure, Heading, Table, Text, from_json, tabulate

HOSTILE = "<script>alert(1)</script>=cmd|' /C calc'!A0\u202e"


def a_report(text: str) -> Blocks:
    table = tabulate(
        "t1", text, [Column("a", text), Column("b", "B", "rate"), Column("c", "C", "light")],
        [{"a": text, "b": 0.5, "c": "red"}, {"a": None, "b": float("nan"), "c": None},
         {"a": Cell(1.5, text, kind="points")}],
        "zh", note=text,
    )  # fmt: skip
    figure = Figure("f1", text, text, "<svg/>", table)
    head = Document(text, "zh", text, ((text, text),), (text,))
    return Blocks((head, Heading(text, 3, "x"), Text(text, "lead"), table, figure, Figure("f2", text, text, "<svg/>")))


@given(st.text())
def test_blocks_come_back_from_their_json_unchanged(text):
    report = a_report(text)
    assert from_json(json.loads(json.dumps(report.to_json()))) == report


def test_the_preview_shows_customer_text_as_text():
    bundle = a_report(HOSTILE)._repr_mimebundle_()
    assert set(bundle) == {blocks.MIME, "text/html", "text/plain"}
    assert "<script" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]


def test_json_knows_no_nan_and_no_numpy():
    frame = pd.DataFrame({"b": [0.25, np.nan, np.inf], "n": pd.array([1, None, 3], dtype="Int64")})
    table = tabulate("t", "t", [Column("b", "B", "rate"), Column("n", "N", "integer")], frame.to_dict("records"), "en")
    text = json.dumps(table.to_json(), allow_nan=False)
    assert [row[0][0] for row in json.loads(text)["rows"]] == [0.25, None, None]
    assert [row[1][0] for row in json.loads(text)["rows"]] == [1, None, 3]


def test_a_value_keeps_every_digit_beside_the_rounded_text():
    table = tabulate("t", "t", [Column("b", "B", "rate")], [{"b": 2 / 3}], "en")
    assert table.rows[0][0] == Cell(2 / 3, "66.7%")


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="table t"):
        Table("t", "t", (Column("a", "A"),), ((Cell(1, "1"), Cell(2, "2")),))


@pytest.mark.parametrize("data", [{"type": "html", "text": "<b>"}, {}])
def test_only_known_types_of_block_are_read(data):
    with pytest.raises(ValueError, match="unknown type"):
        from_json(data)
