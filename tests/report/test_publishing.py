from __future__ import annotations

import svcanalytics as sv


def test_the_same_inputs_answer_up_to_date_and_other_inputs_give_the_next_edition(lake, notebooks, tmp_path):
    out = tmp_path / "reports"
    folder = notebooks()
    first = sv.publish("tiny", "2026-10", lake, out, notebooks=folder)
    assert (first.status, first.number) == ("published", 1)
    assert first.path == out / "tiny" / "2026-10" / "all-zh" / "1"
    before = {file.name: file.read_bytes() for file in first.path.iterdir()}
    assert set(before) == {"report.html", "report.ipynb", "report.xlsx", "manifest.json"}
    assert sv.publish("tiny", "2026-10", lake, out, notebooks=folder).status == "up to date"

    changed = sv.store.write(lake, {"cases": _cases()})
    second = sv.publish("tiny", "2026-10", changed, out, notebooks=folder)
    assert (second.status, second.number, second.manifest["supersedes"]) == ("published", 2, 1)
    assert second.manifest["changed"] == ["data: cases"]
    assert {file.name: file.read_bytes() for file in first.path.iterdir()} == before


def _cases():
    import pandas as pd

    return pd.DataFrame({"case_id": ["1", "2"], "opened_at": pd.to_datetime(["2026-10-01", "2026-10-02"], utc=True)})
