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


@pytest.mark.slow
@pytest.mark.real_data
def test_units_of_a_real_panel_are_compared_by_changing_one_cell(real_data, monkeypatch):
    """Breaches of the four-hour standard in major emergency departments, 2018-04 to 2019-03."""
    import nbclient
    import nbformat

    notebook = nbformat.read(resources.notebooks_path() / "explore" / "compare_units.ipynb", 4)
    cell = next(cell for cell in notebook.cells if "parameters" in cell["metadata"].get("tags", []))
    cell["source"] = (
        f"path = {str(real_data / 'panel' / 'nhs_ae_attendances.csv')!r}\n"
        "where = \"type == '1' and period >= '2018-04'\"\n"
        'unit, period, mix = "org_code", "period", []\n'
        'counted, cases, good = "breaches", "attendances", "down"\n'
        "smallest = 500"
    )
    notebook.cells.append(nbformat.v4.new_code_cell("compared[compared['rank'] <= 3]['unit'].tolist(), len(compared)"))
    monkeypatch.setitem(os.environ, "PYTHONPATH", str(Path(__file__).parent.parent))
    cells = nbclient.NotebookClient(notebook, timeout=120).execute().cells
    shown = [output for cell in cells for output in cell.get("outputs", [])]
    assert sum("image/svg+xml" in output.get("data", {}) for output in shown) == 2
    assert shown[-1]["data"]["text/plain"] == "(['RCU', 'RA4', 'RC9'], 137)"
