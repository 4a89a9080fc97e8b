"""A tiny report notebook and a place to publish it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

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
