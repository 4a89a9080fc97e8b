"""The page on staffing keeps its word: its Python runs, and its first promise is kept."""

import re
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "staffing.md").read_text("utf-8")


@pytest.mark.slow
def test_every_block_of_python_on_the_staffing_page_runs_one_after_the_other():
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.S):
        exec(compile(block, "docs/staffing.md", "exec"), names)
    assert names["needed"]["kept"].min() >= 0.9
    assert names["lived"].days["kept"].mean() > 0.8
    level = names["ill"].set_index("measure")["change"]["service_level"]
    assert level < 0
    assert names["hiring"].months["month"].iloc[0] == "2026-11" and names["hiring"].hires >= 0
    assert (names["hiring"].months["short"] <= names["hiring"].months["short_unhired"]).all()
