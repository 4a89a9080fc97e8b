"""What would be won by fixing a step: cases played again from the log without its waiting, or without its rework."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.steps.log import NONE, StepLog
from svcanalytics.causes.steps.looping import Returns

__all__ = ["rank_bottlenecks"]

_DRAWS = 200
_MOST_CASES = 10_000  # of a bootstrap sample; its spread is scaled to all cases
_MOST_ROWS = 30
_SHARES = (0.5, 0.9)

_Fix = tuple[str, str, str, int, NDArray[np.int64]]  # kind, source, activity, how often, what is taken out before steps


def rank_bottlenecks(
    log: StepLog, wait_s: NDArray[np.int64], returns: Returns, *, seed: int = 0, most: int = _MOST_ROWS
) -> pd.DataFrame:
    """Rank steps by what fixing each would take off the duration of cases.

    Every case is played again: the waiting before the step is gone, what comes after it moves up, and a case ends when
    its last step does. Where the log doesn't tell when work began, a step is a state that a case comes into, and what
    is gone is all time until it leaves it. For rework, everything between the first and the last run of the activity is
    gone. What the fix does to the load elsewhere is not simulated.

    Parameters
    ----------
    log : StepLog
    wait_s : numpy.ndarray of int64, shape ``(n,)``
    returns : Returns
    seed : int
        Of the bootstrap.
    most : int
        Most rows that are returned.

    Returns
    -------
    pandas.DataFrame
        The most hours off the 90th percentile first: kind (step: all waiting before the activity; state: all time in
        it; transition: waiting between two activities; rework: coming back to the activity), source (of a transition),
        activity, n (waits or returns), cases, hours (in total), median_h, median_low, median_high (hours off the median
        duration, with 95 % interval from a bootstrap over cases), p90_h, p90_low, p90_high (off the 90th percentile),
        mean_h.
    """
    play = _Replay(log)
    rows, shorter = [], []
    for kind, source, activity, n, removed in _fixes(log, wait_s, returns):
        saved = play.without(removed)
        if saved.any():
            rows.append((kind, source, activity, n, int((saved > 0).sum()), removed.sum() / 3600))
            shorter.append(play.duration - saved)
    table = pd.DataFrame(rows, columns=["kind", "source", "activity", "n", "cases", "hours"])
    now = np.quantile(play.duration, _SHARES, method="inverted_cdf")
    won = np.array([now - np.quantile(each, _SHARES, method="inverted_cdf") for each in shorter]).reshape(-1, 2) / 3600
    table["median_h"], table["p90_h"] = won[:, 0], won[:, 1]
    table["mean_h"] = [float((play.duration - each).mean()) / 3600 for each in shorter]
    order = np.lexsort((table["activity"], -table["mean_h"], -table["median_h"], -table["p90_h"]))[:most]
    table = table.iloc[order].reset_index(drop=True)
    bounds = _intervals(play.duration, [shorter[place] for place in order], won[order], seed)
    for place, name in enumerate(("median", "p90")):
        table[f"{name}_low"], table[f"{name}_high"] = bounds[:, place, 0], bounds[:, place, 1]
    names = ["kind", "source", "activity", "n", "cases", "hours", "median_h", "median_low", "median_high"]
    return table[[*names, "p90_h", "p90_low", "p90_high", "mean_h"]]


class _Replay:
    """Plays cases again with time taken out before some steps."""

    def __init__(self, log: StepLog) -> None:
        self._log, self._heads = log, log.heads
        self._cases = len(self._heads)
        self.duration = np.maximum.reduceat(log.end, self._heads) - np.minimum.reduceat(log.start, self._heads)
        place = np.arange(len(log.case))
        first = np.zeros(len(place), dtype=bool)
        first[self._heads] = True
        straight = first | (log.before == place - 1)
        # Only cases with steps side by side need their chains followed; in others all that is taken out counts.
        self._winding = np.flatnonzero(~np.logical_and.reduceat(straight, self._heads)[log.case])

    def without(self, removed: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the seconds by which each case is shorter when so much is gone before each step."""
        saved = np.bincount(self._log.case, removed, minlength=self._cases).astype(np.int64)
        if len(self._winding):
            log, at = self._log, self._winding
            moved, up = removed.copy(), log.before.copy()
            while (up[at] != NONE).any():  # sums along the chains, twice as far with each round
                linked = at[up[at] != NONE]
                moved[linked], up[linked] = moved[linked] + moved[up[linked]], up[up[linked]]
            end = np.full(self._cases, np.iinfo(np.int64).min)
            np.maximum.at(end, log.case[at], log.end[at] - moved[at])
            changed = np.unique(log.case[at])
            last = np.maximum.reduceat(log.end, self._heads)
            saved[changed] = last[changed] - end[changed]
        return saved


