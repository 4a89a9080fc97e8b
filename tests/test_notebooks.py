"""The notebooks that analysts start from run as they are."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from svcanalytics import resources, sample, store

EXPLORE = resources.notebooks_path() / "explore"
NAMES = sorted(path.name for path in EXPLORE.glob("*.ipynb"))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory) -> Path:
    """Return a folder in which the notebooks find the made-up organisation's lake where they look for it."""
    folder = tmp_path_factory.mktemp("workshop")
    lake = store.open(folder / "data" / "demo", timezone="Asia/Shanghai", made_up=True)
    sample.load(lake, sample.organisation(months=5))
    shutil.copytree(EXPLORE, folder / "notebooks" / "explore")
    return folder / "notebooks" / "explore"


@pytest.mark.slow
@pytest.mark.parametrize("notebook", NAMES)
def test_an_explore_notebook_runs_on_the_made_up_organisation(notebook, workshop, monkeypatch):
    import nbclient
    import nbformat

    monkeypatch.setitem(os.environ, "PYTHONPATH", str(Path(__file__).parent.parent))
    ran = nbclient.NotebookClient(
        nbformat.read(workshop / notebook, 4), timeout=120, resources={"metadata": {"path": str(workshop)}}
    ).execute()
    shown = [output for cell in ran.cells for output in cell.get("outputs", [])]
    assert all(
        output["output_type"] in ("execute_result", "display_data") or output.get("name") == "stdout"
        for output in shown
    ), shown
    assert notebook == "load_your_file.ipynb" or any("image/svg+xml" in output.get("data", {}) for output in shown)
    assert "parameters" in next(cell for cell in ran.cells if cell.cell_type == "code").metadata.get("tags", [])


def test_the_tour_leads_to_every_notebook_and_to_nothing_else():
    import nbformat

    cells = nbformat.read(EXPLORE / "first_look.ipynb", 4).cells
    stops = re.findall(r"\]\((\w+\.ipynb)\)", "\n".join(cell.source for cell in cells if cell.cell_type == "markdown"))
    assert sorted({"first_look.ipynb", *stops}) == NAMES
    page = (Path(__file__).parents[1] / "docs" / "workshop.md").read_text("utf-8")
    assert re.findall(r"explore/(\w+\.ipynb)\)", page) == ["first_look.ipynb", *stops]


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
