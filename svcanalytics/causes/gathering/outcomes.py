"""What single cases, contacts, answers and items add to a metric, turned so that more is worse."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from svcanalytics.metrics import Metric

__all__ = ["badness", "level"]


def level(metric: Metric, value: ArrayLike) -> NDArray[np.float64]:
    """Return the mean of ``bad`` at which a metric has a value: turned round where more is better."""
    number = np.asarray(value, dtype="float64")
    if metric.direction == "down":
        return number
    return 1 - number if metric.unit == "share" else -number


def badness(metric: Metric, rows: pd.DataFrame) -> pd.Series:
    """Return ``bad`` of a metric's rows; its mean is the metric, turned so that more is worse.

    Of a ratio of sums V = sum x / sum y a row's part is V + (x - V y) / mean y, the ratio's linear form (Cochran 1977,
    Sampling Techniques, 3rd edition, eq. 6.10), so that parts add up as those of a mean do.

    Parameters
    ----------
    metric : Metric
        A rate, mean or ratio with a direction.
    rows : DataFrame
        numerator and denominator, as `list_rows` gives them.
    """
    x, y = rows["numerator"], rows["denominator"]
    part = x
    if metric.kind == "ratio" and (y == y.iloc[0]).all():
        part = x / y
    elif metric.kind == "ratio":
        value = x.sum() / y.sum()
        part = value + (x - value * y) / y.mean()
    return pd.Series(level(metric, part / metric.scale), index=rows.index)
