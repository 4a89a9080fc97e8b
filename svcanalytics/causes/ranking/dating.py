"""Since when something has been wrong: the day from which on what came was more than expected."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["first_day"]

_FEWEST = 5


def first_day(at: pd.Series, left: NDArray[np.float64], start: pd.Timestamp) -> pd.Timestamp:
    """Return the day from which on a mean was higher, by the likelihood of one step up that lasts.

    The day with the largest (sum of what is left from it on)^2 / (rows from it on), as of a change point with a known
    mean before it (Hinkley 1970, Biometrika 57:1).

    Parameters
    ----------
    at : Series
        Times of the rows.
    left : numpy.ndarray
        What came beyond the expected, row by row.
    start : Timestamp
        First day it can be.

    Returns
    -------
    Timestamp
        Midnight; NaT when there are hardly any rows.
    """
    day = at.dt.normalize()
    rows = (day >= start).to_numpy()
    if rows.sum() < _FEWEST:
        return pd.NaT
    sums = pd.Series(left[rows]).groupby(day[rows].to_numpy()).agg(["sum", "count"]).sort_index(ascending=False)
    total, count = sums["sum"].cumsum(), sums["count"].cumsum()
    gain = (np.maximum(total, 0) ** 2 / count).where(count >= _FEWEST, -1.0)
    return pd.Timestamp(gain.idxmax())
