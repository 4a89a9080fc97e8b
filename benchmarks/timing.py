"""What every benchmark reports, and how it measures: each side in a process of its own, for honest time and memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(__file__).parent / ".cache"
"""Where benchmarks keep their made-up inputs; ignored by git."""


@dataclass(frozen=True)
class Result:
    """One line of the table: what, measured against what bound, and the figures behind it."""

    name: str
    measured: float
    bound: float
    unit: str  # "ratio", "s" or "GB"
    detail: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.measured <= self.bound


@dataclass(frozen=True)
class Run:
    """One child process: its wall seconds, the memory of the largest of its processes, their processor seconds."""

    seconds: float
    peak_gb: float
    processor: float = 0.0


def run_child(arguments: Sequence[str]) -> Run:
    """Run `python arguments...` and measure it; raises when it fails."""
    command = [sys.executable, *arguments]
    began = time.perf_counter()
    child = subprocess.Popen(command, cwd=Path(__file__).parent.parent)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, command)
    return Run(seconds, usage.ru_maxrss / 1024**2, usage.ru_utime + usage.ru_stime)


def alternate(first: Callable[[], float], second: Callable[[], float], rounds: int = 3) -> tuple[float, float]:
    """Return the median seconds of two sides run in turn, so that a busy machine hurts both alike."""
    pairs = [(first(), second()) for _ in range(rounds)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)
