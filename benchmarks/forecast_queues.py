"""A thousand queues backtested from 26 origins: minutes and memory.

python -m benchmarks forecast_queues        # all of them, measured
python -m benchmarks.forecast_queues 50     # as many as named, scored
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.arrivals_made_up import KINDS, simulate
from benchmarks.timing import Result

if TYPE_CHECKING:
    import psutil

QUEUES, ORIGINS, DAYS = 1000, 26, 180


def run() -> list[Result]:
    """Measure the whole: counts made up, taken in, backtested and scored; memory is that of all processes together."""
    import psutil

    began, peak = time.perf_counter(), 0
    with subprocess.Popen([sys.executable, "-m", "benchmarks.forecast_queues"]) as child:
        while child.poll() is None:
            time.sleep(0.5)
            peak = max(peak, _resident(psutil.Process(child.pid)))
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, child.args)
    minutes = (time.perf_counter() - began) / 60
    detail = f"{QUEUES:,} queues of {DAYS} days of half hours, {ORIGINS} origins, 10 days ahead"
    return [
        Result("a thousand queues backtested", minutes, 10, "min", detail),
        Result("their memory, all processes", peak / 1024**3, 4, "GB", "resident; shared pages count each time"),
    ]


def counts(queues: int = QUEUES, seed: int = 0) -> pd.DataFrame:
    """Make up queues of 0.5 to 200 contacts per half hour, eight hours a day."""
    rng = np.random.default_rng(seed)
    kind = replace(KINDS["billing days"], days=DAYS, slot="30min", opens=9, closes=17)
    levels = np.exp(rng.uniform(np.log(0.5), np.log(200), queues))
    frames = [simulate(f"q{number:04d}", replace(kind, level=level), rng) for number, level in enumerate(levels)]
    return pd.concat(frames, ignore_index=True)


def main(queues: int) -> None:
    """Backtest and score; print what came out and the processor time it took."""
    from joblib.externals.loky import get_reusable_executor

    from svcanalytics import demand

    arrivals = demand.Arrivals(counts(queues), "30min", holidays=None, timezone="UTC")
    backtest = demand.backtest(arrivals, days=10, origins=ORIGINS)
    found = demand.scores(backtest)
    get_reusable_executor().shutdown(wait=True)  # a worker's time counts when it has ended
    used = sum(os.times()[:4])
    print(f"{queues} queues, light={backtest.attrs['light']}: {used:.0f} processor seconds", file=sys.stderr)
    columns = ["model", "n", "wape", "floor", "baseline", "coverage_80", "coverage_95"]
    print(found[columns].round(3).to_string(index=False), file=sys.stderr)


def _resident(process: psutil.Process) -> int:
    """Return the bytes a process and its descendants hold; those that just ended hold none."""
    import psutil

    total = 0
    with suppress(psutil.NoSuchProcess):
        for each in [process, *process.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                total += each.memory_info().rss
    return total


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else QUEUES)
