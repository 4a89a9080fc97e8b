"""Whole shifts from a solution in fractions: not the best, but near it, and at hand when time has run out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.staffing.shifting.covering import Covering
from svcanalytics.staffing.shifting.limits import Limit, is_kept

__all__ = ["keeps_limits", "leeway", "round_relaxed"]


def round_relaxed(covering: Covering, x: NDArray[np.float64], *, down: bool = True) -> dict[str, NDArray[np.int64]]:
    """Return whole counts of each group's columns.

    Shifts of one pattern and length are rounded as they add up over time, so that at every moment those at work differ
    from the fractions by less than one for each pattern and length; breaks keep their shares. What is limited is
    rounded down, which keeps the limit; where not `down`, only patterns that so many may work.
    """
    return {group: _group(covering, group, counts, down) for group, counts in covering.shares(x).items()}


def leeway(covering: Covering) -> tuple[Limit, ...]:
    """Return limits with as many people less as rounding may add: one for each pattern and length of each group."""
    length = covering.offers.shifts["end"] - covering.offers.shifts["begin"]
    classes = len(pd.DataFrame({"p": covering.offers.shifts["pattern"], "l": length}).drop_duplicates())
    return tuple(
        each if each.pattern is not None else replace(each, people=max(each.people - classes * len(each.groups), 0))
        for each in covering.limits
    )


def keeps_limits(covering: Covering, counts: dict[str, NDArray[np.int64]]) -> bool:
    """Return whether counts of columns are within all limits."""
    main, shifts = covering.main, covering.offers.shifts
    people = {g: np.bincount(main["shift"], each[: len(main)], len(shifts)).round() for g, each in counts.items()}
    rules = covering.rules.people
    return all(is_kept(limit, rules, shifts, sum(people[g] for g in limit.groups)) for limit in covering.limits)


def _group(covering: Covering, group: str, share: NDArray[np.float64], down: bool) -> NDArray[np.int64]:
    main, further, shifts = covering.main, covering.further, covering.offers.shifts
    of_shift = np.bincount(main["shift"], share[: len(main)], len(shifts))
    people = np.floor(of_shift + 1e-6).astype(np.int64)
    limited = {limit.pattern for limit in covering.limits if group in limit.groups}
    limited -= set() if down else {None}
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
