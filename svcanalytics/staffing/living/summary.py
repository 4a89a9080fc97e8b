"""Tables of what came of simulated days: ratios of sums with their intervals, promises kept, and where misses sit."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.metrics.intervals import wilson_interval
from svcanalytics.staffing.living.rehearsal import Tally
from svcanalytics.staffing.promise import Promise

__all__ = ["count_kept", "rows_of_days", "shortfall", "summarise"]

_MEASURES = ("service_level", "abandonment", "asa_s", "occupancy")
_Z = 1.959963984540054


def summarise(tally: Tally, promise: Promise, label: pd.Index, queue: str) -> pd.DataFrame:
    """One row per period: ratios of sums over all draws, with the interval of a ratio estimator (Cochran 1977, 6.4)."""
    pooled = Tally(*(getattr(tally, name).sum(axis=1) for name in Tally.__dataclass_fields__))
    measures = pooled.measures(promise)
    base, level, draws = tally.base, measures["service_level"], tally.base.shape[1]
    off = tally.within - level[:, None] * base
    with np.errstate(divide="ignore", invalid="ignore"):
        half = np.nan_to_num(_Z * off.std(axis=1, ddof=1) / np.sqrt(draws) / base.mean(axis=1))
    kept = promise.kept(tally.measures(promise)).sum(axis=1)
    kept_low, kept_high = wilson_interval(kept, np.full(len(kept), draws))
    return pd.DataFrame(
        {
            "queue": queue,
            str(label.name): label,
            "arrivals": pooled.offered / draws,
            "service_level": level,
            "low": np.maximum(level - half, 0.0),
            "high": np.minimum(level + half, 1.0),
            **{name: measures[name] for name in _MEASURES[1:]},
            "kept": kept / draws,
            "kept_low": kept_low,
            "kept_high": kept_high,
        }
    )


def count_kept(tally: Tally, promise: Promise, period: str, queue: str) -> pd.DataFrame:
    """Return, per target and for all together, the probability that a period keeps it."""
    measures = tally.measures(promise)
    met = {name: side * measures[name] >= side * bound for name, side, bound in promise.bounds}
    met["all"] = promise.kept(measures)
    rows = []
    for target, each in met.items():
        # Periods of one draw may share its luck: the draw is the unit.
        share = each.mean(axis=0)
        half = _Z * share.std(ddof=1) / np.sqrt(len(share))
        rows.append((queue, period, target, share.mean(), max(share.mean() - half, 0), min(share.mean() + half, 1)))
    return pd.DataFrame(rows, columns=["queue", "period", "target", "probability", "low", "high"])


def shortfall(tally: Tally, promise: Promise, groups: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return by how many customers each slot adds to the misses of its group of slots, in the mean of all draws.

    Below 0 where a slot makes up for others. Counted for the service level, else abandonment, else the mean wait.
    """
    missed = ~promise.kept(tally.by(groups).measures(promise))
    if promise.service_level is not None:
        short = promise.service_level * tally.base - tally.within
    elif promise.max_abandonment is not None:
        short = tally.offered - tally.answered - promise.max_abandonment * tally.offered
    elif promise.max_asa_s is not None:
        short = tally.wait_s / promise.max_asa_s - tally.answered
    else:
        short = np.zeros_like(tally.base)
    return (short * missed[groups]).mean(axis=1)


def rows_of_days(tally: Tally, promise: Promise, days: pd.DatetimeIndex, queue: str) -> pd.DataFrame:
    """Return a row per day and draw."""
    measures = tally.measures(promise)
    draws = tally.offered.shape[1]
    columns = {name: getattr(tally, name) for name in Tally.__dataclass_fields__} | measures
    return pd.DataFrame(
        {"queue": queue, "day": days.repeat(draws), "draw": np.tile(np.arange(draws), len(days))}
        | {name: values.ravel() for name, values in columns.items()}
        | {"kept": promise.kept(measures).ravel()}
    )
