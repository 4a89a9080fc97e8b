"""What Dagster loads (``dagster dev -m pipelines.location``): the definitions of the installation that is found."""

from __future__ import annotations

from pipelines.definitions import build_definitions
from pipelines.installation import find_installation

__all__ = ["defs"]

defs = build_definitions(find_installation())
