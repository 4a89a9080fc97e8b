"""P-values that hold for everything that was looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["hold_family"]


def hold_family(p_values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return p-values that hold for the whole family (Holm 1979, the step-down of Bonferroni's), shape as given."""
    order = np.argsort(p_values, kind="stable")
    steps = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    out = np.empty(len(p_values))
    out[order] = np.minimum(steps, 1.0)
    return out
