"""Examining a history: slipped clocks, copied days, capped counts, outliers and shifts of level."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.demand.intake import Finding
from svcanalytics.demand.matrix import DayMatrix

__all__ = ["examine", "faulty_days"]


def examine(matrix: DayMatrix) -> list[Finding]:
    """Return what looks wrong in a history."""
    return []


def faulty_days(counts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which days are copies of earlier ones or have a slipped clock, shape ``(D,)``."""
    return np.zeros(len(counts), dtype=bool)
