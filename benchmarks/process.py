"""Reading a process from a million events, beside the split of its waiting done row by row.

The log is made up: a year of cases of three to twelve steps, done by 400 agents in 20 teams who have several cases in
hand. The row-wise side goes through each step's agent's other work, as scripts do, on a part of the log with as much
work per agent; both sides give the same seconds. Named logs are only read with `$SVC_REAL_DATA` set.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd

import svcanalytics as sv
from benchmarks.timing import Result, alternate
from svcanalytics.causes import process
from svcanalytics.causes.steps.batching import find_batches
from svcanalytics.causes.steps.log import NONE, StepLog, read_log
from svcanalytics.causes.steps.opening import give_opening
from svcanalytics.causes.steps.waiting import split_waiting
from svcanalytics.periods import ROUND_THE_CLOCK

EVENTS, PART, AGENTS = 1_000_000, 10_000, 400
SECONDS, REAL_SECONDS, SHARE = 30.0, 2.0, 0.02
YEAR = 365 * 86_400


def run(rounds: int = 3) -> list[Result]:
    """Measure and return times; the naive side as a ratio per event."""
    events = make_log(EVENTS, AGENTS)
    seconds = _time(lambda: process(events), rounds)
    part = make_log(PART, AGENTS * PART // EVENTS)
    log = read_log(part)
    opening = give_opening(log, ROUND_THE_CLOCK)
    ours = split_waiting(log, opening)[["contention_s", "prioritisation_s"]].to_numpy()
    same = bool((ours == split_by_rows(log)).all())
    quick, slow = alternate(
        lambda: _time(lambda: split_waiting(log, opening), 1), lambda: _time(lambda: split_by_rows(log), 1), rounds
    )
    results = [
        Result(f"process: {EVENTS:,} events, everything", seconds, SECONDS, "s", f"{AGENTS} agents"),
        Result(
            "process: split of waiting / row by row", quick / slow, SHARE, "ratio",
            f"{PART:,} events: {quick:.3f} s, {slow:.1f} s; same seconds: {same}",
        ),
    ]  # fmt: skip
    data = os.environ.get("SVC_REAL_DATA")
    for name, source in (("bpi2013_incidents.xes.gz", "xes"), ("servicenow_incident_log.zip", "servicenow")):
        if data:
            real = _events(Path(data) / "cases" / name, source)
            results.append(Result(f"process: {name}", _time(lambda e=real: process(e), rounds), REAL_SECONDS, "s",
                                  f"{len(real):,} events"))  # fmt: skip
    return results


def make_log(size: int, agents: int, seed: int = 0) -> pd.DataFrame:
    """Make up a log of about so many events."""
    rng = np.random.default_rng(seed)
    length = rng.integers(3, 13, size // 7)
    case = np.repeat(np.arange(len(length)), length)
    first = np.repeat(np.cumsum(length) - length, length)
    place = np.arange(len(case)) - first
    activity = np.where(rng.random(len(case)) < 0.85, place, rng.integers(0, 12, len(case)))
    wait = np.where(place > 0, rng.exponential(4 * 3600, len(case)), 0).astype(np.int64)
    service = (rng.lognormal(0, 0.8, len(case)) * 600).astype(np.int64) + 1
    passed = np.cumsum(wait + service)
    opened = np.repeat(rng.integers(0, YEAR, len(length)), length)
    end = opened + passed - np.repeat(passed[first[place == 0]] - (wait + service)[place == 0], length)
    agent = rng.integers(0, agents, len(case))
    moments = [pd.to_datetime(1_767_225_600 + each, unit="s") for each in (end - service, end)]
    return pd.DataFrame(
        {
            "case_id": np.char.add("c", case.astype(str)).astype(object),
            "activity": np.char.add("step ", activity.astype(str)).astype(object),
            "started_at": moments[0], "at": moments[1],
            "agent": np.char.add("a", agent.astype(str)).astype(object),
            "team": np.char.add("t", (agent % 20).astype(str)).astype(object),
        }
    ).sample(frac=1, random_state=seed, ignore_index=True)  # fmt: skip


def split_by_rows(log: StepLog) -> np.ndarray:
    """Return contention and prioritisation of each step, one after another, in seconds."""
    ready, batch = log.enabled, find_batches(log)
    work = {agent: np.flatnonzero(log.agent == agent) for agent in range(len(log.agents))}
    runs = {number: np.flatnonzero(batch == number) for number in range(int(batch.max()) + 1)}
    out = np.zeros((len(log.case), 2), dtype=np.int64)
    for step in range(len(log.case)):
        if log.before[step] == NONE or log.start[step] <= ready[step]:
            continue
        spans = []
        begin, stop, limit = ready[step], log.start[step], ready[step]
        if batch[step] != NONE:
            members = runs[batch[step]]
            begin, stop = ready[members].max(), log.start[members].min()
            limit = begin
            spans.append((stop, log.start[step], members, ready[step]))
        spans.append((begin, stop, work[int(log.agent[step])], limit))
        for low, high, others, known in spans:
            cuts = {low, high}
            near = [j for j in others if log.start[j] < high and log.end[j] > low]
            for j in near:
                cuts |= {max(low, log.start[j]), min(high, log.end[j])}
            edges = sorted(cuts)
            for a, b in pairwise(edges):
                there = [ready[j] for j in near if log.start[j] <= a and log.end[j] >= b]
                if there:
                    out[step, 0 if min(there) <= known else 1] += b - a
    return out


def _events(file: Path, source: str) -> pd.DataFrame:
    with tempfile.TemporaryDirectory() as folder:
        lake = sv.open(folder)
        sv.load(lake, file, source=source)
        return lake.sql("select * from events")


def _time(work: Callable[[], object], rounds: int) -> float:
    # Seconds of the processor: one thread does it all, and what else runs on the machine is of no interest.
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)
