"""Fixtures that every package's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

import svcanalytics as sv

# Tests run side by side: threads of linear algebra that wait for one another's processors make some ten times slower.
# Set before numpy is imported, for the processes that tests start too.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A busy machine must not fail a property.
settings.register_profile("svcanalytics", deadline=None)
settings.load_profile("svcanalytics")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of real files; skip without it, but never when `$SVC_REAL_DATA` promises it."""
    named = os.environ.get("SVC_REAL_DATA")
    if not named:
        pytest.skip("no real files: set SVC_REAL_DATA to the folder that holds them")
    folder = Path(named)
    assert folder.is_dir(), f"SVC_REAL_DATA names {named}, which is no folder"
    return folder


@pytest.fixture
def lake(tmp_path: Path) -> sv.Lake:
    """Return an empty lake that keeps its days in Shanghai."""
    return sv.open(tmp_path / "lake", timezone="Asia/Shanghai")
