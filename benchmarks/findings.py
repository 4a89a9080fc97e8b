"""Findings: planted causes found among the first fifteen with the right layer, and quarters in which nothing happened.

Worlds of seeds 0-19 are reported; settings were chosen on seeds from 1000 up. In a null quarter teams, days and weeks
are lucky or unlucky of themselves, versions roll over and agents are hired, but nothing is planted.
"""

from __future__ import annotations

import os
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.causes_world import found, make_world
from benchmarks.timing import Result
from svcanalytics.causes.ranking.union import find
from svcanalytics.metrics.intervals import wilson_interval

WORLDS, QUARTERS, FIRST = 20, 400, 15
MISSED, FALSE, SECONDS = 0.10, 0.07, 3.0
_PROCESSES = 2
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run(worlds: int = WORLDS, quarters: int = QUARTERS, seed: int = 0) -> list[Result]:
    """Return the share of planted causes missed, the share of null quarters with any finding, and the time of one."""
    planted = _each(_planted, range(seed, seed + worlds), "worlds")
    hits = pd.concat([table for table, _ in planted], ignore_index=True)
    right = hits["rank_right"].between(1, FIRST)
    named = hits["rank"].between(1, FIRST)
    by_cause = right.groupby(hits["cause"]).agg(["sum", "count"])
    worst = ", ".join(f"{c} {r['sum']}/{r['count']}" for c, r in by_cause.iterrows() if r["sum"] < r["count"])
    length = np.mean([len(table) for table, _ in planted])
    low, high = (float(each) for each in wilson_interval(int((~right).sum()), len(right)))
    alarms = np.array(_each(_alarm, range(seed, seed + quarters), "null quarters"))
    few, many = (float(each) for each in wilson_interval(int(alarms.sum()), len(alarms)))
    return [
        Result(
            f"findings: planted causes not in the first {FIRST} with layer",
            float(1 - right.mean()),
            MISSED,
            "share",
            f"{len(hits)} causes, {low:.3f}-{high:.3f}; found at all {named.mean():.3f}; missed: {worst or 'none'}",
        ),
        Result(
            "findings: null quarters that show any", float(alarms.mean()), FALSE, "share",
            f"{quarters} quarters, {few:.3f}-{many:.3f}",
        ),
        Result(
            "findings: a world, from its material", float(np.median([took for _, took in planted])), SECONDS, "s",
            f"median of {worlds}, about {length:.0f} causes each",
        ),
    ]  # fmt: skip


def _each(ask: Callable[[int], Any], seeds: Sequence[int], what: str) -> list[Any]:
    """Ask for every seed, in two processes of one thread each, and say how far it is."""
    threads = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # read by what a new process loads
    out, began = [], time.perf_counter()
    try:
        with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
            for answer in pool.map(ask, seeds):
                out.append(answer)
                if len(out) % max(len(seeds) // 10, 1) == 0:
                    print(
                        f"    {len(out)} of {len(seeds)} {what}, {time.perf_counter() - began:.0f} s", file=sys.stderr
                    )
    finally:
        for name, value in threads.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})
    return out


def _planted(seed: int) -> tuple[pd.DataFrame, float]:
    world = make_world(seed)
    began = time.process_time()
    table = find(world.material)
    return found(table, world), time.process_time() - began


def _alarm(seed: int) -> bool:
    # Apart from the planted worlds, so that nobody meets a world twice.
    return len(find(make_world(seed + 500_000, ()).material)) > 0


def main(arguments: list[str]) -> None:
    """Print every world's findings of seeds named: `python -m benchmarks.findings 1000 1001`."""
    warnings.simplefilter("default")
    for seed in map(int, arguments):
        world = make_world(seed)
        table = find(world.material)
        print(world.truth.merge(found(table, world), on="cause").drop(columns=["kind"]).round(3).to_string())
        print(table.drop(columns=["cases", "details", "finding_id"]).round(3).to_string())


if __name__ == "__main__":
    main(sys.argv[1:])
