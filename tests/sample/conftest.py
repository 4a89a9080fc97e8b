"""The made-up organisation, made once."""

from __future__ import annotations

import pytest

from svcanalytics import sample


@pytest.fixture(scope="session")
def recent():
    """Return ten months of it: every planted cause begins inside them."""
    return sample.organisation(months=10)
