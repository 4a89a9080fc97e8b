"""Work done again and work handed on: repeats, returns, and who passes cases to whom."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.steps.log import NONE, StepLog

__all__ = ["Returns", "count_handovers", "count_rework", "find_returns"]

Returns = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]
"""For each step the earlier run of its activity in the case (`NONE`: none), whether it repeats it straight away, and
whether it comes back to it after something else."""


def find_returns(log: StepLog) -> Returns:
    """Return for each step the last earlier run of the same activity in its case, and how it is repeated."""
    pair = log.case * len(log.activities) + log.activity
    order = np.argsort(pair, kind="stable")
    again = np.r_[False, pair[order][1:] == pair[order][:-1]]
    earlier = np.full(len(pair), NONE)
    earlier[order[again]] = order[:-1][again[1:]]
    repeat = (earlier != NONE) & (earlier == np.arange(len(pair)) - 1)
    return earlier, repeat, (earlier != NONE) & ~repeat


def count_rework(log: StepLog, returns: Returns) -> pd.DataFrame:
    """Return what is done again, the most hours first.

    Returns
    -------
    pandas.DataFrame
        activity, runs, cases, repeats (runs straight after another), returns (runs after something else in between),
        cases_again (cases with a return), share (of its cases), again_s (from the end of the run before to the end of
        each return: what the loops took).
    """
    earlier, repeat, back = returns
    names = len(log.activities)
    at = np.flatnonzero(back)
    took = log.end[at] - log.end[earlier[at]]
    pairs = np.unique(log.activity * len(log.cases) + log.case) // len(log.cases)
    loops = np.unique(log.activity[at] * len(log.cases) + log.case[at]) // len(log.cases)
    table = pd.DataFrame(
        {
            "activity": log.activities,
            "runs": np.bincount(log.activity, minlength=names),
            "cases": np.bincount(pairs, minlength=names),
            "repeats": np.bincount(log.activity[repeat], minlength=names),
            "returns": np.bincount(log.activity[at], minlength=names),
            "cases_again": np.bincount(loops, minlength=names),
            "again_s": np.bincount(log.activity[at], took, minlength=names).astype(np.int64),
        }
    )
    table.insert(6, "share", table["cases_again"] / table["cases"])
    table = table[(table["repeats"] > 0) | (table["returns"] > 0)]
    return table.sort_values(["again_s", "activity"], ascending=[False, True], ignore_index=True)


def count_handovers(log: StepLog, wait_s: NDArray[np.int64]) -> pd.DataFrame:
    """Return who hands cases to whom, the most frequent first; by team, or by agent where there are no teams.

    Returns
    -------
    pandas.DataFrame
        giver, taker, n, cases, wait_s (sum), median_s, back (handed back to a team that had the case before).
    """
    from svcanalytics.causes.steps.flow import quantiles

    who, names = (log.team, log.teams) if len(log.teams) else (log.agent, log.agents)
    columns = ["giver", "taker", "n", "cases", "wait_s", "median_s", "back"]
    at = np.flatnonzero((log.before != NONE) & (who != NONE))
    at = at[(who[log.before[at]] != NONE) & (who[log.before[at]] != who[at])]
    if not len(at):
        return pd.DataFrame({name: pd.Series(dtype="object" if name in columns[:2] else "int64") for name in columns})
    pair, code = np.unique(who[log.before[at]] * len(names) + who[at], return_inverse=True)
    frame = pd.DataFrame({"code": code, "case": log.case[at], "wait": wait_s[at], "back": _had_before(log, who, at)})
    grouped = frame.groupby("code")
    table = pd.DataFrame(
        {
            "giver": names[pair // len(names)],
            "taker": names[pair % len(names)],
            "n": grouped.size().to_numpy(),
            "cases": grouped["case"].nunique().to_numpy(),
            "wait_s": grouped["wait"].sum().to_numpy(),
            "median_s": quantiles(code, wait_s[at], len(pair), (0.5,))[0],
            "back": grouped["back"].sum().to_numpy(),
        }
    )
    return table.sort_values(["n", "giver", "taker"], ascending=[False, True, True], ignore_index=True)


def _had_before(log: StepLog, who: NDArray, at: NDArray) -> NDArray[np.bool_]:
    # Whether the taker had done a step of the case earlier on.
    size = who.max() + 2
    pair = log.case * size + who
    order = np.argsort(pair, kind="stable")
    first = np.r_[True, pair[order][1:] != pair[order][:-1]]
    begun = np.empty(len(pair), dtype=bool)
    begun[order] = ~first
    return begun[at]
