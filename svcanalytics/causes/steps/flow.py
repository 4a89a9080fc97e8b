"""The flow of cases: who follows whom, how often, after how long; and the ways that whole cases take."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.steps.log import NONE, StepLog
from svcanalytics.causes.steps.waiting import PARTS

__all__ = ["count_activities", "count_transitions", "count_variants", "quantiles"]

_MIX = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def quantiles(
    group: NDArray[np.int64], values: NDArray, groups: int, shares: tuple[float, ...]
) -> list[NDArray[np.float64]]:
    """Return discrete quantiles of each group, one array of shape ``(groups,)`` per share; NaN for an empty group."""
    order = np.lexsort((values, group))
    counts = np.bincount(group, minlength=groups)
    first = np.cumsum(counts) - counts
    found = []
    for share in shares:
        place = first + np.maximum(np.ceil(share * counts).astype(np.int64) - 1, 0)
        ranked = values[order][np.minimum(place, len(order) - 1)] if len(order) else np.zeros(groups)
        found.append(np.where(counts > 0, ranked, np.nan))
    return found


def count_activities(log: StepLog, waits: pd.DataFrame) -> pd.DataFrame:
    """Return one row per activity, the most frequent first.

    Returns
    -------
    pandas.DataFrame
        activity, n (runs), cases, starts and ends (cases that begin and end with it), service_s (of all runs), median_s
        and p90_s (of the work on one run), wait_s and open_wait_s (before all its runs).
    """
    names = len(log.activities)
    service = log.end - log.start
    first = log.heads
    last = np.r_[first[1:], len(log.case)] - 1
    median, p90 = quantiles(log.activity, service, names, (0.5, 0.9))
    table = pd.DataFrame(
        {
            "activity": log.activities,
            "n": np.bincount(log.activity, minlength=names),
            "cases": _cases_of(log.activity, log.case, names),
            "starts": np.bincount(log.activity[first], minlength=names),
            "ends": np.bincount(log.activity[last], minlength=names),
            "service_s": _sum(log.activity, service, names),
            "median_s": median,
            "p90_s": p90,
            "wait_s": _sum(log.activity, waits["wait_s"], names),
            "open_wait_s": _sum(log.activity, waits["open_wait_s"], names),
        }
    )
    return table.sort_values(["n", "activity"], ascending=[False, True], ignore_index=True)


def count_transitions(log: StepLog, waits: pd.DataFrame) -> pd.DataFrame:
    """Return the directly-follows map: one row per pair of activities that followed one another, most frequent first.

    Returns
    -------
    pandas.DataFrame
        source, target, n, cases, wait_s, open_wait_s (sums), median_s, p90_s (of one waiting, on the working calendar),
        outside_s, and ``<part>_s`` for each of `PARTS`.
    """
    at = np.flatnonzero(log.before != NONE)
    names = len(log.activities)
    pair, code = np.unique(log.activity[log.before[at]] * names + log.activity[at], return_inverse=True)
    chosen = waits.iloc[at]
    median, p90 = quantiles(code, chosen["open_wait_s"].to_numpy(), len(pair), (0.5, 0.9))
    table = pd.DataFrame(
        {
            "source": log.activities[pair // names],
            "target": log.activities[pair % names],
            "n": np.bincount(code, minlength=len(pair)),
            "cases": _cases_of(code, log.case[at], len(pair)),
            "median_s": median,
            "p90_s": p90,
        }
        | {name: _sum(code, chosen[name], len(pair)) for name in chosen.columns}
    )
    order = ["source", "target", "n", "cases", "wait_s", "open_wait_s", "median_s", "p90_s", "outside_s"]
    table = table[order + [f"{part}_s" for part in PARTS]]
    return table.sort_values(["n", "source", "target"], ascending=[False, True, True], ignore_index=True)


def count_variants(log: StepLog, duration_s: NDArray[np.int64]) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Return the variants, the most frequent first, and the variant of each case.

    Returns
    -------
    pandas.DataFrame
        variant (number from 0), path (the activities in order, joined by arrows), steps, n (cases), share, median_s
        and p90_s (of the case's duration).
    numpy.ndarray of int64, shape ``(cases,)``
    """
    heads = log.heads
    length = np.diff(np.r_[heads, len(log.case)])
    place = np.arange(len(log.case)) - np.repeat(heads, length)
    # One number per sequence: the sum of well mixed numbers of activity and place, alike by chance once in 10^19.
    with np.errstate(over="ignore"):
        mixed = log.activity.astype(np.uint64) * _MIX[0] + place.astype(np.uint64) * _MIX[1] + _MIX[2]
        for shift, factor in ((30, _MIX[1]), (27, _MIX[2]), (31, _MIX[0])):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * factor
        _, first, code = np.unique(np.add.reduceat(mixed, heads), return_index=True, return_inverse=True)
    n = np.bincount(code)
    paths = np.array(
        [" → ".join(log.activities[log.activity[heads[c] : heads[c] + length[c]]]) for c in first], dtype="object"
    )
    order = np.lexsort((paths, -n))
    number = np.empty(len(order), dtype=np.int64)
    number[order] = np.arange(len(order))
    median, p90 = quantiles(code, duration_s, len(n), (0.5, 0.9))
    table = pd.DataFrame(
        {
            "variant": np.arange(len(order)),
            "path": paths[order],
            "steps": length[first][order],
            "n": n[order],
            "share": n[order] / n.sum(),
            "median_s": median[order],
            "p90_s": p90[order],
        }
    )
    return table, number[code]


def _sum(code: NDArray[np.int64], values: pd.Series | NDArray, size: int) -> NDArray[np.int64]:
    # Sums of whole seconds stay below 2^53, so floats hold them exactly.
    return np.bincount(code, np.asarray(values, dtype="float64"), minlength=size).astype(np.int64)


def _cases_of(code: NDArray[np.int64], case: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    pairs = np.unique(code * (int(case.max()) + 1) + case) if len(case) else np.zeros(0, np.int64)
    return np.bincount(pairs // (int(case.max()) + 1), minlength=size) if len(case) else np.zeros(size, np.int64)