def _fixes(log: StepLog, wait_s: NDArray[np.int64], returns: Returns) -> Iterator[_Fix]:
    waited = np.flatnonzero((log.before != NONE) & (wait_s > 0))
    activity = log.activity[waited]
    pair = log.activity[log.before[waited]] * len(log.activities) + activity
    step = activity if log.timed else log.activity[log.before[waited]]
    # A transition that is the only one into its step (out of its state) would say the same again.
    _, place, counts = np.unique(pair, return_inverse=True, return_counts=True)
    other = np.where(counts[place] == np.bincount(step, minlength=1)[step], NONE, pair)
    for kind, code in (("step" if log.timed else "state", step), ("transition", other)):
        for value, count in _largest(code[code != NONE], wait_s[waited][code != NONE]):
            removed = np.zeros(len(wait_s), dtype=np.int64)
            chosen = waited[code == value]
            removed[chosen] = wait_s[chosen]
            source = log.activities[value // len(log.activities)] if kind == "transition" else ""
            yield kind, source, log.activities[value % len(log.activities)], count, removed
    earlier, _, back = returns
    again = np.flatnonzero(back)
    looped = log.end[again] - log.end[earlier[again]]
    for value, count in _largest(log.activity[again], looped):
        removed = np.zeros(len(wait_s), dtype=np.int64)
        chosen = log.activity[again] == value
        removed[again[chosen]] = looped[chosen]
        yield "rework", "", log.activities[value], count, removed


def _largest(code: NDArray[np.int64], seconds: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return the codes with most seconds, and how often each comes; more of them than can be among the first rows."""
    values, place, counts = np.unique(code, return_inverse=True, return_counts=True)
    order = np.argsort(-np.bincount(place, seconds, minlength=len(values)), kind="stable")
    return [(int(values[i]), int(counts[i])) for i in order[: 2 * _MOST_ROWS]]


def _intervals(now: NDArray[np.int64], shorter: list[NDArray[np.int64]], won: NDArray, seed: int) -> NDArray:
    """Return the 95 % bounds of what is won, shape ``(fixes, shares, 2)``: a bootstrap over cases, in pairs."""
    if not shorter:
        return np.zeros((0, len(_SHARES), 2))
    rng = np.random.default_rng(seed)
    size = min(len(now), _MOST_CASES)
    sample = rng.permutation(len(now))[:size] if size < len(now) else np.arange(len(now))
    weights = rng.poisson(1.0, (_DRAWS, size)).astype(np.int16)
    weights[:, 0] += weights.sum(axis=1) == 0  # a draw needs a case
    before = _weighted_quantiles(now[sample], weights)
    # The bootstrap of a sample is wider than that of all cases by the root of their ratio.
    scale = np.sqrt(size / len(now))
    bounds = np.empty((len(shorter), len(_SHARES), 2))
    for place, each in enumerate(shorter):
        drawn = (before - _weighted_quantiles(each[sample], weights)) / 3600
        plain = np.quantile(now[sample], _SHARES, method="inverted_cdf") - np.quantile(
            each[sample], _SHARES, method="inverted_cdf"
        )
        spread = np.quantile(drawn - plain / 3600, (0.025, 0.975), axis=0) * scale
        bounds[place] = np.maximum(won[place] + spread, 0).T
    return bounds


def _weighted_quantiles(values: NDArray[np.int64], weights: NDArray[np.int16]) -> NDArray[np.int64]:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[:, order], axis=1, dtype=np.int32)
    places = [(total < share * total[:, -1:]).sum(axis=1) for share in _SHARES]
    return values[order][np.minimum(np.stack(places, axis=1), len(values) - 1)]
