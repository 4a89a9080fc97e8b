"""Telling closed from zero from missing, day by day and slot by slot."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.days.daydescription import OFF
from svcanalytics.demand.history.findings import Finding
from svcanalytics.demand.history.hours import OpeningHours
from svcanalytics.demand.history.inference import IMPROBABLE, local_level

__all__ = ["Reckoning", "reckon", "state_findings"]

_STRAY = 0.02
_LASTING = 28
_RECORDED, _CLOSED, _HOLIDAY, _ZEROS, _MISSING, _SET_ASIDE, _OPENED, _SHORT, _BROKEN, _QUIET = range(10)
_SAID = {
    _HOLIDAY: ("holiday without arrivals", "taken as closed"),
    _ZEROS: ("zeros on a usual day of business", "taken as closed, neither as true zeros nor as missing"),
    _MISSING: ("missing day", "left open and missing, not counted as zero"),
    _SET_ASIDE: ("arrivals while closed", "set aside"),
    _OPENED: ("open day beyond the usual hours", "taken as open: it has arrivals"),
    _SHORT: ("shorter day", "slots without arrivals at its edge taken as closed"),
    _BROKEN: ("gap within a day", "slots left missing, not zero; estimated for learning if half the day is known"),
}


@dataclass(frozen=True, eq=False)
class Reckoning:
    """One queue's counts with closed, zero and missing told apart.

    Attributes
    ----------
    counts : numpy.ndarray of float64, shape ``(D, S)``
        NaN where closed or missing.
    open_slots : numpy.ndarray of bool, shape ``(D, S)``
    state : numpy.ndarray of int8, shape ``(D,)``
        What each day was taken for; read by `state_findings`.
    aside : numpy.ndarray of float64, shape ``(D,)``
        Arrivals of closed slots, which are not used.
    """

    counts: NDArray[np.float64]
    open_slots: NDArray[np.bool_]
    state: NDArray[np.int8]
    aside: NDArray[np.float64]


def reckon(
    counts: NDArray[np.float64],
    features: pd.DataFrame,
    hours: OpeningHours,
    there: NDArray[np.bool_],
    *,
    absent_is_zero: bool,
    cut: tuple[int, int],
) -> Reckoning:
    """Tell closed from zero from missing.

    Parameters
    ----------
    counts : numpy.ndarray of float64, shape ``(D, S)``
        NaN where there is no row.
    features : pandas.DataFrame, D rows
    hours : OpeningHours
    there : numpy.ndarray of bool, shape ``(D, S)``
        Which slots the wall clock shows; not those that are skipped when clocks go forward.
    absent_is_zero : bool
        Whether rows of slots without arrivals are left out of the data, so that a slot without a row counts as zero.
    cut : tuple of int
        First column recorded on the first day, and last column on the last day of the data.
    """
    counts = counts.copy()
    kind, weekday = features["day_class"].to_numpy(), features["weekday"].to_numpy()
    off = np.isin(kind, OFF)
    amount = np.nan_to_num(counts)
    total, listed = amount.sum(axis=1), ~np.isnan(counts)
    active = total > 0
    level = local_level(total)
    open_ = hours.open_slots(features, past=True) & there
    state = np.zeros(len(counts), dtype=np.int8)
    state[~open_.any(axis=1)] = _CLOSED
    rates = _rates(amount, open_ & active[:, None], weekday)
    expected = np.where(open_, rates[weekday], 0.0)
    usual = local_level(expected.sum(axis=1))
    expected *= np.minimum(level / np.maximum(usual, 1e-9), 1.0)[:, None]

    stray = active & (total < _STRAY * level)
    if hours.inferred:
        beyond = active & ~open_.any(axis=1) & ~stray & (features["announced"].to_numpy() != "closed")
        pattern = np.where(hours.week[weekday].any(axis=1)[:, None], hours.week[weekday], hours.week.any(axis=0))
        open_[beyond] = (pattern[beyond] & there[beyond]) | (amount[beyond] > 0)
        state[beyond] = _OPENED
    aside = np.where(open_, 0.0, amount).sum(axis=1)

    silent = open_.any(axis=1) & ~active
    improbable = expected.sum(axis=1) >= IMPROBABLE
    unlisted = ~listed.any(axis=1)
    shut = silent & off & (improbable | (unlisted & (not absent_is_zero)))
    state[shut] = _HOLIDAY
    if hours.inferred:
        state[(state == _CLOSED) & off & ~active & hours.week.any(axis=1)[weekday]] = _HOLIDAY
    zeros = silent & ~off & ~unlisted & _unlikely_zeros(~active, silent & improbable)
    state[zeros] = _ZEROS
    waited = np.where(silent, expected.sum(axis=1), 0.0)
    missing = silent & ~off & unlisted & (_long_silence(~active, waited) if absent_is_zero else True)
    state[missing] = _MISSING
    open_[shut | zeros] = False

    if absent_is_zero:
        filled = open_ & ~listed & ~missing[:, None]
        filled[0, : cut[0]] = False
        filled[-1, cut[1] + 1 :] &= expected[-1, cut[1] + 1 :].sum() < IMPROBABLE
        counts[filled] = 0.0
    empty = open_ & ~(amount > 0)
    lost = (np.where(empty, expected, 0.0).sum(axis=1) >= 2 * IMPROBABLE) & active & open_.any(axis=1)
    for row in np.flatnonzero(lost):
        _mend(counts, open_, state, row, expected[row], off[row] or kind[row] == "eve")
    partly = active & (state == _RECORDED) & (open_ & np.isnan(counts)).any(axis=1)
    state[partly] = _BROKEN
    state[(state == _RECORDED) & (aside > 0)] = _SET_ASIDE
    state[(state == _CLOSED) & (aside > 0)] = _SET_ASIDE
    counts[~open_] = np.nan
    return Reckoning(counts, open_, state, aside)


def state_findings(queue: str, days: pd.DatetimeIndex, reckoning: Reckoning, features: pd.DataFrame) -> list[Finding]:
    """Return what was done about days that were not simply open or closed, runs of alike days as one."""
    found = []
    told = np.isin(reckoning.state, list(_SAID))
    names = features["holiday"].to_numpy()
    keys = [(int(code), names[i] if code == _HOLIDAY else "") for i, code in enumerate(reckoning.state)]
    starts = [i for i in range(len(keys)) if i == 0 or keys[i] != keys[i - 1]]
    for begin, end in pairwise([*starts, len(keys)]):
        if not told[begin]:
            continue
        what, done = _SAID[keys[begin][0]]
        detail = keys[begin][1] or f"{end - begin} day{'s' if end - begin > 1 else ''}"
        if lost := int(reckoning.aside[begin:end].sum()):
            detail += f", {lost} arrivals outside the hours"
        found.append(Finding(queue, days[begin], days[end - 1], what, detail, done))
    return found


def _rates(amount: NDArray, counted: NDArray[np.bool_], weekday: NDArray) -> NDArray[np.float64]:
    # Mean arrivals of each weekday and slot while open.
    sums, n = np.zeros((7, amount.shape[1])), np.zeros((7, amount.shape[1]))
    for day in range(7):
        mine = weekday == day
        sums[day] = np.where(counted[mine], amount[mine], 0.0).sum(axis=0)
        n[day] = counted[mine].sum(axis=0)
    rates = sums / np.maximum(n, 1)
    others = sums.sum(axis=0) / np.maximum(n.sum(axis=0), 1)
    return np.where(n > 0, rates, others)


def _unlikely_zeros(idle: NDArray[np.bool_], improbable: NDArray[np.bool_]) -> NDArray[np.bool_]:
    # Days idle in a row are closed as a whole if one of them is no chance; what has lasted to the end may well go on.
    found = np.zeros_like(idle)
    for begin, end in _runs(idle):
        lasting = end == len(idle) and end - begin > _LASTING
        found[begin:end] = improbable[begin:end].any() and not lasting
    return found


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.diff(np.r_[0, marked.astype(np.int8), 0])
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))


def _long_silence(idle: NDArray[np.bool_], waited: NDArray[np.float64]) -> NDArray[np.bool_]:
    # Where zeros are not listed, days without a row are missing when so long a silence is no chance.
    found = np.zeros_like(idle)
    for begin, end in _runs(idle):
        found[begin:end] = waited[begin:end].sum() >= IMPROBABLE
    return found


def _mend(
    counts: NDArray, open_: NDArray[np.bool_], state: NDArray[np.int8], row: int, expected: NDArray, special: bool
) -> None:
    # Silence of so many slots in a row is closed at the edge of a special day, else a failure to record.
    silent = open_[row] & ~(np.nan_to_num(counts[row]) > 0)
    columns = np.flatnonzero(open_[row])
    for begin, end in _runs(silent[columns]):
        run = columns[begin:end]
        # A quiet day's silence is judged by how busy the rest of it was.
        rest = expected.sum() - expected[run].sum()
        busy = min(np.nansum(counts[row, columns]) / rest, 1.0) if rest > 0 else 1.0
        if busy * expected[run].sum() < 2 * IMPROBABLE:
            continue
        if special and (begin == 0 or end == len(columns)):
            open_[row, run] = False
            state[row] = _SHORT
        else:
            counts[row, run] = np.nan
            state[row] = _BROKEN
