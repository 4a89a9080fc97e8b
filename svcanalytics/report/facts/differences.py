"""Which teams or channels differ from the whole for sure: a ranking that noise made is no ranking."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["mark_differences"]


def mark_differences(measures: pd.DataFrame, level: float = 0.95) -> pd.Series:
    """Tell for each unit whether it differs from the other units together.

    A share is compared by the score test of two proportions, a mean by its standard errors (Welch); both two-sided,
    with Bonferroni's correction for the number of units, so that among units that don't differ at all one is marked
    falsely in at most 1 - `level` of all reports. Units that show nothing (suppressed) don't take part.

    Parameters
    ----------
    measures : DataFrame
        One row per unit of one metric in one period, as `measure` gives it: value, n, numerator, denominator, std.
    level : float
        Confidence that no unit is marked falsely.

    Returns
    -------
    Series of bool
        In the order of the rows.
    """
    from scipy.stats import norm

    shown = measures["value"].notna().to_numpy()
    marked = pd.Series(False, index=measures.index)
    if shown.sum() < 2:
        return marked
    units = measures[shown]
    n = units["n"].to_numpy(float)
    std = units["std"].to_numpy(float)
    value = units["value"].to_numpy(float)
    rest_n = n.sum() - n
    rest = ((value * n).sum() - value * n) / rest_n
    if (units["unit"] == "share").all():
        pooled = (value * n).sum() / n.sum()
        error = np.sqrt(pooled * (1 - pooled) * (1 / n + 1 / rest_n))
    else:
        within = std**2 * (n - 1)
        error = np.sqrt(std**2 / n + (within.sum() - within) / np.maximum(rest_n - 1, 1) / rest_n)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(value - rest) / error
    limit = norm.ppf(1 - (1 - level) / (2 * len(units)))
    marked.loc[units.index] = np.nan_to_num(z, nan=0.0, posinf=np.inf) > limit
    return marked
