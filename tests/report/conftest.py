"""A tiny report notebook and a place to publish it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from svcanalytics.periods import parse_period
from svcanalytics.report.blocks import MIME, Cell, Column, Document, Table
from svcanalytics.report.publication import publishing
from svcanalytics.report.publication.runner import Run

PARAMETERS = """
lake: str = ""
snapshot: int = 0
report: str = "tiny"
period: str = "2026-10"
language: str = "zh"
scope: str = "all"
"""

HEAD = """
from svcanalytics.report.blocks import *
Document(title="Tiny report", language=language, facts=(("Data until", "2026-10-31"),))
"""

TABLE = """
Table("counts", "Cases", (Column("team", "Team"), Column("n", "Cases", "integer"), Column("met", "Met", "rate")),
      ((Cell("A", "A"), Cell(1234, "1,234"), Cell(0.912, "91.2%", "green")),))
"""


def notebook_of(*cells: str, parameters: str = PARAMETERS) -> dict:
    """Return the JSON of a notebook with these code cells behind its parameters."""
    tagged = [(parameters, ["parameters"]), *((cell, []) for cell in cells)]
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "cells": [
            {
                "cell_type": "code",
                "id": f"c{place}",
                "metadata": {"tags": tags},
                "source": source.strip(),
                "outputs": [],
                "execution_count": None,
            }
            for place, (source, tags) in enumerate(tagged)
        ],
    }


def _lay(out: Path, name: str, **changes: object) -> Path:
    """Put an edition without a run behind it under `out`, named as in "monthly/2026-10/all-zh/1"; return its folder."""
    report, key, place, number = name.split("/")
    scope, _, language = place.rpartition("-")
    period, folder = parse_period(key), out / name
    folder.mkdir(parents=True)
    files = {}
    for file in ("report.html", "report.xlsx", "report.ipynb"):
        (folder / file).write_text(name)
        files[file] = {"bytes": len(name), "sha256": hashlib.sha256(name.encode()).hexdigest()}
    manifest = {
        "report": report,
        "period": key,
        "period_start": period.start.isoformat(),
        "edition": int(number),
        "period_label": {"zh": period.label("zh"), "en": period.label("en")},
        "scope": scope,
        "language": language,
        "title": "Tiny",
        "organisation": "",
        "timezone": "UTC",
        "published_at": "2026-11-05T00:00:00+00:00",
        "fingerprint": number,
        "inputs": {},
        "snapshot": {"id": 0, "created_at": ""},
        "parameters": {},
        "changed": [],
        "warnings": [],
        "made_up": False,
        "files": files,
        "figures": [],
        **changes,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def lay_edition() -> Callable[..., Path]:
    """Return a function that lays an edition without a run behind it under a folder."""
    return _lay


@pytest.fixture
def notebooks(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes `tiny.ipynb` from code cells and returns its folder."""
    folder = tmp_path / "notebooks"

    def write(*cells: str, parameters: str = PARAMETERS) -> Path:
        folder.mkdir(exist_ok=True)
        notebook = notebook_of(*(cells or (HEAD, TABLE)), parameters=parameters)
        (folder / "tiny.ipynb").write_text(json.dumps(notebook), "utf-8")
        return folder

    return write


@pytest.fixture
def instantly(monkeypatch):
    """Let notebooks run without a kernel: their outputs are the blocks given here. Return how often one ran."""
    runs = []

    def run(source, parameters, folder, **rest):
        runs.append(parameters)
        table = Table("counts", "Cases", (Column("n", "Cases", "integer"),), ((Cell(len(runs), str(len(runs))),),))
        blocks = [Document("Tiny report", parameters["language"]), table]
        notebook = json.loads(source)
        for cell, block in zip(notebook["cells"][1:], blocks, strict=True):
            cell["outputs"] = [{"output_type": "display_data", "metadata": {}, "data": {MIME: block.to_json()}}]
        return Run(notebook, 0.0, (0.0,))

    monkeypatch.setattr(publishing, "run", run)
    return runs
