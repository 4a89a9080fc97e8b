"""Themes that grow: this period against the last, with a test and control of false discoveries."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from svcanalytics.errors import CauseError

__all__ = ["theme_growth"]


def theme_growth(
    now: ArrayLike,
    before: ArrayLike,
    *,
    exposure: Sequence[float] | None = None,
    level: float = 0.05,
) -> pd.DataFrame:
    """Test each theme for growth against the last period.

    Given how many texts a theme has in both periods together, the part that falls into this one is binomial if the
    theme did not grow against the whole (or against the exposure); the exact test of it is one-sided, for growth, and
    its p-values are corrected by Benjamini and Hochberg (1995). Texts copied many times look like growth: count
    near-duplicates once before (`Clusters.heads`).

    Parameters
    ----------
    now, before : array_like of int
        The theme of each text, as `Clusters.labels` and `Clusters.assign` give them; -1 counts nowhere.
    exposure : (float, float), optional
        What the texts of this and the last period came from: days, contacts. Default: the texts themselves, so that
        shares are compared and growth of the whole does not count.
    level : float
        Share of themes called emerging that may be false, 0-1.

    Returns
    -------
    pandas.DataFrame
        Row i is theme i: n, n_before, ratio (of shares or of rates), low, high (its 95 % interval: Clopper and Pearson
        1934 of the part now), p_value, q_value, emerging.

    Raises
    ------
    CauseError
        When a period has no texts or the exposure is not two positive numbers.
    """
    from scipy.stats import beta, binom, false_discovery_control

    here, there = np.asarray(now, dtype="int64"), np.asarray(before, dtype="int64")
    here, there = here[here >= 0], there[there >= 0]
    if exposure is None:
        exposure = (len(here), len(there))
    if len(exposure) != 2 or not all(np.isfinite(e) and e > 0 for e in exposure):
        raise CauseError(
            "growth can't be told without texts in both periods",
            where="exposure",
            fix="give both periods, or the days or contacts that each one covers",
        )
    size = int(max(here.max(initial=-1), there.max(initial=-1))) + 1
    n, n_before = np.bincount(here, minlength=size), np.bincount(there, minlength=size)
    both, odds = n + n_before, exposure[0] / exposure[1]
    p_value = binom.sf(n - 1, both, odds / (1 + odds))
    tail = 0.5 * (1 - 0.95)
    low = np.where(n > 0, beta.ppf(tail, np.maximum(n, 1), n_before + 1), 0.0)
    high = np.where(n_before > 0, beta.ppf(1 - tail, n + 1, np.maximum(n_before, 1)), 1.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, low, high = (np.asarray(part / (1 - part) / odds) for part in (n / np.maximum(both, 1), low, high))
    q_value = false_discovery_control(p_value) if size else p_value
    return pd.DataFrame(
        {
            "n": n,
            "n_before": n_before,
            "ratio": np.where(both > 0, ratio, np.nan),
            "low": low,
            "high": high,
            "p_value": p_value,
            "q_value": q_value,
            "emerging": (q_value <= level) & (both > 0),
        }
    )
