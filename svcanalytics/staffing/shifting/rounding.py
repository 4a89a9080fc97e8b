"""Whole shifts from a solution in fractions: not the best, but near it, and at hand when time has run out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from svcanalytics.staffing.shifting.covering import Covering

__all__ = ["round_relaxed"]


def round_relaxed(covering: Covering, x: NDArray[np.float64]) -> dict[str, NDArray[np.int64]]:
    """Return whole counts of each group's columns.

    Shifts of one pattern and length are rounded as they add up over time, so that at every moment those at work differ
    from the fractions by less than one for each pattern and length; breaks keep their shares. With limits on people
    everything is rounded down, which keeps them.
    """
    return {group: _group(covering, group, counts) for group, counts in covering.shares(x).items()}


def _group(covering: Covering, group: str, share: NDArray[np.float64]) -> NDArray[np.int64]:
    main, further, shifts = covering.main, covering.further, covering.offers.shifts
    of_shift = np.bincount(main["shift"], share[: len(main)], len(shifts))
    people = np.floor(of_shift + 1e-6).astype(np.int64)
    limited = {limit.pattern for limit in covering.limits if group in limit.groups}
    length = shifts["end"] - shifts["begin"]
    for (pattern, _), rows in shifts.groupby(["pattern", length], sort=False).indices.items():
        if not limited & {None, pattern}:
            rows = rows[np.argsort(shifts["begin"].to_numpy()[rows], kind="stable")]
            people[rows] = np.diff(np.floor(np.cumsum(of_shift[rows]) + 0.5), prepend=0.0)
    counts = np.zeros(len(share), dtype=np.int64)
    counts[: len(main)] = _apportion(main["shift"].to_numpy(), share[: len(main)], people)
    keys = further[["shift", "number"]].to_numpy()
    kinds, kind = np.unique(keys, axis=0, return_inverse=True)
    if len(kinds):
        counts[len(main) :] = _apportion(kind.ravel(), share[len(main) :], people[kinds[:, 0]])
    return counts


def _apportion(kind: NDArray[np.intp], share: NDArray[np.float64], total: NDArray[np.int64]) -> NDArray[np.int64]:
    """Divide each kind's total over its columns in proportion to their shares, by largest remainder (Hamilton)."""
    sums = np.bincount(kind, share, len(total))
    many = np.bincount(kind, minlength=len(total))
    exact = np.where(sums[kind] > 1e-9, share / np.maximum(sums[kind], 1e-9), 1 / many[kind]) * total[kind]
    given = np.floor(exact + 1e-9).astype(np.int64)
    left = total - np.bincount(kind, given, len(total)).astype(np.int64)
    order = np.lexsort((given - exact, kind))
    first = np.concatenate([[0], np.cumsum(many)[:-1]])
    rank = np.arange(len(kind)) - first[kind[order]]
    given[order] += rank < left[kind[order]]
    return given
