"""Waiting before each step, split by what the one who did it was doing meanwhile."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from svcanalytics.causes.steps.batching import find_batches
from svcanalytics.causes.steps.log import NONE, StepLog
from svcanalytics.causes.steps.opening import Opening
from svcanalytics.causes.steps.working import work_of

__all__ = ["PARTS", "count_waiting", "split_waiting"]

PARTS = ("batching", "prioritisation", "contention", "unavailability", "extraneous", "unsplit")
"""The parts of waiting, in the order in which they are told."""

_NEVER = np.iinfo(np.int64).max


def split_waiting(log: StepLog, opening: Opening) -> pd.DataFrame:
    """Split the waiting before each step (Lashkevich, Milani, Chapela-Campa, Suvorau and Dumas 2022).

    Time between the end of the step before and the begin of this one is, in this order: *batching*, until the last case
    of the batch it is done in was ready; *contention*, while the agent worked on cases that were ready no later than
    this one; *prioritisation*, while on cases that were ready later; *unavailability*, while off duty; *extraneous*,
    all else, and all waiting for the customer or a supplier. What can't be told for want of an agent, or of times at
    which work began, is *unsplit*.

    Within the run of its batch only the batch counts as what the agent did.

    Parameters
    ----------
    log : StepLog
    opening : Opening

    Returns
    -------
    pandas.DataFrame
        In the order of the log: wait_s, open_wait_s (of it on the working calendar), outside_s (of it for customer or
        supplier), and ``<part>_s`` for each of `PARTS`, which add up to wait_s. Whole seconds.
    """
    ready, start = log.enabled, log.start
    batch = find_batches(log)
    batched = _over_batches(batch, ready, np.maximum)
    begun = np.where(batch == NONE, start, _over_batches(batch, start, np.minimum))
    parts = dict.fromkeys(PARTS, np.zeros(len(start), dtype=np.int64))
    inside = (log.before != NONE) & ~log.outside
    split = inside & (log.agent != NONE) & (start > ready)
    at = np.flatnonzero(split)
    from_, run = batched[at], begun[at]
    parts["batching"] = _put(at, from_ - ready[at], len(start))
    calendar = opening.of_worker[at]
    agents, batches = work_of(log.agent, log, opening), work_of(batch, log, opening)
    contention, busy, busy_off = agents.between(log.agent[at], from_, run, from_, calendar, opening)
    alone = batch[at] == NONE
    own, _, _ = batches.between(batch[at], run, np.where(alone, run, start[at]), ready[at], calendar, opening)
    off = (run - from_) - (opening.read(run, calendar) - opening.read(from_, calendar)) - busy_off
    rest = (run - from_) - busy - off
    contention, priority = contention + own, busy - contention + (start[at] - run - own)
    parts["contention"] = _put(at, contention, len(start))
    parts["prioritisation"] = _put(at, priority, len(start))
    parts["unavailability"] = _put(at, off, len(start))
    parts["extraneous" if log.timed else "unsplit"] = _put(at, rest, len(start))
    waits = count_waiting(log)
    parts["extraneous"] = parts["extraneous"] + waits["outside_s"]
    parts["unsplit"] = parts["unsplit"] + np.where(inside & (log.agent == NONE), waits["wait_s"], 0)
    open_wait = opening.read(start, opening.of_step) - opening.read(ready, opening.of_step)
    waits.insert(1, "open_wait_s", np.where(log.before != NONE, open_wait, 0))
    return waits.assign(**{f"{name}_s": parts[name] for name in PARTS})


def count_waiting(log: StepLog) -> pd.DataFrame:
    """Return the waiting before each step: wait_s, and outside_s (of it for the customer or a supplier)."""
    wait = np.where(log.before != NONE, log.start - log.enabled, 0)
    return pd.DataFrame({"wait_s": wait, "outside_s": np.where(log.outside, wait, 0)})


def _over_batches(batch: NDArray, values: NDArray, pick: np.ufunc) -> NDArray[np.int64]:
    out = values.copy()
    inside = np.flatnonzero(batch != NONE)
    if len(inside):
        best = np.full(batch.max() + 1, 0 if pick is np.maximum else _NEVER)
        pick.at(best, batch[inside], values[inside])
        out[inside] = best[batch[inside]]
    return out


def _put(at: NDArray, values: NDArray, size: int) -> NDArray[np.int64]:
    out = np.zeros(size, dtype=np.int64)
    out[at] = values
    return out
