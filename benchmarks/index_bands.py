"""The index's bands: how often they hold the true index, how often a change that isn't there is called certain; speed.

Organisations are made up with a known true index (`index_world`): independent measures first, then measures of the same
cases on lucky and unlucky days. Each organisation's dependence is estimated from its own days. Nothing was tuned on the
seeds that are reported here.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import repeat
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.index_world import PROFILE, make_world
from benchmarks.timing import Result, run_child

if TYPE_CHECKING:
    from svcanalytics.quality import IndexResult, Propagation

ORGANISATIONS, QUARTERS, FIRST_SEED = 400, 6, 10_000
WORLDS = {"apart": {"shared": 0.0, "lucky_days": 0.0}, "together": {"shared": 0.5, "lucky_days": 0.15}}
SECONDS, PEAK_GB = 10.0, 1.0
PERIODS, UNITS, METRICS, DRAWS = 12, 200, 45, 1000
_BOUNDS = {"90 % band, off 90": 2.0, "false certain": 5.0, "false certain, at most": 7.0, "2 points missed": 100.0}


def run() -> list[Result]:
    """Simulate, measure and return coverage, false claims, power, time and memory."""
    results = [result for name, settings in WORLDS.items() for result in _of_world(name, settings)]
    return [*results, *_speed()]


def _of_world(name: str, settings: dict[str, float]) -> list[Result]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        every = pool.map(_organisation, range(ORGANISATIONS), repeat(settings), chunksize=10)
        found = pd.DataFrame([row for rows in every for row in rows])
    results = []
    for way, part in found.groupby("way", sort=False):
        held, same, gain = (part[part["kind"] == kind] for kind in ("quarter", "same", "gain"))
        off, false, missed = abs(held["yes"].mean() - 0.9), same["yes"].mean(), 1 - gain["yes"].mean()
        # Where measures move together, what takes them for independent is shown for contrast and bound to nothing.
        free = name == "together" and "dependence" not in way
        bounds = dict.fromkeys(_BOUNDS, 100.0) if free else _BOUNDS
        figures = {
            "90 % band, off 90": (
                off,
                f"{held['yes'].mean():.1%} of {len(held)}, {held['width'].mean():.2f} points wide",
            ),
            "false certain": (false, f"{len(same)} changes of 0"),
            "false certain, at most": (_upper(int(same["yes"].sum()), len(same)), "95 % sure"),
            "2 points missed": (missed, f"{len(gain)} changes of 2 points"),
        }
        for what, (share, detail) in figures.items():
            results.append(Result(f"{name}, {way}: {what}", 100 * share, bounds[what], "%", detail))
    return results


def _organisation(seed: int, settings: dict[str, float]) -> list[dict[str, object]]:
    """Return one row per way and quarter (held or not), change of nothing and change of 2 points (certain or not)."""
    from svcanalytics.quality import estimate_dependence, propagate, score

    made = make_world(FIRST_SEED + seed, QUARTERS + 1, **settings, gain=2.0)
    measures, dependence = made.quarters, estimate_dependence(made.days)
    rows = []
    for ending, known in {"": None, " with dependence": dependence}.items():
        closed = [score(measures, PROFILE, level=level, dependence=known) for level in (0.9, 0.95)]
        drawn = propagate(measures, PROFILE, level=0.9, dependence=known, seed=seed)
        rows += _judged(f"closed form{ending}", *closed, made.truth)
        rows += _judged(f"drawn{ending}", drawn, replace(drawn, level=0.95), made.truth)
    return rows


def _judged(
    way: str, inner: IndexResult | Propagation, outer: IndexResult | Propagation, truth: np.ndarray
) -> list[dict[str, object]]:
    rows = []
    index = inner.scores[inner.scores["family"] == ""]
    for low, high, true in zip(index["low"], index["high"], truth[:-2], strict=False):
        held = low - 1e-9 <= true <= high + 1e-9
        rows.append({"way": way, "kind": "quarter", "yes": held, "width": high - low})
    for now in range(1, QUARTERS + 1):
        certain = outer.change(f"Q{now}", f"Q{now - 1}").certain
        rows.append({"way": way, "kind": "gain" if now == QUARTERS else "same", "yes": certain})
    return rows


def _upper(hits: int, count: int) -> float:
    """Return the one-sided exact 95 % bound of a share (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    return float(betaincinv(hits + 1, count - hits, 0.95)) if hits < count else 1.0


def _speed() -> list[Result]:
    # The least of three: a busy machine can only add to it.
    runs = [[run_child(["-m", "benchmarks.index_bands", side]) for side in ("make", "propagate")] for _ in range(3)]
    empty, full = min(runs, key=lambda pair: pair[1].seconds - pair[0].seconds)
    size = f"{PERIODS} months x {UNITS} units x {METRICS} metrics, {DRAWS} draws, correlated"
    return [
        Result("propagate: time", full.seconds - empty.seconds, SECONDS, "s", size),
        Result("propagate: memory of the whole process", full.peak_gb, PEAK_GB, "GB"),
    ]


def _large(side: str) -> None:
    from svcanalytics.metrics.intervals import wilson_interval
    from svcanalytics.quality import Dependence, Goalposts, Profile, ProfileMetric, propagate

    names = [f"m{number:02}" for number in range(METRICS)]
    families = {f"f{number}": 1 / 9 for number in range(9)}
    profile = Profile(
        "large",
        families,
        tuple(ProfileMetric(m, f"f{i % 9}", 9 / METRICS, Goalposts(0.5, 0.9, 1.0)) for i, m in enumerate(names)),
    )
    rng = np.random.default_rng(1)
    n = rng.integers(20, 500, PERIODS * UNITS * METRICS)
    hits = rng.binomial(n, 0.85)
    low, high = wilson_interval(hits, n)
    keys = pd.MultiIndex.from_product(
        [[f"2026-{m:02}" for m in range(1, PERIODS + 1)], [f"U{u}" for u in range(UNITS)], names],
        names=["period", "team", "metric"],
    )
    measures = keys.to_frame(index=False).assign(value=hits / n, low=low, high=high, n=n, numerator=hits, denominator=n)
    correlation = pd.DataFrame(0.3 + 0.7 * np.eye(METRICS), index=names, columns=names)
    dependence = Dependence(correlation, pd.Series(1.2, index=names))
    if side == "propagate":
        result = propagate(measures, profile, draws=DRAWS, dependence=dependence)
        assert len(result.ranks) == PERIODS * UNITS


if __name__ == "__main__":
    _large(sys.argv[1])
