"""The notebooks that analysts start from run as they are."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from svcanalytics import resources, sample, store


@pytest.mark.slow
@pytest.mark.parametrize("notebook", sorted(path.name for path in (resources.notebooks_path() / "explore").glob("*")))
def test_an_explore_notebook_runs_on_the_made_up_organisation(notebook, tmp_path, monkeypatch):
    import nbclient
    import nbformat

    lake = store.open(tmp_path / "data" / "demo", timezone="Asia/Shanghai", made_up=True)
    sample.load(lake, sample.organisation(months=5))
    folder = tmp_path / "notebooks" / "explore"
    folder.mkdir(parents=True)
    copy = Path(shutil.copy(resources.notebooks_path() / "explore" / notebook, folder))
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(Path(__file__).parent.parent))
    ran = nbclient.NotebookClient(
        nbformat.read(copy, 4), timeout=120, resources={"metadata": {"path": str(folder)}}
    ).execute()
    shown = [output for cell in ran.cells for output in cell.get("outputs", [])]
    assert all(output["output_type"] in ("execute_result", "display_data") for output in shown), shown
    assert sum("image/svg+xml" in output["data"] for output in shown) == 2
