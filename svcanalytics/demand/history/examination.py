"""Examining a history: slipped clocks, copied days, capped counts, outliers and shifts of level."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.demand.days.daydescription import OFF
from svcanalytics.demand.history.findings import Finding
from svcanalytics.demand.matrix import DayMatrix

__all__ = ["examine", "faulty_days"]

_SLIP_S = 2 * 3600
_EARLIER_WEEKS = 6
_NEW_ORDER = 5
_CHANCE = -9.0
_FAR_DAY, _FAR_SLOT = 7.0, 8.0
_KEPT = "kept: models give days far off the rest less weight"


def examine(matrix: DayMatrix) -> list[Finding]:
    """Return what looks wrong in a history, and what was done about it.

    Parameters
    ----------
    matrix : DayMatrix

    Returns
    -------
    list of Finding
        Copied days, slipped clocks, slipped weekdays, capped counts, days and slots far off, shifts of level.
    """
    counts = np.where(matrix.open_slots, matrix.counts, np.nan)
    excluded = matrix.features["excluded"].to_numpy()
    found = [
        *_said(matrix, copied_days(counts), "copied day", "a day with the same counts came before", excluded),
        *_said(
            matrix,
            slipped_days(counts, matrix.slot_s) != 0,
            "slipped clock",
            "the day's course is shifted by some slots",
            excluded,
        ),
        *_said(matrix, _slipped_weeks(matrix), "slipped weekdays", "days look like another weekday's", excluded),
        *_said(matrix, _capped_days(counts), "capped counts", "the same highest count again and again", excluded),
        *_far_days(matrix),
        *_far_slots(matrix),
        *_shifts(matrix),
    ]
    return found


def faulty_days(counts: NDArray[np.float64], slot_s: int) -> NDArray[np.bool_]:
    """Return which days are copies of earlier ones or have a slipped clock, shape ``(D,)``.

    A day is judged by itself and the days before it alone, so that what comes later changes nothing.
    """
    return copied_days(counts) | (slipped_days(counts, slot_s) != 0)


def copied_days(counts: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which days repeat an earlier day's counts where chance can't, shape ``(D,)``.

    Two Poisson counts of rate m agree with probability about ``1 / sqrt(1 + 4 pi m)``; the product over the slots of a
    day (over the days of a run, where a day is one slot) must be below 1e-9.
    """
    amount = np.nan_to_num(counts)
    chance = -0.5 * np.log10(1 + 4 * np.pi * amount).sum(axis=1)
    found = np.zeros(len(amount), dtype=bool)
    if amount.shape[1] > 1:
        likely = np.flatnonzero(chance < _CHANCE)
        _, first = np.unique(amount[likely], axis=0, return_index=True)
        found[np.delete(likely, first)] = True
        return found
    total = amount[:, 0]
    for lag in range(1, min(63, len(total) // 2)):
        same = np.r_[np.zeros(lag, bool), (total[lag:] == total[:-lag]) & (total[lag:] > 0)]
        for begin, end in _runs(same):
            found[begin:end] |= end - begin >= 4 and chance[begin:end].sum() < _CHANCE
    return found


def slipped_days(counts: NDArray[np.float64], slot_s: int) -> NDArray[np.int64]:
    """Return by how many slots each day lags behind its weekday in the weeks before, shape ``(D,)``.

    Zero unless shifting explains at least four fifths of a misfit that is no chance. After five such days the new
    course is taken for the usual one.
    """
    amount = np.nan_to_num(counts)
    n, width = amount.shape
    found = np.zeros(n, dtype=np.int64)
    # A slip can't be longer than a third of the open part of the day.
    columns = np.flatnonzero(amount.any(axis=0))
    reach = min(max(_SLIP_S // slot_s, 1), len(columns) // 3)
    if n < 7 * 3 or width < 2 or reach < 1:
        return found
    amount = np.pad(amount[:, columns[0] : columns[-1] + 1], ((0, 0), (reach, reach)))
    total = amount.sum(axis=1)
    course = amount / np.maximum(total, 1.0)[:, None]
    sums, known = np.zeros_like(course), np.zeros(n)
    for lag in range(7, 7 * _EARLIER_WEEKS + 1, 7):
        sums[lag:] += course[:-lag]
        known[lag:] += total[:-lag] > 0
    usual = sums / np.maximum(known, 1)[:, None]
    rows = np.flatnonzero((known >= 3) & (total >= 50))
    misfit = np.array([_misfit(amount[rows], np.roll(usual[rows], k, axis=1)) for k in range(-reach, reach + 1)])
    best = misfit.argmin(axis=0)
    gained = misfit[reach] - misfit.min(axis=0)
    slipped = (best != reach) & (misfit.min(axis=0) < 0.2 * misfit[reach]) & (gained > 2.0 * amount.shape[1] + 20)
    found[rows] = np.where(slipped, best - reach, 0)
    flagged = np.cumsum(found != 0)
    before = (
        np.r_[0, flagged[:-1]] - np.r_[np.zeros(min(7 * _EARLIER_WEEKS, n), int), flagged[: -7 * _EARLIER_WEEKS]][:n]
    )
    return np.where(before < _NEW_ORDER, found, 0)


def _misfit(amount: NDArray[np.float64], usual: NDArray[np.float64]) -> NDArray[np.float64]:
    expected = usual * amount.sum(axis=1)[:, None]
    return ((amount - expected) ** 2 / (expected + 1.0)).sum(axis=1)


def _slipped_weeks(matrix: DayMatrix) -> NDArray[np.bool_]:
    # Weeks whose days follow the usual week's course a day or more late: dates were made up over a closed-up gap.
    found = np.zeros(len(matrix.days), dtype=bool)
    start = int(-matrix.features["weekday"].to_numpy()[0]) % 7
    weeks = (len(matrix.days) - start) // 7
    if weeks < 10:
        return found
    total = np.nansum(matrix.counts, axis=1)[start : start + 7 * weeks].reshape(weeks, 7)
    share = total / np.maximum(total.sum(axis=1), 1.0)[:, None]
    usual = np.array([np.median(share[max(w - 8, 0) : w], axis=0) if w >= 4 else share[w] for w in range(weeks)])
    gaps = np.array([np.abs(share - np.roll(usual, k, axis=1)).sum(axis=1) for k in range(7)])
    slipped = (gaps[0] > 0.3) & (gaps[1:].min(axis=0) < 0.25 * gaps[0])
    for begin, end in _runs(slipped):
        if end - begin >= 3:
            found[start + 7 * begin : start + 7 * end] = True
    return found


def _capped_days(counts: NDArray[np.float64]) -> NDArray[np.bool_]:
    amount = np.nan_to_num(counts)
    top = amount.max(axis=1, initial=0.0)
    ties = (amount == top[:, None]).sum(axis=1)
    near = ((amount < top[:, None]) & (amount >= 0.9 * top[:, None])).sum(axis=1)
    flat = (top >= 20) & (ties >= 4) & (ties > near)
    levels, n = np.unique(top[flat], return_counts=True)
    # A few ties at the top happen; many, or the same ceiling on several days, do not.
    return flat & ((ties >= 8) | np.isin(top, levels[n >= 3]))


def _far_days(matrix: DayMatrix) -> Iterator[Finding]:
    rows, away, noise = _away(matrix)
    for row, value in zip(rows, away, strict=True):
        if abs(value) > max(_FAR_DAY * noise, 0.3):
            total, usual = np.nansum(matrix.counts[row]), np.nansum(matrix.counts[row]) / np.exp(value)
            detail = f"{total:.0f} arrivals where about {usual:.0f} are usual"
            yield Finding(matrix.queue, matrix.days[row], matrix.days[row], "day far off", detail, _KEPT)


def _away(matrix: DayMatrix) -> tuple[NDArray, NDArray, float]:
    # Log ratio of working days' totals to the median of the same weekday around them, and its usual size.
    kind = matrix.features["day_class"].to_numpy()
    total = np.nansum(matrix.counts, axis=1)
    plain = matrix.recorded & ~np.isin(kind, [*OFF, "make_up", "eve", "day_after", "bridge"]) & (total > 0)
    weekday = matrix.features["weekday"].to_numpy()
    rows, away = [], []
    for day in np.unique(weekday[plain]):
        mine = np.flatnonzero(plain & (weekday == day))
        logs = pd.Series(np.log(total[mine]))
        rows.append(mine)
        away.append(logs - logs.rolling(9, center=True, min_periods=4).median())
    if not rows:
        return np.array([], dtype=np.int64), np.array([]), 1.0
    row, value = np.concatenate(rows), np.nan_to_num(np.concatenate(away))
    floor = 1 / np.sqrt(max(np.median(total[plain]), 1.0))
    return row, value, float(max(1.4826 * np.median(np.abs(value)), floor))


def _far_slots(matrix: DayMatrix) -> Iterator[Finding]:
    counts = matrix.counts
    if counts.shape[1] < 2 or not matrix.recorded.any():
        return
    weekday = matrix.features["weekday"].to_numpy()
    total = np.nansum(counts, axis=1)
    residual = np.full(counts.shape, np.nan)
    for day in np.unique(weekday):
        mine = np.flatnonzero((weekday == day) & matrix.recorded & (total > 0))
        if len(mine) < 5:
            continue
        # Neither profile nor level must follow the very slot that is looked for: medians of both.
        profile = np.median(counts[mine] / total[mine, None], axis=0)
        open_ = profile > 0
        level = np.nanmedian(counts[np.ix_(mine, open_)] / profile[open_], axis=1) if open_.any() else total[mine]
        expected = level[:, None] * profile
        residual[mine] = (counts[mine] - expected) / np.sqrt(expected + 1.0)
    if not np.isfinite(residual).any():
        return
    noise = max(1.4826 * np.nanmedian(np.abs(residual)), 1.0)
    far = np.abs(np.nan_to_num(residual)) > _FAR_SLOT * noise
    for row in np.flatnonzero(far.any(axis=1)):
        columns = np.flatnonzero(far[row])
        begin = matrix.slots[columns[0]]
        more = f" and {len(columns) - 1} more" if len(columns) > 1 else ""
        detail = f"{begin // 3600:02d}:{begin % 3600 // 60:02d}, {counts[row, columns[0]]:.0f} arrivals{more}"
        yield Finding(matrix.queue, matrix.days[row], matrix.days[row], "slot far off", detail, _KEPT)


def _shifts(matrix: DayMatrix) -> Iterator[Finding]:
    # Means of four weeks before and after each week of working days, the week's course taken out; a jump must stand out
    # from all such differences of the series, which hold its season and trend.
    kind = matrix.features["day_class"].to_numpy()
    total = np.nansum(matrix.counts, axis=1)
    plain = matrix.recorded & ~np.isin(kind, OFF) & (total > 0)
    if plain.sum() < 60:
        return
    weekday = matrix.features["weekday"].to_numpy()
    logs = np.full(len(total), np.nan)
    for day in np.unique(weekday[plain]):
        mine = plain & (weekday == day)
        logs[mine] = np.log(total[mine]) - np.median(np.log(total[mine]))
    weeks = pd.Series(logs).groupby(np.arange(len(logs)) // 7).median().to_numpy()
    jump = np.full(len(weeks), np.nan)
    for w in range(4, len(weeks) - 3):
        before, after = weeks[w - 4 : w], weeks[w : w + 4]
        if np.isfinite(before).sum() >= 3 and np.isfinite(after).sum() >= 3:
            jump[w] = np.nanmedian(after) - np.nanmedian(before)
    if not np.isfinite(jump).any():
        return
    size = np.abs(np.nan_to_num(jump))
    while size.max() > 0:
        w = int(size.argmax())
        # What is usual is seen beside the jump, which its own windows follow up and down.
        elsewhere = np.r_[jump[: max(w - 4, 0)], jump[w + 5 :]]
        elsewhere = elsewhere[np.isfinite(elsewhere)]
        noise = 1.4826 * np.median(np.abs(elsewhere - np.median(elsewhere))) if len(elsewhere) >= 6 else np.inf
        if size[w] <= max(6 * noise, 0.25):
            break
        detail = f"arrivals {'rise' if jump[w] > 0 else 'fall'} by {np.expm1(jump[w]):+.0%} and stay"
        done = "kept: models follow the new level"
        yield Finding(matrix.queue, matrix.days[7 * w], matrix.days[7 * w], "shift of level", detail, done)
        size[max(w - 5, 0) : w + 6] = 0.0


def _said(
    matrix: DayMatrix, marked: NDArray[np.bool_], what: str, detail: str, excluded: NDArray[np.bool_]
) -> Iterator[Finding]:
    for begin, end in _runs(marked):
        done = "excluded from learning" if excluded[begin:end].all() else "kept as it is"
        yield Finding(matrix.queue, matrix.days[begin], matrix.days[end - 1], what, detail, done)


def _runs(marked: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.diff(np.r_[0, marked.astype(np.int8), 0])
    return list(zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True))
