"""The documentation's Python runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "forecasting.md"


@pytest.mark.slow
def test_every_runnable_block_of_the_page_runs_in_order():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    found = names["demand"].scores(names["backtest"])
    assert list(found["model"]) == ["auto", "seasonal_naive"]
    assert found["skill"].iloc[0] < 1
