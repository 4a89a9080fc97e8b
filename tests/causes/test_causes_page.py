"""The page on causes keeps its word: its Python runs, and finds what was planted."""

import re
from pathlib import Path

import pytest

from svcanalytics import sample, store

PAGE = Path(__file__).parents[2] / "docs" / "causes.md"


@pytest.mark.slow
def test_every_block_of_the_page_runs_and_the_planted_causes_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lake = store.open(tmp_path / "data" / "demo", timezone="Asia/Shanghai", made_up=True)
    sample.load(lake, sample.organisation(months=5))
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    names: dict = {}
    for block in blocks:
        exec(compile(block, "docs/causes.md", "exec"), names)
    assert len(blocks) >= 8
    found = names["found"].set_index("where")
    assert found.loc["queue=counter_south", "kind"] == "artefact"  # the kiosk with its scale upside down
    team = found.loc["owner_team=技术组 Technical"]
    assert team["measure"] == "reopen_rate" and 0.12 * team["n"] == pytest.approx(team["excess"], rel=0.4)
    assert names["chain"].links["value"].tolist()[1] == "技术组 Technical"
    assert names["where"]["segment"].iloc[0] == "owner_team=技术组 Technical"
